//! What each image's variables make of zoo.cfg.

use expect_test::{Expect, expect};

use super::*;

fn draft(family: Family, pairs: &[(&str, &str)]) -> Draft {
    let environment = pairs.iter().copied().collect();
    let log = (family != Family::Bitnami).then_some(Path::new("/datalog"));
    Draft::of(family, &environment, Path::new("/data"), log)
}

fn check(family: Family, pairs: &[(&str, &str)], expected: &Expect) {
    let draft = draft(family, pairs);
    let told = draft.cautions.iter().map(|caution| format!("# {caution}\n"));
    let problems = draft.problems.iter().map(|problem| format!("! {problem}\n"));
    expected.assert_eq(&(draft.text() + &told.chain(problems).collect::<String>()));
}

#[test]
fn the_official_image_without_variables() {
    check(
        Family::Official,
        &[],
        &expect![[r#"
            dataDir=/data
            dataLogDir=/datalog
            tickTime=2000
            initLimit=5
            syncLimit=2
            autopurge.snapRetainCount=3
            autopurge.purgeInterval=0
            maxClientCnxns=60
            standaloneEnabled=true
            admin.enableServer=true
            server.1=localhost:2888:3888;2181
        "#]],
    );
}

#[test]
fn the_official_image_with_two_members_a_whitelist_and_extras() {
    check(
        Family::Official,
        &[
            ("ZOO_SERVERS", "server.1=zoo1:2888:3888;2181 server.2=zoo2:2888:3888;2181"),
            ("ZOO_4LW_COMMANDS_WHITELIST", "srvr, ruok"),
            ("ZOO_CFG_EXTRA", "tickTime=1500 metricsProvider.httpPort=7070"),
        ],
        &expect![[r#"
            dataDir=/data
            dataLogDir=/datalog
            tickTime=2000
            initLimit=5
            syncLimit=2
            autopurge.snapRetainCount=3
            autopurge.purgeInterval=0
            maxClientCnxns=60
            standaloneEnabled=true
            admin.enableServer=true
            server.1=zoo1:2888:3888;2181
            server.2=zoo2:2888:3888;2181
            4lw.commands.whitelist=srvr, ruok
            tickTime=1500
            metricsProvider.httpPort=7070
        "#]],
    );
}

/// Those lines that the official image without variables does not have.
fn check_more(pairs: &[(&str, &str)], expected: &Expect) {
    let plain = draft(Family::Official, &[]).text();
    let draft = draft(Family::Official, pairs);
    let text = draft.text();
    let more = text.lines().filter(|line| !plain.lines().any(|other| other == *line));
    let told = draft.cautions.iter().map(|caution| format!("# {caution}"));
    let problems = draft.problems.iter().map(|problem| format!("! {problem}"));
    let lines: Vec<_> = more.map(str::to_owned).chain(told).chain(problems).collect();
    expected.assert_eq(&lines.join("\n"));
}

#[test]
fn extras_with_line_breaks_may_hold_blanks() {
    check_more(
        &[("ZOO_CFG_EXTRA", "\n4lw.commands.whitelist=srvr, ruok\n  snapCount=9\n")],
        &expect![[r#"
            4lw.commands.whitelist=srvr, ruok
            snapCount=9"#]],
    );
}

#[test]
fn servers_without_a_client_port_get_one() {
    check_more(
        &[("ZOO_SERVERS", "server.1=a:2888:3888,server.2=b:2888:3888")],
        &expect![[r#"
            server.1=a:2888:3888
            server.2=b:2888:3888
            clientPort=2181
            # ZOO_SERVERS: servers stand between blanks, not commas; taken anyway
            # ZOO_SERVERS: no server has a client port behind a semicolon, so clientPort=2181 is added"#]],
    );
}

#[test]
fn a_value_that_would_end_its_line_is_refused() {
    check_more(
        &[("ZOO_TICK_TIME", "2000\nskipACL=yes")],
        &expect!["! ZOO_TICK_TIME: its value has a line break or another control character"],
    );
}

#[test]
fn bitnamis_image_with_servers_and_ids() {
    check(
        Family::Bitnami,
        &[
            ("ZOO_SERVERS", "zk1:2888:3888::4,zk2:2888:3888:observer::7"),
            ("ZOO_PORT_NUMBER", "2182"),
            ("ZOO_ENABLE_PROMETHEUS_METRICS", "yes"),
            ("ZOO_LISTEN_ALLIPS_ENABLED", "Yes"),
            ("ZOO_CFG_snapSizeLimitInKb", "9"),
        ],
        &expect![[r#"
            dataDir=/data
            tickTime=2000
            initLimit=10
            syncLimit=5
            preAllocSize=65536
            snapCount=100000
            clientPort=2182
            maxCnxns=0
            maxClientCnxns=60
            reconfigEnabled=false
            quorumListenOnAllIPs=true
            autopurge.purgeInterval=0
            autopurge.snapRetainCount=3
            4lw.commands.whitelist=srvr, mntr
            maxSessionTimeout=40000
            admin.serverAddress=127.0.0.1
            admin.serverPort=8080
            admin.enableServer=false
            server.4=zk1:2888:3888;2182
            server.7=zk2:2888:3888:observer;2182
            metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider
            metricsProvider.httpPort=7000
            snapSizeLimitInKb=9
        "#]],
    );
}

#[test]
fn what_bitnamis_image_would_not_take_either_is_told() {
    let told = |pairs: &[(&str, &str)]| {
        let problems = draft(Family::Bitnami, pairs).problems;
        problems.iter().map(ToString::to_string).collect::<Vec<_>>()
    };
    assert_eq!(
        told(&[("ZOO_SERVERS", "zk1:2888:3888::1 zk2:2888:3888"), ("ZOO_RECONFIG_ENABLED", "on")]),
        [
            "ZOO_RECONFIG_ENABLED=on: give yes or no",
            "ZOO_SERVERS: \"zk2:2888:3888\" is no server, such as zk1:2888:3888::1",
        ]
    );
    let sasl = told(&[("ZOO_ENABLE_AUTH", "yes")]);
    assert!(sasl[0].starts_with("ZOO_ENABLE_AUTH: this server has no SASL yet"), "{sasl:?}");
}

#[test]
fn confluents_image_with_an_ensemble() {
    check(
        Family::Confluent,
        &[
            ("ZOOKEEPER_CLIENT_PORT", "2181"),
            ("ZOOKEEPER_TICK_TIME", "3000"),
            ("ZOOKEEPER_SERVERS", "a:2888:3888;b:2888:3888;c:2888:3888"),
        ],
        &expect![[r#"
            dataDir=/data
            dataLogDir=/datalog
            clientPort=2181
            tickTime=3000
            initLimit=10
            syncLimit=5
            server.1=a:2888:3888
            server.2=b:2888:3888
            server.3=c:2888:3888
        "#]],
    );
}

#[test]
fn each_setting_knows_the_variable_that_asked_for_it() {
    let asked = draft(Family::Official, &[("ZOO_TICK_TIME", "3000")]).asked;
    let expected = Asked {
        key: "tickTime".to_owned(),
        value: "3000".to_owned(),
        variable: "ZOO_TICK_TIME".to_owned(),
    };
    assert_eq!(asked, [expected]);
}
