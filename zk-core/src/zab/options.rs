//! What a member of an ensemble is told once, at its start.

use zk_wire::{Epoch, ServerId};

use crate::quorum::Members;

/// A member's settings: who the others are, how long they may take.
#[derive(Clone, Debug)]
pub struct EnsembleOptions {
    /// Its own number, `myid`.
    pub me: ServerId,
    /// Everybody.
    pub members: Members,
    /// The epoch of the leader that it last followed or was: the file `currentEpoch`.
    pub current_epoch: Epoch,
    /// The epoch that it last promised: the file `acceptedEpoch`.
    pub accepted_epoch: Epoch,
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
    /// `reconfigEnabled`: its configuration has a version, and a leader may find a newer one.
    pub reconfig: bool,
}
