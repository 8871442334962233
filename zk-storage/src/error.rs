//! Why storage could not do what it was asked: what, where, and what to do about it.
//!
//! Sorted by whose fault it is: a directory that cannot be used, a disk that fails, files that are
//! damaged or missing. Nothing here is retried; [`Error::exit_code`] is what a server ends with.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use thiserror::Error;
use zk_wire::{DecodeError, ReplicaError, Zxid};

use crate::disk::{Disk, Owner};

/// Storage could not go on.
#[derive(Debug, Error)]
pub enum Error {
    /// A data directory that a server cannot work on as it is.
    #[error("cannot use data directory {}: {problem}", path.display())]
    Directory {
        /// Which.
        path: PathBuf,
        /// Why not.
        problem: DirectoryProblem,
    },
    /// The disk or its file system refused.
    #[error("cannot {operation} {}: {source}{}", path.display(), Hint(source, owner.as_ref()))]
    Io {
        /// What was tried.
        operation: &'static str,
        /// On which file or directory.
        path: PathBuf,
        /// Who may use it, where that explains the refusal.
        owner: Option<Owner>,
        /// What the operating system said.
        source: io::Error,
    },
    /// An earlier write or sync of the log failed, so nothing more can be promised.
    #[error("txn log in {} failed before; restart the server to recover from it", path.display())]
    Poisoned {
        /// The log's directory.
        path: PathBuf,
    },
    /// A log that cannot be read on from here.
    #[error(
        "{} is damaged at offset {offset}: {damage}; the last good txn before it is {}, all later \
         ones are lost if one goes on; restore the file, or, in an ensemble, empty this server's \
         data directory so that it syncs from the leader; of the newest log, \
         recovery.dropDamagedTail=true drops them",
        path.display(), Known(*last)
    )]
    DamagedLog {
        /// The file.
        path: PathBuf,
        /// Where the bad record or field starts.
        offset: u64,
        /// What is wrong.
        damage: Damage,
        /// The txn before it, if any is known.
        last: Option<Zxid>,
    },
    /// A snapshot that does not load.
    #[error(
        "{} is damaged at offset {offset} of its uncompressed bytes: {damage}; restore the file, or \
         move it away to start from an older one",
        path.display()
    )]
    DamagedSnapshot {
        /// The file.
        path: PathBuf,
        /// Where in the uncompressed stream.
        offset: u64,
        /// What is wrong.
        damage: Damage,
    },
    /// Snapshots are there, none of them loads.
    #[error(
        "none of the {count} snapshots in {} loads, all data is lost if one goes on; restore one; \
         the newest says: {newest}",
        path.display()
    )]
    NoValidSnapshot {
        /// The snapshot directory.
        path: PathBuf,
        /// How many were tried.
        count: usize,
        /// Why the newest does not load.
        newest: Box<Self>,
    },
    /// Txns without the snapshot that they build on.
    #[error(
        "no valid snapshot in {} although {} holds txns, all older data is lost if one goes on; \
         restore the snapshot; only for data of a server before 3.5.3 set \
         zookeeper.snapshot.trust.empty=true",
        path.display(), log.display()
    )]
    LogWithoutSnapshot {
        /// The snapshot directory.
        path: PathBuf,
        /// The first log with a txn.
        log: PathBuf,
    },
    /// Txns are missing between two that are there.
    #[error(
        "{} starts with txn {found} at offset {offset} but the last one before it is {last}, the \
         txns between are lost if one goes on; restore the missing log, or, in an ensemble, empty \
         this server's data directory so that it syncs from the leader",
        path.display()
    )]
    Gap {
        /// The file after the gap.
        path: PathBuf,
        /// Where its record stands.
        offset: u64,
        /// The txn after the gap.
        found: Zxid,
        /// The txn before the gap.
        last: Zxid,
    },
    /// No snapshot would be left to start from.
    #[error(
        "cannot truncate to {target}: {} has no snapshot of that txn or an earlier one; empty this server's \
         data directory so that it syncs from the leader",
        path.display()
    )]
    TruncateTarget {
        /// The directory of snapshots.
        path: PathBuf,
        /// The wanted last txn.
        target: Zxid,
    },
    /// An epoch file that does not hold a number.
    #[error(
        "{} holds no epoch; write the epoch of the ensemble's last leader into it, or empty this \
         server's data directory so that it syncs from the leader",
        path.display()
    )]
    EpochFile {
        /// The file.
        path: PathBuf,
    },
    /// The file that names the ensemble names none.
    #[error(
        "{} holds no ensemble id; restore it, or remove it: the server then takes the id of its ensemble again",
        path.display()
    )]
    NamingFile {
        /// The file.
        path: PathBuf,
    },
    /// Epochs that contradict the log or each other.
    #[error(
        "{} says epoch {found}, but this server has already seen {seen}; the file was restored from \
         an older copy: restore it together with the logs, or empty the data directory so that it \
         syncs from the leader",
        path.display()
    )]
    EpochTooOld {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: i32,
        /// What it cannot be below.
        seen: i32,
    },
}

