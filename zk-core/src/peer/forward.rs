//! What a learner cannot do alone: writes, syncs and old sessions go to the leader and come back.
//!
//! A request waits here, first in its session's order, before it is sent; the txn that carries its
//! session and xid answers it.
//!
//! Java: `FollowerRequestProcessor`, `CommitProcessor`, `LearnerSessionTracker`, `Leader.processSync`.

use std::sync::Arc;

use zk_wire::{
    CreateKind, Decoder, ForwardedRequest, Id, MultiOp, Op, QuorumPacket, Request, SessionId, Txn,
    TxnRecord, Xid, Zxid,
};

use super::dispatch::HEADER_LEN;
use super::ensemble::Role;
use super::{Asked, ConnectionId, Now, Output, Peer, Reply, Waiting};
use crate::prep::{Asker, Write};
use crate::sessions::Owner;
use crate::zab::{LinkId, packet};

/// A request that the leader has.
#[derive(Debug)]
pub(super) struct Forwarded {
    pub(super) reply: Reply,
    /// Which parts of a multi are to be answered with a stat. The txn does not tell: a create2 in it looks
    /// like a create.
    stat_parts: Vec<bool>,
}

/// A session whose client came back, while the leader is asked about it.
#[derive(Debug)]
pub(super) struct Revalidating {
    pub(super) session: SessionId,
    pub(super) cnx: ConnectionId,
    pub(super) timeout_ms: u64,
    pub(super) read_only: Option<bool>,
}

/// A sync that the leader is asked for.
#[derive(Debug)]
pub(super) struct Syncing {
    asked: Asked,
    session: SessionId,
    frame: Vec<u8>,
    ids: Arc<[Id]>,
    /// Once the leader has answered: what must be applied before the client is told.
    due: Option<Zxid>,
}

impl Peer {
    /// Sends a client's write to the leader. `stat_parts` as in [`Forwarded`].
    pub(super) fn forward(
        &mut self,
        now: Now,
        asked: Asked,
        asker: Asker<'_>,
        body: &[u8],
        stat_parts: Vec<bool>,
        out: &mut Vec<Output>,
    ) {
        let Asked { cnx, xid: cxid, op, .. } = asked;
        let reply = self.reply_to(now, cnx, cxid, op);
        let body = if op == Op::CloseSession { &[] } else { body };
        let (session, ids) = (asker.session, asker.ids.to_vec());
        let request = ForwardedRequest { session, cxid, op: op.code(), body, ids };
        self.send_request(request, Some(Forwarded { reply, stat_parts }), out);
    }

    /// Asks the leader for a new session.
    pub(super) fn forward_session(
        &mut self,
        session: SessionId,
        timeout_ms: i32,
        reply: Reply,
        out: &mut Vec<Output>,
    ) {
        let body = &timeout_ms.to_be_bytes();
        let (cxid, op, ids) = (Xid(0), ForwardedRequest::CREATE_SESSION, Vec::new());
        let request = ForwardedRequest { session, cxid, op, body, ids };
        // Nobody waits for that of a session which a connection has already.
        let forwarded =
            (reply != Reply::Nobody).then_some(Forwarded { reply, stat_parts: Vec::new() });
        self.send_request(request, forwarded, out);
    }

    /// A client wants to see what is committed by now. A learner asks the leader what that is; the leader
    /// waits for its own disk, which may be behind those of a quorum.
    pub(super) fn sync(
        &mut self,
        now: Now,
        asked: Asked,
        session: SessionId,
        frame: &[u8],
        out: &mut Vec<Output>,
    ) {
        let (committed, appended) = (self.committed, self.appended);
        let Some(connection) = self.connection_mut(asked.cnx) else { return };
        // Its own writes come first.
        let due = if connection.waiting.is_empty() { committed } else { appended };
        connection.waiting.push_back(Waiting::Write);
        let ids = connection.ids.clone();
        let is_learning = self.is_learning();
        if is_learning {
            let request = ForwardedRequest {
                session,
                cxid: asked.xid,
                op: Op::Sync.code(),
                body: &frame[HEADER_LEN..],
                ids: ids.to_vec(),
            };
            self.send_request(request, None, out);
        }
        let due = (!is_learning).then_some(due);
        if let Some(ensemble) = &mut self.ensemble {
            let frame = frame.to_vec();
            ensemble.syncing.push_back(Syncing { asked, session, frame, ids, due });
        }
        self.answer_syncs(now, out);
    }

