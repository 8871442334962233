//! What the command line, the environment and the settings of the log do.

use std::fs;

use serde_json::Value;

use crate::load::Load;
use crate::process::{Outcome, PROGRAM, Running, Scratch, without_properties};

/// What a server with these arguments logs from its start to its end.
fn log_of(scratch: &Scratch, arguments: &[&str]) -> String {
    scratch.spawn(scratch.command(arguments)).serving().stop().stdout
}

fn lines_with<'a>(text: &'a str, part: &str) -> Vec<&'a str> {
    text.lines().filter(|line| line.contains(part)).collect()
}

/// What `--check` says, with these arguments and this `JVMFLAGS`.
fn checked(scratch: &Scratch, arguments: &[&str], flags: &str) -> Outcome {
    let mut command = scratch.command(&[&["--check"], arguments].concat());
    command.env("JVMFLAGS", flags);
    scratch.run(command)
}

#[test]
fn check_prints_what_counts_and_starts_nothing() {
    let scratch = Scratch::new("maxCnxns=77\n");
    let outcome = checked(&scratch, &[], "");
    outcome.check(0, &[]);
    let port = format!("clientPort={}", scratch.address().port());
    for line in [port.as_str(), "maxCnxns=77", "snapCount=100000 (default)"] {
        assert!(outcome.stdout.lines().any(|found| found == line), "{line}\n{}", outcome.stdout);
    }
    assert!(!scratch.path("data").exists());
}

#[test]
fn properties_come_from_the_environment_and_the_command_line_and_the_file_beats_them() {
    let scratch = Scratch::new("maxCnxns=77\n");
    let arguments = ["-Dzookeeper.preAllocSize=64", "-D", "zookeeper.maxCnxns=9"];
    let flags = "-Xmx1g -Dzookeeper.snapCount=700 -Dzookeeper.preAllocSize=1";
    let outcome = checked(&scratch, &arguments, flags);
    outcome.check(0, &[]);
    for line in ["snapCount=700", "preAllocSize=64", "maxCnxns=77"] {
        assert!(outcome.stdout.lines().any(|found| found == line), "{line}\n{}", outcome.stdout);
    }
}

#[test]
fn an_unknown_key_is_reported_once_with_the_key_it_resembles() {
    let scratch = Scratch::new("autopurge.purgeInteval=1\n");
    let log = log_of(&scratch, &[]);
    let lines = lines_with(&log, "autopurge.purgeInteval:");
    let [line] = lines.as_slice() else { panic!("one line, not {lines:?}") };
    for part in [" WARN ", "zoo.cfg:7: ", "did you mean autopurge.purgeInterval?"] {
        assert!(line.contains(part), "{part:?} in {line}");
    }
}

#[test]
fn a_log_of_json_has_one_object_a_line() {
    let scratch = Scratch::new("autopurge.purgeInteval=1\n");
    let log = log_of(&scratch, &["-Dzookeeper.log.format=json"]);
    let events: Vec<Value> =
        log.lines().map(|line| serde_json::from_str(line).expect(line)).collect();
    assert!(events.len() > 5, "{log}");
    for event in &events {
        for field in ["timestamp", "level", "target", "message"] {
            assert!(event[field].is_string(), "{field} in {event}");
        }
    }
    assert!(events.iter().any(|event| event["level"] == "WARN"), "{log}");
}

#[test]
fn a_threshold_silences_what_is_below_it() {
    let scratch = Scratch::new("autopurge.purgeInteval=1\n");
    let log = log_of(&scratch, &["-Dzookeeper.console.threshold=WARN"]);
    assert_eq!(lines_with(&log, " WARN ").len(), 1, "{log}");
    assert_eq!(lines_with(&log, " INFO ").len(), 0, "{log}");
}

#[test]
fn without_an_argument_the_data_is_in_the_current_folder() {
    let scratch = Scratch::new("");
    let mut server: Running = scratch.spawn(without_properties(PROGRAM));
    server.await_line("Snapshotting: ");
    let first = server.stdout().lines().next().unwrap().to_owned();
    assert!(first.ends_with("no zoo.cfg given: standalone, client port 2181, data in ./data"));
    if server.stdout().contains("Snapshotting: ") {
        server.stop();
        assert!(fs::exists(scratch.path("data/version-2/snapshot.0")).unwrap());
    } else {
        // Somebody else's server has the port.
        server.outcome().check(1, &["cannot listen on client port ", ":2181: "]);
    }
}

#[test]
fn a_log_that_nobody_can_write_stops_nothing_and_changes_no_exit_code() {
    // All that is written to this device fails, as on a full disk.
    let full = |scratch: &Scratch, arguments: &[&str]| {
        let mut command = scratch.wrapped(&["sh", "-c", "exec \"$@\" >/dev/full 2>&1", "sh"]);
        command.args(arguments);
        scratch.spawn(command)
    };
    let scratch = Scratch::new("autopurge.purgeInteval=1\n");
    assert_eq!(full(&scratch, &["--check"]).outcome().code, 0);
    let server = full(&scratch, &[]).serving();
    let mut load = Load::new(scratch.address(), 0, 100);
    load.write(5);
    server.stop();
    fs::write(scratch.path("zoo.cfg"), "clientPort=x\n").unwrap();
    assert_eq!(full(&scratch, &[]).outcome().code, 2);
}
