//! Applying a txn: a pure function of the state and the txn, the same when live and when replayed.
//!
//! It is total: what the txn asks for and the state does not allow (after a fuzzy snapshot of a Java
//! server) is passed over, as Java does. It checks no rights and no versions.
//!
//! Java: `DataTree.processTxn`.

use zk_wire::{
    Acl, CreateKind, CreateTxn, ErrorCode, SessionId, Stat, StatPersisted, Txn, TxnHeader,
    TxnRecord, WatchEventType, Zxid,
};

use crate::database::Database;
use crate::path;
use crate::quota;
use crate::tree::{NodeId, NodeKind};

/// A change that watches may wait for, in the order of the changes.
#[derive(Debug)]
pub struct Event<'a> {
    /// What happened.
    pub kind: WatchEventType,
    /// To which node.
    pub path: &'a str,
    /// Who may read it: the node's list, a deleted node's last one.
    pub acl: &'a [Acl],
    /// In which txn.
    pub zxid: Zxid,
}

/// What a txn did, as its client wants to know.
#[derive(Debug, PartialEq, Eq)]
pub enum Outcome {
    /// It happened.
    Done,
    /// It happened, and this is the node now.
    Stat(Stat),
    /// It did not happen.
    Error(i32),
    /// What each part of a multi did.
    Multi(Vec<Self>),
}

impl Outcome {
    fn error(code: ErrorCode) -> Self {
        Self::Error(code.code())
    }
}

