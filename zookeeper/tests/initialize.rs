//! `zkServer-initialize.sh`: lets servers that wait begin a new ensemble, and says no where there are data.

#[path = "../../server/tests/it/deadline.rs"]
mod deadline;
mod process;

use std::fs::{self, File};
use std::path::PathBuf;
use std::process::Output;
use std::time::Duration;

use deadline::await_until;
use process::{Server, free_ports, is_done, run, text};

/// A member's folder: zoo.cfg, data, log, and what it says.
struct Member {
    folder: tempfile::TempDir,
    port: u16,
}

impl Member {
    fn three() -> [Self; 3] {
        let ports: [u16; 9] = free_ports();
        let line = |id: usize| {
            let [quorum, election, client] = [0, 3, 6].map(|from| ports[from + id - 1]);
            format!("server.{id}=127.0.0.1:{quorum}:{election};127.0.0.1:{client}\n")
        };
        let servers: String = (1..=3).map(line).collect();
        [1, 2, 3].map(|id| {
            let member = Self::new(ports[6 + id - 1], &servers);
            fs::create_dir(member.path("data")).expect("ours");
            fs::write(member.path("data/myid"), format!("{id}\n")).expect("ours");
            member
        })
    }

    fn alone() -> Self {
        let [port] = free_ports();
        Self::new(port, &format!("clientPort={port}\nclientPortAddress=127.0.0.1\n"))
    }

