//! Watches: who waits for a change of which path.
//!
//! There are two tables, data and child, as in Java; a watch belongs to a connection and goes with it.
//! Modes of one connection on one path live side by side. Firing clears the one-shot mode only.
//!
//! Java: `WatchManager`, `WatcherModeManager` of 3.9.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use zk_wire::{WatchEventType, WatcherType};

use crate::path;
use crate::peer::ConnectionId;

/// How a watch behaves when it fires; a set of bits in a table.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum WatchMode {
    OneShot = 1,
    Persistent = 2,
    Recursive = 4,
}

/// All watches of a server.
#[derive(Debug)]
pub struct Watches {
    data: Table,
    child: Table,
}

#[derive(Debug)]
struct Table {
    by_path: HashMap<Arc<str>, Vec<(ConnectionId, u8)>, FixedState>,
    by_connection: BTreeMap<ConnectionId, BTreeSet<Arc<str>>>,
    recursive: usize,
    count: usize,
}

impl Watches {
    pub(crate) fn new(seed: u64) -> Self {
        Self { data: Table::new(seed), child: Table::new(seed) }
    }

    /// A watch for the node itself: getData, exists.
    pub(crate) fn watch_data(&mut self, cnx: ConnectionId, path: &str) {
        self.data.add(cnx, path, WatchMode::OneShot);
    }

    /// A watch for the node's children: getChildren.
    pub(crate) fn watch_children(&mut self, cnx: ConnectionId, path: &str) {
        self.child.add(cnx, path, WatchMode::OneShot);
    }

    /// A watch of addWatch that stays.
    pub(crate) fn watch_persistently(&mut self, cnx: ConnectionId, path: &str, recursive: bool) {
        if recursive {
            self.data.add(cnx, path, WatchMode::Recursive);
        } else {
            self.data.add(cnx, path, WatchMode::Persistent);
            self.child.add(cnx, path, WatchMode::Persistent);
        }
    }

    /// Whom to tell of a change, in order and each once; one-shot watches are used up.
    pub(crate) fn fire(&mut self, kind: WatchEventType, path: &str) -> Vec<ConnectionId> {
        match kind {
            WatchEventType::NodeCreated | WatchEventType::NodeDataChanged => {
                self.data.fire(kind, path)
            }
            WatchEventType::NodeChildrenChanged => self.child.fire(kind, path),
            WatchEventType::NodeDeleted => {
                let mut told = self.data.fire(kind, path);
                let more = self.child.fire(kind, path);
                told.extend(more.into_iter().filter(|cnx| !told.contains(cnx)).collect::<Vec<_>>());
                told
            }
        }
    }

    /// Whether checkWatches would find something.
    pub(crate) fn has(&self, cnx: ConnectionId, path: &str, kind: WatcherType) -> bool {
        let (data, child) = bits_of(kind);
        self.data.modes(cnx, path) & data != 0 || self.child.modes(cnx, path) & child != 0
    }

    /// Removes what removeWatches names; false if there was nothing.
    pub(crate) fn remove(&mut self, cnx: ConnectionId, path: &str, kind: WatcherType) -> bool {
        let (data, child) = bits_of(kind);
        let in_data = self.data.clear(cnx, path, data);
        let in_child = self.child.clear(cnx, path, child);
        in_data || in_child
    }

    /// A connection is gone, and its watches with it.
    pub(crate) fn remove_connection(&mut self, cnx: ConnectionId) {
        self.data.remove_connection(cnx);
        self.child.remove_connection(cnx);
    }

    /// How many watches there are in both tables.
    pub fn count(&self) -> usize {
        self.data.count + self.child.count
    }

    /// The data table, by connection: what `wchs`, `wchp` and `wchc` show.
    pub fn data_watches(&self) -> impl Iterator<Item = (ConnectionId, &BTreeSet<Arc<str>>)> {
        self.data.by_connection.iter().map(|(cnx, paths)| (*cnx, paths))
    }

