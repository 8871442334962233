//! Reads a log record by record, and says how it ends. Java: `FileTxnLog.FileTxnIterator`.
//!
//! Compat: what ends a file and what condemns it is Java's rule, case by case. A file ends where the
//! bytes do, at a record of length 0, and at a record without its end byte: all of these are what
//! a crash leaves of records that nobody was told of. Everything else is damage.

use std::fmt;
use std::path::{Path, PathBuf};

use simd_adler32::adler32;
use zk_wire::{DecodeError, Decoder, FileHeader, LOG_MAGIC, RECORD_END, TxnRecord, Zxid};

use super::RECORD_OVERHEAD;
use crate::disk::{Disk, DiskFile, MemDisk};
use crate::error::{Damage, Error, IoContext};

/// Reads one log file.
pub struct LogReader<D: Disk> {
    disk: D,
    file: D::File,
    path: PathBuf,
    len: u64,
    length_max: usize,
    buffer: Vec<u8>,
    /// Where in `buffer` the next record starts.
    start: usize,
    /// Where that is in the file.
    offset: u64,
    last: Option<Zxid>,
    tail: Option<Tail>,
}

/// A record as it lies in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct LogRecord<'a> {
    /// Where it starts in the file.
    pub offset: u64,
    /// The zxid in its header.
    pub zxid: Zxid,
    /// The txn: header, body and digest.
    pub txn: &'a [u8],
}

impl LogRecord<'_> {
    /// Where the next record starts.
    pub fn end(&self) -> u64 {
        self.offset + (self.txn.len() + RECORD_OVERHEAD) as u64
    }
}

/// How a log ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tail {
    /// After its last record, or with zeros to the end as far as was looked.
    Clean,
    /// In bytes that are no whole record.
    Torn,
}

impl<D: Disk> LogReader<D> {
    /// Opens a log; no string, buffer or record in it may pass `length_max` bytes.
    ///
    /// # Errors
    /// It cannot be read, or is no log.
    pub fn open(disk: &D, path: &Path, length_max: usize) -> Result<Self, Error> {
        let file = disk.open(path).context(disk, "open", path)?;
        let len = file.len().context(disk, "read", path)?;
        let mut reader = Self {
            disk: disk.clone(),
            file,
            path: path.to_owned(),
            len,
            length_max,
            buffer: Vec::new(),
            start: 0,
            offset: 0,
            last: None,
            tail: None,
        };
        if !reader.fill(FileHeader::LEN)? {
            return Err(reader.damaged(Damage::ShortHeader { length: len }));
        }
        let header = FileHeader::decode(&mut Decoder::new(reader.bytes(FileHeader::LEN)))
            .expect("16 bytes are a header");
        if header.magic != LOG_MAGIC {
            let damage = Damage::Magic { found: header.magic, expected: LOG_MAGIC };
            return Err(reader.damaged(damage));
        }
        reader.advance(FileHeader::LEN);
        Ok(reader)
    }

