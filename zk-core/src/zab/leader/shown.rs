//! What operators are shown of a leader. Nothing here decides anything.
//!
//! Java: the gauges of `LeaderZooKeeperServer.registerMetrics`.

use zk_wire::ServerId;

use super::{Leader, LinkId, Phase};
use crate::zab::history::Plan;

/// Synchronizations that a leader began, by their kind.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Syncs {
    /// With txns.
    pub(crate) diffs: u64,
    /// With a snapshot.
    pub(crate) snaps: u64,
}

impl Syncs {
    /// Compat: a log that is cut gets txns too.
    pub(super) fn add(&mut self, plan: Plan) {
        match plan {
            Plan::Diff { .. } | Plan::Log { .. } | Plan::Trunc { .. } => self.diffs += 1,
            Plan::Snap => self.snaps += 1,
        }
    }
}

/// One learner of a leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShownLearner {
    /// Its number; `None` until it said who it is.
    pub id: Option<ServerId>,
    /// Its connection.
    pub link: LinkId,
    /// Whether it has no vote because it observes.
    pub is_observer: bool,
    /// Whether it has the leader's history.
    pub is_synced: bool,
}

impl Leader {
    /// All that are connected.
    pub(crate) fn shown_learners(&self) -> Vec<ShownLearner> {
        let shown = self.handlers.iter().map(|(link, handler)| ShownLearner {
            id: handler.sid,
            link: *link,
            is_observer: handler.is_observer,
            is_synced: matches!(handler.phase, Phase::Synced | Phase::Live),
        });
        shown.collect()
    }

    /// How many asked for SYNC and wait for a commit.
    pub(crate) fn pending_syncs(&self) -> usize {
        self.syncs.len()
    }

    /// What was counted since this was asked last.
    pub(crate) fn take_begun(&mut self) -> Syncs {
        std::mem::take(&mut self.begun)
    }
}
