//! The database as it follows a SNAP packet: a snapshot's body with a signature behind it.
//!
//! It has no length; its end is found by reading. No IO: the owner of the connection brings the bytes
//! and keeps those that were not taken until more have come.
//!
//! Invariants
//! - An item reaches the replica when it is whole, and once.
//! - What is not taken stays below the longest item, or is refused.
//! - Nothing behind the signature is taken: packets follow.
//!
//! Compat: a Java leader goes on while it writes. The nodes may show txns after SNAP's zxid, which
//! come again as proposals, and may name ACLs that the table lacks.
//!
//! Java: `SerializeUtils.serializeSnapshot`, `Learner.syncWithLeader`.

use thiserror::Error;

use crate::{
    Acl, DecodeError, Decoder, Encoder, Replica, ReplicaError, SessionId, SnapshotDigest,
    StatPersisted, TxnRecord, Zxid,
};

/// How far the reading of a stream has come.
#[derive(Debug)]
pub struct SnapshotStream {
    section: Section,
    /// The longest path and the longest data, in bytes.
    length_max: usize,
    nodes: u64,
}

/// What comes next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Section {
    SessionsCount,
    Sessions { left: u32 },
    AclsCount,
    Acls { left: u32 },
    Nodes,
    Signature,
    Done,
}

/// What a call of [`SnapshotStream::feed`] did.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fed {
    /// How many bytes were taken from the front.
    pub consumed: usize,
    /// Whether the stream has ended, with its signature.
    pub is_done: bool,
}

impl SnapshotStream {
    /// A stream that begins. A path, and a node's data, is at most `length_max` bytes long; a node,
    /// or the ACL of some, about twice that.
    pub fn new(length_max: usize) -> Self {
        Self { section: Section::SessionsCount, length_max, nodes: 0 }
    }

    /// Takes what can be taken from the front of `bytes` into `replica`. What was not taken must
    /// stand in front next time.
    ///
    /// # Errors
    /// The bytes are no snapshot, or too long; `replica` is half a database then and of no use.
    pub fn feed<R: Replica>(
        &mut self,
        bytes: &[u8],
        replica: &mut R,
    ) -> Result<Fed, SnapshotStreamError> {
        let item_len_max = self.length_max.saturating_mul(2).saturating_add(ITEM_REST_MAX);
        let mut consumed = 0;
        while self.section != Section::Done {
            let rest = &bytes[consumed..];
            let item = &rest[..rest.len().min(item_len_max)];
            let mut d = Decoder::with_limit(item, self.length_max);
            match self.item(&mut d, replica) {
                Ok(()) => consumed += d.offset(),
                Err(SnapshotStreamError::Bytes(DecodeError::Truncated { .. })) => {
                    if item.len() < item_len_max {
                        break;
                    }
                    return Err(SnapshotStreamError::ItemLength { limit: item_len_max });
                }
                Err(error) => return Err(error),
            }
        }
        Ok(Fed { consumed, is_done: self.section == Section::Done })
    }

    /// How many nodes the replica has been given.
    pub fn nodes(&self) -> u64 {
        self.nodes
    }

    /// Takes one item if it is whole, or steps over the end of a section.
    fn item<R: Replica>(
        &mut self,
        d: &mut Decoder<'_>,
        replica: &mut R,
    ) -> Result<(), SnapshotStreamError> {
        self.section = match self.section {
            Section::SessionsCount => Section::Sessions { left: count(d)? },
            Section::Sessions { left: 0 } => Section::AclsCount,
            Section::Sessions { left } => {
                let (id, timeout_ms) = (SessionId(d.long()?), d.int()?);
                replica.restore_session(id, timeout_ms);
                Section::Sessions { left: left - 1 }
            }
            Section::AclsCount => Section::Acls { left: count(d)? },
            Section::Acls { left: 0 } => Section::Nodes,
            Section::Acls { left } => {
                let (id, acl) = (d.long()?, d.vector(Acl::decode)?.unwrap_or_default());
                replica.restore_acl(id, acl);
                Section::Acls { left: left - 1 }
            }
            Section::Nodes => {
                let path = d.text()?.ok_or(DecodeError::Value { field: "path", value: -1 })?;
                if path == TREE_END {
                    Section::Signature
                } else {
                    let (data, acl, stat) = (d.buffer()?, d.long()?, StatPersisted::decode(d)?);
                    replica.restore_node(&path, data, acl, &stat)?;
                    self.nodes += 1;
                    Section::Nodes
                }
            }
            Section::Signature => {
                signature(d)?;
                Section::Done
            }
            Section::Done => Section::Done,
        };
        Ok(())
    }
}

