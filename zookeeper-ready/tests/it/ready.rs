//! `zookeeper-ready` against every kind of answer and of silence.

use std::net::Ipv6Addr;
use std::time::{Duration, Instant};

use crate::fake::{NOT_SERVING, REFUSED, Reply, bound_only, serve, serve_on};
use crate::{READY, check, run, stderr};

const NOT_LISTED: &str = "ruok is not executed because it is not in the whitelist.\n";

fn following(word: &str) -> Reply {
    match word {
        "ruok" => Reply::Text("imok"),
        _ => Reply::Text("Zookeeper version: 3.9.5\nZxid: 0x5\nMode: follower\nNode count: 5\n"),
    }
}

fn listed_srvr_only(word: &str) -> Reply {
    if word == "ruok" { Reply::Text(NOT_LISTED) } else { following(word) }
}

fn electing(word: &str) -> Reply {
    if word == "ruok" { Reply::Text("imok") } else { NOT_SERVING }
}

fn electing_listed_srvr_only(word: &str) -> Reply {
    if word == "ruok" { Reply::Text(NOT_LISTED) } else { NOT_SERVING }
}

fn read_only(word: &str) -> Reply {
    match word {
        "ruok" => Reply::Text("imok"),
        _ => Reply::Text("Zookeeper version: 3.9.5\nMode: read-only\nNode count: 5\n"),
    }
}

