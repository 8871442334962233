//! A database without any cleverness: every node in one map, each rule of replay spelled out.

use std::collections::BTreeMap;

use zk_wire::{
    Acl, CreateKind, CreateTxn, Encoder, NodeDigest, Replica, ReplicaError, SessionId,
    SnapshotDigest, StatPersisted, Txn, TxnDigest, TxnHeader, TxnRecord, Zxid,
};

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Node {
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) acl: Vec<Acl>,
    pub(crate) stat: StatPersisted,
}

#[derive(Clone, Debug, Default)]
pub(crate) struct Model {
    /// By path; the root is the empty path.
    pub(crate) nodes: BTreeMap<String, Node>,
    pub(crate) sessions: BTreeMap<SessionId, i32>,
    pub(crate) last_zxid: Zxid,
    /// The zxids of the txns that were replayed.
    pub(crate) replayed: Vec<Zxid>,
    /// How many digests of txns and of the snapshot were compared, and how many differed.
    pub(crate) digests: (u64, u64),
    acls: BTreeMap<i64, Vec<Acl>>,
    awaited: Option<SnapshotDigest>,
}

impl Model {
    pub(crate) fn digest(&self) -> u64 {
        self.nodes.iter().fold(0, |sum: u64, (path, node)| {
            sum.wrapping_add(NodeDigest::new(path, node.data.as_deref()).with(&node.stat))
        })
    }

    pub(crate) fn children(&self, parent: &str) -> usize {
        self.nodes.keys().filter(|path| parent_of(path) == Some(parent)).count()
    }

    /// Panics with the first node that the two do not have alike.
    pub(crate) fn assert_is(&self, expected: &Self, what: &str) {
        for path in self.nodes.keys().chain(expected.nodes.keys()) {
            let (found, expected) = (self.nodes.get(path), expected.nodes.get(path));
            let stats = [found, expected].map(|node| node.map(|node| node.stat));
            assert!(found == expected, "{what}: {path:?} differs: {stats:?}");
        }
        assert_eq!(self.sessions, expected.sessions, "{what}");
    }

    /// The body of a snapshot of this database.
    pub(crate) fn snapshot_body(&self) -> Vec<u8> {
        let mut acls: Vec<&Vec<Acl>> = self.nodes.values().map(|node| &node.acl).collect();
        acls.sort_by_key(|acl| format!("{acl:?}"));
        acls.dedup();
        let id_of = |acl: &Vec<Acl>| acls.iter().position(|other| *other == acl).unwrap();
        let mut bytes = Vec::new();
        let mut e = Encoder::new(&mut bytes);
        e.count(self.sessions.len());
        for (id, timeout) in &self.sessions {
            e.long(id.0).int(*timeout);
        }
        e.count(acls.len());
        for acl in &acls {
            e.long(i64::try_from(id_of(acl)).unwrap() + 1);
            Acl::encode_list(acl, &mut e);
        }
        for (path, node) in &self.nodes {
            e.text(path).buffer(node.data.as_deref());
            e.long(i64::try_from(id_of(&node.acl)).unwrap() + 1);
            node.stat.encode(&mut e);
        }
        bytes
    }

    pub(crate) fn snapshot_digest(&self) -> SnapshotDigest {
        SnapshotDigest { zxid: self.last_zxid, version: 2, digest: self.digest() }
    }

    fn compare(&mut self, digest: u64) {
        self.digests.0 += 1;
        self.digests.1 += u64::from(digest != self.digest());
    }

    fn apply(&mut self, header: &TxnHeader, txn: &Txn) {
        let zxid = header.zxid.0;
        match txn {
            Txn::CreateSession { timeout_ms } => {
                self.sessions.insert(header.session, *timeout_ms);
            }
            Txn::CloseSession { paths } => {
                self.sessions.remove(&header.session);
                for path in paths.iter().flatten() {
                    self.delete(path, zxid);
                }
                for path in self.owned(header.session) {
                    self.delete(&path, zxid);
                }
            }
            Txn::Error { .. } | Txn::Check { .. } => {}
            Txn::Create(create) => self.create(header, create),
            Txn::Delete { path, .. } => self.delete(path, zxid),
            Txn::SetData { path, data, version, .. } => {
                if let Some(node) = self.nodes.get_mut(key(path)) {
                    node.data.clone_from(data);
                    node.stat.version = *version;
                    node.stat.mzxid = zxid;
                    node.stat.mtime = header.time_ms;
                }
            }
            Txn::SetAcl { path, acl, version } => {
                if let Some(node) = self.nodes.get_mut(key(path)) {
                    node.acl.clone_from(acl);
                    node.stat.aversion = *version;
                }
            }
            Txn::Multi(parts) => {
                if !parts.iter().any(|part| matches!(part, Txn::Error { .. })) {
                    parts.iter().for_each(|part| self.apply(header, part));
                }
            }
        }
    }

