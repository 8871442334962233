//! What a damaged log does to recovery: Java's rules case by case, and never a hole in the history.
//!
//! Each case starts from `snapshot.0`, `log.1` with txns 1 to 4 and `log.5` with txns 5 to 8.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use zk_storage::{
    Compression, DataDirs, Disk, LogOptions, LogReader, MemDisk, RecoverOptions, TxnLog, Warning,
    logs, recover,
};
use zk_wire::{Txn, Zxid};

use crate::model::Model;
use crate::scratch::{
    OPTIONS, bytes_of, create, empty_disk, initial, recovered, write_log, write_snapshot,
};

struct Directory {
    disk: MemDisk,
    dirs: DataDirs,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum File {
    Older,
    Newest,
}

impl Directory {
    fn new() -> Self {
        Self::with_data(2000)
    }

    fn with_data(size: usize) -> Self {
        let txns = |zxids: RangeInclusive<i64>| -> Vec<Vec<u8>> {
            zxids.map(|zxid| create(zxid, &format!("/node-{zxid}"), &vec![7; size])).collect()
        };
        Self::with_logs(&[txns(1..=4), txns(5..=8)])
    }

    fn with_logs(files: &[Vec<Vec<u8>>]) -> Self {
        let (disk, dirs) = empty_disk();
        write_snapshot(&disk, &dirs, &initial(), Compression::Plain).unwrap();
        for txns in files {
            write_log(&disk, &dirs, txns);
        }
        Self { disk, dirs }
    }

    fn path(&self, file: File) -> PathBuf {
        let files = logs(&self.disk, self.dirs.log()).unwrap();
        match file {
            File::Older => files[0].path.clone(),
            File::Newest => files.last().unwrap().path.clone(),
        }
    }

    /// Where each record of a file starts and ends.
    fn records(&self, file: File) -> Vec<(usize, usize)> {
        let path = self.path(file);
        let mut reader = LogReader::open(&self.disk, &path, OPTIONS.length_max).unwrap();
        let mut records = Vec::new();
        while let Some(record) = reader.read().unwrap() {
            let at = |offset| usize::try_from(offset).unwrap();
            records.push((at(record.offset), at(record.end())));
        }
        records
    }

    fn tamper(&self, file: File, tamper: impl FnOnce(&mut Vec<u8>, &[(usize, usize)])) {
        let records = self.records(file);
        let path = self.path(file);
        let mut bytes = self.disk.content(&path).unwrap();
        tamper(&mut bytes, &records);
        self.disk.remove(&path).unwrap();
        self.disk.put(&path, &bytes);
    }

    /// The last zxid and the warnings, or the error.
    fn outcome(&self) -> String {
        self.outcome_with(&OPTIONS)
    }

