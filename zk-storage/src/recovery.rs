//! From files to a database: the newest snapshot that loads, then the log above it.
//!
//! It never starts from less than it can prove: a snapshot without its logs, logs without a snapshot,
//! a hole between txns or a damaged record is an error, not a shorter history. The one thing it
//! drops is what a crash leaves of a batch that was never synced, at the end of the newest log.
//!
//! Java: `FileTxnSnapLog.restore`, `FileSnap.deserialize`.

use std::io;
use std::path::{Path, PathBuf};

use zk_wire::{Acl, FileHeader, Replica, StatPersisted, TxnRecord, Zxid};

use crate::dirs::DataDirs;
use crate::disk::{Disk, DiskFile};
use crate::error::{Damage, Error, IoContext};
use crate::log::{LogReader, LogRecord, Tail, sync_dir};
use crate::names::{LogFile, logs, snapshots};
use crate::snapshot::SnapshotReader;

/// What recovery may do on an operator's word, and the limits of what it reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecoverOptions {
    /// Replay logs that have no snapshot. Java: `zookeeper.snapshot.trust.empty`.
    pub trust_empty: bool,
    /// Drop what follows the first damaged record of the newest log instead of refusing to start:
    /// txns that clients saw acknowledged may be lost.
    pub drop_damaged_tail: bool,
    /// The longest string, buffer or txn. Java: `jute.maxbuffer` and its `extrasize`.
    pub length_max: usize,
}

impl Default for RecoverOptions {
    fn default() -> Self {
        Self { trust_empty: false, drop_damaged_tail: false, length_max: 2 * 0xf_ffff }
    }
}

/// A database as the files have it.
#[derive(Debug)]
pub struct Recovered<R> {
    /// What was filled.
    pub replica: R,
    /// The last txn in it; 0 in an empty database.
    pub last_zxid: Zxid,
    /// The snapshot it started from.
    pub snapshot_zxid: Option<Zxid>,
    /// How many txns were replayed.
    pub replayed: u64,
    /// Neither snapshot nor txn was there.
    pub was_empty: bool,
    /// What was not as it should be, but could be handled.
    pub warnings: Vec<Warning>,
}

/// Something an operator should read about.
#[derive(Debug)]
pub enum Warning {
    /// A snapshot did not load, and an older one was tried.
    SnapshotRejected(Error),
    /// A log ended in bytes that are no whole record: a batch that was never synced.
    TornTail {
        /// The file.
        path: PathBuf,
        /// Where its last good record ends.
        offset: u64,
    },
    /// The newest log was cut where a batch that was never synced had left holes.
    HolesCut {
        /// The file.
        path: PathBuf,
        /// Its new length.
        offset: u64,
    },
    /// A damaged record and all after it were cut off, as the operator allowed.
    DamageCut(Error),
    /// The newest log had no header, hence no record, and was removed.
    EmptyLogRemoved {
        /// The file.
        path: PathBuf,
    },
    /// Some records had a lower zxid than the one before them; all were applied.
    OutOfOrder {
        /// The file.
        path: PathBuf,
        /// How many.
        count: u64,
    },
}

/// Recovers the database in `dirs`.
///
/// `make` gives a fresh replica for each attempt to load a snapshot. Before any replay it is restored:
/// from the snapshot, or, where there is none, to the initial tree of a new database. The files are
/// touched only to make a crash's leftovers harmless to all readers, and to make durable what was read.
///
/// # Errors
/// The files cannot be read, or going on would lose txns.
pub fn recover<D: Disk, R: Replica>(
    disk: &D,
    dirs: &DataDirs,
    options: &RecoverOptions,
    make: impl FnMut() -> R,
) -> Result<Recovered<R>, Error> {
    let mut recovered = load_snapshot(disk, dirs.snap(), options, make)?;
    let mut files = logs(disk, dirs.log())?;
    if recovered.snapshot_zxid.is_none() && !options.trust_empty {
        refuse_loss(disk, dirs, &files, &mut recovered.warnings)?;
    }
    remove_empty_newest(disk, dirs.log(), &mut files, &mut recovered.warnings)?;
    let start = recovered.last_zxid;
    for (index, file) in files.iter().enumerate() {
        // Of the files that start at or below the snapshot, only the last one reaches above it.
        if files.get(index + 1).is_some_and(|next| next.zxid <= start.next()) {
            continue;
        }
        let is_newest = index + 1 == files.len();
        replay(disk, file, is_newest, options, &mut recovered)?;
    }
    recovered.was_empty = recovered.snapshot_zxid.is_none() && recovered.replayed == 0;
    settle(disk, dirs, files.last(), recovered.replayed > 0)?;
    Ok(recovered)
}

