//! Txn log, snapshots, epoch files, recovery and purge over a small [`Disk`] trait.
//!
//! Writes exactly the files that a Java server writes and reads every file that one leaves; the byte
//! tables are in FORMAT.md. Plain blocking code: no clock, no thread of its own, no policy about when
//! to sync, snapshot or purge. It knows txns as bytes and trees as a [`zk_wire::Replica`] to fill.
//!
//! Invariants
//! - What `TxnLog::commit` reported is found by `recover` after any crash, and nothing else is
//!   found but a prefix of what was appended.
//! - A file gets its name only when its content is on disk.
//! - Damage is an error that names file and offset, never a shorter history.

mod dirs;
mod disk;
mod epochs;
mod error;
mod log;
mod names;
mod naming;
mod purge;
mod recovery;
mod set_aside;
mod snapshot;
mod truncate;

pub use dirs::{DataDirs, dir_size, remove_leftovers};
pub use disk::{
    CountedDisk, CountedFile, Crash, Disk, DiskFile, MemDisk, MemFile, MemLock, Operation, Owner,
    RealDisk,
};
pub use epochs::{Epochs, fuzz_epoch};
pub use error::{Damage, DirectoryProblem, Error};
pub use log::{LogOptions, LogRange, LogReader, LogRecord, Tail, TxnLog, Wanted, fuzz_log};
pub use names::{Compression, LogFile, SnapshotFile, logs, snapshots};
pub use naming::{NamingFile, fuzz_naming, naming_path};
pub use purge::purge;
pub use recovery::{RecoverOptions, Recovered, Warning, recover};
pub use set_aside::{finish_setting_aside, set_aside};
pub use snapshot::{
    SnapshotReader, SnapshotSummary, SnapshotWriter, fuzz_snapshot, newest_snapshots,
};
pub use truncate::Truncated;
