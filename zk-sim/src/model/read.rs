//! What a state answers to a read, and the bytes of every reply.

use std::fmt;

use zk_wire::{Acl, Decoder, Encoder, ErrorCode, Id, Op, Perms, Stat, WatchEventType};

use super::{State, Written};
use crate::ask::{Ask, Rewatch};
use crate::rights;

/// A reply's error and body; children stand in the order of their names.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Answer {
    pub(crate) err: i32,
    pub(crate) body: Vec<u8>,
}

impl fmt::Debug for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} with {} bytes ", self.err, self.body.len())?;
        self.body.iter().rev().take(SHOWN_MAX).rev().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

/// How many bytes of a body a message shows, its last ones.
const SHOWN_MAX: usize = 160;

impl Answer {
    fn error(code: ErrorCode) -> Self {
        Self { err: code.code(), body: Vec::new() }
    }

    /// The reply to a write.
    pub(crate) fn of(written: &Written, op: Op) -> Self {
        let mut body = Vec::new();
        let mut e = Encoder::new(&mut body);
        match written {
            Written::Failed(err) => return Self { err: *err, body },
            Written::Done => {}
            Written::Changed(stat) => stat.encode(&mut e),
            Written::Reconfigured(text, stat) => {
                e.buffer(Some(text));
                stat.encode(&mut e);
            }
            Written::Created { path, stat, .. } => {
                e.text(path);
                if op != Op::Create {
                    stat.encode(&mut e);
                }
            }
            Written::Multi(_) => unreachable!("a multi's parts have ops of their own"),
        }
        Self { err: 0, body }
    }

    /// The reply to a multi.
    pub(crate) fn of_multi(written: &[Written], parts: &[Ask]) -> Self {
        let mut body = Vec::new();
        let mut e = Encoder::new(&mut body);
        for (written, part) in written.iter().zip(parts) {
            let op = match (written, part) {
                (Written::Failed(code), _) => {
                    e.int(-1).boolean(false).int(*code).int(*code);
                    continue;
                }
                (Written::Created { is_plain: true, .. }, _) => Op::Create,
                (Written::Created { .. }, _) => Op::Create2,
                (_, part) => part.op(),
            };
            e.int(op.code()).boolean(false).int(0);
            let answer = Self::of(written, op);
            e.raw(&answer.body);
        }
        e.int(-1).boolean(true).int(-1);
        Self { err: 0, body }
    }
}

impl State {
    /// The reply to a read that does not ask about watches.
    pub(crate) fn read(&self, ask: &Ask, ids: &[Id], session: i64) -> Answer {
        let mut body = Vec::new();
        match self.read_into(ask, ids, session, &mut Encoder::new(&mut body)) {
            Ok(()) => Answer { err: 0, body },
            Err(code) => Answer::error(code),
        }
    }

    fn read_into(
        &self,
        ask: &Ask,
        ids: &[Id],
        session: i64,
        e: &mut Encoder<'_>,
    ) -> Result<(), ErrorCode> {
        match ask {
            Ask::Exists { path, .. } => self.readable(path, Perms::READ, ids)?.encode(e),
            Ask::GetData { path, .. } => self.data(path, ids, e)?,
            Ask::GetChildren { path, with_stat, .. } => {
                let stat = self.children_into(path, ids, e)?;
                if *with_stat {
                    stat.encode(e);
                }
            }
            Ask::GetAcl { path } => {
                let stat = self.readable(path, Perms(Perms::READ.0 | Perms::ADMIN.0), ids)?;
                let acl = &self.nodes[path.as_str()].acl;
                if rights::allows(acl, Perms::ADMIN, ids) {
                    Acl::encode_list(acl, e);
                } else {
                    Acl::encode_list(&rights::redacted(acl), e);
                }
                stat.encode(e);
            }
            Ask::GetAllChildrenNumber { path } => {
                self.readable(path, Perms::READ, ids)?;
                e.count(self.descendants(path));
            }
            Ask::GetEphemerals { prefix } => {
                let mut mine = self.ephemerals(session);
                mine.retain(|path| prefix == "/" || path.starts_with(prefix));
                e.count(mine.len());
                for path in mine {
                    e.text(&path);
                }
            }
            Ask::MultiRead(parts) => self.multi_read(parts, ids, e),
            Ask::Sync { path } => {
                e.text(path);
            }
            Ask::WhoAmI => {
                e.count(ids.len());
                for id in ids {
                    let scheme = id.scheme.as_deref();
                    let name = id.id.as_deref().unwrap_or_default();
                    let user = name.split(':').next().unwrap_or_default();
                    e.text_or_null(scheme).text(user);
                }
            }
            _ => {}
        }
        Ok(())
    }

