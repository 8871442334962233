//! Leader election: how the voters agree on the one of them that has the most recent history.
//!
//! A server that looks for a leader tells all voters its vote and changes to each better one that it
//! hears of, until a quorum has the same; a server that has a leader tells it to whoever looks. This
//! is for speed: that at most one leader commits is up to the epochs that a quorum acknowledges later.
//!
//! It never sees a connection or the database. The shell delivers notifications, in order but perhaps
//! not all of them, and says who cannot be reached.
//!
//! Invariants
//! - What a stranger sends is never counted; what strangers send takes no memory.
//! - Two servers never answer each other's answers.
//! - It decides once for each [`Election::look`].
//!
//! Beyond Java: it waits for no better vote when all voters that can be reached have the same.
//!
//! Wire: `zk_wire::Notification`. Spec: `FastLeaderElection.tla`. Java: `FastLeaderElection`.

mod blank;
mod looking;
mod vote;

use std::collections::BTreeSet;

use tracing::info;
use zk_wire::{Epoch, Notification, PeerState, ServerId, Zxid};

use crate::quorum::Members;
use crate::sessions::Millis;
use looking::{Looking, Step};
pub(crate) use vote::Vote;

/// Settings of the election.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ElectionOptions {
    /// The number of this server.
    pub(crate) me: ServerId,
    /// `zookeeper.fastleader.minNotificationInterval`: the vote is sent again after so long, then
    /// after twice as long each time. At least 1.
    pub(crate) interval_min_ms: u64,
    /// `zookeeper.fastleader.maxNotificationInterval`: the longest of these intervals.
    pub(crate) interval_max_ms: u64,
    /// Whether voters that are all empty begin a new ensemble.
    pub(crate) may_found: bool,
    /// How long to wait for a better vote when a quorum has the same, but not everybody.
    pub(crate) finalize_ms: u64,
}

/// What is to be done, in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Act {
    /// Send a notification; it may replace an older one that is not sent yet.
    Send {
        /// To whom; not always a member.
        to: ServerId,
        /// The payload, without the length before it.
        payload: Vec<u8>,
    },
    /// Connect to every voter that is not connected.
    ConnectAll,
    /// The search is over.
    Decided(Vote),
}

/// The election as this server takes part in it.
#[derive(Debug)]
pub(crate) struct Election {
    options: ElectionOptions,
    phase: Phase,
    unreachable: BTreeSet<ServerId>,
}

#[derive(Debug)]
enum Phase {
    /// It has never looked for a leader.
    New,
    /// It looks for a leader.
    Looking(Looking),
    /// It leads, or has a leader.
    Settled { state: PeerState, vote: Vote },
}

impl Election {
    /// A server that has not begun.
    pub(crate) fn new(options: ElectionOptions) -> Self {
        Self { options, phase: Phase::New, unreachable: BTreeSet::new() }
    }

    /// Begins to look for a leader, in a new round. `last_logged` is the last zxid in the log of this
    /// server, `epoch` its current epoch; of an observer neither counts.
    pub(crate) fn look(
        &mut self,
        now: Millis,
        members: &Members,
        last_logged: Zxid,
        epoch: Epoch,
        acts: &mut Vec<Act>,
    ) {
        let me = self.options.me;
        // Whoever sends the last round that there is must not make this server begin with the first.
        let round = self.round().saturating_add(1);
        let initial = if members.is_voter(me) {
            Vote { leader: me, zxid: last_logged, epoch, round }
        } else {
            Vote::for_nobody(round)
        };
        info!("New election. My id = {me}, proposed zxid = {}, round = {round}", initial.zxid);
        let (options, unreachable) = (&self.options, &self.unreachable);
        let step = &mut Step { now, members, options, unreachable, acts };
        self.phase = Phase::Looking(Looking::begin(initial, step));
        self.search(now, members, acts, |looking, step| looking.decide(step));
    }

    /// A notification came.
    pub(crate) fn on_notification(
        &mut self,
        now: Millis,
        members: &Members,
        from: ServerId,
        notification: &Notification<'_>,
        acts: &mut Vec<Act>,
    ) {
        if from == self.options.me {
            return;
        }
        if let Some(payload) = self.answer(members, from, notification) {
            acts.push(Act::Send { to: from, payload });
        }
        if members.is_voter(from) {
            self.search(now, members, acts, |looking, step| {
                looking.on_notification(from, notification, step)
            });
        }
    }

    /// [`Self::deadline`] has passed.
    pub(crate) fn on_timeout(&mut self, now: Millis, members: &Members, acts: &mut Vec<Act>) {
        self.search(now, members, acts, Looking::on_timeout);
    }

    /// When [`Self::on_timeout`] is due; `None` while this server does not look for a leader.
    pub(crate) fn deadline(&self) -> Option<Millis> {
        match &self.phase {
            Phase::Looking(looking) => Some(looking.deadline()),
            Phase::New | Phase::Settled { .. } => None,
        }
    }