    fn send_request(
        &mut self,
        request: ForwardedRequest<'_>,
        forwarded: Option<Forwarded>,
        out: &mut Vec<Output>,
    ) {
        let Some(ensemble) = &mut self.ensemble else { return };
        let Role::Learning(learner) = &ensemble.role else { return };
        let Some(link) = learner.link() else { return };
        if let Some(forwarded) = forwarded {
            ensemble.forwarded.entry(request.session).or_default().push_back(forwarded);
            ensemble.forwarded_count += 1;
        }
        out.push(Output::Send { link, bytes: packet(&QuorumPacket::Request(request)) });
    }

    /// Who waits here for the answer that this txn is. The txn is made to look as it was asked for.
    pub(super) fn forwarded_reply(&mut self, record: &mut TxnRecord) -> Reply {
        let Some(ensemble) = &mut self.ensemble else { return Reply::Nobody };
        let session = record.header.session;
        let Some(waiting) = ensemble.forwarded.get_mut(&session) else { return Reply::Nobody };
        let cxid = record.header.cxid;
        let found = waiting.pop_front_if(|forwarded| match forwarded.reply {
            Reply::Nobody => true,
            Reply::Session { .. } => cxid == Xid(0),
            Reply::Request(asked) => asked.xid == cxid,
        });
        if waiting.is_empty() {
            ensemble.forwarded.remove(&session);
        }
        let Some(Forwarded { reply, stat_parts }) = found else { return Reply::Nobody };
        ensemble.forwarded_count -= 1;
        if let Txn::Multi(parts) = &mut record.txn {
            for (part, with_stat) in parts.iter_mut().zip(stat_parts) {
                if let Txn::Create(create) = part
                    && create.kind == CreateKind::Create
                    && with_stat
                {
                    create.kind = CreateKind::Create2;
                }
            }
        }
        reply
    }

    /// The leader says that everything proposed before a sync is on its way: it is what came so far.
    pub(super) fn on_synced(&mut self, now: Now, out: &mut Vec<Output>) {
        let committed = self.committed;
        let Some(ensemble) = &mut self.ensemble else { return };
        if let Some(first) = ensemble.syncing.iter_mut().find(|sync| sync.due.is_none()) {
            first.due = Some(committed);
        }
        self.answer_syncs(now, out);
    }

    /// Answers the syncs for which enough is applied.
    pub(super) fn answer_syncs(&mut self, now: Now, out: &mut Vec<Output>) {
        let applied = self.database.last_zxid();
        loop {
            let Some(ensemble) = &mut self.ensemble else { return };
            let is_due = |sync: &mut Syncing| sync.due.is_some_and(|due| due <= applied);
            let Some(sync) = ensemble.syncing.pop_front_if(is_due) else { return };
            let cnx = sync.asked.cnx;
            let Some(connection) = self.connection_mut(cnx) else { continue };
            let Some(Waiting::Write) = connection.waiting.pop_front() else { continue };
            let body = &sync.frame[HEADER_LEN..];
            self.answer(now, sync.asked, sync.session, body, Some(&sync.ids));
            self.drain_waiting(now, cnx, out);
        }
    }

    /// Asks the leader whether a session lives that a client brought along.
    pub(super) fn revalidate(&mut self, asking: Revalidating, out: &mut Vec<Output>) {
        let Some(ensemble) = &mut self.ensemble else { return };
        let Role::Learning(learner) = &ensemble.role else { return };
        let Some(link) = learner.link() else { return };
        let timeout_ms =
            i32::try_from(asking.timeout_ms).expect("it was clamped to an int setting");
        let message = QuorumPacket::Revalidate { session: asking.session, timeout_ms };
        out.push(Output::Send { link, bytes: packet(&message) });
        ensemble.revalidating.push_back(asking);
    }

