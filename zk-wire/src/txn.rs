//! Txns as they are logged and proposed. Java: jute module `txn`, `SerializeUtils.deserializeTxn`.
//!
//! A txn is encoded once, by whoever prepares it; everybody else passes the bytes on as they came.

use std::borrow::Cow;

use crate::{Acl, DecodeError, Decoder, Encoder, NodeDigest, Op, SessionId, Xid, Zxid};

pub(crate) const CREATE_SESSION: i32 = -10;
const CLOSE_SESSION: i32 = -11;
const ERROR: i32 = -1;

/// What stands before each txn's body: who asked, in which place of the order, when.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxnHeader {
    /// The session that asked; 0 when the server itself did.
    pub session: SessionId,
    /// The request's number in that session.
    pub cxid: Xid,
    /// The txn's place in the order.
    pub zxid: Zxid,
    /// The leader's wall clock, in ms since 1970; ctime and mtime come from it.
    pub time_ms: i64,
}

/// What decides the kind of a created node: the op, not its flags.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CreateKind {
    /// Op 1.
    Create,
    /// Op 15.
    Create2,
    /// Op 19: goes when it has been emptied.
    Container,
    /// Op 21: goes when it has been childless and unchanged for `ttl_ms`.
    Ttl {
        /// In ms.
        ttl_ms: i64,
    },
}

/// A new node.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CreateTxn {
    /// By which op.
    pub kind: CreateKind,
    /// With its sequence suffix.
    pub path: String,
    /// Null and empty are different.
    pub data: Option<Vec<u8>>,
    /// With `auth` replaced by who was authenticated.
    pub acl: Vec<Acl>,
    /// Owned by the header's session; never true for containers and TTL nodes.
    pub ephemeral: bool,
    /// The parent's count of creates with this one; -1 means one more than there are.
    pub parent_cversion: i32,
}

/// A change of the replicated state, or an error that took a zxid.
#[derive(Clone, Debug, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the format's own, in wire order")]
pub enum Txn {
    CreateSession {
        timeout_ms: i32,
    },
    /// The ephemerals to delete; `None` from servers that did not write them.
    CloseSession {
        paths: Option<Vec<String>>,
    },
    Error {
        code: i32,
    },
    Create(CreateTxn),
    /// `container` when the reaper asked.
    Delete {
        path: String,
        container: bool,
    },
    /// `version` is the new one; `reconfig` when it is the configuration that changes.
    SetData {
        path: String,
        data: Option<Vec<u8>>,
        version: i32,
        reconfig: bool,
    },
    /// `version` is the new aversion.
    SetAcl {
        path: String,
        acl: Vec<Acl>,
        version: i32,
    },
    /// `version` is one more than the node's. Only inside a multi.
    Check {
        path: String,
        version: i32,
    },
    /// If any is an `Error`, none of them is applied.
    Multi(Vec<Self>),
}

/// The tree's digest once the txn is applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TxnDigest {
    /// 2.
    pub version: i32,
    /// The sum of the nodes' digests.
    pub digest: u64,
}

/// A whole txn: what stands between a log record's length and its end byte.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TxnRecord {
    /// Who, where, when.
    pub header: TxnHeader,
    /// What.
    pub txn: Txn,
    /// Absent after errors, and from servers with digests off.
    pub digest: Option<TxnDigest>,
}

impl TxnRecord {
    /// Reads a txn to its end; bytes after the digest are ignored.
    ///
    /// # Errors
    /// The bytes are no txn, or of a type that no server writes.
    pub fn decode(bytes: &[u8]) -> Result<Self, DecodeError> {
        let mut d = Decoder::new(bytes);
        let header = TxnHeader {
            session: SessionId(d.long()?),
            cxid: Xid(d.int()?),
            zxid: Zxid(d.long()?),
            time_ms: d.long()?,
        };
        let kind = d.int()?;
        let txn = Txn::decode(kind, &mut d)?;
        Ok(Self { header, txn, digest: TxnDigest::decode(&mut d) })
    }

    /// Writes header, body and digest.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        let header = &self.header;
        e.long(header.session.0).int(header.cxid.0).long(header.zxid.0).long(header.time_ms);
        e.int(self.txn.type_code());
        self.txn.encode_body(e);
        if let Some(digest) = self.digest {
            e.int(digest.version).long(digest.digest.cast_signed());
        }
    }
}

impl TxnDigest {
    /// The digest as this version computes it.
    pub fn current(digest: u64) -> Self {
        Self { version: NodeDigest::VERSION, digest }
    }

    fn decode(d: &mut Decoder<'_>) -> Option<Self> {
        let version = d.int().ok()?;
        let digest = d.long().ok()?.cast_unsigned();
        Some(Self { version, digest })
    }
}

