//! Which snapshot recovery starts from, what it reads in one, and what it does with a damaged one.

use std::path::{Path, PathBuf};

use simd_adler32::adler32;
use zk_storage::{
    Compression, DataDirs, Disk, Error, MemDisk, RecoverOptions, SnapshotFile, SnapshotReader,
    SnapshotSummary, SnapshotWriter, Warning, logs, newest_snapshots, recover, snapshots,
};
use zk_wire::{Encoder, Replica, SnapshotDigest, TxnRecord, Zxid};

use crate::model::Model;
use crate::scratch::{
    OPTIONS, create, empty_disk, fixture_disk, initial, recovered, write_log, write_snapshot,
};

/// A directory with `snapshot.0`, `snapshot.3`, `snapshot.6` and a log of txns 1 to 8.
fn directory(compression: Compression) -> (MemDisk, DataDirs) {
    let (disk, dirs) = empty_disk();
    let mut model = initial();
    let txns: Vec<Vec<u8>> =
        (1..=8).map(|zxid| create(zxid, &format!("/n{zxid}"), b"some data")).collect();
    write_snapshot(&disk, &dirs, &model, compression).unwrap();
    for (txn, number) in txns.iter().zip(1..) {
        model.replay(&TxnRecord::decode(txn).unwrap());
        if number % 3 == 0 {
            write_snapshot(&disk, &dirs, &model, compression).unwrap();
        }
    }
    write_log(&disk, &dirs, &txns);
    (disk, dirs)
}

fn replace(disk: &MemDisk, path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = disk.content(path).unwrap();
    change(&mut bytes);
    disk.remove(path).unwrap();
    disk.put(path, &bytes);
}

const PACKINGS: [Compression; 3] = [Compression::Plain, Compression::Gz, Compression::Snappy];

#[test]
fn the_newest_snapshot_that_loads_is_taken() {
    for compression in PACKINGS {
        let (disk, dirs) = directory(compression);
        let whole = recovered(&disk, &dirs).unwrap();
        assert_eq!((whole.snapshot_zxid, whole.replayed), (Some(Zxid(6)), 2));
        let newest = snapshots(&disk, dirs.snap()).unwrap()[0].path.clone();
        let half = disk.content(&newest).unwrap().len() / 2;
        for (case, change) in [
            ("cut", &(|bytes: &mut Vec<u8>| bytes.truncate(half)) as &dyn Fn(&mut Vec<u8>)),
            ("empty", &(|bytes| bytes.clear())),
            ("a byte changed", &(|bytes| bytes[half] ^= 0x10)),
        ] {
            let copy = disk.fork();
            replace(&copy, &newest, change);
            let older = recovered(&copy, &dirs).unwrap();
            older.replica.assert_is(&whole.replica, case);
            assert_eq!((older.snapshot_zxid, older.replayed), (Some(Zxid(3)), 5), "{case}");
        }
    }
}

#[test]
fn a_snapshot_with_any_byte_changed_or_cut_off_never_loads_as_something_else() {
    for compression in PACKINGS {
        let (disk, dirs) = directory(compression);
        let newest = snapshots(&disk, dirs.snap()).unwrap()[0].clone();
        let read = |disk: &MemDisk| {
            let mut model = Model::default();
            SnapshotReader::read(disk, &newest, OPTIONS.length_max, &mut model).map(|_| model)
        };
        let bytes = disk.content(&newest.path).unwrap();
        let whole = read(&disk).unwrap();
        for at in 0..bytes.len() {
            replace(&disk, &newest.path, |b| {
                b.clone_from(&bytes);
                b[at] ^= 0x20;
            });
            if let Ok(model) = read(&disk) {
                model.assert_is(&whole, "a changed byte");
            }
            replace(&disk, &newest.path, |b| b.truncate(at));
            if let Ok(model) = read(&disk) {
                model.assert_is(&whole, "a cut");
            }
        }
    }
}

#[test]
fn without_any_snapshot_that_loads_nothing_starts() {
    let (disk, dirs) = directory(Compression::Plain);
    for snapshot in snapshots(&disk, dirs.snap()).unwrap() {
        replace(&disk, &snapshot.path, |bytes| bytes[30] ^= 1);
    }
    let error = recovered(&disk, &dirs).unwrap_err();
    assert!(matches!(error, Error::NoValidSnapshot { count: 3, .. }), "{error}");
    assert!(error.to_string().contains("snapshot.6 is damaged at offset "), "{error}");
    assert_eq!(error.exit_code(), 1);
}

