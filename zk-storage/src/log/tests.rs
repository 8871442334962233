//! Tests of the log's writer: which files there are, how long, and what a failure leaves.

use std::path::Path;

use super::*;
use crate::disk::{Crash, MemDisk};
use crate::names::logs;

const LENGTH_MAX: usize = 1 << 20;

struct Fixture {
    disk: MemDisk,
    dirs: DataDirs,
}

impl Fixture {
    fn new() -> Self {
        let dirs = DataDirs::new(Path::new("/data"), Path::new("/data"));
        let disk = MemDisk::new();
        disk.create_dirs(dirs.log()).unwrap();
        Self { disk, dirs }
    }

    fn log(&self, pre_alloc_size_kb: i64) -> TxnLog<MemDisk> {
        TxnLog::new(self.disk.clone(), &self.dirs, LogOptions::new(pre_alloc_size_kb, true))
    }

    /// Name and zxids of each log.
    fn files(&self) -> Vec<(String, Vec<i64>)> {
        let mut files = Vec::new();
        for file in logs(&self.disk, self.dirs.log()).unwrap() {
            let mut reader = LogReader::open(&self.disk, &file.path, LENGTH_MAX).unwrap();
            let mut zxids = Vec::new();
            while let Some(record) = reader.read().unwrap() {
                zxids.push(record.zxid.0);
            }
            assert_eq!(reader.tail(), Some(Tail::Clean));
            files.push((file.path.file_name().unwrap().to_str().unwrap().to_owned(), zxids));
        }
        files
    }
}

/// A txn that is nothing but a header with this zxid, and some bytes.
fn txn(zxid: i64, body: usize) -> Vec<u8> {
    let mut bytes = vec![7; 32 + body];
    bytes[12..20].copy_from_slice(&zxid.to_be_bytes());
    bytes
}

fn append(log: &mut TxnLog<MemDisk>, zxid: i64, body: usize) {
    log.append(Zxid(zxid), &txn(zxid, body)).unwrap();
}

#[test]
fn a_new_file_is_opened_by_the_first_append_after_a_start_and_after_a_roll() {
    let fixture = Fixture::new();
    let mut log = fixture.log(64);
    assert_eq!(fixture.files(), []);
    append(&mut log, 1, 10);
    append(&mut log, 2, 10);
    log.roll().unwrap();
    assert_eq!((log.file_len(), log.content_len()), (0, 0));
    append(&mut log, 3, 10);
    log.commit().unwrap();
    drop(log);
    let mut log = fixture.log(64);
    append(&mut log, 0x1f, 10);
    log.close().unwrap();
    let expected = [("log.1", vec![1, 2]), ("log.3", vec![3]), ("log.1f", vec![0x1f])];
    assert_eq!(fixture.files(), expected.map(|(name, zxids)| (name.to_owned(), zxids)));
}

#[test]
fn zeros_are_written_ahead_and_a_commit_within_them_does_not_change_the_length() {
    let fixture = Fixture::new();
    let mut log = fixture.log(65536);
    assert!(log.wants_preparation());
    log.prepare_ahead().unwrap();
    assert!(!log.wants_preparation());
    append(&mut log, 1, 10);
    log.commit().unwrap();
    assert_eq!(log.file_len(), 16 + CHUNK_MIN);
    append(&mut log, 2, 40_000);
    log.commit().unwrap();
    assert_eq!(log.file_len(), 16 + CHUNK_MIN);
    assert!(log.wants_preparation());
    log.prepare_ahead().unwrap();
    assert_eq!(log.file_len(), 16 + 3 * CHUNK_MIN);
    assert_eq!(fixture.files()[0].1, [1, 2]);
    let on_disk = fixture.disk.content(&fixture.dirs.log().join("log.1")).unwrap().len();
    assert_eq!(on_disk as u64, log.file_len());
}

#[test]
fn without_preallocation_a_file_is_as_long_as_its_records() {
    for kb in [0, -1] {
        let fixture = Fixture::new();
        let mut log = fixture.log(kb);
        append(&mut log, 1, 10);
        log.commit().unwrap();
        assert!(!log.wants_preparation());
        assert_eq!(log.file_len(), log.content_len());
        let content = fixture.disk.content(&fixture.dirs.log().join("log.1")).unwrap();
        assert_eq!(content.len() as u64, log.content_len());
    }
}

#[test]
fn a_record_larger_than_everything_written_ahead_is_read_back() {
    let fixture = Fixture::new();
    let mut log = fixture.log(4);
    append(&mut log, 1, 3 * PENDING_MAX / 4);
    append(&mut log, 2, 3 * PENDING_MAX / 4);
    log.commit().unwrap();
    append(&mut log, 3, 1);
    log.commit().unwrap();
    assert_eq!(fixture.files()[0].1, [1, 2, 3]);
}

#[test]
fn what_was_committed_survives_the_loss_of_all_that_was_not_synced() {
    let fixture = Fixture::new();
    let mut log = fixture.log(64);
    append(&mut log, 1, 10);
    log.commit().unwrap();
    append(&mut log, 2, 10);
    log.roll().unwrap();
    append(&mut log, 3, 10);
    fixture.disk.crash(Crash::LoseAll, &mut |_| 0);
    let expected = [("log.1", vec![1, 2]), ("log.3", vec![])];
    assert_eq!(fixture.files(), expected.map(|(name, zxids)| (name.to_owned(), zxids)));
}

#[test]
fn with_force_sync_off_nothing_is_synced() {
    let fixture = Fixture::new();
    let options = LogOptions::new(64, false);
    let mut log = TxnLog::new(fixture.disk.clone(), &fixture.dirs, options);
    fixture.disk.record();
    append(&mut log, 1, 10);
    log.commit().unwrap();
    let is_sync = |operation: &crate::Operation| {
        matches!(operation, crate::Operation::SyncData { .. } | crate::Operation::SyncDir(_))
    };
    assert!(!fixture.disk.recorded().iter().any(is_sync));
}

#[test]
fn after_a_failed_sync_the_log_refuses_everything() {
    const EIO: i32 = 5;
    let fixture = Fixture::new();
    let mut log = fixture.log(64);
    append(&mut log, 1, 10);
    log.commit().unwrap();
    append(&mut log, 2, 10);
    fixture.disk.fail_after(1, EIO);
    let error = log.commit().unwrap_err().to_string();
    assert!(error.starts_with("cannot sync /data/version-2/log.1: "), "{error}");
    fixture.disk.heal();
    for result in [log.commit(), log.append(Zxid(3), &txn(3, 1)), log.prepare_ahead(), log.roll()] {
        assert!(matches!(result, Err(Error::Poisoned { .. })), "{result:?}");
    }
}

#[test]
fn a_closed_log_leaves_nothing_unfinished() {
    let fixture = Fixture::new();
    let mut log = fixture.log(64);
    log.prepare_ahead().unwrap();
    assert_eq!(fixture.disk.paths().len(), 1);
    log.close().unwrap();
    assert!(fixture.disk.paths().is_empty());
}