/// Runs all four modes against a server; `Err` holds a part of the message.
fn check_modes(reply: fn(&str) -> Reply, [ok, live, ready, quorum]: [Result<(), &'static str>; 4]) {
    let port = serve(reply);
    check(READY, &[&port], ok);
    check(READY, &["--mode=ok", &port], ok);
    check(READY, &["--mode=live", &port], live);
    check(READY, &["--mode", "ready", &port], ready);
    check(READY, &[&port, "--mode=quorum"], quorum);
}

#[test]
fn a_follower_is_all_that_can_be_asked() {
    check_modes(following, [Ok(()); 4]);
}

#[test]
fn every_mode_works_with_srvr_alone_in_the_whitelist() {
    check_modes(listed_srvr_only, [Ok(()); 4]);
}

#[test]
fn every_role_that_serves_is_ready() {
    fn leader(_: &str) -> Reply {
        Reply::Text("Zookeeper version: 3.4.10\nMode: leader\n")
    }
    fn observer(_: &str) -> Reply {
        Reply::Text("Zookeeper version: 3.9.5\nMode: observer\n")
    }
    fn standalone(_: &str) -> Reply {
        Reply::Text("Zookeeper version: 3.9.5\nMode: standalone\n")
    }
    for reply in [leader, observer, standalone] {
        let port = serve(reply);
        check(READY, &["--mode=ready", &port], Ok(()));
        check(READY, &["--mode=quorum", &port], Ok(()));
    }
}

#[test]
fn a_server_without_a_quorum_lives_but_is_not_ready() {
    let no = Err("not serving");
    check_modes(electing, [Ok(()), Ok(()), no, no]);
    check_modes(electing_listed_srvr_only, [Ok(()), Ok(()), no, no]);
}

#[test]
fn a_read_only_server_is_ready_only_if_that_is_asked_for() {
    let no = Err("read-only");
    check_modes(read_only, [Ok(()), Ok(()), no, no]);
    let port = serve(read_only);
    check(READY, &["--mode=ready", "--allow-read-only", &port], Ok(()));
    check(READY, &["--mode=quorum", "--allow-read-only", &port], no);
}

#[test]
fn answers_of_another_protocol_are_no() {
    fn http(_: &str) -> Reply {
        Reply::Text("HTTP/1.1 400 Bad Request\r\n\r\n")
    }
    fn nothing(_: &str) -> Reply {
        Reply::Text("")
    }
    fn nearly(_: &str) -> Reply {
        Reply::Text("imok, more or less")
    }
    fn no_mode(_: &str) -> Reply {
        Reply::Text("Zookeeper version: 3.9.5\n")
    }
    fn odd_mode(_: &str) -> Reply {
        Reply::Text("Zookeeper version: 3.9.5\nMode: \u{1b}king\n")
    }
    let http_says = Err("unexpected answer to ruok: HTTP/1.1 400 Bad Request");
    let http_says_too = Err("unexpected answer to srvr: HTTP/1.1 400 Bad Request");
    check_modes(http, [http_says, http_says, http_says_too, http_says_too]);
    check_modes(nothing, [Err("closed without an answer"); 4]);
    check(READY, &[&serve(nearly)], Err("imok, more or less"));
    check(READY, &[&serve(no_mode), "--mode=ready"], Err("Zookeeper version: 3.9.5"));
    check(READY, &[&serve(odd_mode), "--mode=ready"], Err("unknown role \\u{1b}king"));
}

#[test]
fn a_newline_behind_imok_does_not_count() {
    fn newline(_: &str) -> Reply {
        Reply::Text("imok\n")
    }
    check(READY, &[&serve(newline)], Ok(()));
}

#[test]
fn a_reset_behind_the_whole_answer_does_not_count() {
    fn reset(_: &str) -> Reply {
        Reply::Reset("imok")
    }
    check(READY, &[&serve(reset)], Ok(()));
}

#[test]
fn silence_ends_at_the_deadline() {
    fn stall(_: &str) -> Reply {
        Reply::Stall("")
    }
    fn half(_: &str) -> Reply {
        Reply::Stall("im")
    }
    fn drip(_: &str) -> Reply {
        Reply::Drip
    }
    let (_listener, loading) = bound_only();
    let cases = [
        (serve(stall), "(0 bytes came)"),
        (serve(half), "(2 bytes came)"),
        (serve(drip), "within 300ms"),
        (loading, "(0 bytes came)"),
    ];
    for (port, why) in cases {
        let started = Instant::now();
        check(READY, &["--timeout=300ms", &port], Err(why));
        let took = started.elapsed();
        assert!(took >= Duration::from_millis(300), "{why}: {took:?}");
        // Wide, for a busy machine; the default deadline of 3 s would still show.
        assert!(took < Duration::from_millis(2500), "{why}: {took:?}");
    }
}

#[test]
fn an_endless_answer_is_cut_off() {
    fn flood(_: &str) -> Reply {
        Reply::Flood
    }
    check(READY, &["--timeout=20s", &serve(flood)], Err("exceeds 16777216 bytes"));
}

#[test]
fn a_refused_port_is_named() {
    check(READY, &[REFUSED], Err("cannot connect to 127.0.0.1:23099"));
    check(READY, &["--host=127.0.0.1", REFUSED], Err("cannot connect to 127.0.0.1:23099"));
}

#[test]
fn a_name_without_an_address_is_named() {
    let no = Err("cannot resolve host no-such-host.invalid");
    check(READY, &["--host=no-such-host.invalid", "--timeout=2s"], no);
}

#[test]
fn a_host_may_be_a_name_or_an_address() {
    for host in ["localhost", "127.0.0.1"] {
        check(READY, &["--host", host, &serve(following)], Ok(()));
    }
}

#[test]
fn the_loopback_of_ipv6_is_tried_when_that_of_ipv4_refuses() {
    let Some(port) = serve_on(Ipv6Addr::LOCALHOST.into(), following) else {
        eprintln!("skipped: this machine has no IPv6 loopback");
        return;
    };
    let port = port.to_string();
    check(READY, &[&port], Ok(()));
    check(READY, &["--host=::1", &port], Ok(()));
    check(READY, &["--host=[::1]", &port], Ok(()));
    check(READY, &["--host=127.0.0.1", &port], Err("cannot connect to 127.0.0.1"));
}

#[test]
fn a_command_line_without_sense_is_exit_code_2() {
    for arguments in [
        &["nonsense"][..],
        &["0"],
        &["65536"],
        &["--mode=maybe"],
        &["--timeout=never"],
        &["2181", "2182"],
        &["--unknown"],
    ] {
        let output = run(READY, arguments);
        assert_eq!(output.status.code(), Some(2), "{arguments:?}");
        assert!(stderr(&output).starts_with("error: "), "{arguments:?}: {}", stderr(&output));
    }
    assert_eq!(run(READY, &["--help"]).status.code(), Some(0));
}
