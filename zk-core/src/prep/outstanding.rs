//! What nodes will be once the txns that are prepared, but not applied yet, are applied.
//!
//! Changes are staged first, so that a failing txn leaves none, and kept when the txn is sealed.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use zk_wire::{Acl, NodeDigest, SessionId, StatPersisted, Zxid};

use crate::database::Database;
use crate::tree::NodeKind;

/// A node as it will be.
#[derive(Clone, Debug)]
pub(crate) struct Pending {
    pub(crate) stat: StatPersisted,
    pub(crate) kind: NodeKind,
    pub(crate) children: usize,
    /// How many children it ever had; wraps where the stat's `cversion` stays.
    pub(crate) counter: i32,
    pub(crate) acl: Arc<[Acl]>,
    pub(crate) digest: NodeDigest,
}

impl Pending {
    fn session(&self) -> Option<SessionId> {
        if let NodeKind::Ephemeral(session) = self.kind { Some(session) } else { None }
    }
}

#[derive(Clone, Debug)]
struct Change {
    zxid: Zxid,
    /// `None`: the node will be gone.
    node: Option<Pending>,
}

impl Change {
    /// Whose ephemeral the node will be.
    fn session(&self) -> Option<SessionId> {
        self.node.as_ref().and_then(Pending::session)
    }
}

#[derive(Debug)]
pub(crate) struct Outstanding {
    changes: HashMap<Arc<str>, Change, FixedState>,
    /// Every change, and whose ephemeral the node was to be after it.
    order: VecDeque<(Zxid, Arc<str>, Option<SessionId>)>,
    /// Paths that were to be a session's at some change; a later one may have taken them away.
    by_session: BTreeMap<SessionId, BTreeSet<Arc<str>>>,
    digest: u64,
    staged: HashMap<Arc<str>, Change, FixedState>,
    staged_digest: u64,
}

impl Outstanding {
    pub(crate) fn new(seed: u64, digest: u64) -> Self {
        Self {
            changes: HashMap::with_hasher(FixedState::with_seed(seed)),
            order: VecDeque::new(),
            by_session: BTreeMap::new(),
            digest,
            staged: HashMap::with_hasher(FixedState::with_seed(seed)),
            staged_digest: digest,
        }
    }

    /// The digest with everything that is staged.
    pub(crate) fn staged_digest(&self) -> u64 {
        self.staged_digest
    }

    /// The node at `path` as the next txn will find it.
    pub(crate) fn look(&self, database: &Database, path: &str) -> Option<Pending> {
        if let Some(change) = self.staged.get(path).or_else(|| self.changes.get(path)) {
            return change.node.clone();
        }
        let tree = database.tree();
        let id = tree.lookup(path)?;
        let node = tree.node(id);
        Some(Pending {
            stat: node.stat,
            kind: tree.kind(&node.stat),
            children: tree.children(id).len(),
            counter: node.stat.cversion,
            acl: tree.acl(node.acl),
            digest: NodeDigest::new(path, node.data),
        })
    }

    /// Notes what becomes of a node.
    pub(crate) fn stage(&mut self, path: &str, old: Option<&Pending>, new: Option<Pending>) {
        let digest = |node: &Pending| node.digest.with(&node.stat);
        self.staged_digest = self
            .staged_digest
            .wrapping_sub(old.map_or(0, digest))
            .wrapping_add(new.as_ref().map_or(0, digest));
        let change = Change { zxid: Zxid::ZERO, node: new };
        match self.staged.get_mut(path) {
            Some(staged) => *staged = change,
            None => {
                self.staged.insert(path.into(), change);
            }
        }
    }

    /// The txn failed: nothing changes.
    pub(crate) fn drop_staged(&mut self) {
        self.staged.clear();
        self.staged_digest = self.digest;
    }

    /// The txn is sealed as `zxid`: later ones see its changes.
    pub(crate) fn keep(&mut self, zxid: Zxid) {
        self.digest = self.staged_digest;
        for (path, change) in self.staged.drain() {
            let session = change.session();
            if let Some(session) = session {
                self.by_session.entry(session).or_default().insert(path.clone());
            }
            self.order.push_back((zxid, path.clone(), session));
            self.changes.insert(path, Change { zxid, ..change });
        }
    }

    /// The tree shows everything up to `zxid` and has `digest`.
    pub(crate) fn forget(&mut self, zxid: Zxid, digest: u64) {
        while let Some((_, path, session)) = self.order.pop_front_if(|(at, ..)| *at <= zxid) {
            let later = self.changes.get(&path).filter(|change| change.zxid > zxid);
            let is_still_its = later.is_some_and(|change| change.session() == session);
            if later.is_none() {
                self.changes.remove(&path);
            }
            if let Some(session) = session.filter(|_| !is_still_its) {
                self.disown(session, &path);
            }
        }
        if self.changes.is_empty() && self.staged.is_empty() {
            self.digest = digest;
            self.staged_digest = digest;
        }
    }

    fn disown(&mut self, session: SessionId, path: &str) {
        if let Some(paths) = self.by_session.get_mut(&session) {
            paths.remove(path);
            if paths.is_empty() {
                self.by_session.remove(&session);
            }
        }
    }

    #[cfg(test)]
    pub(super) fn is_empty(&self) -> bool {
        self.changes.is_empty() && self.order.is_empty() && self.by_session.is_empty()
    }

    /// The paths that a session will own, in order.
    pub(crate) fn ephemerals(&self, database: &Database, session: SessionId) -> Vec<String> {
        let is_its = |path: &str| Some(self.changes.get(path)?.session() == Some(session));
        let committed = database.ephemeral_paths(session).into_iter();
        let mut paths: BTreeSet<String> =
            committed.filter(|path| is_its(path).unwrap_or(true)).collect();
        let pending = self.by_session.get(&session).into_iter().flatten();
        paths
            .extend(pending.filter(|path| is_its(path) == Some(true)).map(|path| path.to_string()));
        paths.into_iter().collect()
    }
}
