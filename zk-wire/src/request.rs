//! The records of requests, decoded without copying. Java: jute module `proto`.
//!
//! A request is as the client sent it: paths, flags and ACLs are not checked here. How clients write
//! them is in `encode.rs`.

use std::borrow::Cow;

use crate::{Acl, DecodeError, Decoder, Op, RequestHeader};

mod encode;

/// A create of any kind. `ttl_ms` is -1 for the ops without the field.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the protocol's own, in wire order")]
pub struct CreateRequest<'a> {
    pub op: Op,
    pub path: Option<Cow<'a, str>>,
    pub data: Option<&'a [u8]>,
    pub acl: Option<Vec<Acl>>,
    pub flags: i32,
    pub ttl_ms: i64,
}

/// A version check, as an op of a multi.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the protocol's own, in wire order")]
pub struct CheckRequest<'a> {
    pub path: Option<Cow<'a, str>>,
    pub version: i32,
}

/// Credentials for the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the protocol's own; `type` is ignored")]
pub struct AuthPacket<'a> {
    pub scheme: Option<Cow<'a, str>>,
    pub auth: Option<&'a [u8]>,
}

/// The watches that a client had before it reconnected; setWatches has no persistent ones.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the protocol's own, in wire order")]
pub struct SetWatches<'a> {
    pub relative_zxid: i64,
    pub data: Vec<Cow<'a, str>>,
    pub exist: Vec<Cow<'a, str>>,
    pub child: Vec<Cow<'a, str>>,
    pub persistent: Vec<Cow<'a, str>>,
    pub persistent_recursive: Vec<Cow<'a, str>>,
}

/// The `mode` of addWatch. Java: `AddWatchMode`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the protocol's own name")]
pub enum AddWatchMode {
    Persistent,
    PersistentRecursive,
}

/// The `type` of checkWatches and removeWatches. Java: `Watcher.WatcherType`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "each variant is the protocol's own name")]
pub enum WatcherType {
    Children,
    Data,
    Any,
    Persistent,
    PersistentRecursive,
}

