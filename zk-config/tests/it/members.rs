//! Members in a zoo.cfg: the mode they make, and what is wrong with them.

use expect_test::{Expect, expect};
use zk_config::Config;

use crate::{properties, remarks};

/// Mode, ensemble and remarks, or the faults, of an ensemble's configuration with `members`.
fn check(members: &str, expected: Expect) {
    check_with("", "initLimit=10\nsyncLimit=5\nclientPort=2181", members, expected);
}

fn check_with(words: &str, settings: &str, members: &str, expected: Expect) {
    let text = format!("dataDir=/d\n{settings}\n{members}");
    let outcome = match Config::parse("zoo.cfg", text.as_bytes(), &properties(words)) {
        Ok(parsed) => {
            let config = &parsed.config;
            let ensemble = config.quorum.ensemble.to_string();
            let port = config.clients.port.map_or("none".to_owned(), |port| port.to_string());
            let lines = ensemble.lines().map(|line| format!("{line}\n")).collect::<String>();
            format!("{:?}, client port {port}\n{lines}{}", config.mode, remarks(&parsed))
        }
        Err(errors) => format!("{errors}\nexit {}\n", errors.exit_code()),
    };
    expected.assert_eq(&outcome);
}

#[test]
fn up_to_one_voter_makes_a_standalone_server() {
    let (voter, observer) = ("server.1=a:1:2", "server.2=b:1:2:observer");
    let alone = "standaloneEnabled=false";
    check(
        "",
        expect![[r#"
        Standalone, client port 2181
    "#]],
    );
    check(
        alone,
        expect![[r#"
        zoo.cfg:5: standaloneEnabled = false then number of participants should be >0; add server.N lines
        exit 2
    "#]],
    );
    check(
        observer,
        expect![[r#"
        zoo.cfg:5: server.2: Observers w/o participants is an invalid configuration; at least one server.N must be a participant
        exit 2
    "#]],
    );
    check(
        &format!("{alone}\n{observer}"),
        expect![[r#"
        zoo.cfg:5: standaloneEnabled = false then number of participants should be >0; add server.N lines
        exit 2
    "#]],
    );
    check(
        voter,
        expect![[r#"
        Standalone, client port 2181
        server.1=a:1:2:participant
        zoo.cfg:5: server.1: Invalid configuration, only one server specified (ignoring)
    "#]],
    );
    check(
        &format!("{voter}\n{observer}"),
        expect![[r#"
        zoo.cfg:6: server.2: Observers w/o quorum is an invalid configuration; set standaloneEnabled=false to have one participant with observers
        exit 2
    "#]],
    );
}

#[test]
fn an_ensemble_is_as_good_as_its_number_of_voters() {
    let (voter, observer) = ("server.1=a:1:2", "server.2=b:1:2:observer");
    let alone = "standaloneEnabled=false";
    check(
        &format!("{alone}\n{voter}"),
        expect![[r#"
        Replicated, client port 2181
        server.1=a:1:2:participant
        zoo.cfg:6: server.1: No server failure will be tolerated. You need at least 3 servers.
    "#]],
    );
    check(
        &format!("{alone}\n{voter}\n{observer}"),
        expect![[r#"
        Replicated, client port 2181
        server.1=a:1:2:participant
        server.2=b:1:2:observer
        zoo.cfg:6: server.1: No server failure will be tolerated. You need at least 3 servers.
    "#]],
    );
    check(
        "server.1=a:1:2\nserver.2=b:1:2",
        expect![[r#"
        Replicated, client port 2181
        server.1=a:1:2:participant
        server.2=b:1:2:participant
        zoo.cfg:5: server.1: No server failure will be tolerated. You need at least 3 servers.
    "#]],
    );
    check(
        "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2",
        expect![[r#"
        Replicated, client port 2181
        server.1=a:1:2:participant
        server.2=b:1:2:participant
        server.3=c:1:2:participant
    "#]],
    );
    check(
        "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2\nserver.4=d:1:2",
        expect![[r#"
        Replicated, client port 2181
        server.1=a:1:2:participant
        server.2=b:1:2:participant
        server.3=c:1:2:participant
        server.4=d:1:2:participant
        zoo.cfg:5: server.1: Non-optimal configuration, consider an odd number of servers. There are 4
    "#]],
    );
}

#[test]
fn an_ensemble_needs_its_limits() {
    let members = "server.1=a:1:2\nserver.2=b:1:2";
    check_with(
        "",
        "clientPort=1",
        members,
        expect![[r#"
        zoo.cfg: initLimit is not set; an ensemble needs it, in ticks of 1 or more, such as 10
        zoo.cfg: syncLimit is not set; an ensemble needs it, in ticks of 1 or more, such as 10
        exit 2
    "#]],
    );
    check_with(
        "",
        "clientPort=1\ninitLimit=-1\nsyncLimit=5",
        members,
        expect![[r#"
        Replicated, client port 1
        server.1=a:1:2:participant
        server.2=b:1:2:participant
        zoo.cfg:3: initLimit: "-1": a negative number of ticks is over at once
        zoo.cfg:5: server.1: No server failure will be tolerated. You need at least 3 servers.
    "#]],
    );
}

#[test]
fn the_one_line_of_a_standalone_server_gives_its_client_port() {
    check_with(
        "",
        "",
        "server.1=localhost:2888:3888;2181",
        expect![[r#"
        Standalone, client port 2181
        server.1=localhost:2888:3888:participant;0.0.0.0:2181
        zoo.cfg:3: server.1: Invalid configuration, only one server specified (ignoring)
    "#]],
    );
    check_with(
        "",
        "clientPort=2182",
        "server.1=localhost:2888:3888;2181",
        expect![[r#"
            Standalone, client port 2182
            server.1=localhost:2888:3888:participant;0.0.0.0:2181
            zoo.cfg:3: server.1: Invalid configuration, only one server specified (ignoring)
        "#]],
    );
    check_with(
        "",
        "",
        "server.1=localhost:2888:3888",
        expect![[r#"
        Standalone, client port none
        server.1=localhost:2888:3888:participant
        zoo.cfg: clientPort: clientPort is not set, no client can connect
        zoo.cfg:3: server.1: Invalid configuration, only one server specified (ignoring)
    "#]],
    );
}

#[test]
fn members_without_a_client_part_leave_the_server_unreachable() {
    let limits = "initLimit=10\nsyncLimit=5";
    check_with(
        "",
        limits,
        "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2",
        expect![[r#"
        Replicated, client port none
        server.1=a:1:2:participant
        server.2=b:1:2:participant
        server.3=c:1:2:participant
        zoo.cfg: clientPort: clientPort is not set, no client can connect
    "#]],
    );
    check_with(
        "",
        limits,
        "server.1=a:1:2;3\nserver.2=b:1:2\nserver.3=c:1:2",
        expect![[r#"
        Replicated, client port none
        server.1=a:1:2:participant;0.0.0.0:3
        server.2=b:1:2:participant
        server.3=c:1:2:participant
    "#]],
    );
}

#[test]
fn lines_that_cannot_be_read_are_named() {
    check(
        "server.one=a:1:2",
        expect![[r#"
        zoo.cfg:5: server.one: For input string: "one"; allowed: server. and a whole number
        exit 2
    "#]],
    );
    check(
        "server.=a:1:2",
        expect![[r#"
        zoo.cfg:5: server.: For input string: ""; allowed: server. and a whole number
        exit 2
    "#]],
    );
    check(
        "server.1=a:2888",
        expect![[r#"
        zoo.cfg:5: server.1: a:2888 does not have the form server_config or server_config;client_config where server_config is the pipe separated list of host:port:port or host:port:port:type and client_config is port or host:port
        exit 2
    "#]],
    );
    check(
        "server.1=a:1:2:voter",
        expect![[r#"
        zoo.cfg:5: server.1: Unrecognised peertype: voter; allowed: participant, observer
        exit 2
    "#]],
    );
    check(
        "groupX=1",
        expect![[r#"
        zoo.cfg:5: groupX: For input string: "groupX"; allowed: a whole decimal number of 64 bits
        exit 2
    "#]],
    );
    check(
        "weight.1=x\ngroup.1=1\nserver.1=a:1:2",
        expect![[r#"
        zoo.cfg:5: weight.1: For input string: "x"; allowed: a whole decimal number of 64 bits
        exit 2
    "#]],
    );
    check(
        "group.1=1:b\nserver.1=a:1:2",
        expect![[r#"
        zoo.cfg:5: group.1: For input string: "b"; allowed: a whole decimal number of 64 bits
        exit 2
    "#]],
    );
}

#[test]
fn every_participant_is_in_one_group() {
    let members = "server.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2";
    check(
        &format!("group.1=1:2\n{members}"),
        expect![[r#"
        zoo.cfg:8: server.3: Server 3is not in a group; name it in a group.N line
        exit 2
    "#]],
    );
    check(
        &format!("group.1=1:2\ngroup.2=2:3\n{members}"),
        expect![[r#"
        zoo.cfg:6: group.2: Server 2is in multiple groups; it may stand in one, 2:3 repeats it
        exit 2
    "#]],
    );
    check(
        &format!("weight.1=2\n{members}"),
        expect![[r#"
        zoo.cfg:6: server.1: Server 1is not in a group; name it in a group.N line
        zoo.cfg:7: server.2: Server 2is not in a group; name it in a group.N line
        zoo.cfg:8: server.3: Server 3is not in a group; name it in a group.N line
        exit 2
    "#]],
    );
    check(
        &format!("group.1=1:2:3:4\nserver.4=d:1:2:observer\n{members}"),
        expect![[r#"
        zoo.cfg:5: group.1: server 4 is in the group and is no participant; add server.4 or drop it from 1:2:3:4
        exit 2
    "#]],
    );
    check(
        &format!("group.1=1:2:\ngroup.2=3\nweight.3=5\n{members}"),
        expect![[r#"
        Replicated, client port 2181
        group.1=1:2
        group.2=3
        server.1=a:1:2:participant
        server.2=b:1:2:participant
        server.3=c:1:2:participant
        weight.1=1
        weight.2=1
        weight.3=5
    "#]],
    );
}

#[test]
fn several_addresses_need_the_switch_wherever_it_is_set() {
    let members = "server.1=b:1:2|a:3:4\nserver.2=c:1:2\nserver.3=d:1:2";
    let limits = "initLimit=10\nsyncLimit=5\nclientPort=2181";
    check(
        members,
        expect![[r#"
        zoo.cfg:5: server.1: Multiple address feature is disabled, but multiple addresses were specified for sid 1; set multiAddress.enabled=true to allow b:1:2|a:3:4
        exit 2
    "#]],
    );
    check_with(
        "zookeeper.multiAddress.enabled=true",
        limits,
        members,
        expect![[r#"
            Replicated, client port 2181
            server.1=a:3:4|b:1:2:participant
            server.2=c:1:2:participant
            server.3=d:1:2:participant
        "#]],
    );
    check_with(
        "",
        &format!("{limits}\nmultiAddress.enabled=true"),
        members,
        expect![[r#"
            Replicated, client port 2181
            server.1=a:3:4|b:1:2:participant
            server.2=c:1:2:participant
            server.3=d:1:2:participant
        "#]],
    );
}

#[test]
fn odd_numbers_and_shared_ports_are_warned_about() {
    check(
        "server.0=a:1:2\nserver.300=A:2:3\nserver.1=c:1:2\nserver.01=d:1:2",
        expect![[r#"
        Replicated, client port 2181
        server.0=a:1:2:participant
        server.1=d:1:2:participant
        server.300=A:2:3:participant
        zoo.cfg:5: server.0: 0 is outside of 1 to 255
        zoo.cfg:6: server.300: 300 is outside of 1 to 255
        zoo.cfg:6: server.300: A:2 is also an address of server.0
        note: zoo.cfg:7: server.1: set again at zoo.cfg:8, which counts
    "#]],
    );
}

#[test]
fn with_a_dynamic_file_no_member_stands_in_the_static_one() {
    let members = "server.2=a:1:2\ngroup.1=1\nweight.1=1";
    check_with(
        "",
        "clientPort=1\ndynamicConfigFile=/c/dynamic",
        members,
        expect![[r#"
        zoo.cfg:4: parameter: server.2 must be in a separate dynamic config file, which is /c/dynamic
        zoo.cfg:5: parameter: group.1 must be in a separate dynamic config file, which is /c/dynamic
        zoo.cfg:6: parameter: weight.1 must be in a separate dynamic config file, which is /c/dynamic
        exit 2
    "#]],
    );
    check_with(
        "",
        "clientPort=1\ndynamicConfigFile=/c/dynamic",
        "",
        expect![[r#"
        Replicated, client port 1
    "#]],
    );
}
