//! Files that are damaged, missing or foreign: refused with file, offset and remedy, or handled with a
//! warning. Never a shorter history, and never a changed file where the start is refused.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use zk_storage::{LogReader, RealDisk, logs, snapshots};

use crate::deadline::await_until;
use crate::load::Load;
use crate::process::{Outcome, Scratch, listing};

/// The files of a stopped server: three logs, a snapshot before each.
struct History {
    scratch: Scratch,
    loads: Vec<Load>,
}

/// What a start is to do with damaged files.
enum Expected {
    /// End with code 1 and one message that has all these parts.
    Refused(&'static [&'static str]),
    /// Serve everything, after a warning with all these parts.
    Warned(&'static [&'static str]),
    /// Serve everything.
    Served,
}

impl History {
    fn new() -> Self {
        let scratch = Scratch::new("");
        let mut loads = Vec::new();
        for run in 0..RUNS {
            let server = scratch.serve();
            let mut load = Load::new(scratch.address(), run, 200);
            load.write(NODES);
            loads.push(load);
            // A start that replays a log takes a snapshot of its own accord, beside serving.
            await_until("the start's snapshot is taken", LIMIT, || {
                (snapshots(&RealDisk, &scratch.files()).unwrap().len() > run).then_some(())
            });
            server.stop();
        }
        Self { scratch, loads }
    }

    fn log(&self, number: usize) -> PathBuf {
        logs(&RealDisk, &self.scratch.files()).unwrap()[number].path.clone()
    }

    /// Oldest first.
    fn snapshot(&self, number: usize) -> PathBuf {
        snapshots(&RealDisk, &self.scratch.files())
            .unwrap()
            .into_iter()
            .rev()
            .nth(number)
            .unwrap()
            .path
    }

    /// Leaves the first snapshot only, so that every log counts.
    fn with_all_logs_needed(&self) {
        for number in (1..RUNS).rev() {
            fs::remove_file(self.snapshot(number)).unwrap();
        }
    }

    fn served(&mut self) -> Outcome {
        let server = self.scratch.serve();
        for load in &mut self.loads {
            load.check(self.scratch.address());
        }
        server.stop()
    }
}

/// Spoils a server's files, starts it, and repairs the files if it did not.
fn check(spoil: impl FnOnce(&History), expected: Expected) {
    let mut history = History::new();
    let backup = history.scratch.path("backup");
    let files = history.scratch.files();
    copy(&files, &backup);
    spoil(&history);
    match expected {
        Expected::Refused(parts) => {
            let before = listing(&files);
            history.scratch.run(history.scratch.command(&[])).check(1, parts);
            assert_eq!(listing(&files), before, "a refused start changes no file");
            fs::remove_dir_all(&files).unwrap();
            copy(&backup, &files);
            history.served();
        }
        Expected::Warned(parts) => {
            let outcome = history.served();
            let warned = |line: &str| {
                line.contains(" WARN ") && parts.iter().all(|part| line.contains(part))
            };
            assert!(outcome.stdout.lines().any(warned), "{parts:?}\n{}", outcome.stdout);
        }
        Expected::Served => {
            history.served();
        }
    }
}

/// The offsets of a log's records.
fn records(log: &Path) -> Vec<usize> {
    let mut reader = LogReader::open(&RealDisk, log, 1 << 20).unwrap();
    let mut offsets = Vec::new();
    while let Some(record) = reader.read().unwrap() {
        offsets.push(usize::try_from(record.offset).unwrap());
    }
    offsets
}

fn change(path: &Path, change: impl FnOnce(&mut Vec<u8>)) {
    let mut bytes = fs::read(path).unwrap();
    change(&mut bytes);
    fs::write(path, bytes).unwrap();
}

fn flip(path: &Path, at: usize) {
    change(path, |bytes| bytes[at] ^= 0xff);
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for (name, _) in listing(from) {
        fs::copy(from.join(&name), to.join(&name)).unwrap();
    }
}

const RUNS: usize = 3;
const NODES: usize = 8;
const LIMIT: Duration = Duration::from_secs(20);

const LOST: &str = "all later ones are lost if one goes on; restore the file";

#[test]
fn a_changed_byte_in_an_older_log_stops_the_start() {
    let spoil = |history: &History| {
        history.with_all_logs_needed();
        flip(&history.log(0), records(&history.log(0))[1] - 10);
    };
    let parts =
        &["/version-2/log.1 is damaged at offset 16: the record's checksum is ", LOST] as &[_];
    check(spoil, Expected::Refused(parts));
}

#[test]
fn a_changed_byte_in_an_older_log_hurts_nobody_below_a_snapshot() {
    check(|history| flip(&history.log(0), records(&history.log(0))[1] - 10), Expected::Served);
}

#[test]
fn a_changed_byte_in_the_middle_of_the_newest_log_stops_the_start() {
    let spoil = |history: &History| {
        let newest = history.log(RUNS - 1);
        flip(&newest, records(&newest)[4] - 10);
    };
    let parts = &[" is damaged at offset ", "the record's checksum is ", "the last good txn", LOST];
    check(spoil, Expected::Refused(parts));
}

