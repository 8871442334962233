//! The few calls that storage makes to a disk, so that a simulator can stand in for one.
//!
//! A [`Disk`] is a handle that is cheap to clone; each thread has its own. Errors are the operating
//! system's, with no path in them: whoever calls knows it.

mod counted;
mod mem;
mod real;

use std::fmt;
use std::io;
use std::path::Path;

pub use counted::{CountedDisk, CountedFile};
pub use mem::{Crash, MemDisk, MemFile, MemLock, Operation};
pub use real::RealDisk;

/// A file system.
pub trait Disk: Clone + Send + 'static {
    /// An open file.
    type File: DiskFile;
    /// A lock on a directory, held until dropped.
    type Lock: Send + fmt::Debug;

    /// The names in a directory, in no order; those that are not UTF-8 are left out.
    ///
    /// # Errors
    /// The directory is not there or may not be read.
    fn list(&self, dir: &Path) -> io::Result<Vec<String>>;

    /// Makes a directory and those above it; one that is there is fine.
    ///
    /// # Errors
    /// The parent may not be written.
    fn create_dirs(&self, dir: &Path) -> io::Result<()>;

    /// Makes an empty file, or empties one, to read and write.
    ///
    /// # Errors
    /// The directory may not be written, or is full.
    fn create(&self, path: &Path) -> io::Result<Self::File>;

    /// Opens a file to read.
    ///
    /// # Errors
    /// It is not there or may not be read.
    fn open(&self, path: &Path) -> io::Result<Self::File>;

    /// Opens a file to read and write, as it is.
    ///
    /// # Errors
    /// It is not there or may not be written.
    fn open_writable(&self, path: &Path) -> io::Result<Self::File>;

    /// Gives a file another name, in place of any file that has it.
    ///
    /// # Errors
    /// As the operating system says.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    ///
    /// # Errors
    /// As the operating system says.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Whether there is a file or directory of that name.
    ///
    /// # Errors
    /// It cannot be told.
    fn exists(&self, path: &Path) -> io::Result<bool>;

    /// Makes the names in a directory durable.
    ///
    /// # Errors
    /// They are not durable.
    fn sync_dir(&self, dir: &Path) -> io::Result<()>;

    /// Takes the directory for this process alone; `None` where the file system has no locks.
    ///
    /// # Errors
    /// [`io::ErrorKind::WouldBlock`] when another process has it.
    fn lock_dir(&self, dir: &Path) -> io::Result<Option<Self::Lock>>;

    /// Whose a file or directory is, where that is known.
    fn owner(&self, path: &Path) -> Option<Owner>;
}

/// An open file.
#[allow(clippy::len_without_is_empty, reason = "a file's length is asked, never its emptiness")]
pub trait DiskFile: Send {
    /// Reads from `offset`; fewer bytes than asked for at the end of the file only.
    ///
    /// # Errors
    /// As the operating system says.
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize>;

    /// Writes all bytes at `offset`.
    ///
    /// # Errors
    /// As the operating system says; some of the bytes may be written.
    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()>;

    /// Cuts or extends the file.
    ///
    /// # Errors
    /// As the operating system says.
    fn set_len(&mut self, len: u64) -> io::Result<()>;

    /// Makes content and length durable.
    ///
    /// # Errors
    /// What was written since the last sync may be lost, also if a later sync succeeds.
    fn sync_data(&mut self) -> io::Result<()>;

    /// The length in bytes.
    ///
    /// # Errors
    /// As the operating system says.
    fn len(&self) -> io::Result<u64>;
}

/// Who may use a file, and who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the operating system's own words")]
pub struct Owner {
    pub uid: u32,
    pub gid: u32,
    pub mode: u32,
    /// User and group of this process.
    pub process: Option<(u32, u32)>,
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { uid, gid, mode, process } = self;
        write!(f, "it belongs to uid {uid} gid {gid} with mode {:04o}", mode & 0o7777)?;
        match process {
            Some((uid, gid)) => write!(f, " and this server runs as uid {uid} gid {gid}"),
            None => Ok(()),
        }
    }
}

/// A file read from its start to its end.
pub(crate) struct Sequential<F> {
    file: F,
    offset: u64,
}

impl<F: DiskFile> Sequential<F> {
    pub(crate) fn new(file: F) -> Self {
        Self { file, offset: 0 }
    }
}

impl<F: DiskFile> io::Read for Sequential<F> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let n = self.file.read_at(self.offset, into)?;
        self.offset += n as u64;
        Ok(n)
    }
}
