//! Puts snapshots and logs where no recovery finds them, because one of them is damaged and others have everything.
//!
//! Nothing is deleted: `damaged-1` beside `version-2` has them, then `damaged-2`. The files of epochs stay: what was
//! promised is not forgotten.
//!
//! Invariant: from the first file moved to the last, a start finds that it is not over and goes on with it. Half of
//! a history never passes for one.

use std::path::{Path, PathBuf};

use crate::dirs::DataDirs;
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, IoContext};
use crate::log::sync_dir;
use crate::names::{LOG_PREFIX, SNAPSHOT_PREFIX};

/// Moves everything; gives the directories that have it now.
///
/// # Errors
/// Something cannot be moved. [`finish_setting_aside`] goes on.
pub fn set_aside<D: Disk>(disk: &D, dirs: &DataDirs) -> Result<Vec<PathBuf>, Error> {
    let place = (1..).map(|n| place(dirs.snap(), n));
    let is_free = |place: &PathBuf| disk.exists(place).is_ok_and(|exists| !exists);
    let place = place.take(PLACES_MAX).find(is_free).unwrap_or_else(|| self::place(dirs.snap(), 1));
    make(disk, &place)?;
    let mark = place.join(UNFINISHED);
    let mut file = disk.create(&mark).context(disk, "create", &mark)?;
    file.sync_data().context(disk, "sync", &mark)?;
    sync_dir(disk, &place)?;
    move_all(disk, dirs, &place)
}

/// Goes on with what a start before has not finished, if there is something.
///
/// # Errors
/// As for [`set_aside`].
pub fn finish_setting_aside<D: Disk>(disk: &D, dirs: &DataDirs) -> Result<Vec<PathBuf>, Error> {
    for place in (1..).map(|n| place(dirs.snap(), n)).take(PLACES_MAX) {
        if !disk.exists(&place).context(disk, "look for", &place)? {
            break;
        }
        let mark = place.join(UNFINISHED);
        if disk.exists(&mark).context(disk, "look for", &mark)? {
            return move_all(disk, dirs, &place);
        }
    }
    Ok(Vec::new())
}

/// The snapshots first: logs without any are no history to a start.
fn move_all<D: Disk>(disk: &D, dirs: &DataDirs, place: &Path) -> Result<Vec<PathBuf>, Error> {
    let mut places = vec![place.to_owned()];
    move_kind(disk, dirs.snap(), SNAPSHOT_PREFIX, place)?;
    if dirs.log() == dirs.snap() {
        move_kind(disk, dirs.log(), LOG_PREFIX, place)?;
    } else {
        let name = place.file_name().expect("it was given one");
        let logs = dirs.log().parent().unwrap_or(dirs.log()).join(name);
        make(disk, &logs)?;
        move_kind(disk, dirs.log(), LOG_PREFIX, &logs)?;
        places.push(logs);
    }
    let mark = place.join(UNFINISHED);
    disk.remove(&mark).context(disk, "remove", &mark)?;
    sync_dir(disk, place)?;
    Ok(places)
}

fn move_kind<D: Disk>(disk: &D, from: &Path, prefix: &str, to: &Path) -> Result<(), Error> {
    for name in disk.list(from).context(disk, "list", from)? {
        if name.split_once('.').is_some_and(|(start, _)| start == prefix) {
            let path = from.join(&name);
            disk.rename(&path, &to.join(name)).context(disk, "move", &path)?;
        }
    }
    sync_dir(disk, to)?;
    sync_dir(disk, from)
}

fn make<D: Disk>(disk: &D, place: &Path) -> Result<(), Error> {
    disk.create_dirs(place).context(disk, "create", place)?;
    place.parent().map_or(Ok(()), |above| sync_dir(disk, above))
}

fn place(version_dir: &Path, number: usize) -> PathBuf {
    version_dir.parent().unwrap_or(version_dir).join(format!("damaged-{number}"))
}

const UNFINISHED: &str = "unfinished";
/// So many damages are kept apart; an operator has looked at it before.
const PLACES_MAX: usize = 1000;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemDisk;

    fn check(data_dir: &str, log_dir: &str, expected: &[&str]) {
        let dirs = DataDirs::new(Path::new(data_dir), Path::new(log_dir));
        let before = MemDisk::new();
        for dir in [dirs.snap(), dirs.log()] {
            before.create_dirs(dir).unwrap();
        }
        for name in ["snapshot.0", "snapshot.5", "currentEpoch"] {
            before.put(&dirs.snap().join(name), name.as_bytes());
        }
        for name in ["log.1", "log.6"] {
            before.put(&dirs.log().join(name), name.as_bytes());
        }
        // Whatever it is stopped by, the next start finishes it.
        for operations in 0.. {
            let disk = before.fork();
            disk.fail_after(operations, 5);
            let is_done = set_aside(&disk, &dirs).is_ok();
            disk.heal();
            finish_setting_aside(&disk, &dirs).unwrap();
            let has_begun = disk.paths() != before.paths();
            if has_begun {
                let found: Vec<_> = disk.paths().iter().map(|p| p.display().to_string()).collect();
                let found: Vec<_> = found.iter().filter(|path| path.contains('.')).collect();
                assert_eq!(found, expected, "stopped after {operations} operations");
                assert!(disk.exists(&dirs.snap().join("currentEpoch")).unwrap());
            }
            if is_done {
                break;
            }
        }
    }

    #[test]
    fn what_was_begun_is_finished() {
        let one =
            ["log.1", "log.6", "snapshot.0", "snapshot.5"].map(|n| format!("/d/damaged-1/{n}"));
        check("/d", "/d", &one.each_ref().map(String::as_str));
        let two = [
            "/d/damaged-1/snapshot.0",
            "/d/damaged-1/snapshot.5",
            "/l/damaged-1/log.1",
            "/l/damaged-1/log.6",
        ];
        check("/d", "/l", &two);
    }

    #[test]
    fn each_damage_has_a_place_of_its_own() {
        let dirs = DataDirs::new(Path::new("/d"), Path::new("/d"));
        let disk = MemDisk::new();
        disk.create_dirs(dirs.snap()).unwrap();
        for n in 1..=2 {
            disk.put(&dirs.snap().join("snapshot.0"), b"");
            assert_eq!(
                set_aside(&disk, &dirs).unwrap(),
                [PathBuf::from(format!("/d/damaged-{n}"))]
            );
        }
    }
}
