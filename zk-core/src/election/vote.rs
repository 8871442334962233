//! Votes: which one is better, which are the same, and whether a quorum sent the same.
//!
//! Nothing here knows whose turn it is or what happens next.
//!
//! Invariants
//! - Of two votes for different servers that both have weight, exactly one is better.
//! - A server has one ballot at a time: its last.
//!
//! Java: `Vote`, `FastLeaderElection.totalOrderPredicate`, `getVoteTracker`, `checkLeader`.

use std::collections::BTreeMap;

use zk_wire::{Epoch, Notification, PeerState, ServerId, Zxid};

use crate::quorum::Members;

/// Whom a server wants to lead, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Vote {
    /// The server that is to lead.
    pub(crate) leader: ServerId,
    /// The last zxid in its log when the election began.
    pub(crate) zxid: Zxid,
    /// Its current epoch; of an established leader the epoch it leads in.
    pub(crate) epoch: Epoch,
    /// The round of the election. Java: `electionEpoch`.
    pub(crate) round: i64,
}

impl Vote {
    /// The vote of a server that has none: any other is better.
    pub(super) fn for_nobody(round: i64) -> Self {
        Self { leader: ServerId(i64::MIN), zxid: Zxid(i64::MIN), epoch: Epoch(i32::MIN), round }
    }

    /// The vote in a notification.
    pub(super) fn received(notification: &Notification<'_>) -> Self {
        let &Notification { leader, zxid, epoch, round, .. } = notification;
        Self { leader, zxid, epoch, round }
    }

    /// Whether a server with the other vote changes to this one: first the epoch decides, then the
    /// zxid, then the server's number. Nobody votes for another server without weight.
    pub(super) fn is_better_than(&self, other: &Self, members: &Members) -> bool {
        let rank = |vote: &Self| (vote.epoch, vote.zxid, vote.leader);
        members.weight(self.leader) != 0 && rank(self) > rank(other)
    }

    /// The payload of a notification with this vote.
    pub(super) fn encode(&self, state: PeerState, members: &Members) -> Vec<u8> {
        let &Self { leader, zxid, epoch, round } = self;
        let (version, config) = (Notification::VERSION, Some(members.text().as_bytes()));
        Notification { state, leader, zxid, round, epoch, version, config }.encode()
    }
}

/// A vote, and what the server was doing that sent it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Ballot {
    pub(super) vote: Vote,
    state: PeerState,
    /// Whether it counts as sent by a server that tells the epoch of its leader.
    is_versioned: bool,
}

impl Ballot {
    /// The vote of a server that looks for a leader.
    pub(super) fn looking(vote: Vote) -> Self {
        Self { vote, state: PeerState::Looking, is_versioned: false }
    }

    /// The vote in a notification.
    pub(super) fn received(notification: &Notification<'_>) -> Self {
        let is_versioned = notification.version > 0;
        Self { vote: Vote::received(notification), state: notification.state, is_versioned }
    }

    /// The same, as if a server had sent it that does not tell the epoch of its leader.
    pub(super) fn without_version(self) -> Self {
        Self { is_versioned: false, ..self }
    }

    /// Whether both count for the same leader. Servers that have settled may have done so in different
    /// elections, so neither round nor zxid of their votes count; nor does the epoch if only one of
    /// them tells it.
    fn agrees_with(&self, other: &Self) -> bool {
        if self.state == PeerState::Looking || other.state == PeerState::Looking {
            return self.vote == other.vote;
        }
        let is_same_epoch =
            self.is_versioned != other.is_versioned || self.vote.epoch == other.vote.epoch;
        self.vote.leader == other.vote.leader && is_same_epoch
    }
}

/// The last ballot of each voter.
#[derive(Debug, Default)]
pub(super) struct Ballots(BTreeMap<ServerId, Ballot>);

impl Ballots {
    pub(super) fn put(&mut self, from: ServerId, ballot: Ballot) {
        self.0.insert(from, ballot);
    }

