//! Every byte form of ZooKeeper: jute primitives, client records, txns, file headers, frames.
//!
//! Pure encoding and decoding: no IO, no clock, no policy. Decoding never panics, never allocates
//! more than the bytes at hand, and fails with [`DecodeError`]; encoding cannot fail.
//!
//! Raw integers end here: past this crate an op code is an [`Op`], a transaction id a [`Zxid`].

mod codes;
mod data;
mod digest;
mod election;
mod frame;
mod ids;
mod jute;
mod naming;
mod persistence;
mod proto;
mod quorum;
mod request;
mod snapshot_stream;
mod txn;

pub use codes::{CreateFlags, ErrorCode, Op, WatchEventType};
pub use data::{Acl, Id, Perms, Stat, StatPersisted};
pub use digest::NodeDigest;
pub use election::{InitialMessage, InitialMessageError, Notification, PeerState, fuzz_election};
pub use frame::{FrameError, Frames, begin_frame, end_frame, fuzz_frames};
pub use ids::{Epoch, ServerId, SessionId, Xid, Zxid};
pub use jute::{DecodeError, Decoder, Encoder};
pub use naming::{EnsembleId, Naming, NoEnsembleId};
pub use persistence::{
    FileHeader, LOG_MAGIC, RECORD_END, Replica, ReplicaError, SNAPSHOT_MAGIC, SnapshotDigest,
};
pub use proto::{
    ConnectRequest, ConnectResponse, ReplyHeader, RequestHeader, WatcherEvent,
    fuzz_connect_request, fuzz_connect_response,
};
pub use quorum::{
    ForwardedRequest, LearnerInfo, QuorumPacket, QuorumPacketError, fuzz_quorum_packet,
};
pub use request::{
    AddWatchMode, AuthPacket, CheckRequest, CreateRequest, MultiOp, Request, SetWatches,
    WatcherType, fuzz_request,
};
pub use snapshot_stream::{
    Fed, SnapshotStream, SnapshotStreamError, fuzz_snapshot_stream, write_snapshot_stream_end,
};
pub use txn::{CreateKind, CreateTxn, Txn, TxnDigest, TxnHeader, TxnRecord, fuzz_txn};
