//! Java's `zkCli.sh`, one command a process: our server's answers are those of Java's server.
//!
//! Both servers go through the same commands. What must differ (zxids, times, session ids) and the
//! client's own greetings are taken out of the transcripts before they are compared.

use std::fmt::Write;
use std::net::SocketAddr;
use std::process::Command;
use std::time::Duration;

use crate::program::run;
use crate::server::{Config, Kind, Server};
use crate::tools::require;

/// What is typed after `zkCli.sh -server ADDRESS`, in this order on one server; words are split at
/// blanks.
const COMMANDS: &[&str] = &[
    // Nodes of every kind, and what cannot be created.
    "ls /",
    "create /zk_test my_data",
    "create /zk_test again",
    "create /absent/child x",
    "create no-slash x",
    "create /zk_test/ x",
    "create /zk_test//x x",
    "create /no-data",
    "create -s /zk_test/sequence- one",
    "create -s /zk_test/sequence- two",
    "create -e /zk_test/ephemeral here",
    "stat /zk_test/ephemeral",
    "create /zk_test/ephemeral/child x",
    "create -e -s /zk_test/both- here",
    "create -c /container",
    "create -c /container/child x",
    "create -t 100000 /ttl v",
    "create -t 0 /ttl v",
    "create /guarded secret world:anyone:r",
    "create /bob secret digest:bob:NTk5OTk5OTk5OTk5OTk5OTk5OTk=:cdrwa",
    "create /no-acl x foo:bar:cdrwa",
    // Reads.
    "ls /zk_test",
    "ls -s /container",
    "ls -R /container",
    "ls /absent",
    "get /zk_test",
    "get -s /zk_test",
    "get /no-data",
    "get /bob",
    "get /absent",
    "stat /zk_test",
    "stat /absent",
    "getAcl /zk_test",
    "getAcl -s /guarded",
    "getAllChildrenNumber /",
    "getAllChildrenNumber /zk_test",
    "getEphemerals /zk_test",
    "sync /zk_test",
    "whoami",
    "config",
    "version",
    // Changes.
    "set /zk_test junk",
    "set -s -v 1 /zk_test more",
    "set -v 99 /zk_test late",
    "set /guarded x",
    "set /absent x",
    "setAcl /zk_test world:anyone:cdrwa,ip:127.0.0.1:rw",
    "getAcl /zk_test",
    "setAcl -v 7 /zk_test world:anyone:cdrwa",
    "setAcl /zk_test foo:bar:r",
    "setAcl -R /container world:anyone:cdra",
    "getAcl /container/child",
    "addWatch -m PERSISTENT /zk_test",
    "removewatches /zk_test",
    // Quotas.
    "setquota -n 3 /container",
    "listquota /container",
    "setquota -b 100 /container",
    "setquota -N 5 /container",
    "listquota /container",
    "create /container/a 12345",
    "create /container/b 12345",
    "create /container/c 12345",
    "create /container/d 12345",
    "listquota /container",
    "setquota -n 3 /container/a",
    "setquota -n 3 /absent",
    "delquota -n /container",
    "listquota /container",
    "delquota /container",
    "delquota /container",
    "listquota /container",
    // What a standalone server refuses, and what is no command.
    "reconfig -remove 3",
    "nonsense",
    // Deletion.
    "delete /container",
    "delete -v 9 /zk_test",
    "delete /absent",
    "delete /zookeeper/quota",
    "deleteall /container",
    "deleteall /absent",
    "delete /no-data",
    "get /no-data",
    "ls /",
];

#[test]
fn zkcli_gets_the_answers_that_java_gives() {
    if !require(&["java", "zookeeper-java", "slf4j", "zkcli"]) {
        return;
    }
    let transcript = |kind| {
        let server = Server::new(kind, &Config::default().setting("maxSessionTimeout=3600000"));
        COMMANDS.iter().map(|command| answer(server.address(), command)).collect::<Vec<_>>()
    };
    let (ours, java) = std::thread::scope(|scope| {
        let java = scope.spawn(|| transcript(Kind::Java));
        (transcript(Kind::under_test()), java.join().expect("Java answers every command"))
    });
    let mut differences = String::new();
    for (ours, java) in ours.iter().zip(&java).filter(|(ours, java)| ours != java) {
        writeln!(differences, "{ours}--- java\n{java}").expect("a string takes everything");
    }
    assert!(differences.is_empty(), "answers differ\n{differences}");
    println!("zkCli: {} commands, the same answers as from Java", ours.len());
}

/// Runs one command and gives back what a person sees: the command, the output, the exit status.
fn answer(address: SocketAddr, command: &str) -> String {
    let mut zkcli = Command::new("/usr/share/zookeeper/bin/zkCli.sh");
    // A command leaves its session behind; none may expire before the last command is through.
    zkcli.args(["-server", &address.to_string(), "-timeout", "3600000"]);
    zkcli.args(command.split(' '));
    zkcli.env("JVMFLAGS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx64m -Dfile.encoding=UTF-8");
    let finished = run(&mut zkcli, Duration::from_secs(60));
    let mut text = format!("$ {command}\n");
    for (stream, output) in [("out", finished.out), ("err", finished.err)] {
        let mut zxids = Vec::new();
        for line in output.lines().filter(|line| !is_greeting(line)) {
            let line = normal(line, &mut zxids);
            writeln!(text, "{stream}: {line}").expect("a string takes everything");
        }
    }
    writeln!(text, "exit {:?}", finished.status.code()).expect("a string takes everything");
    text
}

/// What the client says of itself at any point of the output: its connection and its logging.
fn is_greeting(line: &str) -> bool {
    let of_itself = ["SLF4J:", "Connecting to ", "WATCHER::", "WatchedEvent state:SyncConnected"];
    line.is_empty() || of_itself.iter().any(|start| line.starts_with(start))
}

/// A line without what differs from run to run. Of zxids it stays visible which are equal.
fn normal(line: &str, zxids: &mut Vec<String>) -> String {
    let Some((name, value)) = line.split_once(" = ") else {
        return line.to_owned();
    };
    match name {
        "ctime" | "mtime" if !value.contains(" 1970") => format!("{name} = a time"),
        "ephemeralOwner" if value != "0x0" => format!("{name} = a session"),
        "cZxid" | "mZxid" | "pZxid" if value != "0x0" => {
            let known = zxids.iter().position(|zxid| zxid == value);
            let number = known.unwrap_or_else(|| {
                zxids.push(value.to_owned());
                zxids.len() - 1
            });
            format!("{name} = zxid {number}")
        }
        _ => line.to_owned(),
    }
}

#[test]
fn a_normal_line_shows_which_zxids_are_equal_and_hides_their_values() {
    let mut zxids = Vec::new();
    let cases = [
        ("cZxid = 0x2a", "cZxid = zxid 0"),
        ("ctime = Sun Nov 22 07:28:33 UTC 2026", "ctime = a time"),
        ("mZxid = 0x2b", "mZxid = zxid 1"),
        ("pZxid = 0x2a", "pZxid = zxid 0"),
        ("ephemeralOwner = 0x0", "ephemeralOwner = 0x0"),
        ("ephemeralOwner = 0x1000", "ephemeralOwner = a session"),
        ("[a, b]", "[a, b]"),
    ];
    for (line, expected) in cases {
        assert_eq!(normal(line, &mut zxids), expected);
    }
}
