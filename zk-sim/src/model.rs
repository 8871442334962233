//! The whole state of a server, written down a second time and as simply as possible.
//!
//! Nodes are a sorted map by full path; every question is answered by looking at all of them. It
//! shares no code with the server's tree. A state is never changed: a txn makes the next one, and all
//! states stay, so that a reply is compared with the state at its own zxid.
//!
//! Invariant: `digest` is the sum over `nodes`; it follows each change, so that no txn costs a walk.

mod read;
mod write;

use std::collections::BTreeMap;
use std::ops::Bound;
use std::rc::Rc;

use zk_core::{Database, NodeId};
use zk_wire::{Acl, NodeDigest, Stat, StatPersisted, WatchEventType};

use crate::violation::{Property, Violation};

pub(crate) use read::{Answer, sorted_children};
pub(crate) use write::{Writer, Written};

/// Who owns a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Persistent,
    Ephemeral(i64),
    Container,
    Ttl(i64),
}

/// One node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) acl: Vec<Acl>,
    pub(crate) kind: Kind,
    pub(crate) czxid: i64,
    pub(crate) mzxid: i64,
    pub(crate) pzxid: i64,
    pub(crate) ctime: i64,
    pub(crate) mtime: i64,
    pub(crate) version: i32,
    pub(crate) aversion: i32,
    /// Children that were ever made.
    pub(crate) creates: i32,
    /// Children that ever came or went.
    pub(crate) cversion: i32,
    /// What it adds to the tree's digest; set when it gets its place.
    pub(crate) digest: u64,
}

/// Something that watches may wait for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) kind: WatchEventType,
    pub(crate) path: String,
    /// Who may hear of it.
    pub(crate) acl: Vec<Acl>,
}

/// A server's state after one txn.
#[derive(Clone, Debug)]
pub(crate) struct State {
    pub(crate) zxid: i64,
    pub(crate) nodes: BTreeMap<Rc<str>, Rc<Node>>,
    /// The sum of the nodes' digests.
    pub(crate) digest: u64,
    /// Live sessions and the timeouts that were granted at their creation.
    pub(crate) sessions: BTreeMap<i64, i32>,
    /// The last request of each session that took a zxid.
    pub(crate) last_cxid: BTreeMap<i64, i32>,
}

impl State {
    /// A new server's.
    pub(crate) fn new() -> Self {
        let mut state = Self {
            zxid: 0,
            nodes: BTreeMap::new(),
            digest: 0,
            sessions: BTreeMap::new(),
            last_cxid: BTreeMap::new(),
        };
        let mut add = |path: &str, acl: Acl, aversion: i32, children: i32| {
            let node = Node {
                data: Some(Vec::new()),
                acl: vec![acl],
                kind: Kind::Persistent,
                czxid: 0,
                mzxid: 0,
                pzxid: 0,
                ctime: 0,
                mtime: 0,
                version: 0,
                aversion,
                creates: 0,
                cversion: -children,
                digest: 0,
            };
            state.put(path, node);
        };
        add("/", Acl::open(), 0, 1);
        add("/zookeeper", Acl::open(), 0, 2);
        add("/zookeeper/quota", Acl::open(), 0, 0);
        add(CONFIG, Acl::world_readable(), -1, 0);
        state
    }

    /// Gives a node its place, or the place of the one that is there.
    pub(crate) fn put(&mut self, path: &str, mut node: Node) {
        node.digest = NodeDigest::new(path, node.data.as_deref()).with(&node.persisted());
        self.digest = self.digest.wrapping_add(node.digest);
        let node = Rc::new(node);
        let old = match self.nodes.get_mut(path) {
            Some(place) => Some(std::mem::replace(place, node)),
            None => self.nodes.insert(path.into(), node),
        };
        self.digest = self.digest.wrapping_sub(old.map_or(0, |old| old.digest));
    }

    /// Takes a node away.
    pub(crate) fn take(&mut self, path: &str) {
        if let Some(old) = self.nodes.remove(path) {
            self.digest = self.digest.wrapping_sub(old.digest);
        }
    }

    /// The names of a node's children, sorted.
    pub(crate) fn children(&self, path: &str) -> Vec<&str> {
        let prefix = below(path);
        let from = (Bound::Included(prefix.as_str()), Bound::Unbounded);
        let below = self.nodes.range::<str, _>(from).map(|(path, _)| path);
        below
            .take_while(|path| path.starts_with(prefix.as_str()))
            .map(|path| &path[prefix.len()..])
            .filter(|name| !name.is_empty() && !name.contains('/'))
            .collect()
    }

