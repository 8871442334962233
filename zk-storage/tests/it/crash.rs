//! Crash enumeration: a scripted life of a server on a disk that forgets, stopped after every single
//! change of the disk, in every way in which a crash can treat what was not synced.
//!
//! After each crash recovery finds all that was acknowledged, and nothing but a prefix of what was
//! issued; and the server goes on from there. The same holds when the disk fails instead.

use std::path::Path;

use zk_storage::{
    Compression, Crash, DataDirs, Disk, Error, LogOptions, MemDisk, Operation, TxnLog, purge,
    remove_leftovers,
};
use zk_wire::{Replica, TxnRecord, Zxid};

use crate::model::Model;
use crate::scratch::{
    Choices, OPTIONS, create, empty_disk, initial, recovered, write_snapshot, zxid_of,
};

/// What was done, and what a client may have been told.
pub(crate) struct Life {
    pub(crate) disk: MemDisk,
    pub(crate) dirs: DataDirs,
    /// All txns that may be issued, and the database after each number of them.
    txns: Vec<Vec<u8>>,
    models: Vec<Model>,
    issued: usize,
    acked: usize,
    /// Issued and acked after each number of changes of the disk.
    promises: Vec<(usize, usize)>,
}

impl Life {
    pub(crate) fn new() -> Self {
        Self::with_log_in(Path::new("/data"))
    }

    /// A server whose logs are below `log_dir`.
    fn with_log_in(log_dir: &Path) -> Self {
        let dirs = DataDirs::new(Path::new("/data"), log_dir);
        let disk = MemDisk::new();
        disk.create_dirs(dirs.snap()).unwrap();
        disk.create_dirs(dirs.log()).unwrap();
        let mut choices = Choices(42);
        let txns: Vec<Vec<u8>> = (1..=TXNS)
            .map(|zxid| {
                // From a fraction of a sector to several; every third is full of zeros.
                let data = vec![if zxid % 3 == 0 { 0 } else { 7 }; choices.below(2600)];
                create(zxid, &format!("/node-{zxid}"), &data)
            })
            .collect();
        let mut models = vec![initial()];
        for txn in &txns {
            let mut model = models.last().unwrap().clone();
            model.replay(&TxnRecord::decode(txn).unwrap());
            models.push(model);
        }
        Self { disk, dirs, txns, models, issued: 0, acked: 0, promises: Vec::new() }
    }

    fn log(&self, disk: &MemDisk) -> TxnLog<MemDisk> {
        // Little is written ahead, so that batches end inside and outside of it.
        let options = LogOptions { prewrite_max: 4096, force_sync: true };
        TxnLog::new(disk.clone(), &self.dirs, options)
    }

    /// Appends and commits the next `count` txns.
    fn batch(&mut self, log: &mut TxnLog<MemDisk>, count: usize) -> Result<(), Error> {
        self.append(log, count)?;
        log.commit()?;
        self.promise();
        self.acked = self.issued;
        self.promise();
        Ok(())
    }

    fn append(&mut self, log: &mut TxnLog<MemDisk>, count: usize) -> Result<(), Error> {
        self.promise();
        self.issued += count;
        self.promise();
        let txns = &self.txns[self.issued - count..self.issued];
        txns.iter().try_for_each(|txn| log.append(zxid_of(txn), txn))
    }

    /// Notes what holds after the changes so far; what was issued counts from before its first write,
    /// what is acknowledged from after its last.
    fn promise(&mut self) {
        let done = self.disk.recorded().len();
        let last = self.promises.last().copied().unwrap_or((0, 0));
        self.promises.resize(done, last);
        self.promises.push((self.issued, self.acked));
    }

    fn snapshot(&self, compression: Compression) -> Result<(), Error> {
        let model = &self.models[self.issued];
        write_snapshot(&self.disk, &self.dirs, model, compression).map(drop)
    }

