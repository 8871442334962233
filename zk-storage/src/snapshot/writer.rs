//! Writes a snapshot that every Java version reads, and gives it its name when it is on disk.
//!
//! Compat: stricter than Java, which writes periodic snapshots under their final name without a sync.
//!
//! Invariants
//! - A file named `snapshot.*` is whole and synced.
//! - The digest section is always there, and the last zxid never without it: readers tell the
//!   sections apart by position only.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use flate2::write::GzEncoder;
use simd_adler32::Adler32;
use zk_wire::{Encoder, FileHeader, SnapshotDigest, Zxid};

use super::xerial::XerialWriter;
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, IoContext};
use crate::log::sync_dir;
use crate::names::{Compression, snapshot_name, unfinished_snapshot_name};

/// A snapshot being written; dropped before [`Self::finish`], it leaves nothing.
pub struct SnapshotWriter<D: Disk> {
    disk: D,
    dir: PathBuf,
    name: String,
    unfinished: PathBuf,
    adler: Adler32,
    packing: Option<Packing<D::File>>,
}

enum Packing<F: DiskFile> {
    Plain(FileWriter<F>),
    Gz(GzEncoder<FileWriter<F>>),
    Snappy(Box<XerialWriter<FileWriter<F>>>),
}

impl<D: Disk> SnapshotWriter<D> {
    /// Starts the snapshot of what the database is after `zxid`.
    ///
    /// # Errors
    /// The disk refuses.
    ///
    /// # Panics
    /// On a negative zxid: no reader finds a file of that name.
    pub fn begin(
        disk: D,
        snap_dir: &Path,
        zxid: Zxid,
        compression: Compression,
    ) -> Result<Self, Error> {
        assert!(zxid.0 >= 0, "a snapshot is named by a zxid of 0 or more, not {zxid}");
        let unfinished = snap_dir.join(unfinished_snapshot_name(zxid));
        let file = disk.create(&unfinished).context(&disk, "create", &unfinished)?;
        let out = FileWriter::new(file);
        let packing = match compression {
            Compression::Plain => Ok(Packing::Plain(out)),
            Compression::Gz => Ok(Packing::Gz(GzEncoder::new(out, flate2::Compression::default()))),
            Compression::Snappy => XerialWriter::new(out).map(|out| Packing::Snappy(Box::new(out))),
        };
        let packing = packing.context(&disk, "write to", &unfinished)?;
        let mut writer = Self {
            disk,
            dir: snap_dir.to_owned(),
            name: snapshot_name(zxid, compression),
            unfinished,
            adler: Adler32::new(),
            packing: Some(packing),
        };
        let mut header = Vec::new();
        FileHeader::SNAPSHOT.encode(&mut Encoder::new(&mut header));
        writer.write(&header)?;
        Ok(writer)
    }

    /// Appends to the body: sessions, ACL table and nodes as the format has them, without the empty
    /// path that ends it.
    ///
    /// # Errors
    /// The disk refuses; drop the writer.
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), Error> {
        self.adler.write(bytes);
        let packing = self.packing.as_mut().expect("not finished yet");
        let written = match packing {
            Packing::Plain(out) => out.write_all(bytes),
            Packing::Gz(out) => out.write_all(bytes),
            Packing::Snappy(out) => out.write_all(bytes),
        };
        written.context(&self.disk, "write to", &self.unfinished)
    }

    /// Ends the body, seals it, and gives the file its name once it is on disk. Returns its path and
    /// length.
    ///
    /// # Errors
    /// The disk refuses; no snapshot is there then.
    pub fn finish(
        mut self,
        digest: SnapshotDigest,
        last_zxid: Zxid,
    ) -> Result<(PathBuf, u64), Error> {
        let mut bytes = Vec::new();
        Encoder::new(&mut bytes).text(TREE_END);
        self.write_sealed(&mut bytes)?;
        Encoder::new(&mut bytes)
            .long(digest.zxid.0)
            .int(digest.version)
            .long(digest.digest.cast_signed());
        self.write_sealed(&mut bytes)?;
        Encoder::new(&mut bytes).long(last_zxid.0);
        self.write_sealed(&mut bytes)?;

        let packing = self.packing.take().expect("finished only once");
        let synced = match packing {
            Packing::Plain(out) => Ok(out),
            Packing::Gz(out) => out.finish(),
            Packing::Snappy(out) => out.finish(),
        }
        .and_then(FileWriter::finish);
        let path = self.dir.join(&self.name);
        let placed = synced.context(&self.disk, "write to", &self.unfinished).and_then(|len| {
            self.disk.rename(&self.unfinished, &path).context(&self.disk, "create", &path)?;
            Ok(len)
        });
        match placed {
            Ok(len) => sync_dir(&self.disk, &self.dir).map(|()| (path, len)),
            Err(error) => {
                self.abandon();
                Err(error)
            }
        }
    }

    /// Writes `bytes` and the seal of everything so far.
    fn write_sealed(&mut self, bytes: &mut Vec<u8>) -> Result<(), Error> {
        self.write(bytes)?;
        bytes.clear();
        Encoder::new(bytes).long(i64::from(self.adler.finish())).text(TREE_END);
        self.write(bytes)?;
        bytes.clear();
        Ok(())
    }

    /// What is left of an unfinished file is removed at the next start if it cannot be now.
    fn abandon(&self) {
        let _ = self.disk.remove(&self.unfinished);
    }
}

impl<D: Disk> Drop for SnapshotWriter<D> {
    fn drop(&mut self) {
        if self.packing.is_some() {
            self.abandon();
        }
    }
}

/// Writes a file from its start, and hands it to the disk piece by piece: one sync of a whole
/// snapshot at the end would hold up the log's syncs.
struct FileWriter<F> {
    file: F,
    buffer: Vec<u8>,
    offset: u64,
    unsynced: u64,
}

impl<F: DiskFile> FileWriter<F> {
    fn new(file: F) -> Self {
        Self { file, buffer: Vec::new(), offset: 0, unsynced: 0 }
    }

    /// Syncs the file; returns its length.
    fn finish(mut self) -> io::Result<u64> {
        self.flush()?;
        self.file.sync_data()?;
        Ok(self.offset)
    }
}

impl<F: DiskFile> Write for FileWriter<F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.buffer.extend_from_slice(bytes);
        if self.buffer.len() >= BUFFER_MAX {
            self.flush()?;
        }
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.write_at(self.offset, &self.buffer)?;
        self.offset += self.buffer.len() as u64;
        self.unsynced += self.buffer.len() as u64;
        self.buffer.clear();
        if self.unsynced >= UNSYNCED_MAX {
            self.file.sync_data()?;
            self.unsynced = 0;
        }
        Ok(())
    }
}

const TREE_END: &str = "/";
const BUFFER_MAX: usize = 128 * 1024;
const UNSYNCED_MAX: u64 = 4 * 1024 * 1024;