    /// How many nodes are below a path.
    pub(crate) fn descendants(&self, path: &str) -> usize {
        let prefix = below(path);
        self.nodes
            .keys()
            .filter(|path| path.len() > prefix.len() && path.starts_with(prefix.as_str()))
            .count()
    }

    /// What a session owns, sorted.
    pub(crate) fn ephemerals(&self, session: i64) -> Vec<String> {
        let mine = self.nodes.iter().filter(|(_, node)| node.kind == Kind::Ephemeral(session));
        mine.map(|(path, _)| path.to_string()).collect()
    }

    /// A node's metadata as clients see it.
    pub(crate) fn stat(&self, path: &str) -> Option<Stat> {
        let node = self.nodes.get(path)?;
        let length = node.data.as_ref().map_or(0, Vec::len);
        Some(Stat {
            czxid: node.czxid,
            mzxid: node.mzxid,
            ctime: node.ctime,
            mtime: node.mtime,
            version: node.version,
            cversion: node.cversion,
            aversion: node.aversion,
            ephemeral_owner: if let Kind::Ephemeral(session) = node.kind { session } else { 0 },
            data_length: i32::try_from(length).expect("requests are small"),
            num_children: i32::try_from(self.children(path).len()).expect("trees are small"),
            pzxid: node.pzxid,
        })
    }

    /// Compares every node and session with a server's.
    pub(crate) fn compare(&self, database: &Database) -> Result<(), Violation> {
        let differs = |what: String| Err(Property::TreeIsModel.broken(what));
        let tree = database.tree();
        let mut found = 0;
        let mut open = vec![(NodeId::ROOT, "/".to_owned())];
        while let Some((id, path)) = open.pop() {
            for child in tree.children(id) {
                open.push((*child, zk_core::path::join(&path, tree.node(*child).name)));
            }
            let node = tree.node(id);
            let Some(expected) = self.nodes.get(path.as_str()) else {
                return differs(format!("{path} is there, but was never made or is deleted"));
            };
            let acl = tree.acl_ref(node.acl).unwrap_or_default();
            found += 1;
            // When a member has shown its configuration is its own affair, and what, until a txn makes one.
            if path == CONFIG {
                let is_made = expected.mzxid != 0;
                if is_made && (node.data != expected.data.as_deref() || acl != expected.acl) {
                    return differs(format!("{path} has {:?}, not {expected:?}", node.data));
                }
                continue;
            }
            if node.data != expected.data.as_deref() || acl != expected.acl {
                return differs(format!("{path} has {:?} {acl:?}, not {expected:?}", node.data));
            }
            if node.stat != expected.persisted() || Some(tree.stat(id)) != self.stat(&path) {
                return differs(format!("{path} has {:?}, not {expected:?}", node.stat));
            }
        }
        if found != self.nodes.len() {
            let missing: Vec<_> =
                self.nodes.keys().filter(|path| tree.lookup(path).is_none()).collect();
            return differs(format!("{missing:?} is missing"));
        }
        if tree.digest() != self.digest {
            return Err(Property::Digest.broken(format!("the tree's digest at {:x}", self.zxid)));
        }
        let sessions = database.sessions().iter().map(|(id, timeout)| (id.0, *timeout));
        let sessions: BTreeMap<i64, i32> = sessions.collect();
        if sessions != self.sessions {
            return differs(format!("sessions {sessions:x?}, not {:x?}", self.sessions));
        }
        Ok(())
    }
}

impl Node {
    fn persisted(&self) -> StatPersisted {
        StatPersisted {
            czxid: self.czxid,
            mzxid: self.mzxid,
            ctime: self.ctime,
            mtime: self.mtime,
            version: self.version,
            cversion: self.creates,
            aversion: self.aversion,
            ephemeral_owner: match self.kind {
                Kind::Persistent => 0,
                Kind::Ephemeral(session) => session,
                Kind::Container => i64::MIN,
                Kind::Ttl(ttl_ms) => 0xff << 56 | ttl_ms,
            },
            pzxid: self.pzxid,
        }
    }
}

pub(crate) const CONFIG: &str = "/zookeeper/config";

fn below(path: &str) -> String {
    if path == "/" { "/".to_owned() } else { format!("{path}/") }
}

/// The path above; `/` for paths without one.
pub(crate) fn parent(path: &str) -> &str {
    match path.rfind('/') {
        None | Some(0) => "/",
        Some(at) => &path[..at],
    }
}
