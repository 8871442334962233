//! Four-letter words: who may ask, and the form of each answer.
//!
//! Numbers differ from run to run: [`shape`] puts `#` in the place of each.

use std::collections::BTreeSet;
use std::net::Shutdown;

use crate::client::Client;
use crate::config::ALONE;
use crate::request::{create, create_as, exists, get_children2, get_data, set_data};
use crate::scene::{Scene, on_both};
use crate::server::{Kind, Server};
use crate::wire::Wire;

fn only_words_of_the_whitelist_are_executed(scene: &Scene<'_>) {
    let server = scene.server;
    assert!(server.word("srvr").contains("\nMode: standalone\n"));
    for word in [
        "conf", "cons", "crst", "dirs", "dump", "envi", "gtmk", "hash", "isro", "mntr", "ruok",
        "srst", "stat", "stmk", "wchc", "wchp", "wchs",
    ] {
        let refusal = format!("{word} is not executed because it is not in the whitelist.\n");
        assert_eq!(server.word(word), refusal);
    }
    let refusal = "telnet close is not executed because it is not in the whitelist.\n";
    assert_eq!(said(scene, b"\xff\xf4\xff\xfd"), refusal);
    for unknown in ["xxxx", "kill", "SRVR", "srv\n"] {
        assert_eq!(server.word(unknown), "", "{unknown}");
    }
}

fn short_words_have_short_answers(scene: &Scene<'_>) {
    for (word, answer) in [
        (&b"ruok"[..], "imok"),
        (b"ruok\n", "imok"),
        (b"ruok and more than four letters", "imok"),
        (b"isro", "rw"),
        (b"gtmk", "306"),
        (b"stmk\0\0\0\0\0\0\0\x07", "7"),
        (b"gtmk", "7"),
        (b"stmk\0\0\0\0\0\0\x01\x32", "306"),
        (b"\xff\xf4\xff\xfd", ""),
        (b"hash", ""),
        (b"crst", "Connection stats reset.\n"),
        (b"srst", "Server stats reset.\n"),
    ] {
        assert_eq!(said(scene, word), answer, "{word:x?}");
    }
}

fn a_word_may_come_in_pieces_and_from_a_half_closed_client(scene: &Scene<'_>) {
    let mut wire = scene.wire();
    for byte in b"ruok" {
        wire.send(&[*byte]);
    }
    assert_eq!(wire.text(), "imok");
    let mut wire = scene.wire();
    wire.send(b"ruok\n");
    wire.shutdown(Shutdown::Write);
    assert_eq!(wire.text(), "imok");
}

fn a_server_says_how_it_is(scene: &Scene<'_>) {
    let mut client = busy(scene);
    client.ok(&set_data("~", &b"x"[..], -1));
    let zxid = client.zxid();
    let answer = scene.server.word("srvr");
    let (version, rest) = answer.split_once('\n').unwrap();
    is_version(version.strip_prefix("Zookeeper version: ").expect("a small k"));
    assert_eq!(shape_of_srvr(rest), SRVR_SHAPE);
    assert!(rest.contains(&format!("\nZxid: {zxid}\nMode: standalone\n")), "{rest}");
    let average = rest.split('/').nth(3).unwrap().trim();
    assert!(average.contains('.'), "the average is a double: {average}");
    let node_count = |answer: &str| field(answer, "Node count: ");
    let before = node_count(&answer);
    client.ok(&create("~/one more"));
    assert_eq!(node_count(&scene.server.word("srvr")), before + 1);
}

fn a_stat_lists_connections(scene: &Scene<'_>) {
    let client = busy(scene);
    let answer = scene.server.word("stat");
    let (head, rest) = answer.split_once("\n\n").unwrap();
    assert_eq!(shape_of_srvr(rest), SRVR_SHAPE);
    let mut lines = head.lines();
    is_version(lines.next().unwrap().strip_prefix("Zookeeper version: ").unwrap());
    assert_eq!(lines.next(), Some("Clients:"));
    let clients: Vec<_> = lines.collect();
    for line in &clients {
        assert_eq!(shape(line), " /#:#[#](queued=#,recved=#,sent=#)");
    }
    let own = clients.iter().filter(|line| line.contains("[0](queued=0,recved=1,sent=0)"));
    assert_eq!(own.count(), 1, "the asking connection lists itself: {clients:?}");
    drop(client);
}

