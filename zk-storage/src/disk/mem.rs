//! A disk in memory that forgets, tears and fails as real ones do; for the simulator and for tests.
//!
//! What was written but not synced may survive a crash, in part or not at all; so may names that were
//! not synced with their directory. After a failed sync what it should have covered is lost at the
//! next crash, also if a later sync succeeds. Directories themselves are durable at once. Nothing here
//! is random: whoever lets it crash chooses.

mod state;

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard};

use super::{Disk, DiskFile, Owner};
use state::{Fault, State, index};

/// Handle to a disk in memory; clones are handles to the same disk.
#[derive(Clone, Default)]
pub struct MemDisk {
    state: Arc<Mutex<State>>,
}

/// What survives a crash of that which was not synced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Crash {
    /// Everything: the process died, the machine did not.
    KeepAll,
    /// Nothing.
    LoseAll,
    /// What came before some moment; the write of that moment is cut at any byte.
    Prefix,
    /// Any sectors and any names.
    Scatter,
}

/// A change of the disk. Files are numbered in the order of their creation.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each is the call of the Disk trait of that name")]
pub enum Operation {
    CreateDirs(PathBuf),
    Create(PathBuf),
    Write { file: usize, offset: u64, bytes: Vec<u8> },
    SetLen { file: usize, len: u64 },
    SyncData { file: usize },
    Rename { from: PathBuf, to: PathBuf },
    Remove(PathBuf),
    SyncDir(PathBuf),
}

impl MemDisk {
    /// An empty disk.
    pub fn new() -> Self {
        Self::default()
    }

    /// Another disk with the same content, synced and not; it records nothing and does not fail.
    #[must_use]
    pub fn fork(&self) -> Self {
        Self { state: Arc::new(Mutex::new(self.state().fork())) }
    }

    /// Puts a durable file there, with its directories.
    ///
    /// # Panics
    /// If the path has no directory.
    pub fn put(&self, path: &Path, bytes: &[u8]) {
        let dir = path.parent().expect("a file is in a directory").to_owned();
        let mut state = self.state();
        state.apply(Operation::CreateDirs(dir.clone()));
        state.apply(Operation::Create(path.to_owned()));
        let file = state.names[path];
        state.apply(Operation::Write { file, offset: 0, bytes: bytes.to_vec() });
        state.apply(Operation::SyncData { file });
        state.apply(Operation::SyncDir(dir));
    }

    /// The content of a file, synced or not.
    pub fn content(&self, path: &Path) -> Option<Vec<u8>> {
        let state = self.state();
        Some(state.files[*state.names.get(path)?].current.clone())
    }

    /// The names of all files.
    pub fn paths(&self) -> Vec<PathBuf> {
        self.state().names.keys().cloned().collect()
    }

    /// Keeps a record of every change from now on.
    pub fn record(&self) {
        self.state().recorded = Some(Vec::new());
    }

    /// The changes since [`Self::record`].
    pub fn recorded(&self) -> Vec<Operation> {
        self.state().recorded.clone().unwrap_or_default()
    }

    /// Makes a recorded change on this disk, on which all before it were made.
    pub fn replay(&self, operation: &Operation) {
        self.state().apply(operation.clone());
    }

    /// Lets the next `after` changes pass and fails those that follow with the operating system's
    /// error `errno`, until [`Self::heal`]. A failing write has written half.
    pub fn fail_after(&self, after: u64, errno: i32) {
        self.state().fault = Some(Fault { after, errno });
    }

    /// Whether a crash would have nothing to decide.
    pub fn is_synced(&self) -> bool {
        self.state().is_synced()
    }

    /// Ends the failures.
    pub fn heal(&self) {
        self.state().fault = None;
    }

    /// Lets the machine crash: open files and locks are gone, and of what was not synced only what
    /// `crash` says survives. `choose(n)` decides by a number below `n`.
    pub fn crash(&self, crash: Crash, choose: &mut dyn FnMut(usize) -> usize) {
        self.state().crash(crash, choose);
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().expect("no panic while a disk is locked")
    }

