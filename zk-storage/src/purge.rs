//! Removes what no recovery needs any more. Java: `PurgeTxnLog`, `DatadirCleanupManager`.
//!
//! Invariant: each snapshot that is kept, with the logs that are kept, still gives the last state. A
//! snapshot that does not look whole is never counted as kept.

use std::path::{Path, PathBuf};

use zk_wire::Zxid;

use crate::dirs::DataDirs;
use crate::disk::Disk;
use crate::error::{Error, IoContext};
use crate::log::sync_dir;
use crate::names::{LOG_PREFIX, SNAPSHOT_PREFIX, logs, zxid_of_name};
use crate::snapshot::newest_snapshots;

/// Keeps the `retain` newest snapshots (3 at least) and the logs above the oldest of these; returns
/// what was removed. Safe beside a running log and a snapshot being written.
///
/// # Errors
/// A directory cannot be read, or a file cannot be removed.
pub fn purge<D: Disk>(disk: &D, dirs: &DataDirs, retain: usize) -> Result<Vec<PathBuf>, Error> {
    let kept = newest_snapshots(disk, dirs.snap(), retain.max(RETAIN_MIN))?;
    let Some(oldest) = kept.last().map(|snapshot| snapshot.zxid) else { return Ok(Vec::new()) };
    // The newest log that starts at or below the oldest snapshot may go on above it.
    let covering = logs(disk, dirs.log())?.into_iter().rfind(|file| file.zxid <= oldest);
    let first_log = covering.map_or(oldest, |file| file.zxid);
    let mut removed = remove_below(disk, dirs.snap(), SNAPSHOT_PREFIX, oldest)?;
    removed.extend(remove_below(disk, dirs.log(), LOG_PREFIX, first_log)?);
    Ok(removed)
}

/// Compat: names of the kind without a readable zxid go too, as in Java, where they count as -1.
fn remove_below<D: Disk>(
    disk: &D,
    dir: &Path,
    prefix: &str,
    first_kept: Zxid,
) -> Result<Vec<PathBuf>, Error> {
    let mut removed = Vec::new();
    for name in disk.list(dir).context(disk, "list", dir)? {
        let is_of_kind = name.split_once('.').is_some_and(|(start, _)| start == prefix);
        if is_of_kind && zxid_of_name(&name, prefix).is_none_or(|zxid| zxid < first_kept) {
            let path = dir.join(name);
            disk.remove(&path).context(disk, "remove", &path)?;
            removed.push(path);
        }
    }
    if !removed.is_empty() {
        sync_dir(disk, dir)?;
    }
    removed.sort_unstable();
    Ok(removed)
}

/// Java raises smaller settings to this.
const RETAIN_MIN: usize = 3;
