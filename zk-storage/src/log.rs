//! The txn log: records appended to files named by their first zxid. Java: `FileTxnLog`.
//!
//! Nothing is promised before [`TxnLog::commit`] returns; after any error nothing is promised again.
//!
//! Invariants
//! - A file has its header on disk before it has its name, and no file is ever appended to by a
//!   second process: the first append after a start, a roll or a truncation opens a new one.
//! - A rolled file is synced before the next one is made, so only the newest can end in a tear.
//! - Where zeros were written ahead, a commit changes no metadata of the file.

mod range;
mod reader;

use std::path::{Path, PathBuf};

use simd_adler32::adler32;
use zk_wire::{Encoder, FileHeader, RECORD_END, Zxid};

use crate::dirs::DataDirs;
use crate::disk::{Disk, DiskFile};
use crate::error::{Error, IoContext};
use crate::names::{BLANK_LOG, log_name};
use crate::truncate::{Truncated, truncate};

pub use range::{LogRange, Wanted};
pub use reader::{LogReader, LogRecord, Tail, fuzz_log};

/// How logs are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogOptions {
    /// The most zeros written ahead of need, in bytes; 0 for none.
    pub prewrite_max: u64,
    /// Whether a commit waits for the disk. Java: `zookeeper.forceSync`.
    pub force_sync: bool,
}

impl LogOptions {
    /// The settings as Java names them; `zookeeper.preAllocSize` is in KB, 0 or less for none.
    pub fn new(pre_alloc_size_kb: i64, force_sync: bool) -> Self {
        let kb = u64::try_from(pre_alloc_size_kb).unwrap_or(0);
        Self { prewrite_max: kb.saturating_mul(1024), force_sync }
    }
}

impl Default for LogOptions {
    fn default() -> Self {
        Self::new(65536, true)
    }
}

/// Appends txns to the log of one directory.
#[derive(Debug)]
pub struct TxnLog<D: Disk> {
    disk: D,
    dir: PathBuf,
    options: LogOptions,
    /// The file that appends go to.
    segment: Option<Segment<D::File>>,
    /// The next one, made while there was time.
    blank: Option<Segment<D::File>>,
    /// Records not handed to the file yet.
    pending: Vec<u8>,
    /// How many zeros to write the next time; grows with the log, so that an idle server stays small.
    chunk: u64,
    is_poisoned: bool,
}

#[derive(Debug)]
struct Segment<F> {
    file: F,
    path: PathBuf,
    /// Where the next record goes.
    end: u64,
    /// Up to where the file holds records or zeros.
    prewritten: u64,
    is_synced: bool,
}

impl<D: Disk> TxnLog<D> {
    /// A log in `dirs`; the first append makes a file.
    pub fn new(disk: D, dirs: &DataDirs, options: LogOptions) -> Self {
        Self {
            disk,
            dir: dirs.log().to_owned(),
            options,
            segment: None,
            blank: None,
            pending: Vec::new(),
            chunk: CHUNK_MIN,
            is_poisoned: false,
        }
    }

    /// Appends the bytes of one txn.
    ///
    /// # Errors
    /// The disk failed; the log is of no more use.
    ///
    /// # Panics
    /// On a zxid that no server hands out.
    pub fn append(&mut self, zxid: Zxid, txn: &[u8]) -> Result<(), Error> {
        self.unless_poisoned(|log| log.append_record(zxid, txn))
    }

    /// Appends many txns.
    ///
    /// # Errors
    /// As [`Self::append`].
    pub fn append_batch<'a>(
        &mut self,
        txns: impl IntoIterator<Item = (Zxid, &'a [u8])>,
    ) -> Result<(), Error> {
        txns.into_iter().try_for_each(|(zxid, txn)| self.append(zxid, txn))
    }

    /// Makes everything appended durable, with one sync.
    ///
    /// # Errors
    /// The disk failed; nothing since the last commit is durable, the log is of no more use.
    pub fn commit(&mut self) -> Result<(), Error> {
        self.unless_poisoned(Self::commit_pending)
    }

