//! kill -9 under load: after each crash every acknowledged write is there, and nothing unissued;
//! and Java reads the same from what the crash left.
//!
//! Each writer keeps several requests in flight on one session and owns one subtree. A session's
//! writes take effect in their order, so what a crash leaves of a subtree must be what its first
//! `n` requests made, with `n` between the number acknowledged and the number issued.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use zk_wire::Op;

use crate::client::{Client, Failure, NewNode, encode_delete, encode_set};
use crate::deadline::await_until;
use crate::server::{Config, Kind, Server};
use crate::tools::require;
use crate::tree::{SUPER, Tree};

/// Names and data of a subtree's nodes, with the version of the data.
type Content = BTreeMap<String, (Vec<u8>, i32)>;

/// One write of a writer, on a child of its subtree.
#[derive(Clone, Debug)]
enum Write {
    Create(String, Vec<u8>),
    Set(String, Vec<u8>),
    Delete(String),
}

struct Writer {
    top: String,
    client: Client,
    random: Random,
    /// What the acknowledged writes made.
    content: Content,
    /// What all issued writes make; new writes are drawn from it.
    ahead: Content,
    /// Issued and not acknowledged, in order.
    in_flight: Vec<Write>,
    created: u32,
}

fn check(seed: u64, rounds: usize, config: &Config) {
    let mut server = Server::under_test(config);
    let mut random = Random(seed);
    let mut writers: Vec<_> =
        (0..WRITERS).map(|number| Writer::new(server.address(), number, seed)).collect();
    let has_java = require(&["java", "zookeeper-java", "slf4j"]);
    let mut total = 0;
    for round in 0..rounds {
        let acknowledged = AtomicUsize::new(0);
        let enough = random.below(WRITES_MAX);
        std::thread::scope(|scope| {
            for writer in &mut writers {
                scope.spawn(|| writer.write_until_lost(&acknowledged));
            }
            await_until("enough writes are acknowledged", Duration::from_secs(60), || {
                (acknowledged.load(Ordering::Relaxed) >= enough).then_some(())
            });
            server.kill9();
        });
        let java = (round % JAVA_EVERY == 0 && has_java).then(|| server.twin(Kind::Java));
        server.start();
        if let Some(java) = java {
            let how = format!("seed {seed}, round {round}, Java on a copy");
            Tree::read(java.address()).assert_is(&Tree::read(server.address()), &how);
        }
        for writer in &mut writers {
            let how = format!("seed {seed}, round {round}, {}", writer.top);
            writer.client = writer.client.reattach(server.address()).expect("a session survives");
            let found = read(&mut writer.client, &writer.top);
            writer.settle(found).unwrap_or_else(|why| panic!("{how}: {why}"));
        }
        total += acknowledged.into_inner();
    }
    println!("seed {seed}: {rounds} crashes, {total} acknowledged writes, none lost");
}

impl Writer {
    fn new(address: SocketAddr, number: u64, seed: u64) -> Self {
        let top = format!("/writer-{number}");
        let mut client = Client::connect(address).expect("the server serves");
        client.create(&NewNode::new(&top, None)).expect("the subtree is new");
        let random = Random(seed ^ (number << 32));
        let (content, ahead) = (Content::new(), Content::new());
        Self { top, client, random, content, ahead, in_flight: Vec::new(), created: 0 }
    }

    /// Writes until the connection is gone; what was in flight then stays noted.
    fn write_until_lost(&mut self, acknowledged: &AtomicUsize) {
        let mut is_lost = false;
        while !is_lost {
            for _ in 0..=self.random.below(IN_FLIGHT_MAX) {
                let write = self.draw();
                write.apply(&mut self.ahead);
                // A connection that is lost while this is sent may still have carried it.
                is_lost = write.send(&mut self.client, &self.top).is_err();
                self.in_flight.push(write);
                if is_lost {
                    break;
                }
            }
            // What was answered before the loss is acknowledged all the same.
            for answered in 0..self.in_flight.len() {
                if self.client.reply().is_err() {
                    self.in_flight.drain(..answered);
                    return;
                }
                self.in_flight[answered].apply(&mut self.content);
                acknowledged.fetch_add(1, Ordering::Relaxed);
            }
            self.in_flight.clear();
        }
    }

    fn draw(&mut self) -> Write {
        let data = vec![b'd'; self.random.below(DATA_MAX)];
        let chosen = self.ahead.keys().nth(self.random.below(self.ahead.len().max(1))).cloned();
        match (chosen, self.random.below(10)) {
            (Some(name), 0..3) => Write::Set(name, data),
            (Some(name), 3) => Write::Delete(name),
            _ => {
                self.created += 1;
                Write::Create(format!("node-{}", self.created), data)
            }
        }
    }