#[test]
fn the_end_of_the_newest_log_is_dropped_where_that_is_asked_for() {
    let history = History::new();
    let newest = history.log(RUNS - 1);
    let offsets = records(&newest);
    flip(&newest, offsets[4] - 10);
    let config = history.scratch.path("zoo.cfg");
    let text = fs::read_to_string(&config).unwrap();
    fs::write(&config, text + "\nrecovery.dropDamagedTail=true\n").unwrap();
    let outcome = history.scratch.serve().stop();
    let dropped = |line: &str| line.contains(" WARN ") && line.contains("; cut off, as allowed");
    assert!(outcome.stdout.lines().any(dropped), "{}", outcome.stdout);
    assert_eq!(records(&newest), offsets[..3], "the damaged txn was the fourth");
    // Once is enough: nothing is damaged any more.
    fs::write(&config, fs::read_to_string(&config).unwrap().replace("=true\n", "=false\n"))
        .unwrap();
    history.scratch.serve().stop();
}

#[test]
fn a_log_that_ends_inside_a_record_before_another_log_stops_the_start() {
    let spoil = |history: &History| {
        history.with_all_logs_needed();
        let middle = history.log(1);
        let cut = records(&middle)[3] + 20;
        change(&middle, |bytes| bytes.truncate(cut));
    };
    let parts =
        &[" starts with txn ", " at offset 16 but the last one before it is ", "restore the"];
    check(spoil, Expected::Refused(parts));
}

#[test]
fn a_missing_log_between_others_stops_the_start() {
    let spoil = |history: &History| {
        history.with_all_logs_needed();
        fs::remove_file(history.log(1)).unwrap();
    };
    let parts = &[" starts with txn ", "the txns between are lost", "restore the missing log"];
    check(spoil, Expected::Refused(parts));
}

#[test]
fn a_newest_log_without_a_byte_is_removed_with_a_warning() {
    let spoil = |history: &History| {
        fs::write(history.scratch.files().join("log.ffff"), "").unwrap();
    };
    check(spoil, Expected::Warned(&["/version-2/log.ffff had no records and was removed"]));
}

#[test]
fn a_foreign_file_named_as_a_log_stops_the_start() {
    for (name, only_first_snapshot) in [("log.5", true), ("log.ffff", false)] {
        let spoil = |history: &History| {
            if only_first_snapshot {
                history.with_all_logs_needed();
            }
            fs::write(history.scratch.files().join(name), FOREIGN).unwrap();
        };
        let parts = &["/version-2/log.", " is damaged at offset 0: the magic number is 0x44656172"];
        check(spoil, Expected::Refused(parts));
    }
}

#[test]
fn a_changed_byte_in_the_newest_snapshot_makes_the_one_before_count() {
    let spoil = |history: &History| flip(&history.snapshot(RUNS - 1), 200);
    let parts = &["/version-2/snapshot.", " is damaged at offset ", "trying the one before"];
    check(spoil, Expected::Warned(parts));
}

#[test]
fn a_foreign_file_named_as_the_newest_snapshot_makes_the_one_before_count() {
    let spoil = |history: &History| {
        // Whoever ends as a snapshot does is read, and then seen to be none.
        let foreign = [FOREIGN, b"\0\0\0\x01/"].concat();
        fs::write(history.scratch.files().join("snapshot.ffff"), foreign).unwrap();
    };
    let parts = &["/version-2/snapshot.ffff is damaged at offset ", "the magic number is"];
    check(spoil, Expected::Warned(parts));
}

#[test]
fn a_cut_newest_snapshot_makes_the_one_before_count() {
    let spoil = |history: &History| {
        change(&history.snapshot(RUNS - 1), |bytes| bytes.truncate(300));
    };
    check(spoil, Expected::Served);
}

#[test]
fn a_damaged_only_snapshot_stops_the_start() {
    let spoil = |history: &History| {
        history.with_all_logs_needed();
        flip(&history.snapshot(0), 100);
    };
    let parts = &["none of the 1 snapshots in ", "all data is lost if one goes on", " at offset "];
    check(spoil, Expected::Refused(parts));
}

#[test]
fn logs_without_their_snapshot_stop_the_start() {
    let remove = |history: &History| {
        history.with_all_logs_needed();
        fs::remove_file(history.scratch.files().join("snapshot.0")).unwrap();
    };
    let parts = &["no valid snapshot in ", "/log.1 holds txns", "restore the snapshot"] as &[_];
    check(remove, Expected::Refused(parts));
    let cut = |history: &History| {
        history.with_all_logs_needed();
        change(&history.snapshot(0), |bytes| bytes.truncate(300));
    };
    let parts = &["none of the 1 snapshots in ", "all data is lost if one goes on", " at offset "];
    check(cut, Expected::Refused(parts));
}

/// What starts as no file of a server does.
const FOREIGN: &[u8] = b"Dear operator, this letter was put into the wrong folder.";