    /// Commits, and lets the next append open a new file.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn roll(&mut self) -> Result<(), Error> {
        self.commit()?;
        self.segment = None;
        Ok(())
    }

    /// Whether there is something to do that commits would else have to wait for.
    pub fn wants_preparation(&self) -> bool {
        match &self.segment {
            _ if self.is_poisoned => false,
            None => self.blank.is_none(),
            Some(segment) => self.grows(segment),
        }
    }

    /// Does it: call it when nothing waits for a commit. Takes about as long as a few commits.
    ///
    /// # Errors
    /// The disk failed; the log is of no more use.
    pub fn prepare_ahead(&mut self) -> Result<(), Error> {
        self.unless_poisoned(|log| {
            let grows = log.segment.as_ref().is_some_and(|segment| log.grows(segment));
            if log.segment.is_none() && log.blank.is_none() {
                log.blank = Some(log.make_blank()?);
            } else if grows {
                log.grow_segment()?;
            }
            Ok(())
        })
    }

    /// The length of the current file with its zeros; 0 if there is none.
    pub fn file_len(&self) -> u64 {
        self.segment.as_ref().map_or(0, |segment| segment.prewritten)
    }

    /// The bytes of header and records in the current file; 0 if there is none.
    pub fn content_len(&self) -> u64 {
        self.segment.as_ref().map_or(0, |segment| segment.end + self.pending.len() as u64)
    }

    /// Removes every txn above `target`, as a leader orders by TRUNC, and every snapshot that may
    /// show one. The database must be recovered anew afterwards.
    ///
    /// # Errors
    /// No snapshot would be left to start from (nothing is changed then), or the disk failed.
    pub fn truncate(
        &mut self,
        dirs: &DataDirs,
        target: Zxid,
        record_len_max: usize,
    ) -> Result<Truncated, Error> {
        self.roll()?;
        self.unless_poisoned(|log| truncate(&log.disk, dirs, target, record_len_max))
    }

    /// Commits and leaves nothing unfinished behind.
    ///
    /// # Errors
    /// As [`Self::commit`].
    pub fn close(mut self) -> Result<(), Error> {
        self.commit()?;
        match self.blank.take() {
            Some(blank) => self.disk.remove(&blank.path).context(&self.disk, "remove", &blank.path),
            None => Ok(()),
        }
    }

    fn unless_poisoned<T>(
        &mut self,
        run: impl FnOnce(&mut Self) -> Result<T, Error>,
    ) -> Result<T, Error> {
        if self.is_poisoned {
            return Err(Error::Poisoned { path: self.dir.clone() });
        }
        let result = run(self);
        // A target below all snapshots says nothing about the disk.
        self.is_poisoned = !matches!(result, Ok(_) | Err(Error::TruncateTarget { .. }));
        result
    }

    fn append_record(&mut self, zxid: Zxid, txn: &[u8]) -> Result<(), Error> {
        assert!(zxid.0 > 0, "a logged txn has a zxid above 0, not {zxid}");
        if self.segment.is_none() {
            self.open_segment(zxid)?;
        }
        self.pending.reserve(txn.len() + RECORD_OVERHEAD);
        Encoder::new(&mut self.pending)
            .long(i64::from(adler32(&txn)))
            .buffer(Some(txn))
            .raw(&[RECORD_END]);
        if self.pending.len() >= PENDING_MAX { self.write_pending() } else { Ok(()) }
    }

    fn commit_pending(&mut self) -> Result<(), Error> {
        self.write_pending()?;
        self.sync_segment()
    }

    fn write_pending(&mut self) -> Result<(), Error> {
        let Some(segment) = &mut self.segment else { return Ok(()) };
        if self.pending.is_empty() {
            return Ok(());
        }
        segment.write(&self.disk, segment.end, &self.pending)?;
        segment.end += self.pending.len() as u64;
        self.pending.clear();
        self.pending.shrink_to(PENDING_MAX);
        Ok(())
    }

    fn sync_segment(&mut self) -> Result<(), Error> {
        let Some(segment) = &mut self.segment else { return Ok(()) };
        if self.options.force_sync && !segment.is_synced {
            segment.sync(&self.disk)?;
        }
        Ok(())
    }

    /// Gives the blank file the name of its first txn.
    fn open_segment(&mut self, first: Zxid) -> Result<(), Error> {
        let mut segment = match self.blank.take() {
            Some(blank) => blank,
            None => self.make_blank()?,
        };
        let path = self.dir.join(log_name(first));
        self.disk.rename(&segment.path, &path).context(&self.disk, "create", &path)?;
        if self.options.force_sync {
            self.disk.sync_dir(&self.dir).context(&self.disk, "sync", &self.dir)?;
        }
        segment.path = path;
        self.segment = Some(segment);
        Ok(())
    }

    /// Makes a file with a header and the first zeros, under a name that is no log's.
    fn make_blank(&mut self) -> Result<Segment<D::File>, Error> {
        let path = self.dir.join(BLANK_LOG);
        let file = self.disk.create(&path).context(&self.disk, "create", &path)?;
        let mut bytes = Vec::new();
        FileHeader::LOG.encode(&mut Encoder::new(&mut bytes));
        self.chunk = CHUNK_MIN.min(self.options.prewrite_max);
        bytes.resize(FileHeader::LEN + index(self.chunk), 0);
        let end = FileHeader::LEN as u64;
        let mut blank = Segment { file, path, end, prewritten: 0, is_synced: true };
        blank.write(&self.disk, 0, &bytes)?;
        if self.options.force_sync {
            blank.sync(&self.disk)?;
        }
        Ok(blank)
    }

    fn grows(&self, segment: &Segment<D::File>) -> bool {
        self.options.prewrite_max > 0
            && segment.prewritten < segment.end + self.pending.len() as u64 + self.chunk / 2
    }

    /// Writes zeros ahead, twice as many each time.
    fn grow_segment(&mut self) -> Result<(), Error> {
        self.write_pending()?;
        self.chunk = (self.chunk * 2).min(CHUNK_MAX).min(self.options.prewrite_max);
        let Some(segment) = &mut self.segment else { return Ok(()) };
        segment.write(&self.disk, segment.prewritten, &vec![0; index(self.chunk)])?;
        self.sync_segment()
    }
}