impl Txn {
    /// The text of the configuration that this txn makes, if it is a reconfiguration.
    pub fn config(&self) -> Option<Cow<'_, str>> {
        match self {
            Self::SetData { data: Some(data), reconfig: true, .. } => {
                Some(String::from_utf8_lossy(data))
            }
            _ => None,
        }
    }

    /// The type in the header, or of a part of a multi.
    pub fn type_code(&self) -> i32 {
        match self {
            Self::CreateSession { .. } => CREATE_SESSION,
            Self::CloseSession { .. } => CLOSE_SESSION,
            Self::Error { .. } => ERROR,
            Self::Create(create) => create.op().code(),
            Self::Delete { container: false, .. } => Op::Delete.code(),
            Self::Delete { container: true, .. } => Op::DeleteContainer.code(),
            Self::SetData { reconfig: false, .. } => Op::SetData.code(),
            Self::SetData { reconfig: true, .. } => Op::Reconfig.code(),
            Self::SetAcl { .. } => Op::SetAcl.code(),
            Self::Check { .. } => Op::Check.code(),
            Self::Multi(_) => Op::Multi.code(),
        }
    }

    /// The type as a part of a multi.
    fn part_code(&self) -> i32 {
        match self {
            // Compat: 3.8.0 cannot replay a multi with a create2, and loses it whole.
            Self::Create(create) if create.kind == CreateKind::Create2 => Op::Create.code(),
            part => part.type_code(),
        }
    }

    fn decode(kind: i32, d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        match kind {
            CREATE_SESSION => return Ok(Self::CreateSession { timeout_ms: d.int()? }),
            CLOSE_SESSION => return Ok(Self::CloseSession { paths: close_session_paths(d)? }),
            ERROR => return Ok(Self::Error { code: d.int()? }),
            _ => {}
        }
        Ok(match Op::from_code(kind) {
            Some(op @ (Op::Create | Op::Create2 | Op::CreateContainer | Op::CreateTtl)) => {
                Self::Create(CreateTxn::decode(op, d)?)
            }
            Some(op @ (Op::Delete | Op::DeleteContainer)) => {
                Self::Delete { path: text(d, "path")?, container: op == Op::DeleteContainer }
            }
            Some(op @ (Op::SetData | Op::Reconfig)) => Self::SetData {
                path: text(d, "path")?,
                data: d.buffer()?.map(<[u8]>::to_vec),
                version: d.int()?,
                reconfig: op == Op::Reconfig,
            },
            Some(Op::SetAcl) => Self::SetAcl {
                path: text(d, "path")?,
                acl: d.vector(Acl::decode)?.unwrap_or_default(),
                version: d.int()?,
            },
            Some(Op::Check) => Self::Check { path: text(d, "path")?, version: d.int()? },
            Some(Op::Multi) => Self::Multi(d.vector(Self::decode_part)?.unwrap_or_default()),
            _ => return Err(DecodeError::TxnType(kind)),
        })
    }

    fn decode_part(d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let kind = d.int()?;
        if kind == Op::Multi.code() {
            return Err(DecodeError::MultiComposition(kind));
        }
        Self::decode(kind, &mut Decoder::new(d.buffer()?.unwrap_or_default()))
    }

    fn encode_body(&self, e: &mut Encoder<'_>) {
        match self {
            Self::CreateSession { timeout_ms } => {
                e.int(*timeout_ms);
            }
            Self::CloseSession { paths } => {
                let paths = paths.as_deref().unwrap_or_default();
                e.count(paths.len());
                for path in paths {
                    e.text(path);
                }
            }
            Self::Error { code } => {
                e.int(*code);
            }
            Self::Create(create) => create.encode(e),
            Self::Delete { path, .. } => {
                e.text(path);
            }
            Self::SetData { path, data, version, .. } => {
                e.text(path).buffer(data.as_deref()).int(*version);
            }
            Self::SetAcl { path, acl, version } => {
                e.text(path);
                Acl::encode_list(acl, e);
                e.int(*version);
            }
            Self::Check { path, version } => {
                e.text(path).int(*version);
            }
            Self::Multi(parts) => {
                e.count(parts.len());
                for part in parts {
                    let mut body = Vec::new();
                    part.encode_body(&mut Encoder::new(&mut body));
                    e.int(part.part_code()).buffer(Some(&body));
                }
            }
        }
    }
}

impl CreateTxn {
    fn op(&self) -> Op {
        match self.kind {
            CreateKind::Create => Op::Create,
            CreateKind::Create2 => Op::Create2,
            CreateKind::Container => Op::CreateContainer,
            CreateKind::Ttl { .. } => Op::CreateTtl,
        }
    }

    fn decode(op: Op, d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let has_ephemeral = matches!(op, Op::Create | Op::Create2);
        let path = text(d, "path")?;
        let data = d.buffer()?.map(<[u8]>::to_vec);
        let acl = d.vector(Acl::decode)?.unwrap_or_default();
        let ephemeral = if has_ephemeral { d.boolean()? } else { false };
        // Compat: servers before 3.4 end here (CreateTxnV0); they wrote no digests either.
        let is_v0 = op == Op::Create && d.rest().is_empty();
        let parent_cversion = if is_v0 { -1 } else { d.int()? };
        let kind = match op {
            Op::Create2 => CreateKind::Create2,
            Op::CreateContainer => CreateKind::Container,
            Op::CreateTtl => CreateKind::Ttl { ttl_ms: d.long()? },
            _ => CreateKind::Create,
        };
        Ok(Self { kind, path, data, acl, ephemeral, parent_cversion })
    }

