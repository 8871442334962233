//! The packets between a leader and its learners, as they go over the quorum port.
//!
//! One variant a packet, with just the fields that it has. Txns and configurations stay bytes: what
//! was received is logged and passed on as it came.
//!
//! Invariants
//! - Nothing is given before the whole packet has come, and more is never taken than it has.
//! - A length above its limit is refused when it is seen, before what it announces has come.
//! - What is written is read again as the same.
//!
//! Wire: `QuorumPacket` and `LearnerInfo` in zookeeper.jute.
//! Java: `Leader` (the codes), `LearnerHandler`, `Learner`.

use crate::{Epoch, Id, Naming, ServerId, SessionId, Xid, Zxid};

mod decode;
mod encode;
mod error;

pub use error::QuorumPacketError;

/// A packet between a leader, or an observer master, and a learner.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QuorumPacket<'a> {
    /// A learner's client wants a write, or a sync.
    Request(ForwardedRequest<'a>),
    /// A txn to be logged.
    Proposal {
        /// The txn's.
        zxid: Zxid,
        /// Header, body and digest, as they go into the log.
        txn: &'a [u8],
    },
    /// A txn is in the follower's log; with counter 0, everything up to NEWLEADER.
    Ack {
        /// The txn's, or the new epoch's first number.
        zxid: Zxid,
    },
    /// A proposed txn is to be applied.
    Commit {
        /// The txn's.
        zxid: Zxid,
    },
    /// A sign of life; every one of the leader's is answered.
    Ping {
        /// The leader's last proposal; the answer repeats it.
        zxid: Zxid,
        /// From a learner the sessions that it heard of since the last one, each with its timeout in
        /// ms; from a leader nothing.
        touched: Option<Vec<(SessionId, i32)>>,
    },
    /// A client came to this learner with a session of before.
    Revalidate {
        /// The session.
        session: SessionId,
        /// What the client was granted, in ms.
        timeout_ms: i32,
    },
    /// The leader's answer to [`Self::Revalidate`].
    Revalidated {
        /// The session.
        session: SessionId,
        /// Whether it lives; it belongs to that learner then.
        is_valid: bool,
    },
    /// Everything that a client's sync has to wait for is on its way.
    Sync,
    /// A committed txn, for an observer.
    Inform {
        /// The txn's.
        zxid: Zxid,
        /// Header, body and digest, as they go into the log.
        txn: &'a [u8],
    },
    /// [`Self::Commit`] of a reconfiguration.
    CommitAndActivate {
        /// The txn's.
        zxid: Zxid,
        /// Who is to lead from here on.
        leader: ServerId,
    },
    /// The learner has all that it lacked.
    NewLeader {
        /// The new epoch with counter 0.
        zxid: Zxid,
        /// The newest configuration that the leader has seen, as text; none towards peers before 3.5.
        config: Option<&'a [u8]>,
    },
    /// A follower's first packet.
    FollowerInfo {
        /// The epoch it has accepted, with counter 0.
        zxid: Zxid,
        /// Who it is.
        info: LearnerInfo,
    },
    /// An observer's first packet.
    ObserverInfo {
        /// The epoch it has accepted, with counter 0.
        zxid: Zxid,
        /// Who it is.
        info: LearnerInfo,
    },
    /// A quorum has acknowledged NEWLEADER: the learner may serve.
    UpToDate,
    /// The learner keeps what it has and gets the rest.
    Diff {
        /// Up to where; it says nothing about what the learner has.
        zxid: Zxid,
    },
    /// The learner drops what comes after.
    Trunc {
        /// The last to keep.
        zxid: Zxid,
    },
    /// The learner gets everything, in a stream that follows: see [`crate::SnapshotStream`].
    Snap {
        /// The last that the stream has whole.
        zxid: Zxid,
    },
    /// The leader's first packet.
    LeaderInfo {
        /// The new epoch with counter 0.
        zxid: Zxid,
        /// Its protocol version.
        protocol: i32,
    },
    /// The learner's answer to [`Self::LeaderInfo`].
    AckEpoch {
        /// Its last logged.
        zxid: Zxid,
        /// The epoch it was in; none if it had accepted the new one before, -1 on the wire.
        epoch: Option<Epoch>,
    },
    /// [`Self::Inform`] of a reconfiguration.
    InformAndActivate {
        /// The txn's.
        zxid: Zxid,
        /// Who is to lead from here on.
        leader: ServerId,
        /// Header, body and digest, as they go into the log.
        txn: &'a [u8],
    },
    /// The leader leaves and names the next one, after which nothing of it counts; that one says it back
    /// before it takes over. Not known to Java: it goes only to learners that said they take it.
    HandOver {
        /// Who is to lead.
        leader: ServerId,
    },
    /// Which ensemble this is, to learners that said that they take it; from a learner, what it has stored.
    /// Java has no such packet.
    Ensemble {
        /// The id, and how sure it is.
        naming: Naming,
    },
    /// Of a type that no version has. Compat: Java logs it and goes on.
    Unknown {
        /// The type.
        code: i32,
    },
}