    fn owned(&self, session: SessionId) -> Vec<String> {
        let is_owned = |node: &Node| node.stat.ephemeral_owner == session.0;
        self.nodes.iter().filter(|(_, n)| is_owned(n)).map(|(path, _)| path.clone()).collect()
    }

    fn create(&mut self, header: &TxnHeader, create: &CreateTxn) {
        let zxid = header.zxid.0;
        let exists = self.nodes.contains_key(&create.path);
        let Some(parent) = parent_of(&create.path).and_then(|path| self.nodes.get_mut(path)) else {
            return;
        };
        let cversion = match create.parent_cversion {
            -1 => parent.stat.cversion + 1,
            cversion => cversion,
        };
        if (!exists || create.kind == CreateKind::Create) && cversion > parent.stat.cversion {
            parent.stat.cversion = cversion;
            parent.stat.pzxid = zxid;
        }
        if let Some(node) = self.nodes.get_mut(&create.path) {
            node.acl.clone_from(&create.acl);
            return;
        }
        let ephemeral_owner = match create.kind {
            CreateKind::Container => i64::MIN,
            CreateKind::Ttl { ttl_ms } => 0xff << 56 | ttl_ms,
            _ if create.ephemeral => header.session.0,
            _ => 0,
        };
        let stat = StatPersisted {
            czxid: zxid,
            mzxid: zxid,
            pzxid: zxid,
            ctime: header.time_ms,
            mtime: header.time_ms,
            ephemeral_owner,
            ..Default::default()
        };
        let node = Node { data: create.data.clone(), acl: create.acl.clone(), stat };
        self.nodes.insert(create.path.clone(), node);
    }

    fn delete(&mut self, path: &str, zxid: i64) {
        if let Some(parent) = parent_of(path).and_then(|path| self.nodes.get_mut(path)) {
            parent.stat.pzxid = parent.stat.pzxid.max(zxid);
            self.nodes.remove(path);
        }
    }
}

impl Replica for Model {
    fn restore_session(&mut self, id: SessionId, timeout_ms: i32) {
        self.sessions.insert(id, timeout_ms);
    }

    fn restore_acl(&mut self, id: i64, acl: Vec<Acl>) {
        self.acls.insert(id, acl);
    }

    fn restore_node(
        &mut self,
        path: &str,
        data: Option<&[u8]>,
        acl: i64,
        stat: &StatPersisted,
    ) -> Result<(), ReplicaError> {
        if parent_of(path).is_some_and(|parent| !self.nodes.contains_key(parent)) {
            return Err(ReplicaError::NoParent { path: path.to_owned() });
        }
        let acl = match acl {
            -1 => vec![Acl::open()],
            id => self.acls.get(&id).cloned().unwrap_or_default(),
        };
        let node = Node { data: data.map(<[u8]>::to_vec), acl, stat: *stat };
        match self.nodes.insert(path.to_owned(), node) {
            None => Ok(()),
            Some(_) => Err(ReplicaError::Twice { path: path.to_owned() }),
        }
    }

    fn restored(&mut self, zxid: Zxid, digest: Option<SnapshotDigest>) {
        self.last_zxid = zxid;
        match digest {
            Some(digest) if digest.zxid == zxid => self.compare(digest.digest),
            _ => self.awaited = digest,
        }
    }

    fn replay(&mut self, record: &TxnRecord) {
        let zxid = record.header.zxid;
        self.apply(&record.header, &record.txn);
        self.last_zxid = self.last_zxid.max(zxid);
        self.replayed.push(zxid);
        // Before the digest section's zxid a fuzzy snapshot shows the future.
        match self.awaited {
            Some(awaited) if zxid < awaited.zxid => return,
            Some(awaited) => self.compare(awaited.digest),
            None => {}
        }
        self.awaited = None;
        if let Some(TxnDigest { digest, .. }) = record.digest {
            self.compare(digest);
        }
    }
}

fn key(path: &str) -> &str {
    if path == "/" { "" } else { path }
}

pub(crate) fn parent_of(path: &str) -> Option<&str> {
    path.rsplit_once('/').map(|(parent, _)| parent)
}
