//! Atomic broadcast: how a leader and its learners agree on one history.
//!
//! Three phases: discovery (the epoch), synchronization (the learner's log becomes a prefix of the leader's
//! history), broadcast (proposals, acks, commits). Both sides are machines of their own that never see
//! the tree; what is to be done comes out as an [`Act`].
//!
//! Spec: `ZkV3_7_0.tla`. Java: `Leader`, `LearnerHandler`, `Learner`, `Follower`, `Observer`.

mod history;
mod leader;
mod learner;
mod options;

use bytes::Bytes;
use zk_wire::{EnsembleId, Epoch, Naming, QuorumPacket, TxnRecord, Zxid};

pub(crate) use history::{History, Keep, Replayed};
pub(crate) use leader::Leader;
pub use leader::ShownLearner;
pub(crate) use learner::{Learner, LearnerIdentity};
pub use options::EnsembleOptions;

/// Names a connection between servers: to the leader, or from a learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct LinkId(pub u64);

/// What a leader or a learner wants to be done, in order.
#[derive(Debug)]
pub(crate) enum Act {
    /// Send packets.
    Send(LinkId, Bytes),
    /// Close a link.
    Close(LinkId),
    /// Store the epoch that is promised.
    StoreAccepted(Epoch),
    /// Store the epoch that is followed.
    StoreCurrent(Epoch),
    /// Store what is known of the ensemble's id.
    StoreNaming(Naming),
    /// Log a txn that the leader proposed.
    Log(TxnRecord, Bytes),
    /// Cut the log back to this txn.
    Truncate(Zxid),
    /// A snapshot follows on the link: what the database has makes way.
    Load,
    /// Apply a txn that followed the snapshot; nobody waits for it.
    Replay(TxnRecord),
    /// Have the tree, which is whole now, saved as a snapshot.
    Save,
    /// Everything up to this txn is committed.
    Commit(Zxid),
    /// A configuration is proposed that has this text.
    Propose(String),
    /// A configuration is committed and holds from now on.
    Activate(Activation),
    /// A learner needs what the log on disk has above one txn, up to another.
    ReadLog(LogRead),
    /// A learner needs a snapshot.
    Stream(LinkId),
    /// A leader is established, a learner synchronized: clients may come.
    Serve,
    /// The leader names the next one: it is to be led or followed without an election.
    Follow(zk_wire::ServerId),
    /// A leader that leaves has nothing left to do.
    Retired,
    /// The role is over.
    GiveUp(GiveUp),
}

/// A part of the log on disk, for one learner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LogRead {
    pub(crate) link: LinkId,
    /// The learner's last txn.
    pub(crate) above: Zxid,
    /// The last that it is to get from there.
    pub(crate) until: Zxid,
}

/// A configuration that is committed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Activation {
    /// The whole of it.
    pub(crate) text: String,
    /// Who is to lead under it; `None`: the leader stays if it may.
    pub(crate) leader: Option<zk_wire::ServerId>,
    /// Whether the txn that made it is among what is applied.
    pub(crate) is_txn: bool,
}

/// Why a role ended.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum GiveUp {
    /// Too few voters answered while a leader was waiting for them.
    #[error("no quorum of voters within initLimit while waiting for {wanted}")]
    NoQuorum {
        /// What they had to say.
        wanted: &'static str,
    },
    /// A leader is alone.
    #[error("not synchronized with a quorum of voters within syncLimit")]
    LostQuorum,
    /// A voter knows more.
    #[error("server.{sid} has a later history: epoch {epoch}, zxid {zxid}")]
    Outdated {
        /// Who.
        sid: zk_wire::ServerId,
        /// Its current epoch.
        epoch: Epoch,
        /// Its last txn.
        zxid: Zxid,
    },
    /// A voter has promised a later epoch, in an attempt that came to nothing: it may not follow this one.
    #[error("server.{sid} has promised epoch {accepted}: all must move to a later one")]
    Promised {
        /// Who.
        sid: zk_wire::ServerId,
        /// The epoch that it promised.
        accepted: Epoch,
    },
    /// A voter on which the election rested has found a better one.
    #[error("server.{voter} wants server.{leader} to lead by now")]
    Outvoted {
        /// Who.
        voter: zk_wire::ServerId,
        /// Whom.
        leader: zk_wire::ServerId,
    },
    /// The counter of this epoch is used up.
    #[error("the last zxid of this epoch is used: a new epoch is needed")]
    Rollover,
    /// The leader has named the next one.
    #[error("server.{heir} is to lead")]
    HandedOver {
        /// Who.
        heir: zk_wire::ServerId,
    },
    /// The configuration has changed so that the role cannot stay what it is.
    #[error("configuration {version:x} changes who leads or votes")]
    Reconfigured {
        /// Its version.
        version: i64,
    },
    /// This server's data is of another ensemble than that of the others.
    #[error("server.{sid} is of ensemble {theirs}, this server of {ours}")]
    Foreign {
        /// Its own id.
        ours: EnsembleId,
        /// That of the others.
        theirs: EnsembleId,
        /// Who said so.
        sid: zk_wire::ServerId,
    },
    /// The leader was not reached.
    #[error("the leader cannot be reached")]
    NotReached,
    /// The link is gone.
    #[error("the connection to the leader ended")]
    LinkEnded,
    /// Nothing came for too long.
    #[error("nothing heard of the leader for {silent_ms} ms")]
    Silent {
        /// For how long.
        silent_ms: u64,
    },
    /// The leader's epoch is older than one that was promised.
    #[error("the leader's epoch {epoch} is below the accepted epoch {accepted}")]
    OldEpoch {
        /// The leader's.
        epoch: Epoch,
        /// Promised.
        accepted: Epoch,
    },
    /// A packet that may not come now.
    #[error("{packet} while {during}")]
    Unexpected {
        /// What came.
        packet: &'static str,
        /// What was going on.
        during: &'static str,
    },
    /// A proposal left a gap.
    #[error("proposal {zxid} does not follow {last}")]
    Gap {
        /// The proposal's.
        zxid: Zxid,
        /// The last one's.
        last: Zxid,
    },
    /// A commit of something that was never proposed.
    #[error("commit {zxid}, but nothing above {last} was proposed")]
    NeverProposed {
        /// The commit's.
        zxid: Zxid,
        /// The last proposal.
        last: Zxid,
    },
    /// Bytes that are no packet, txn or snapshot.
    #[error("{what} cannot be read: {error}")]
    Unreadable {
        /// Which.
        what: &'static str,
        /// Why.
        error: String,
    },
    /// The log was to be cut to a txn that it never had.
    #[error("the log was to end with {zxid}, which it did not have: it ends with {last} now")]
    NotInLog {
        /// The txn.
        zxid: Zxid,
        /// What is left.
        last: Zxid,
    },
    /// A snapshot of the leader's could not be written.
    #[error("the leader's snapshot could not be written")]
    NotSaved,
}

/// One packet as bytes.
pub(crate) fn packet(packet: &QuorumPacket<'_>) -> Bytes {
    let mut bytes = Vec::new();
    packet.encode(&mut bytes);
    bytes.into()
}

#[cfg(test)]
mod tests;