/// Refuses to start empty where there was something: a snapshot that does not load, or a log, even an
/// empty one, since every server writes its first snapshot before its first log.
///
/// A damaged snapshot.0 alone is nothing: a crash of a Java server's very first start may leave it.
fn refuse_loss<D: Disk>(
    disk: &D,
    dirs: &DataDirs,
    files: &[LogFile],
    warnings: &mut Vec<Warning>,
) -> Result<(), Error> {
    let snapshots = snapshots(disk, dirs.snap())?;
    if files.is_empty() && snapshots.iter().all(|snapshot| snapshot.zxid == Zxid::ZERO) {
        return Ok(());
    }
    let path = dirs.snap().to_owned();
    if let Some(Warning::SnapshotRejected(newest)) = warnings.drain(..).next() {
        let count = snapshots.len();
        return Err(Error::NoValidSnapshot { path, count, newest: Box::new(newest) });
    }
    let log = files.first().map_or_else(|| dirs.log().to_owned(), |log| log.path.clone());
    Err(Error::LogWithoutSnapshot { path, log })
}

/// Makes durable what was read: clients are about to see it, and later logs build on it.
///
/// A process that was killed leaves txns and names that are in the page cache only. After a sync that
/// failed they are there as well, but count as written: a second sync alone would do nothing.
fn settle<D: Disk>(
    disk: &D,
    dirs: &DataDirs,
    newest: Option<&LogFile>,
    has_replayed: bool,
) -> Result<(), Error> {
    if let Some(LogFile { path, .. }) = newest.filter(|_| has_replayed) {
        let mut file = disk.open_writable(path).context(disk, "open", path)?;
        rewrite(&mut file).context(disk, "write to", path)?;
        file.sync_data().context(disk, "sync", path)?;
    }
    sync_dir(disk, dirs.snap())?;
    if dirs.log() != dirs.snap() { sync_dir(disk, dirs.log()) } else { Ok(()) }
}

/// Writes over a file what it has.
fn rewrite<F: DiskFile>(file: &mut F) -> io::Result<()> {
    let mut chunk = vec![0; CHUNK];
    let mut offset = 0;
    loop {
        let n = file.read_at(offset, &mut chunk)?;
        if n == 0 {
            return Ok(());
        }
        file.write_at(offset, &chunk[..n])?;
        offset += n as u64;
    }
}

const CHUNK: usize = 256 * 1024;

/// The newest snapshot that loads, or the tree of a new server if there never was one.
fn load_snapshot<D: Disk, R: Replica>(
    disk: &D,
    dir: &Path,
    options: &RecoverOptions,
    mut make: impl FnMut() -> R,
) -> Result<Recovered<R>, Error> {
    let mut recovered = Recovered {
        replica: make(),
        last_zxid: Zxid::ZERO,
        snapshot_zxid: None,
        replayed: 0,
        was_empty: false,
        warnings: Vec::new(),
    };
    let candidates = snapshots(disk, dir)?;
    for snapshot in candidates.iter().take(CANDIDATES_MAX) {
        let result =
            SnapshotReader::read(disk, snapshot, options.length_max, &mut recovered.replica);
        match result {
            Ok(_) => {
                recovered.last_zxid = snapshot.zxid;
                recovered.snapshot_zxid = Some(snapshot.zxid);
                return Ok(recovered);
            }
            Err(error) => {
                recovered.warnings.push(Warning::SnapshotRejected(error));
                recovered.replica = make();
            }
        }
    }
    restore_initial_tree(&mut recovered.replica);
    Ok(recovered)
}

/// What Java has before its first snapshot; logs without a snapshot build on it.
fn restore_initial_tree<R: Replica>(replica: &mut R) {
    const OPEN: i64 = -1;
    const READABLE: i64 = 1;
    replica.restore_acl(READABLE, vec![Acl::world_readable()]);
    let stat = StatPersisted::default();
    let config = StatPersisted { aversion: -1, ..stat };
    for (path, acl, stat) in [
        ("", OPEN, stat),
        ("/zookeeper", OPEN, stat),
        ("/zookeeper/config", READABLE, config),
        ("/zookeeper/quota", OPEN, stat),
    ] {
        let restored = replica.restore_node(path, Some(b""), acl, &stat);
        restored.expect("an empty replica takes a tree whose parents come first");
    }
    replica.restored(Zxid::ZERO, None);
}

