//! Ours beside Java's `zkCli.sh`: the same lines against the same kind of server, the same answers.
//!
//! Debian's shell is 3.8.0. Where 3.9 differs (`get` and `set` know base64, events have a zxid) the lines
//! here keep away from it; where ours differs on purpose, the test says so.

use std::fmt::Write;
use std::process::Command;

use crate::lines::{Lines, normal};
use crate::server::{Kind, Server, free_port};
use crate::tools::require;
use crate::zkcli::{self, BINARY, Finished};

/// Sessions that are typed into a shell through a pipe, on one server one after the other.
///
/// Java prints events from a thread of their own: it needs time for them before the end.
const SESSIONS: &[&str] = &[
    // Nodes of every kind, and what cannot be created.
    "ls /\ncreate /t data\ncreate /t again\ncreate /absent/child x\ncreate no-slash x\ncreate /t/ x\n\
     create /t//x x\ncreate /t/../x x\ncreate /no-data\ncreate -s /t/s- one\ncreate -s /t/s- two\n\
     create -e /t/e here\nstat /t/e\ncreate /t/e/child x\ncreate -e -s /t/es- here\n\
     create -c /c\ncreate -c /c/child x\ncreate -t 100000 /ttl v\ncreate -t 0 /ttl v\n\
     create -t x /ttl v\ncreate -c -e /x v\ncreate -t 5 -e /x v\ncreate -t 5 -c /x v\n\
     create -t 5 -s /x v\ncreate /guarded secret world:anyone:r\ncreate /q x world:anyone:rq\n\
     create /bob secret digest:bob:NTk5OTk5OTk5OTk5OTk5OTk5OTk=:cdrwa\ncreate /no-acl x foo:bar:cdrwa\n\
     create /bad-acl x badacl\ncreate /bad-acl x\ncreate -z /x\ncreate /x -5\ncreate -t\ncreate\n\
     getEphemerals\ngetEphemerals /t/e\ngetEphemerals /none\nquit\n",
    // Reads.
    "ls /t\nls -s /c\nls -R /c\nls -Rw /c\nls -R /absent\nls /absent\nls\nls -?\nls -? /c\nls /c watch\n\
     get /t\nget -s /t\nget -sw /t\nget /no-data\nget /bob\nget /absent\nget -z /t\nget /t watch\n\
     stat /t\nstat /absent\nstat -w /absent\nstat\nstat /t watch\ngetAcl /t\ngetAcl -s /guarded\n\
     getAcl /absent\ngetAcl /bob\ngetAcl\ngetAllChildrenNumber /\ngetAllChildrenNumber /absent\n\
     getAllChildrenNumber\nsync /t\nsync /absent\nsync\nwhoami\nconfig\nconfig -s\nconfig -c\n\
     version x\nls -R /\nquit\n",
    // Changes.
    "set /t junk\nset -s -v 1 /t more\nset /t -v2 -s x\nset -v 99 /t late\nset /guarded x\n\
     set /absent x\nset /t 'two words'\nget /t\nset /t \"it's\"\nget /t\nset /t ''\nget /t\n\
     setAcl /t world:anyone:cdrwa,ip:127.0.0.1:rw\ngetAcl /t\nsetAcl -v 7 /t world:anyone:cdrwa\n\
     setAcl /t foo:bar:r\nsetAcl /t bad\nsetAcl -s /t world:anyone:cdrwa\nsetAcl /absent world:anyone:r\n\
     setAcl -R /c world:anyone:cdra\ngetAcl /c/child\nsetAcl -R /absent world:anyone:r\nsetAcl /t\n\
     set -v\ncreate /w/\"x y\ncreate /\"x y\nget '/\"x'\nls /\nquit\n",
    // Watches.
    "create /w\nget -w /w\nset /w 1\naddWatch /w\ncreate /w/c1\nset /w/c1 2\nstat -w /w\nls -w /w\n\
     get -w /w\nremovewatches /w\nremovewatches /w\nset /w 3\naddWatch -m PERSISTENT /w\n\
     addWatch -m persistent_recursive /w/c1\nstat -w /w\nls -w /w\nremovewatches -d /w\n\
     removewatches -c /w\nremovewatches -a /w/c1\nstat -w /w/new\ncreate /w/new\nget -w /w/new\n\
     delete /w/new\naddWatch -m nonsense /w\naddWatch\naddWatch /a /b\nremovewatches\n\
     removewatches -l /w\nconfig -w\nsync /w\nsync /w\nsync /w\nsync /w\nsync /w\nsync /w\nquit\n",
    // Events that are not wanted.
    "printwatches\nprintwatches off\nget -w /w\nset /w 4\nsync /w\nsync /w\nsync /w\nsync /w\n\
     printwatches\nprintwatches on\nprintwatches\nquit\n",
    // Quotas.
    "setquota -n 3 /c\nlistquota /c\nsetquota -b 100 /c\nsetquota -N 9 /c\nlistquota /c\n\
     create /c/a 12345\ncreate /c/b 12345\ncreate /c/d 12345\ncreate /c/e 12345\nsetquota -n 2 /c\n\
     setquota -B 5 /c\nlistquota /c\nsetquota -n 3 /c/a\nsetquota -n 3 /absent\nsetquota -n 0 /c\n\
     setquota -b -5 /c\nsetquota -n x /c\nsetquota -n 3 -b 4 /c\nsetquota /c\nsetquota -n 3\n\
     setquota -n 3 /zookeeper/quota\ndelquota -n /c\nlistquota /c\ndelquota -n -b /c\ndelquota /c\n\
     delquota /c\nlistquota /c\ndelquota\nlistquota\nsetquota -n 5 /c/a\nsetquota -n 5 /c\n\
     delquota /c/a\nls -R /zookeeper\nquit\n",
    // The shell itself, and what no server does alone.
    "history\n\nredo 0\nredo 99\nredo -1\nredo\ngetAcl /t\nredo 5\nhistory\nreconfig\n\
     reconfig -remove 3\nreconfig -add x -members y\nreconfig -file a -members b\n\
     reconfig -file /nowhere/file\nreconfig -remove 3 -v xyz\nreconfig -v\naddauth\n\
     addauth digest u:p\nwhoami\nclose\nls /\nstat /t\nclose\nconnect\nls /absent\nquit\n",
    // Deletion.
    "delete /c\ndelete -v 9 /t\ndelete /absent\ndelete /zookeeper/quota\ndelete\ndelete -v\n\
     deleteall /c\ndeleteall /absent\ndeleteall /t -b x\ndeleteall\ndeleteall /t -b 1\ndeleteall /w -b 0\n\
     deleteall /\ndelete /no-data\nget /no-data\nls /\nquit\n",
    // No `quit`: the last command gives the exit code.
    "ls /\nget /absent",
    "get /absent\nnonsense\nquit\n",
];

