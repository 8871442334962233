//! The replicated state of a server: the tree, the sessions, and the last txn that made them so.
//!
//! It changes in two ways only: recovery fills it, and `apply` (in `apply.rs`) takes the next txn.
//! It decides nothing: whether a txn may happen was decided when it was prepared.
//!
//! Java: `ZKDatabase`.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use tracing::warn;
use zk_wire::{
    Acl, Encoder, NodeDigest, Replica, ReplicaError, SessionId, SnapshotDigest, StatPersisted,
    TxnRecord, Zxid,
};

use crate::path::{self, CONFIG};
use crate::quota::Quotas;
use crate::tree::{Node, NodeId, NodeKind, OPEN_ACL, Tree};
use crate::zab::Replayed;

/// What decides how stored bytes are understood.
#[derive(Clone, Copy, Debug)]
pub struct DatabaseOptions {
    /// Seed of hash tables; it shows nowhere but in speed.
    pub seed: u64,
    /// Whether owners with the TTL mark are TTL nodes (`zookeeper.extendedTypesEnabled`).
    pub extended_types: bool,
    /// Whether digests of txns are compared (`zookeeper.digest.enabled`).
    pub digest: bool,
}

/// How many txns apart the recorded digests are.
const DIGEST_INTERVAL: i64 = 128;
/// How many of them are kept.
const DIGESTS_MAX: usize = 1024;

/// Tree, sessions and last zxid.
#[derive(Debug)]
pub struct Database {
    pub(crate) tree: Tree,
    pub(crate) quotas: Quotas,
    sessions: BTreeMap<SessionId, i32>,
    last_zxid: Zxid,
    options: DatabaseOptions,
    digest_mismatches: u64,
    /// The digest after every 128th txn, the newest last.
    digests: VecDeque<(Zxid, u64)>,
    /// While a fuzzy snapshot of a Java server is replayed: where its digest must be reached.
    expected: Option<SnapshotDigest>,
    /// While a leader's stream is taken: the tree may show txns that are still to come.
    is_fuzzy: bool,
    /// While a snapshot is read, the parent of its last node: siblings come together.
    restored_parent: Option<(String, NodeId)>,
    /// The last txns that were replayed, for learners that lack them, and how many are kept.
    replayed: VecDeque<(Zxid, Bytes)>,
    /// What was replayed above this txn is one history, kept or not.
    replayed_above: Zxid,
    replayed_bytes: usize,
    replayed_bytes_max: usize,
    replayed_count: u64,
}

impl Database {
    /// A new database as Java makes it: the root and the server's own nodes. Recovery may fill it.
    pub fn new(options: DatabaseOptions) -> Self {
        let mut database = Self::bare(options);
        database.add_system_nodes();
        database
    }

    fn bare(options: DatabaseOptions) -> Self {
        Self {
            tree: Tree::new(options.seed, options.extended_types),
            quotas: Quotas::default(),
            sessions: BTreeMap::new(),
            last_zxid: Zxid::ZERO,
            options,
            digest_mismatches: 0,
            digests: VecDeque::new(),
            expected: None,
            is_fuzzy: false,
            restored_parent: None,
            replayed: VecDeque::new(),
            replayed_above: Zxid::ZERO,
            replayed_bytes: 0,
            replayed_bytes_max: 0,
            replayed_count: 0,
        }
    }

    /// A database that keeps so many bytes of the last txns that recovery replays, for learners that lack
    /// them.
    #[must_use]
    pub fn keeping_replayed(mut self, bytes_max: usize) -> Self {
        self.replayed_bytes_max = bytes_max;
        self
    }

    /// How many txns of the log recovery had to replay.
    pub(crate) fn replayed_count(&self) -> u64 {
        self.replayed_count
    }

    /// What recovery replayed, once.
    pub(crate) fn take_replayed(&mut self) -> Replayed {
        self.replayed_bytes = 0;
        Replayed { above: self.replayed_above, txns: std::mem::take(&mut self.replayed) }
    }

    /// How long a snapshot is, about, in bytes.
    pub(crate) fn snapshot_len(&self) -> u64 {
        /// Lengths, ACL and stat. Spec: `DataNode` and `StatPersisted` in zookeeper.jute.
        const OF_EACH_NODE: u64 = 76;
        self.tree.data_size() + self.tree.node_count() * OF_EACH_NODE
    }

    /// The first thing of a snapshot has come: what a new database has makes way.
    fn make_way(&mut self) {
        if self.restored_parent.is_none() {
            let is_fuzzy = self.is_fuzzy;
            *self = Self::bare(self.options).keeping_replayed(self.replayed_bytes_max);
            self.is_fuzzy = is_fuzzy;
            self.restored_parent = Some(("/".to_owned(), NodeId::ROOT));
        }
    }