fn cons_tells_more_of_each_connection(scene: &Scene<'_>) {
    let client = busy(scene);
    let answer = scene.server.word("cons");
    assert!(answer.ends_with("\n\n"), "{answer:?}");
    let sid = format!("sid={:#x},", client.id);
    let line = answer.lines().find(|line| line.contains(&sid)).expect("the session is listed");
    assert_eq!(
        shape(line),
        " /#:#[#](queued=#,recved=#,sent=#,sid=0x#,lop=GETC,est=#,to=#,lcxid=0x#,lzxid=0x#,\
         lresp=#,llat=#,minlat=#,avglat=#,maxlat=#)"
    );
    assert!(line.contains("[1](") && line.contains(",to=20000,"), "{line}");
    let own = answer.lines().find(|line| line.contains("[0](")).expect("the asking connection");
    assert_eq!(shape(own), " /#:#[#](queued=#,recved=#,sent=#)");
}

fn conf_lists_the_settings(scene: &Scene<'_>) {
    let answer = scene.server.word("conf");
    let mut keys = Vec::new();
    for line in answer.lines() {
        keys.push(line.split_once('=').expect("key=value").0);
    }
    assert_eq!(
        keys,
        [
            "clientPort",
            "secureClientPort",
            "dataDir",
            "dataDirSize",
            "dataLogDir",
            "dataLogSize",
            "tickTime",
            "maxClientCnxns",
            "minSessionTimeout",
            "maxSessionTimeout",
            "clientPortListenBacklog",
            "serverId"
        ]
    );
    for line in [
        &format!("clientPort={}", scene.server.address.port()),
        "secureClientPort=-1",
        "tickTime=1000",
        "maxClientCnxns=0",
        "minSessionTimeout=2000",
        "maxSessionTimeout=20000",
        "clientPortListenBacklog=-1",
        "serverId=0",
    ] {
        assert!(answer.lines().any(|found| found == line), "{line} is not in\n{answer}");
    }
    for dir in ["dataDir=/", "dataLogDir=/"] {
        let line = answer.lines().find(|line| line.starts_with(dir)).expect("a full path");
        assert!(line.ends_with("/data/version-2"), "{line}");
    }
    let dirs = scene.server.word("dirs");
    assert_eq!(shape(&dirs), "datadir_size: #\nlogdir_size: #\n");
}

fn envi_lists_the_surroundings(scene: &Scene<'_>) {
    let answer = scene.server.word("envi");
    let mut lines = answer.lines();
    assert_eq!(lines.next(), Some("Environment:"));
    let pairs: Vec<_> = lines.map(|line| line.split_once('=').expect("key=value")).collect();
    let keys: Vec<_> = pairs.iter().map(|pair| pair.0).collect();
    assert_eq!(
        keys,
        [
            "zookeeper.version",
            "host.name",
            "java.version",
            "java.vendor",
            "java.home",
            "java.class.path",
            "java.library.path",
            "java.io.tmpdir",
            "java.compiler",
            "os.name",
            "os.arch",
            "os.version",
            "user.name",
            "user.home",
            "user.dir",
            "os.memory.free",
            "os.memory.max",
            "os.memory.total"
        ]
    );
    is_version(pairs[0].1);
    for (key, value) in &pairs[15..] {
        assert_eq!(shape(value), "#MB", "{key}");
    }
}

fn watches_are_counted_by_path_and_session(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&get_data("~", true));
    client.ok(&exists("~", true));
    client.ok(&get_children2("~", true));
    client.call(&exists("~/none", true));
    let (session, root) = (format!("{:#x}", client.id), &scene.root);
    let server = scene.server;
    assert_eq!(server.word("wchs"), "1 connections watching 2 paths\nTotal watches:2\n");
    let by_session = server.word("wchc");
    assert!(by_session.starts_with(&format!("{session}\n\t/t")), "{by_session:?}");
    assert!(by_session.ends_with("\n\n"), "{by_session:?}");
    for path in [format!("\t{root}\n"), format!("\t{root}/none\n")] {
        assert!(by_session.contains(&path), "{path} is not in {by_session:?}");
    }
    let by_path = server.word("wchp");
    for path in [root.clone(), format!("{root}/none")] {
        let entry = format!("{path}\n\t{session}\n");
        assert!(by_path.contains(&entry), "{entry:?} is not in {by_path:?}");
    }
    assert!(by_path.ends_with("\n\n"), "{by_path:?}");
    client.close();
    assert_eq!((server.word("wchc"), server.word("wchp")), ("\n".into(), "\n".into()));
    assert_eq!(server.word("wchs"), "0 connections watching 0 paths\nTotal watches:0\n");
}