    fn outcome_with(&self, options: &RecoverOptions) -> String {
        match recover(&self.disk, &self.dirs, options, Model::default) {
            Err(error) => error.to_string(),
            Ok(recovered) => {
                let mut outcome = format!("{}", recovered.last_zxid.0);
                for warning in recovered.warnings {
                    outcome += match warning {
                        Warning::SnapshotRejected(_) => " rejected",
                        Warning::TornTail { .. } => " torn",
                        Warning::HolesCut { .. } => " holes",
                        Warning::DamageCut(_) => " cut",
                        Warning::EmptyLogRemoved { .. } => " empty",
                        Warning::OutOfOrder { .. } => " disordered",
                    };
                }
                outcome
            }
        }
    }
}

/// `in_newest` and `in_older` are what recovery says after the same damage to either file.
fn check(
    case: &str,
    tamper: impl Fn(&mut Vec<u8>, &[(usize, usize)]),
    in_newest: &str,
    in_older: &str,
) {
    for (file, expected) in [(File::Newest, in_newest), (File::Older, in_older)] {
        let directory = Directory::new();
        directory.tamper(file, &tamper);
        let outcome = directory.outcome();
        let is_expected = match expected.strip_prefix("error: ") {
            Some(part) => outcome.contains(part),
            None => outcome == expected,
        };
        assert!(is_expected, "{case}: expected {expected}, is {outcome}");
    }
}

const GAP_AFTER_2: &str =
    "error: log.5 starts with txn 0x5 at offset 16 but the last one before it is 0x2,";
const GAP_AFTER_3: &str =
    "error: log.5 starts with txn 0x5 at offset 16 but the last one before it is 0x3,";

#[test]
fn a_file_that_ends_inside_a_record_ends_before_it() {
    check("in the body", |b, r| b.truncate(r[3].1 - 30), "7 torn", GAP_AFTER_3);
    check("before the end byte", |b, r| b.truncate(r[3].1 - 1), "7 torn", GAP_AFTER_3);
    check("in the checksum", |b, r| b.truncate(r[3].0 + 6), "7 torn", GAP_AFTER_3);
    check("in the zeros of a checksum", |b, r| b.truncate(r[3].0 + 3), "7", GAP_AFTER_3);
    check("between records", |b, r| b.truncate(r[3].0), "7", GAP_AFTER_3);
    check("after the last", |b, r| b.truncate(r[3].1), "8", "8");
    check("zeros after the last", |b, r| b.resize(r[3].1 + 5000, 0), "8", "8");
}

#[test]
fn a_record_without_its_end_byte_ends_the_file() {
    check("the last", |b, r| b[r[3].1 - 1] = 0, "7 torn", GAP_AFTER_3);
    check("one in the middle", |b, r| b[r[2].1 - 1] = 0x41, "6 torn", GAP_AFTER_2);
    check("zeros from its middle", |b, r| b[r[3].0 + 30..].fill(0), "7 torn", GAP_AFTER_3);
    check("a zeroed record", |b, r| b[r[2].0..r[2].1].fill(0), "6 torn", GAP_AFTER_2);
    check("length 0", |b, r| b[r[3].0 + 8..r[3].0 + 12].fill(0), "7 torn", GAP_AFTER_3);
    let long = |b: &mut Vec<u8>, r: &[(usize, usize)]| {
        b[r[3].0 + 8..r[3].0 + 12].copy_from_slice(&[0, 1, 0, 0]);
    };
    check("longer than the file", long, "7 torn", GAP_AFTER_3);
}

#[test]
fn a_record_that_is_whole_but_wrong_stops_the_start() {
    let first = "error: is damaged at offset 16: ";
    check("checksum of the last", |b, r| b[r[3].0 + 40] ^= 1, "error: checksum", "error: checksum");
    check("checksum of the first", |b, r| b[r[0].0 + 40] ^= 1, first, first);
    for (length, text) in [([0xff; 4], "-1 bytes"), ([0x80, 0, 0, 0], "-2147483648 bytes")] {
        let set = |b: &mut Vec<u8>, r: &[(usize, usize)]| {
            b[r[1].0 + 8..r[1].0 + 12].copy_from_slice(&length);
        };
        let expected = format!("error: a record of {text}, the limit is 2097150");
        check("length", set, &expected, &expected);
    }
    let absurd = |b: &mut Vec<u8>, r: &[(usize, usize)]| b[r[1].0 + 8] = 0x7f;
    check("absurd length", absurd, "error: the limit is 2097150", "error: the limit is 2097150");
}

#[test]
fn a_file_without_a_header_is_forgiven_only_to_the_newest() {
    check("0 bytes", |b, _| b.clear(), "4 empty", "error: a file of 0 bytes has no header");
    check("15 bytes", |b, _| b.truncate(15), "4 empty", "error: a file of 15 bytes has no header");
    check("a header alone", |b, _| b.truncate(16), "4", "error: last one before it is 0x0,");
    check("header and zeros", |b, _| b[16..].fill(0), "4", "error: last one before it is 0x0,");
    let zero_magic = "error: magic number is 0x00000000, not 0x5a4b4c47";
    check("all zeros", |b, _| b.fill(0), zero_magic, zero_magic);
    let foreign = |b: &mut Vec<u8>, _: &[(usize, usize)]| b[..4].copy_from_slice(b"\x7fELF");
    check("foreign", foreign, "error: offset 0: the magic", "error: offset 0: the magic");
    check("version and dbid", |b, _| b[4..16].fill(77), "8", "8");
}

#[test]
fn a_batch_that_reached_the_disk_in_part_is_cut_off_and_the_file_stays_readable() {
    // A whole sector of the record is zeros: it was never written, so the batch was never synced.
    let hole = |b: &mut Vec<u8>, r: &[(usize, usize)]| {
        let start = (r[2].0 / 512 + 2) * 512;
        b[start..start + 512].fill(0);
    };
    check("in the middle", hole, "6 holes", "error: checksum");
    let head = |b: &mut Vec<u8>, r: &[(usize, usize)]| {
        let end = (r[2].0 / 512 + 1) * 512;
        b[r[2].0 + 12..end].fill(0);
    };
    check("not a whole sector", head, "error: checksum", "error: checksum");

    let directory = Directory::new();
    directory.tamper(File::Newest, hole);
    assert_eq!(directory.outcome(), "6 holes");
    assert_eq!(directory.outcome(), "6");
    write_log(&directory.disk, &directory.dirs, &[create(7, "/seven", b"")]);
    assert_eq!(directory.outcome(), "7");
}

#[test]
fn an_operator_can_have_the_damaged_end_of_the_newest_log_dropped() {
    let allowed = RecoverOptions { drop_damaged_tail: true, ..OPTIONS };
    let directory = Directory::new();
    directory.tamper(File::Newest, |b, r| b[r[2].0 + 40] ^= 1);
    let refusal = directory.outcome();
    assert!(refusal.contains("the last good txn before it is 0x6"), "{refusal}");
    assert_eq!(directory.outcome_with(&allowed), "6 cut");
    assert_eq!(directory.outcome(), "6");

    let directory = Directory::new();
    directory.tamper(File::Older, |b, r| b[r[2].0 + 40] ^= 1);
    assert!(directory.outcome_with(&allowed).contains("checksum"));
}

#[test]
fn a_missing_log_is_noticed() {
    let directory = Directory::new();
    directory.disk.remove(&directory.path(File::Older)).unwrap();
    let outcome = directory.outcome();
    assert!(outcome.contains("starts with txn 0x5 at offset 16 but the last one before it is 0x0"));
    assert!(outcome.contains("restore the missing log"), "{outcome}");
}

#[test]
fn the_order_of_txns_is_checked_within_an_epoch_only() {
    let txn = |zxid| create(zxid, &format!("/node-{zxid}"), b"");
    for (zxids, expected) in [
        (vec![1, 2, 0x1_0000_0001, 0x2_0000_0002], "8589934594"),
        (vec![1, 2, 2, 1, 3], "3 disordered"),
        (vec![1, 3], "but the last one before it is 0x1"),
        (vec![1, 0x1_0000_0001, 0x1_0000_0003], "but the last one before it is 0x100000001"),
    ] {
        let directory = Directory::with_logs(&[zxids.into_iter().map(txn).collect()]);
        let outcome = directory.outcome();
        assert!(outcome.contains(expected), "expected {expected}, is {outcome}");
    }
}

#[test]
fn a_txn_that_no_server_writes_stops_the_start() {
    let mut unknown = bytes_of(1, Txn::Error { code: -110 });
    unknown[28..32].copy_from_slice(&99_i32.to_be_bytes());
    let (disk, dirs) = empty_disk();
    write_snapshot(&disk, &dirs, &initial(), Compression::Plain).unwrap();
    let mut log = TxnLog::new(disk.clone(), &dirs, LogOptions::default());
    log.append(Zxid(1), &unknown).unwrap();
    log.close().unwrap();
    let error = recovered(&disk, &dirs).unwrap_err().to_string();
    assert!(error.contains("log.1 is damaged at offset 16: unsupported txn type 99"), "{error}");
}

#[test]
fn the_newest_log_cut_at_any_byte_gives_the_txns_before_the_cut() {
    let directory = Directory::with_data(50);
    let (path, records) = (directory.path(File::Newest), directory.records(File::Newest));
    let bytes = directory.disk.content(&path).unwrap();
    for len in 0..=bytes.len() {
        directory.disk.remove(&path).unwrap();
        directory.disk.put(&path, &bytes[..len]);
        let whole = records.iter().filter(|(_, end)| *end <= len).count();
        let recovered = recovered(&directory.disk, &directory.dirs).unwrap();
        assert_eq!(recovered.last_zxid.0, 4 + i64::try_from(whole).unwrap(), "cut at {len}");
        directory.disk.put(&path, &bytes);
    }
}

#[test]
fn a_log_with_any_byte_changed_gives_a_prefix_or_an_error() {
    let txns: Vec<_> = (1..=4).map(|zxid| create(zxid, &format!("/n{zxid}"), b"data")).collect();
    let directory = Directory::with_logs(std::slice::from_ref(&txns));
    let path = directory.path(File::Newest);
    let bytes = directory.disk.content(&path).unwrap();
    let whole = recovered(&directory.disk, &directory.dirs).unwrap().replica;
    for at in 0..bytes.len() {
        for change in [1, 0x80, bytes[at]] {
            let mut changed = bytes.clone();
            changed[at] ^= change;
            directory.disk.remove(&path).unwrap();
            directory.disk.put(&path, &changed);
            let Ok(found) = recovered(&directory.disk, &directory.dirs) else { continue };
            for (path, node) in &found.replica.nodes {
                let is_parent = path.is_empty();
                assert!(is_parent || whole.nodes[path] == *node, "byte {at} changed {path}");
            }
            assert!(whole.replayed.starts_with(&found.replica.replayed), "byte {at}");
        }
    }
}
