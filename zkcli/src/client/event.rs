//! What a session tells without being asked: changes of nodes that are watched, and of itself.
//!
//! Java: `WatchedEvent`.

use std::fmt;

use zk_wire::WatchEventType;

/// An event as a watcher sees it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) kind: EventKind,
    pub(crate) state: KeeperState,
    /// `None` for events of the session.
    pub(crate) path: Option<String>,
    /// The zxid of the change; -1 when there is none.
    pub(crate) zxid: i64,
}

/// Java: `Watcher.Event.EventType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EventKind {
    /// Of the session itself.
    None,
    /// Of a node.
    Node(WatchEventType),
    DataWatchRemoved,
    ChildWatchRemoved,
    PersistentWatchRemoved,
}

/// Java: `Watcher.Event.KeeperState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum KeeperState {
    SyncConnected,
    ConnectedReadOnly,
    Disconnected,
    AuthFailed,
    Expired,
    Closed,
}

impl Event {
    /// A change of the session.
    pub(crate) fn session(state: KeeperState) -> Self {
        Self { kind: EventKind::None, state, path: None, zxid: -1 }
    }

    /// A change of a node, or of what is watched of it.
    pub(crate) fn node(kind: EventKind, path: String, zxid: i64) -> Self {
        Self { kind, state: KeeperState::SyncConnected, path: Some(path), zxid }
    }
}

impl EventKind {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::None => "None",
            Self::Node(WatchEventType::NodeCreated) => "NodeCreated",
            Self::Node(WatchEventType::NodeDeleted) => "NodeDeleted",
            Self::Node(WatchEventType::NodeDataChanged) => "NodeDataChanged",
            Self::Node(WatchEventType::NodeChildrenChanged) => "NodeChildrenChanged",
            Self::DataWatchRemoved => "DataWatchRemoved",
            Self::ChildWatchRemoved => "ChildWatchRemoved",
            Self::PersistentWatchRemoved => "PersistentWatchRemoved",
        }
    }
}

impl KeeperState {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::SyncConnected => "SyncConnected",
            Self::ConnectedReadOnly => "ConnectedReadOnly",
            Self::Disconnected => "Disconnected",
            Self::AuthFailed => "AuthFailed",
            Self::Expired => "Expired",
            Self::Closed => "Closed",
        }
    }
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "WatchedEvent state:{} type:{} path:{} zxid: {}",
            self.state.name(),
            self.kind.name(),
            self.path.as_deref().unwrap_or("null"),
            self.zxid,
        )
    }
}
