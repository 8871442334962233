//! Whole files: those people have, and those that stand beside a zoo.cfg.

use std::path::Path;

use expect_test::{Expect, expect, expect_file};
use zk_config::{Config, Ensemble, Errors, Parsed};

use crate::remarks;

/// What there is to say about the text of a file of `testdata`, and the values of `keys`.
fn check(file: &str, keys: &[&str], expected: Expect) {
    let text = std::fs::read(Path::new("testdata").join(file)).unwrap();
    expected.assert_eq(&printed(Config::parse(file, &text, &[]), keys));
}

/// The same, with the files that belong to it.
fn check_read(file: &str, keys: &[&str], expected: Expect) {
    let outcome = Config::read(&Path::new("testdata").join(file), &[]);
    expected.assert_eq(&printed(outcome, keys));
}

fn printed(outcome: Result<Parsed, Errors>, keys: &[&str]) -> String {
    let parsed = match outcome {
        Ok(parsed) => parsed,
        Err(errors) => return format!("{errors}\nexit {}\n", errors.exit_code()),
    };
    let report = parsed.config.effective();
    let values = report.iter().filter(|line| keys.iter().any(|key| line.key.starts_with(key)));
    let values = values.map(|line| {
        let mark = if line.from_default { " (default)" } else { "" };
        format!("{}={}{mark}\n", line.key, line.value)
    });
    format!("{:?}\n{}{}", parsed.config.mode, values.collect::<String>(), remarks(&parsed))
}