fn a_dump_shows_sessions_and_their_ephemerals(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create_as(1, "~/e", 1));
    let (session, root) = (format!("{:#x}", client.id), &scene.root);
    let answer = scene.server.word("dump");
    let mut parts = Vec::new();
    for line in answer.lines().filter(|line| !line.starts_with("0 expire")) {
        parts.push(match line.split_once(" expire at ") {
            Some((count, date)) => {
                // Such as `Tue Nov 24 18:40:22 UTC 2026:`
                let words = date.split(' ').map(str::len).collect::<Vec<_>>();
                assert!(words.len() == 6 && words[..4] == [3, 3, 2, 8] && words[5] == 5, "{line}");
                format!("{count} expire")
            }
            None => line.to_owned(),
        });
    }
    let text = parts.join("\n");
    for part in [
        "SessionTracker dump:\nSession Sets (".to_owned(),
        format!("\t{session}\n"),
        "\nephemeral nodes dump:\nSessions with Ephemerals (".to_owned(),
        format!("\n{session}:\n\t{root}/e\n"),
        "\nConnections dump:\nConnections Sets (".to_owned(),
        format!("sessionId: {session}"),
    ] {
        assert!(text.contains(&part), "{part:?} is not in\n{text}");
    }
    let connections = text.split("Connections dump:").nth(1).unwrap();
    let of_client = connections.lines().find(|line| line.contains(&session)).unwrap();
    assert_eq!(shape(of_client), "\tip: /#:# sessionId: 0x#");
    client.close();
    let after = scene.server.word("dump");
    assert!(!after.contains(&session), "{after}");
}

fn mntr_gives_a_metric_a_line(scene: &Scene<'_>) {
    let client = busy(scene);
    let answer = scene.server.word("mntr");
    let pairs: Vec<_> = answer.lines().map(|line| line.split_once('\t').expect(line)).collect();
    assert_eq!((pairs[0].0, pairs[1]), ("zk_version", ("zk_server_state", "standalone")));
    is_version(pairs[0].1);
    for (key, value) in &pairs[2..] {
        assert!(key.starts_with("zk_") && value.parse::<f64>().is_ok(), "{key}\t{value}");
    }
    let missing: Vec<_> = METRICS
        .iter()
        .filter(|name| !pairs.iter().any(|(key, _)| key.strip_prefix("zk_") == Some(**name)))
        .collect();
    assert!(missing.is_empty(), "no line for {missing:?}");
    let keys: BTreeSet<_> = pairs.iter().map(|pair| pair.0).collect();
    assert_eq!(keys.len(), pairs.len(), "no key comes twice");
    drop(client);
}

/// A client with an ephemeral, a watch and some requests behind it; the last was getChildren2.
fn busy(scene: &Scene<'_>) -> Client {
    let mut client = scene.client();
    client.ok(&create_as(1, "~/e", 1));
    client.ok(&get_data("~", true));
    client.ok(&get_children2("~", true));
    client
}

fn said(scene: &Scene<'_>, bytes: &[u8]) -> String {
    let mut wire: Wire = scene.wire();
    wire.send(bytes);
    wire.text()
}

/// Such as `3.9.5-…, built on 2026-02-11 00:00 UTC`.
#[track_caller]
fn is_version(text: &str) {
    let (version, date) = text.split_once(", built on ").expect(text);
    let (numbers, _) = version.split_once('-').expect(text);
    assert_eq!(numbers.split('.').filter(|part| part.parse::<u32>().is_ok()).count(), 3, "{text}");
    assert_eq!(shape(date), "#-#-# #:# UTC", "{text}");
}

