//! The watches of one connection: a plain list, gone through for every event.

use zk_wire::WatchEventType;

use crate::ask::Rewatch;
use crate::model::State;

/// Which kind of watch.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Mode {
    Data,
    Child,
    Persistent,
    Recursive,
}

/// All watches of one connection.
#[derive(Clone, Debug, Default)]
pub(crate) struct Watching {
    watches: Vec<(String, Mode)>,
}

impl Watching {
    pub(crate) fn add(&mut self, path: &str, mode: Mode) {
        if !self.watches.iter().any(|(at, of)| at == path && *of == mode) {
            self.watches.push((path.to_owned(), mode));
        }
    }

    /// Whether an event is for this connection; one-shot watches that it touches are used up.
    pub(crate) fn fire(&mut self, kind: WatchEventType, path: &str) -> bool {
        let mut is_hit = false;
        self.watches.retain(|(at, mode)| {
            let is_here = at == path;
            let is_above = at == "/" || path.starts_with(&format!("{at}/"));
            let (hits, is_used_up) = match (mode, kind) {
                (Mode::Recursive, WatchEventType::NodeChildrenChanged) => (false, false),
                (Mode::Recursive, _) => (is_here || is_above, false),
                (Mode::Persistent, _) => (is_here, false),
                (Mode::Data, WatchEventType::NodeChildrenChanged) => (false, false),
                (Mode::Data, _) => (is_here, is_here),
                (
                    Mode::Child,
                    WatchEventType::NodeChildrenChanged | WatchEventType::NodeDeleted,
                ) => (is_here, is_here),
                (Mode::Child, _) => (false, false),
            };
            is_hit |= hits;
            !is_used_up
        });
        is_hit
    }

    /// Whether checkWatches finds something; `kind` is the wire's number.
    pub(crate) fn has(&self, path: &str, kind: i32) -> bool {
        self.watches.iter().any(|(at, mode)| at == path && is_of(*mode, kind))
    }

    /// Removes what removeWatches names.
    pub(crate) fn remove(&mut self, path: &str, kind: i32) -> bool {
        let before = self.watches.len();
        self.watches.retain(|(at, mode)| at != path || !is_of(*mode, kind));
        self.watches.len() < before
    }

    /// What a client sets again when it comes back having seen `state`, the one at `zxid`.
    pub(crate) fn again(&self, zxid: i64, state: &State) -> Rewatch {
        let mut again = Rewatch { relative_zxid: zxid, ..Rewatch::default() };
        for (path, mode) in &self.watches {
            let list = match mode {
                Mode::Data if state.nodes.contains_key(path.as_str()) => &mut again.data,
                Mode::Data => &mut again.exist,
                Mode::Child => &mut again.child,
                Mode::Persistent => &mut again.persistent,
                Mode::Recursive => &mut again.recursive,
            };
            list.push(path.clone());
        }
        again
    }

    /// Whether there is none.
    pub(crate) fn is_empty(&self) -> bool {
        self.watches.is_empty()
    }

    /// Takes up what setWatches did not tell at once.
    pub(crate) fn set_again(&mut self, watches: &Rewatch, state: &State) {
        let node = |path: &String| state.nodes.get(path.as_str());
        let since = watches.relative_zxid;
        for path in watches.data.iter().filter(|p| node(p).is_some_and(|n| n.mzxid <= since)) {
            self.add(path, Mode::Data);
        }
        for path in watches.exist.iter().filter(|p| node(p).is_none()) {
            self.add(path, Mode::Data);
        }
        for path in watches.child.iter().filter(|p| node(p).is_some_and(|n| n.pzxid <= since)) {
            self.add(path, Mode::Child);
        }
        for path in &watches.persistent {
            self.add(path, Mode::Persistent);
        }
        for path in &watches.recursive {
            self.add(path, Mode::Recursive);
        }
    }
}

fn is_of(mode: Mode, kind: i32) -> bool {
    match kind {
        1 => mode == Mode::Child,
        2 => mode == Mode::Data,
        3 => true,
        4 => mode == Mode::Persistent,
        5 => mode == Mode::Recursive,
        _ => false,
    }
}
