//! Random histories: every txn's digest holds, and a log replayed over any snapshot gives the same.
//!
//! A history is a walk of four clients through all writes, pipelined at will; the disk answers when it
//! likes. One seed gives one history.

use std::collections::BTreeMap;

use zk_core::{Database, NodeId};
use zk_wire::{
    Acl, Decoder, Encoder, NodeDigest, Replica, SessionId, SnapshotDigest, Stat, StatPersisted,
    Txn, TxnRecord, Zxid,
};

use crate::settings::Settings;
use crate::world::World;

const CLIENTS: [&str; 4] = ["A", "B", "C", "D"];

struct Walk {
    world: World,
    random: u64,
    with_quotas: bool,
}

impl Walk {
    fn new(seed: u64, with_quotas: bool) -> Self {
        let mut settings = Settings::new();
        settings.slow_disk = true;
        settings.options.seed = seed;
        settings.options.prep.extended_types = true;
        settings.options.prep.enforce_quota = with_quotas;
        settings.options.containers.check_interval_ms = 3000;
        let mut walk = Self { world: World::new(settings), random: seed, with_quotas };
        for client in CLIENTS {
            walk.world.command(&format!("connect {client} timeout=20000"));
        }
        walk.world.command("persisted");
        walk
    }

    /// SplitMix64.
    fn below(&mut self, n: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ z >> 31) % n
    }

    fn pick<'a>(&mut self, all: &[&'a str]) -> &'a str {
        let n = self.below(u64::try_from(all.len()).unwrap());
        all[usize::try_from(n).unwrap()]
    }

    fn path(&mut self) -> String {
        let mut path = String::new();
        for _ in 0..=self.below(3) {
            path += self.pick(&["/a", "/b", "/c"]);
        }
        path
    }

    fn data(&mut self) -> String {
        let length = usize::try_from(self.below(12)).unwrap();
        if length == 0 { "null".to_owned() } else { "0123456789ab"[..length].to_owned() }
    }

    fn part(&mut self) -> String {
        let (path, data) = (self.path(), self.data());
        match self.below(10) {
            0..=2 => format!("create {path} {data}"),
            3 => format!("create2 -e {path} {data}"),
            4 => format!("create -e -s {path} {data}"),
            5 => format!("createContainer {path} {data}"),
            6 => format!("createTTL {path} {data} ttl=4000"),
            7 => format!("set {path} {data}"),
            8 => format!("check {path} v=0"),
            _ => format!("delete {path}"),
        }
    }

    fn quota(&mut self) -> String {
        let at = format!("/zookeeper/quota{}", self.pick(&["/a", "/b", "/a/b"]));
        match self.below(6) {
            0 => format!("create {at}"),
            1 => format!("create {at}/zookeeper_limits countHardLimit=9,byteHardLimit=50"),
            2 => format!("create {at}/zookeeper_stats count=0,bytes=0"),
            3 => format!("delete {at}/zookeeper_limits"),
            4 => format!("set {at}/zookeeper_stats garbage"),
            _ => format!("set {at}/zookeeper_limits countHardLimit=5,byteHardLimit=20"),
        }
    }

    fn step(&mut self) {
        let client = self.pick(&CLIENTS);
        let line = match self.below(40) {
            0..=19 => self.part(),
            20..=24 => {
                let parts: Vec<String> = (0..=self.below(4)).map(|_| self.part()).collect();
                format!("multi [{}]", parts.join("; "))
            }
            25..=27 => format!("setAcl {} acl=world:anyone:rwcda,ip:1.2.3.4:r", self.path()),
            28..=31 if self.with_quotas => self.quota(),
            32 => "close".to_owned(),
            33 => format!("get -w {}", self.path()),
            34..=36 => {
                let last = self.world.log.last().unwrap().0;
                let back = self.below(3).cast_signed();
                return self.world.command(&format!("persisted {}", last.0 - back));
            }
            37 => return self.world.command("tick 700"),
            _ => "ping".to_owned(),
        };
        let line = if line.starts_with("check") { format!("multi [{line}]") } else { line };
        self.world.command(&format!("{client} {line}"));
        if line == "close" {
            self.world.command("persisted");
            self.world.command(&format!("connect {client} timeout=20000"));
            self.world.command("persisted");
        }
        self.world.lines.clear();
    }

    fn run(&mut self, steps: usize) {
        for _ in 0..steps {
            self.step();
        }
        self.world.command("persisted");
    }
}

type Dump = BTreeMap<String, (Option<Vec<u8>>, StatPersisted, Stat, Vec<Acl>)>;