#[test]
fn logs_without_a_snapshot_start_only_on_an_operators_word() {
    let (disk, dirs) = directory(Compression::Plain);
    let whole = recovered(&disk, &dirs).unwrap();
    for snapshot in snapshots(&disk, dirs.snap()).unwrap() {
        disk.remove(&snapshot.path).unwrap();
    }
    let error = recovered(&disk, &dirs).unwrap_err();
    assert!(matches!(error, Error::LogWithoutSnapshot { .. }), "{error}");
    assert!(error.to_string().contains("snapshot.trust.empty"), "{error}");
    let options = RecoverOptions { trust_empty: true, ..OPTIONS };
    let trusting = recover(&disk, &dirs, &options, Model::default).unwrap();
    trusting.replica.assert_is(&whole.replica, "trusting");
    assert!(trusting.snapshot_zxid.is_none() && !trusting.was_empty);
}

#[test]
fn a_snapshot_that_is_cut_is_no_empty_start_even_without_logs() {
    let (disk, dirs) = directory(Compression::Plain);
    for snapshot in snapshots(&disk, dirs.snap()).unwrap() {
        replace(&disk, &snapshot.path, |bytes| bytes.truncate(100));
    }
    for log in logs(&disk, dirs.log()).unwrap() {
        disk.remove(&log.path).unwrap();
    }
    let error = recovered(&disk, &dirs).unwrap_err();
    assert!(matches!(error, Error::NoValidSnapshot { count: 3, .. }), "{error}");
}

#[test]
fn a_newer_snapshot_that_is_cut_is_passed_over_with_a_warning() {
    let (disk, dirs) = directory(Compression::Plain);
    let newest = snapshots(&disk, dirs.snap()).unwrap()[0].path.clone();
    let whole = recovered(&disk, &dirs).unwrap();
    replace(&disk, &newest, |bytes| bytes.truncate(100));
    let found = recovered(&disk, &dirs).unwrap();
    found.replica.assert_is(&whole.replica, "the older one and its logs");
    assert!(matches!(&found.warnings[..], [Warning::SnapshotRejected(_)]), "{:?}", found.warnings);
}

#[test]
fn an_empty_directory_gives_the_initial_tree() {
    let (disk, dirs) = empty_disk();
    let recovered = recovered(&disk, &dirs).unwrap();
    assert!(recovered.was_empty && recovered.warnings.is_empty());
    assert_eq!((recovered.last_zxid, recovered.snapshot_zxid), (Zxid::ZERO, None));
    assert_eq!(recovered.replica.digest(), 0x51C6_D660);
    // Java's own first snapshot has the same nodes.
    let (java, java_dirs) = fixture_disk("java-3.9.5/standalone");
    let first = snapshots(&java, java_dirs.snap()).unwrap().pop().unwrap();
    let mut model = Model::default();
    SnapshotReader::read(&java, &first, OPTIONS.length_max, &mut model).unwrap();
    model.assert_is(&recovered.replica, "the first snapshot");
}

#[test]
fn a_snapshot_that_was_not_renamed_is_taken_and_names_that_are_none_are_not() {
    let (disk, dirs) = directory(Compression::Plain);
    let newest = snapshots(&disk, dirs.snap()).unwrap()[0].path.clone();
    disk.put(&dirs.snap().join("snapshot.zzz"), b"something else");
    disk.put(&dirs.snap().join("snapshot.ffffffffffffffff"), b"something else");
    disk.put(&dirs.snap().join(".snapshot.9.tmp"), b"something else");
    disk.rename(&newest, &dirs.snap().join("snapshot.6.tmp")).unwrap();
    assert_eq!(recovered(&disk, &dirs).unwrap().snapshot_zxid, Some(Zxid(6)));
}

/// A snapshot of the initial tree with these bytes after its first seal, each part sealed.
fn with_trailers(parts: &[Vec<u8>]) -> (MemDisk, SnapshotFile) {
    let mut bytes = Vec::new();
    zk_wire::FileHeader::SNAPSHOT.encode(&mut Encoder::new(&mut bytes));
    bytes.extend(initial().snapshot_body());
    Encoder::new(&mut bytes).text("/");
    let mut sealed = Vec::new();
    for part in std::iter::once(bytes).chain(parts.iter().cloned()) {
        sealed.extend(part);
        let seal = adler32(&sealed.as_slice());
        Encoder::new(&mut sealed).long(i64::from(seal)).text("/");
    }
    let (disk, path) = (MemDisk::new(), PathBuf::from("/snapshot.7"));
    disk.put(&path, &sealed);
    (disk, SnapshotFile { zxid: Zxid(7), path, compression: Compression::Plain })
}

