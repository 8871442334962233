//! Tests that need more than the public way in: `myid`, and what is read of the key table.

use expect_test::{Expect, expect};

use super::*;
use crate::keys::{KEYS, Priority, State};
use crate::mode::MyId;

const MEMBERS: &str = "dataDir=/d\ninitLimit=10\nsyncLimit=5\nserver.1=a:1:2;2181\n\
                       server.2=b:1:2:observer;2182\nserver.3=c:1:2\nserver.300=d:1:2";

/// What becomes of `text` with a `myid` of this content: id, role and client port, or faults.
fn check(text: &str, my_id: Option<&str>, expected: Expect) {
    let path = "/d/myid".into();
    let mut sources = Sources::new("zoo.cfg", text.as_bytes(), &[]);
    sources.my_id = match my_id {
        Some(text) => MyId::Found(path, text.as_bytes().to_vec()),
        None => MyId::Missing(path),
    };
    let outcome = match assemble(sources) {
        Ok(Parsed { config, warnings, .. }) => {
            let Config { mode, clients, quorum, .. } = config;
            let id = quorum.my_id.map(|id| id.0);
            let (role, port) = (quorum.peer_type, clients.port);
            let warnings = warnings.iter().map(|warning| format!("{warning}\n"));
            format!("{mode:?} {id:?} {role} {port:?}\n{}", warnings.collect::<String>())
        }
        Err(errors) => format!("{errors}\nexit {}\n", errors.exit_code()),
    };
    expected.assert_eq(&outcome);
}

