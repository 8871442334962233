//! Tests of reconfigurations.

use expect_test::{Expect, expect};

use super::*;

const THREE: &str = "server.1=a:2:3;2181\nserver.2=b:2:3;2181\nserver.3=c:2:3;2181\nversion=7";
const RULES: ChangeRules = ChangeRules { multi_address: false, standalone_enabled: true };

/// What a change makes of the members `last`, or why it is refused.
fn outcome(last: &str, change: Change<'_>, rules: ChangeRules) -> String {
    let last = Ensemble::parse("last", last.as_bytes(), true).unwrap();
    match last.changed(&change, rules) {
        Ok(next) => next.text(),
        Err(error) => error.to_string(),
    }
}

fn joining(joining: &str) -> Change<'_> {
    Change { joining: Some(joining), ..Change::default() }
}

fn leaving(leaving: &str) -> Change<'_> {
    Change { leaving: Some(leaving), ..Change::default() }
}

fn members(members: &str) -> Change<'_> {
    Change { members: Some(members), ..Change::default() }
}

fn check(change: Change<'_>, expected: Expect) {
    expected.assert_eq(&outcome(THREE, change, RULES));
}

/// What is said to each of these changes.
fn check_refused(changes: &[Change<'_>], expected: Expect) {
    let refusals: String =
        changes.iter().map(|change| outcome(THREE, *change, RULES) + "\n").collect();
    expected.assert_eq(&refusals);
}

#[test]
fn servers_join_and_leave() {
    check(
        Change { joining: Some("server.4=d:2:3:observer;e:1"), leaving: Some("3"), members: None },
        expect![[r#"
            server.1=a:2:3:participant;0.0.0.0:2181
            server.2=b:2:3:participant;0.0.0.0:2181
            server.4=d:2:3:observer;e:1
            version=0"#]],
    );
    check(
        joining(" server.5 = d:2:3;1 ,, foo.4=e:2:3;1,6=[::2]:2:3;[::]:1,"),
        expect![[r#"
        server.1=a:2:3:participant;0.0.0.0:2181
        server.2=b:2:3:participant;0.0.0.0:2181
        server.3=c:2:3:participant;0.0.0.0:2181
        server.4=e:2:3:participant;0.0.0.0:1
        server.5=d:2:3:participant;0.0.0.0:1
        server.6=[0:0:0:0:0:0:0:2]:2:3:participant;[0:0:0:0:0:0:0:0]:1
        version=0"#]],
    );
}

#[test]
fn a_server_that_joins_again_replaces_its_line() {
    check(
        joining("server.3=c:2:3;2181"),
        expect![[r#"
        server.1=a:2:3:participant;0.0.0.0:2181
        server.2=b:2:3:participant;0.0.0.0:2181
        server.3=c:2:3:participant;0.0.0.0:2181
        version=0"#]],
    );
    check(
        joining("server.3=c:2:4:observer;2182"),
        expect![[r#"
        server.1=a:2:3:participant;0.0.0.0:2181
        server.2=b:2:3:participant;0.0.0.0:2181
        server.3=c:2:4:observer;0.0.0.0:2182
        version=0"#]],
    );
    check(
        Change { joining: Some("server.3=c:2:4;1"), leaving: Some("3"), members: None },
        expect![[r#"
            server.1=a:2:3:participant;0.0.0.0:2181
            server.2=b:2:3:participant;0.0.0.0:2181
            server.3=c:2:4:participant;0.0.0.0:1
            version=0"#]],
    );
    check(
        joining("server.4=d:2:3;1,server.4=e:2:3;1,server.5=d:2:3;1"),
        expect![[r#"
        server.1=a:2:3:participant;0.0.0.0:2181
        server.2=b:2:3:participant;0.0.0.0:2181
        server.3=c:2:3:participant;0.0.0.0:2181
        server.4=e:2:3:participant;0.0.0.0:1
        server.5=d:2:3:participant;0.0.0.0:1
        version=0"#]],
    );
}

#[test]
fn what_changes_nothing_is_fine() {
    for change in [Change::default(), leaving("99"), leaving(""), joining(",")] {
        assert_eq!(
            outcome(THREE, change, RULES),
            "server.1=a:2:3:participant;0.0.0.0:2181\nserver.2=b:2:3:participant;0.0.0.0:2181\n\
             server.3=c:2:3:participant;0.0.0.0:2181\nversion=0",
            "{change:?}"
        );
    }
}

#[test]
fn entries_that_cannot_be_read_are_named() {
    check_refused(
        &[
            joining("server.9=foo"),
            joining("server.9"),
            joining("server.9=a=b"),
            joining("server.x=d:2:3;1"),
            joining("server.9=d:2:3;1;2"),
            joining("server.9=d:2;1"),
            joining("server.9=d:2:2;1"),
            joining("server.9=d:2:3"),
            joining("server.9=d:2:3|e:2:3;1"),
            joining("server.9=d\u{7}:2:3;1\n"),
            leaving("1,x"),
            leaving("server.1"),
        ],
        expect![[r#"
            "server.9=foo": foo does not have the form server_config or server_config;client_config where server_config is the pipe separated list of host:port:port or host:port:port:type and client_config is port or host:port
            "server.9": Wrong format of server string; allowed: server.N=host:port:port;port
            "server.9=a=b": Wrong format of server string; allowed: server.N=host:port:port;port
            "server.x=d:2:3;1": For input string: "x"; allowed: server. and a whole number
            "server.9=d:2:3;1;2": d:2:3;1;2 does not have the form server_config or server_config;client_config where server_config is the pipe separated list of host:port:port or host:port:port:type and client_config is port or host:port
            "server.9=d:2;1": d:2;1 does not have the form server_config or server_config;client_config where server_config is the pipe separated list of host:port:port or host:port:port:type and client_config is port or host:port
            "server.9=d:2:2;1": Client and election port must be different! Please update the configuration file on server.9; both are 2
            "server.9=d:2:3": Wrong format of server string - each server should have at least 3 ports specified; add ;port for clients
            "server.9=d:2:3|e:2:3;1": Multiple address feature is disabled, but multiple addresses were specified for sid 9; set multiAddress.enabled=true on every server to allow it
            "server.9=d\u{7}:2:3;1": d\u{7} is no host; allowed: a name, an IPv4 address, an IPv6 address in brackets
            "x": server to leave is not a number; allowed: the N of a server.N line
            "server.1": server to leave is not a number; allowed: the N of a server.N line
        "#]],
    );
}

#[test]
fn no_two_servers_share_an_address() {
    check_refused(
        &[
            joining("server.4=A:2:9;1"),
            joining("server.4=a:9:3;1"),
            joining("server.4=d:2:3;a:3"),
            joining("server.4=d:2:3;1,server.5=d:3:4;1"),
            // The order counts: server 3 is moved too late.
            joining("server.2=c:2:3;1,server.3=e:2:3;1"),
        ],
        expect![[r#"
            "server.4=A:2:9;1": a:2 of server.4 conflicts with server.1
            "server.4=a:9:3;1": a:3 of server.4 conflicts with server.1
            "server.4=d:2:3;a:3": a:3 of server.4 conflicts with server.1
            "server.5=d:3:4;1": d:3 of server.5 conflicts with server.4
            "server.2=c:2:3;1": c:2 of server.2 conflicts with server.3
        "#]],
    );
    check(
        joining("server.3=e:2:3;1,server.2=c:2:3;1"),
        expect![[r#"
        server.1=a:2:3:participant;0.0.0.0:2181
        server.2=c:2:3:participant;0.0.0.0:1
        server.3=e:2:3:participant;0.0.0.0:1
        version=0"#]],
    );
    check(
        Change { joining: Some("server.4=c:2:3;1"), leaving: Some("3"), members: None },
        expect![[r#"
            server.1=a:2:3:participant;0.0.0.0:2181
            server.2=b:2:3:participant;0.0.0.0:2181
            server.4=c:2:3:participant;0.0.0.0:1
            version=0"#]],
    );
}

#[test]
fn addresses_that_are_others_on_every_machine_may_be_shared() {
    let last = "server.1=127.0.0.1:2:3;2181\nserver.2=localhost:4:5;[::]:2181";
    for joining in ["127.0.0.1:2:3;2181", "[::1]:2:3;127.0.0.1:3", "LocalHost:4:5;2181"] {
        let entry = format!("server.4={joining}");
        let outcome = outcome(last, self::joining(&entry), RULES);
        assert!(outcome.ends_with("version=0"), "{joining}: {outcome}");
    }
}

#[test]
fn all_members_can_be_given_at_once() {
    check(
        members("server.4=d:2:3,server.5=e:2:3;1\nserver.6=d:2:3:observer\n"),
        expect![[r#"
        server.4=d:2:3:participant
        server.5=e:2:3:participant;0.0.0.0:1
        server.6=d:2:3:observer
        version=0"#]],
    );
    check(
        members("server.4=d:2:3,server.5=e:2:3,group.1=4,group.2=5,weight.4=2,version=ff"),
        expect![[r#"
            server.4=d:2:3:participant
            server.5=e:2:3:participant
            group.1=4
            group.2=5
            weight.4=2
            weight.5=1
            version=0"#]],
    );
    check(
        Change { members: Some("server.1=a:2:3,server.2=b:2:3"), ..joining("nonsense") },
        expect![[r#"
            server.1=a:2:3:participant
            server.2=b:2:3:participant
            version=0"#]],
    );
    check(
        members("server.1=a:2:3,server.2=b,foo=1,version=x"),
        expect![[r#"
        new members:3: Unrecognised parameter: foo; allowed: server.N, group.N, weight.N
        new members:4: version: For input string: "x"; allowed: a hexadecimal number
        new members:2: server.2: b does not have the form server_config or server_config;client_config where server_config is the pipe separated list of host:port:port or host:port:port:type and client_config is port or host:port"#]],
    );
    check(
        members("server.1=a:2:3\\u12,server.2=b:2:3,group.1=1"),
        expect![[
            r#"new members:1: server.1: Malformed \uxxxx encoding; allowed: \u and four hex digits, \\ for a backslash"#
        ]],
    );
}

#[test]
fn enough_members_must_vote() {
    let alone = ChangeRules { standalone_enabled: false, ..RULES };
    let refused = [
        (leaving("1,2,3"), RULES),
        (leaving("1,2"), RULES),
        (joining("server.1=a:2:3:observer;1,server.2=b:2:3:observer;1"), RULES),
        (members("server.1=a:2:3"), RULES),
        (members(""), RULES),
        (leaving("1,2,3"), alone),
        (members("server.1=a:2:3:observer"), alone),
    ];
    for (change, rules) in refused {
        let outcome = outcome(THREE, change, rules);
        assert!(outcome.starts_with("Reconfig failed - new configuration must"), "{outcome}");
    }
    let outcome = outcome(THREE, leaving("1,2"), alone);
    assert_eq!(outcome, "server.3=c:2:3:participant;0.0.0.0:2181\nversion=0");
}

#[test]
fn servers_of_a_hierarchy_change_all_at_once_only() {
    let last = "server.1=a:2:3\nserver.2=b:2:3\ngroup.1=1\ngroup.2=2";
    for change in [Change::default(), leaving("9"), joining("server.3=c:2:3;1")] {
        let outcome = outcome(last, change, RULES);
        assert!(outcome.starts_with("Incremental reconfiguration requested"), "{outcome}");
    }
    assert_eq!(
        outcome(last, members("server.1=a:2:3,server.2=b:2:3"), RULES),
        "server.1=a:2:3:participant\nserver.2=b:2:3:participant\nversion=0"
    );
}

#[test]
fn several_addresses_need_the_switch() {
    let change = joining("server.4=d:2:3|e:2:3;1");
    let outcome = outcome(THREE, change, ChangeRules { multi_address: true, ..RULES });
    assert!(outcome.contains("server.4=d:2:3|e:2:3:participant;0.0.0.0:1\n"), "{outcome}");
}

#[test]
fn a_long_request_takes_no_longer_than_its_length() {
    let mut all = String::new();
    for id in 0..10_000 {
        all += &format!("server.{id}=h{id}:2:3;h{id}:1,");
    }
    let last = Ensemble::parse("last", THREE.as_bytes(), true).unwrap();
    let next = last.changed(&joining(&all), RULES).unwrap();
    assert_eq!(next.servers.len(), 10_000);
}