    pub(super) fn on_revalidated(
        &mut self,
        now: Now,
        session: SessionId,
        is_valid: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(ensemble) = &mut self.ensemble else { return };
        let waiting = &mut ensemble.revalidating;
        let Some(index) = waiting.iter().position(|asking| asking.session == session) else {
            return;
        };
        let asking = waiting.remove(index).expect("it was just found");
        let Revalidating { cnx, timeout_ms, read_only, .. } = asking;
        if !is_valid {
            return self.refuse(cnx, read_only, out);
        }
        if self.connection(cnx).is_some() {
            self.attach(now, cnx, session, timeout_ms, read_only, out);
        }
    }

    /// A learner asks about a session, on the leader.
    pub(super) fn on_revalidate(
        &mut self,
        now: Now,
        link: LinkId,
        session: SessionId,
        timeout_ms: i32,
        out: &mut Vec<Output>,
    ) {
        let is_valid = self.sessions.live(session).is_some();
        if is_valid {
            let timeout_ms = u64::try_from(timeout_ms).unwrap_or(0);
            self.sessions.track(session, timeout_ms, Some(Owner::Learner(link)), now.mono);
        }
        let answer = QuorumPacket::Revalidated { session, is_valid };
        out.push(Output::Send { link, bytes: packet(&answer) });
    }

    /// A learner's client wants something, on the leader.
    pub(super) fn on_forwarded(
        &mut self,
        now: Now,
        link: LinkId,
        request: &ForwardedRequest<'_>,
        out: &mut Vec<Output>,
    ) {
        // Its learner hears of another leader in a moment, and lets its clients ask again.
        if self.is_stopping {
            return;
        }
        let session = request.session;
        let asker = Asker { session, cxid: request.cxid, ids: &request.ids };
        if request.op == ForwardedRequest::CREATE_SESSION {
            let Some(timeout_ms) = request.body.first_chunk().copied().map(i32::from_be_bytes)
            else {
                return;
            };
            let tracked_ms = u64::try_from(timeout_ms).unwrap_or(0);
            self.sessions.track(session, tracked_ms, Some(Owner::Learner(link)), now.mono);
            let write = Write::CreateSession { timeout_ms };
            return self.propose(now, asker, &write, Reply::Nobody, out);
        }
        match Op::from_code(request.op) {
            Some(Op::Sync) => self.lead(now, out, |leader, _, acts| leader.on_sync(link, acts)),
            Some(Op::CloseSession) => self.close_session(now, asker, Reply::Nobody, out),
            op => self.propose_forwarded(now, link, asker, op, request.body, out),
        }
    }

    /// Every forwarded write becomes a txn, if only an error: its learner waits for one.
    fn propose_forwarded(
        &mut self,
        now: Now,
        link: LinkId,
        asker: Asker<'_>,
        op: Option<Op>,
        body: &[u8],
        out: &mut Vec<Output>,
    ) {
        use zk_wire::ErrorCode;
        let refused = match self.sessions.live(asker.session) {
            None if self.is_local_elsewhere(asker.session) => None,
            None => Some(ErrorCode::SessionExpired),
            Some(held) if held.owner.is_some_and(|owner| owner != Owner::Learner(link)) => {
                Some(ErrorCode::SessionMoved)
            }
            Some(_) => None,
        };
        let request = op.map(|op| Request::decode(op, &mut Decoder::new(body)));
        let write = match (refused, &request) {
            (Some(code), _) => Write::Refused(code),
            (None, None) => Write::Refused(ErrorCode::Unimplemented),
            (None, Some(Err(_))) => Write::Refused(ErrorCode::MarshallingError),
            (None, Some(Ok(request))) => {
                self.write_of(request).unwrap_or(Write::Refused(ErrorCode::Unimplemented))
            }
        };
        // Compat: a session that nobody holds is its next asker's.
        if refused.is_none() {
            self.sessions.pass_to(asker.session, Owner::Learner(link));
        }
        self.propose(now, asker, &write, Reply::Nobody, out);
    }
}

/// Which parts of a multi are creates that are answered with a stat; none of another request.
pub(super) fn stat_parts(request: &Request<'_>) -> Vec<bool> {
    let Request::Multi(ops) = request else { return Vec::new() };
    let has_stat =
        |op: &MultiOp<'_>| matches!(op, MultiOp::Create(create) if create.op != Op::Create);
    ops.iter().map(has_stat).collect()
}
