//! The only ways into and out of a peer.

use std::net::IpAddr;

use bytes::Bytes;
use zk_wire::{EnsembleId, Epoch, Naming, ServerId, Zxid};

#[cfg(doc)]
use super::Peer;
use super::connection::ConnectionId;
use crate::database::Database;
use crate::sessions::Millis;
use crate::zab::LinkId;

/// The moment of a step.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For timeouts.
    pub mono: Millis,
    /// Milliseconds since 1970, for ctime and mtime.
    pub wall_ms: i64,
}

/// What happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// A client connected.
    Connected {
        /// Its name from now on.
        cnx: ConnectionId,
        /// Where it comes from.
        remote: IpAddr,
    },
    /// A client sent a whole frame (without its length). Not while [`Peer::may_read`] says no.
    Frame {
        /// Who.
        cnx: ConnectionId,
        /// The frame.
        bytes: &'a [u8],
    },
    /// A client's connection is gone.
    Disconnected {
        /// Whose.
        cnx: ConnectionId,
    },
    /// The log has every txn up to this one, and will have it after a crash.
    Persisted {
        /// The last of them.
        zxid: Zxid,
    },
    /// [`Peer::deadline`] has passed.
    Timeout,
    /// The process is to end: nothing new is taken, and `Output::Stopped` follows.
    Stop,
    /// A vote came over an election connection: its payload, without the length.
    Notified {
        /// Who sent it.
        from: ServerId,
        /// The payload.
        payload: &'a [u8],
    },
    /// Whether there is an election connection to a member, or an attempt to have one failed.
    Reachable {
        /// The member.
        peer: ServerId,
        /// Whether it can be told something.
        is_reachable: bool,
    },
    /// A peer connected to the quorum port.
    LinkOpened {
        /// Its name from now on; no name comes twice.
        link: LinkId,
        /// Where it comes from.
        remote: IpAddr,
    },
    /// The connection that `Output::Dial` asked for is there.
    Dialed {
        /// Its name from now on.
        link: LinkId,
    },
    /// The leader that `Output::Dial` asked for was not reached in time.
    DialFailed,
    /// A peer sent bytes. Not while [`Peer::may_read_link`] says no.
    LinkBytes {
        /// Over which link.
        link: LinkId,
        /// What came, cut anywhere.
        bytes: &'a [u8],
    },
    /// A link is gone, whoever closed it.
    LinkClosed {
        /// Which one.
        link: LinkId,
    },
    /// The files of epochs have these values, and will have them after a crash.
    EpochsStored {
        /// In `acceptedEpoch`.
        accepted: Epoch,
        /// In `currentEpoch`.
        current: Epoch,
    },
    /// The file of the ensemble's id says this, and will say it after a crash.
    NamingStored {
        /// As it was in `Output::StoreNaming`.
        naming: Naming,
    },
    /// Nothing is left in the log of what `Output::Truncate` wanted away.
    Truncated {
        /// Its last txn: the one that was to be kept, or the last below if it did not have that.
        zxid: Zxid,
    },
    /// The database as the files have it, after `Output::Reload`.
    Reloaded {
        /// All txns of the log are in it.
        database: Box<Database>,
    },
    /// The snapshot that `Output::TakeSnapshot` asked for is on the disk, or could not be taken.
    SnapshotTaken {
        /// Whether it is there.
        is_durable: bool,
    },
    /// Txns that `Output::ReadLog` asked for, the next in order; the last that was asked for ends the reading.
    LogRead {
        /// For whom.
        link: LinkId,
        /// The txns.
        txns: &'a [(Zxid, Bytes)],
    },
    /// The log does not have what `Output::ReadLog` asked for, has too much of it, or cannot be read (on).
    LogUnfit {
        /// For whom it was.
        link: LinkId,
    },
    /// All slices of a snapshot that `Output::StreamSnapshot` asked for are on their way.
    SnapshotStreamed,
}

/// What is to be done, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Append a txn to the log, then say `Persisted`.
    Append {
        /// Its place in the order.
        zxid: Zxid,
        /// Its bytes, as the log and peers get them.
        bytes: Bytes,
    },
    /// Begin a new log file after what was appended so far.
    Roll,
    /// Take a snapshot of this moment: [`Peer::begin_snapshot`] before the next step.
    TakeSnapshot,
    /// Bytes are waiting in [`Peer::output`].
    Flush(ConnectionId),
    /// Send what is waiting, then close.
    Close(ConnectionId),
    /// [`Peer::may_read`] says yes again.
    Resume(ConnectionId),
    /// The process may end once what was sent is on its way.
    Stopped,
    /// Send a vote over the election connection to a member; one that is not sent yet is replaced.
    Notify {
        /// To whom.
        to: ServerId,
        /// The payload, without the length.
        payload: Vec<u8>,
    },
    /// Try to reach every member that has no election connection.
    ConnectPeers,
    /// Connect to the quorum port of a leader, then say `Dialed` or `DialFailed`.
    Dial {
        /// Whose.
        leader: ServerId,
    },
    /// Give up what `Dial` began.
    StopDialing,
    /// Send bytes to a peer.
    Send {
        /// Over which link.
        link: LinkId,
        /// Whole packets.
        bytes: Bytes,
    },
    /// Close a link after what was sent; what its peer still sends is not fed.
    CloseLink(LinkId),
    /// [`Peer::may_read_link`] says yes again.
    ResumeLink(LinkId),
    /// Write the files of epochs after everything that was appended, then say `EpochsStored`.
    StoreEpochs {
        /// For `acceptedEpoch`.
        accepted: Epoch,
        /// For `currentEpoch`.
        current: Epoch,
    },
    /// Write the file of the ensemble's id, before later epochs; then say `NamingStored`.
    StoreNaming(Naming),
    /// Its data is of another ensemble than that of the others: it must not go on.
    Foreign {
        /// The id of its data.
        ours: EnsembleId,
        /// That of the others.
        theirs: EnsembleId,
        /// Who said so.
        from: ServerId,
    },
    /// Another configuration holds, or is proposed: keep both in files and find the members where they say,
    /// before anything that follows. See [`Peer::members`] and [`Peer::proposed_members`].
    KeepMembers,
    /// Cut the log, and remove snapshots that show more, then say `Truncated`.
    Truncate {
        /// The last txn to keep.
        zxid: Zxid,
    },
    /// Read the database from the files, then say `Reloaded`.
    Reload,
    /// Drop the snapshot that is being taken or streamed: its database is gone.
    AbortSnapshot,
    /// Read the log beside everything else, after what was appended so far; then say `LogRead`, once or more, or
    /// `LogUnfit`. A link that closes ends it.
    ReadLog {
        /// For whom: not more at a time than it takes.
        link: LinkId,
        /// The txn that must be in the log and is not wanted itself.
        above: Zxid,
        /// The last txn that is wanted; the disk has it.
        until: Zxid,
        /// More than so many bytes of txns are not worth it.
        bytes_max: u64,
    },
    /// Send a snapshot of this moment over these links: [`Peer::begin_snapshot`] before the next step; then
    /// say `SnapshotStreamed`.
    StreamSnapshot {
        /// To whom; a link that closes meanwhile is left out.
        links: Vec<LinkId>,
    },
}
