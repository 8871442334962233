//! What simulated clients ask for, and its bytes.

use zk_wire::{Acl, Encoder, Op, RequestHeader, Xid, begin_frame, end_frame};

use crate::tally::Operation;

/// A request that a simulated client sends.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ask {
    Create {
        op: Op,
        path: String,
        data: Option<Vec<u8>>,
        acl: Vec<Acl>,
        flags: i32,
        ttl_ms: i64,
    },
    Delete {
        path: String,
        version: i32,
    },
    SetData {
        path: String,
        data: Option<Vec<u8>>,
        version: i32,
    },
    SetAcl {
        path: String,
        acl: Vec<Acl>,
        version: i32,
    },
    /// Only inside a multi.
    Check {
        path: String,
        version: i32,
    },
    Multi(Vec<Self>),
    Reconfig {
        joining: Option<String>,
        leaving: Option<String>,
        config_id: i64,
    },
    Exists {
        path: String,
        watch: bool,
    },
    GetData {
        path: String,
        watch: bool,
    },
    GetChildren {
        path: String,
        watch: bool,
        with_stat: bool,
    },
    GetAcl {
        path: String,
    },
    GetAllChildrenNumber {
        path: String,
    },
    GetEphemerals {
        prefix: String,
    },
    /// Parts are paths: true for children, false for data.
    MultiRead(Vec<(bool, String)>),
    Sync {
        path: String,
    },
    Ping,
    AddWatch {
        path: String,
        recursive: bool,
    },
    CheckWatches {
        path: String,
        kind: i32,
    },
    RemoveWatches {
        path: String,
        kind: i32,
    },
    SetWatches(Rewatch),
    WhoAmI,
    Auth {
        scheme: &'static str,
        credentials: &'static str,
    },
    CloseSession,
}

/// The watches that a client sets again on a new connection.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Rewatch {
    pub(crate) relative_zxid: i64,
    pub(crate) data: Vec<String>,
    pub(crate) exist: Vec<String>,
    pub(crate) child: Vec<String>,
    pub(crate) persistent: Vec<String>,
    pub(crate) recursive: Vec<String>,
}

impl Ask {
    pub(crate) fn op(&self) -> Op {
        match self {
            Self::Create { op, .. } => *op,
            Self::Delete { .. } => Op::Delete,
            Self::SetData { .. } => Op::SetData,
            Self::SetAcl { .. } => Op::SetAcl,
            Self::Check { .. } => Op::Check,
            Self::Multi(_) => Op::Multi,
            Self::Reconfig { .. } => Op::Reconfig,
            Self::Exists { .. } => Op::Exists,
            Self::GetData { .. } => Op::GetData,
            Self::GetChildren { with_stat: false, .. } => Op::GetChildren,
            Self::GetChildren { with_stat: true, .. } => Op::GetChildren2,
            Self::GetAcl { .. } => Op::GetAcl,
            Self::GetAllChildrenNumber { .. } => Op::GetAllChildrenNumber,
            Self::GetEphemerals { .. } => Op::GetEphemerals,
            Self::MultiRead(_) => Op::MultiRead,
            Self::Sync { .. } => Op::Sync,
            Self::Ping => Op::Ping,
            Self::AddWatch { .. } => Op::AddWatch,
            Self::CheckWatches { .. } => Op::CheckWatches,
            Self::RemoveWatches { .. } => Op::RemoveWatches,
            Self::SetWatches(_) => Op::SetWatches2,
            Self::WhoAmI => Op::WhoAmI,
            Self::Auth { .. } => Op::Auth,
            Self::CloseSession => Op::CloseSession,
        }
    }

    /// Whether it takes a zxid.
    pub(crate) fn is_write(&self) -> bool {
        matches!(
            self,
            Self::Create { .. }
                | Self::Delete { .. }
                | Self::SetData { .. }
                | Self::SetAcl { .. }
                | Self::Multi(_)
                | Self::Reconfig { .. }
                | Self::CloseSession
        )
    }

    /// What it is to the tally.
    pub(crate) fn operation(&self) -> Operation {
        match self {
            Self::Multi(_) => Operation::Multi,
            Self::Reconfig { .. } => Operation::Reconfig,
            Self::Sync { .. } => Operation::Sync,
            ask if ask.is_write() => Operation::Write,
            _ => Operation::Read,
        }
    }

    /// The whole frame.
    pub(crate) fn frame(&self, xid: i32) -> Vec<u8> {
        let mut frame = Vec::new();
        let start = begin_frame(&mut frame);
        let mut e = Encoder::new(&mut frame);
        RequestHeader { xid: Xid(xid), op: self.op().code() }.encode(&mut e);
        self.encode(&mut e);
        end_frame(&mut frame, start);
        frame
    }

    fn encode(&self, e: &mut Encoder<'_>) {
        match self {
            Self::Create { op, path, data, acl, flags, ttl_ms } => {
                e.text(path).buffer(data.as_deref());
                Acl::encode_list(acl, e);
                e.int(*flags);
                if *op == Op::CreateTtl {
                    e.long(*ttl_ms);
                }
            }
            Self::Delete { path, version } | Self::Check { path, version } => {
                e.text(path).int(*version);
            }
            Self::SetData { path, data, version } => {
                e.text(path).buffer(data.as_deref()).int(*version);
            }
            Self::SetAcl { path, acl, version } => {
                e.text(path);
                Acl::encode_list(acl, e);
                e.int(*version);
            }
            Self::Reconfig { joining, leaving, config_id } => {
                e.text_or_null(joining.as_deref()).text_or_null(leaving.as_deref());
                e.text_or_null(None).long(*config_id);
            }
            Self::Exists { path, watch }
            | Self::GetData { path, watch }
            | Self::GetChildren { path, watch, .. } => {
                e.text(path).boolean(*watch);
            }
            Self::GetAcl { path }
            | Self::GetAllChildrenNumber { path }
            | Self::GetEphemerals { prefix: path }
            | Self::Sync { path } => {
                e.text(path);
            }
            Self::AddWatch { path, recursive } => {
                e.text(path).int(i32::from(*recursive));
            }
            Self::CheckWatches { path, kind } | Self::RemoveWatches { path, kind } => {
                e.text(path).int(*kind);
            }
            Self::Auth { scheme, credentials } => {
                e.int(0).text(scheme).buffer(Some(credentials.as_bytes()));
            }
            Self::Multi(parts) => {
                for part in parts {
                    e.int(part.op().code()).boolean(false).int(-1);
                    part.encode(e);
                }
                e.int(-1).boolean(true).int(-1);
            }
            Self::MultiRead(parts) => {
                for (is_children, path) in parts {
                    let op = if *is_children { Op::GetChildren } else { Op::GetData };
                    e.int(op.code()).boolean(false).int(-1).text(path).boolean(false);
                }
                e.int(-1).boolean(true).int(-1);
            }
            Self::SetWatches(watches) => watches.encode(e),
            Self::Ping | Self::WhoAmI | Self::CloseSession => {}
        }
    }
}

impl Rewatch {
    pub(crate) fn is_empty(&self) -> bool {
        let lists = [&self.data, &self.exist, &self.child, &self.persistent, &self.recursive];
        lists.iter().all(|paths| paths.is_empty())
    }

    fn encode(&self, e: &mut Encoder<'_>) {
        e.long(self.relative_zxid);
        for paths in [&self.data, &self.exist, &self.child, &self.persistent, &self.recursive] {
            e.count(paths.len());
            for path in paths {
                e.text(path);
            }
        }
    }
}
