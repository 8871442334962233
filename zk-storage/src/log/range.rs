//! A part of the history, read from the log again for a learner that lacks more than memory has.
//!
//! It never judges whether the files are of one history: where a snapshot of a leader took their place, the
//! log holds what came before of another one. Who asks knows from where on it is one.
//!
//! It is gone through once before anything of it is given away: a log that was purged, that another server
//! left with a gap, or that is damaged, is noticed while the learner can still get a snapshot. It takes no
//! lock: appending goes on, and what is purged or renamed meanwhile stays open here.
//!
//! Invariant: what it gives follows the txn that the reader has, without a gap, up to the one that was wanted.
//!
//! Java: `FileTxnSnapLog.readTxnLog`, `ZKDatabase.getProposalsFromTxnLog`.

use std::path::Path;

use bytes::Bytes;
use zk_wire::Zxid;

use super::LogReader;
use crate::disk::Disk;
use crate::error::Error;
use crate::names::logs;

/// The txns above one, up to another.
#[derive(Debug)]
pub struct LogRange<D: Disk> {
    /// The files that have them, of which the first is being read.
    readers: Vec<LogReader<D>>,
    /// The last txn that was given.
    given: Zxid,
    until: Zxid,
}

/// Where a range of a log is, and how much of it will do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Wanted {
    /// It begins after this txn, which must be in the log itself.
    pub above: Zxid,
    /// It ends with this one.
    pub until: Zxid,
    /// More than so many bytes of txns are not wanted.
    pub bytes_max: u64,
}

impl<D: Disk> LogRange<D> {
    /// The range, if the logs in `dir` have all of it; no record may pass `length_max` bytes.
    ///
    /// # Errors
    /// A file is damaged, is gone, or cannot be read.
    pub fn open(
        disk: &D,
        dir: &Path,
        wanted: Wanted,
        length_max: usize,
    ) -> Result<Option<Self>, Error> {
        let Wanted { above, until, bytes_max } = wanted;
        let mut files = logs(disk, dir)?;
        let starting_below = files.partition_point(|file| file.zxid <= above);
        files.truncate(files.partition_point(|file| file.zxid <= until));
        let mut readers = Vec::new();
        for file in files.iter().skip(starting_below.saturating_sub(1)) {
            readers.push(LogReader::open(disk, &file.path, length_max)?);
        }
        if !has_all(&mut readers, above, until, bytes_max)? {
            return Ok(None);
        }
        readers.iter_mut().for_each(LogReader::rewind);
        readers.reverse();
        Ok(Some(Self { readers, given: above, until }))
    }

    /// The next txns, at least one and about so many bytes; none when all were given, `None` if the log was cut
    /// meanwhile.
    ///
    /// # Errors
    /// A file cannot be read any more.
    pub fn read(&mut self, bytes: usize) -> Result<Option<Vec<(Zxid, Bytes)>>, Error> {
        let mut txns = Vec::new();
        let mut room = bytes;
        while self.given < self.until {
            let Some(reader) = self.readers.last_mut() else { return Ok(None) };
            let Some(record) = reader.read()? else {
                self.readers.pop();
                continue;
            };
            if record.zxid <= self.given {
                continue;
            }
            self.given = record.zxid;
            txns.push((record.zxid, Bytes::copy_from_slice(record.txn)));
            room = room.saturating_sub(record.txn.len());
            if room == 0 {
                break;
            }
        }
        Ok(Some(txns))
    }

    /// Whether all txns were given.
    pub fn is_over(&self) -> bool {
        self.given >= self.until
    }
}

/// Whether these files have `above` and then one history up to `until`, of so many bytes.
fn has_all<D: Disk>(
    readers: &mut [LogReader<D>],
    above: Zxid,
    until: Zxid,
    bytes_max: u64,
) -> Result<bool, Error> {
    let mut last = None;
    let mut bytes = 0;
    for reader in readers {
        while let Some(record) = reader.read()? {
            match last {
                None if record.zxid < above => continue,
                None if record.zxid == above => {}
                Some(last) if follows(last, record.zxid) => bytes += record.txn.len() as u64,
                None | Some(_) => return Ok(false),
            }
            if record.zxid == until || bytes > bytes_max {
                return Ok(bytes <= bytes_max);
            }
            last = Some(record.zxid);
        }
    }
    Ok(false)
}

/// Whether a txn can be the next one. That no epoch is left out between two is for the caller to know.
fn follows(last: Zxid, zxid: Zxid) -> bool {
    zxid == last.next() || (zxid.epoch() > last.epoch() && zxid.counter() == 1)
}

#[cfg(test)]
mod tests;
