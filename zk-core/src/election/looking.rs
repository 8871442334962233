//! A server that looks for a leader: from its first vote to the one that a quorum has.
//!
//! It listens to voters and itself has one ballot among theirs, unless it is an observer. It does not
//! know who else is answered, nor what comes after the decision.
//!
//! Invariants
//! - Within a round the proposal only gets better.
//! - It decides for its proposal only if a quorum has it, by the last ballot of each voter.
//! - A server that does not know its last zxid neither votes nor changes its vote, until all have been heard.
//!
//! Java: `FastLeaderElection.lookForLeader`.

use std::collections::BTreeSet;

use zk_wire::{Notification, PeerState, ServerId, Zxid};

use super::blank::Heard;
use super::vote::{Ballot, Ballots, Vote};
use super::{Act, ElectionOptions};
use crate::quorum::Members;
use crate::sessions::Millis;

/// What each step is told, and where it says what is to be done.
pub(super) struct Step<'a> {
    pub(super) now: Millis,
    pub(super) members: &'a Members,
    pub(super) options: &'a ElectionOptions,
    /// Voters without an election connection, after one broke or could not be made.
    pub(super) unreachable: &'a BTreeSet<ServerId>,
    pub(super) acts: &'a mut Vec<Act>,
}

/// The search for a leader.
#[derive(Debug)]
pub(super) struct Looking {
    began_at: Millis,
    /// The vote for itself; of an observer, for nobody.
    initial: Vote,
    /// Of a server that began without knowing its last zxid: what the others say.
    heard: Option<Heard>,
    /// The best vote of this round, and so its own.
    proposal: Vote,
    /// The ballots of this round.
    received: Ballots,
    /// The ballots of servers that have a leader, of any round.
    settled: Ballots,
    timeout_ms: u64,
    resend_at: Millis,
    /// When the proposal, which a quorum has, is decided if nothing better comes.
    finalize_at: Option<Millis>,
}

impl Looking {
    /// Begins with this vote: everybody is told.
    pub(super) fn begin(initial: Vote, step: &mut Step<'_>) -> Self {
        let mut looking = Self {
            began_at: step.now,
            initial,
            heard: (initial.zxid == Zxid::UNKNOWN).then(Heard::default),
            proposal: initial,
            received: Ballots::default(),
            settled: Ballots::default(),
            timeout_ms: step.options.interval_min_ms,
            resend_at: step.now,
            finalize_at: None,
        };
        looking.propose(initial, step);
        looking
    }

    pub(super) fn proposal(&self) -> Vote {
        self.proposal
    }

    pub(super) fn began_at(&self) -> Millis {
        self.began_at
    }

    /// When [`Self::on_timeout`] is due.
    pub(super) fn deadline(&self) -> Millis {
        self.finalize_at.unwrap_or(self.resend_at)
    }

    /// A voter sent this. The decision, if there is one now.
    pub(super) fn on_notification(
        &mut self,
        from: ServerId,
        notification: &Notification<'_>,
        step: &mut Step<'_>,
    ) -> Option<Vote> {
        if !step.members.is_voter(notification.leader) {
            return None;
        }
        let established = match notification.state {
            PeerState::Looking => {
                self.on_looking(from, Vote::received(notification), step);
                None
            }
            PeerState::Following | PeerState::Leading => {
                self.on_settled(from, Ballot::received(notification), step)
            }
            PeerState::Observing => None,
        };
        established.or_else(|| self.decide(step))
    }

    /// A voter looks for a leader too.
    fn on_looking(&mut self, from: ServerId, vote: Vote, step: &mut Step<'_>) {
        // Java counts what it said before on; but it has lost that leader.
        let was_settled = self.settled.remove(from);
        if self.is_still_blank(from, vote, step) {
            return;
        }
        if vote.zxid == Zxid::UNKNOWN || vote.round < self.proposal.round {
            return;
        }
        let is_better = vote.is_better_than(&self.proposal, step.members);
        if vote.round > self.proposal.round {
            self.received.remove(from);
            // Compat: lookForLeader does not leave a round for a lesser vote while it finalizes. If
            // this server did, a Java server of the same quorum would lead without followers.
            if !is_better && self.has_quorum(step) {
                return;
            }
            self.received.clear();
            self.initial.round = vote.round;
            let is_better = vote.is_better_than(&self.initial, step.members);
            self.propose(if is_better { vote } else { self.initial }, step);
        } else if is_better {
            self.propose(vote, step);
        } else if was_settled {
            // It had a leader when it got this server's vote and has not kept it. Java says it again
            // only after the timeout.
            self.send(from, step);
        }
        self.received.put(from, Ballot::looking(vote));
    }