    /// Whether there is an election connection to this peer, whoever made it. It is unreachable once
    /// one broke or could not be made; nothing is known of a peer that was never spoken of.
    pub(crate) fn on_reachable(
        &mut self,
        now: Millis,
        members: &Members,
        peer: ServerId,
        is_reachable: bool,
        acts: &mut Vec<Act>,
    ) {
        if is_reachable {
            self.unreachable.remove(&peer);
        }
        if peer == self.options.me || !members.is_voter(peer) {
            return;
        }
        if !is_reachable {
            self.unreachable.insert(peer);
        }
        self.search(now, members, acts, |looking, step| {
            if is_reachable {
                looking.on_connected(peer, step);
            }
            looking.decide(step)
        });
    }

    /// The leader named the next one: there is nothing to be found. `last_logged` and `epoch` as for
    /// [`Self::look`].
    pub(crate) fn appoint(
        &mut self,
        members: &Members,
        leader: ServerId,
        last_logged: Zxid,
        epoch: Epoch,
    ) {
        let vote = Vote { leader, zxid: last_logged, epoch, round: self.round() };
        let state = self.state_under(members, leader);
        self.phase = Phase::Settled { state, vote };
    }

    fn state_under(&self, members: &Members, leader: ServerId) -> PeerState {
        if leader == self.options.me {
            PeerState::Leading
        } else if members.is_observer(self.options.me) {
            PeerState::Observing
        } else {
            PeerState::Following
        }
    }

    /// The leader of this server is established in this epoch. From now on all its followers tell the
    /// same vote, whatever they began with. Java: `QuorumPeer.updateElectionVote`.
    pub(crate) fn established(&mut self, epoch: Epoch) {
        match &mut self.phase {
            Phase::Settled { vote, .. } => vote.epoch = epoch,
            Phase::New | Phase::Looking(_) => {}
        }
    }

    #[cfg(test)]
    /// The vote that was decided; `None` before, and while it looks for another leader.
    pub(crate) fn vote(&self) -> Option<Vote> {
        match self.phase {
            Phase::Settled { vote, .. } => Some(vote),
            Phase::New | Phase::Looking(_) => None,
        }
    }

    /// The round of the election, 0 before the first. Java: the logical clock.
    pub(crate) fn round(&self) -> i64 {
        self.current().map_or(0, |(_, vote)| vote.round)
    }

    #[cfg(test)]
    /// What this server says that it is doing.
    pub(crate) fn state(&self) -> PeerState {
        self.current().map_or(PeerState::Looking, |(state, _)| state)
    }

    fn current(&self) -> Option<(PeerState, Vote)> {
        match &self.phase {
            Phase::New => None,
            Phase::Looking(looking) => Some((PeerState::Looking, looking.proposal())),
            Phase::Settled { state, vote } => Some((*state, *vote)),
        }
    }

    /// What to answer at once, whatever else comes of it.
    ///
    /// Compat: WorkerReceiver also answers strangers that have a leader, or look in a higher round
    /// than its own, and as an observer it answers voters. None of them has a use for the answer, but
    /// a voter that looks and an observer can go on like that for ever. While it looks Java tells
    /// strangers its vote of the election before, which sends observers to a leader that is gone;
    /// here they are told the proposal.
    fn answer(
        &self,
        members: &Members,
        from: ServerId,
        notification: &Notification<'_>,
    ) -> Option<Vec<u8>> {
        let (state, vote) = self.current()?;
        let has_leader = state != PeerState::Looking;
        let is_told = if members.is_voter(from) {
            members.is_voter(self.options.me) && (has_leader || notification.round < vote.round)
        } else {
            has_leader || notification.round <= vote.round
        };
        let is_told = is_told && notification.state == PeerState::Looking;
        is_told.then(|| vote.encode(state, members))
    }

    /// Goes on with the search, if there is one, and ends it if that brings the decision.
    fn search(
        &mut self,
        now: Millis,
        members: &Members,
        acts: &mut Vec<Act>,
        go_on: impl FnOnce(&mut Looking, &mut Step<'_>) -> Option<Vote>,
    ) {
        let Phase::Looking(looking) = &mut self.phase else { return };
        let (options, unreachable) = (&self.options, &self.unreachable);
        let step = &mut Step { now, members, options, unreachable, acts };
        let Some(vote) = go_on(looking, step) else { return };
        let took_ms = now.since(looking.began_at());
        let state = self.state_under(members, vote.leader);
        let Vote { leader, zxid, epoch, round } = vote;
        info!(
            "{state} - LEADER ELECTION TOOK - {took_ms} MS, leader = {leader}, zxid = {zxid}, \
             epoch = {epoch}, round = {round}"
        );
        acts.push(Act::Decided(vote));
        self.phase = Phase::Settled { state, vote };
    }
}

#[cfg(test)]
mod tests;
