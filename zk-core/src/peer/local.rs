//! Sessions that only their own server knows: no txn makes or ends them, and no other server takes them.
//!
//! Where that is allowed, one becomes a session of the ensemble when it creates an ephemeral. They are gone
//! when their server changes its role.
//!
//! Java: `LocalSessionTracker`, `UpgradeableSessionTracker`, `QuorumZooKeeperServer.checkUpgradeSession`.

use tracing::info;
use zk_wire::{
    CreateFlags, CreateRequest, Decoder, ErrorCode, MultiOp, Op, ReplyHeader, Request, SessionId,
    Xid,
};

use super::{Asked, ConnectionId, Now, Output, Peer, Reply};
use crate::prep::{Asker, Write};
use crate::sessions::Owner;

/// What is left to do with a request of a local session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Local {
    /// It is answered.
    Answered,
    /// It is to be treated like any other.
    Open,
}

impl Peer {
    /// Whether new sessions are this server's own.
    pub(super) fn makes_local_sessions(&self) -> bool {
        self.ensemble.as_ref().is_some_and(|ensemble| ensemble.options.local_sessions)
    }

    /// Whether this may be another server's own session.
    pub(super) fn is_local_elsewhere(&self, session: SessionId) -> bool {
        let [server_id, ..] = session.0.to_be_bytes();
        self.makes_local_sessions() && server_id != self.options.server_id
    }

    /// Gives a connection a session of this server's own.
    pub(super) fn attach_local(
        &mut self,
        now: Now,
        cnx: ConnectionId,
        session: SessionId,
        timeout_ms: u64,
        read_only: Option<bool>,
        out: &mut Vec<Output>,
    ) {
        self.local.track(session, timeout_ms, Some(Owner::Connection(cnx)), now.mono);
        self.hand_out(now, cnx, session, timeout_ms, read_only, out);
    }

    /// Looks at a request that is not a read, if its session is this server's own.
    pub(super) fn on_local_write(
        &mut self,
        now: Now,
        asked: Asked,
        session: SessionId,
        body: &[u8],
        out: &mut Vec<Output>,
    ) -> Local {
        if self.local.live(session).is_none() {
            return Local::Open;
        }
        if asked.op == Op::CloseSession {
            self.local.remove(session);
            let header = ReplyHeader::ok(asked.xid, self.database.last_zxid());
            self.ready_reply(now, asked.cnx, header, true, out);
            return Local::Answered;
        }
        if !makes_ephemerals(asked.op, body) {
            return Local::Open;
        }
        let may_upgrade =
            self.ensemble.as_ref().is_some_and(|ensemble| ensemble.options.local_upgrading);
        if !may_upgrade {
            let code = ErrorCode::EphemeralOnLocalSession;
            let header = ReplyHeader::error(asked.xid, self.database.last_zxid(), code);
            self.ready_reply(now, asked.cnx, header, false, out);
            return Local::Answered;
        }
        self.upgrade(now, asked.cnx, session, out);
        Local::Open
    }

    /// Makes a local session one of the ensemble: its createSession goes before what it asks.
    fn upgrade(&mut self, now: Now, cnx: ConnectionId, session: SessionId, out: &mut Vec<Output>) {
        let Some(held) = self.local.remove(session) else { return };
        info!("Upgrading session {session}");
        self.sessions.track(session, held.timeout_ms, Some(Owner::Connection(cnx)), now.mono);
        let timeout_ms = i32::try_from(held.timeout_ms).expect("it was clamped to an int setting");
        if self.is_learning() {
            return self.forward_session(session, timeout_ms, Reply::Nobody, out);
        }
        let asker = Asker { session, cxid: Xid(0), ids: &[] };
        self.propose(now, asker, &Write::CreateSession { timeout_ms }, Reply::Nobody, out);
    }

    pub(super) fn end_local_sessions(&mut self, now: Now, out: &mut Vec<Output>) {
        for session in self.local.expired(now.mono) {
            info!("local session {session} is over: nothing was heard of its client");
            let ended = self.local.remove(session);
            if let Some(Owner::Connection(cnx)) = ended.and_then(|session| session.owner) {
                self.close(cnx, out);
            }
        }
    }
}

/// Whether a request creates a node that goes with its session. TTL and container nodes do not.
fn makes_ephemerals(op: Op, body: &[u8]) -> bool {
    let is_ephemeral = |create: &CreateRequest<'_>| {
        matches!(create.op, Op::Create | Op::Create2)
            && CreateFlags::from_code(create.flags).is_some_and(CreateFlags::is_ephemeral)
    };
    match Request::decode(op, &mut Decoder::new(body)) {
        Ok(Request::Create(create)) => is_ephemeral(&create),
        Ok(Request::Multi(ops)) => {
            ops.iter().any(|op| matches!(op, MultiOp::Create(create) if is_ephemeral(create)))
        }
        _ => false,
    }
}
