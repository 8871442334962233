//! The znodes: a compact tree that is read by many and changed by committed txns only.
//!
//! A node costs its name, its data, its stat and some 40 bytes: a slot of 20 bytes, an entry in the
//! index, its place in the parent's list. It never checks rights, versions or names: preparation did.
//!
//! Invariants
//! - Every node's parent is there; the root is node 0 and always there.
//! - `digest` is the wrapping sum of all nodes' digests, after every change.
//! - A change reaches a running snapshot's cursor before it reaches the node (`before_change`).
//!
//! Java: `DataTree`, `DataNode`. Format of snapshots: `zk-storage/FORMAT.md`.

mod acls;
mod blobs;
mod index;
mod node;
mod snapshot;

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use zk_wire::{Acl, NodeDigest, SessionId, Stat, StatPersisted};

use acls::Acls;
use blobs::{BlobId, Blobs};
use index::{Index, PlaceHash};
use snapshot::Cursor;

pub(crate) use acls::OPEN_ACL;
pub use node::Node;
pub use snapshot::SnapshotSlice;

/// A node's place in the tree; valid until the node is removed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct NodeId(u32);

impl NodeId {
    /// The root.
    pub const ROOT: Self = Self(0);

    fn index(self) -> usize {
        usize::try_from(self.0).expect("addresses have at least 32 bits")
    }
}

/// Who owns a node, from its raw `ephemeralOwner`. Java: `EphemeralType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum NodeKind {
    /// Nobody.
    Persistent,
    /// A session.
    Ephemeral(SessionId),
    /// Itself: goes when it has been emptied.
    Container,
    /// Itself: goes when it has been childless and unchanged for `ttl_ms`.
    Ttl {
        /// In ms.
        ttl_ms: i64,
    },
}

impl NodeKind {
    const CONTAINER: i64 = i64::MIN;
    const TTL_MARK: i64 = 0xff;
    /// The longest ttl, in ms.
    pub const TTL_MAX_MS: i64 = 0xff_ffff_ffff;

    /// What a raw owner means; TTL marks mean something only with extended types.
    pub fn from_owner(owner: i64, extended_types: bool) -> Self {
        match owner {
            0 => Self::Persistent,
            Self::CONTAINER => Self::Container,
            _ if extended_types && owner >> 56 & 0xff == Self::TTL_MARK => {
                Self::Ttl { ttl_ms: owner & Self::TTL_MAX_MS }
            }
            _ => Self::Ephemeral(SessionId(owner)),
        }
    }

    /// The raw owner.
    pub fn owner(self) -> i64 {
        match self {
            Self::Persistent => 0,
            Self::Ephemeral(session) => session.0,
            Self::Container => Self::CONTAINER,
            Self::Ttl { ttl_ms } => Self::TTL_MARK << 56 | ttl_ms,
        }
    }

    /// The owner as clients see it: container and TTL marks are hidden.
    pub fn visible_owner(self) -> i64 {
        if let Self::Ephemeral(session) = self { session.0 } else { 0 }
    }
}

/// The tree of all znodes.
#[derive(Debug)]
pub struct Tree {
    slots: Vec<Vec<Slot>>,
    slots_len: u32,
    free: Vec<NodeId>,
    blobs: Blobs,
    index: Index,
    lists: Vec<Vec<NodeId>>,
    lists_free: Vec<u32>,
    acls: Acls,
    ephemerals: BTreeMap<SessionId, BTreeSet<NodeId>>,
    containers: BTreeSet<NodeId>,
    ttls: BTreeSet<NodeId>,
    extended_types: bool,
    digest: u64,
    node_count: u64,
    data_size: u64,
    cursor: Option<Cursor>,
    scratch: Vec<u8>,
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    blob: BlobId,
    parent: NodeId,
    hash: PlaceHash,
    /// 1 more than the place of the children's list; 0 while there are none.
    list: u32,
    /// Where the node stands in its parent's list.
    place: u32,
}

const SLOTS_IN_CHUNK: usize = 4096;

impl Tree {
    /// A tree with a bare root. `seed` decides the order of the index, nothing that can be seen.
    pub fn new(seed: u64, extended_types: bool) -> Self {
        let mut tree = Self {
            slots: Vec::new(),
            slots_len: 0,
            free: Vec::new(),
            blobs: Blobs::default(),
            index: Index::new(seed),
            lists: Vec::new(),
            lists_free: Vec::new(),
            acls: Acls::new(seed),
            ephemerals: BTreeMap::new(),
            containers: BTreeSet::new(),
            ttls: BTreeSet::new(),
            extended_types,
            digest: 0,
            node_count: 1,
            data_size: len_u64(Some(b"/")),
            cursor: None,
            scratch: Vec::new(),
        };
        let stat = StatPersisted::default();
        let blob = tree.pack(&Node { name: "", acl: OPEN_ACL, stat, data: Some(b"") });
        let hash = PlaceHash::default();
        tree.new_slot(Slot { blob, parent: NodeId::ROOT, hash, list: 0, place: 0 });
        tree.digest = NodeDigest::new("/", Some(b"")).with(&stat);
        tree
    }