    /// The data table, by path.
    pub fn data_watchers(
        &self,
    ) -> impl Iterator<Item = (&str, impl Iterator<Item = ConnectionId>)> {
        self.data
            .by_path
            .iter()
            .map(|(path, watchers)| (path.as_ref(), watchers.iter().map(|(cnx, _)| *cnx)))
    }

    /// How many paths have data watches.
    pub fn data_path_count(&self) -> usize {
        self.data.by_path.len()
    }
}

/// The modes that a watcher type means in the data and in the child table.
fn bits_of(kind: WatcherType) -> (u8, u8) {
    const ONE_SHOT: u8 = WatchMode::OneShot as u8;
    const PERSISTENT: u8 = WatchMode::Persistent as u8;
    const RECURSIVE: u8 = WatchMode::Recursive as u8;
    match kind {
        WatcherType::Children => (0, ONE_SHOT),
        WatcherType::Data => (ONE_SHOT, 0),
        WatcherType::Persistent => (PERSISTENT, PERSISTENT),
        WatcherType::PersistentRecursive => (RECURSIVE, 0),
        WatcherType::Any => (u8::MAX, u8::MAX),
    }
}

impl Table {
    fn new(seed: u64) -> Self {
        Self {
            by_path: HashMap::with_hasher(FixedState::with_seed(seed)),
            by_connection: BTreeMap::new(),
            recursive: 0,
            count: 0,
        }
    }

    fn add(&mut self, cnx: ConnectionId, path: &str, mode: WatchMode) {
        let key = match self.by_path.get_key_value(path) {
            Some((key, _)) => key.clone(),
            None => path.into(),
        };
        let watchers = self.by_path.entry(key.clone()).or_default();
        let modes = match watchers.iter_mut().find(|(watcher, _)| *watcher == cnx) {
            Some((_, modes)) => modes,
            None => {
                self.by_connection.entry(cnx).or_default().insert(key);
                self.count += 1;
                watchers.push((cnx, 0));
                &mut watchers.last_mut().expect("one was just pushed").1
            }
        };
        if mode == WatchMode::Recursive && *modes & mode as u8 == 0 {
            self.recursive += 1;
        }
        *modes |= mode as u8;
    }

    fn modes(&self, cnx: ConnectionId, path: &str) -> u8 {
        let watchers = self.by_path.get(path);
        watchers.and_then(|w| w.iter().find(|(watcher, _)| *watcher == cnx)).map_or(0, |w| w.1)
    }

    fn fire(&mut self, kind: WatchEventType, path: &str) -> Vec<ConnectionId> {
        let mut told = Vec::new();
        let mut used_up = Vec::new();
        if let Some(watchers) = self.by_path.get_mut(path) {
            watchers.retain_mut(|(cnx, modes)| {
                let is_deaf = *modes == WatchMode::Recursive as u8
                    && kind == WatchEventType::NodeChildrenChanged;
                if !is_deaf {
                    told.push(*cnx);
                }
                *modes &= !(WatchMode::OneShot as u8);
                if *modes == 0 {
                    used_up.push(*cnx);
                }
                *modes != 0
            });
            if watchers.is_empty() {
                self.by_path.remove(path);
            }
        }
        for cnx in used_up {
            self.forget(cnx, path);
        }
        if self.recursive > 0 && kind != WatchEventType::NodeChildrenChanged {
            self.fire_above(path, &mut told);
        }
        told
    }

    fn fire_above(&self, path: &str, told: &mut Vec<ConnectionId>) {
        for above in path::lineage(path).skip(1) {
            for (cnx, modes) in self.by_path.get(above).into_iter().flatten() {
                if modes & WatchMode::Recursive as u8 != 0 && !told.contains(cnx) {
                    told.push(*cnx);
                }
            }
        }
    }

    fn clear(&mut self, cnx: ConnectionId, path: &str, bits: u8) -> bool {
        let Some(watchers) = self.by_path.get_mut(path) else { return false };
        let Some(at) = watchers.iter().position(|(watcher, _)| *watcher == cnx) else {
            return false;
        };
        let modes = &mut watchers[at].1;
        let cleared = *modes & bits;
        *modes &= !bits;
        if cleared & WatchMode::Recursive as u8 != 0 {
            self.recursive -= 1;
        }
        if *modes == 0 {
            watchers.remove(at);
            if watchers.is_empty() {
                self.by_path.remove(path);
            }
            self.forget(cnx, path);
        }
        cleared != 0
    }

