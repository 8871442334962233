//! What is done to a directory around a server's life: taking it, purging, cutting, epoch files.

use std::fs;
use std::path::Path;

use zk_storage::{
    Compression, DataDirs, Disk, Epochs, LogOptions, MemDisk, RealDisk, Truncated, TxnLog,
    dir_size, logs, purge, recover, remove_leftovers, snapshots,
};
use zk_wire::{Epoch, Replica, TxnRecord, Zxid};

use crate::model::Model;
use crate::scratch::{
    OPTIONS, create, empty_disk, fixture_disk, initial, recovered, write_log, write_snapshot,
};

/// A directory with logs of four txns each and a snapshot of the zxid before each of them.
fn directory(files: i64) -> (MemDisk, DataDirs) {
    let (disk, dirs) = empty_disk();
    let mut model = initial();
    for file in 0..files {
        write_snapshot(&disk, &dirs, &model, Compression::Plain).unwrap();
        let zxids = 4 * file + 1..=4 * file + 4;
        let txns: Vec<_> = zxids.map(|zxid| create(zxid, &format!("/n{zxid}"), b"")).collect();
        write_log(&disk, &dirs, &txns);
        for txn in &txns {
            model.replay(&TxnRecord::decode(txn).unwrap());
        }
    }
    (disk, dirs)
}

fn names(disk: &MemDisk) -> Vec<String> {
    let name = |path: &Path| path.file_name().unwrap().to_str().unwrap().to_owned();
    disk.paths().iter().map(|path| name(path)).collect()
}

#[test]
fn a_directory_is_made_and_two_servers_cannot_have_it() {
    let above = tempfile::tempdir().unwrap();
    let data = above.path().join("a/data");
    let dirs = DataDirs::new(&data, &data);
    let missing = dirs.take(&RealDisk, false).unwrap_err();
    assert!(missing.to_string().contains("it does not exist"), "{missing}");
    let locks = dirs.take(&RealDisk, true).unwrap();
    assert_eq!(locks.len(), 1);
    let held = dirs.take(&RealDisk, true).unwrap_err();
    assert!(held.to_string().contains("another server is running on it"), "{held}");
    assert!(held.to_string().contains(dirs.snap().to_str().unwrap()), "{held}");
    assert_eq!(held.exit_code(), 3);
    drop(locks);
    dirs.take(&RealDisk, false).unwrap();
    assert_eq!(fs::read_dir(dirs.snap()).unwrap().count(), 0, "nothing is left behind");
}

#[test]
fn a_real_disk_keeps_a_snapshot_and_the_log_above_it() {
    let data = tempfile::tempdir().unwrap();
    let dirs = DataDirs::new(data.path(), data.path());
    let _locks = dirs.take(&RealDisk, true).unwrap();
    let mut model = initial();
    write_snapshot(&RealDisk, &dirs, &model, Compression::Plain).unwrap();
    let mut log = TxnLog::new(RealDisk, &dirs, LogOptions::default());
    log.prepare_ahead().unwrap();
    for zxid in 1..=50 {
        let txn = create(zxid, &format!("/n{zxid}"), &[1; 3000]);
        log.append(Zxid(zxid), &txn).unwrap();
        log.commit().unwrap();
        if log.wants_preparation() {
            log.prepare_ahead().unwrap();
        }
        model.replay(&TxnRecord::decode(&txn).unwrap());
    }
    let found = recover(&RealDisk, &dirs, &OPTIONS, Model::default).unwrap();
    found.replica.assert_is(&model, "while the log is open");
    let file = fs::metadata(dirs.log().join("log.1")).unwrap();
    assert_eq!(file.len(), log.file_len());
    log.close().unwrap();
}

#[test]
fn a_log_directory_of_its_own_is_taken_too() {
    let (disk, _) = empty_disk();
    let dirs = DataDirs::new(Path::new("/data"), Path::new("/log"));
    let locks = dirs.take(&disk, true).unwrap();
    assert_eq!(locks.len(), 2);
    let shared = DataDirs::new(Path::new("/other"), Path::new("/log"));
    let held = shared.take(&disk, true).unwrap_err();
    assert!(held.to_string().contains("/log/version-2: another server"), "{held}");
}

#[test]
fn logs_and_snapshots_in_the_wrong_directory_are_an_error() {
    let check = |file: &str, expected: &str| {
        let (disk, _) = empty_disk();
        disk.put(Path::new(file), b"");
        let dirs = DataDirs::new(Path::new("/data"), Path::new("/log"));
        let error = dirs.take(&disk, true).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.exit_code(), 3);
    };
    check("/data/version-2/log.1", "the snapshot directory holds the log log.1;");
    check("/log/version-2/snapshot.1", "the log directory holds the snapshot snapshot.1;");
}

