//! The two directories that a server works in: found, made, checked, and taken for it alone.
//!
//! Snapshots and epoch files are in `<dataDir>/version-2`, logs in `<dataLogDir>/version-2`; often
//! they are one. Java: `FileTxnSnapLog`.

use std::io;
use std::path::{Path, PathBuf};

use crate::disk::{Disk, DiskFile};
use crate::error::{DirectoryProblem, Error, IoContext, refused_owner};
use crate::names::{LOG_PREFIX, SNAPSHOT_PREFIX, is_leftover};

/// Where a server's files are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DataDirs {
    snap: PathBuf,
    log: PathBuf,
}

impl DataDirs {
    /// The directories as the settings `dataDir` and `dataLogDir` imply them; touches no disk.
    pub fn new(data_dir: &Path, data_log_dir: &Path) -> Self {
        Self { snap: data_dir.join(VERSION_DIR), log: data_log_dir.join(VERSION_DIR) }
    }

    /// Where the snapshots and epoch files are.
    pub fn snap(&self) -> &Path {
        &self.snap
    }

    /// Where the logs are.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Makes the directories unless `autocreate` is off, checks that they can be worked on, and takes
    /// them until the locks are dropped. There are fewer locks where the file system has none.
    ///
    /// # Errors
    /// A directory cannot be used, or another server has it.
    pub fn take<D: Disk>(&self, disk: &D, autocreate: bool) -> Result<Vec<D::Lock>, Error> {
        let locks = self.lock(disk, autocreate)?;
        self.check_content(disk)?;
        Ok(locks)
    }

    /// The same whatever is in them.
    ///
    /// # Errors
    /// A directory cannot be used, or another server has it.
    pub fn lock<D: Disk>(&self, disk: &D, autocreate: bool) -> Result<Vec<D::Lock>, Error> {
        let mut locks = Vec::new();
        for dir in self.each() {
            let lock = take_one(disk, dir, autocreate)
                .map_err(|problem| Error::Directory { path: dir.to_owned(), problem })?;
            locks.extend(lock);
        }
        Ok(locks)
    }

    /// Both, or the one that they are.
    pub fn each(&self) -> impl Iterator<Item = &Path> {
        let log = (self.log != self.snap).then_some(self.log.as_path());
        std::iter::once(self.snap.as_path()).chain(log)
    }

    /// Files of the wrong kind mean that the settings changed; starting would miss the right ones.
    fn check_content<D: Disk>(&self, disk: &D) -> Result<(), Error> {
        if self.log == self.snap {
            return Ok(());
        }
        if let Some(name) = first_of_kind(disk, &self.log, SNAPSHOT_PREFIX)? {
            let problem = DirectoryProblem::SnapshotInLogDir { name };
            return Err(Error::Directory { path: self.log.clone(), problem });
        }
        if let Some(name) = first_of_kind(disk, &self.snap, LOG_PREFIX)? {
            let problem = DirectoryProblem::LogInSnapshotDir { name };
            return Err(Error::Directory { path: self.snap.clone(), problem });
        }
        Ok(())
    }
}

/// Makes a directory, locks it, and tries to write in it: better now than at the first txn.
fn take_one<D: Disk>(
    disk: &D,
    dir: &Path,
    autocreate: bool,
) -> Result<Option<D::Lock>, DirectoryProblem> {
    let unusable = |source| unusable(disk, dir, source);
    if !disk.exists(dir).map_err(unusable)? {
        if !autocreate {
            return Err(DirectoryProblem::Missing);
        }
        let is_missing = |above: &&Path| matches!(disk.exists(above), Ok(false));
        let made: Vec<&Path> = dir.ancestors().take_while(is_missing).collect();
        disk.create_dirs(dir).map_err(unusable)?;
        for above in made.into_iter().filter_map(Path::parent) {
            let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
            disk.sync_dir(above).map_err(unusable)?;
        }
    }
    let lock = disk.lock_dir(dir).map_err(|source| match source.kind() {
        io::ErrorKind::WouldBlock => DirectoryProblem::Locked,
        _ => unusable(source),
    })?;
    let probe = dir.join(PROBE);
    disk.create(&probe).map_err(unusable)?;
    disk.remove(&probe).map_err(unusable)?;
    Ok(lock)
}

fn unusable<D: Disk>(disk: &D, dir: &Path, source: io::Error) -> DirectoryProblem {
    DirectoryProblem::Unusable { owner: refused_owner(disk, dir, &source), source }
}

fn first_of_kind<D: Disk>(disk: &D, dir: &Path, prefix: &str) -> Result<Option<String>, Error> {
    let names = disk.list(dir).context(disk, "list", dir)?;
    let is_of_kind =
        |name: &String| name.strip_prefix(prefix).is_some_and(|rest| rest.starts_with('.'));
    Ok(names.into_iter().filter(is_of_kind).min())
}

/// Removes what an interrupted process of ours left half done; returns the names.
///
/// # Errors
/// A file cannot be removed.
pub fn remove_leftovers<D: Disk>(disk: &D, dirs: &DataDirs) -> Result<Vec<PathBuf>, Error> {
    let mut removed = Vec::new();
    for dir in dirs.each() {
        let names = disk.list(dir).context(disk, "list", dir)?;
        for name in names.into_iter().filter(|name| is_leftover(name)) {
            let path = dir.join(name);
            disk.remove(&path).context(disk, "remove", &path)?;
            removed.push(path);
        }
    }
    Ok(removed)
}

/// The lengths of all files in a directory, as the four-letter words `dirs` and `conf` show them.
///
/// # Errors
/// The directory cannot be read; a file that goes meanwhile counts as nothing.
pub fn dir_size<D: Disk>(disk: &D, dir: &Path) -> Result<u64, Error> {
    let names = disk.list(dir).context(disk, "list", dir)?;
    let lengths = names.into_iter().filter_map(|name| disk.open(&dir.join(name)).ok()?.len().ok());
    Ok(lengths.sum())
}

const VERSION_DIR: &str = "version-2";
const PROBE: &str = ".log.probe.tmp";