fn dump(database: &Database) -> (Dump, BTreeMap<SessionId, i32>, Zxid) {
    let tree = database.tree();
    let mut nodes = BTreeMap::new();
    let mut open = vec![NodeId::ROOT];
    let mut digest = 0_u64;
    while let Some(id) = open.pop() {
        let (node, path) = (tree.node(id), tree.path(id));
        digest = digest.wrapping_add(NodeDigest::new(&path, node.data).with(&node.stat));
        let data = node.data.map(<[u8]>::to_vec);
        nodes.insert(path, (data, node.stat, tree.stat(id), tree.acl(node.acl).to_vec()));
        open.extend_from_slice(tree.children(id));
    }
    assert_eq!(tree.digest(), digest, "the digest is the sum of the nodes'");
    for (owner, _) in tree.ephemeral_owners() {
        assert!(database.sessions().contains_key(&owner), "{owner} is gone, its nodes are not");
    }
    (nodes, database.sessions().clone(), database.last_zxid())
}

/// What a snapshot file tells, under the name of an earlier zxid: so fuzzy ones look.
fn restore(live: &mut Database, into: &mut Database, named: Zxid) -> SnapshotDigest {
    let (_, digest, mut bytes) = live.begin_snapshot();
    while let Some(slice) = live.snapshot_slice(7) {
        bytes.extend(slice.bytes);
    }
    let mut d = Decoder::new(&bytes);
    for _ in 0..d.count().unwrap().unwrap() {
        into.restore_session(SessionId(d.long().unwrap()), d.int().unwrap());
    }
    for _ in 0..d.count().unwrap().unwrap() {
        into.restore_acl(d.long().unwrap(), d.vector(Acl::decode).unwrap().unwrap());
    }
    while !d.rest().is_empty() {
        let path = d.text().unwrap().unwrap();
        let (data, acl) = (d.buffer().unwrap(), d.long().unwrap());
        let stat = StatPersisted::decode(&mut d).unwrap();
        into.restore_node(&path, data, acl, &stat).unwrap();
    }
    into.restored(named, Some(digest));
    digest
}

#[test]
fn every_txn_leaves_the_digest_that_it_says() {
    for seed in 0..8 {
        let mut walk = Walk::new(seed, seed % 2 == 0);
        for _ in 0..6 {
            walk.run(150);
            dump(walk.world.peer.database());
            let wrong = walk.world.peer.database().digest_mismatches();
            assert_eq!(wrong, 0, "seed {seed}");
        }
        let log = &walk.world.log;
        let txns = log.iter().map(|(_, bytes)| TxnRecord::decode(bytes).unwrap().txn);
        let failed = txns.filter(|txn| matches!(txn, Txn::Error { .. })).count();
        assert!(
            failed * 3 < log.len() * 2,
            "{failed} of {} fail: the walk goes nowhere",
            log.len()
        );
    }
}

#[test]
fn a_log_replayed_from_nothing_gives_the_same() {
    for seed in 10..14 {
        let mut walk = Walk::new(seed, false);
        walk.run(500);
        let mut replayed = Database::new(walk.world.settings.database());
        for (_, bytes) in &walk.world.log {
            replayed.replay(&TxnRecord::decode(bytes).unwrap());
        }
        replayed.finish_recovery();
        assert_eq!(replayed.digest_mismatches(), 0, "seed {seed}");
        assert_eq!(dump(&replayed), dump(walk.world.peer.database()), "seed {seed}");
    }
}

/// storage-format 6.5: the last snapshot under the name of every earlier one.
#[test]
fn a_fuzzy_snapshot_and_its_log_give_the_same_from_any_point() {
    for seed in 20..24 {
        let mut walk = Walk::new(seed, false);
        walk.run(400);
        let expected = dump(walk.world.peer.database());
        let log = std::mem::take(&mut walk.world.log);
        for start in (0..log.len()).step_by(17) {
            let mut replayed = Database::new(walk.world.settings.database());
            let named = Zxid(log[start].0.0 - 1);
            restore(walk.world.peer.database_mut(), &mut replayed, named);
            for (_, bytes) in &log[start..] {
                replayed.replay(&TxnRecord::decode(bytes).unwrap());
            }
            replayed.finish_recovery();
            assert!(dump(&replayed) == expected, "seed {seed} from {named}: {}", {
                difference(&dump(&replayed).0, &expected.0)
            });
            assert_eq!(replayed.digest_mismatches(), 0, "seed {seed} from {named}");
        }
    }
}

fn difference(found: &Dump, expected: &Dump) -> String {
    let paths = found.keys().chain(expected.keys());
    let differing = paths.filter(|path| found.get(*path) != expected.get(*path));
    differing
        .map(|path| format!("\n{path}\n  {:?}\n  {:?}", found.get(path), expected.get(path)))
        .collect()
}

#[test]
fn a_txn_of_a_history_survives_the_way_to_bytes_and_back() {
    let mut walk = Walk::new(30, true);
    walk.run(300);
    for (zxid, bytes) in &walk.world.log {
        let record = TxnRecord::decode(bytes).unwrap();
        let mut again = Vec::new();
        record.encode(&mut Encoder::new(&mut again));
        assert_eq!((record.header.zxid, again), (*zxid, bytes.clone()));
    }
}

#[test]
fn the_same_inputs_give_the_same_outputs() {
    let [one, other] = [40, 40].map(|seed| {
        let mut walk = Walk::new(seed, true);
        walk.run(300);
        walk.world.log
    });
    assert!(one == other);
}
