//! A disk that counts the bytes that go through it, for who wants to know whether work on it goes on.
//!
//! Invariant: it does what the disk below it does, and nothing else.

use std::io;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use super::{Disk, DiskFile, Owner};

/// A disk, and how much was read from it and written to it.
#[derive(Clone, Debug)]
pub struct CountedDisk<D> {
    disk: D,
    bytes: Arc<AtomicU64>,
}

/// A file of one.
#[derive(Debug)]
pub struct CountedFile<F> {
    file: F,
    bytes: Arc<AtomicU64>,
}

impl<D> CountedDisk<D> {
    /// Adds to `bytes` whatever is read and written.
    pub fn new(disk: D, bytes: Arc<AtomicU64>) -> Self {
        Self { disk, bytes }
    }

    fn counted<F>(&self, file: F) -> CountedFile<F> {
        CountedFile { file, bytes: self.bytes.clone() }
    }
}

impl<D: Disk> Disk for CountedDisk<D> {
    type File = CountedFile<D::File>;
    type Lock = D::Lock;

    fn list(&self, dir: &Path) -> io::Result<Vec<String>> {
        self.disk.list(dir)
    }

    fn create_dirs(&self, dir: &Path) -> io::Result<()> {
        self.disk.create_dirs(dir)
    }

    fn create(&self, path: &Path) -> io::Result<Self::File> {
        self.disk.create(path).map(|file| self.counted(file))
    }

    fn open(&self, path: &Path) -> io::Result<Self::File> {
        self.disk.open(path).map(|file| self.counted(file))
    }

    fn open_writable(&self, path: &Path) -> io::Result<Self::File> {
        self.disk.open_writable(path).map(|file| self.counted(file))
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        self.disk.remove(path)
    }

    fn exists(&self, path: &Path) -> io::Result<bool> {
        self.disk.exists(path)
    }

    fn sync_dir(&self, dir: &Path) -> io::Result<()> {
        self.disk.sync_dir(dir)
    }

    fn lock_dir(&self, dir: &Path) -> io::Result<Option<Self::Lock>> {
        self.disk.lock_dir(dir)
    }

    fn owner(&self, path: &Path) -> Option<Owner> {
        self.disk.owner(path)
    }
}

impl<F: DiskFile> DiskFile for CountedFile<F> {
    fn read_at(&self, offset: u64, into: &mut [u8]) -> io::Result<usize> {
        let read = self.file.read_at(offset, into)?;
        self.bytes.fetch_add(read as u64, Ordering::Relaxed);
        Ok(read)
    }

    fn write_at(&mut self, offset: u64, bytes: &[u8]) -> io::Result<()> {
        self.file.write_at(offset, bytes)?;
        self.bytes.fetch_add(bytes.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    fn set_len(&mut self, len: u64) -> io::Result<()> {
        self.file.set_len(len)
    }

    fn sync_data(&mut self) -> io::Result<()> {
        self.file.sync_data()
    }

    fn len(&self) -> io::Result<u64> {
        self.file.len()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::MemDisk;

    #[test]
    fn what_is_read_and_written_is_counted_and_arrives() {
        let bytes = Arc::new(AtomicU64::new(0));
        let below = MemDisk::new();
        let disk = CountedDisk::new(below.clone(), bytes.clone());
        let (dir, path) = (Path::new("/d"), Path::new("/d/file"));
        disk.create_dirs(dir).unwrap();
        disk.create(path).unwrap().write_at(0, b"12345").unwrap();
        assert_eq!(bytes.load(Ordering::Relaxed), 5);
        let mut read = [0; 8];
        assert_eq!(disk.open(path).unwrap().read_at(3, &mut read).unwrap(), 2);
        assert_eq!(bytes.load(Ordering::Relaxed), 7);
        assert_eq!(below.list(dir).unwrap(), ["file"]);
    }
}
