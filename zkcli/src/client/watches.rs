//! Which watches a session has set, to tell who is to hear of an event and to set them again on the next
//! connection.
//!
//! Paths are the servers' own, chroot included. Java: `ZKWatchManager`.

use std::borrow::Cow;
use std::collections::BTreeSet;

use zk_wire::{Request, SetWatches, WatchEventType, WatcherType};

use super::event::EventKind;

/// A watch that a request sets if it succeeds, or removes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Registration {
    Data(String),
    /// Of `exists`: it becomes a data watch if the node is there.
    Exist(String),
    Child(String),
    Persistent(String),
    Recursive(String),
    Remove {
        path: String,
        kind: WatcherType,
        locally: bool,
    },
}

/// The watches of one session.
#[derive(Debug, Default)]
pub(crate) struct Watches {
    data: BTreeSet<String>,
    exist: BTreeSet<String>,
    child: BTreeSet<String>,
    persistent: BTreeSet<String>,
    recursive: BTreeSet<String>,
}

impl Watches {
    /// Adds what a request that succeeded has set; `found` is false for an `exists` without a node.
    pub(crate) fn add(&mut self, registration: Registration, found: bool) {
        match registration {
            Registration::Exist(path) if !found => self.exist.insert(path),
            Registration::Data(path) | Registration::Exist(path) => self.data.insert(path),
            Registration::Child(path) => self.child.insert(path),
            Registration::Persistent(path) => self.persistent.insert(path),
            Registration::Recursive(path) => self.recursive.insert(path),
            Registration::Remove { .. } => false,
        };
    }

    /// Whether a watch waits for this event; one-shot watches that did are gone after.
    pub(crate) fn fire(&mut self, event: WatchEventType, path: &str) -> bool {
        let sets: &mut [&mut BTreeSet<String>] = match event {
            WatchEventType::NodeCreated | WatchEventType::NodeDataChanged => {
                &mut [&mut self.data, &mut self.exist]
            }
            WatchEventType::NodeChildrenChanged => &mut [&mut self.child],
            WatchEventType::NodeDeleted => &mut [&mut self.data, &mut self.exist, &mut self.child],
        };
        let mut is_watched = false;
        for set in sets {
            is_watched |= set.remove(path);
        }
        is_watched || self.persistent.contains(path) || self.is_below_recursive(path)
    }

    fn is_below_recursive(&self, path: &str) -> bool {
        let mut ancestor = path;
        loop {
            if self.recursive.contains(ancestor) {
                return true;
            }
            ancestor = match ancestor.rfind('/') {
                Some(0) if ancestor.len() > 1 => "/",
                Some(slash) if slash > 0 => &ancestor[..slash],
                _ => return false,
            };
        }
    }

    /// Whether there is a watch that the request would remove.
    pub(crate) fn has(&self, path: &str, kind: WatcherType) -> bool {
        let data = self.data.contains(path) || self.exist.contains(path);
        let child = self.child.contains(path);
        let persistent = self.persistent.contains(path);
        let recursive = self.recursive.contains(path);
        match kind {
            WatcherType::Children => child,
            WatcherType::Data => data,
            WatcherType::Any => data || child || persistent || recursive,
            WatcherType::Persistent => persistent,
            WatcherType::PersistentRecursive => recursive,
        }
    }

    /// Removes watches and gives the events that tell of it, in Java's order.
    pub(crate) fn remove(&mut self, path: &str, kind: WatcherType) -> Vec<EventKind> {
        let is = |kinds: &[WatcherType]| kind == WatcherType::Any || kinds.contains(&kind);
        let mut events = Vec::new();
        let persistent = is(&[WatcherType::Persistent]) && self.persistent.remove(path);
        let recursive = is(&[WatcherType::PersistentRecursive]) && self.recursive.remove(path);
        if persistent || recursive {
            events.push(EventKind::PersistentWatchRemoved);
        }
        if is(&[WatcherType::Children]) && self.child.remove(path) {
            events.push(EventKind::ChildWatchRemoved);
        }
        let data = is(&[WatcherType::Data]);
        if data && (self.data.remove(path) | self.exist.remove(path)) {
            events.push(EventKind::DataWatchRemoved);
        }
        events
    }

