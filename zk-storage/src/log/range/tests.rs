//! Tests of ranges: which logs have one, and that it comes whole whatever happens to the files.

use super::*;
use crate::dirs::DataDirs;
use crate::disk::{DiskFile as _, MemDisk};
use crate::log::{LogOptions, TxnLog};

const LENGTH_MAX: usize = 1 << 20;

struct Fixture {
    disk: MemDisk,
    dirs: DataDirs,
}

impl Fixture {
    /// A directory with a log of each of these lists.
    fn new(files: &[&[i64]]) -> Self {
        let dirs = DataDirs::new(Path::new("/data"), Path::new("/data"));
        let disk = MemDisk::new();
        disk.create_dirs(dirs.log()).unwrap();
        for zxids in files {
            let mut log = TxnLog::new(disk.clone(), &dirs, LogOptions::new(64, true));
            for zxid in *zxids {
                log.append(Zxid(*zxid), &txn(*zxid)).unwrap();
            }
            log.commit().unwrap();
        }
        Self { disk, dirs }
    }

    fn open(&self, above: i64, until: i64) -> Result<Option<LogRange<MemDisk>>, Error> {
        self.open_at_most(above, until, u64::MAX)
    }

    fn open_at_most(
        &self,
        above: i64,
        until: i64,
        bytes_max: u64,
    ) -> Result<Option<LogRange<MemDisk>>, Error> {
        let wanted = Wanted { above: Zxid(above), until: Zxid(until), bytes_max };
        LogRange::open(&self.disk, self.dirs.log(), wanted, LENGTH_MAX)
    }

    /// The zxids of a range, or `None` where the logs do not have it.
    fn range(&self, above: i64, until: i64) -> Option<Vec<i64>> {
        self.open(above, until).unwrap().map(|mut range| rest(&mut range))
    }
}

fn rest(range: &mut LogRange<MemDisk>) -> Vec<i64> {
    let mut zxids = Vec::new();
    while !range.is_over() {
        for (zxid, bytes) in range.read(1).unwrap().expect("nobody cuts the log") {
            assert_eq!(bytes, txn(zxid.0));
            zxids.push(zxid.0);
        }
    }
    assert_eq!(range.read(1).unwrap(), Some(Vec::new()));
    zxids
}

/// A txn that is nothing but a header with this zxid, and some bytes.
fn txn(zxid: i64) -> Vec<u8> {
    let mut bytes = vec![7; TXN_LEN];
    bytes[12..20].copy_from_slice(&zxid.to_be_bytes());
    bytes
}

const TXN_LEN: usize = 100;
/// The first txn of an epoch.
const TWO: i64 = 0x2_0000_0001;
const FOUR: i64 = 0x4_0000_0001;

#[test]
fn a_range_goes_over_files_and_epochs() {
    let logs = Fixture::new(&[&[1, 2, 3], &[4, 5], &[TWO, TWO + 1], &[FOUR]]);
    assert_eq!(logs.range(3, 5), Some(vec![4, 5]));
    assert_eq!(logs.range(1, TWO), Some(vec![2, 3, 4, 5, TWO]));
    assert_eq!(logs.range(4, FOUR), Some(vec![5, TWO, TWO + 1, FOUR]));
    assert_eq!(logs.range(5, TWO), Some(vec![TWO]));
}

#[test]
fn logs_that_lack_a_part_do_not_have_the_range() {
    let table: [(&str, &[&[i64]], i64, i64); 7] = [
        ("the beginning", &[&[4, 5]], 3, 5),
        ("the end", &[&[4, 5]], 4, 6),
        ("a txn between two files", &[&[1, 2], &[4, 5]], 1, 5),
        ("a txn within a file", &[&[1, 2, 4]], 1, 4),
        ("the first of an epoch", &[&[1, 2], &[TWO + 1]], 1, TWO + 1),
        ("the txn that the learner ends with", &[&[1, 3]], 2, 3),
        ("everything", &[], 1, 3),
    ];
    for (lacking, files, above, until) in table {
        assert_eq!(Fixture::new(files).range(above, until), None, "lacking {lacking}");
    }
}

/// Two servers of Java's may leave one txn in two files.
#[test]
fn a_txn_that_stands_twice_is_no_history() {
    assert_eq!(Fixture::new(&[&[1, 2, 3], &[3, 4]]).range(1, 4), None);
}

#[test]
fn a_range_that_is_too_long_is_not_wanted() {
    let logs = Fixture::new(&[&[1, 2, 3, 4]]);
    let len = 2 * TXN_LEN as u64;
    assert!(logs.open_at_most(1, 3, len).unwrap().is_some());
    assert!(logs.open_at_most(1, 3, len - 1).unwrap().is_none());
    assert!(logs.open_at_most(1, 4, len).unwrap().is_none());
}

#[test]
fn what_is_purged_meanwhile_is_still_read() {
    let logs = Fixture::new(&[&[1, 2], &[3, 4], &[5, 6]]);
    let mut range = logs.open(1, 6).unwrap().expect("the logs have it");
    assert_eq!(range.read(1).unwrap().unwrap().len(), 1);
    for file in crate::names::logs(&logs.disk, logs.dirs.log()).unwrap() {
        logs.disk.remove(&file.path).unwrap();
    }
    assert_eq!(rest(&mut range), [3, 4, 5, 6]);
}

#[test]
fn a_log_that_is_cut_meanwhile_ends_it() {
    let logs = Fixture::new(&[&[1, 2, 3, 4]]);
    let mut range = logs.open(1, 4).unwrap().expect("the logs have it");
    let path = crate::names::logs(&logs.disk, logs.dirs.log()).unwrap()[0].path.clone();
    logs.disk.open_writable(&path).unwrap().set_len(16 + 2 * 113).unwrap();
    assert_eq!(range.read(1).unwrap().unwrap().len(), 1);
    assert_eq!(range.read(1).unwrap(), None);
}

#[test]
fn what_is_appended_meanwhile_is_left_alone() {
    let logs = Fixture::new(&[&[1, 2]]);
    let mut log = TxnLog::new(logs.disk.clone(), &logs.dirs, LogOptions::new(64, true));
    log.append(Zxid(3), &txn(3)).unwrap();
    log.commit().unwrap();
    let mut range = logs.open(1, 3).unwrap().expect("the logs have it");
    log.append(Zxid(4), &txn(4)).unwrap();
    log.commit().unwrap();
    assert_eq!(rest(&mut range), [2, 3]);
}

#[test]
fn damage_is_found_before_anything_is_given() {
    let logs = Fixture::new(&[&[1, 2, 3]]);
    let path = crate::names::logs(&logs.disk, logs.dirs.log()).unwrap()[0].path.clone();
    let mut bytes = logs.disk.content(&path).unwrap();
    bytes[16 + 113 + 60] ^= 1;
    logs.disk.put(&path, &bytes);
    let error = logs.open(1, 3).unwrap_err().to_string();
    assert!(error.contains("/data/version-2/log.1"), "{error}");
}