/// Members come and go, of an ensemble that one voter makes. Of several members, `config -c` of Java's shell has
/// the order of a hash table: it is not asked.
const RECONFIGURATIONS: &str = "config\nconfig -c\n\
    reconfig -add server.2=127.0.0.1:11:12:observer;127.0.0.1:13\nconfig\nconfig -s\n\
    reconfig -s -add server.3=127.0.0.1:14:15:observer;127.0.0.1:16 -remove 2\nconfig\n\
    reconfig -v 1 -remove 3\nreconfig -remove 3\nreconfig -remove 1\nreconfig -remove 7\n\
    reconfig -add nonsense\nreconfig -members nonsense\nconfig\nquit\n";

/// One command a process: exit codes, and nothing but the answer.
const ONE_SHOTS: &[&str] = &[
    "create /o 1",
    "create /o 1",
    "create /o/a/b 1",
    "get /o",
    "get -s /o",
    "get /absent",
    "set -v 9 /o x",
    "stat /o",
    "ls /o",
    "create /o/bad x badacl",
    "getAcl /o",
    "history",
    "redo 0",
    "whoami",
    "close",
    "printwatches",
    "nonsense",
    "delete /o",
    "delete o",
];

#[test]
fn typed_lines_get_javas_answers_from_our_server() {
    sessions_are_the_same(Kind::Ours);
}

#[test]
fn typed_lines_get_javas_answers_from_javas_server() {
    sessions_are_the_same(Kind::Java);
}

fn sessions_are_the_same(kind: Kind) {
    if !require(&["java", "zookeeper-java", "slf4j", "zkcli"]) {
        return;
    }
    let transcript = |shell: fn(&str) -> Command| {
        let server = Server::new(kind, "extendedTypesEnabled=true");
        let run = |lines: &&str| zkcli::run(&mut shell(&server.address()), lines);
        SESSIONS.iter().map(run).collect::<Vec<_>>()
    };
    let (ours, java) = std::thread::scope(|scope| {
        let java = scope.spawn(|| transcript(java_shell));
        (transcript(our_shell), java.join().expect("Java's shell runs to its end"))
    });
    let mut differences = String::new();
    for ((lines, ours), java) in SESSIONS.iter().zip(&ours).zip(&java) {
        compare(lines, ours, java, &mut differences);
    }
    assert!(differences.is_empty(), "{differences}");
}

#[test]
fn members_change_as_javas_shell_has_it_on_our_server() {
    reconfigurations_are_the_same(Kind::Ours);
}