    /// The requests that set all watches again, none of them too long for a server.
    pub(crate) fn set_again(&self, relative_zxid: i64) -> Vec<Request<'_>> {
        let mut requests = Vec::new();
        let mut set = empty(relative_zxid);
        let mut length = 0;
        let lists = [&self.data, &self.exist, &self.child, &self.persistent, &self.recursive];
        for (list, paths) in lists.into_iter().enumerate() {
            for path in paths {
                if length + path.len() > REQUEST_MAX && length > 0 {
                    requests.push(Request::SetWatches(set));
                    set = empty(relative_zxid);
                    length = 0;
                }
                length += path.len() + 4;
                list_of(&mut set, list).push(Cow::Borrowed(path.as_str()));
            }
        }
        if length > 0 {
            requests.push(Request::SetWatches(set));
        }
        requests
    }
}

fn empty<'a>(relative_zxid: i64) -> SetWatches<'a> {
    SetWatches {
        relative_zxid,
        data: Vec::new(),
        exist: Vec::new(),
        child: Vec::new(),
        persistent: Vec::new(),
        persistent_recursive: Vec::new(),
    }
}

fn list_of<'s, 'a>(set: &'s mut SetWatches<'a>, list: usize) -> &'s mut Vec<Cow<'a, str>> {
    match list {
        0 => &mut set.data,
        1 => &mut set.exist,
        2 => &mut set.child,
        3 => &mut set.persistent,
        _ => &mut set.persistent_recursive,
    }
}

/// Compat: `ClientCnxn.SET_WATCHES_MAX_LENGTH`.
const REQUEST_MAX: usize = 128 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    fn watches() -> Watches {
        let mut watches = Watches::default();
        watches.add(Registration::Data("/d".into()), true);
        watches.add(Registration::Exist("/e".into()), false);
        watches.add(Registration::Child("/d".into()), true);
        watches.add(Registration::Recursive("/r".into()), true);
        watches
    }

    #[test]
    fn a_one_shot_watch_fires_once_and_a_recursive_one_for_all_below() {
        let mut watches = watches();
        assert!(watches.fire(WatchEventType::NodeCreated, "/e"));
        assert!(!watches.fire(WatchEventType::NodeCreated, "/e"));
        assert!(watches.fire(WatchEventType::NodeDeleted, "/d"));
        assert!(!watches.fire(WatchEventType::NodeChildrenChanged, "/d"));
        for path in ["/r", "/r/a", "/r/a/b"] {
            assert!(watches.fire(WatchEventType::NodeDataChanged, path), "{path}");
        }
        assert!(!watches.fire(WatchEventType::NodeDataChanged, "/rest"));
        watches.add(Registration::Recursive("/".into()), true);
        assert!(watches.fire(WatchEventType::NodeDataChanged, "/rest"));
    }

    #[test]
    fn removing_any_tells_of_each_kind() {
        let mut watches = watches();
        assert!(watches.has("/d", WatcherType::Any) && !watches.has("/d", WatcherType::Persistent));
        let events = watches.remove("/d", WatcherType::Any);
        assert_eq!(events, [EventKind::ChildWatchRemoved, EventKind::DataWatchRemoved]);
        assert_eq!(watches.remove("/d", WatcherType::Any), []);
    }

    #[test]
    fn many_watches_are_set_again_in_several_requests() {
        let mut watches = watches();
        for number in 0..2_000 {
            let path = format!("/{}/{number}", "x".repeat(100));
            watches.add(Registration::Data(path), true);
        }
        let requests = watches.set_again(7);
        assert_eq!(requests.len(), 2);
        let count = |request: &Request<'_>| match request {
            Request::SetWatches(set) => set.data.len(),
            other => panic!("{other:?} sets no watches"),
        };
        assert_eq!(requests.iter().map(count).sum::<usize>(), 2_001);
    }
}
