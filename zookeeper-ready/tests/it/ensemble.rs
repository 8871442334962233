//! `--mode=safe-to-stop` and `--mode=why-not-ready` where no ensemble is, and where the members disagree.
//! What real members say is asked in the pods of the images' tests.

use std::net::Ipv4Addr;
use std::sync::OnceLock;

use crate::fake::{NOT_SERVING, REFUSED, Reply, serve, serve_on};
use crate::{READY, check, run};

const FOLLOWER: Reply = Reply::Text("Zookeeper version: 3.9.5\nMode: follower\n");

fn standalone(word: &str) -> Reply {
    match word {
        "memb" => Reply::Text("role\tSTANDALONE\n"),
        _ => Reply::Text("Zookeeper version: 3.9.5\nMode: standalone\n"),
    }
}

/// As Java closes a connection that begins with what is no word of its own.
fn java(word: &str) -> Reply {
    if word == "memb" { Reply::Text("") } else { FOLLOWER }
}

/// server.2 of three; what the other two are is said by the port that they have.
fn member(word: &str, others: [&str; 2]) -> Reply {
    let [first, third] = others;
    match word {
        "memb" => Reply::Text(String::leak(format!(
            "role\tFOLLOWING\nquorum\tmajority\nme\t2\nmember\t1\tparticipant\t127.0.0.1\t{first}\n\
             member\t2\tparticipant\t127.0.0.1\t1\nmember\t3\tparticipant\t127.0.0.1\t{third}\n"
        ))),
        _ => FOLLOWER,
    }
}

/// The ports of a member that serves and of one that does not.
fn others() -> &'static [String; 2] {
    static PORTS: OnceLock<[String; 2]> = OnceLock::new();
    PORTS.get_or_init(|| [serve(|_| FOLLOWER), serve(|_| NOT_SERVING)])
}

#[test]
fn a_lone_server_is_never_safe_to_stop_and_a_java_server_cannot_say() {
    check(READY, &["--mode=safe-to-stop", &serve(standalone)], Err("its clients have no other"));
    check(READY, &["--mode=safe-to-stop", &serve(java)], Err("does not tell its members"));
    check(READY, &["--mode=safe-to-stop", REFUSED], Err("cannot connect to"));
}

#[test]
fn a_member_is_safe_to_stop_only_if_the_others_serve_as_a_quorum() {
    let serving = |word: &str| member(word, [&others()[0], &others()[0]]);
    check(READY, &["--mode=safe-to-stop", &serve(serving)], Ok(()));
    let one_is_syncing = |word: &str| member(word, [&others()[0], &others()[1]]);
    let why = "without server.2 1 of 3 voters serve, and a quorum is 2; server.3 (127.0.0.1:";
    check(READY, &["--mode=safe-to-stop", &serve(one_is_syncing)], Err(why));
    let one_is_gone = |word: &str| member(word, [REFUSED, &others()[0]]);
    let why = "a quorum is 2; server.1 (127.0.0.1:23099): cannot connect to 127.0.0.1:23099";
    check(READY, &["--mode=safe-to-stop", &serve(one_is_gone)], Err(why));
}

#[test]
fn a_member_out_of_reach_costs_the_others_no_time() {
    let silent = |word: &str| {
        static SILENT: OnceLock<String> = OnceLock::new();
        let port = || serve(|_| Reply::Stall(""));
        member(word, [SILENT.get_or_init(port), &others()[0]])
    };
    let output = run(READY, &["--mode=why-not-ready", "--timeout=500ms", &serve(silent)]);
    let text = String::from_utf8(output.stdout).expect("it is text");
    assert_eq!(output.status.code(), Some(0), "{text}");
    assert!(text.starts_with("server.2 is ready: follower\n"), "{text}");
    assert!(text.contains("no whole answer to srvr from 127.0.0.1:"), "{text}");
    assert!(text.ends_with("  follower\n"), "{text}");
}

#[test]
fn what_does_not_listen_or_answer_is_told_with_what_to_look_at() {
    let explain = |port: &str| {
        let output = run(READY, &["--mode=why-not-ready", "--timeout=300ms", port]);
        assert_eq!(output.status.code(), Some(1));
        String::from_utf8(output.stdout).expect("it is text")
    };
    assert!(explain(REFUSED).contains("\nNothing listens there: the server has ended"));
    let stalling = serve_on(Ipv4Addr::LOCALHOST.into(), |_| Reply::Stall("")).expect("a free port");
    assert!(explain(&stalling.to_string()).contains("\nIt takes connections and does not answer"));
}