    fn add_system_nodes(&mut self) {
        let open = Acl::open();
        let add = |tree: &mut Tree, path: &str, acl: &[Acl], aversion: i32| {
            if tree.lookup(path).is_some() {
                return;
            }
            let (parent, name) = path::split(path).expect("system paths are absolute");
            let parent = tree.lookup(parent).expect("parents are added first");
            let stat = StatPersisted { aversion, ..StatPersisted::default() };
            if acl == [open.clone()] {
                let node = Node { name, acl: OPEN_ACL, stat, data: Some(b"") };
                tree.restore(path, parent, node);
            } else {
                tree.insert(path, parent, name, Some(b""), acl, stat);
            }
        };
        let tree = &mut self.tree;
        add(tree, "/zookeeper", &[Acl::open()], 0);
        add(tree, "/zookeeper/quota", &[Acl::open()], 0);
        add(tree, CONFIG, &[Acl::world_readable()], -1);
    }

    /// How it understands stored bytes.
    pub(crate) fn options(&self) -> DatabaseOptions {
        self.options
    }

    /// A database that a leader's stream fills. Until [`Self::finish_load`] its digest says nothing: Java
    /// streams a tree that goes on changing, and the txns come again.
    pub(crate) fn for_stream(options: DatabaseOptions) -> Self {
        Self { is_fuzzy: true, ..Self::new(options) }
    }

    /// The stream has ended; `zxid` is the last txn that it has whole.
    pub(crate) fn end_stream(&mut self, zxid: Zxid) {
        self.restored(zxid, None);
        self.finish_recovery();
    }

    /// Everything that the stream may show of later txns is applied.
    pub(crate) fn finish_load(&mut self) {
        self.is_fuzzy = false;
    }

    /// Shows the ensemble's configuration where clients look for it, unless the txn that makes it is yet to
    /// come: a learner goes by what holds before its tree is that far. The first version needs no txn and stands
    /// in for the zxid. Java: `ZKDatabase.initConfigInZKDatabase`.
    pub(crate) fn show_config(&mut self, text: &str, version: i64, wall_ms: i64) {
        let made_by = Zxid(version);
        if made_by.counter() != 0 && made_by > self.last_zxid {
            return;
        }
        let id = self.tree.lookup(CONFIG).expect("recovery ends with the server's own nodes there");
        let stat = self.tree.node(id).stat;
        let stat = StatPersisted { version: -1, mzxid: version, mtime: wall_ms, ..stat };
        self.tree.set_data(CONFIG, id, Some(text.as_bytes()), stat);
    }

    /// The configuration that clients are shown, or that the last reconfiguration of the log has made.
    pub(crate) fn config(&self) -> Option<&[u8]> {
        self.tree.node(self.tree.lookup(CONFIG)?).data
    }

    /// The znodes.
    pub fn tree(&self) -> &Tree {
        &self.tree
    }

    /// The global sessions and their timeouts in ms, in order.
    pub fn sessions(&self) -> &BTreeMap<SessionId, i32> {
        &self.sessions
    }

    pub(crate) fn sessions_mut(&mut self) -> &mut BTreeMap<SessionId, i32> {
        &mut self.sessions
    }

    /// The zxid of the last txn applied.
    pub fn last_zxid(&self) -> Zxid {
        self.last_zxid
    }

    /// How many txns left another digest than their leader said.
    pub fn digest_mismatches(&self) -> u64 {
        self.digest_mismatches
    }

    /// The tree's digest after txns whose zxid divides by 128, up to 1024 of them, oldest first.
    pub fn digests(&self) -> impl Iterator<Item = (Zxid, u64)> {
        self.digests.iter().copied()
    }

    fn record_digest(&mut self, zxid: Zxid) {
        if zxid.0 % DIGEST_INTERVAL == 0 {
            if self.digests.len() == DIGESTS_MAX {
                self.digests.pop_front();
            }
            self.digests.push_back((zxid, self.tree.digest()));
        }
    }

    /// Moves on to `zxid` and compares the tree's digest with what the txn's maker expected.
    pub(crate) fn reached(&mut self, zxid: Zxid, digest: Option<zk_wire::TxnDigest>) {
        self.last_zxid = self.last_zxid.max(zxid);
        if self.is_fuzzy || self.expected.is_some_and(|expected| zxid < expected.zxid) {
            return;
        }
        self.record_digest(zxid);
        match (self.expected.take(), digest) {
            (Some(expected), _) if expected.zxid == zxid => {
                self.compare(zxid, expected.version, expected.digest);
            }
            (_, Some(digest)) => self.compare(zxid, digest.version, digest.digest),
            (_, None) => {}
        }
    }

    fn compare(&mut self, zxid: Zxid, version: i32, expected: u64) {
        let found = self.tree.digest();
        if !self.options.digest || version != NodeDigest::VERSION || found == expected {
            return;
        }
        self.digest_mismatches += 1;
        if self.digest_mismatches.is_power_of_two() {
            warn!(
                %zxid, expected, found, count = self.digest_mismatches,
                "Message:Digests are not matching. Value is Zxid. Value:{}", zxid.0
            );
        }
    }