    /// Makes one change, unless it is to fail.
    fn change(&self, operation: Operation) -> io::Result<()> {
        let mut state = self.state();
        match state.next_fault() {
            Some(errno) => {
                state.apply_failed(operation);
                Err(io::Error::from_raw_os_error(errno))
            }
            None => {
                state.apply(operation);
                Ok(())
            }
        }
    }

    fn handle(&self, path: &Path) -> io::Result<MemFile> {
        let state = self.state();
        let file = *state.names.get(path).ok_or(io::ErrorKind::NotFound)?;
        Ok(MemFile { disk: self.clone(), file, boot: state.boot })
    }

    fn expect_dir(&self, dir: &Path) -> io::Result<()> {
        let is_there = dir == Path::new("/") || self.state().dirs.contains(dir);
        if is_there { Ok(()) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

impl fmt::Debug for MemDisk {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemDisk").field("paths", &self.paths()).finish()
    }
}

impl Disk for MemDisk {
    type File = MemFile;
    type Lock = MemLock;

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.expect_dir(dir)?;
        let state = self.state();
        let inside = state.names.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        self.change(Operation::CreateDirs(dir.to_owned()))
    }

    fn create(&self, path: &Path) -> io::Result<MemFile> {
        self.expect_dir(path.parent().unwrap_or(path))?;
        self.change(Operation::Create(path.to_owned()))?;
        self.handle(path)
    }

    fn open(&self, path: &Path) -> io::Result<MemFile> {
        self.handle(path)
    }

    fn open_writable(&self, path: &Path) -> io::Result<MemFile> {
        self.handle(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.handle(from)?;
        self.change(Operation::Rename { from: from.to_owned(), to: to.to_owned() })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.handle(path)?;
        self.change(Operation::Remove(path.to_owned()))
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        Ok(self.expect_dir(path).is_ok() || self.handle(path).is_ok())
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.change(Operation::SyncDir(dir.to_owned()))
    }

    fn lock_dir(&self, dir: &Path) -> io::Result<Option<MemLock>> {
        let mut state = self.state();
        if !state.locks.insert(dir.to_owned()) {
            return Err(io::ErrorKind::WouldBlock.into());
        }
        Ok(Some(MemLock { disk: self.clone(), dir: dir.to_owned(), boot: state.boot }))
    }

    fn owner(&self, _: &Path) -> Option<Owner> {
        None
    }
}

/// A file on a [`MemDisk`].
#[derive(Debug)]
pub struct MemFile {
    disk: MemDisk,
    file: usize,
    /// A handle does not outlive a crash.
    boot: u64,
}

impl MemFile {
    fn change(&self, operation: Operation) -> io::Result<()> {
        if self.disk.state().boot != self.boot {
            return Err(io::ErrorKind::BrokenPipe.into());
        }
        self.disk.change(operation)
    }
}

impl DiskFile for MemFile {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let state = self.disk.state();
        let content = &state.files[self.file].current;
        let rest = content.get(index(offset)..).unwrap_or_default();
        let n = rest.len().min(into.len());
        into[..n].copy_from_slice(&rest[..n]);
        Ok(n)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.change(Operation::Write { file: self.file, offset, bytes: bytes.to_vec() })
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.change(Operation::SetLen { file: self.file, len })
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.change(Operation::SyncData { file: self.file })
    }

    fn len(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.file].current.len() as u64)
    }
}

/// A lock on a directory of a [`MemDisk`].
#[derive(Debug)]
pub struct MemLock {
    disk: MemDisk,
    dir: PathBuf,
    boot: u64,
}

impl Drop for MemLock {
    fn drop(&mut self) {
        let mut state = self.disk.state();
        if state.boot == self.boot {
            state.locks.remove(&self.dir);
        }
    }
}
