//! Cuts the history back to a txn, as a leader orders by TRUNC. Java: `FileTxnLog.truncate`.
//!
//! A target that is not there is no reason to keep what is above it: the history then ends with the last
//! txn below.
//!
//! Compat: unlike Java it never keeps the first txn above an absent target, and it removes the
//! snapshots that may show a removed txn: reloaded, those would bring it back.
//!
//! Invariant: what is removed goes from the newest to the oldest, so a crash leaves a history that is
//! whole up to some txn, and no snapshot above it.

use std::path::{Path, PathBuf};

use zk_wire::Zxid;

use crate::dirs::DataDirs;
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, IoContext};
use crate::log::{LogReader, sync_dir};
use crate::names::{LogFile, logs, snapshots};
use crate::snapshot::{Discard, SnapshotReader};

/// What a truncation did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Truncated {
    /// Snapshots and logs that are gone.
    pub removed: Vec<PathBuf>,
    /// The log that was cut, and its new length.
    pub cut: Option<(PathBuf, u64)>,
    /// The last txn that is left: the target, or the last one below if that was not there.
    pub last: Zxid,
}

/// Removes every txn above `target`; see [`crate::TxnLog::truncate`].
pub(crate) fn truncate<D: Disk>(
    disk: &D,
    dirs: &DataDirs,
    target: Zxid,
    length_max: usize,
) -> Result<Truncated, Error> {
    let snapshots = split_snapshots(disk, dirs.snap(), target, length_max)?;
    let files = logs(disk, dirs.log())?;
    let (kept, later) = files.split_at(files.partition_point(|file| file.zxid <= target));
    let end = match kept.last() {
        Some(file) => find_end(disk, file, target, length_max)?,
        None => LogEnd::default(),
    };
    let Some(shown) = snapshots.kept.iter().copied().max() else {
        return Err(Error::TruncateTarget { path: dirs.snap().to_owned(), target });
    };

    let mut truncated = Truncated { last: shown.max(end.last), ..Truncated::default() };
    for path in snapshots.newer {
        remove(disk, dirs.snap(), path, &mut truncated)?;
    }
    for file in later.iter().rev() {
        remove(disk, dirs.log(), file.path.clone(), &mut truncated)?;
    }
    if let (Some(LogFile { path, .. }), Some(len)) = (kept.last(), end.cut_at) {
        let mut file = disk.open_writable(path).context(disk, "open", path)?;
        file.set_len(len).context(disk, "cut", path)?;
        file.sync_data().context(disk, "sync", path)?;
        truncated.cut = Some((path.clone(), len));
    }
    Ok(truncated)
}

/// The snapshots on both sides of a txn.
struct SplitSnapshots {
    /// What can be started from: they load, and show nothing above the txn.
    kept: Vec<Zxid>,
    /// What may show a later txn, newest first.
    newer: Vec<PathBuf>,
}

fn split_snapshots<D: Disk>(
    disk: &D,
    dir: &Path,
    target: Zxid,
    length_max: usize,
) -> Result<SplitSnapshots, Error> {
    let mut split = SplitSnapshots { kept: Vec::new(), newer: Vec::new() };
    for snapshot in snapshots(disk, dir)? {
        let mut is_newer = snapshot.zxid > target;
        if !is_newer {
            // A damaged one will not load after the truncation either.
            let read = SnapshotReader::read(disk, &snapshot, length_max, &mut Discard);
            let Ok(summary) = read else { continue };
            is_newer = summary.highest_zxid().is_some_and(|highest| highest > target);
        }
        if is_newer {
            split.newer.push(snapshot.path);
        } else {
            split.kept.push(snapshot.zxid);
        }
    }
    Ok(split)
}

/// Where a log is to end.
#[derive(Default)]
struct LogEnd {
    /// The last txn that stays; zxid 0 if there is none.
    last: Zxid,
    /// Its new length; `None` if it has nothing above the target.
    cut_at: Option<u64>,
}

fn find_end<D: Disk>(
    disk: &D,
    file: &LogFile,
    target: Zxid,
    length_max: usize,
) -> Result<LogEnd, Error> {
    let mut reader = LogReader::open(disk, &file.path, length_max)?;
    let mut last = Zxid::ZERO;
    loop {
        let offset = reader.offset();
        match reader.read() {
            Ok(None) => return Ok(LogEnd { last, cut_at: None }),
            Ok(Some(record)) if record.zxid <= target => last = last.max(record.zxid),
            Ok(Some(_)) => return Ok(LogEnd { last, cut_at: Some(offset) }),
            // What is damaged is to go anyway.
            Err(Error::DamagedLog { .. }) if last == target => {
                return Ok(LogEnd { last, cut_at: Some(offset) });
            }
            Err(error) => return Err(error),
        }
    }
}

fn remove<D: Disk>(
    disk: &D,
    dir: &Path,
    path: PathBuf,
    truncated: &mut Truncated,
) -> Result<(), Error> {
    disk.remove(&path).context(disk, "remove", &path)?;
    sync_dir(disk, dir)?;
    truncated.removed.push(path);
    Ok(())
}