/// A count; Java writes none that is null or negative, and reads these as nothing.
fn count(d: &mut Decoder<'_>) -> Result<u32, DecodeError> {
    Ok(d.count()?.unwrap_or(0))
}

/// Reads the signature; another one is refused at its first byte, since it may be of any length.
fn signature(d: &mut Decoder<'_>) -> Result<(), SnapshotStreamError> {
    let mut expected = Vec::new();
    Encoder::new(&mut expected).text(SIGNATURE);
    let found = d.rest();
    let len = found.len().min(expected.len());
    if found[..len] != expected[..len] {
        return Err(SnapshotStreamError::Signature);
    }
    d.buffer()?;
    Ok(())
}

/// Bytes that are no snapshot, or not one of this limit; the connection is closed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum SnapshotStreamError {
    /// A path or data is too long, or a path is null.
    #[error("snapshot stream: {0}")]
    Bytes(#[from] DecodeError),
    /// A node, or the ACL of some, is too long.
    #[error("snapshot stream: an item exceeds {limit} bytes")]
    ItemLength {
        /// The longest allowed.
        limit: usize,
    },
    /// A node has no place in the tree.
    #[error("snapshot stream: {0}")]
    Replica(#[from] ReplicaError),
    /// The tree ends, and something else follows.
    #[error("snapshot stream: no signature {SIGNATURE:?} behind the tree")]
    Signature,
}

/// Appends what ends the stream: the path that ends the tree, which the slices of a snapshot do not
/// bring, and the signature.
pub fn write_snapshot_stream_end(out: &mut Vec<u8>) {
    Encoder::new(out).text(TREE_END).text(SIGNATURE);
}

/// The path after the last node; the root is the empty one.
const TREE_END: &str = "/";
/// Java: the same in `LearnerHandler.run` and `Learner.syncWithLeader`.
const SIGNATURE: &str = "BenWasHere";
/// More than a node has besides its path and data, 76 bytes.
const ITEM_REST_MAX: usize = 128;

/// Reads any bytes as a stream, whole and as they come in, and checks that both agree.
///
/// # Panics
/// Never: that is what fuzzing is to show.
pub fn fuzz_snapshot_stream(bytes: &[u8]) {
    const LENGTH_MAX: usize = 256;
    /// Shorter than any item but counts.
    const PIECE: usize = 13;
    let (mut whole, mut seen) = (SnapshotStream::new(LENGTH_MAX), Seen::default());
    let at_once = whole.feed(bytes, &mut seen);

    let (mut pieces, mut seen_again) = (SnapshotStream::new(LENGTH_MAX), Seen::default());
    let mut consumed = 0;
    let mut fed = Ok(Fed { consumed: 0, is_done: false });
    for end in (0..bytes.len()).step_by(PIECE).chain([bytes.len()]) {
        fed = pieces.feed(&bytes[consumed..end], &mut seen_again);
        let Ok(Fed { consumed: more, is_done }) = fed else { break };
        consumed += more;
        assert!(consumed <= end, "no more is taken than was there");
        if is_done {
            break;
        }
    }
    assert_eq!(fed.map(|fed| Fed { consumed, ..fed }), at_once);
    assert_eq!((pieces.nodes(), seen_again), (whole.nodes(), seen));
}

/// A replica that counts what it is given.
#[derive(Debug, Default, PartialEq, Eq)]
struct Seen {
    sessions: u64,
    acls: u64,
    nodes: u64,
    /// Of paths and data.
    bytes: usize,
}

impl Replica for Seen {
    fn restore_session(&mut self, _: SessionId, _: i32) {
        self.sessions += 1;
    }

    fn restore_acl(&mut self, _: i64, _: Vec<Acl>) {
        self.acls += 1;
    }

    fn restore_node(
        &mut self,
        path: &str,
        data: Option<&[u8]>,
        _: i64,
        _: &StatPersisted,
    ) -> Result<(), ReplicaError> {
        self.nodes += 1;
        self.bytes += path.len() + data.map_or(0, <[u8]>::len);
        Ok(())
    }

    fn restored(&mut self, _: Zxid, _: Option<SnapshotDigest>) {}

    fn replay(&mut self, _: &TxnRecord) {}
}

#[cfg(test)]
mod tests;
