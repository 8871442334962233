//! What a member of an ensemble is told at its start. Epochs and configurations change later.

use std::collections::BTreeSet;
use std::sync::Arc;

use zk_wire::{EnsembleId, Epoch, Naming, ServerId, Zxid};

use crate::quorum::{Grammar, Members};

/// A member's settings: who the others are, how long they may take.
#[derive(Clone, Debug)]
pub struct EnsembleOptions {
    /// Its own number, `myid`.
    pub me: ServerId,
    /// Everybody: the last configuration that is known to be committed.
    pub members: Members,
    /// The last configuration that was proposed, while it is not known to be committed. Java: the last seen
    /// quorum verifier.
    pub proposed: Option<Members>,
    /// The epoch of the leader that it last followed or was: the file `currentEpoch`.
    pub current_epoch: Epoch,
    /// The epoch that it last promised: the file `acceptedEpoch`.
    pub accepted_epoch: Epoch,
    /// What it knows of the id of its ensemble: the file `ensemble.id`.
    pub naming: Naming,
    /// A random id, for an ensemble that has none.
    pub fresh_id: EnsembleId,
    /// Its database is empty and perhaps ought not to be: it has no say until it has followed a leader, or has
    /// heard of all other voters what they have. Java: the zxid -1 that `db.autocreate=false` leads to.
    pub is_blank: bool,
    /// `joinGuard.enabled`: voters that are all empty begin a new ensemble.
    pub may_found: bool,
    /// `initLimit`, in ticks: how long connecting and synchronizing may take.
    pub init_limit: u32,
    /// `syncLimit`, in ticks: how long a peer may be silent.
    pub sync_limit: u32,
    /// `fastleader.minNotificationInterval`, in ms.
    pub election_interval_min_ms: u64,
    /// `fastleader.maxNotificationInterval`, in ms.
    pub election_interval_max_ms: u64,
    /// `commitLogCount`: so many committed txns at least are kept for learners that lag.
    pub commit_log_count: usize,
    /// And so many bytes of txns at least.
    pub commit_log_bytes: usize,
    /// `snapshotSizeFactor`, in thousandths: a learner that lacks more than memory has gets txns from the log on
    /// disk if these have no more than this part of a snapshot's bytes. `None`: always a snapshot then.
    pub log_permille: Option<u32>,
    /// `forceSnapshotSync`: learners always get a snapshot.
    pub force_snapshot_sync: bool,
    /// `leaderServes`: whether it takes clients while it leads.
    pub leader_serves: bool,
    /// `readonlymode.enabled`: without a leader, reads are served to clients that asked for that.
    pub read_only: bool,
    /// `localSessionsEnabled`: new sessions are known to their own server only.
    pub local_sessions: bool,
    /// `localSessionsUpgradingEnabled`: one becomes the ensemble's when it creates an ephemeral.
    pub local_upgrading: bool,
    /// `reconfigEnabled`: how configurations are read and changed; `None`: what holds at the start holds.
    pub reconfig: Option<Arc<dyn Grammar>>,
}

impl EnsembleOptions {
    /// The last configuration that was proposed or committed.
    pub(crate) fn last_seen(&self) -> &Members {
        self.proposed.as_ref().unwrap_or(&self.members)
    }

    /// Whether these servers are a quorum of the configuration, and of the one that is to come.
    pub(crate) fn has_quorum(&self, acks: &BTreeSet<ServerId>) -> bool {
        self.members.has_quorum(acks)
            && self.proposed.as_ref().is_none_or(|proposed| proposed.has_quorum(acks))
    }

    /// What it tells others of its log, which ends with this txn.
    pub(crate) fn last_told(&self, last: Zxid) -> Zxid {
        if self.is_blank { Zxid::UNKNOWN } else { last }
    }

    /// Whether it follows without a vote. Compat: whoever the configuration does not name follows as a
    /// voter would, and its votes do not count.
    pub(crate) fn is_observer(&self) -> bool {
        self.members.is_observer(self.me)
    }
}