    /// The node at `path`; the empty path is the root too.
    pub fn lookup(&self, path: &str) -> Option<NodeId> {
        if path.is_empty() || path == "/" {
            return Some(NodeId::ROOT);
        }
        path.strip_prefix('/')?
            .split('/')
            .try_fold(NodeId::ROOT, |parent, name| self.child(parent, name))
    }

    /// The child of `parent` called `name`.
    pub fn child(&self, parent: NodeId, name: &str) -> Option<NodeId> {
        let hash = self.index.hash(parent, name.as_bytes());
        self.index.find(hash, |id| {
            let slot = self.slot(*id);
            slot.hash == hash
                && slot.parent == parent
                && Node::name_of(self.blobs.bytes(slot.blob)) == name.as_bytes()
        })
    }

    /// A node's name, metadata and data.
    pub fn node(&self, id: NodeId) -> Node<'_> {
        Node::unpack(self.blobs.bytes(self.slot(id).blob))
    }

    /// The parent of a node; the root's is the root.
    pub fn parent(&self, id: NodeId) -> NodeId {
        self.slot(id).parent
    }

    /// The children of a node, in no particular order.
    pub fn children(&self, id: NodeId) -> &[NodeId] {
        match self.slot(id).list {
            0 => &[],
            list => &self.lists[to_usize(list - 1)],
        }
    }

    /// A node's full path; the root's is `/`.
    pub fn path(&self, id: NodeId) -> String {
        if id == NodeId::ROOT {
            return "/".to_owned();
        }
        let mut names = Vec::new();
        let mut at = id;
        while at != NodeId::ROOT {
            names.push(self.node(at).name);
            at = self.parent(at);
        }
        names.iter().rev().fold(String::new(), |path, name| path + "/" + name)
    }

    /// How many nodes are below `id`.
    pub fn descendants(&self, id: NodeId) -> usize {
        let mut count = 0;
        let mut open = vec![id];
        while let Some(at) = open.pop() {
            let children = self.children(at);
            count += children.len();
            open.extend_from_slice(children);
        }
        count
    }

    /// A node's metadata as clients see it.
    pub fn stat(&self, id: NodeId) -> Stat {
        self.visible_stat(&self.node(id), self.children(id).len())
    }

    /// What `node` with so many children looks like to clients.
    pub fn visible_stat(&self, node: &Node<'_>, children: usize) -> Stat {
        let stat = &node.stat;
        let num_children = to_i32(children);
        Stat {
            czxid: stat.czxid,
            mzxid: stat.mzxid,
            ctime: stat.ctime,
            mtime: stat.mtime,
            version: stat.version,
            cversion: stat.cversion.wrapping_mul(2).wrapping_sub(num_children),
            aversion: stat.aversion,
            ephemeral_owner: self.kind(stat).visible_owner(),
            data_length: node.data.map_or(0, |data| to_i32(data.len())),
            num_children,
            pzxid: stat.pzxid,
        }
    }

    /// Who owns a node with such a stat.
    pub fn kind(&self, stat: &StatPersisted) -> NodeKind {
        NodeKind::from_owner(stat.ephemeral_owner, self.extended_types)
    }

    /// The access list of an id.
    pub fn acl(&self, id: i64) -> Arc<[Acl]> {
        self.acls.list(id)
    }

    /// The access list of an id without keeping it; `None` allows nothing.
    pub fn acl_ref(&self, id: i64) -> Option<&[Acl]> {
        self.acls.get(id)
    }

    /// The nodes that go with a session, in no particular order.
    pub fn ephemerals(&self, session: SessionId) -> impl Iterator<Item = NodeId> {
        self.ephemerals.get(&session).into_iter().flatten().copied()
    }

    /// The sessions that own nodes, in order.
    pub fn ephemeral_owners(&self) -> impl Iterator<Item = (SessionId, usize)> {
        self.ephemerals.iter().map(|(session, nodes)| (*session, nodes.len()))
    }

    /// The container nodes.
    pub fn containers(&self) -> impl Iterator<Item = NodeId> {
        self.containers.iter().copied()
    }

    /// The nodes with a time to live.
    pub fn ttls(&self) -> impl Iterator<Item = NodeId> {
        self.ttls.iter().copied()
    }

    /// The sum of the nodes' digests.
    pub fn digest(&self) -> u64 {
        self.digest
    }

    /// How many nodes there are, the root counted once.
    pub fn node_count(&self) -> u64 {
        self.node_count
    }

    /// Bytes of paths and data of all nodes: what is shown as their approximate size.
    pub fn data_size(&self) -> u64 {
        self.data_size
    }

    /// Adds a node under `parent`; there is none of that name yet.
    pub fn insert(
        &mut self,
        path: &str,
        parent: NodeId,
        name: &str,
        data: Option<&[u8]>,
        acl: &[Acl],
        stat: StatPersisted,
    ) -> NodeId {
        let acl = self.acls.acquire(acl);
        self.insert_with_acl_id(path, parent, Node { name, acl, stat, data })
    }

    /// Adds a node of a snapshot, or replaces what stands in the bare root.
    pub(crate) fn restore(&mut self, path: &str, parent: NodeId, node: Node<'_>) -> NodeId {
        self.acls.retain(node.acl);
        if path != "/" {
            return self.insert_with_acl_id(path, parent, node);
        }
        let old = self.node(NodeId::ROOT);
        let old = NodeDigest::new(path, old.data).with(&old.stat);
        let new = NodeDigest::new(path, node.data).with(&node.stat);
        self.digest = self.digest.wrapping_add(new).wrapping_sub(old);
        self.data_size += len_u64(node.data);
        let mut scratch = Vec::new();
        node.pack(&mut scratch);
        self.replace_blob(NodeId::ROOT, scratch);
        NodeId::ROOT
    }

    /// An entry of a snapshot's ACL table.
    pub(crate) fn restore_acl(&mut self, id: i64, acl: Vec<Acl>) {
        self.acls.restore(id, acl);
    }

    /// Forgets entries of a snapshot's ACL table that no node has.
    pub(crate) fn purge_unused_acls(&mut self) {
        self.acls.purge_unused();
    }

    fn insert_with_acl_id(&mut self, path: &str, parent: NodeId, node: Node<'_>) -> NodeId {
        self.digest = self.digest.wrapping_add(NodeDigest::new(path, node.data).with(&node.stat));
        self.data_size += node_size(path, node.data);
        self.node_count += 1;
        let blob = self.pack(&node);
        let list = self.list_of(parent);
        let place = to_u32(self.lists[list].len());
        let hash = self.index.hash(parent, node.name.as_bytes());
        let id = self.new_slot(Slot { blob, parent, hash, list: 0, place });
        self.lists[list].push(id);
        let slots = &self.slots;
        self.index.insert(hash, id, |id| slot_in(slots, id).hash);
        self.own(id, &node.stat);
        id
    }

    /// Removes a node that has no children and is not the root.
    pub fn remove(&mut self, path: &str, id: NodeId) {
        self.before_change(id);
        let slot = self.slot(id);
        let node = self.node(id);
        let (acl, stat, size) = (node.acl, node.stat, node_size(path, node.data));
        let digest = NodeDigest::new(path, node.data).with(&stat);
        self.digest = self.digest.wrapping_sub(digest);
        self.data_size -= size;
        self.node_count -= 1;
        self.index.remove(slot.hash, id);
        self.acls.release(acl);
        self.blobs.remove(slot.blob);
        self.disown(id, &stat);
        self.leave_list(slot);
        self.free.push(id);
    }

    /// Changes a node's metadata.
    pub fn set_stat(&mut self, path: &str, id: NodeId, stat: StatPersisted) {
        self.before_change(id);
        let node = self.node(id);
        let digest = NodeDigest::new(path, node.data);
        let change = digest.with(&stat).wrapping_sub(digest.with(&node.stat));
        self.digest = self.digest.wrapping_add(change);
        let mut scratch = std::mem::take(&mut self.scratch);
        scratch.clear();
        Node { stat, ..self.node(id) }.pack(&mut scratch);
        self.replace_blob(id, scratch);
    }

    /// Changes a node's data and metadata.
    pub fn set_data(&mut self, path: &str, id: NodeId, data: Option<&[u8]>, stat: StatPersisted) {
        self.before_change(id);
        let node = self.node(id);
        let old = NodeDigest::new(path, node.data).with(&node.stat);
        let new = NodeDigest::new(path, data).with(&stat);
        let size = self.data_size - len_u64(node.data) + len_u64(data);
        let mut scratch = Vec::new();
        Node { stat, data, ..node }.pack(&mut scratch);
        self.digest = self.digest.wrapping_add(new).wrapping_sub(old);
        self.data_size = size;
        self.replace_blob(id, scratch);
    }

    /// Changes a node's access list and metadata.
    pub fn set_acl(&mut self, path: &str, id: NodeId, acl: &[Acl], stat: StatPersisted) {
        self.set_stat(path, id, stat);
        let new = self.acls.acquire(acl);
        let node = self.node(id);
        let old = node.acl;
        let mut scratch = Vec::new();
        Node { acl: new, ..node }.pack(&mut scratch);
        self.replace_blob(id, scratch);
        self.acls.release(old);
    }

    fn slot(&self, id: NodeId) -> Slot {
        slot_in(&self.slots, id)
    }

    fn slot_mut(&mut self, id: NodeId) -> &mut Slot {
        &mut self.slots[id.index() / SLOTS_IN_CHUNK][id.index() % SLOTS_IN_CHUNK]
    }

    fn new_slot(&mut self, slot: Slot) -> NodeId {
        if let Some(id) = self.free.pop() {
            *self.slot_mut(id) = slot;
            return id;
        }
        let id = NodeId(self.slots_len);
        self.slots_len = self.slots_len.checked_add(1).expect("fewer than 2^32 nodes");
        if id.index().is_multiple_of(SLOTS_IN_CHUNK) {
            // The first chunk grows as it fills: a small server stays small.
            let capacity = if id == NodeId::ROOT { 16 } else { SLOTS_IN_CHUNK };
            self.slots.push(Vec::with_capacity(capacity));
        }
        self.slots.last_mut().expect("a chunk was just pushed or has room").push(slot);
        id
    }

    fn list_of(&mut self, parent: NodeId) -> usize {
        let list = self.slot(parent).list;
        if list != 0 {
            return to_usize(list - 1);
        }
        let list = self.lists_free.pop().unwrap_or_else(|| {
            self.lists.push(Vec::new());
            to_u32(self.lists.len() - 1)
        });
        self.slot_mut(parent).list = list + 1;
        to_usize(list)
    }

    fn leave_list(&mut self, slot: Slot) {
        let list = self.slot(slot.parent).list - 1;
        let children = &mut self.lists[to_usize(list)];
        children.swap_remove(to_usize(slot.place));
        if let Some(moved) = children.get(to_usize(slot.place)).copied() {
            self.slot_mut(moved).place = slot.place;
        } else if children.is_empty() {
            self.lists[to_usize(list)] = Vec::new();
            self.lists_free.push(list);
            self.slot_mut(slot.parent).list = 0;
        }
    }

    fn pack(&mut self, node: &Node<'_>) -> BlobId {
        self.scratch.clear();
        node.pack(&mut self.scratch);
        self.blobs.insert(&self.scratch)
    }

    fn replace_blob(&mut self, id: NodeId, packed: Vec<u8>) {
        let blob = self.blobs.replace(self.slot(id).blob, &packed);
        self.slot_mut(id).blob = blob;
        self.scratch = packed;
    }

    fn own(&mut self, id: NodeId, stat: &StatPersisted) {
        match self.kind(stat) {
            NodeKind::Persistent => {}
            NodeKind::Ephemeral(session) => {
                self.ephemerals.entry(session).or_default().insert(id);
            }
            NodeKind::Container => {
                self.containers.insert(id);
            }
            NodeKind::Ttl { .. } => {
                self.ttls.insert(id);
            }
        }
    }

    fn disown(&mut self, id: NodeId, stat: &StatPersisted) {
        match self.kind(stat) {
            NodeKind::Persistent => {}
            NodeKind::Ephemeral(session) => {
                if let Some(nodes) = self.ephemerals.get_mut(&session) {
                    nodes.remove(&id);
                    if nodes.is_empty() {
                        self.ephemerals.remove(&session);
                    }
                }
            }
            NodeKind::Container => {
                self.containers.remove(&id);
            }
            NodeKind::Ttl { .. } => {
                self.ttls.remove(&id);
            }
        }
    }
}

fn slot_in(slots: &[Vec<Slot>], id: NodeId) -> Slot {
    slots[id.index() / SLOTS_IN_CHUNK][id.index() % SLOTS_IN_CHUNK]
}

/// What a node adds to the size of all.
fn node_size(path: &str, data: Option<&[u8]>) -> u64 {
    len_u64(Some(path.as_bytes())) + len_u64(data)
}

fn len_u64(data: Option<&[u8]>) -> u64 {
    data.map_or(0, |data| u64::try_from(data.len()).expect("lengths fit 64 bits"))
}

fn to_usize(n: u32) -> usize {
    usize::try_from(n).expect("addresses have at least 32 bits")
}

fn to_u32(n: usize) -> u32 {
    u32::try_from(n).expect("fewer than 2^32 nodes")
}

fn to_i32(n: usize) -> i32 {
    i32::try_from(n).expect("counts that clients see fit an int")
}

#[cfg(test)]
mod tests;
