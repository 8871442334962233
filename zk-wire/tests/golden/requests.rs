//! Requests written again from what was read of them.

use zk_wire::{
    Acl, AddWatchMode, CheckRequest, CreateRequest, DecodeError, Decoder, Encoder, MultiOp, Op,
    Request, RequestHeader, SetWatches, WatcherType,
};

/// Reads a header and its record, and writes both.
pub(crate) fn rewrite(bytes: &[u8], e: &mut Encoder<'_>) -> Result<(), DecodeError> {
    let d = &mut Decoder::new(bytes);
    let header = RequestHeader::decode(d)?;
    let op = Op::from_code(header.op).expect("golden requests are of known ops");
    let request = Request::decode(op, d)?;
    assert_eq!(d.rest(), [0; 0], "the record ends where the frame does");
    header.encode(e);
    encode(op, &request, e);
    Ok(())
}

fn encode(op: Op, request: &Request<'_>, e: &mut Encoder<'_>) {
    match request {
        Request::Create(create) => encode_create(create, e),
        Request::Delete { path, version } => {
            e.text_or_null(path.as_deref()).int(*version);
        }
        Request::Exists { path, watch }
        | Request::GetData { path, watch }
        | Request::GetChildren { path, watch, .. } => {
            e.text_or_null(path.as_deref()).boolean(*watch);
        }
        Request::SetData { path, data, version } => {
            e.text_or_null(path.as_deref()).buffer(*data).int(*version);
        }
        Request::GetAcl { path }
        | Request::Sync { path }
        | Request::GetAllChildrenNumber { path }
        | Request::GetEphemerals { prefix: path } => {
            e.text_or_null(path.as_deref());
        }
        Request::SetAcl { path, acl, version } => {
            e.text_or_null(path.as_deref());
            encode_acl(acl.as_deref(), e);
            e.int(*version);
        }
        Request::Check(check) => encode_check(check, e),
        Request::Multi(ops) | Request::MultiRead(ops) => encode_multi(ops, e),
        Request::CheckWatches { path, watcher_type }
        | Request::RemoveWatches { path, watcher_type } => {
            e.text_or_null(path.as_deref()).int(match watcher_type {
                WatcherType::Children => 1,
                WatcherType::Data => 2,
                WatcherType::Any => 3,
                WatcherType::Persistent => 4,
                WatcherType::PersistentRecursive => 5,
            });
        }
        Request::Auth(auth) => {
            e.int(0).text_or_null(auth.scheme.as_deref()).buffer(auth.auth);
        }
        Request::SetWatches(watches) => encode_set_watches(op, watches, e),
        Request::Sasl { token } => {
            e.buffer(*token);
        }
        Request::AddWatch { path, mode } => {
            e.text_or_null(path.as_deref()).int(match mode {
                AddWatchMode::Persistent => 0,
                AddWatchMode::PersistentRecursive => 1,
            });
        }
        Request::Reconfig { joining, leaving, new_members, config_id } => {
            for text in [joining, leaving, new_members] {
                e.text_or_null(text.as_deref());
            }
            e.long(*config_id);
        }
        Request::DeleteContainer | Request::Ping | Request::WhoAmI | Request::CloseSession => {}
    }
}

fn encode_create(create: &CreateRequest<'_>, e: &mut Encoder<'_>) {
    e.text_or_null(create.path.as_deref()).buffer(create.data);
    encode_acl(create.acl.as_deref(), e);
    e.int(create.flags);
    if create.op == Op::CreateTtl {
        e.long(create.ttl_ms);
    }
}

fn encode_acl(acl: Option<&[Acl]>, e: &mut Encoder<'_>) {
    match acl {
        None => {
            e.int(-1);
        }
        Some(entries) => Acl::encode_list(entries, e),
    }
}

fn encode_check(check: &CheckRequest<'_>, e: &mut Encoder<'_>) {
    e.text_or_null(check.path.as_deref()).int(check.version);
}

fn encode_multi(ops: &[MultiOp<'_>], e: &mut Encoder<'_>) {
    for op in ops {
        let code = match op {
            MultiOp::Create(create) => create.op,
            MultiOp::Delete { .. } => Op::Delete,
            MultiOp::SetData { .. } => Op::SetData,
            MultiOp::Check(_) => Op::Check,
            MultiOp::GetData { .. } => Op::GetData,
            MultiOp::GetChildren { .. } => Op::GetChildren,
        };
        e.int(code.code()).boolean(false).int(-1);
        match op {
            MultiOp::Create(create) => encode_create(create, e),
            MultiOp::Delete { path, version } => {
                e.text_or_null(path.as_deref()).int(*version);
            }
            MultiOp::SetData { path, data, version } => {
                e.text_or_null(path.as_deref()).buffer(*data).int(*version);
            }
            MultiOp::Check(check) => encode_check(check, e),
            MultiOp::GetData { path } | MultiOp::GetChildren { path } => {
                e.text_or_null(path.as_deref()).boolean(false);
            }
        }
    }
    e.int(-1).boolean(true).int(-1);
}

fn encode_set_watches(op: Op, watches: &SetWatches<'_>, e: &mut Encoder<'_>) {
    e.long(watches.relative_zxid);
    let lists = [
        &watches.data,
        &watches.exist,
        &watches.child,
        &watches.persistent,
        &watches.persistent_recursive,
    ];
    for list in lists.iter().take(if op == Op::SetWatches { 3 } else { 5 }) {
        e.count(list.len());
        for path in *list {
            e.text(path);
        }
    }
}