    fn encode(&self, e: &mut Encoder<'_>) {
        e.text(&self.path).buffer(self.data.as_deref());
        Acl::encode_list(&self.acl, e);
        match self.kind {
            CreateKind::Create | CreateKind::Create2 => {
                e.boolean(self.ephemeral).int(self.parent_cversion);
            }
            CreateKind::Container => {
                e.int(self.parent_cversion);
            }
            CreateKind::Ttl { ttl_ms } => {
                e.int(self.parent_cversion).long(ttl_ms);
            }
        }
    }
}

fn text(d: &mut Decoder<'_>, field: &'static str) -> Result<String, DecodeError> {
    d.text()?.map(Into::into).ok_or(DecodeError::Value { field, value: -1 })
}

/// Compat: with `closeSessionTxn.enabled=false` Java writes no paths, but a digest all the same.
fn close_session_paths(d: &mut Decoder<'_>) -> Result<Option<Vec<String>>, DecodeError> {
    let rest = d.rest();
    let is_digest_only = rest.len() == 12 && rest[..4] == NodeDigest::VERSION.to_be_bytes();
    if rest.is_empty() || is_digest_only {
        return Ok(None);
    }
    d.vector(|d| text(d, "paths2Delete"))
}

/// Reads any bytes as a txn; what was read can be written, and is of the same type when read again.
///
/// # Panics
/// Never: that is what fuzzing is to show.
pub fn fuzz_txn(bytes: &[u8]) {
    let Ok(record) = TxnRecord::decode(bytes) else { return };
    let mut again = Vec::new();
    record.encode(&mut Encoder::new(&mut again));
    let read = TxnRecord::decode(&again).expect("what was written can be read");
    assert_eq!((read.header, read.txn.type_code()), (record.header, record.txn.type_code()));
    // Two paths of no length at all, which no server writes, look like a digest without paths.
    let is_ambiguous = matches!(record.txn, Txn::CloseSession { .. });
    assert!(is_ambiguous || read.digest == record.digest);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header() -> TxnHeader {
        TxnHeader { session: SessionId(5), cxid: Xid(1), zxid: Zxid(2), time_ms: 3 }
    }

    fn check_round_trip(txn: Txn) {
        let digest = Some(TxnDigest::current(0xffff_ffff_ffff_fffe));
        let record = TxnRecord { header: header(), txn, digest };
        let mut bytes = Vec::new();
        record.encode(&mut Encoder::new(&mut bytes));
        assert_eq!(TxnRecord::decode(&bytes), Ok(record));
        for end in 0..bytes.len() {
            let _ = TxnRecord::decode(&bytes[..end]);
        }
    }

    #[test]
    fn every_txn_survives_the_way_to_bytes_and_back() {
        let create = |kind, ephemeral| {
            Txn::Create(CreateTxn {
                kind,
                path: "/a".into(),
                data: None,
                acl: vec![Acl::open()],
                ephemeral,
                parent_cversion: 7,
            })
        };
        let set = |reconfig| Txn::SetData {
            path: "/a".into(),
            data: Some(vec![]),
            version: -1,
            reconfig,
        };
        for txn in [
            Txn::CreateSession { timeout_ms: 4000 },
            Txn::CloseSession { paths: Some(vec!["/a".into()]) },
            Txn::CloseSession { paths: Some(vec![]) },
            Txn::Error { code: -110 },
            create(CreateKind::Create, true),
            create(CreateKind::Create2, false),
            create(CreateKind::Container, false),
            create(CreateKind::Ttl { ttl_ms: 99 }, false),
            Txn::Delete { path: "/a".into(), container: true },
            set(true),
            set(false),
            Txn::SetAcl { path: "/a".into(), acl: vec![], version: 2 },
            Txn::Multi(vec![Txn::Check { path: "/a".into(), version: 1 }, Txn::Error { code: -2 }]),
        ] {
            check_round_trip(txn);
        }
    }

    #[test]
    fn a_close_session_without_paths_but_with_a_digest_is_understood() {
        let mut bytes = Vec::new();
        let record = TxnRecord {
            header: header(),
            txn: Txn::CloseSession { paths: Some(vec![]) },
            digest: Some(TxnDigest::current(9)),
        };
        record.encode(&mut Encoder::new(&mut bytes));
        bytes.drain(32..36);
        let read = TxnRecord::decode(&bytes).unwrap();
        assert_eq!(read.txn, Txn::CloseSession { paths: None });
        assert_eq!(read.digest, Some(TxnDigest::current(9)));
    }

    #[test]
    fn a_multi_inside_a_multi_is_refused() {
        let mut bytes = Vec::new();
        let txn = Txn::Multi(vec![Txn::Multi(vec![])]);
        TxnRecord { header: header(), txn, digest: None }.encode(&mut Encoder::new(&mut bytes));
        assert_eq!(TxnRecord::decode(&bytes), Err(DecodeError::MultiComposition(14)));
    }
}
