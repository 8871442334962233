//! Every four-letter word beside Java's own answer, on servers that have seen the same.
//!
//! Numbers, dates and folders differ from run to run and are taken out; where both must count the same,
//! the numbers are compared too.
//!
//! Invariant: a missing Java skips a test aloud, and fails it where `CI=true`.

#![allow(clippy::unwrap_used, reason = "nothing here runs outside tests")]
#![allow(dead_code, reason = "the modules of the other tests have more than is needed here")]

#[path = "../it/deadline.rs"]
mod deadline;
#[path = "../it/server.rs"]
mod server;
#[path = "../it/tools.rs"]
mod tools;
#[path = "../conformance/wire.rs"]
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use zk_wire::{Acl, Encoder, Op};

use server::{Config, Kind, Server};
use wire::{Wire, new_session};

/// A server and a client that has done the same on each.
struct Scene {
    address: SocketAddr,
    client: Wire,
    /// Runs as long as the scene is there.
    _server: Server,
}

impl Scene {
    fn new(server: Server) -> Self {
        let address = server.address();
        let mut scene = Self { address, client: Wire::open(address), _server: server };
        scene.word(b"srst");
        scene.client.connect(&new_session(30_000)).expect("a session is given");
        scene.create(1, "/app", 0);
        scene.create(2, "/app/e", 1);
        scene.call(3, Op::GetData, |e| {
            e.text("/app").boolean(true);
        });
        scene.call(4, Op::Exists, |e| {
            e.text("/none").boolean(true);
        });
        scene.call(5, Op::GetChildren2, |e| {
            e.text("/app").boolean(true);
        });
        scene.create(6, "/app/f", 0);
        scene.client.frame().expect("the reply comes behind the notification");
        scene
    }

    fn word(&self, word: &[u8]) -> String {
        let mut wire = Wire::open(self.address);
        wire.send(word);
        wire.text()
    }

    fn create(&mut self, xid: i32, path: &str, flags: i32) {
        self.call(xid, Op::Create, |e| {
            e.text(path).buffer(Some(b"data")).count(1);
            Acl::open().encode(e);
            e.int(flags);
        });
    }

    fn call(&mut self, xid: i32, op: Op, write: impl FnOnce(&mut Encoder<'_>)) {
        let mut body = Vec::new();
        let mut e = Encoder::new(&mut body);
        e.int(xid).int(op.code());
        write(&mut e);
        self.client.send_frame(&body);
        self.client.frame().expect("a reply or a notification");
    }

    fn metrics(&self) -> BTreeMap<String, String> {
        let answer = self.word(b"mntr");
        let pairs = answer.lines().map(|line| line.split_once('\t').expect("name and value"));
        pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// Ours and Java's; none where Java is missing.
fn both() -> Option<[Scene; 2]> {
    if !tools::require(&["java", "zookeeper-java", "slf4j"]) {
        return None;
    }
    // Both run before a session begins: it must not expire while the other starts.
    let servers = [Kind::Ours, Kind::Java].map(|kind| Server::new(kind, &Config::default()));
    Some(servers.map(Scene::new))
}

#[test]
fn every_word_is_answered_in_javas_form() {
    let Some([ours, java]) = both() else { return };
    for word in WORDS {
        let [ours, java] = [&ours, &java].map(|scene| shape(word, &scene.word(word)));
        assert_eq!(ours, java, "{}", word.escape_ascii());
    }
}

#[test]
fn mntr_misses_no_name_and_counts_alike() {
    let Some([ours, java]) = both() else { return };
    let [ours, java] = [ours.metrics(), java.metrics()];
    let names = |metrics: &BTreeMap<String, String>| -> BTreeSet<String> {
        metrics.keys().filter(|name| !name.contains("_per_namespace")).cloned().collect()
    };
    let missing: Vec<_> = names(&java).difference(&names(&ours)).cloned().collect();
    assert!(missing.is_empty(), "no line for {missing:?}");
    for name in COUNTED_ALIKE {
        assert_eq!(ours[*name], java[*name], "{name}");
    }
}

/// An answer without what differs from run to run, its lines sorted: Java's lists have no order.
fn shape(word: &[u8], answer: &str) -> Vec<String> {
    let mut lines: Vec<_> = answer
        .lines()
        .map(|line| match (word, line.split_once('=')) {
            (b"envi", Some((key, _))) => key.to_owned(),
            (b"conf", Some((key, value))) if value.starts_with('/') => {
                format!("{key}=…{}", &value[value.rfind("/data/").unwrap_or(0)..])
            }
            (b"conf", Some(_)) if !line.contains("Port=") && !line.contains("Size=") => {
                line.to_owned()
            }
            _ if line.starts_with("Zookeeper version: ") => "Zookeeper version".to_owned(),
            _ => match line.split_once(" expire at ") {
                // Such as `Tue Nov 24 18:40:22 UTC 2026:`
                Some((_, date)) => format!("expire at {}", letters(date)),
                None => without_numbers(line),
            },
        })
        .collect();
    lines.sort_unstable();
    if word == b"dump" {
        // How many moments there are depends on when who came.
        lines.dedup();
    }
    lines.push(format!("ends with a line feed: {}", answer.ends_with('\n')));
    lines
}

/// The lengths of the words of a date.
fn letters(date: &str) -> String {
    date.split(' ').map(|word| format!("{} ", word.len())).collect()
}

/// The line with `#` for each number, decimal or hexadecimal, with or without a fraction.
fn without_numbers(line: &str) -> String {
    let mut out = String::new();
    let mut in_hex = false;
    for c in line.chars() {
        let goes_on = out.ends_with('#') && (c == '.' || (in_hex && c.is_ascii_hexdigit()));
        match c {
            _ if goes_on => {}
            'x' if out.ends_with('#') => in_hex = true,
            '0'..='9' if out.ends_with('#') => {}
            '0'..='9' => {
                out.push('#');
                in_hex = false;
            }
            _ => {
                out.push(c);
                in_hex = false;
            }
        }
    }
    out
}

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
