//! What a write does to a state: its error, or the next state, what the client hears, and the events.
//!
//! Checks stand in the order in which the protocol's reference has them.

use std::rc::Rc;

use zk_wire::{Acl, ErrorCode, Id, Op, Perms, Stat, Txn, WatchEventType};

use super::{CONFIG, Event, Kind, Node, State, parent};
use crate::ask::Ask;
use crate::rights;

/// What became of a write.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Written {
    Done,
    Created { path: String, stat: Stat, is_plain: bool },
    Changed(Stat),
    Reconfigured(Vec<u8>, Stat),
    Failed(i32),
    Multi(Vec<Self>),
}

/// A write in the making.
pub(crate) struct Writer<'a> {
    pub(crate) state: State,
    pub(crate) events: Vec<Event>,
    pub(crate) session: i64,
    pub(crate) time_ms: i64,
    pub(crate) ids: &'a [Id],
    pub(crate) extended_types: bool,
}

/// Why a leader may refuse a reconfiguration.
const REFUSALS: [ErrorCode; 5] = [
    ErrorCode::BadArguments,
    ErrorCode::BadVersion,
    ErrorCode::MarshallingError,
    ErrorCode::ReconfigInProgress,
    ErrorCode::NewConfigNoQuorum,
];
const OP_MULTI_AFTER_FAILURE: i32 = -2;
const TTL_MAX_MS: i64 = 0xff_ffff_ffff;