fn encoded(encode: impl FnOnce(&mut Encoder<'_>)) -> Vec<u8> {
    let mut bytes = Vec::new();
    encode(&mut Encoder::new(&mut bytes));
    bytes
}

#[test]
fn every_combination_of_trailers_is_read() {
    let digest = encoded(|e| {
        e.long(9).int(2).long(0x51C6_D660);
    });
    let old_digest = encoded(|e| {
        e.long(9).int(1).text("51c6d660");
    });
    let last_zxid = encoded(|e| {
        e.long(11);
    });
    let v2 = SnapshotDigest { zxid: Zxid(9), version: 2, digest: 0x51C6_D660 };
    let v1 = SnapshotDigest { version: 1, ..v2 };
    for (parts, expected) in [
        (vec![], (None, None)),
        (vec![digest.clone()], (Some(v2), None)),
        (vec![digest, last_zxid.clone()], (Some(v2), Some(Zxid(11)))),
        (vec![last_zxid.clone()], (None, Some(Zxid(11)))),
        (vec![old_digest.clone()], (Some(v1), None)),
        (vec![old_digest, last_zxid], (Some(v1), Some(Zxid(11)))),
    ] {
        let (disk, file) = with_trailers(&parts);
        let mut model = Model::default();
        let summary = SnapshotReader::read(&disk, &file, OPTIONS.length_max, &mut model).unwrap();
        assert_eq!((summary.digest, summary.last_zxid), expected, "{parts:?}");
        model.assert_is(&initial(), "trailers");
    }
    for garbage in [vec![0; 5], vec![0; 400], vec![1; 54]] {
        let (disk, file) = with_trailers(&[garbage]);
        let read = SnapshotReader::read(&disk, &file, OPTIONS.length_max, &mut Model::default());
        assert!(matches!(read, Err(Error::DamagedSnapshot { .. })), "{read:?}");
    }
}

#[test]
fn a_digest_is_compared_only_where_java_does() {
    let section = |zxid| SnapshotDigest { zxid: Zxid(zxid), version: 2, digest: 1 };
    for (zxid, is_compared) in [(0, false), (-1, false), (6, false), (7, true), (9, true)] {
        let summary = SnapshotSummary { digest: Some(section(zxid)), ..Default::default() };
        assert_eq!(summary.digest_after(Zxid(7)).is_some(), is_compared, "{zxid}");
    }
}

#[test]
fn a_node_larger_than_the_limit_is_refused_and_one_larger_than_the_buffer_is_read() {
    let (disk, dirs) = empty_disk();
    let mut model = initial();
    for (zxid, size) in [(1, 300_000), (2, 1_000_000), (3, 10)] {
        let txn = create(zxid, &format!("/n{zxid}"), &vec![5; size]);
        model.replay(&TxnRecord::decode(&txn).unwrap());
    }
    for compression in PACKINGS {
        write_snapshot(&disk, &dirs, &model, compression).unwrap();
        let file = snapshots(&disk, dirs.snap()).unwrap().pop().unwrap();
        let mut copy = Model::default();
        SnapshotReader::read(&disk, &file, OPTIONS.length_max, &mut copy).unwrap();
        copy.assert_is(&model, "large nodes");
        let error = SnapshotReader::read(&disk, &file, 999_999, &mut Model::default()).unwrap_err();
        assert!(error.to_string().contains("unreasonable length 1000000"), "{error}");
        disk.remove(&file.path).unwrap();
    }
}

#[test]
fn an_abandoned_snapshot_leaves_no_file() {
    let (disk, dirs) = empty_disk();
    let begin =
        || SnapshotWriter::begin(disk.clone(), dirs.snap(), Zxid(3), Compression::Plain).unwrap();
    let mut writer = begin();
    writer.write(b"some bytes").unwrap();
    assert_eq!(disk.paths().len(), 1);
    assert_eq!(newest_snapshots(&disk, dirs.snap(), 9).unwrap(), []);
    drop(writer);
    assert!(disk.paths().is_empty());

    const ENOSPC: i32 = 28;
    let writer = begin();
    disk.fail_after(1, ENOSPC);
    let error = writer.finish(initial().snapshot_digest(), Zxid(3)).unwrap_err();
    disk.heal();
    assert!(error.to_string().contains("the disk is full"), "{error}");
    assert_eq!(newest_snapshots(&disk, dirs.snap(), 9).unwrap(), []);
}

#[test]
fn a_rejected_snapshot_is_told_of() {
    let (disk, dirs) = directory(Compression::Gz);
    let newest = snapshots(&disk, dirs.snap()).unwrap()[0].path.clone();
    replace(&disk, &newest, |bytes| bytes.truncate(60));
    let warnings = recovered(&disk, &dirs).unwrap().warnings;
    let [Warning::SnapshotRejected(error)] = warnings.as_slice() else { panic!("{warnings:?}") };
    assert!(error.to_string().contains("compressed bytes end early"), "{error}");
}
