//! The records of requests as a client writes them.
//!
//! Invariants
//! - What is written decodes to the same request; encoding cannot fail.

use std::borrow::Cow;

use super::{
    AddWatchMode, AuthPacket, CheckRequest, CreateRequest, MultiOp, Request, SetWatches,
    WatcherType,
};
use crate::{Acl, Encoder, Op};

impl Request<'_> {
    /// The op under whose code the record goes: the one that [`Request::decode`] takes.
    pub fn op(&self) -> Op {
        match self {
            Self::Create(create) => create.op,
            Self::Delete { .. } => Op::Delete,
            Self::DeleteContainer => Op::DeleteContainer,
            Self::Exists { .. } => Op::Exists,
            Self::GetData { .. } => Op::GetData,
            Self::SetData { .. } => Op::SetData,
            Self::GetAcl { .. } => Op::GetAcl,
            Self::SetAcl { .. } => Op::SetAcl,
            Self::GetChildren { with_stat: false, .. } => Op::GetChildren,
            Self::GetChildren { with_stat: true, .. } => Op::GetChildren2,
            Self::Sync { .. } => Op::Sync,
            Self::Ping => Op::Ping,
            Self::Check(_) => Op::Check,
            Self::Multi(_) => Op::Multi,
            Self::MultiRead(_) => Op::MultiRead,
            Self::Reconfig { .. } => Op::Reconfig,
            Self::CheckWatches { .. } => Op::CheckWatches,
            Self::RemoveWatches { .. } => Op::RemoveWatches,
            Self::Auth(_) => Op::Auth,
            Self::SetWatches(_) => Op::SetWatches2,
            Self::Sasl { .. } => Op::Sasl,
            Self::GetEphemerals { .. } => Op::GetEphemerals,
            Self::GetAllChildrenNumber { .. } => Op::GetAllChildrenNumber,
            Self::AddWatch { .. } => Op::AddWatch,
            Self::WhoAmI => Op::WhoAmI,
            Self::CloseSession => Op::CloseSession,
        }
    }

    /// Writes the record that follows the header of [`Request::op`].
    pub fn encode(&self, e: &mut Encoder<'_>) {
        match self {
            Self::Create(create) => create.encode(e),
            Self::Delete { path, version } => {
                text(path, e).int(*version);
            }
            Self::Exists { path, watch } | Self::GetData { path, watch } => {
                text(path, e).boolean(*watch);
            }
            Self::SetData { path, data, version } => {
                text(path, e).buffer(*data).int(*version);
            }
            Self::SetAcl { path, acl, version } => {
                text(path, e);
                acl_list(acl.as_deref(), e);
                e.int(*version);
            }
            Self::GetChildren { path, watch, with_stat: _ } => {
                text(path, e).boolean(*watch);
            }
            Self::GetAcl { path }
            | Self::Sync { path }
            | Self::GetEphemerals { prefix: path }
            | Self::GetAllChildrenNumber { path } => {
                text(path, e);
            }
            Self::Check(check) => check.encode(e),
            Self::Multi(ops) | Self::MultiRead(ops) => MultiOp::encode_all(ops, e),
            Self::Reconfig { joining, leaving, new_members, config_id } => {
                text(joining, e);
                text(leaving, e);
                text(new_members, e).long(*config_id);
            }
            Self::CheckWatches { path, watcher_type }
            | Self::RemoveWatches { path, watcher_type } => {
                text(path, e).int(watcher_type.code());
            }
            Self::Auth(packet) => packet.encode(e),
            Self::SetWatches(watches) => watches.encode(e),
            Self::Sasl { token } => {
                e.buffer(*token);
            }
            Self::AddWatch { path, mode } => {
                text(path, e).int(mode.code());
            }
            Self::DeleteContainer | Self::Ping | Self::WhoAmI | Self::CloseSession => {}
        }
    }
}

impl CreateRequest<'_> {
    fn encode(&self, e: &mut Encoder<'_>) {
        text(&self.path, e).buffer(self.data);
        acl_list(self.acl.as_deref(), e);
        e.int(self.flags);
        if self.op == Op::CreateTtl {
            e.long(self.ttl_ms);
        }
    }
}

impl CheckRequest<'_> {
    fn encode(&self, e: &mut Encoder<'_>) {
        text(&self.path, e).int(self.version);
    }
}

impl AuthPacket<'_> {
    fn encode(&self, e: &mut Encoder<'_>) {
        e.int(0);
        text(&self.scheme, e).buffer(self.auth);
    }
}

impl SetWatches<'_> {
    /// With persistent watches: the form of setWatches2.
    fn encode(&self, e: &mut Encoder<'_>) {
        e.long(self.relative_zxid);
        let lists =
            [&self.data, &self.exist, &self.child, &self.persistent, &self.persistent_recursive];
        for paths in lists {
            e.count(paths.len());
            for path in paths {
                e.text(path);
            }
        }
    }
}