    fn new(port: u16, lines: &str) -> Self {
        let member = Self { folder: tempfile::tempdir().expect("a scratch folder"), port };
        let (data, log) = (member.path("data"), member.path("log"));
        let text = format!(
            "dataDir={}\ndataLogDir={}\ntickTime=200\ninitLimit=50\nsyncLimit=10\n\
             admin.enableServer=false\n{lines}",
            data.display(),
            log.display()
        );
        fs::write(member.path("zoo.cfg"), text).expect("ours");
        member
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// With what `start-zookeeper` passes.
    fn start(&self) -> Server {
        let guard = ["-Dzookeeper.db.autocreate=false", "-Dzookeeper.joinGuard.enabled=true"];
        let log = File::create(self.path("out")).expect("ours");
        Server::start(&guard, &self.path("zoo.cfg"), log)
    }

    fn await_waiting(&self) {
        await_until("it says what it waits for", LIMIT, || {
            fs::read_to_string(self.path("out")).ok()?.contains(WAITS).then_some(())
        });
    }

    fn await_data(&self) {
        await_until("it takes a write", LIMIT, || {
            is_done(self.port, &["create", "/n"]).then_some(())
        });
    }

    fn initialize(&self, words: &[&str]) -> Output {
        run(&[&["zkServer-initialize.sh"], words].concat(), self.folder.path())
    }
}

#[test]
fn members_that_wait_for_the_last_one_begin_without_it() {
    let [one, two, _] = Member::three();
    let members = [one, two];
    let waiting = members.each_ref().map(Member::start);
    for member in &members {
        member.await_waiting();
        let output = member.initialize(&[]);
        assert_eq!(output.status.code(), Some(0), "{}", text(&output.stdout));
        let marker = member.path("log/initialize");
        assert!(marker.exists());
        let expected =
            format!("{} is made: the next start is that of a new server\n", marker.display());
        assert_eq!(text(&output.stdout), expected);
    }
    drop(waiting);
    let _serving = members.each_ref().map(Member::start);
    members[0].await_data();
    for member in &members {
        assert!(!member.path("log/initialize").exists(), "it counts once");
    }
}

/// It was made for a server that had nothing, and would speak of whatever this one loses one day.
#[test]
fn a_marker_that_came_too_late_is_gone_once_the_member_follows() {
    let [one, two, three] = Member::three();
    let _waiting = [one.start(), two.start()];
    one.await_waiting();
    assert_eq!(one.initialize(&[]).status.code(), Some(0));
    let _last = three.start();
    one.await_data();
    assert!(!one.path("log/initialize").exists());
}

#[test]
fn data_stay_unless_it_is_forced_and_then_below_no_server_that_runs() {
    let member = Member::alone();
    let server = member.start();
    member.await_data();
    fs::write(member.path("data/myid"), "7\n").expect("ours");
    let refused = member.initialize(&["--myid=8"]);
    assert_eq!(refused.status.code(), Some(1));
    assert_eq!(
        text(&refused.stdout),
        format!(
            "ZooKeeper data directory already exists at {} (or use --force to force re-initialization)\n",
            member.path("data").display()
        )
    );
    let refused = member.initialize(&["--force"]);
    assert_eq!(refused.status.code(), Some(1));
    assert!(text(&refused.stdout).contains("another server"), "{}", text(&refused.stdout));
    assert!(!member.path("log/initialize").exists());
    drop(server);

    let server = member.start();
    await_until("it has what it had", LIMIT, || is_done(member.port, &["get", "/n"]).then_some(()));
    drop(server);
    let done = member.initialize(&["--force"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stdout));
    assert!(!member.path("data/ensemble.id").exists());
    assert_eq!(fs::read_to_string(member.path("data/myid")).expect("it stays"), "7\n");
    let done = member.initialize(&["--myid", "8"]);
    assert!(text(&done.stdout).starts_with("Using myid of 8\n"), "{}", text(&done.stdout));
    assert_eq!(fs::read_to_string(member.path("data/myid")).expect("it stays"), "8\n");
    let _server = member.start();
    member.await_data();
}

/// That is what self-repair leaves, and what somebody who has removed files by hand.
#[test]
fn an_empty_directory_that_had_data_is_not_called_new() {
    let member = Member::alone();
    fs::create_dir_all(member.path("data/version-2")).expect("ours");
    fs::write(member.path("data/version-2/currentEpoch"), "5").expect("ours");
    let epoch = format!("currentEpoch is 5 in {}", member.path("data/version-2").display());
    let damaged = member.path("log/damaged-1");
    let aside = format!("{} was put aside", damaged.display());
    for lost in [epoch, aside] {
        let refused = member.initialize(&[]);
        assert_eq!(refused.status.code(), Some(1));
        let said = text(&refused.stdout);
        assert!(
            said.starts_with(&format!("There were data: {lost}. This server gets them")),
            "{said}"
        );
        fs::create_dir_all(&damaged).expect("ours");
    }
    // A log and a snapshot in one folder, as from before there was a dataLogDir.
    for name in ["snapshot.0", "log.1"] {
        fs::write(member.path("data/version-2").join(name), "").expect("ours");
    }
    let done = member.initialize(&["--force"]);
    assert_eq!(done.status.code(), Some(0), "{}", text(&done.stdout));
    assert_eq!(fs::read_dir(member.path("data/version-2")).expect("it stays").count(), 0);
    assert!(damaged.exists(), "it is not in version-2");
}

#[test]
fn what_is_wrong_is_said_in_one_line_before_the_usage() {
    let member = Member::alone();
    let other = member.path("other.cfg").display().to_string();
    let missing = format!("--configfile={other}");
    let unable = format!("Unable to find config file at {other}");
    fs::write(member.path("empty.cfg"), "clientPort=2181\n").expect("ours");
    let empty = member.path("empty.cfg").display().to_string();
    let without = format!("Unable to determine dataDir from {empty}");
    for (words, why) in [
        (&[missing.as_str()][..], unable.as_str()),
        (&["--configfile", &empty], &without),
        (&["--myid=0"], "--myid is a number from 1 to 255, not `0`"),
        (&["--myid", "x"], "--myid is a number from 1 to 255, not `x`"),
        (&["--mine"], "Unknown option: --mine"),
        (&["--help"], "usage: zkServer-initialize.sh <parameters>"),
    ] {
        let output = member.initialize(words);
        assert_eq!(output.status.code(), Some(1), "{words:?}");
        assert_eq!(text(&output.stdout).lines().next(), Some(why), "{words:?}");
    }
    assert!(!member.path("log").exists() && !member.path("data").exists(), "nothing is done");
    let done = member.initialize(&[]);
    let myid = member.path("data/myid");
    let why = format!("No myid provided, be sure to specify it in {} if", myid.display());
    assert!(text(&done.stdout).starts_with(&why), "{}", text(&done.stdout));
}

/// Said every ten seconds.
const WAITS: &str = "its database is empty, so it has no vote before all voters have been heard";
const LIMIT: Duration = Duration::from_secs(60);