#[test]
fn a_directory_that_cannot_be_written_says_why() {
    const EACCES: i32 = 13;
    const ENOSPC: i32 = 28;
    const EROFS: i32 = 30;
    for (errno, expected) in [
        (EACCES, "Permission denied"),
        (ENOSPC, "the disk is full: free space"),
        (EROFS, "the file system is read-only: mount it writable"),
    ] {
        let (disk, dirs) = empty_disk();
        disk.fail_after(0, errno);
        let error = dirs.take(&disk, true).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
        assert_eq!(error.exit_code(), 3);
    }
    let owner = RealDisk.owner(Path::new("/")).unwrap().to_string();
    assert!(owner.starts_with("it belongs to uid 0 gid 0 with mode 0"), "{owner}");
}

#[test]
fn only_our_own_unfinished_files_are_removed_at_a_start() {
    let (disk, dirs) = directory(1);
    let before = names(&disk);
    for name in [".log.blank.tmp", ".snapshot.5.tmp"] {
        disk.put(&dirs.snap().join(name), b"");
    }
    disk.put(&dirs.snap().join("currentEpoch.tmp"), b"1");
    assert_eq!(remove_leftovers(&disk, &dirs).unwrap().len(), 2);
    assert_eq!(names(&disk), [vec!["currentEpoch.tmp".to_owned()], before].concat());
}

#[test]
fn the_size_of_a_directory_is_the_length_of_its_files() {
    let (disk, dirs) = empty_disk();
    disk.put(&dirs.log().join("log.1"), &[0; 100]);
    disk.put(&dirs.log().join("other"), &[0; 11]);
    assert_eq!(dir_size(&disk, dirs.log()).unwrap(), 111);
}

#[test]
fn a_purge_keeps_three_snapshots_and_the_logs_above_the_oldest_of_them() {
    let (disk, dirs) = directory(5);
    let before = recovered(&disk, &dirs).unwrap();
    disk.put(&dirs.snap().join("snapshot.ffffffffffffffff"), b"");
    disk.put(&dirs.snap().join("log.old"), b"");
    // It does not look whole, so it is not counted.
    disk.put(&dirs.snap().join("snapshot.f"), b"not whole");
    purge(&disk, &dirs, 1).unwrap();
    // snapshot.8 stands at the end of log.5, which may go on above it.
    let expected = ["log.11", "log.5", "log.9", "log.d", "snapshot.10", "snapshot.8", "snapshot.c"];
    let kept: Vec<String> = names(&disk).into_iter().filter(|name| name != "snapshot.f").collect();
    assert_eq!(kept, expected);
    for newest in snapshots(&disk, dirs.snap()).unwrap() {
        let now = recovered(&disk, &dirs).unwrap();
        now.replica.assert_is(&before.replica, "purged");
        disk.remove(&newest.path).unwrap();
    }
}

#[test]
fn a_purge_without_a_whole_snapshot_removes_nothing() {
    let (disk, dirs) = directory(5);
    for snapshot in snapshots(&disk, dirs.snap()).unwrap() {
        disk.remove(&snapshot.path).unwrap();
    }
    assert!(purge(&disk, &dirs, 3).unwrap().is_empty());
}

/// Truncates to `target` and says what is there then; the model is the one that replays that far.
fn check_truncate(target: i64, expected_logs: &[&str], expected_snapshots: &[i64]) {
    let (disk, dirs) = directory(3);
    let mut log = TxnLog::new(disk.clone(), &dirs, LogOptions::default());
    log.truncate(&dirs, Zxid(target), OPTIONS.length_max).unwrap();
    let recovered = recovered(&disk, &dirs).unwrap();
    assert_eq!(recovered.last_zxid, Zxid(target));
    let last = recovered.replica.nodes.keys().filter(|path| path.starts_with("/n")).count();
    assert_eq!(i64::try_from(last).unwrap(), target);
    let files = logs(&disk, dirs.log()).unwrap();
    let files: Vec<_> =
        files.iter().map(|f| f.path.file_name().unwrap().to_str().unwrap()).collect();
    assert_eq!(files, expected_logs, "{target}");
    let left: Vec<_> = snapshots(&disk, dirs.snap()).unwrap().iter().map(|s| s.zxid.0).collect();
    assert_eq!(left, expected_snapshots, "{target}");
    // And it goes on from there.
    log.append(recovered.last_zxid.next(), &create(target + 1, "/next", b"")).unwrap();
    log.commit().unwrap();
    assert_eq!(crate::scratch::recovered(&disk, &dirs).unwrap().last_zxid.0, target + 1);
}

#[test]
fn truncation_leaves_nothing_above_its_target_and_no_snapshot_that_shows_it() {
    check_truncate(12, &["log.1", "log.5", "log.9"], &[8, 4, 0]);
    check_truncate(10, &["log.1", "log.5", "log.9"], &[8, 4, 0]);
    check_truncate(8, &["log.1", "log.5"], &[8, 4, 0]);
    check_truncate(6, &["log.1", "log.5"], &[4, 0]);
    check_truncate(0, &[], &[0]);
}