/// Compat: a crash can leave Java's newest log without a header. Java 3.8 refuses to start then, 3.9
/// deletes a file of length 0; a file that is too short for a header never held a record.
fn remove_empty_newest<D: Disk>(
    disk: &D,
    dir: &Path,
    files: &mut Vec<LogFile>,
    warnings: &mut Vec<Warning>,
) -> Result<(), Error> {
    let Some(newest) = files.last() else { return Ok(()) };
    let path = newest.path.clone();
    let len = disk.open(&path).and_then(|file| file.len()).context(disk, "read", &path)?;
    if len < FileHeader::LEN as u64 {
        disk.remove(&path).context(disk, "remove", &path)?;
        sync_dir(disk, dir)?;
        files.pop();
        warnings.push(Warning::EmptyLogRemoved { path });
    }
    Ok(())
}

/// Replays what one log has above the snapshot.
fn replay<D: Disk, R: Replica>(
    disk: &D,
    file: &LogFile,
    is_newest: bool,
    options: &RecoverOptions,
    recovered: &mut Recovered<R>,
) -> Result<(), Error> {
    let path = &file.path;
    let mut reader = LogReader::open(disk, path, options.length_max)?;
    let mut out_of_order = 0;
    loop {
        let offset = reader.offset();
        let (LogRecord { zxid, txn: bytes, .. }, txn) =
            match next_txn(&mut reader, path, recovered.last_zxid) {
                Ok(Some(next)) => next,
                Ok(None) => break,
                Err(error) if is_newest => {
                    cut(disk, path, offset, error, options, &mut recovered.warnings)?;
                    break;
                }
                Err(error) => return Err(error),
            };
        if recovered.snapshot_zxid.is_some_and(|snapshot| zxid <= snapshot) {
            continue;
        }
        let last = recovered.last_zxid;
        if zxid > last.next() && zxid.epoch() == last.epoch() && !is_first_of_all(recovered) {
            return Err(Error::Gap { path: path.clone(), offset, found: zxid, last });
        }
        out_of_order += u64::from(zxid <= last);
        recovered.replica.replay(&txn);
        recovered.replica.replayed(zxid, bytes);
        recovered.replayed += 1;
        recovered.last_zxid = last.max(zxid);
    }
    if reader.tail() == Some(Tail::Torn) {
        let offset = reader.offset();
        recovered.warnings.push(Warning::TornTail { path: path.clone(), offset });
    }
    if out_of_order > 0 {
        let warning = Warning::OutOfOrder { path: path.clone(), count: out_of_order };
        recovered.warnings.push(warning);
    }
    Ok(())
}

/// Logs without a snapshot start where they start.
fn is_first_of_all<R>(recovered: &Recovered<R>) -> bool {
    recovered.snapshot_zxid.is_none() && recovered.replayed == 0
}

fn next_txn<'a, D: Disk>(
    reader: &'a mut LogReader<D>,
    path: &Path,
    last: Zxid,
) -> Result<Option<(LogRecord<'a>, TxnRecord)>, Error> {
    let Some(record) = reader.read()? else { return Ok(None) };
    match TxnRecord::decode(record.txn) {
        Ok(txn) => Ok(Some((record, txn))),
        Err(error) => {
            let (path, offset) = (path.to_owned(), record.offset);
            Err(Error::DamagedLog { path, offset, damage: error.into(), last: Some(last) })
        }
    }
}

/// Cuts the newest log at its first damaged record, if that was never synced or may be dropped.
///
/// A batch is written in sectors that reach the disk in any order, so a crash can leave a record with
/// its end byte but without its middle. Java would refuse the file; cut, all versions read it.
fn cut<D: Disk>(
    disk: &D,
    path: &Path,
    offset: u64,
    error: Error,
    options: &RecoverOptions,
    warnings: &mut Vec<Warning>,
) -> Result<(), Error> {
    let has_hole =
        matches!(error, Error::DamagedLog { damage: Damage::Checksum { hole: true, .. }, .. });
    if !has_hole && !options.drop_damaged_tail {
        return Err(error);
    }
    let mut file = disk.open_writable(path).context(disk, "open", path)?;
    file.set_len(offset).context(disk, "cut", path)?;
    file.sync_data().context(disk, "sync", path)?;
    warnings.push(if has_hole {
        Warning::HolesCut { path: path.to_owned(), offset }
    } else {
        Warning::DamageCut(error)
    });
    Ok(())
}

/// How many snapshots Java tries.
const CANDIDATES_MAX: usize = 100;
