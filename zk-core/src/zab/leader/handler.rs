//! What a leader knows of one learner.

use zk_wire::{Epoch, Naming, ServerId, Zxid};

use crate::sessions::Millis;

/// One learner, from its connection to its end.
#[derive(Debug)]
pub(super) struct Handler {
    /// Its number, once it said who it is.
    pub(super) sid: Option<ServerId>,
    pub(super) is_observer: bool,
    /// Whether it knows what to do when its leader names the next one.
    pub(super) takes_hand_over: bool,
    /// What it knows of the ensemble's id; `None`: it takes none.
    pub(super) naming: Option<Naming>,
    /// What it was told of that last.
    pub(super) told: Naming,
    /// The epoch that it promised last.
    pub(super) accepted: Epoch,
    pub(super) phase: Phase,
    /// The last txn that was queued to it, or that its snapshot has.
    pub(super) sent: Zxid,
    /// The last txn that it has on disk.
    pub(super) acked: Zxid,
    pub(super) last_heard: Millis,
    /// Since when it owes an ACK.
    pub(super) owes_since: Option<Millis>,
}

/// How far a learner has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It said nothing yet.
    Greeting,
    /// Its data is of another ensemble: it is told nothing but that.
    Foreign,
    /// It waits for LEADERINFO.
    AwaitEpoch,
    /// It was sent LEADERINFO.
    AwaitAckEpoch,
    /// It waits for the synchronization; its log ends here.
    AwaitStart { last: Zxid },
    /// The log on disk is looked at; it is told nothing yet.
    AwaitLog { above: Zxid },
    /// Txns of the log on disk are on their way.
    LogStreaming,
    /// It waits for a snapshot to begin.
    AwaitSnapshot,
    /// A snapshot is on its way.
    Streaming,
    /// It was sent NEWLEADER.
    AwaitNewLeaderAck,
    /// It acked NEWLEADER and waits for UPTODATE.
    Synced,
    /// It takes part.
    Live,
}

impl Handler {
    pub(super) fn new(now: Millis) -> Self {
        Self {
            sid: None,
            is_observer: false,
            takes_hand_over: false,
            naming: None,
            told: Naming::Unknown,
            accepted: Epoch(0),
            phase: Phase::Greeting,
            sent: Zxid::ZERO,
            acked: Zxid::ZERO,
            last_heard: now,
            owes_since: None,
        }
    }

    /// Its number, if it has a voter's connection and has the leader's history.
    pub(super) fn synced_follower(&self) -> Option<ServerId> {
        let is_synced = matches!(self.phase, Phase::Synced | Phase::Live);
        self.sid.filter(|_| is_synced && !self.is_observer)
    }

    /// Whether the history that it lacks must be kept.
    pub(super) fn needs_history(&self) -> bool {
        match self.phase {
            Phase::Greeting
            | Phase::Foreign
            | Phase::AwaitEpoch
            | Phase::AwaitAckEpoch
            | Phase::AwaitStart { .. }
            | Phase::AwaitSnapshot
            | Phase::Live => false,
            Phase::AwaitLog { .. }
            | Phase::LogStreaming
            | Phase::Streaming
            | Phase::AwaitNewLeaderAck
            | Phase::Synced => true,
        }
    }
}