fn field(answer: &str, name: &str) -> i64 {
    let line = answer.lines().find_map(|line| line.strip_prefix(name)).expect(name);
    line.parse().expect("a number")
}

/// The text with `#` for each number: decimal with or without fraction, or hexadecimal after `0x`.
fn shape(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let is_hex = out.ends_with("0x");
        let end = rest
            .find(|c: char| !(c.is_ascii_digit() || c == '.' || (is_hex && c.is_ascii_hexdigit())))
            .unwrap_or(rest.len());
        if rest.starts_with("0x") {
            out.push_str("0x");
            rest = &rest[2..];
        } else if first.is_ascii_digit() || (is_hex && end > 0) {
            out.push('#');
            rest = &rest[end..];
        } else {
            out.push(first);
            rest = &rest[first.len_utf8()..];
        }
    }
    out
}

/// Java counts what is outstanding without a lock and now and then shows it as -1; ours is a length.
fn shape_of_srvr(text: &str) -> String {
    shape(text).replace("\nOutstanding: -#\n", "\nOutstanding: #\n")
}

const SRVR_SHAPE: &str = "\
Latency min/avg/max: #/#/#
Received: #
Sent: #
Connections: #
Outstanding: #
Zxid: 0x#
Mode: standalone
Node count: #
";

/// What dashboards draw of a standalone server.
const METRICS: &[&str] = &[
    "avg_latency",
    "max_latency",
    "min_latency",
    "packets_received",
    "packets_sent",
    "num_alive_connections",
    "outstanding_requests",
    "uptime",
    "znode_count",
    "watch_count",
    "ephemerals_count",
    "approximate_data_size",
    "global_sessions",
    "local_sessions",
    "open_file_descriptor_count",
    "max_file_descriptor_count",
    "connection_drop_probability",
    "last_client_response_size",
    "max_client_response_size",
    "min_client_response_size",
    "auth_failed_count",
    "outstanding_tls_handshake",
    "throttled_ops",
    "stale_requests",
    "connection_rejected",
    "bytes_received_count",
    "connection_drop_count",
    "sessionless_connections_expired",
    "stale_sessions_expired",
    "digest_mismatches_count",
    "response_packet_cache_hits",
    "unrecoverable_error_count",
    "avg_fsynctime",
    "cnt_fsynctime",
    "sum_fsynctime",
    "avg_snapshottime",
    "avg_readlatency",
    "p50_readlatency",
    "p99_readlatency",
    "p999_readlatency",
    "cnt_readlatency",
    "avg_updatelatency",
    "p95_updatelatency",
    "max_updatelatency",
    "cnt_updatelatency",
    "cnt_node_changed_watch_count",
    "cnt_startup_txns_loaded",
    "avg_sync_processor_batch_size",
];

on_both! {
    FEW_WORDS: only_words_of_the_whitelist_are_executed;
    ALONE:
        short_words_have_short_answers,
        a_word_may_come_in_pieces_and_from_a_half_closed_client,
        a_server_says_how_it_is,
        a_stat_lists_connections,
        cons_tells_more_of_each_connection,
        conf_lists_the_settings,
        envi_lists_the_surroundings,
        watches_are_counted_by_path_and_session,
        a_dump_shows_sessions_and_their_ephemerals,
        mntr_gives_a_metric_a_line;
}

/// The metrics of an idle standalone server; sets are left out, as their keys come with use.
#[test]
fn every_metric_of_the_original_has_a_line() {
    if !Kind::Java.is_installed() {
        return;
    }
    let keys = |kind| {
        let mut keys = BTreeSet::new();
        Server::shared(kind, &ALONE, |server| {
            let answer = server.word("mntr");
            keys.extend(
                answer.lines().filter_map(|line| Some(line.split_once('\t')?.0.to_owned())),
            );
        });
        keys
    };
    let (java, ours) = (keys(Kind::Java), keys(Kind::Ours));
    let missing: Vec<_> =
        java.difference(&ours).filter(|key| !key.ends_with("_per_namespace")).collect();
    assert!(
        missing.is_empty(),
        "{} of {} metrics are missing: {missing:?}",
        missing.len(),
        java.len()
    );
}
