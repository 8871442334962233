//! What stands at the head of files, and what recovery fills. Java: jute module `persistence`.

use thiserror::Error;

use crate::{Acl, DecodeError, Decoder, Encoder, SessionId, StatPersisted, TxnRecord, Zxid};

/// `ZKLG`, the first four bytes of a txn log.
pub const LOG_MAGIC: i32 = 0x5A4B_4C47;
/// `ZKSN`, the first four bytes of a snapshot.
pub const SNAPSHOT_MAGIC: i32 = 0x5A4B_534E;
/// The byte after each log record. Java: `EOR`.
pub const RECORD_END: u8 = 0x42;

/// The first 16 bytes of a log or snapshot. Only the magic means anything to readers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileHeader {
    /// Which kind of file this is.
    pub magic: i32,
    /// Always 2 when written.
    pub version: i32,
    /// 0 in logs, -1 in snapshots.
    pub dbid: i64,
}

impl FileHeader {
    /// Its length in bytes.
    pub const LEN: usize = 16;

    /// The header of a new log.
    pub const LOG: Self = Self { magic: LOG_MAGIC, version: 2, dbid: 0 };

    /// The header of a new snapshot.
    pub const SNAPSHOT: Self = Self { magic: SNAPSHOT_MAGIC, version: 2, dbid: -1 };

    /// Reads a header.
    ///
    /// # Errors
    /// Fewer than 16 bytes.
    pub fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { magic: decoder.int()?, version: decoder.int()?, dbid: decoder.long()? })
    }

    /// Writes a header.
    pub fn encode(&self, encoder: &mut Encoder<'_>) {
        encoder.int(self.magic).int(self.version).long(self.dbid);
    }
}

/// The digest section of a snapshot: the tree's digest once every txn up to `zxid` is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SnapshotDigest {
    /// The last txn that the nodes may show.
    pub zxid: Zxid,
    /// 2; readers ignore others.
    pub version: i32,
    /// The sum of the nodes' digests.
    pub digest: u64,
}

/// A snapshot whose parts do not fit together.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum ReplicaError {
    /// A node came before its parent.
    #[error("node {path} comes before its parent")]
    NoParent {
        /// The node.
        path: String,
    },
    /// A node came twice.
    #[error("node {path} comes twice")]
    Twice {
        /// The node.
        path: String,
    },
    /// A path that no tree can hold.
    #[error("{path:?} is no node's path")]
    Path {
        /// What stands there.
        path: String,
    },
}

/// What recovery fills: from one snapshot, then txn by txn from the log.
///
/// The storage drives it and knows nothing of trees; each attempt starts from a fresh replica.
pub trait Replica {
    /// A session that was alive when the snapshot was taken.
    fn restore_session(&mut self, id: SessionId, timeout_ms: i32);

    /// An entry of the file's own ACL table; nodes refer to it by `id`, -1 is open to all.
    fn restore_acl(&mut self, id: i64, acl: Vec<Acl>);

    /// A node; parents come first, the root is the empty path.
    ///
    /// # Errors
    /// The node has no place in the tree: the snapshot is damaged.
    fn restore_node(
        &mut self,
        path: &str,
        data: Option<&[u8]>,
        acl: i64,
        stat: &StatPersisted,
    ) -> Result<(), ReplicaError>;

    /// The snapshot is read to its end; `zxid` is the one in its name.
    fn restored(&mut self, zxid: Zxid, digest: Option<SnapshotDigest>);

    /// A txn of the log, above the snapshot's zxid, in the order of the files.
    fn replay(&mut self, record: &TxnRecord);

    /// The txn just replayed as it stands in the log; for who passes it on.
    fn replayed(&mut self, _: Zxid, _: &[u8]) {}
}