impl Writer<'_> {
    /// Does it; a write that fails leaves everything as it was.
    pub(crate) fn write(&mut self, ask: &Ask) -> Written {
        match ask {
            Ask::Multi(parts) => self.multi(parts),
            Ask::CloseSession => {
                self.close_session();
                Written::Done
            }
            ask => self.one(ask, false).unwrap_or_else(|code| Written::Failed(code.code())),
        }
    }

    /// A reconfiguration: whether it may be is the leader's to say, what it leads to is not.
    pub(crate) fn reconfig(&mut self, txn: &Txn) -> Written {
        let (mzxid, mtime) = (self.state.zxid, self.time_ms);
        let node = self.node(CONFIG).expect("it is always there");
        let is_allowed = self.need(&node.acl, Perms::WRITE).is_ok();
        match txn {
            Txn::SetData { path, data: Some(data), version: -1, reconfig: true }
                if path == CONFIG
                    && is_allowed
                    && data.ends_with(format!("\nversion={mzxid:x}").as_bytes()) =>
            {
                let acl = node.acl.clone();
                let changed = Node {
                    data: Some(data.clone()),
                    version: -1,
                    mzxid,
                    mtime,
                    ..Node::clone(&node)
                };
                self.state.put(CONFIG, changed);
                self.tell(WatchEventType::NodeDataChanged, CONFIG, acl);
                let stat = self.state.stat(CONFIG).expect("it was just changed");
                Written::Reconfigured(data.clone(), stat)
            }
            Txn::Error { code } if REFUSALS.iter().any(|refusal| refusal.code() == *code) => {
                Written::Failed(*code)
            }
            _ => Written::Failed(ErrorCode::NoAuth.code()),
        }
    }

    fn multi(&mut self, parts: &[Ask]) -> Written {
        let is_malformed = |part: &Ask| match part {
            Ask::Create { op, flags, .. } => {
                !(0..=6).contains(flags) || (*flags > 4 && *op != Op::CreateTtl)
            }
            _ => false,
        };
        if parts.iter().any(is_malformed) {
            return Written::Failed(ErrorCode::MarshallingError.code());
        }
        let before = self.state.clone();
        let mut done = Vec::new();
        for (index, part) in parts.iter().enumerate() {
            match self.one(part, true) {
                Ok(written) => done.push(written),
                Err(code) => {
                    self.state = before;
                    self.events.clear();
                    return Written::Multi(
                        (0..parts.len())
                            .map(|i| match i.cmp(&index) {
                                std::cmp::Ordering::Less => Written::Failed(0),
                                std::cmp::Ordering::Equal => Written::Failed(code.code()),
                                std::cmp::Ordering::Greater => {
                                    Written::Failed(OP_MULTI_AFTER_FAILURE)
                                }
                            })
                            .collect(),
                    );
                }
            }
        }
        Written::Multi(done)
    }

    fn one(&mut self, ask: &Ask, in_multi: bool) -> Result<Written, ErrorCode> {
        match ask {
            Ask::Create { .. } => self.create(ask, in_multi),
            Ask::Delete { path, version } => self.checked_delete(path, *version),
            Ask::SetData { path, data, version } => self.set_data(path, data.clone(), *version),
            Ask::SetAcl { path, acl, version } => self.set_acl(path, acl, *version),
            Ask::Check { path, version } => {
                let node = self.valid(path)?;
                self.need(&node.acl, Perms::READ)?;
                match_version(*version, node.version)?;
                Ok(Written::Done)
            }
            _ => unreachable!("only writes are written"),
        }
    }

    fn create(&mut self, ask: &Ask, in_multi: bool) -> Result<Written, ErrorCode> {
        let Ask::Create { op, path: wish, data, acl, flags, ttl_ms } = ask else {
            unreachable!("it is a create")
        };
        let has_ttl = matches!(flags, 5 | 6);
        let is_known = (0..=6).contains(flags);
        let ttl_fits = (1..=TTL_MAX_MS).contains(ttl_ms);
        match (is_known, has_ttl) {
            (false, _) => return Err(ErrorCode::BadArguments),
            (_, true) if !self.extended_types => return Err(ErrorCode::Unimplemented),
            (_, true) if !ttl_fits => return Err(ErrorCode::BadArguments),
            (_, false) if *op == Op::CreateTtl && !in_multi => return Err(ErrorCode::BadArguments),
            _ => {}
        }
        let kind = match op {
            Op::CreateContainer => Kind::Container,
            _ if in_multi && *flags == 4 => Kind::Container,
            Op::CreateTtl if has_ttl => Kind::Ttl(*ttl_ms),
            _ if matches!(flags, 1 | 3) => Kind::Ephemeral(self.session),
            _ => Kind::Persistent,
        };
        let acl = rights::stored(acl, self.ids)?;
        let above = parent(wish).to_owned();
        let parent = self.node(&above)?;
        self.need(&parent.acl, Perms::CREATE)?;
        let path = match flags {
            2 | 3 | 6 => format!("{wish}{:010}", parent.creates),
            _ => wish.clone(),
        };
        if !is_valid(&path) {
            return Err(ErrorCode::BadArguments);
        }
        if self.state.nodes.contains_key(path.as_str()) {
            return Err(ErrorCode::NodeExists);
        }
        if matches!(parent.kind, Kind::Ephemeral(_)) {
            return Err(ErrorCode::NoChildrenForEphemerals);
        }
        let (zxid, time_ms) = (self.state.zxid, self.time_ms);
        let node = Node {
            data: data.clone(),
            acl: acl.clone(),
            kind,
            czxid: zxid,
            mzxid: zxid,
            pzxid: zxid,
            ctime: time_ms,
            mtime: time_ms,
            version: 0,
            aversion: 0,
            creates: 0,
            cversion: 0,
            digest: 0,
        };
        self.state.put(&path, node);
        self.touch_parent(&above, 1);
        self.tell(WatchEventType::NodeCreated, &path, acl);
        self.tell(WatchEventType::NodeChildrenChanged, &above, parent.acl.clone());
        let stat = self.state.stat(&path).expect("it was just made");
        // Inside a multi the op decides too, but containers and TTL nodes always answer with a stat.
        let is_plain =
            kind != Kind::Container && (*op == Op::Create || *op == Op::CreateTtl && !has_ttl);
        Ok(Written::Created { path, stat, is_plain })
    }

    fn checked_delete(&mut self, path: &str, version: i32) -> Result<Written, ErrorCode> {
        if matches!(path, "/" | "/zookeeper" | "/zookeeper/quota" | "/zookeeper/config") {
            return Err(ErrorCode::BadArguments);
        }
        let parent = self.node(parent(path))?;
        self.need(&parent.acl, Perms::DELETE)?;
        let node = self.node(path)?;
        match_version(version, node.version)?;
        self.delete_leaf(path)
    }

    /// Deletes a node without children, whoever asks.
    pub(crate) fn delete_leaf(&mut self, path: &str) -> Result<Written, ErrorCode> {
        let node = self.node(path)?;
        if !self.state.children(path).is_empty() {
            return Err(ErrorCode::NotEmpty);
        }
        let above = parent(path).to_owned();
        self.state.take(path);
        self.touch_parent(&above, 0);
        self.tell(WatchEventType::NodeDeleted, path, node.acl.clone());
        let acl = self.node(&above)?.acl.clone();
        self.tell(WatchEventType::NodeChildrenChanged, &above, acl);
        Ok(Written::Done)
    }

    /// The reaper's delete.
    pub(crate) fn delete_container(&mut self, path: &str) -> Result<Written, ErrorCode> {
        let node = self.node(path)?;
        if !self.state.children(path).is_empty() {
            return Err(ErrorCode::NotEmpty);
        }
        match node.kind {
            Kind::Container | Kind::Ttl(_) => self.delete_leaf(path),
            Kind::Persistent | Kind::Ephemeral(_) => Err(ErrorCode::BadVersion),
        }
    }

    fn set_data(
        &mut self,
        path: &str,
        data: Option<Vec<u8>>,
        version: i32,
    ) -> Result<Written, ErrorCode> {
        let node = self.valid(path)?;
        self.need(&node.acl, Perms::WRITE)?;
        match_version(version, node.version)?;
        let (mzxid, mtime) = (self.state.zxid, self.time_ms);
        let version = node.version.wrapping_add(1);
        let acl = node.acl.clone();
        let changed = Node { data, version, mzxid, mtime, ..Node::clone(&node) };
        self.state.put(path, changed);
        self.tell(WatchEventType::NodeDataChanged, path, acl);
        Ok(Written::Changed(self.state.stat(path).expect("it was just changed")))
    }

    fn set_acl(&mut self, path: &str, acl: &[Acl], version: i32) -> Result<Written, ErrorCode> {
        if !is_valid(path) {
            return Err(ErrorCode::BadArguments);
        }
        let acl = rights::stored(acl, self.ids)?;
        let node = self.node(path)?;
        self.need(&node.acl, Perms::ADMIN)?;
        match_version(version, node.aversion)?;
        let aversion = node.aversion.wrapping_add(1);
        let changed = Node { acl, aversion, ..Node::clone(&node) };
        self.state.put(path, changed);
        Ok(Written::Changed(self.state.stat(path).expect("it was just changed")))
    }

    /// Ends the session, and its ephemerals with it.
    pub(crate) fn close_session(&mut self) {
        self.state.sessions.remove(&self.session);
        for path in self.state.ephemerals(self.session) {
            self.delete_leaf(&path).expect("an ephemeral has no children");
        }
    }

    fn touch_parent(&mut self, path: &str, creates: i32) {
        let node = self.state.nodes.get(path).expect("a node's parent is there");
        let touched = Node {
            creates: node.creates + creates,
            cversion: node.cversion + 1,
            pzxid: self.state.zxid,
            ..Node::clone(node)
        };
        self.state.put(path, touched);
    }

    fn tell(&mut self, kind: WatchEventType, path: &str, acl: Vec<Acl>) {
        self.events.push(Event { kind, path: path.to_owned(), acl });
    }

    fn node(&self, path: &str) -> Result<Rc<Node>, ErrorCode> {
        self.state.nodes.get(path).cloned().ok_or(ErrorCode::NoNode)
    }

    fn valid(&self, path: &str) -> Result<Rc<Node>, ErrorCode> {
        if is_valid(path) { self.node(path) } else { Err(ErrorCode::BadArguments) }
    }

    fn need(&self, acl: &[Acl], wanted: Perms) -> Result<(), ErrorCode> {
        if rights::allows(acl, wanted, self.ids) { Ok(()) } else { Err(ErrorCode::NoAuth) }
    }
}

fn match_version(expected: i32, current: i32) -> Result<(), ErrorCode> {
    if expected == -1 || expected == current { Ok(()) } else { Err(ErrorCode::BadVersion) }
}

/// Simulated clients use plain names only, so slashes and dots are all that can be wrong.
fn is_valid(path: &str) -> bool {
    let names = path.strip_prefix('/').unwrap_or("/");
    path == "/" || names.split('/').all(|name| !matches!(name, "" | "." | ".."))
}