#[test]
fn members_change_as_javas_shell_has_it_on_javas_server() {
    reconfigurations_are_the_same(Kind::Java);
}

fn reconfigurations_are_the_same(kind: Kind) {
    if !require(&["java", "zookeeper-java", "slf4j", "zkcli"]) {
        return;
    }
    let transcript = |shell: fn(&str) -> Command| {
        let ports = format!("127.0.0.1:{}:{}", free_port(), free_port());
        let server = Server::new(kind, &format!("{RECONFIGURABLE}\nserver.1={ports}"));
        let mut finished = zkcli::run(&mut shell(&server.address()), RECONFIGURATIONS);
        for text in [&mut finished.out, &mut finished.err] {
            *text = text.replace(&ports, "its ports").replace(&server.address(), "its client port");
        }
        finished
    };
    let (ours, java) = (transcript(our_shell), transcript(java_shell));
    assert!(ours.out.contains("Committed new configuration:\nserver.1="), "{}", ours.out);
    let mut differences = String::new();
    compare(RECONFIGURATIONS, &ours, &java, &mut differences);
    assert!(differences.is_empty(), "{differences}");
}

const RECONFIGURABLE: &str =
    "initLimit=5\nsyncLimit=5\nstandaloneEnabled=false\nreconfigEnabled=true\nskipACL=yes";

#[test]
fn one_shot_commands_end_as_javas_do() {
    if !require(&["java", "zookeeper-java", "slf4j", "zkcli"]) {
        return;
    }
    let transcript = |shell: fn(&str) -> Command| {
        let server = Server::ours();
        let run = |words: &&str| {
            let mut command = shell(&server.address());
            zkcli::run(command.args(words.split(' ')), "")
        };
        ONE_SHOTS.iter().map(run).collect::<Vec<_>>()
    };
    let (ours, java) = std::thread::scope(|scope| {
        let java = scope.spawn(|| transcript(java_shell));
        (transcript(our_shell), java.join().expect("Java's shell runs to its end"))
    });
    let mut differences = String::new();
    for ((words, ours), java) in ONE_SHOTS.iter().zip(&ours).zip(&java) {
        compare(words, ours, java, &mut differences);
    }
    assert!(differences.is_empty(), "{differences}");
}

fn our_shell(server: &str) -> Command {
    let mut command = Command::new(BINARY);
    command.args(["-server", server, "-timeout", "40000"]);
    command
}

fn java_shell(server: &str) -> Command {
    let mut command = Command::new("/usr/share/zookeeper/bin/zkCli.sh");
    command.args(["-server", server, "-timeout", "40000"]);
    command
        .env("JVMFLAGS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -Xmx64m -Dfile.encoding=UTF-8");
    command
}

fn compare(lines: &str, ours: &Finished, java: &Finished, differences: &mut String) {
    let mut told = String::new();
    for (name, ours, java) in [("out", &ours.out, &java.out), ("err", &ours.err, &java.err)] {
        let (ours, java) = (of_both(ours), of_both(java));
        for (what, ours, java) in
            [("", &ours.answers, &java.answers), (" events", &ours.events, &java.events)]
        {
            if let Some(at) =
                (0..ours.len().max(java.len())).find(|at| ours.get(*at) != java.get(*at))
            {
                let from = at.saturating_sub(3);
                let shown = |lines: &[String]| {
                    let lines = lines.iter().skip(from).take(8);
                    lines.map(|line| format!("\n      {line}")).collect::<String>()
                };
                writeln!(
                    told,
                    "  {name}{what}, line {at}\n    ours{}\n    java{}",
                    shown(ours),
                    shown(java)
                )
                .expect("a string takes everything");
            }
        }
    }
    if ours.code != java.code {
        writeln!(told, "  exit code {:?}, java {:?}", ours.code, java.code)
            .expect("a string takes everything");
    }
    if !told.is_empty() {
        writeln!(differences, "{lines}\n{told}").expect("a string takes everything");
    }
}

/// What both have: without our commands in the list, the options that 3.9 added, and versions.
fn of_both(text: &str) -> Lines {
    let mut lines = normal(text);
    let ours = ["cp", "du", "export", "find", "help", "import", "tree", "watch"];
    let added = ["get", "set"];
    // Java ends before its thread prints these, or after.
    lines.events.retain(|event| {
        !["state:Closed", "state:SyncConnected"].iter().any(|state| {
            event.strip_prefix(state).is_some_and(|rest| rest.starts_with(" type:None"))
        })
    });
    lines.answers.retain(|line| {
        let name = line.strip_prefix('\t').and_then(|rest| rest.split(' ').next());
        let is_ours = name.is_some_and(|name| ours.contains(&name) || added.contains(&name));
        !is_ours && !line.starts_with("Connecting to ")
    });
    lines
}
