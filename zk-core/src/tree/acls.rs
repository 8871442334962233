//! Access lists, each kept once however many nodes have it. Java: `ReferenceCountedACLCache`.
//!
//! Invariants
//! - Ids grow and are never given twice, so a snapshot may refer to a list that is gone by now.

use std::{collections::BTreeMap, sync::Arc};

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use zk_wire::{Acl, Encoder};

/// The id of `[all, world:anyone]` of the server's own nodes; it is in no table.
pub(crate) const OPEN_ACL: i64 = -1;

#[derive(Debug)]
pub(crate) struct Acls {
    open: Arc<[Acl]>,
    by_id: BTreeMap<i64, Entry>,
    ids: HashMap<Arc<[Acl]>, i64, FixedState>,
    next_id: i64,
}

#[derive(Debug)]
struct Entry {
    list: Arc<[Acl]>,
    nodes: u64,
}

impl Acls {
    pub(crate) fn new(seed: u64) -> Self {
        Self {
            open: [Acl::open()].into(),
            by_id: BTreeMap::new(),
            ids: HashMap::with_hasher(FixedState::with_seed(seed)),
            next_id: 1,
        }
    }

    /// The list of an id; an id that is not in the table allows nothing to anybody.
    pub(crate) fn list(&self, id: i64) -> Arc<[Acl]> {
        if id == OPEN_ACL {
            return self.open.clone();
        }
        match self.by_id.get(&id) {
            Some(entry) => entry.list.clone(),
            None => [Acl { perms: zk_wire::Perms(0), ..Acl::open() }].into(),
        }
    }

    /// The list of an id, borrowed; as [`Acls::list`], but an unknown id gives `None`.
    pub(crate) fn get(&self, id: i64) -> Option<&[Acl]> {
        if id == OPEN_ACL { Some(&self.open) } else { self.by_id.get(&id).map(|e| &*e.list) }
    }

    /// The id of a list, for one more node.
    pub(crate) fn acquire(&mut self, list: &[Acl]) -> i64 {
        if let Some(id) = self.ids.get(list) {
            self.by_id.get_mut(id).expect("both maps hold the same lists").nodes += 1;
            return *id;
        }
        let id = self.next_id;
        self.insert(id, list.into(), 1);
        id
    }

    /// One more node has an id that is known already, or open.
    pub(crate) fn retain(&mut self, id: i64) {
        if let Some(entry) = self.by_id.get_mut(&id) {
            entry.nodes += 1;
        }
    }

    /// One node fewer has the list.
    pub(crate) fn release(&mut self, id: i64) {
        let Some(entry) = self.by_id.get_mut(&id) else { return };
        entry.nodes -= 1;
        if entry.nodes == 0 {
            self.remove(id);
        }
    }

    /// An entry of a snapshot's table; its nodes come later.
    pub(crate) fn restore(&mut self, id: i64, list: Vec<Acl>) {
        self.insert(id, list.into(), 0);
    }

    /// Forgets what a snapshot's table held for no node.
    pub(crate) fn purge_unused(&mut self) {
        let unused: Vec<i64> =
            self.by_id.iter().filter(|(_, entry)| entry.nodes == 0).map(|(id, _)| *id).collect();
        for id in unused {
            self.remove(id);
        }
    }

    /// Writes the table as snapshots hold it.
    pub(crate) fn encode(&self, e: &mut Encoder<'_>) {
        e.count(self.by_id.len());
        for (id, entry) in &self.by_id {
            e.long(*id);
            Acl::encode_list(&entry.list, e);
        }
    }

    fn insert(&mut self, id: i64, list: Arc<[Acl]>, nodes: u64) {
        self.next_id = self.next_id.max(id + 1);
        self.ids.insert(list.clone(), id);
        self.by_id.insert(id, Entry { list, nodes });
    }

    fn remove(&mut self, id: i64) {
        if let Some(entry) = self.by_id.remove(&id)
            && self.ids.get(&entry.list) == Some(&id)
        {
            self.ids.remove(&entry.list);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_kept_while_a_node_has_it() {
        let mut acls = Acls::new(1);
        let id = acls.acquire(&[Acl::world_readable()]);
        assert_eq!(acls.acquire(&[Acl::world_readable()]), id);
        acls.release(id);
        assert_eq!(acls.get(id), Some(&[Acl::world_readable()][..]));
        acls.release(id);
        assert_eq!(acls.get(id), None);
        assert_eq!(acls.acquire(&[Acl::world_readable()]), id + 1);
    }

    #[test]
    fn an_unknown_id_allows_nothing() {
        let list = Acls::new(1).list(77);
        assert!(list.iter().all(|acl| acl.perms.0 == 0));
    }
}