    /// A connection has no mode left on a path.
    fn forget(&mut self, cnx: ConnectionId, path: &str) {
        self.count -= 1;
        if let Some(paths) = self.by_connection.get_mut(&cnx) {
            paths.remove(path);
            if paths.is_empty() {
                self.by_connection.remove(&cnx);
            }
        }
    }

    fn remove_connection(&mut self, cnx: ConnectionId) {
        for path in self.by_connection.get(&cnx).cloned().unwrap_or_default() {
            self.clear(cnx, &path, u8::MAX);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use WatchEventType::{NodeChildrenChanged, NodeCreated, NodeDataChanged, NodeDeleted};

    const A: ConnectionId = ConnectionId::new(1, 0);
    const B: ConnectionId = ConnectionId::new(2, 0);

    #[test]
    fn a_one_shot_watch_fires_once_however_often_it_is_set() {
        let mut watches = Watches::new(0);
        watches.watch_data(A, "/w");
        watches.watch_data(A, "/w");
        assert_eq!(watches.count(), 1);
        assert_eq!(watches.fire(NodeDataChanged, "/w"), [A]);
        assert_eq!(watches.fire(NodeDataChanged, "/w"), []);
        assert_eq!(watches.count(), 0);
    }

    #[test]
    fn a_deletion_is_told_once_to_who_watches_node_and_children() {
        let mut watches = Watches::new(0);
        watches.watch_data(A, "/w");
        watches.watch_children(A, "/w");
        watches.watch_children(B, "/w");
        assert_eq!(watches.fire(NodeDeleted, "/w"), [A, B]);
        assert_eq!(watches.fire(NodeDeleted, "/w"), []);
    }

    #[test]
    fn a_persistent_watch_stays_and_hears_of_children() {
        let mut watches = Watches::new(0);
        watches.watch_persistently(A, "/w", false);
        for _ in 0..2 {
            assert_eq!(watches.fire(NodeCreated, "/w"), [A]);
            assert_eq!(watches.fire(NodeChildrenChanged, "/w"), [A]);
            assert_eq!(watches.fire(NodeDataChanged, "/w/a"), []);
            assert_eq!(watches.fire(NodeDeleted, "/w"), [A]);
        }
    }

    #[test]
    fn a_recursive_watch_hears_of_everything_below_but_not_of_children_changed() {
        let mut watches = Watches::new(0);
        watches.watch_persistently(A, "/w", true);
        assert_eq!(watches.fire(NodeCreated, "/w/a/b"), [A]);
        assert_eq!(watches.fire(NodeDataChanged, "/w"), [A]);
        assert_eq!(watches.fire(NodeChildrenChanged, "/w"), []);
        assert_eq!(watches.fire(NodeCreated, "/wx"), []);
        watches.remove_connection(A);
        assert_eq!(watches.fire(NodeCreated, "/w/a/b"), []);
    }

    #[test]
    fn modes_on_one_path_live_side_by_side() {
        let mut watches = Watches::new(0);
        watches.watch_persistently(A, "/w", false);
        watches.watch_persistently(A, "/w", true);
        watches.watch_data(A, "/w");
        assert_eq!(watches.fire(NodeDataChanged, "/w"), [A]);
        assert!(!watches.has(A, "/w", WatcherType::Data));
        assert!(watches.remove(A, "/w", WatcherType::Persistent));
        assert!(watches.has(A, "/w", WatcherType::PersistentRecursive));
        assert!(watches.remove(A, "/w", WatcherType::Any));
        assert!(!watches.remove(A, "/w", WatcherType::Any));
        assert_eq!(watches.count(), 0);
    }

    #[test]
    fn another_connections_watch_is_not_found() {
        let mut watches = Watches::new(0);
        watches.watch_data(A, "/w");
        assert!(!watches.has(B, "/w", WatcherType::Any));
        assert!(!watches.remove(B, "/w", WatcherType::Any));
    }
}