    /// A first start, batches, rolls with snapshots, a purge, and a second start.
    fn live(&mut self) -> Result<(), Error> {
        remove_leftovers(&self.disk, &self.dirs)?;
        recovered(&self.disk, &self.dirs)?;
        self.snapshot(Compression::Plain)?;
        let mut log = self.log(&self.disk);
        log.prepare_ahead()?;
        for count in [1, 3, 1] {
            self.batch(&mut log, count)?;
            log.prepare_ahead()?;
        }
        for compression in [Compression::Gz, Compression::Snappy, Compression::Plain] {
            // The txn that calls for a roll is not committed yet.
            self.append(&mut log, 1)?;
            log.roll()?;
            self.snapshot(compression)?;
            self.batch(&mut log, 4)?;
            self.batch(&mut log, 2)?;
        }
        purge(&self.disk, &self.dirs, 3)?;
        log.close()?;
        remove_leftovers(&self.disk, &self.dirs)?;
        let mut log = self.log(&self.disk);
        self.batch(&mut log, 2)?;
        log.close()
    }

    /// Recovery finds a database between what was acknowledged and what was issued; then two more
    /// txns are logged and found.
    fn check(&self, disk: &MemDisk, (issued, acked): (usize, usize), what: &str) {
        remove_leftovers(disk, &self.dirs).unwrap();
        let before = recovered(disk, &self.dirs).unwrap_or_else(|e| panic!("{what}: {e}"));
        let found = usize::try_from(before.last_zxid.0).unwrap();
        assert!(acked <= found && found <= issued, "{what}: {acked} <= {found} <= {issued}");
        before.replica.assert_is(&self.models[found], what);
        if before.was_empty {
            write_snapshot(disk, &self.dirs, &before.replica, Compression::Plain).unwrap();
        }
        let mut log = self.log(disk);
        for txn in self.txns.iter().skip(found).take(2) {
            log.append(zxid_of(txn), txn).unwrap();
        }
        log.commit().unwrap();
        disk.crash(Crash::LoseAll, &mut |_| 0);
        let after = recovered(disk, &self.dirs).unwrap_or_else(|e| panic!("{what}, again: {e}"));
        let expected = (found + 2).min(self.txns.len());
        after.replica.assert_is(&self.models[expected], what);
    }
}

const TXNS: i64 = 30;
/// Crashes of each kind that has a choice, after each change.
const SEEDS: u64 = 25;

/// Crashes copies of `disk` in every way, and hands each to `check`.
fn each_crash(disk: &MemDisk, at: usize, mut check: impl FnMut(&MemDisk, &str)) -> usize {
    let certain = [(Crash::KeepAll, 0), (Crash::LoseAll, 0)];
    let chosen = (0..SEEDS).flat_map(|seed| [(Crash::Prefix, seed), (Crash::Scatter, seed)]);
    // With everything synced all crashes are one.
    let ways = if disk.is_synced() { 1 } else { usize::MAX };
    let mut count = 0;
    for (crash, seed) in certain.into_iter().chain(chosen).take(ways) {
        let copy = disk.fork();
        let mut choices = Choices(at as u64 * 1000 + seed);
        copy.crash(crash, &mut |n| choices.below(n));
        check(&copy, &format!("{crash:?} with seed {seed} after change {at}"));
        count += 1;
    }
    count
}

/// Lets `life` be lived, and hands out every crash that could have ended it, with what was promised by
/// then. Returns how many.
pub(crate) fn crash_images(
    life: &mut Life,
    mut check: impl FnMut(&Life, &MemDisk, Crashed<'_>),
) -> usize {
    let disk = life.disk.fork();
    life.disk.record();
    life.live().unwrap();
    life.promise();
    let operations = life.disk.recorded();
    let mut images = 0;
    for (at, operation) in std::iter::once(None).chain(operations.iter().map(Some)).enumerate() {
        operation.into_iter().for_each(|operation: &Operation| disk.replay(operation));
        images += each_crash(&disk, at, |copy, what| {
            check(life, copy, Crashed { promised: life.promises[at], what });
        });
    }
    images
}

pub(crate) struct Crashed<'a> {
    promised: (usize, usize),
    what: &'a str,
}

