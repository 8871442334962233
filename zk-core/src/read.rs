//! Reads: answered from committed state, straight into the connection's buffer.
//!
//! A read allocates nothing for a plain getData. A watch is registered in the same step that answers, so
//! it is effective from exactly the state that the reply shows.
//!
//! Java: `FinalRequestProcessor`.

use std::borrow::Cow;

use zk_wire::{
    Acl, Encoder, ErrorCode, Id, MultiOp, Op, Perms, ReplyHeader, Request, SessionId, SetWatches,
    WatchEventType, WatcherEvent, Xid, Zxid, begin_frame, end_frame,
};

use crate::auth::{self, AuthOptions};
use crate::database::Database;
use crate::peer::ConnectionId;
use crate::tree::NodeId;
use crate::watches::Watches;

/// What a read may look at, and on whose behalf.
pub(crate) struct Reading<'a> {
    pub(crate) database: &'a Database,
    pub(crate) watches: &'a mut Watches,
    pub(crate) auth: &'a AuthOptions,
    pub(crate) cnx: ConnectionId,
    pub(crate) session: SessionId,
    pub(crate) ids: &'a [Id],
}

/// Appends a frame with a reply that has no body.
pub(crate) fn write_bare_reply(out: &mut Vec<u8>, header: ReplyHeader) {
    let start = begin_frame(out);
    header.encode(&mut Encoder::new(out));
    end_frame(out, start);
}

/// Appends a notification.
pub(crate) fn write_event(out: &mut Vec<u8>, event: WatcherEvent<'_>, zxid: Zxid) {
    let start = begin_frame(out);
    event.encode(zxid, &mut Encoder::new(out));
    end_frame(out, start);
}