    /// The next record, or `None` where the log ends.
    ///
    /// # Errors
    /// The file is damaged, or cannot be read.
    pub fn read(&mut self) -> Result<Option<LogRecord<'_>>, Error> {
        let Some(length) = self.next_length()? else { return Ok(None) };
        let whole = length + RECORD_OVERHEAD;
        if !self.fill(whole)? || self.bytes(whole)[whole - 1] != RECORD_END {
            self.tail = Some(Tail::Torn);
            return Ok(None);
        }
        let record = self.bytes(whole);
        let txn = &record[HEAD_LEN..HEAD_LEN + length];
        let expected = Decoder::new(record).long().expect("a record starts with its checksum");
        let found = i64::from(adler32(&txn));
        if expected != found {
            let hole = has_hole(self.offset, record);
            return Err(self.damaged(Damage::Checksum { expected, found, hole }));
        }
        let zxid = zxid_of_txn(txn).map_err(|error| self.damaged(error.into()))?;
        let (offset, start) = (self.offset, self.start + HEAD_LEN);
        self.advance(whole);
        self.last = Some(zxid);
        Ok(Some(LogRecord { offset, zxid, txn: &self.buffer[start..start + length] }))
    }

    /// Begins again with the first record.
    pub(super) fn rewind(&mut self) {
        self.buffer.clear();
        self.start = 0;
        self.offset = FileHeader::LEN as u64;
        (self.last, self.tail) = (None, None);
    }

    /// How the log ended; `None` before it did.
    pub fn tail(&self) -> Option<Tail> {
        self.tail
    }

    /// Where the next record would start.
    pub fn offset(&self) -> u64 {
        self.offset
    }

    /// The file's length, with what follows the last record.
    pub fn file_len(&self) -> u64 {
        self.len
    }

    /// This file with `damage` at the next record.
    fn damaged(&self, damage: Damage) -> Error {
        Error::DamagedLog { path: self.path.clone(), offset: self.offset, damage, last: self.last }
    }

    /// The length of the next txn, or `None` where the log ends.
    fn next_length(&mut self) -> Result<Option<usize>, Error> {
        if self.tail.is_some() {
            return Ok(None);
        }
        let has_head = self.fill(HEAD_LEN)?;
        let length = if has_head {
            Decoder::new(&self.bytes(HEAD_LEN)[8..]).int().expect("the length is in the head")
        } else {
            0
        };
        match usize::try_from(length) {
            Ok(0) => {
                self.tail = Some(if self.is_zero_ahead()? { Tail::Clean } else { Tail::Torn });
                Ok(None)
            }
            Ok(length) if length <= self.length_max => Ok(Some(length)),
            _ => Err(self.damaged(Damage::RecordLength { length, limit: self.length_max })),
        }
    }

    fn advance(&mut self, n: usize) {
        self.start += n;
        self.offset += n as u64;
    }

    /// The next `n` bytes, once [`Self::fill`] said that they are there.
    fn bytes(&self, n: usize) -> &[u8] {
        &self.buffer[self.start..self.start + n]
    }

    /// Whether the file has `n` more bytes; they are in the buffer then.
    fn fill(&mut self, n: usize) -> Result<bool, Error> {
        let remaining = self.len.saturating_sub(self.offset);
        if remaining < n as u64 {
            return Ok(false);
        }
        if self.buffer.len() - self.start < n {
            self.buffer.drain(..self.start);
            self.start = 0;
            let have = self.buffer.len();
            let ahead = usize::try_from(remaining).map_or(CHUNK, |rest| CHUNK.min(rest));
            self.buffer.resize(n.max(ahead), 0);
            let read = self.file.read_at(self.offset + have as u64, &mut self.buffer[have..]);
            let read = read.context(&self.disk, "read", &self.path)?;
            self.buffer.truncate(have + read);
        }
        // Fewer than a moment ago only if someone else cuts the file.
        Ok(self.buffer.len() - self.start >= n)
    }

    /// Whether there are only zeros ahead, as far as a crash can have scattered a batch. The log has
    /// ended: the buffer is not needed any more.
    fn is_zero_ahead(&mut self) -> Result<bool, Error> {
        let until = self.len.min(self.offset + LOOK_AHEAD);
        let mut at = self.offset;
        while at < until {
            let n = usize::try_from(until - at).map_or(CHUNK, |rest| CHUNK.min(rest));
            self.buffer.resize(n, 0);
            let read = self.file.read_at(at, &mut self.buffer);
            let read = read.context(&self.disk, "read", &self.path)?;
            if self.buffer[..read].chunks(ZEROS.len()).any(|part| *part != ZEROS[..part.len()]) {
                return Ok(false);
            }
            at += read.max(1) as u64;
        }
        Ok(true)
    }
}

impl<D: Disk> fmt::Debug for LogReader<D> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LogReader").field("path", &self.path).field("offset", &self.offset).finish()
    }
}

fn zxid_of_txn(txn: &[u8]) -> Result<Zxid, DecodeError> {
    if txn.len() < TXN_HEADER_LEN {
        return Err(DecodeError::Truncated {
            offset: txn.len(),
            missing: TXN_HEADER_LEN - txn.len(),
        });
    }
    Decoder::new(&txn[12..]).long().map(Zxid)
}

/// Whether one of the sectors that a record at `offset` lies in has only zeros of it: then that
/// sector was never written, and the record was never synced.
fn has_hole(offset: u64, record: &[u8]) -> bool {
    let to_boundary = SECTOR - usize::try_from(offset % SECTOR as u64).expect("below a sector");
    let (first, others) = record.split_at(to_boundary.min(record.len()));
    // The first four bytes of every record are zeros anyway.
    std::iter::once(first.get(4..).unwrap_or_default())
        .chain(others.chunks(SECTOR))
        .any(|part| !part.is_empty() && part.iter().all(|byte| *byte == 0))
}

/// Reads any bytes as a log.
pub fn fuzz_log(bytes: &[u8]) {
    let (disk, path) = (MemDisk::new(), Path::new("/log.1"));
    disk.put(path, bytes);
    let Ok(mut reader) = LogReader::open(&disk, path, 1 << 20) else { return };
    while let Ok(Some(record)) = reader.read() {
        let _ = TxnRecord::decode(record.txn);
    }
}

/// Checksum and length.
const HEAD_LEN: usize = 12;
const TXN_HEADER_LEN: usize = 32;
const SECTOR: usize = 512;
const CHUNK: usize = 256 * 1024;
static ZEROS: [u8; 4096] = [0; 4096];
const LOOK_AHEAD: u64 = 1024 * 1024;