impl<F: DiskFile> Segment<F> {
    fn write<D: Disk>(&mut self, disk: &D, offset: u64, bytes: &[u8]) -> Result<(), Error> {
        self.is_synced = false;
        self.file.write_at(offset, bytes).context(disk, "write to", &self.path)?;
        self.prewritten = self.prewritten.max(offset + bytes.len() as u64);
        Ok(())
    }

    fn sync<D: Disk>(&mut self, disk: &D) -> Result<(), Error> {
        self.file.sync_data().context(disk, "sync", &self.path)?;
        self.is_synced = true;
        Ok(())
    }
}

fn index(length: u64) -> usize {
    usize::try_from(length).expect("at most a chunk")
}

/// Makes the directory's names durable after a change.
pub(crate) fn sync_dir<D: Disk>(disk: &D, dir: &Path) -> Result<(), Error> {
    disk.sync_dir(dir).context(disk, "sync", dir)
}

/// Checksum, length and end byte.
pub(crate) const RECORD_OVERHEAD: usize = 13;

/// The zeros of a new file: few, so that a start costs nothing.
const CHUNK_MIN: u64 = 64 * 1024;
/// The most zeros written in one go: about a millisecond of a commit that comes too early.
const CHUNK_MAX: u64 = 512 * 1024;
/// Past this, records go to the file before their commit.
const PENDING_MAX: usize = 1024 * 1024;

#[cfg(test)]
mod tests;