#[test]
fn the_old_start_script_has_its_file_taken_and_its_misspelling_named() {
    check(
        "start-zookeeper.cfg",
        &["autopurge", "dataLogDir", "minSessionTimeout", "tickTime", "server."],
        expect![[r#"
            Replicated
            dataLogDir=/var/lib/zookeeper/data/log
            minSessionTimeout=4000
            tickTime=2000
            autopurge.snapRetainCount=3
            autopurge.purgeInterval=0 (default)
            server.1=zk-0.zk-hs.default.svc.cluster.local:2888:3888:participant
            server.2=zk-1.zk-hs.default.svc.cluster.local:2888:3888:participant
            server.3=zk-2.zk-hs.default.svc.cluster.local:2888:3888:participant
            start-zookeeper.cfg:12: autopurge.purgeInteval: unknown key, no effect; did you mean autopurge.purgeInterval?
        "#]],
    );
}

#[test]
fn the_file_of_the_docker_official_image_has_its_appended_lines_win() {
    check(
        "docker.cfg",
        &["tickTime", "clientPort", "4lw", "server.", "metrics"],
        expect![[r#"
            Replicated
            clientPortListenBacklog=-1 (default)
            tickTime=1500
            metricsProvider.className=org.apache.zookeeper.metrics.impl.DefaultMetricsProvider (default)
            metricsProvider.httpPort=7070
            4lw.commands.whitelist=srvr, ruok
            server.1=zoo1:2888:3888:participant;0.0.0.0:2181
            server.2=zoo2:2888:3888:participant;0.0.0.0:2181
            docker.cfg:11: server.1: No server failure will be tolerated. You need at least 3 servers.
            docker.cfg:15: metricsProvider.httpPort: "7070": metricsProvider.className names no provider that uses it
            note: docker.cfg:3: tickTime: set again at docker.cfg:14, which counts
        "#]],
    );
}

#[test]
fn the_sample_file_makes_a_standalone_server() {
    check(
        "sample.cfg",
        &["tickTime", "initLimit", "syncLimit", "dataDir", "client"],
        expect![[r#"
            Standalone
            dataDir=/tmp/zookeeper
            clientPort=2181
            clientPortListenBacklog=-1 (default)
            tickTime=2000
            initLimit=10
            syncLimit=5
            clientTcpKeepAlive=false (default)
            client.portUnification=false (default)
            client.certReload=false (default)
        "#]],
    );
}

#[test]
fn a_hierarchical_quorum_is_read() {
    check(
        "groups.cfg",
        &["server.", "group.", "weight."],
        expect![[r#"
            Replicated
            group.1=1:2:3
            group.2=4:5:6
            server.1=a1:2888:3888:participant
            server.2=a2:2888:3888:participant
            server.3=a3:2888:3888:participant
            server.4=b1:2888:3888:participant
            server.5=b2:2888:3888:participant
            server.6=b3:2888:3888:participant
            server.7=c1:2888:3888:observer
            weight.1=1
            weight.2=1
            weight.3=0
            weight.4=1
            weight.5=1
            weight.6=1
            groups.cfg:10: server.1: Non-optimal configuration, consider an odd number of servers. There are 6
        "#]],
    );
}

#[test]
fn the_files_of_a_java_ensemble_are_read() {
    let keys = ["server.", "clientPort", "dynamicConfigFile", "dataDir"];
    check_read(
        "ensemble/s1/zoo.cfg",
        &keys,
        expect![[r#"
        Replicated
        dataDir=./testdata/ensemble/s1/data
        clientPortListenBacklog=-1 (default)
        dynamicConfigFile=./testdata/ensemble/s1/zoo.cfg.dynamic.300000010
        server.1=127.0.0.1:21921:21922:participant;127.0.0.1:21920
        server.2=127.0.0.1:21931:21932:participant;127.0.0.1:21930
        server.3=127.0.0.1:21941:21942:participant;127.0.0.1:21940
    "#]],
    );
    check_read(
        "ensemble/s1/zoo.cfg.bak",
        &keys,
        expect![[r#"
        Replicated
        dataDir=./testdata/ensemble/s1/data
        clientPortListenBacklog=-1 (default)
        server.1=127.0.0.1:21921:21922:participant;127.0.0.1:21920
        server.2=127.0.0.1:21931:21932:participant;127.0.0.1:21930
        server.3=127.0.0.1:21941:21942:participant;127.0.0.1:21940
    "#]],
    );
    check_read(
        "ensemble/s2/zoo.cfg",
        &keys,
        expect![[r#"
        Replicated
        dataDir=./testdata/ensemble/s2/data
        clientPortListenBacklog=-1 (default)
        dynamicConfigFile=./testdata/ensemble/s2/zoo.cfg.dynamic.100000021
        server.1=127.0.0.1:21921:21922:participant;127.0.0.1:21920
        server.2=127.0.0.1:21931:21932:participant;127.0.0.1:21930
        server.3=127.0.0.1:21941:21942:participant;127.0.0.1:21940
        server.4=127.0.0.1:21951:21952:observer;127.0.0.1:21950
    "#]],
    );
}

#[test]
fn a_java_ensemble_knows_its_versions_and_what_was_proposed() {
    let read = |file| Config::read(Path::new(file), &[]).unwrap().config;
    let first = read("testdata/ensemble/s1/zoo.cfg");
    assert_eq!(first.quorum.ensemble.version, 0x3_0000_0010);
    assert_eq!(first.quorum.my_id.map(|id| id.0), Some(1));
    assert_eq!(first.clients.port, Some(21920));
    assert_eq!(first.clients.address.as_deref(), Some("127.0.0.1"));
    let proposed = first.quorum.last_seen.unwrap();
    assert_eq!((proposed.version, proposed.servers.len()), (0x3_0000_0020, 2));
    let second = read("testdata/ensemble/s2/zoo.cfg");
    assert_eq!(second.quorum.ensemble.version, 0x1_0000_0021);
    assert_eq!(second.quorum.ensemble.observers().count(), 1);
    assert_eq!(second.quorum.last_seen, None);
}

#[test]
fn a_dynamic_file_prints_as_java_wrote_it() {
    for file in ["s1/zoo.cfg.dynamic.300000010", "s2/zoo.cfg.dynamic.100000021"] {
        let text = std::fs::read_to_string(Path::new("testdata/ensemble").join(file)).unwrap();
        assert_eq!(Ensemble::parse(file, text.as_bytes(), false).unwrap().to_string(), text);
    }
}

#[test]
fn common_keys_are_taken_and_what_is_missing_is_named() {
    let text = std::fs::read("testdata/everything.cfg").unwrap();
    let outcome = Config::parse("everything.cfg", &text, &[]);
    let keys = ["jute", "ssl.keyStore.", "Digest"];
    expect_file!["../../testdata/everything.expected"].assert_eq(&printed(outcome, &keys));
}

#[test]
fn files_that_are_not_there_or_are_none_are_named() {
    check_read(
        "no-such.cfg",
        &[],
        expect![[r#"
        testdata/no-such.cfg file is missing; name an existing zoo.cfg
        exit 2
    "#]],
    );
    check_read(
        "ensemble",
        &[],
        expect![[r#"
        Error processing testdata/ensemble: Is a directory (os error 21); it must be a file that this user may read
        exit 2
    "#]],
    );
    let zeros = Config::read(Path::new("/dev/zero"), &[]).unwrap_err();
    expect!["Error processing /dev/zero: more than 1048576 bytes, no configuration is that large"]
        .assert_eq(&zeros.to_string());
}
