//! What only a member of an ensemble counts: elections, synchronizations, proposals.
//!
//! Java: the entries of `ServerMetrics` that `QuorumPeer`, `Leader` and `Learner` fill; `BufferStats`.

use zk_wire::QuorumPacket;

use super::to_u64;
use crate::summary::Summary;

/// Counters of a member since start or the last reset.
#[derive(Clone, Copy, Debug, Default)]
pub struct MemberStats {
    /// Elections that it began.
    pub looked: u64,
    /// How long elections took that made it leader or follower, in ms.
    pub elections: Summary,
    /// How long it did not serve, in ms; the time from its start to its first role is one of them.
    pub unavailable: Summary,
    /// The same, when it served as leader afterwards.
    pub leader_unavailable: Summary,
    /// How long it took a follower from knowing its leader to serving, in ms.
    pub follower_syncs: Summary,
    /// How long it took an observer from knowing its leader to serving, in ms.
    pub observer_syncs: Summary,
    /// Learners that this leader brought up to date with txns.
    pub diffs: u64,
    /// Learners that this leader sent a snapshot.
    pub snaps: u64,
    /// Txns that this leader proposed.
    pub proposed: u64,
    /// Their sizes in bytes, of this reign.
    pub proposal_sizes: Summary,
    /// Proposals that came from the leader after the synchronization.
    pub proposals_received: u64,
    /// Commits that came from the leader after the synchronization; an observer's come with their txns.
    pub commits_received: u64,
}

impl MemberStats {
    /// A txn of so many bytes goes to followers.
    pub(crate) fn on_proposal(&mut self, size: usize) {
        self.proposed += 1;
        self.proposal_sizes.add(to_u64(size));
    }

    /// The leader said something.
    pub(crate) fn on_packet(&mut self, packet: &QuorumPacket<'_>) {
        if matches!(packet, QuorumPacket::Proposal { .. }) {
            self.proposals_received += 1;
        } else if matches!(packet, QuorumPacket::Commit { .. } | QuorumPacket::Inform { .. }) {
            self.commits_received += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use zk_wire::{Epoch, Zxid};

    use super::*;

    #[test]
    fn an_inform_is_a_commit_and_no_proposal() {
        let zxid = Zxid::new(Epoch(1), 1);
        let mut stats = MemberStats::default();
        for packet in [
            QuorumPacket::Proposal { zxid, txn: b"" },
            QuorumPacket::Commit { zxid },
            QuorumPacket::Inform { zxid, txn: b"" },
            QuorumPacket::UpToDate,
        ] {
            stats.on_packet(&packet);
        }
        assert_eq!((stats.proposals_received, stats.commits_received), (1, 2));
    }
}