impl Database {
    /// Applies the next txn and tells `events` what changed.
    pub fn apply(&mut self, record: &TxnRecord, events: &mut dyn FnMut(Event<'_>)) -> Outcome {
        let outcome = self.apply_txn(&record.header, &record.txn, events);
        self.reached(record.header.zxid, record.digest);
        outcome
    }

    fn apply_txn(
        &mut self,
        header: &TxnHeader,
        txn: &Txn,
        events: &mut dyn FnMut(Event<'_>),
    ) -> Outcome {
        match txn {
            Txn::CreateSession { timeout_ms } => {
                self.sessions_mut().insert(header.session, *timeout_ms);
                Outcome::Done
            }
            Txn::CloseSession { paths } => {
                self.close_session(header, paths.as_deref().unwrap_or_default(), events);
                Outcome::Done
            }
            Txn::Error { code } => Outcome::Error(*code),
            Txn::Create(create) => self.create(header, create, events),
            Txn::Delete { path, .. } => self.delete(path, header.zxid, events),
            Txn::SetData { path, data, version, .. } => {
                self.set_data(header, path, data.as_deref(), *version, events)
            }
            Txn::SetAcl { path, acl, version } => self.set_acl(path, acl, *version),
            Txn::Check { .. } => Outcome::Done,
            Txn::Multi(parts) => self.multi(header, parts, events),
        }
    }

    fn multi(
        &mut self,
        header: &TxnHeader,
        parts: &[Txn],
        events: &mut dyn FnMut(Event<'_>),
    ) -> Outcome {
        let failed = parts.iter().any(|part| matches!(part, Txn::Error { .. }));
        Outcome::Multi(
            parts
                .iter()
                .map(|part| match part {
                    Txn::Error { code } => Outcome::Error(*code),
                    _ if failed => Outcome::Error(0),
                    part => self.apply_txn(header, part, events),
                })
                .collect(),
        )
    }

    fn create(
        &mut self,
        header: &TxnHeader,
        txn: &CreateTxn,
        events: &mut dyn FnMut(Event<'_>),
    ) -> Outcome {
        let path = txn.path.as_str();
        let Some((parent_path, name)) = path::split(path) else {
            return Outcome::error(ErrorCode::BadArguments);
        };
        let Some(parent) = self.tree.lookup(parent_path) else {
            return Outcome::error(ErrorCode::NoNode);
        };
        if name.is_empty() {
            return Outcome::error(ErrorCode::BadArguments);
        }
        if let Some(id) = self.tree.child(parent, name) {
            self.create_again(header, txn, parent_path, parent, id);
            return Outcome::error(ErrorCode::NodeExists);
        }
        let kind = match txn.kind {
            CreateKind::Container => NodeKind::Container,
            CreateKind::Ttl { ttl_ms } => NodeKind::Ttl { ttl_ms },
            _ if txn.ephemeral => NodeKind::Ephemeral(header.session),
            _ => NodeKind::Persistent,
        };
        let stat = new_stat(header, kind);
        let data = txn.data.as_deref();
        let id = self.tree.insert(path, parent, name, data, &txn.acl, stat);
        self.raise_cversion(parent_path, parent, txn.parent_cversion, header.zxid);
        self.quotas.count(&mut self.tree, path, 1, data.map_or(0, quota::len));
        if path.starts_with("/zookeeper/") {
            self.quotas.on_created(&mut self.tree, path);
        }
        let zxid = header.zxid;
        events(Event { kind: WatchEventType::NodeCreated, path, acl: &txn.acl, zxid });
        self.children_changed(parent_path, parent, zxid, events);
        Outcome::Stat(self.tree.stat(id))
    }

    /// Compat: a replayed create of a node that is there already gives it the txn's ACL and, if it is
    /// a plain create, raises the parent's counter; both only matter after fuzzy snapshots.
    fn create_again(
        &mut self,
        header: &TxnHeader,
        txn: &CreateTxn,
        parent_path: &str,
        parent: NodeId,
        id: NodeId,
    ) {
        let stat = self.tree.node(id).stat;
        self.tree.set_acl(&txn.path, id, &txn.acl, stat);
        if txn.kind == CreateKind::Create {
            self.raise_cversion(parent_path, parent, txn.parent_cversion, header.zxid);
        }
    }

    fn raise_cversion(&mut self, path: &str, id: NodeId, to: i32, zxid: Zxid) {
        let mut stat = self.tree.node(id).stat;
        let to = if to == -1 { stat.cversion.wrapping_add(1) } else { to };
        if to > stat.cversion {
            stat.cversion = to;
            stat.pzxid = zxid.0;
            self.tree.set_stat(path, id, stat);
        }
    }

    fn delete(&mut self, path: &str, zxid: Zxid, events: &mut dyn FnMut(Event<'_>)) -> Outcome {
        let Some((parent_path, name)) = path::split(path) else {
            return Outcome::error(ErrorCode::NoNode);
        };
        let Some(parent) = self.tree.lookup(parent_path) else {
            return Outcome::error(ErrorCode::NoNode);
        };
        let mut stat = self.tree.node(parent).stat;
        if zxid.0 > stat.pzxid {
            stat.pzxid = zxid.0;
            self.tree.set_stat(parent_path, parent, stat);
        }
        let Some(id) = self.tree.child(parent, name) else {
            return Outcome::error(ErrorCode::NoNode);
        };
        self.remove_below(path, id);
        let node = self.tree.node(id);
        let (acl, size) = (self.tree.acl(node.acl), node.data.map_or(0, quota::len));
        self.tree.remove(path, id);
        if path.starts_with("/zookeeper/") {
            self.quotas.on_deleted(path);
        }
        self.quotas.count(&mut self.tree, path, -1, -size);
        events(Event { kind: WatchEventType::NodeDeleted, path, acl: &acl, zxid });
        self.children_changed(parent_path, parent, zxid, events);
        Outcome::Done
    }

    /// Only a fuzzy snapshot shows children of a node that is deleted: they were made after it had been
    /// made again, so later txns make them again.
    fn remove_below(&mut self, path: &str, id: NodeId) {
        for child in self.tree.children(id).to_vec() {
            let child_path = path::join(path, self.tree.node(child).name);
            self.remove_below(&child_path, child);
            self.tree.remove(&child_path, child);
        }
    }

    fn children_changed(
        &self,
        path: &str,
        id: NodeId,
        zxid: Zxid,
        events: &mut dyn FnMut(Event<'_>),
    ) {
        let acl = self.tree.acl_ref(self.tree.node(id).acl).unwrap_or_default();
        events(Event { kind: WatchEventType::NodeChildrenChanged, path, acl, zxid });
    }

    fn set_data(
        &mut self,
        header: &TxnHeader,
        path: &str,
        data: Option<&[u8]>,
        version: i32,
        events: &mut dyn FnMut(Event<'_>),
    ) -> Outcome {
        let Some(id) = self.tree.lookup(path) else {
            return Outcome::error(ErrorCode::NoNode);
        };
        let node = self.tree.node(id);
        let old_size = node.data.map_or(0, quota::len);
        let zxid = header.zxid;
        let stat = StatPersisted { version, mzxid: zxid.0, mtime: header.time_ms, ..node.stat };
        self.tree.set_data(path, id, data, stat);
        let growth = data.map_or(0, quota::len) - old_size;
        self.quotas.count(&mut self.tree, path, 0, growth);
        let acl = self.tree.acl_ref(self.tree.node(id).acl).unwrap_or_default();
        events(Event { kind: WatchEventType::NodeDataChanged, path, acl, zxid });
        Outcome::Stat(self.tree.stat(id))
    }

    fn set_acl(&mut self, path: &str, acl: &[Acl], version: i32) -> Outcome {
        let Some(id) = self.tree.lookup(path) else {
            return Outcome::error(ErrorCode::NoNode);
        };
        let stat = StatPersisted { aversion: version, ..self.tree.node(id).stat };
        self.tree.set_acl(path, id, acl, stat);
        Outcome::Stat(self.tree.stat(id))
    }

    fn close_session(
        &mut self,
        header: &TxnHeader,
        paths: &[String],
        events: &mut dyn FnMut(Event<'_>),
    ) {
        self.sessions_mut().remove(&header.session);
        for path in paths {
            self.delete(path, header.zxid, events);
        }
        for path in self.ephemeral_paths(header.session) {
            self.delete(&path, header.zxid, events);
        }
    }

    /// The paths that a session owns, in order.
    pub fn ephemeral_paths(&self, session: SessionId) -> Vec<String> {
        let mut paths: Vec<String> =
            self.tree.ephemerals(session).map(|id| self.tree.path(id)).collect();
        paths.sort_unstable();
        paths
    }
}

/// The stat of a node that `header`'s txn creates.
pub(crate) fn new_stat(header: &TxnHeader, kind: NodeKind) -> StatPersisted {
    StatPersisted {
        czxid: header.zxid.0,
        mzxid: header.zxid.0,
        ctime: header.time_ms,
        mtime: header.time_ms,
        version: 0,
        cversion: 0,
        aversion: 0,
        ephemeral_owner: kind.owner(),
        pzxid: header.zxid.0,
    }
}