/// What a learner's client asked for. Java: the data of REQUEST, written by `Learner.request`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ForwardedRequest<'a> {
    /// The client's session.
    pub session: SessionId,
    /// The client's number of the request.
    pub cxid: Xid,
    /// The op code, as it came; the leader refuses those it does not know.
    pub op: i32,
    /// The body, in the client protocol's form, without a header.
    pub body: &'a [u8],
    /// Who the client is; nobody also when the wire has null, as in createSession.
    pub ids: Vec<Id>,
}

impl ForwardedRequest<'_> {
    /// The op that no client sends: it makes a session; its body is an `int`, the timeout in ms.
    pub const CREATE_SESSION: i32 = crate::txn::CREATE_SESSION;
}

/// How a learner introduces itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LearnerInfo {
    /// Its number; none from a peer that does not know it. Then nothing is written at all.
    pub sid: Option<ServerId>,
    /// Its protocol version: [`Self::PROTOCOL`], or 1 before 3.4.
    pub protocol: i32,
    /// The version of its configuration; 0 from a peer before 3.5.
    pub config_version: i64,
    /// Whether it takes [`QuorumPacket::HandOver`]: said behind the fields that Java reads.
    pub takes_hand_over: bool,
    /// What it knows of its ensemble's id, said behind that; `None`: it takes no [`QuorumPacket::Ensemble`].
    pub naming: Option<Naming>,
}

impl LearnerInfo {
    /// The protocol version of all servers since 3.4, in LEADERINFO as well.
    pub const PROTOCOL: i32 = 0x0001_0000;
    /// What stands behind Java's fields: `ZKho`.
    const HAND_OVER: i32 = 0x5A4B_686F;
    /// What stands before its naming: `ZKid`.
    const NAMING: i32 = 0x5A4B_6964;
    /// Its length with that.
    const WITH_NAMING: usize = 28 + Naming::LEN;
}

impl QuorumPacket<'_> {
    /// The packet's name in log lines.
    pub fn name(&self) -> &'static str {
        name_of(self.code())
    }

    fn code(&self) -> i32 {
        match self {
            Self::Request(_) => code::REQUEST,
            Self::Proposal { .. } => code::PROPOSAL,
            Self::Ack { .. } => code::ACK,
            Self::Commit { .. } => code::COMMIT,
            Self::Ping { .. } => code::PING,
            Self::Revalidate { .. } | Self::Revalidated { .. } => code::REVALIDATE,
            Self::Sync => code::SYNC,
            Self::Inform { .. } => code::INFORM,
            Self::CommitAndActivate { .. } => code::COMMITANDACTIVATE,
            Self::NewLeader { .. } => code::NEWLEADER,
            Self::FollowerInfo { .. } => code::FOLLOWERINFO,
            Self::ObserverInfo { .. } => code::OBSERVERINFO,
            Self::UpToDate => code::UPTODATE,
            Self::Diff { .. } => code::DIFF,
            Self::Trunc { .. } => code::TRUNC,
            Self::Snap { .. } => code::SNAP,
            Self::LeaderInfo { .. } => code::LEADERINFO,
            Self::AckEpoch { .. } => code::ACKEPOCH,
            Self::InformAndActivate { .. } => code::INFORMANDACTIVATE,
            Self::HandOver { .. } => code::HANDOVER,
            Self::Ensemble { .. } => code::ENSEMBLE,
            Self::Unknown { code } => *code,
        }
    }
}