#[test]
fn myid_says_which_line_is_this_servers() {
    check(
        MEMBERS,
        Some("1\n"),
        expect![[r#"
        Replicated Some(1) participant Some(2181)
        zoo.cfg:7: server.300: 300 is outside of 1 to 255
    "#]],
    );
    check(
        MEMBERS,
        Some("2"),
        expect![[r#"
        Replicated Some(2) observer Some(2182)
        zoo.cfg: peerType: Peer type from servers list (observer) doesn't match peerType (participant). Defaulting to servers list.
        zoo.cfg:7: server.300: 300 is outside of 1 to 255
    "#]],
    );
    check(
        MEMBERS,
        Some(" 3 \r\nsecond line"),
        expect![[r#"
        Replicated Some(3) participant None
        /d/myid:1: myid: blanks around the number are passed over; Java refuses them
        zoo.cfg: clientPort: clientPort is not set, no client can connect
        zoo.cfg:7: server.300: 300 is outside of 1 to 255
    "#]],
    );
}

#[test]
fn myid_must_be_there_and_name_a_member() {
    check(
        MEMBERS,
        None,
        expect![[r#"
        /d/myid: myid file is missing; it must hold the N of this server's server.N line
        exit 2
    "#]],
    );
    check(
        MEMBERS,
        Some("9"),
        expect![[r#"
        /d/myid: My id 9 not in the peer list; the members are 1, 2, 3, 300
        exit 1
    "#]],
    );
    check(
        MEMBERS,
        Some("-1"),
        expect![[r#"
        /d/myid: myid file is missing; it must hold the N of this server's server.N line
        exit 2
    "#]],
    );
    check(
        MEMBERS,
        Some(""),
        expect![[r#"
        /d/myid:1: serverid null is not a number; its first line must be the N of a server.N line
        exit 2
    "#]],
    );
    check(
        MEMBERS,
        Some("one\n"),
        expect![[r#"
        /d/myid:1: serverid one is not a number; its first line must be the N of a server.N line
        exit 2
    "#]],
    );
}

#[test]
fn myid_of_a_standalone_server_is_not_needed_but_read() {
    check(
        "dataDir=/d\nclientPort=2181",
        None,
        expect![[r#"
        Standalone None participant Some(2181)
    "#]],
    );
    check(
        "dataDir=/d\nclientPort=2181",
        Some("x"),
        expect![[r#"
        /d/myid:1: serverid x is not a number; its first line must be the N of a server.N line
        exit 2
    "#]],
    );
    check(
        "dataDir=/d\nserver.1=a:1:2;2181",
        Some("1"),
        expect![[r#"
        Standalone Some(1) participant Some(2181)
        zoo.cfg:2: server.1: Invalid configuration, only one server specified (ignoring)
    "#]],
    );
    check(
        "dataDir=/d\nserver.1=a:1:2;2181",
        Some("2"),
        expect![[r#"
        Standalone Some(2) participant None
        zoo.cfg: clientPort: clientPort is not set, no client can connect
        zoo.cfg:2: server.1: Invalid configuration, only one server specified (ignoring)
    "#]],
    );
}

#[test]
fn client_port_agrees_with_the_own_line() {
    let with = |settings: &str| format!("{settings}\n{MEMBERS}");
    check(
        &with("clientPort=2181"),
        Some("1"),
        expect![[r#"
        Replicated Some(1) participant Some(2181)
        zoo.cfg:8: server.300: 300 is outside of 1 to 255
    "#]],
    );
    check(
        &with("clientPort=2182"),
        Some("1"),
        expect![[r#"
        zoo.cfg:1: client address for this server (id = 1) in static config file is 0.0.0.0:2182 is different from client address found in dynamic file: 0.0.0.0:2181; drop clientPort or make them equal
        exit 2
    "#]],
    );
    check(
        &with("clientPort=2181\nclientPortAddress=127.0.0.1"),
        Some("1"),
        expect![[r#"
        zoo.cfg:1: client address for this server (id = 1) in static config file is 127.0.0.1:2181 is different from client address found in dynamic file: 0.0.0.0:2181; drop clientPort or make them equal
        exit 2
    "#]],
    );
    check(
        &with("clientPort=2199"),
        Some("3"),
        expect![[r#"
        Replicated Some(3) participant Some(2199)
        zoo.cfg:8: server.300: 300 is outside of 1 to 255
    "#]],
    );
}

#[test]
fn peer_type_gives_way_to_the_own_line() {
    let with = |role: &str| format!("peerType={role}\nclientPort=2181\n{MEMBERS}");
    check(
        &with("observer"),
        Some("3"),
        expect![[r#"
        Replicated Some(3) participant Some(2181)
        zoo.cfg:1: peerType: Peer type from servers list (participant) doesn't match peerType (observer). Defaulting to servers list.
        zoo.cfg:9: server.300: 300 is outside of 1 to 255
    "#]],
    );
    check(
        "dataDir=/d\nclientPort=1\npeerType=Observer",
        None,
        expect![[r#"
            Standalone None participant Some(1)
            zoo.cfg:3: peerType: Peer type from servers list (participant) doesn't match peerType (observer). Defaulting to servers list.
        "#]],
    );
}

#[test]
fn a_large_number_does_not_go_with_ttl_nodes() {
    let text = format!("extendedTypesEnabled=true\n{MEMBERS}");
    check(
        &text,
        Some("300"),
        expect![[r#"
        zoo.cfg:1: extendedTypesEnabled is true but Server ID is too large. Cannot be larger than 254: server.300
        exit 1
    "#]],
    );
}

#[test]
fn what_clients_are_told_need_not_be_what_is_opened() {
    let told = "dataDir=/d\ninitLimit=10\nsyncLimit=5\nadvertisedClientAddress.enabled=true\n\
                server.1=a:1:2;zk-1.example.org:32181\nserver.2=b:1:2;zk-2.example.org:32182\n\
                server.3=c:1:2;zk-3.example.org:32183";
    check(
        &format!("{told}\nclientPort=2181"),
        Some("2"),
        expect![[r#"
        Replicated Some(2) participant Some(2181)
    "#]],
    );
    check(
        told,
        Some("2"),
        expect![[r#"
            zoo.cfg:4: advertisedClientAddress.enabled is set but clientPort is not set; set clientPort or drop advertisedClientAddress.enabled=true
            exit 2
        "#]],
    );
    let same = told.replace("advertisedClientAddress.enabled=true", "clientPort=2181");
    check(
        &same,
        Some("2"),
        expect![[r#"
        zoo.cfg:4: client address for this server (id = 2) in static config file is 0.0.0.0:2181 is different from client address found in dynamic file: zk-2.example.org:32182; drop clientPort or make them equal
        exit 2
    "#]],
    );
}

/// The names that the groups of `Config` ask for, with a provider that has settings of its own.
fn asked() -> Vec<&'static str> {
    let text = "dataDir=/d\nmetricsProvider.className=\
                org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";
    let (reader, _) = typed(Sources::new("zoo.cfg", text.as_bytes(), &[]));
    reader.asked()
}

#[test]
fn every_common_key_and_every_honoured_one_is_read_into_the_configuration() {
    let asked = asked();
    let wanted =
        KEYS.iter().filter(|key| key.priority < Priority::P3 || key.state == State::Honoured);
    for key in wanted.filter(|key| !key.is_family()) {
        assert!(asked.contains(&key.name), "{key}");
    }
}

#[test]
fn no_key_without_effect_is_read_into_the_configuration() {
    let asked = asked();
    for key in KEYS.iter().filter(|key| key.state == State::NoEffect) {
        assert!(!asked.contains(&key.name), "{key}");
    }
}

#[test]
fn the_sample_of_all_common_keys_is_complete() {
    let text = include_bytes!("../../testdata/everything.cfg");
    let sample = Properties::parse("everything.cfg", text).unwrap();
    for key in KEYS.iter().filter(|key| key.priority < Priority::P3 && !key.is_family()) {
        assert!(sample.lookup(key.name).is_some(), "{key}");
    }
}