    /// Ends recovery: the server's own nodes are there, and quotas are counted.
    pub fn finish_recovery(&mut self) {
        self.restored_parent = None;
        self.add_system_nodes();
        self.tree.purge_unused_acls();
        self.quotas.reload(&mut self.tree);
    }

    /// The sessions that own nodes but are gone: a fuzzy snapshot or a bug left them. Java deletes their
    /// nodes on the quiet when it begins to lead; here they are closed by a txn like any other.
    pub(crate) fn lost_sessions(&self) -> Vec<SessionId> {
        let owners = self.tree.ephemeral_owners().map(|(session, _)| session);
        let (ttls, lost): (Vec<_>, Vec<_>) =
            owners.filter(|session| !self.sessions.contains_key(session)).partition(|session| {
                matches!(NodeKind::from_owner(session.0, true), NodeKind::Ttl { .. })
            });
        if !ttls.is_empty() {
            warn!(
                "nodes with a time to live are kept but never reaped: \
                 set extendedTypesEnabled=true as on the server that made them"
            );
        }
        lost
    }

    /// Begins a snapshot of this moment: the sessions and the ACL table; nodes come in slices.
    pub fn begin_snapshot(&mut self) -> (Zxid, SnapshotDigest, Vec<u8>) {
        let mut head = Vec::new();
        let mut e = Encoder::new(&mut head);
        e.count(self.sessions.len());
        for (id, timeout_ms) in &self.sessions {
            e.long(id.0).int(*timeout_ms);
        }
        self.tree.begin_snapshot(&mut e);
        let digest = SnapshotDigest {
            zxid: self.last_zxid,
            version: NodeDigest::VERSION,
            digest: self.tree.digest(),
        };
        (self.last_zxid, digest, head)
    }

    /// The next part of a running snapshot. See [`Tree::snapshot_slice`].
    pub fn snapshot_slice(&mut self, nodes_max: u32) -> Option<crate::tree::SnapshotSlice> {
        self.tree.snapshot_slice(nodes_max)
    }

    /// Drops a running snapshot.
    pub fn abort_snapshot(&mut self) {
        self.tree.abort_snapshot();
    }
}

impl Replica for Database {
    fn restore_session(&mut self, id: SessionId, timeout_ms: i32) {
        self.make_way();
        self.sessions.insert(id, timeout_ms);
    }

    fn restore_acl(&mut self, id: i64, acl: Vec<Acl>) {
        self.make_way();
        self.tree.restore_acl(id, acl);
    }

    fn restore_node(
        &mut self,
        path: &str,
        data: Option<&[u8]>,
        acl: i64,
        stat: &StatPersisted,
    ) -> Result<(), ReplicaError> {
        self.make_way();
        if path.is_empty() {
            self.tree.restore("/", NodeId::ROOT, Node { name: "", acl, stat: *stat, data });
            return Ok(());
        }
        let bad_path = || ReplicaError::Path { path: path.to_owned() };
        let (parent_path, name) = path::split(path).ok_or_else(bad_path)?;
        if name.is_empty() || !path.starts_with('/') {
            return Err(bad_path());
        }
        let parent = match &self.restored_parent {
            Some((last, parent)) if last == parent_path => *parent,
            _ => {
                let no_parent = || ReplicaError::NoParent { path: path.to_owned() };
                let parent = self.tree.lookup(parent_path).ok_or_else(no_parent)?;
                self.restored_parent = Some((parent_path.to_owned(), parent));
                parent
            }
        };
        if self.tree.child(parent, name).is_some() {
            return Err(ReplicaError::Twice { path: path.to_owned() });
        }
        self.tree.restore(path, parent, Node { name, acl, stat: *stat, data });
        Ok(())
    }

    fn restored(&mut self, zxid: Zxid, digest: Option<SnapshotDigest>) {
        (self.last_zxid, self.replayed_above) = (zxid, zxid);
        self.quotas.reload(&mut self.tree);
        match digest {
            Some(digest) if digest.zxid == zxid && zxid > Zxid::ZERO => {
                self.compare(zxid, digest.version, digest.digest);
            }
            Some(digest) if digest.zxid > zxid => self.expected = Some(digest),
            _ => {}
        }
    }

    fn replay(&mut self, record: &TxnRecord) {
        self.apply(record, &mut |_| ());
    }

    fn replayed(&mut self, zxid: Zxid, bytes: &[u8]) {
        self.replayed_count += 1;
        if self.replayed_bytes_max == 0 {
            return;
        }
        let last = self.replayed.back().map_or(self.replayed_above, |(last, _)| *last);
        // A log of Java's may have them out of order: then only what follows is one history.
        if zxid <= last || (zxid != last.next() && zxid.epoch() == last.epoch()) {
            self.replayed.clear();
            (self.replayed_bytes, self.replayed_above) = (0, zxid);
        }
        self.replayed_bytes += bytes.len();
        while self.replayed_bytes > self.replayed_bytes_max
            && let Some((_, first)) = self.replayed.pop_front()
        {
            self.replayed_bytes -= first.len();
        }
        self.replayed.push_back((zxid, Bytes::copy_from_slice(bytes)));
    }
}