/// The types on the wire.
mod code {
    pub(super) const REQUEST: i32 = 1;
    pub(super) const PROPOSAL: i32 = 2;
    pub(super) const ACK: i32 = 3;
    pub(super) const COMMIT: i32 = 4;
    pub(super) const PING: i32 = 5;
    pub(super) const REVALIDATE: i32 = 6;
    pub(super) const SYNC: i32 = 7;
    pub(super) const INFORM: i32 = 8;
    pub(super) const COMMITANDACTIVATE: i32 = 9;
    pub(super) const NEWLEADER: i32 = 10;
    pub(super) const FOLLOWERINFO: i32 = 11;
    pub(super) const UPTODATE: i32 = 12;
    pub(super) const DIFF: i32 = 13;
    pub(super) const TRUNC: i32 = 14;
    pub(super) const SNAP: i32 = 15;
    pub(super) const OBSERVERINFO: i32 = 16;
    pub(super) const LEADERINFO: i32 = 17;
    pub(super) const ACKEPOCH: i32 = 18;
    pub(super) const INFORMANDACTIVATE: i32 = 19;
    /// Far from any that Java may get.
    pub(super) const HANDOVER: i32 = 0x5A4B;
    pub(super) const ENSEMBLE: i32 = 0x5A4C;
}

fn name_of(code: i32) -> &'static str {
    match code {
        code::REQUEST => "REQUEST",
        code::PROPOSAL => "PROPOSAL",
        code::ACK => "ACK",
        code::COMMIT => "COMMIT",
        code::PING => "PING",
        code::REVALIDATE => "REVALIDATE",
        code::SYNC => "SYNC",
        code::INFORM => "INFORM",
        code::COMMITANDACTIVATE => "COMMITANDACTIVATE",
        code::NEWLEADER => "NEWLEADER",
        code::FOLLOWERINFO => "FOLLOWERINFO",
        code::UPTODATE => "UPTODATE",
        code::DIFF => "DIFF",
        code::TRUNC => "TRUNC",
        code::SNAP => "SNAP",
        code::OBSERVERINFO => "OBSERVERINFO",
        code::LEADERINFO => "LEADERINFO",
        code::ACKEPOCH => "ACKEPOCH",
        code::INFORMANDACTIVATE => "INFORMANDACTIVATE",
        code::HANDOVER => "HANDOVER",
        code::ENSEMBLE => "ENSEMBLE",
        _ => "UNKNOWN",
    }
}

/// Reads any bytes as a packet: it is whole or not there, and survives being written.
///
/// # Panics
/// Never: that is what fuzzing is to show.
pub fn fuzz_quorum_packet(bytes: &[u8]) {
    const DATA_LEN_MAX: usize = 4096;
    let Ok(Some((mut packet, len))) = QuorumPacket::decode(bytes, DATA_LEN_MAX) else { return };
    assert!(len <= bytes.len(), "no more is taken than was there");
    let early = QuorumPacket::decode(&bytes[..len - 1], DATA_LEN_MAX);
    assert_eq!(early, Ok(None), "a packet without its last byte is none");
    if let QuorumPacket::Request(request) = &mut packet {
        // Malformed text is replaced, so that it is not what was read.
        request.ids.clear();
    }
    let mut again = Vec::new();
    packet.encode(&mut again);
    let len = again.len();
    assert_eq!(QuorumPacket::decode(&again, DATA_LEN_MAX), Ok(Some((packet, len))));
}

#[cfg(test)]
mod tests;