#[test]
fn every_crash_recovers_what_was_acknowledged_and_only_what_was_issued() {
    for log_dir in ["/data", "/log"] {
        let mut life = Life::with_log_in(Path::new(log_dir));
        let images = crash_images(&mut life, |life, image, crashed| {
            life.check(image, crashed.promised, crashed.what);
        });
        assert!(images > 2000, "{images}");
    }
}

#[test]
fn a_disk_that_fails_at_any_change_costs_nothing_that_was_acknowledged() {
    const EIO: i32 = 5;
    const ENOSPC: i32 = 28;
    for errno in [EIO, ENOSPC] {
        for after in 0.. {
            let mut life = Life::new();
            life.disk.fail_after(after, errno);
            let result = life.live();
            life.disk.heal();
            for crash in [Crash::KeepAll, Crash::LoseAll, Crash::Prefix, Crash::Scatter] {
                let (copy, mut choices) = (life.disk.fork(), Choices(after));
                copy.crash(crash, &mut |n| choices.below(n));
                let what = format!("{crash:?} when change {after} failed with {errno}");
                life.check(&copy, (life.issued, life.acked), &what);
            }
            match result {
                Ok(()) => break,
                Err(error) => assert!(matches!(error, Error::Io { .. }), "{error}"),
            }
        }
    }
}

#[test]
fn a_crash_while_the_history_is_cut_leaves_the_old_one_or_a_prefix_down_to_the_new() {
    let mut life = Life::new();
    life.live().unwrap();
    let whole = life.issued;
    let target = whole - 14;
    let start = life.disk.fork();
    life.disk.record();
    life.log(&life.disk).truncate(&life.dirs, Zxid(target as i64), OPTIONS.length_max).unwrap();
    assert_eq!(recovered(&life.disk, &life.dirs).unwrap().last_zxid, Zxid(target as i64));
    let operations = life.disk.recorded();
    for (at, operation) in std::iter::once(None).chain(operations.iter().map(Some)).enumerate() {
        operation.into_iter().for_each(|operation| start.replay(operation));
        each_crash(&start, at, |copy, what| life.check(copy, (whole, target), what));
    }
}

/// A server was killed before its sync, or its sync failed: what it wrote is in the page cache only.
/// The next one shows it to clients, so it must survive what comes then; it was lost, and the log that
/// was begun after it hung in the air: the server after that refused to start.
#[test]
fn what_a_start_recovered_survives_a_crash_of_the_machine() {
    const EIO: i32 = 5;
    let txns = [create(1, "/a", b"1"), create(2, "/b", b"2")];
    for sync_fails in [false, true] {
        let (disk, dirs) = empty_disk();
        write_snapshot(&disk, &dirs, &initial(), Compression::Plain).unwrap();
        let options = LogOptions { force_sync: sync_fails, ..LogOptions::default() };
        let mut log = TxnLog::new(disk.clone(), &dirs, options);
        log.append(Zxid(1), &txns[0]).unwrap();
        log.commit().unwrap();
        log.append(Zxid(2), &txns[1]).unwrap();
        if sync_fails {
            disk.fail_after(1, EIO);
        }
        assert_eq!(log.commit().is_err(), sync_fails);
        // The process is gone, the page cache is not; after the failure its pages count as written.
        let disk = disk.fork();
        assert_eq!(recovered(&disk, &dirs).unwrap().last_zxid, Zxid(2));
        disk.crash(Crash::LoseAll, &mut |_| 0);
        assert_eq!(recovered(&disk, &dirs).unwrap().last_zxid, Zxid(2), "{sync_fails}");
    }
}