    /// Takes what the crash left as the content, if the writes explain it.
    fn settle(&mut self, found: Content) -> Result<(), String> {
        explain(&self.content, &std::mem::take(&mut self.in_flight), &found)?;
        self.ahead.clone_from(&found);
        self.content = found;
        Ok(())
    }
}

/// Whether `found` is what was `acknowledged` and some first of the writes `in_flight`.
fn explain(acknowledged: &Content, in_flight: &[Write], found: &Content) -> Result<(), String> {
    let mut expected = acknowledged.clone();
    let mut kept = in_flight.iter();
    while expected != *found {
        let Some(write) = kept.next() else {
            let lost: Vec<_> = acknowledged.iter().filter(|node| !has(found, node)).collect();
            return Err(format!(
                "no prefix of the writes in flight explains what is there\n\
                 in flight: {in_flight:?}\nacknowledged, not as it was: {lost:?}"
            ));
        };
        write.apply(&mut expected);
    }
    Ok(())
}

impl Write {
    fn apply(&self, content: &mut Content) {
        match self {
            Self::Create(name, data) => {
                content.insert(name.clone(), (data.clone(), 0));
            }
            Self::Set(name, data) => {
                let node = content.get_mut(name).expect("only what is there is set");
                *node = (data.clone(), node.1 + 1);
            }
            Self::Delete(name) => {
                content.remove(name);
            }
        }
    }

    fn send(&self, client: &mut Client, top: &str) -> Result<(), Failure> {
        let path = |name: &str| format!("{top}/{name}");
        match self {
            Self::Create(name, data) => {
                let node = NewNode::new(path(name), data.as_slice());
                client.send(Op::Create, |encoder| node.encode(encoder))
            }
            Self::Set(name, data) => {
                client.send(Op::SetData, |encoder| encode_set(encoder, &path(name), data))
            }
            Self::Delete(name) => {
                client.send(Op::Delete, |encoder| encode_delete(encoder, &path(name)))
            }
        }
    }
}

fn has(content: &Content, (name, node): &(&String, &(Vec<u8>, i32))) -> bool {
    content.get(*name) == Some(node)
}

fn read(client: &mut Client, top: &str) -> Content {
    let names = client.children(top).expect("the subtree is there");
    let node = |name: String| {
        let (data, stat) = client.get(&format!("{top}/{name}")).expect("a listed node is there");
        (name, (data.unwrap_or_default(), stat.version))
    };
    names.into_iter().map(node).collect()
}

/// SplitMix64: the same seed, the same draws.
struct Random(u64);

impl Random {
    /// A number below `bound`.
    fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        usize::try_from((z ^ (z >> 31)) >> 1).expect("usize has 64 bits") % bound
    }
}

/// Java takes a second for each start.
fn rounds() -> usize {
    if Kind::under_test() == Kind::Java { 3 } else { 12 }
}

/// Java takes a second for each start, so not every crash is shown to it.
const JAVA_EVERY: usize = 4;
const WRITERS: u64 = 4;
const WRITES_MAX: usize = 1000;
const IN_FLIGHT_MAX: usize = 16;
const DATA_MAX: usize = 300;

#[test]
fn a_crash_loses_no_acknowledged_write() {
    check(1, rounds(), &Config::default().property(SUPER));
}

#[test]
fn a_crash_between_many_small_logs_and_snapshots_loses_no_acknowledged_write() {
    let small =
        Config::default().property("zookeeper.snapCount=100").property("zookeeper.preAllocSize=64");
    check(2, rounds(), &small);
}

#[test]
fn only_a_prefix_of_the_writes_in_flight_explains_what_a_crash_leaves() {
    let content = |nodes: &[(&str, &str, i32)]| -> Content {
        let node = |&(name, data, version): &(&str, &str, i32)| {
            (name.to_owned(), (data.as_bytes().to_vec(), version))
        };
        nodes.iter().map(node).collect()
    };
    let acknowledged = content(&[("a", "x", 0)]);
    let in_flight =
        [Write::Set("a".to_owned(), b"y".to_vec()), Write::Create("b".to_owned(), b"z".to_vec())];
    let check = |found, is_explained| {
        assert_eq!(explain(&acknowledged, &in_flight, &found).is_ok(), is_explained, "{found:?}");
    };
    check(content(&[("a", "x", 0)]), true);
    check(content(&[("a", "y", 1)]), true);
    check(content(&[("a", "y", 1), ("b", "z", 0)]), true);
    // An acknowledged write lost, one out of order, one that nobody issued.
    check(content(&[]), false);
    check(content(&[("a", "x", 0), ("b", "z", 0)]), false);
    check(content(&[("a", "x", 0), ("c", "", 0)]), false);
}
