//! Preparation: a client's wish becomes a txn, or an error that takes a zxid all the same.
//!
//! Everything that can fail fails here; a prepared txn applies without fail. Checks see the committed
//! tree plus the changes of txns that are prepared but not applied yet (`outstanding`).
//!
//! Invariants
//! - The order of checks decides which error wins; it is Java's, op by op.
//! - A multi that fails leaves nothing outstanding.
//! - The digest in a txn is the tree's once that txn is applied.
//!
//! Java: `PrepRequestProcessor`, `ZooKeeperServer.ChangeRecord`.

mod multi;
mod outstanding;
mod writes;

use zk_wire::{
    Acl, CreateRequest, Encoder, Epoch, ErrorCode, Id, MultiOp, SessionId, Txn, TxnDigest,
    TxnHeader, TxnRecord, Xid, Zxid,
};

use crate::auth::AuthOptions;
use crate::database::Database;
use crate::quorum::Members;
use outstanding::Outstanding;

/// Settings that decide what may be written.
#[derive(Clone, Debug)]
pub struct PrepOptions {
    /// Rights and identities.
    pub auth: AuthOptions,
    /// `zookeeper.extendedTypesEnabled`: TTL nodes may be created.
    pub extended_types: bool,
    /// `zookeeper.enforceQuota`: hard limits refuse writes.
    pub enforce_quota: bool,
    /// `reconfigEnabled`.
    pub reconfig: bool,
    /// `zookeeper.digest.enabled`: txns carry the tree's digest.
    pub digest: bool,
    /// The longest txn that every reader takes back from a log, in bytes.
    pub txn_size_max: usize,
}

/// What is to be written.
#[derive(Debug)]
pub(crate) enum Write<'a> {
    CreateSession {
        timeout_ms: i32,
    },
    CloseSession,
    Create(&'a CreateRequest<'a>),
    Delete {
        path: Option<&'a str>,
        version: i32,
    },
    /// The reaper's own.
    DeleteContainer {
        path: &'a str,
    },
    SetData {
        path: Option<&'a str>,
        data: Option<&'a [u8]>,
        version: i32,
    },
    SetAcl {
        path: Option<&'a str>,
        acl: Option<&'a [Acl]>,
        version: i32,
    },
    Multi(&'a [MultiOp<'a>]),
    /// The members that are to be from now on, if the request makes sense.
    Reconfig(Result<Members, ErrorCode>),
    /// Refused before it could be looked at.
    Refused(ErrorCode),
}

/// Who wants it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Asker<'a> {
    pub(crate) session: SessionId,
    pub(crate) cxid: Xid,
    pub(crate) ids: &'a [Id],
}

/// A txn with its bytes, ready for the log and for every peer.
#[derive(Debug)]
pub(crate) struct Proposal {
    pub(crate) record: TxnRecord,
    pub(crate) bytes: Vec<u8>,
}

/// Prepares txns, one after the other.
#[derive(Debug)]
pub(crate) struct Prep {
    options: PrepOptions,
    outstanding: Outstanding,
    last_zxid: Zxid,
}

impl Prep {
    pub(crate) fn new(options: PrepOptions, database: &Database, seed: u64) -> Self {
        Self {
            options,
            outstanding: Outstanding::new(seed, database.tree().digest()),
            last_zxid: database.last_zxid(),
        }
    }

    /// The zxid given last.
    pub(crate) fn last_zxid(&self) -> Zxid {
        self.last_zxid
    }

    pub(crate) fn options(&self) -> &PrepOptions {
        &self.options
    }

    /// The next txn. `wall_ms` is the clock that ctime and mtime show.
    pub(crate) fn prepare(
        &mut self,
        database: &Database,
        asker: Asker<'_>,
        write: &Write<'_>,
        wall_ms: i64,
    ) -> Proposal {
        self.last_zxid = self.last_zxid.next();
        let header = TxnHeader {
            session: asker.session,
            cxid: asker.cxid,
            zxid: self.last_zxid,
            time_ms: wall_ms,
        };
        let mut desk = Desk {
            options: &self.options,
            database,
            outstanding: &mut self.outstanding,
            header: &header,
            ids: asker.ids,
        };
        let txn = match write {
            Write::Multi(ops) => desk.multi(ops),
            write => desk.write(write).unwrap_or_else(error),
        };
        let proposal = self.seal(header, txn);
        if proposal.bytes.len() <= self.options.txn_size_max {
            self.outstanding.keep(header.zxid);
            return proposal;
        }
        self.outstanding.drop_staged();
        self.seal(header, error(ErrorCode::MarshallingError))
    }

    /// Begins to count in a new epoch.
    pub(crate) fn begin_epoch(&mut self, epoch: Epoch) {
        self.last_zxid = Zxid::new(epoch, 0);
    }

    /// The txns up to `zxid` are applied: the tree shows what they did.
    pub(crate) fn applied(&mut self, zxid: Zxid, database: &Database) {
        self.outstanding.forget(zxid, database.tree().digest());
    }

    /// The ephemerals that closing a session must delete, those still outstanding included.
    pub(crate) fn ephemerals(&self, database: &Database, session: SessionId) -> Vec<String> {
        self.outstanding.ephemerals(database, session)
    }

    fn seal(&self, header: TxnHeader, txn: Txn) -> Proposal {
        let has_digest = self.options.digest && !matches!(txn, Txn::Error { .. });
        let digest = has_digest.then(|| TxnDigest::current(self.outstanding.staged_digest()));
        let record = TxnRecord { header, txn, digest };
        let mut bytes = Vec::with_capacity(128);
        record.encode(&mut Encoder::new(&mut bytes));
        Proposal { record, bytes }
    }
}

/// One txn's preparation: what it may look at and where it notes its changes.
pub(crate) struct Desk<'a> {
    options: &'a PrepOptions,
    database: &'a Database,
    outstanding: &'a mut Outstanding,
    header: &'a TxnHeader,
    ids: &'a [Id],
}

fn error(code: ErrorCode) -> Txn {
    Txn::Error { code: code.code() }
}

#[cfg(test)]
mod tests;