impl AddWatchMode {
    fn code(self) -> i32 {
        match self {
            Self::Persistent => 0,
            Self::PersistentRecursive => 1,
        }
    }
}

impl WatcherType {
    fn code(self) -> i32 {
        match self {
            Self::Children => 1,
            Self::Data => 2,
            Self::Any => 3,
            Self::Persistent => 4,
            Self::PersistentRecursive => 5,
        }
    }
}

impl MultiOp<'_> {
    fn op(&self) -> Op {
        match self {
            Self::Create(create) => create.op,
            Self::Delete { .. } => Op::Delete,
            Self::SetData { .. } => Op::SetData,
            Self::Check(_) => Op::Check,
            Self::GetData { .. } => Op::GetData,
            Self::GetChildren { .. } => Op::GetChildren,
        }
    }

    fn encode(&self, e: &mut Encoder<'_>) {
        match self {
            Self::Create(create) => create.encode(e),
            Self::Delete { path, version } => {
                text(path, e).int(*version);
            }
            Self::SetData { path, data, version } => {
                text(path, e).buffer(*data).int(*version);
            }
            Self::Check(check) => check.encode(e),
            Self::GetData { path } | Self::GetChildren { path } => {
                text(path, e).boolean(false);
            }
        }
    }

    fn encode_all(ops: &[Self], e: &mut Encoder<'_>) {
        for op in ops {
            e.int(op.op().code()).boolean(false).int(-1);
            op.encode(e);
        }
        e.int(-1).boolean(true).int(-1);
    }
}

fn text<'e, 'o>(value: &Option<Cow<'_, str>>, e: &'e mut Encoder<'o>) -> &'e mut Encoder<'o> {
    e.text_or_null(value.as_deref())
}

fn acl_list(acl: Option<&[Acl]>, e: &mut Encoder<'_>) {
    match acl {
        None => {
            e.int(-1);
        }
        Some(acl) => Acl::encode_list(acl, e),
    }
}

/// Writes a request that was read and reads it again; setWatches without persistent watches comes
/// back in the form that has them.
pub(super) fn check_round_trip(op: Op, request: &Request<'_>) {
    let mut bytes = Vec::new();
    request.encode(&mut Encoder::new(&mut bytes));
    assert!(request.op() == op || op == Op::SetWatches, "{op:?} is written as {:?}", request.op());
    let again = Request::decode(request.op(), &mut crate::Decoder::new(&bytes));
    assert_eq!(again.as_ref(), Ok(request));
}

#[cfg(test)]
mod tests {
    use super::*;

    fn path() -> Option<Cow<'static, str>> {
        Some(Cow::Borrowed("/a"))
    }

    #[test]
    fn what_is_written_is_read_again() {
        let create = |op| CreateRequest {
            op,
            path: path(),
            data: None,
            acl: Some(vec![Acl::open()]),
            flags: 0,
            ttl_ms: if op == Op::CreateTtl { 7 } else { -1 },
        };
        let set = SetWatches {
            relative_zxid: 3,
            data: vec!["/d".into()],
            exist: vec!["/e".into()],
            child: vec!["/c".into()],
            persistent: vec!["/p".into()],
            persistent_recursive: vec!["/r".into()],
        };
        let any = WatcherType::Any;
        let writes = vec![
            MultiOp::Create(create(Op::CreateTtl)),
            MultiOp::Delete { path: path(), version: -1 },
            MultiOp::SetData { path: path(), data: Some(b"x"), version: 2 },
            MultiOp::Check(CheckRequest { path: path(), version: 0 }),
        ];
        let requests = [
            Request::Create(create(Op::Create)),
            Request::Create(create(Op::CreateContainer)),
            Request::SetAcl { path: path(), acl: None, version: 1 },
            Request::SetWatches(set),
            Request::RemoveWatches { path: path(), watcher_type: any },
            Request::CheckWatches { path: path(), watcher_type: WatcherType::Children },
            Request::AddWatch { path: path(), mode: AddWatchMode::PersistentRecursive },
            Request::Auth(AuthPacket { scheme: Some("digest".into()), auth: Some(b"a:b") }),
            Request::Reconfig {
                joining: None,
                leaving: Some("3".into()),
                new_members: None,
                config_id: -1,
            },
            Request::Multi(writes),
            Request::MultiRead(vec![
                MultiOp::GetData { path: path() },
                MultiOp::GetChildren { path: path() },
            ]),
            Request::GetChildren { path: path(), watch: true, with_stat: true },
            Request::Sasl { token: Some(b"t") },
            Request::WhoAmI,
        ];
        for request in requests {
            check_round_trip(request.op(), &request);
        }
    }
}