impl Error {
    /// Whether snapshots or logs are damaged or missing, as opposed to a disk that does not do what it is told.
    pub fn is_damage(&self) -> bool {
        matches!(
            self,
            Self::DamagedLog { .. }
                | Self::DamagedSnapshot { .. }
                | Self::NoValidSnapshot { .. }
                | Self::LogWithoutSnapshot { .. }
                | Self::Gap { .. }
        )
    }

    /// The exit code Java has for it: 3 when a data directory cannot be used, else 1.
    pub fn exit_code(&self) -> u8 {
        if matches!(self, Self::Directory { .. }) { 3 } else { 1 }
    }
}

/// Why a data directory cannot be used.
#[derive(Debug, Error)]
pub enum DirectoryProblem {
    /// It is not there and may not be made.
    #[error(
        "it does not exist and zookeeper.datadir.autocreate is false; create it, or check dataDir \
         and dataLogDir"
    )]
    Missing,
    /// Another server works on it.
    #[error("another server is running on it; stop that one, or give each its own directory")]
    Locked,
    /// Logs and snapshots are configured apart but lie together.
    #[error("the log directory holds the snapshot {name}; check dataDir and dataLogDir")]
    SnapshotInLogDir {
        /// One of them.
        name: String,
    },
    /// Logs and snapshots are configured apart but lie together.
    #[error("the snapshot directory holds the log {name}; check dataDir and dataLogDir")]
    LogInSnapshotDir {
        /// One of them.
        name: String,
    },
    /// The server may not write there, or nobody can.
    #[error("{source}{}", Hint(source, owner.as_ref()))]
    Unusable {
        /// Who may use it.
        owner: Option<Owner>,
        /// What the operating system said.
        source: io::Error,
    },
}

/// What is wrong with a file.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum Damage {
    /// Fewer bytes than a file header.
    #[error("a file of {length} bytes has no header")]
    ShortHeader {
        /// The file's length.
        length: u64,
    },
    /// Another kind of file, or zeros.
    #[error("the magic number is {found:#010x}, not {expected:#010x}")]
    Magic {
        /// What stands there.
        found: i32,
        /// What a file of this kind starts with.
        expected: i32,
    },
    /// A record longer than any may be.
    #[error("a record of {length} bytes, the limit is {limit} (jute.maxbuffer)")]
    RecordLength {
        /// What the record says.
        length: i32,
        /// The longest allowed.
        limit: usize,
    },
    /// A record that is whole but not as it was written.
    #[error("the record's checksum is {found:#x}, not {expected:#x}")]
    Checksum {
        /// What the record says.
        expected: i64,
        /// What its bytes give.
        found: i64,
        /// Whether a disk sector of it is all zeros: the write never reached the disk.
        hole: bool,
    },
    /// Bytes that are not the record they should be.
    #[error(transparent)]
    Record(#[from] DecodeError),
    /// A node without a place in the tree.
    #[error(transparent)]
    Replica(#[from] ReplicaError),
    /// A snapshot whose bytes are not as they were written.
    #[error("the seal says {expected:#x}, the bytes give {found:#x}")]
    Seal {
        /// What the file says.
        expected: i64,
        /// What its bytes give.
        found: i64,
    },
    /// Bytes after the first seal that are no known section.
    #[error("{length} bytes after the tree are no digest and no last zxid")]
    Trailer {
        /// How many.
        length: usize,
    },
    /// Compressed bytes that do not expand.
    #[error("the compressed bytes end early or are no compressed stream")]
    Compression,
}

/// Puts operation and path to what the operating system said.
pub(crate) trait IoContext<T> {
    fn context<D: Disk>(self, disk: &D, operation: &'static str, path: &Path) -> Result<T, Error>;
}

impl<T> IoContext<T> for io::Result<T> {
    fn context<D: Disk>(self, disk: &D, operation: &'static str, path: &Path) -> Result<T, Error> {
        self.map_err(|source| Error::Io {
            operation,
            path: path.to_owned(),
            owner: refused_owner(disk, path, &source),
            source,
        })
    }
}

/// Whose directory it is, when the refusal is about rights.
pub(crate) fn refused_owner<D: Disk>(disk: &D, path: &Path, source: &io::Error) -> Option<Owner> {
    if source.kind() != io::ErrorKind::PermissionDenied {
        return None;
    }
    disk.owner(path).or_else(|| disk.owner(path.parent()?))
}

/// What to do about a refusal of the operating system, where that is known.
struct Hint<'a>(&'a io::Error, Option<&'a Owner>);

impl fmt::Display for Hint<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.0.kind(), self.1) {
            (io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded, _) => {
                f.write_str("; the disk is full: free space or enlarge the volume, then restart")
            }
            (io::ErrorKind::ReadOnlyFilesystem, _) => {
                f.write_str("; the file system is read-only: mount it writable")
            }
            (_, Some(owner)) => write!(f, "; {owner}: change the owner or the mode"),
            _ => Ok(()),
        }
    }
}

/// A zxid that may not be known.
struct Known(Option<Zxid>);

impl fmt::Display for Known {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(zxid) => zxid.fmt(f),
            None => f.write_str("in an older file"),
        }
    }
}