    fn multi_read(&self, parts: &[(bool, String)], ids: &[Id], e: &mut Encoder<'_>) {
        for (is_children, path) in parts {
            let mut body = Vec::new();
            let mut part = Encoder::new(&mut body);
            let result = if *is_children {
                self.children_into(path, ids, &mut part).map(|_| Op::GetChildren)
            } else {
                self.data(path, ids, &mut part).map(|()| Op::GetData)
            };
            match result {
                Ok(op) => e.int(op.code()).boolean(false).int(0).raw(&body),
                Err(code) => e.int(-1).boolean(false).int(code.code()).int(code.code()),
            };
        }
        e.int(-1).boolean(true).int(-1);
    }

    fn data(&self, path: &str, ids: &[Id], e: &mut Encoder<'_>) -> Result<(), ErrorCode> {
        let stat = self.readable(path, Perms::READ, ids)?;
        e.buffer(self.nodes[path].data.as_deref());
        stat.encode(e);
        Ok(())
    }

    fn children_into(
        &self,
        path: &str,
        ids: &[Id],
        e: &mut Encoder<'_>,
    ) -> Result<Stat, ErrorCode> {
        let stat = self.readable(path, Perms::READ, ids)?;
        let children = self.children(path);
        e.count(children.len());
        for name in children {
            e.text(name);
        }
        Ok(stat)
    }

    fn readable(&self, path: &str, wanted: Perms, ids: &[Id]) -> Result<Stat, ErrorCode> {
        let node = self.nodes.get(path).ok_or(ErrorCode::NoNode)?;
        if !rights::allows(&node.acl, wanted, ids) {
            return Err(ErrorCode::NoAuth);
        }
        Ok(self.stat(path).expect("it is there"))
    }

    /// What setWatches tells at once, in order.
    pub(crate) fn missed(&self, watches: &Rewatch) -> Vec<(WatchEventType, String)> {
        let mut missed = Vec::new();
        for path in &watches.data {
            match self.nodes.get(path.as_str()) {
                None => missed.push((WatchEventType::NodeDeleted, path.clone())),
                Some(node) if node.mzxid > watches.relative_zxid => {
                    missed.push((WatchEventType::NodeDataChanged, path.clone()));
                }
                Some(_) => {}
            }
        }
        let there = watches.exist.iter().filter(|path| self.nodes.contains_key(path.as_str()));
        missed.extend(there.map(|path| (WatchEventType::NodeCreated, path.clone())));
        for path in &watches.child {
            match self.nodes.get(path.as_str()) {
                None => missed.push((WatchEventType::NodeDeleted, path.clone())),
                Some(node) if node.pzxid > watches.relative_zxid => {
                    missed.push((WatchEventType::NodeChildrenChanged, path.clone()));
                }
                Some(_) => {}
            }
        }
        missed
    }
}

/// A reply's body with its children in the order of their names: the protocol promises none.
pub(crate) fn sorted_children(ask: &Ask, body: &[u8]) -> Vec<u8> {
    let mut sorted = Vec::new();
    let mut d = Decoder::new(body);
    let mut e = Encoder::new(&mut sorted);
    let is_read = match ask {
        Ask::GetChildren { .. } => sort(&mut d, &mut e),
        Ask::MultiRead(parts) => parts
            .iter()
            .all(|(is_children, _)| {
                let (Ok(op), Ok(done), Ok(err)) = (d.int(), d.boolean(), d.int()) else {
                    return false;
                };
                e.int(op).boolean(done).int(err);
                match (op, *is_children) {
                    (-1, _) => d.int().map(|code| e.int(code)).is_ok(),
                    (_, true) => sort(&mut d, &mut e).is_some(),
                    (_, false) => copy_data(&mut d, &mut e).is_some(),
                }
            })
            .then_some(()),
        _ => Some(()),
    };
    if is_read.is_none() {
        return body.to_vec();
    }
    e.raw(d.rest());
    sorted
}

fn sort(d: &mut Decoder<'_>, e: &mut Encoder<'_>) -> Option<()> {
    let mut names = d.texts("children").ok()?;
    names.sort();
    e.count(names.len());
    for name in names {
        e.text(&name);
    }
    Some(())
}

fn copy_data(d: &mut Decoder<'_>, e: &mut Encoder<'_>) -> Option<()> {
    e.buffer(d.buffer().ok()?);
    Stat::decode(d).ok()?.encode(e);
    Some(())
}