/// One op of a multi; only these may stand in one.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the protocol's own, in wire order")]
pub enum MultiOp<'a> {
    Create(CreateRequest<'a>),
    Delete { path: Option<Cow<'a, str>>, version: i32 },
    SetData { path: Option<Cow<'a, str>>, data: Option<&'a [u8]>, version: i32 },
    Check(CheckRequest<'a>),
    GetData { path: Option<Cow<'a, str>> },
    GetChildren { path: Option<Cow<'a, str>> },
}

/// A request of any op.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the protocol's own, in wire order")]
pub enum Request<'a> {
    Create(CreateRequest<'a>),
    Delete {
        path: Option<Cow<'a, str>>,
        version: i32,
    },
    DeleteContainer,
    Exists {
        path: Option<Cow<'a, str>>,
        watch: bool,
    },
    GetData {
        path: Option<Cow<'a, str>>,
        watch: bool,
    },
    SetData {
        path: Option<Cow<'a, str>>,
        data: Option<&'a [u8]>,
        version: i32,
    },
    GetAcl {
        path: Option<Cow<'a, str>>,
    },
    SetAcl {
        path: Option<Cow<'a, str>>,
        acl: Option<Vec<Acl>>,
        version: i32,
    },
    GetChildren {
        path: Option<Cow<'a, str>>,
        watch: bool,
        with_stat: bool,
    },
    Sync {
        path: Option<Cow<'a, str>>,
    },
    Ping,
    Check(CheckRequest<'a>),
    Multi(Vec<MultiOp<'a>>),
    MultiRead(Vec<MultiOp<'a>>),
    Reconfig {
        joining: Option<Cow<'a, str>>,
        leaving: Option<Cow<'a, str>>,
        new_members: Option<Cow<'a, str>>,
        config_id: i64,
    },
    CheckWatches {
        path: Option<Cow<'a, str>>,
        watcher_type: WatcherType,
    },
    RemoveWatches {
        path: Option<Cow<'a, str>>,
        watcher_type: WatcherType,
    },
    Auth(AuthPacket<'a>),
    SetWatches(SetWatches<'a>),
    Sasl {
        token: Option<&'a [u8]>,
    },
    GetEphemerals {
        prefix: Option<Cow<'a, str>>,
    },
    GetAllChildrenNumber {
        path: Option<Cow<'a, str>>,
    },
    AddWatch {
        path: Option<Cow<'a, str>>,
        mode: AddWatchMode,
    },
    WhoAmI,
    CloseSession,
}

impl<'a> Request<'a> {
    /// Reads the record that follows the header of `op`. Bytes after it are ignored, as in Java.
    ///
    /// # Errors
    /// The bytes are not that record.
    pub fn decode(op: Op, d: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        Ok(match op {
            Op::Create | Op::Create2 | Op::CreateContainer | Op::CreateTtl => {
                Self::Create(CreateRequest::decode(op, d)?)
            }
            Op::Delete => Self::Delete { path: d.text()?, version: d.int()? },
            Op::DeleteContainer => Self::DeleteContainer,
            Op::Exists => Self::Exists { path: d.text()?, watch: d.boolean()? },
            Op::GetData => Self::GetData { path: d.text()?, watch: d.boolean()? },
            Op::SetData => Self::SetData { path: d.text()?, data: d.buffer()?, version: d.int()? },
            Op::GetAcl => Self::GetAcl { path: d.text()? },
            Op::SetAcl => {
                Self::SetAcl { path: d.text()?, acl: d.vector(Acl::decode)?, version: d.int()? }
            }
            Op::GetChildren | Op::GetChildren2 => Self::GetChildren {
                path: d.text()?,
                watch: d.boolean()?,
                with_stat: op == Op::GetChildren2,
            },
            Op::Sync => Self::Sync { path: d.text()? },
            Op::Ping => Self::Ping,
            Op::Check => Self::Check(CheckRequest::decode(d)?),
            Op::Multi => Self::Multi(MultiOp::decode_all(d, false)?),
            Op::MultiRead => Self::MultiRead(MultiOp::decode_all(d, true)?),
            Op::Reconfig => Self::Reconfig {
                joining: d.text()?,
                leaving: d.text()?,
                new_members: d.text()?,
                config_id: d.long()?,
            },
            Op::CheckWatches => {
                Self::CheckWatches { path: d.text()?, watcher_type: WatcherType::decode(d)? }
            }
            Op::RemoveWatches => {
                Self::RemoveWatches { path: d.text()?, watcher_type: WatcherType::decode(d)? }
            }
            Op::Auth => Self::Auth(AuthPacket::decode(d)?),
            Op::SetWatches => Self::SetWatches(SetWatches::decode(d, false)?),
            Op::SetWatches2 => Self::SetWatches(SetWatches::decode(d, true)?),
            Op::Sasl => Self::Sasl { token: d.buffer()? },
            Op::GetEphemerals => Self::GetEphemerals { prefix: d.text()? },
            Op::GetAllChildrenNumber => Self::GetAllChildrenNumber { path: d.text()? },
            Op::AddWatch => Self::AddWatch { path: d.text()?, mode: AddWatchMode::decode(d)? },
            Op::WhoAmI => Self::WhoAmI,
            Op::CloseSession => Self::CloseSession,
        })
    }
}

impl<'a> CreateRequest<'a> {
    fn decode(op: Op, d: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        Ok(Self {
            op,
            path: d.text()?,
            data: d.buffer()?,
            acl: d.vector(Acl::decode)?,
            flags: d.int()?,
            ttl_ms: if op == Op::CreateTtl { d.long()? } else { -1 },
        })
    }
}

impl<'a> CheckRequest<'a> {
    fn decode(d: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        Ok(Self { path: d.text()?, version: d.int()? })
    }
}

impl<'a> AuthPacket<'a> {
    fn decode(d: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        d.int()?;
        Ok(Self { scheme: d.text()?, auth: d.buffer()? })
    }
}

impl<'a> SetWatches<'a> {
    fn decode(d: &mut Decoder<'a>, with_persistent: bool) -> Result<Self, DecodeError> {
        let mut watches = Self {
            relative_zxid: d.long()?,
            data: d.texts("dataWatches")?,
            exist: d.texts("existWatches")?,
            child: d.texts("childWatches")?,
            persistent: Vec::new(),
            persistent_recursive: Vec::new(),
        };
        if with_persistent {
            watches.persistent = d.texts("persistentWatches")?;
            watches.persistent_recursive = d.texts("persistentRecursiveWatches")?;
        }
        Ok(watches)
    }
}

impl AddWatchMode {
    fn decode(d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match d.int()? {
            0 => Ok(Self::Persistent),
            1 => Ok(Self::PersistentRecursive),
            value => Err(DecodeError::Value { field: "mode", value }),
        }
    }
}

impl WatcherType {
    fn decode(d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(match d.int()? {
            1 => Self::Children,
            2 => Self::Data,
            3 => Self::Any,
            4 => Self::Persistent,
            5 => Self::PersistentRecursive,
            value => return Err(DecodeError::Value { field: "type", value }),
        })
    }
}

impl<'a> MultiOp<'a> {
    /// Whether the op changes nothing.
    pub fn is_read(&self) -> bool {
        matches!(self, Self::GetData { .. } | Self::GetChildren { .. })
    }

    fn decode_all(d: &mut Decoder<'a>, reads: bool) -> Result<Vec<Self>, DecodeError> {
        let mut ops = Vec::new();
        loop {
            let (code, done) = (d.int()?, d.boolean()?);
            d.int()?;
            if done {
                return Ok(ops);
            }
            let op = Self::decode(code, d)?;
            if op.is_read() != reads {
                return Err(DecodeError::MultiComposition(code));
            }
            ops.push(op);
        }
    }

    fn decode(code: i32, d: &mut Decoder<'a>) -> Result<Self, DecodeError> {
        Ok(match Op::from_code(code) {
            Some(op @ (Op::Create | Op::Create2 | Op::CreateContainer | Op::CreateTtl)) => {
                Self::Create(CreateRequest::decode(op, d)?)
            }
            Some(Op::Delete) => Self::Delete { path: d.text()?, version: d.int()? },
            Some(Op::SetData) => {
                Self::SetData { path: d.text()?, data: d.buffer()?, version: d.int()? }
            }
            Some(Op::Check) => Self::Check(CheckRequest::decode(d)?),
            Some(Op::GetData) => {
                let path = d.text()?;
                d.boolean()?;
                Self::GetData { path }
            }
            Some(Op::GetChildren) => {
                let path = d.text()?;
                d.boolean()?;
                Self::GetChildren { path }
            }
            _ => return Err(DecodeError::MultiComposition(code)),
        })
    }
}

/// Reads any bytes as a header and the record of its op, and checks what holds for each.
///
/// # Panics
/// Never: that is what fuzzing is to show.
pub fn fuzz_request(bytes: &[u8]) {
    let mut d = Decoder::new(bytes);
    let Ok(header) = RequestHeader::decode(&mut d) else { return };
    let Some(op) = Op::from_code(header.op) else { return };
    let request = Request::decode(op, &mut d);
    assert_eq!(d.offset() + d.rest().len(), bytes.len(), "no byte is read twice or left out");
    if let Ok(request) = &request {
        encode::check_round_trip(op, request);
    }
    if let Ok(Request::Multi(ops)) = &request {
        assert!(ops.iter().all(|op| !op.is_read()), "a multi only writes");
    }
    if let Ok(Request::MultiRead(ops)) = &request {
        assert!(ops.iter().all(MultiOp::is_read), "a multiRead only reads");
    }
}