    /// Whether this server may not vote, after a voter has said this. It may as soon as all have been heard, and
    /// in a later round not before that again.
    fn is_still_blank(&mut self, from: ServerId, vote: Vote, step: &mut Step<'_>) -> bool {
        let Some(heard) = &mut self.heard else { return false };
        let is_blank = self.initial.zxid == Zxid::UNKNOWN;
        if !is_blank && (vote.round <= self.proposal.round || vote.zxid == Zxid::UNKNOWN) {
            return false;
        }
        if !is_blank {
            heard.clear();
            self.received.clear();
            self.initial = Vote { zxid: Zxid::UNKNOWN, round: vote.round, ..self.initial };
            self.proposal = self.initial;
        }
        heard.put(from, vote);
        let Some((round, votes)) = heard.all(&self.initial, step) else {
            if !is_blank {
                self.propose(self.initial, step);
            }
            return true;
        };
        self.initial = Vote { zxid: Zxid::ZERO, round, ..self.initial };
        let mut best = if votes.is_empty() { self.initial } else { Vote::for_nobody(round) };
        for (from, vote) in votes {
            self.received.put(from, Ballot::looking(vote));
            if vote.is_better_than(&best, step.members) {
                best = vote;
            }
        }
        self.propose(best, step);
        true
    }

    /// A voter has a leader: is that an established one?
    fn on_settled(&mut self, from: ServerId, ballot: Ballot, step: &Step<'_>) -> Option<Vote> {
        let vote = ballot.vote;
        if let Some(heard) = &mut self.heard {
            heard.remove(from);
        }
        if vote.round == self.proposal.round {
            self.received.put(from, ballot.without_version());
            if self.is_established(&self.received, &ballot, step) {
                return Some(vote);
            }
        }
        self.settled.put(from, ballot);
        self.is_established(&self.settled, &ballot, step).then_some(vote)
    }

    /// Whether a quorum follows the leader of `ballot`, and that leader knows that it leads.
    fn is_established(&self, ballots: &Ballots, ballot: &Ballot, step: &Step<'_>) -> bool {
        let Vote { leader, round, .. } = ballot.vote;
        let is_confirmed = if leader == step.options.me {
            round == self.proposal.round
        } else {
            ballots.is_leading(leader)
        };
        is_confirmed && ballots.has_quorum_for(ballot, step.members)
    }

    /// The deadline may have passed. The decision, if there is one now.
    pub(super) fn on_timeout(&mut self, step: &mut Step<'_>) -> Option<Vote> {
        if self.finalize_at.is_none() && step.now >= self.resend_at {
            let longest_ms = step.options.interval_max_ms.min(self.patience_ms());
            self.timeout_ms = self.timeout_ms.saturating_mul(2).min(longest_ms);
            self.broadcast(step);
            step.acts.push(Act::ConnectAll);
        }
        self.decide(step)
    }

    /// The longest interval between two of its questions. Whoever cannot help to decide is not told of the
    /// decision either: it has to ask.
    fn patience_ms(&self) -> u64 {
        if self.initial.zxid == Zxid::UNKNOWN { ASK_MS_MAX } else { u64::MAX }
    }

    /// A connection to this voter has come up: what was sent before may be lost.
    pub(super) fn on_connected(&self, peer: ServerId, step: &mut Step<'_>) {
        self.send(peer, step);
    }

    /// The proposal, once it is sure: a quorum has it, and either nobody is left who could have a
    /// better one, or they had the time to say so.
    pub(super) fn decide(&mut self, step: &Step<'_>) -> Option<Vote> {
        let proposal = self.proposal;
        if !self.has_quorum(step) {
            self.finalize_at = None;
            return None;
        }
        let mut reachable = step.members.voters().filter(|id| !step.unreachable.contains(id));
        if reachable.all(|id| self.received.has_vote(id, &proposal)) {
            return Some(proposal);
        }
        if !step.members.is_voter(step.options.me) {
            // Compat: lookForLeader finalizes for observers too. But they hear of a vote only when
            // they ask, and would go to a leader that others have changed from; so they ask again.
            return None;
        }
        let finalize_at = *self.finalize_at.get_or_insert(step.now.after(step.options.finalize_ms));
        (step.now >= finalize_at).then_some(proposal)
    }

    /// Whether a quorum has the proposal.
    fn has_quorum(&self, step: &Step<'_>) -> bool {
        self.received.has_quorum_for(&Ballot::looking(self.proposal), step.members)
    }

    fn propose(&mut self, vote: Vote, step: &mut Step<'_>) {
        self.proposal = vote;
        self.finalize_at = None;
        self.broadcast(step);
    }

    /// Sends the proposal to all voters, itself among them.
    fn broadcast(&mut self, step: &mut Step<'_>) {
        for id in step.members.voters() {
            if id != step.options.me {
                self.send(id, step);
            } else if self.initial.zxid != Zxid::UNKNOWN {
                self.received.put(id, Ballot::looking(self.proposal));
            }
        }
        self.resend_at = step.now.after(self.timeout_ms);
    }

    fn send(&self, to: ServerId, step: &mut Step<'_>) {
        let payload = self.proposal.encode(PeerState::Looking, step.members);
        step.acts.push(Act::Send { to, payload });
    }
}

/// How often who lost its database asks whether there is a leader, in ms.
const ASK_MS_MAX: u64 = 1000;