    /// Forgets a ballot; whether there was one.
    pub(super) fn remove(&mut self, from: ServerId) -> bool {
        self.0.remove(&from).is_some()
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// Whether a quorum agrees with this ballot.
    pub(super) fn has_quorum_for(&self, ballot: &Ballot, members: &Members) -> bool {
        let agreeing = self.0.iter().filter(|(_, other)| ballot.agrees_with(other));
        members.has_quorum(&agreeing.map(|(from, _)| *from).collect())
    }

    /// Whether this server has exactly this vote.
    pub(super) fn has_vote(&self, from: ServerId, vote: &Vote) -> bool {
        self.0.get(&from).is_some_and(|ballot| ballot.vote == *vote)
    }

    /// Whether this server says of itself that it leads.
    pub(super) fn is_leading(&self, from: ServerId) -> bool {
        self.0.get(&from).is_some_and(|ballot| ballot.state == PeerState::Leading)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ballot(state: PeerState, zxid: i64, round: i64, epoch: i32, is_versioned: bool) -> Ballot {
        let vote = Vote { leader: ServerId(3), zxid: Zxid(zxid), epoch: Epoch(epoch), round };
        Ballot { vote, state, is_versioned }
    }

    #[test]
    fn the_epoch_counts_before_the_zxid_and_the_zxid_before_the_number() {
        let voters = [1, 2, 3].map(ServerId);
        let groups = BTreeMap::from([(1, voters.into())]);
        let weights = BTreeMap::from([(ServerId(3), 0)]);
        let members = Members::new(voters, [], groups, weights, 0, String::new());
        let vote = |epoch, zxid, leader| Vote {
            leader: ServerId(leader),
            zxid: Zxid(zxid),
            epoch: Epoch(epoch),
            round: 1,
        };
        let check = |new, other, expected| {
            assert_eq!(Vote::is_better_than(&new, &other, &members), expected, "{new:?} {other:?}");
        };
        check(vote(1, 0, 1), vote(0, 9, 2), true);
        check(vote(0, 9, 2), vote(1, 0, 1), false);
        check(vote(1, 9, 1), vote(1, 8, 2), true);
        check(vote(1, 8, 2), vote(1, 9, 1), false);
        check(vote(1, 9, 2), vote(1, 9, 1), true);
        check(vote(1, 9, 1), vote(1, 9, 2), false);
        check(vote(1, 9, 1), vote(1, 9, 1), false);
        // A server without weight, and one that is no voter.
        check(vote(9, 9, 3), vote(1, 9, 1), false);
        check(vote(9, 9, 4), vote(1, 9, 1), false);
        check(vote(1, 9, 1), vote(9, 9, 3), false);
        check(vote(0, 0, 1), Vote::for_nobody(1), true);
    }

    #[test]
    fn votes_of_settled_servers_agree_by_leader_and_epoch() {
        use PeerState::{Following, Leading, Looking};
        let check = |one: Ballot, other: Ballot, expected| {
            assert_eq!(one.agrees_with(&other), expected, "{one:?} {other:?}");
            assert_eq!(other.agrees_with(&one), expected, "{other:?} {one:?}");
        };
        let settled = ballot(Following, 5, 1, 2, true);
        check(settled, ballot(Leading, 5, 1, 2, true), true);
        check(settled, ballot(Leading, 9, 7, 2, true), true);
        check(settled, ballot(Leading, 5, 1, 3, true), false);
        check(settled, ballot(Leading, 5, 1, 3, false), true);
        check(ballot(Following, 5, 1, 2, false), ballot(Leading, 5, 1, 3, false), false);
        // One that looks compares everything.
        check(settled, ballot(Looking, 5, 1, 2, true), true);
        check(settled, ballot(Looking, 5, 1, 2, false), true);
        check(settled, ballot(Looking, 9, 1, 2, true), false);
        check(settled, ballot(Looking, 5, 7, 2, true), false);
        check(settled, ballot(Looking, 5, 1, 3, false), false);
        let mut of_another = settled;
        of_another.vote.leader = ServerId(2);
        check(settled, of_another, false);
    }
}
