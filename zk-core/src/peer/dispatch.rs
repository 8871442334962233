//! A frame of an established connection: what it asks, and where it goes.
//!
//! Java: `ZooKeeperServer.processPacket`, `submitRequestNow`.

use zk_wire::{
    Decoder, Encoder, ErrorCode, Id, Op, ReplyHeader, Request, RequestHeader, SessionId, Xid, Zxid,
    begin_frame, end_frame,
};

use super::forward::stat_parts;
use super::local::Local;
use super::maintain::server_ids;
use super::{Asked, ConnectionId, Now, Output, Peer, Phase, Reply, Waiting, connection_in};
use crate::auth::{self, Authenticated};
use crate::prep::{Asker, Write};
use crate::quorum::MembersChange;
use crate::read::{Reading, write_bare_reply};
use crate::sessions::{Gone, Owner};

/// The bytes of a request before its record.
pub(super) const HEADER_LEN: usize = 8;

impl Peer {
    pub(super) fn on_frame(
        &mut self,
        now: Now,
        cnx: ConnectionId,
        frame: &[u8],
        out: &mut Vec<Output>,
    ) {
        let Some(connection) = self.connection_mut(cnx) else { return };
        connection.stats.received += 1;
        let (phase, connection_is_ending) = (connection.phase, connection.is_ending);
        self.stats.on_request(frame.len());
        match phase {
            Phase::Fresh => self.on_connect_request(now, cnx, frame, out),
            Phase::Established(_) if connection_is_ending => {}
            Phase::Established(session) => self.on_request(now, cnx, session, frame, out),
            Phase::Establishing | Phase::Closing => {}
        }
    }

    fn on_request(
        &mut self,
        now: Now,
        cnx: ConnectionId,
        session: SessionId,
        frame: &[u8],
        out: &mut Vec<Output>,
    ) {
        let mut d = Decoder::new(frame);
        let Ok(header) = RequestHeader::decode(&mut d) else { return self.close(cnx, out) };
        let op = match Op::from_code(header.op) {
            Some(op @ (Op::Auth | Op::Sasl)) => {
                return self.on_credentials(now, cnx, header.xid, op, &mut d, out);
            }
            // Compat: both can only harm; Java executes deleteContainer for anybody.
            None | Some(Op::Check | Op::DeleteContainer) => {
                let reply = ReplyHeader::error(header.xid, Zxid(-1), ErrorCode::Unimplemented);
                return self.last_reply(now, cnx, reply, out);
            }
            Some(op) => op,
        };
        let ids = self.connection(cnx).expect("it just sent a frame").ids.clone();
        if self.prep.options().auth.must_authenticate(&ids) {
            let code = ErrorCode::SessionClosedRequireSaslAuth;
            let reply = ReplyHeader::error(header.xid, Zxid::ZERO, code);
            return self.last_reply(now, cnx, reply, out);
        }
        // Compat: what a closing session still sends is dropped without a reply.
        if self.heard_of(now, session).is_err() {
            return;
        }
        let asked = Asked { cnx, xid: header.xid, op, received: now.mono };
        let is_write = op == Op::Sync || !is_read(op);
        if is_write
            && self.on_local_write(now, asked, session, &frame[HEADER_LEN..], out)
                == Local::Answered
        {
            return;
        }
        if is_write && self.is_read_only() {
            return self.refuse_write(now, asked, out);
        }
        if op == Op::Sync && self.ensemble.is_some() {
            return self.sync(now, asked, session, frame, out);
        }
        if is_read(op) {
            return self.on_read(now, asked, session, frame, out);
        }
        let asker = Asker { session, cxid: header.xid, ids: &ids };
        match Request::decode(op, &mut d) {
            Ok(request) if self.is_learning() => {
                let stat_parts = stat_parts(&request);
                self.forward(now, asked, asker, &frame[HEADER_LEN..], stat_parts, out);
            }
            Err(_) if op == Op::Multi && self.is_learning() => {
                self.forward(now, asked, asker, &frame[HEADER_LEN..], Vec::new(), out);
            }
            Ok(_) if self.has_moved(session, cnx) => {
                let write = Write::Refused(ErrorCode::SessionMoved);
                self.propose_for(now, cnx, asker, op, &write, out);
            }
            Ok(request) => self.on_write(now, cnx, asker, op, &request, out),
            // Compat: an undecodable multi takes a zxid, other writes do not.
            Err(_) if op == Op::Multi => {
                let write = Write::Refused(ErrorCode::MarshallingError);
                self.propose_for(now, cnx, asker, op, &write, out);
            }
            // As a read: Java shows the zxid issued last here, which a crash may take back.
            Err(_) => self.on_read(now, asked, session, frame, out),
        }
    }

