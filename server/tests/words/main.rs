//! Every four-letter word beside Java's own answer, on servers that have seen the same.
//!
//! Numbers, dates and folders differ from run to run and are taken out; where both must count the same,
//! the numbers are compared too.
//!
//! Invariant: a missing Java skips a test aloud, and fails it where `CI=true`.

#![allow(dead_code, reason = "the modules of the other tests have more than is needed here")]

#[path = "../it/deadline.rs"]
mod deadline;
mod ensemble;
#[path = "../ensemble/member.rs"]
mod member;
#[path = "../ensemble/place.rs"]
mod place;
mod prometheus;
#[path = "../it/server.rs"]
mod server;
mod shape;
mod standalone;
#[path = "../it/tools.rs"]
mod tools;
mod visitor;
#[path = "../conformance/wire.rs"]
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use shape::shape;
use visitor::{metrics, word};

/// Whether there is a Java to compare with.
fn has_java() -> bool {
    tools::require(&["java", "zookeeper-java", "slf4j"])
}

/// The answers of both servers, ours and Java's, have the same form.
#[track_caller]
fn check_words(servers: [SocketAddr; 2]) {
    for asked in WORDS {
        let [ours, java] = servers.map(|server| shape(asked, &word(server, asked)));
        assert_eq!(ours, java, "{}", asked.escape_ascii());
    }
}

/// No name of Java's is missing, and ours has none beyond it but of a later version; those that are named
/// have the same values.
#[track_caller]
fn check_metrics(servers: [SocketAddr; 2], alike: &[&str]) {
    let [ours, java] = servers.map(metrics);
    let names = |metrics: &BTreeMap<String, String>| -> BTreeSet<String> {
        metrics.keys().filter(|name| !name.contains("_per_namespace")).cloned().collect()
    };
    let (our_names, java_names) = (names(&ours), names(&java));
    let missing: Vec<_> = java_names.difference(&our_names).collect();
    assert!(missing.is_empty(), "no line for {missing:?}");
    let may_lack = |name: &&String| MAY_LACK.iter().any(|part| name.contains(part));
    let extra: Vec<_> = our_names.difference(&java_names).filter(|name| !may_lack(name)).collect();
    assert!(extra.is_empty(), "lines that Java has not: {extra:?}");
    for name in alike {
        assert_eq!(ours.get(*name), java.get(*name), "{name}");
    }
}

/// What 3.9 has and 3.8 has not; and what Java shows of a learner only once it has a sample.
const MAY_LACK: &[&str] =
    &["_snapshot_error_count", "_snapshot_rate_limited_count", "_restore_", "_learner_handler_qp_"];

const WORDS: &[&[u8]] = &[
    b"conf",
    b"cons",
    b"dirs",
    b"dump",
    b"envi",
    b"gtmk",
    b"hash",
    b"isro",
    b"ruok",
    b"srvr",
    b"stat",
    b"stmk\0\0\0\0\0\0\x01\x32",
    b"wchc",
    b"wchp",
    b"wchs",
    b"crst",
    b"cons",
    b"srst",
    b"srvr",
    b"\xff\xf4\xff\xfd",
];

/// What both servers count in the same way.
const COUNTED_ALIKE: &[&str] = &[
    "zk_approximate_data_size",
    "zk_auth_failed_count",
    "zk_bytes_received_count",
    "zk_cnt_node_changed_watch_count",
    "zk_cnt_node_children_watch_count",
    "zk_cnt_node_created_watch_count",
    "zk_cnt_readlatency",
    "zk_cnt_updatelatency",
    "zk_connection_drop_count",
    "zk_connection_request_count",
    "zk_digest_mismatches_count",
    "zk_ephemerals_count",
    "zk_global_sessions",
    "zk_last_client_response_size",
    "zk_max_client_response_size",
    "zk_min_client_response_size",
    "zk_num_alive_connections",
    "zk_response_bytes",
    "zk_server_state",
    "zk_sum_node_children_watch_count",
    "zk_watch_bytes",
    "zk_watch_count",
    "zk_znode_count",
];
