//! What goes wrong: one line that says what, and an exit code that is not 0.

use std::io::{Read, Write};
use std::process::Command;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::deadline::await_until;
use crate::server::{Kind, Server, free_port};
use crate::zkcli::{BINARY, Finished, Typed, one_shot, run};

fn explained(server: &str, words: &[&str]) -> Finished {
    one_shot(server, &[&["--explain"], words].concat())
}

#[test]
fn a_server_that_is_not_there_is_named_at_once() {
    let (one, two) = (free_port(), free_port());
    let list = format!("127.0.0.1:{one},127.0.0.1:{two}");
    for words in [&["ls", "/"][..], &["-waitforconnection", "-timeout", "300", "ls", "/"]] {
        let failed = one_shot(&list, words);
        assert_eq!(failed.code, Some(1), "{words:?}");
        assert!(failed.err.starts_with("KeeperErrorCode = ConnectionLoss"), "{}", failed.err);
        assert_eq!(failed.err.lines().count(), 1, "{}", failed.err);
    }
    let failed = explained(&list, &["ls", "/"]);
    let advice = failed.err.lines().nth(1).unwrap_or_default();
    assert!(advice.starts_with(&format!("no server of {list} answers (127.0.0.1:")), "{advice}");
    assert!(advice.contains("refused"), "{advice}");
}

#[test]
fn a_name_that_has_no_address_and_a_list_that_names_nobody_say_so() {
    let failed = explained("no-such-host.invalid:2181", &["ls", "/"]);
    assert_eq!(failed.code, Some(1));
    assert!(failed.err.contains("no-such-host.invalid has no address"), "{}", failed.err);
    for (server, expected) in [
        ("", "zkcli: -server `` names no server"),
        ("a:b", "zkcli: -server `b` is no port, in the server `a:b`"),
        ("a:1/x/", "zkcli: -server Path must not end with / character"),
    ] {
        let failed = one_shot(server, &["ls", "/"]);
        assert_eq!(failed.code, Some(2), "{server}");
        assert!(failed.err.starts_with(expected), "{}", failed.err);
    }
}

#[test]
fn one_server_of_a_list_is_enough() {
    let server = Server::ours();
    let list = format!("127.0.0.1:{},{}", free_port(), server.address());
    for _ in 0..4 {
        assert_eq!(one_shot(&list, &["ls", "/"]).answer(), "[zookeeper]\n");
    }
}

#[test]
fn what_is_no_zookeeper_server_is_told() {
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port is free");
    let address = listener.local_addr().expect("it is bound").to_string();
    // A web server, as far as the shell can see; it ends with the tests.
    std::thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let mut request = [0; 49];
            // A shell that has heard enough hangs up.
            let _ = stream.read_exact(&mut request);
            let _ = stream.write_all(b"HTTP/1.1 400 Bad Request\r\n\r\n");
        }
    });
    let failed = explained(&address, &["ls", "/"]);
    assert_eq!(failed.code, Some(1));
    assert!(failed.err.contains("does not speak ZooKeeper's protocol"), "{}", failed.err);
}

#[test]
fn a_connection_that_breaks_is_opened_again() {
    let mut server = Server::ours();
    let mut shell = Typed::start(&["-server", &server.address()]);
    shell.types("create /a first\nget -w /a\n");
    shell.prints("first");
    server.kill();
    shell.prints("state:Disconnected");
    server.start();
    shell.prints("state:SyncConnected");
    // The watch was set again on the new connection.
    shell.types("set /a x\n");
    shell.prints("type:NodeDataChanged path:/a");
    shell.types("quit\n");
    assert_eq!(shell.end(), Some(0));
}

#[test]
fn a_session_that_expired_is_told_and_a_new_one_works() {
    let server = Server::ours();
    let mut shell = Typed::start(&["-server", &server.address(), "-timeout", "4000"]);
    let id = Pid::from_raw(i32::try_from(shell.shell.id()).expect("ids are small"));
    shell.types("create -e /mine\nls /\n");
    shell.prints("[mine, zookeeper]");
    // The shell stands still for longer than its session lives.
    kill(id, Signal::SIGSTOP).expect("it can be stopped");
    await_until("the session expires", Duration::from_secs(30), || {
        (one_shot(&server.address(), &["ls", "/"]).answer() == "[zookeeper]\n").then_some(())
    });
    kill(id, Signal::SIGCONT).expect("it can go on");
    shell.prints("state:Expired");
    shell.types("ls /\n");
    shell.prints("Not connected");
    shell.types("connect\nls /\n");
    shell.prints("[zookeeper]");
    shell.types("close\nls /\nquit\n");
    shell.prints("Not connected");
    assert_eq!(shell.end(), Some(1));
}