    fn on_write(
        &mut self,
        now: Now,
        cnx: ConnectionId,
        asker: Asker<'_>,
        op: Op,
        request: &Request<'_>,
        out: &mut Vec<Output>,
    ) {
        if matches!(request, Request::CloseSession) {
            let reply = self.reply_to(now, cnx, asker.cxid, op);
            return self.close_session(now, asker, reply, out);
        }
        let write = self.write_of(request).expect("reads and credentials went elsewhere");
        self.propose_for(now, cnx, asker, op, &write, out);
    }

    /// A client said something: its session lives on.
    fn heard_of(&mut self, now: Now, session: SessionId) -> Result<(), Gone> {
        if self.local.touch(session, now.mono).is_ok() {
            return Ok(());
        }
        self.sessions.touch(session, now.mono)?;
        if self.is_learning()
            && let Some(ensemble) = &mut self.ensemble
        {
            let timeout_ms = self.sessions.live(session).map_or(0, |session| session.timeout_ms);
            let timeout_ms = i32::try_from(timeout_ms).unwrap_or(i32::MAX);
            ensemble.touched.insert(session, timeout_ms);
        }
        Ok(())
    }

    /// Whether the session's client speaks through another server by now.
    fn has_moved(&self, session: SessionId, cnx: ConnectionId) -> bool {
        let owner = self.sessions.live(session).and_then(|session| session.owner);
        owner.is_some_and(|owner| owner != Owner::Connection(cnx))
    }

    fn propose_for(
        &mut self,
        now: Now,
        cnx: ConnectionId,
        asker: Asker<'_>,
        op: Op,
        write: &Write<'_>,
        out: &mut Vec<Output>,
    ) {
        let reply = self.reply_to(now, cnx, asker.cxid, op);
        self.propose(now, asker, write, reply, out);
    }

    /// Reserves the reply's place in the connection's order.
    pub(super) fn reply_to(&mut self, now: Now, cnx: ConnectionId, xid: Xid, op: Op) -> Reply {
        if let Some(connection) = self.connection_mut(cnx) {
            connection.waiting.push_back(Waiting::Write);
        }
        Reply::Request(Asked { cnx, xid, op, received: now.mono })
    }

    /// Ends a session: its ephemerals go in the same txn, unless they are too many for one.
    pub(super) fn close_session(
        &mut self,
        now: Now,
        asker: Asker<'_>,
        reply: Reply,
        out: &mut Vec<Output>,
    ) {
        let session = asker.session;
        let paths = self.prep.ephemerals(&self.database, session);
        let mut size: usize = paths.iter().map(|path| path.len() + 4).sum();
        let server = Asker { session, cxid: Xid(0), ids: &server_ids() };
        for path in &paths {
            if size <= self.options.prep.txn_size_max / 2 {
                break;
            }
            size -= path.len() + 4;
            let write = Write::Delete { path: Some(path), version: -1 };
            self.propose(now, server, &write, Reply::Nobody, out);
        }
        self.sessions.mark_closing(session);
        self.propose(now, asker, &Write::CloseSession, reply, out);
    }

    fn on_read(
        &mut self,
        now: Now,
        asked: Asked,
        session: SessionId,
        frame: &[u8],
        out: &mut Vec<Output>,
    ) {
        let connection = self.connection_mut(asked.cnx).expect("it just sent a frame");
        if !connection.waiting.is_empty() {
            let ids = connection.ids.clone();
            let frame = frame.to_vec();
            connection.waiting.push_back(Waiting::Read { frame, ids, received: now.mono });
            return;
        }
        self.answer(now, asked, session, &frame[HEADER_LEN..], None);
        self.flush(asked.cnx, out);
    }

    /// Answers a read from committed state into the connection's buffer; `ids` are those that it came
    /// with, if it had to wait.
    pub(super) fn answer(
        &mut self,
        now: Now,
        asked: Asked,
        session: SessionId,
        body: &[u8],
        ids: Option<&[Id]>,
    ) {
        let cnx = asked.cnx;
        let Some(connection) = connection_in(&mut self.connections, cnx) else { return };
        let before = connection.out.len();
        match Request::decode(asked.op, &mut Decoder::new(body)) {
            Ok(request) => {
                let mut reading = Reading {
                    database: &self.database,
                    watches: &mut self.watches,
                    auth: &self.options.prep.auth,
                    cnx,
                    session,
                    ids: ids.unwrap_or(&connection.ids),
                };
                reading.answer(asked.xid, &request, &mut connection.out);
            }
            Err(_) => {
                let zxid = self.database.last_zxid();
                let header = ReplyHeader::error(asked.xid, zxid, ErrorCode::MarshallingError);
                write_bare_reply(&mut connection.out, header);
            }
        }
        connection.on_reply(now.mono, asked, self.database.last_zxid());
        let took = now.mono.since(asked.received);
        self.stats.latency.add(took);
        self.stats.read_latency.add(took);
        self.stats.on_response(connection.out.len() - before);
    }

