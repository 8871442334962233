//! The tree against a naive model, and its snapshots against what it was when they began.

use std::collections::BTreeMap;

use zk_wire::{Decoder, Encoder};

use super::*;

fn stat(zxid: i64) -> StatPersisted {
    StatPersisted { czxid: zxid, mzxid: zxid, pzxid: zxid, ..StatPersisted::default() }
}

/// Path to data of the whole tree.
fn dump(tree: &Tree) -> BTreeMap<String, Vec<u8>> {
    let mut nodes = BTreeMap::new();
    let mut open = vec![NodeId::ROOT];
    while let Some(id) = open.pop() {
        nodes.insert(tree.path(id), tree.node(id).data.unwrap_or_default().to_vec());
        open.extend_from_slice(tree.children(id));
    }
    nodes
}

fn digest_of(tree: &Tree) -> u64 {
    let mut open = vec![NodeId::ROOT];
    let mut sum = 0_u64;
    while let Some(id) = open.pop() {
        let node = tree.node(id);
        sum = sum.wrapping_add(NodeDigest::new(&tree.path(id), node.data).with(&node.stat));
        open.extend_from_slice(tree.children(id));
    }
    sum
}

/// A walk through all operations, decided by a linear congruence.
struct Walk {
    tree: Tree,
    model: BTreeMap<String, Vec<u8>>,
    random: u64,
    zxid: i64,
}

impl Walk {
    fn new(seed: u64) -> Self {
        let tree = Tree::new(seed, true);
        Self { model: dump(&tree), tree, random: seed, zxid: 0 }
    }

    fn below(&mut self, n: usize) -> usize {
        self.random = self.random.wrapping_mul(0x5851_F42D_4C95_7F2D).wrapping_add(0x1405_7B7E);
        usize::try_from(self.random >> 33).unwrap() % n
    }

    fn step(&mut self) {
        self.zxid += 1;
        let n = self.below(self.model.len());
        let path = self.model.keys().nth(n).unwrap().clone();
        let id = self.tree.lookup(&path).unwrap();
        let length = self.below(40) * self.below(60);
        match self.below(6) {
            0..=2 => {
                let name = format!("n{}", self.below(50));
                let child = crate::path::join(&path, &name);
                if !self.model.contains_key(&child) {
                    let data = vec![7; length];
                    let acl = [Acl::world_readable()];
                    let stat = stat(self.zxid);
                    self.tree.insert(&child, id, &name, Some(&data), &acl, stat);
                    self.model.insert(child, data);
                }
            }
            3 => {
                let data = vec![8; length];
                self.tree.set_data(&path, id, Some(&data), stat(self.zxid));
                self.model.insert(path, data);
            }
            4 => self.tree.set_acl(&path, id, &[Acl::open()], stat(self.zxid)),
            _ => {
                if id != NodeId::ROOT && self.tree.children(id).is_empty() {
                    self.tree.remove(&path, id);
                    self.model.remove(&path);
                }
            }
        }
    }
}

#[test]
fn the_tree_does_what_a_map_does() {
    let mut walk = Walk::new(3);
    for n in 0..4000 {
        walk.step();
        if n % 97 == 0 {
            assert_eq!(dump(&walk.tree), walk.model);
            assert_eq!(walk.tree.digest(), digest_of(&walk.tree));
        }
    }
    let bytes: usize = walk.model.iter().map(|(path, data)| path.len() + data.len()).sum();
    assert_eq!(walk.tree.data_size(), u64::try_from(bytes).unwrap());
    assert_eq!(walk.tree.node_count(), u64::try_from(walk.model.len()).unwrap());
}

#[test]
fn a_snapshot_shows_the_moment_it_began_whatever_is_written_meanwhile() {
    for seed in 0..20 {
        let mut walk = Walk::new(seed);
        (0..600).for_each(|_| walk.step());
        let then = walk.model.clone();
        let mut acls = Vec::new();
        walk.tree.begin_snapshot(&mut Encoder::new(&mut acls));
        let mut body = Vec::new();
        loop {
            (0..seed).for_each(|_| walk.step());
            let slice = walk.tree.snapshot_slice(20).unwrap();
            body.extend(slice.bytes);
            if slice.is_last {
                break;
            }
        }
        assert_eq!(read_body(&body), then, "seed {seed}");
        assert!(walk.tree.snapshot_slice(20).is_none());
    }
}

/// Nodes of a snapshot's body; fails when a node comes twice or before its parent.
fn read_body(body: &[u8]) -> BTreeMap<String, Vec<u8>> {
    let mut nodes = BTreeMap::new();
    let mut d = Decoder::new(body);
    while !d.rest().is_empty() {
        let path = d.text().unwrap().unwrap().into_owned();
        let data = d.buffer().unwrap().unwrap_or_default().to_vec();
        d.long().unwrap();
        StatPersisted::decode(&mut d).unwrap();
        let path = if path.is_empty() { "/".to_owned() } else { path };
        let (parent, _) = crate::path::split(&path).unwrap();
        assert!(path == "/" || nodes.contains_key(parent), "{path} before its parent");
        assert!(nodes.insert(path.clone(), data).is_none(), "{path} twice");
    }
    nodes
}

#[test]
fn an_owner_says_what_kind_of_node_it_is() {
    for kind in [
        NodeKind::Persistent,
        NodeKind::Ephemeral(SessionId(0x0100_0000_0000_0001)),
        NodeKind::Container,
        NodeKind::Ttl { ttl_ms: NodeKind::TTL_MAX_MS },
    ] {
        assert_eq!(NodeKind::from_owner(kind.owner(), true), kind);
    }
    let ttl = NodeKind::Ttl { ttl_ms: 5 };
    assert!(matches!(NodeKind::from_owner(ttl.owner(), false), NodeKind::Ephemeral(_)));
}