#[test]
fn a_server_without_a_quorum_serves_those_who_only_read() {
    let member =
        |id: u8| format!("server.{id}=127.0.0.1:{}:{}:participant", free_port(), free_port());
    let members = [member(1), member(2), member(3)].join("\n");
    let settings = format!("initLimit=5\nsyncLimit=5\nreadonlymode.enabled=true\n{members}");
    let server = Server::new(Kind::Ours, &settings);
    let read = explained(&server.address(), &["-r", "ls", "/"]);
    assert_eq!(read.code, Some(0), "{}", read.err);
    assert!(read.out.contains("state:ConnectedReadOnly"), "{}", read.out);
    assert!(read.out.ends_with("[zookeeper]\n"), "{}", read.out);
    let write = explained(&server.address(), &["-r", "create", "/x"]);
    assert_eq!(write.code, Some(1));
    assert!(
        write.err.starts_with("Not a read-only call: /x\nthis server has no quorum"),
        "{}",
        write.err
    );
    let refused = explained(&server.address(), &["ls", "/"]);
    assert_eq!(refused.code, Some(1));
    assert!(refused.err.contains("ConnectionLoss"), "{}", refused.err);
}

#[test]
fn credentials_that_are_refused_end_the_session() {
    let server = Server::ours();
    let mut shell = Typed::start(&["-server", &server.address()]);
    shell.types("addauth nonsense x\n");
    shell.prints("state:AuthFailed type:None path:null");
    shell.types("ls /\n");
    shell.prints("Not connected");
    shell.types("connect\nls /\n");
    shell.prints("[zookeeper]");
    shell.types("quit\n");
    assert_eq!(shell.end(), Some(0));
}

#[test]
fn an_error_says_what_to_do_to_whom_asks_for_it() {
    let server = Server::ours();
    let address = server.address();
    let setup = "create /app x\ncreate /app/config x\ncreate /locked x world:anyone:r\n\
                 create /secret x digest:bob:NTk5OTk5OTk5OTk5OTk5OTk5OTk=:cdrwa\ncreate -e /eph\nquit\n";
    let mut command = Command::new(BINARY);
    assert_eq!(run(command.args(["-server", &address]), setup).code, Some(0));
    let cases: &[(&[&str], &str)] = &[
        (
            &["set", "/locked", "y"],
            "NoAuth: /locked needs WRITE; you are ip:127.0.0.1; nobody may; addauth digest \
             user:password",
        ),
        (&["get", "/secret"], "NoAuth: /secret needs READ; you are ip:127.0.0.1; addauth"),
        (&["create", "/locked/x"], "NoAuth: /locked needs CREATE;"),
        (&["get", "/app/confg"], "did you mean /app/config?"),
        (&["create", "/app/a/b/c"], "/app/a must be created first"),
        (&["create", "/app"], "`set /app DATA` changes it"),
        (&["delete", "/app"], "/app has 1 children; `deleteall /app` deletes all"),
        (&["set", "-v", "7", "/app", "y"], "the version of /app is 0 now; without -v any will do"),
        (&["setAcl", "/app", "x:y:r"], "an ACL is scheme:id:perms"),
        (&["lss", "/"], "did you mean `ls`? `help` lists all commands"),
        (&["get", "-q", "/"], "`help COMMAND` shows what a command takes"),
        (&["reconfig", "-remove", "1"], "members can change when all servers have"),
    ];
    for (words, expected) in cases {
        let failed = explained(&address, words);
        assert_ne!(failed.code, Some(0), "{words:?}");
        let advice = failed.err.lines().last().unwrap_or_default();
        let expected = expected.replace("any will", "any version will");
        assert!(advice.starts_with(&expected), "{words:?}: {advice}");
        // Scripts get Java's line alone.
        let plain = one_shot(&address, words);
        assert!(!plain.err.contains(advice), "{words:?}: {}", plain.err);
    }
}

#[test]
fn a_bad_invocation_is_one_sentence() {
    let run = |words: &[&str]| run(Command::new(BINARY).args(words), "");
    for (words, expected) in [
        (&["-timeout", "x", "ls"][..], "zkcli: -timeout x: expected milliseconds"),
        (&["--output", "xml"], "zkcli: --output xml: expected `text` or `json`"),
        (&["-client-configuration", "/nowhere"], "zkcli: -client-configuration /nowhere: No such"),
    ] {
        let failed = run(words);
        assert_eq!(failed.code, Some(2), "{words:?}");
        assert!(failed.err.starts_with(expected), "{}", failed.err);
        assert_eq!(failed.err.lines().count(), 1, "{}", failed.err);
    }
    let help = run(&["--help"]);
    assert_eq!(help.code, Some(0));
    assert!(help.out.starts_with("usage: zkcli [options]"), "{}", help.out);
}