    fn on_credentials(
        &mut self,
        now: Now,
        cnx: ConnectionId,
        xid: Xid,
        op: Op,
        d: &mut Decoder<'_>,
        out: &mut Vec<Output>,
    ) {
        match Request::decode(op, d) {
            Ok(Request::Auth(packet)) => {
                let connection = self.connection(cnx).expect("it just sent a frame");
                let scheme = packet.scheme.as_deref().unwrap_or_default();
                let auth = &self.prep.options().auth;
                match auth.authenticate(scheme, packet.auth, &connection.address) {
                    Authenticated::As(ids) => {
                        let connection = self.connection_mut(cnx).expect("it is still there");
                        auth::add(&mut connection.ids, ids);
                        self.ready_reply(now, cnx, ReplyHeader::ok(xid, Zxid::ZERO), false, out);
                    }
                    Authenticated::Failed => {
                        self.stats.auth_failed += 1;
                        let code = ErrorCode::AuthFailed;
                        let reply = ReplyHeader::error(xid, Zxid::ZERO, code);
                        self.last_reply(now, cnx, reply, out);
                    }
                }
            }
            // Compat: a server without a SASL login answers any token with success and a null token.
            Ok(Request::Sasl { token: Some(_) }) => {
                let mut frame = Vec::new();
                let start = begin_frame(&mut frame);
                let mut e = Encoder::new(&mut frame);
                ReplyHeader::ok(xid, Zxid::ZERO).encode(&mut e);
                e.buffer(None);
                end_frame(&mut frame, start);
                self.ready_frame(now, cnx, frame, false, out);
            }
            _ => self.close(cnx, out),
        }
    }

    /// A reply that is known at once, but keeps its place behind those that are not.
    pub(super) fn ready_reply(
        &mut self,
        now: Now,
        cnx: ConnectionId,
        header: ReplyHeader,
        is_last: bool,
        out: &mut Vec<Output>,
    ) {
        let mut frame = Vec::new();
        write_bare_reply(&mut frame, header);
        self.ready_frame(now, cnx, frame, is_last, out);
    }

    /// A reply after which the connection is closed; the session lives on.
    fn last_reply(
        &mut self,
        now: Now,
        cnx: ConnectionId,
        header: ReplyHeader,
        out: &mut Vec<Output>,
    ) {
        self.ready_reply(now, cnx, header, true, out);
    }

    fn ready_frame(
        &mut self,
        now: Now,
        cnx: ConnectionId,
        frame: Vec<u8>,
        is_last: bool,
        out: &mut Vec<Output>,
    ) {
        let Some(connection) = self.connection_mut(cnx) else { return };
        connection.waiting.push_back(Waiting::Ready { frame, is_last });
        connection.is_ending |= is_last;
        self.drain_waiting(now, cnx, out);
    }

    /// What a request wants to be written; `None` for one that writes nothing, or ends its session.
    pub(super) fn write_of<'a>(&self, request: &'a Request<'a>) -> Option<Write<'a>> {
        Some(match request {
            Request::Create(create) => Write::Create(create),
            Request::Delete { path, version } => {
                Write::Delete { path: path.as_deref(), version: *version }
            }
            Request::SetData { path, data, version } => {
                Write::SetData { path: path.as_deref(), data: *data, version: *version }
            }
            Request::SetAcl { path, acl, version } => {
                Write::SetAcl { path: path.as_deref(), acl: acl.as_deref(), version: *version }
            }
            Request::Multi(ops) => Write::Multi(ops),
            Request::Reconfig { joining, leaving, new_members, config_id } => {
                let request = MembersChange {
                    joining: joining.as_deref(),
                    leaving: leaving.as_deref(),
                    members: new_members.as_deref(),
                };
                Write::Reconfig(self.changed_members(&request, *config_id))
            }
            _ => return None,
        })
    }
}

/// Whether an op is answered from committed state.
fn is_read(op: Op) -> bool {
    match op {
        Op::Exists
        | Op::GetData
        | Op::GetAcl
        | Op::GetChildren
        | Op::Sync
        | Op::Ping
        | Op::GetChildren2
        | Op::CheckWatches
        | Op::RemoveWatches
        | Op::MultiRead
        | Op::SetWatches
        | Op::GetEphemerals
        | Op::GetAllChildrenNumber
        | Op::SetWatches2
        | Op::AddWatch
        | Op::WhoAmI => true,
        Op::Create
        | Op::Delete
        | Op::SetData
        | Op::SetAcl
        | Op::Check
        | Op::Multi
        | Op::Create2
        | Op::Reconfig
        | Op::CreateContainer
        | Op::DeleteContainer
        | Op::CreateTtl
        | Op::Auth
        | Op::Sasl
        | Op::CloseSession => false,
    }
}
