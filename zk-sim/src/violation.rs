//! What a run can find wrong: which promise was broken, and how.

use std::fmt;

use thiserror::Error;

/// A promise that a server did not keep.
#[derive(Clone, Debug, Error)]
#[error("{property:?} at {at_us} us: {detail}")]
pub struct Violation {
    /// Which promise.
    pub property: Property,
    /// When, in microseconds of the run's own time.
    pub at_us: u64,
    /// What was expected and what came.
    pub detail: String,
}

/// The promises, by who relies on them. Those between servers have the names of the TLA+ model.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Property {
    /// What a client saw survives every crash.
    AckedSurvives,
    /// A recovered history is a prefix of the one that was issued.
    RecoveredIsPrefix,
    /// A server starts from whatever a crash left.
    Starts,
    /// Txns are appended in the order of their zxids, without gaps.
    ContiguousLog,
    /// Every txn was asked for, once and in its session's order.
    AskedOnce,
    /// A txn's digest is that of the tree after it.
    Digest,
    /// The tree is what the txns make of it.
    TreeIsModel,
    /// A reply is the one that the order of txns determines.
    ReplyIsModel,
    /// Zxids that a session sees never decrease.
    MonotonicZxid,
    /// A reply shows every write that was seen anywhere before its request was sent.
    RealTime,
    /// A watch event comes once, in order, and before a reply that shows its change.
    WatchOrder,
    /// A session lives at least its timeout, and at most a tick more.
    SessionTimeout,
    /// A session that lives may be taken up again, a dead one may not.
    SessionHandover,
    /// Ephemerals have a live owner.
    EphemeralOwner,
    /// The reaper takes nothing but empty containers and old TTL nodes.
    Reaper,
    /// What clients asked for is answered, and all servers agree, once faults end.
    Progress,
    /// An epoch has at most one established leader.
    Leadership1,
    /// What any two servers have delivered: one is a prefix of the other.
    PrefixConsistency,
    /// What a server logs or delivers, some leader has proposed, in these bytes.
    Integrity,
    /// A server logs and delivers in the order of proposals, without leaving one out.
    TotalOrder,
    /// A leader has everything that was delivered in epochs before its own.
    PrimaryIntegrity,
    /// What is committed is on the disks of a quorum, and so is the epoch of an established leader.
    QuorumDurable,
    /// Configurations only get newer, and are what their txns say.
    Configuration,
    /// The files of epochs: current never above accepted, neither ever back.
    Epochs,
}

impl Property {
    /// A breach of this promise.
    pub(crate) fn broken(self, detail: impl fmt::Display) -> Violation {
        Violation { property: self, at_us: 0, detail: detail.to_string() }
    }
}