#[test]
fn truncation_to_a_txn_that_is_not_there_keeps_what_is_below() {
    for target in [13, 0x1_0000_0000] {
        let (disk, dirs) = directory(3);
        let before = names(&disk);
        let mut log = TxnLog::new(disk.clone(), &dirs, LogOptions::default());
        let truncated = log.truncate(&dirs, Zxid(target), OPTIONS.length_max).unwrap();
        assert_eq!(truncated, Truncated { last: Zxid(12), ..Truncated::default() });
        assert_eq!(names(&disk), before);
        log.append(Zxid(13), &create(13, "/next", b"")).unwrap();
        log.commit().unwrap();
    }
    // Without an older snapshot there would be nothing to start from.
    let (disk, dirs) = directory(3);
    disk.remove(&dirs.snap().join("snapshot.0")).unwrap();
    let mut log = TxnLog::new(disk, &dirs, LogOptions::default());
    assert!(log.truncate(&dirs, Zxid(3), OPTIONS.length_max).is_err());
}

#[test]
fn truncation_removes_a_fuzzy_snapshot_that_shows_the_future() {
    // Its name says 0x300000004, its digest section 0x300000005.
    let (disk, dirs) = fixture_disk("java-3.8.0/ensemble-multi-epoch/s3");
    let mut log = TxnLog::new(disk.clone(), &dirs, LogOptions::default());
    let target = Zxid(0x3_0000_0004);
    let truncated = log.truncate(&dirs, target, OPTIONS.length_max).unwrap();
    assert!(truncated.removed.contains(&dirs.snap().join("snapshot.300000004")));
    assert_eq!(recovered(&disk, &dirs).unwrap().last_zxid, target);
}

fn epochs(disk: &MemDisk, dirs: &DataDirs, last_zxid: i64) -> Result<(i32, i32), String> {
    let loaded = Epochs::load(disk.clone(), dirs, Zxid(last_zxid));
    loaded.map(|e| (e.current().0, e.accepted().0)).map_err(|error| error.to_string())
}

#[test]
fn epoch_files_are_made_at_a_first_start_and_read_at_the_next() {
    let (disk, dirs) = empty_disk();
    assert_eq!(epochs(&disk, &dirs, 0x3_0000_0007), Ok((3, 3)));
    let mut loaded = Epochs::load(disk.clone(), &dirs, Zxid(0)).unwrap();
    loaded.write_accepted(Epoch(12)).unwrap();
    loaded.write_current(Epoch(5)).unwrap();
    assert_eq!(disk.content(&dirs.snap().join("acceptedEpoch")).unwrap(), b"12");
    assert_eq!(epochs(&disk, &dirs, 0), Ok((5, 12)));
    let (java, java_dirs) = fixture_disk("java-3.8.0/ensemble-multi-epoch/s2");
    assert_eq!(epochs(&java, &java_dirs, 0x2_0000_0001), Ok((2, 2)));
}

/// A learner logs txns of a new epoch before `currentEpoch` says so. A crash between the two must not
/// keep it from starting: it has promised that epoch, and has the beginning of its leader's history.
#[test]
fn an_epoch_that_was_promised_and_logged_is_the_current_one() {
    let (disk, dirs) = empty_disk();
    disk.put(&dirs.snap().join("currentEpoch"), b"3");
    disk.put(&dirs.snap().join("acceptedEpoch"), b"4");
    disk.put(&dirs.snap().join("currentEpoch.tmp"), b"");
    assert_eq!(epochs(&disk, &dirs, 0x4_0000_0001), Ok((4, 4)));
    assert_eq!(disk.content(&dirs.snap().join("currentEpoch")).unwrap(), b"4");
}

#[test]
fn epochs_that_contradict_the_log_or_each_other_are_refused() {
    let check = |current: &str, accepted: &str, unfinished: Option<&str>| {
        let (disk, dirs) = empty_disk();
        disk.put(&dirs.snap().join("currentEpoch"), current.as_bytes());
        disk.put(&dirs.snap().join("acceptedEpoch"), accepted.as_bytes());
        if let Some(text) = unfinished {
            disk.put(&dirs.snap().join("currentEpoch.tmp"), text.as_bytes());
        }
        epochs(&disk, &dirs, 0x4_0000_0001)
    };
    assert_eq!(check("4\n", "5", None), Ok((4, 5)));
    assert_eq!(check("3", "5", Some("4")), Ok((4, 5)));
    assert!(check("3", "3", None).unwrap_err().contains("says epoch 3"));
    assert!(check("3", "3", Some("3")).unwrap_err().contains("says epoch 3"));
    assert!(check("6", "5", None).unwrap_err().contains("acceptedEpoch says epoch 5"));
    for garbage in ["", " 4", "4 ", "four", "-1", "99999999999999999999"] {
        assert!(check(garbage, "5", None).unwrap_err().contains("holds no epoch"), "{garbage}");
    }
}