impl Reading<'_> {
    /// Appends the reply to `request`; notifications that setWatches causes come before it.
    pub(crate) fn answer(&mut self, xid: Xid, request: &Request<'_>, out: &mut Vec<u8>) {
        let zxid = self.database.last_zxid();
        let xid = if *request == Request::Ping { Xid::PING } else { xid };
        if let Request::SetWatches(watches) = request {
            self.set_watches(watches, out);
        }
        let start = begin_frame(out);
        ReplyHeader::ok(xid, zxid).encode(&mut Encoder::new(out));
        if let Err(code) = self.body(request, &mut Encoder::new(out)) {
            out.truncate(start);
            ReplyHeader::error(xid, zxid, code).encode(&mut Encoder::new(out));
        }
        end_frame(out, start);
    }

    fn body(&mut self, request: &Request<'_>, e: &mut Encoder<'_>) -> Result<(), ErrorCode> {
        match request {
            Request::GetData { path, watch } => self.data(path, *watch, e),
            Request::Exists { path, watch } => self.exists(path, *watch, e),
            Request::GetChildren { path, watch, with_stat } => {
                let path = needed(path)?;
                let id = self.children(path, e)?;
                if *watch {
                    self.watches.watch_children(self.cnx, path);
                }
                if *with_stat {
                    self.database.tree().stat(id).encode(e);
                }
                Ok(())
            }
            Request::GetAcl { path } => self.acl(needed(path)?, e),
            Request::GetAllChildrenNumber { path } => {
                let id = self.readable(needed(path)?)?;
                e.count(self.database.tree().descendants(id));
                Ok(())
            }
            Request::GetEphemerals { prefix } => {
                self.ephemerals(prefix.as_deref().unwrap_or_default(), e);
                Ok(())
            }
            Request::MultiRead(ops) => {
                self.multi(ops, e);
                Ok(())
            }
            Request::Sync { path } => {
                e.text_or_null(path.as_deref());
                Ok(())
            }
            Request::AddWatch { path, mode } => {
                let recursive = *mode == zk_wire::AddWatchMode::PersistentRecursive;
                let path = path.as_deref().unwrap_or_default();
                self.watches.watch_persistently(self.cnx, path, recursive);
                e.int(0);
                Ok(())
            }
            Request::CheckWatches { path, watcher_type } => {
                let path = path.as_deref().ok_or(ErrorCode::NoWatcher)?;
                found(self.watches.has(self.cnx, path, *watcher_type))
            }
            Request::RemoveWatches { path, watcher_type } => {
                let path = path.as_deref().ok_or(ErrorCode::NoWatcher)?;
                found(self.watches.remove(self.cnx, path, *watcher_type))
            }
            Request::WhoAmI => {
                e.count(self.ids.len());
                for id in self.ids {
                    e.text_or_null(id.scheme.as_deref()).text(auth::user_name(id));
                }
                Ok(())
            }
            Request::Ping | Request::SetWatches(_) => Ok(()),
            Request::Create(_)
            | Request::Delete { .. }
            | Request::DeleteContainer
            | Request::SetData { .. }
            | Request::SetAcl { .. }
            | Request::Check(_)
            | Request::Multi(_)
            | Request::Reconfig { .. }
            | Request::Auth(_)
            | Request::Sasl { .. }
            | Request::CloseSession => unreachable!("only reads are answered from committed state"),
        }
    }

    fn data(
        &mut self,
        path: &Option<Cow<'_, str>>,
        watch: bool,
        e: &mut Encoder<'_>,
    ) -> Result<(), ErrorCode> {
        let path = needed(path)?;
        self.write_data(path, e)?;
        if watch {
            self.watches.watch_data(self.cnx, path);
        }
        Ok(())
    }

    fn write_data(&self, path: &str, e: &mut Encoder<'_>) -> Result<(), ErrorCode> {
        let tree = self.database.tree();
        let id = tree.lookup(path).ok_or(ErrorCode::NoNode)?;
        let node = tree.node(id);
        self.check_right(tree.acl_ref(node.acl), Perms::READ)?;
        e.buffer(node.data);
        tree.visible_stat(&node, tree.children(id).len()).encode(e);
        Ok(())
    }

    fn exists(
        &mut self,
        path: &Option<Cow<'_, str>>,
        watch: bool,
        e: &mut Encoder<'_>,
    ) -> Result<(), ErrorCode> {
        let path = needed(path)?;
        if path.contains('\0') {
            return Err(ErrorCode::BadArguments);
        }
        let found = self.readable(path);
        if watch && matches!(found, Ok(_) | Err(ErrorCode::NoNode)) {
            self.watches.watch_data(self.cnx, path);
        }
        self.database.tree().stat(found?).encode(e);
        Ok(())
    }

    fn children(&self, path: &str, e: &mut Encoder<'_>) -> Result<NodeId, ErrorCode> {
        let id = self.readable(path)?;
        let tree = self.database.tree();
        let children = tree.children(id);
        e.count(children.len());
        for child in children {
            e.text(tree.node(*child).name);
        }
        Ok(id)
    }

    fn acl(&self, path: &str, e: &mut Encoder<'_>) -> Result<(), ErrorCode> {
        let tree = self.database.tree();
        let id = tree.lookup(path).ok_or(ErrorCode::NoNode)?;
        let acl = tree.acl(tree.node(id).acl);
        self.check_right(Some(&acl), Perms::READ.or(Perms::ADMIN))?;
        if self.check_right(Some(&acl), Perms::ADMIN).is_ok() {
            Acl::encode_list(&acl, e);
        } else {
            Acl::encode_list(&AuthOptions::redacted(&acl), e);
        }
        tree.stat(id).encode(e);
        Ok(())
    }

    fn ephemerals(&self, prefix: &str, e: &mut Encoder<'_>) {
        let is_all = prefix.trim().is_empty() || prefix == "/";
        let mut paths = self.database.ephemeral_paths(self.session);
        paths.retain(|path| is_all || path.starts_with(prefix));
        e.count(paths.len());
        for path in paths {
            e.text(&path);
        }
    }

    fn multi(&self, ops: &[MultiOp<'_>], e: &mut Encoder<'_>) {
        for op in ops {
            let mut body = Vec::new();
            let mut of_body = Encoder::new(&mut body);
            let (op, result) = match op {
                MultiOp::GetData { path } => {
                    (Op::GetData, needed(path).and_then(|path| self.write_data(path, &mut of_body)))
                }
                MultiOp::GetChildren { path } => (
                    Op::GetChildren,
                    needed(path).and_then(|path| self.children(path, &mut of_body).map(|_| ())),
                ),
                _ => unreachable!("the decoder lets only reads into a multiRead"),
            };
            match result {
                Ok(()) => e.int(op.code()).boolean(false).int(0).raw(&body),
                Err(code) => write_multi_error(e, code.code()),
            };
        }
        write_multi_end(e);
    }

    fn set_watches(&mut self, watches: &SetWatches<'_>, out: &mut Vec<u8>) {
        let tree = self.database.tree();
        let mut tell = |event, path: &str| {
            write_event(out, WatcherEvent { event, path }, Zxid(-1));
        };
        for path in &watches.data {
            match tree.lookup(path).map(|id| tree.node(id).stat.mzxid) {
                None => tell(WatchEventType::NodeDeleted, path),
                Some(mzxid) if mzxid > watches.relative_zxid => {
                    tell(WatchEventType::NodeDataChanged, path);
                }
                Some(_) => self.watches.watch_data(self.cnx, path),
            }
        }
        for path in &watches.exist {
            match tree.lookup(path) {
                Some(_) => tell(WatchEventType::NodeCreated, path),
                None => self.watches.watch_data(self.cnx, path),
            }
        }
        for path in &watches.child {
            match tree.lookup(path).map(|id| tree.node(id).stat.pzxid) {
                None => tell(WatchEventType::NodeDeleted, path),
                Some(pzxid) if pzxid > watches.relative_zxid => {
                    tell(WatchEventType::NodeChildrenChanged, path);
                }
                Some(_) => self.watches.watch_children(self.cnx, path),
            }
        }
        for path in &watches.persistent {
            self.watches.watch_persistently(self.cnx, path, false);
        }
        for path in &watches.persistent_recursive {
            self.watches.watch_persistently(self.cnx, path, true);
        }
    }

    fn readable(&self, path: &str) -> Result<NodeId, ErrorCode> {
        let tree = self.database.tree();
        let id = tree.lookup(path).ok_or(ErrorCode::NoNode)?;
        self.check_right(tree.acl_ref(tree.node(id).acl), Perms::READ)?;
        Ok(id)
    }

    fn check_right(&self, acl: Option<&[Acl]>, wanted: Perms) -> Result<(), ErrorCode> {
        let is_allowed = match acl {
            Some(acl) => self.auth.allows(acl, wanted, self.ids),
            None => auth::is_super(self.ids),
        };
        if is_allowed { Ok(()) } else { Err(ErrorCode::NoAuth) }
    }
}

fn needed<'a>(path: &'a Option<Cow<'_, str>>) -> Result<&'a str, ErrorCode> {
    path.as_deref().ok_or(ErrorCode::MarshallingError)
}

fn found(is_there: bool) -> Result<(), ErrorCode> {
    if is_there { Ok(()) } else { Err(ErrorCode::NoWatcher) }
}

/// A failed part of a multi's reply: the code stands there twice.
pub(crate) fn write_multi_error<'a, 'b>(e: &'a mut Encoder<'b>, code: i32) -> &'a mut Encoder<'b> {
    e.int(-1).boolean(false).int(code).int(code)
}

/// The end of a multi's reply.
pub(crate) fn write_multi_end(e: &mut Encoder<'_>) {
    e.int(-1).boolean(true).int(-1);
}
