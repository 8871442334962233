//! Connections coming and going, and the connect request: a new session, an old one, or none.
//!
//! Java: `ZooKeeperServer.processConnectRequest`, `finishSessionInit`.

use std::net::IpAddr;

use tracing::{debug, info};
use zk_wire::{
    ConnectRequest, ConnectResponse, Encoder, Id, SessionId, Xid, begin_frame, end_frame,
};

use super::forward::Revalidating;
use super::{Connection, ConnectionId, Now, Output, Peer, Phase, Reply};
use crate::prep::{Asker, Write};
use crate::sessions::{Millis, Owner, bucket, password};

/// How coarsely connections without a session are dropped, in ms.
pub(super) const SESSIONLESS_BUCKET_MS: u64 = 10_000;

impl Peer {
    /// Gives a connection every right: the shell has opened it for itself.
    pub fn trust(&mut self, cnx: ConnectionId) {
        if let Some(connection) = self.connection_mut(cnx) {
            connection.ids = connection.ids.iter().cloned().chain([Id::new("super", "")]).collect();
        }
    }

    pub(super) fn on_connected(&mut self, now: Now, cnx: ConnectionId, remote: IpAddr) {
        let index = cnx.index();
        if self.connections.len() <= index {
            self.connections.resize_with(index + 1, || None);
        }
        debug_assert!(self.connections[index].is_none(), "the shell frees a place before reuse");
        self.connections[index] = Some(Connection::new(cnx, remote));
        let until = self.sessionless_until(now.mono);
        self.fresh.entry(until).or_default().insert(cnx);
    }

    fn sessionless_until(&self, now: Millis) -> Millis {
        let width = SESSIONLESS_BUCKET_MS.min(self.options.sessionless_timeout_ms).max(1);
        bucket(width, now, self.options.sessionless_timeout_ms)
    }

    pub(super) fn on_disconnected(&mut self, cnx: ConnectionId) {
        let Some(place) = self.connections.get_mut(cnx.index()) else { return };
        let Some(connection) = place.take_if(|connection| connection.id == cnx) else { return };
        let is_our_doing = connection.is_ending || connection.phase == Phase::Closing;
        self.stats.connection_drops += u64::from(!is_our_doing);
        self.watches.remove_connection(cnx);
        self.forget_fresh(cnx);
    }

    /// The first frame of a connection.
    pub(super) fn on_connect_request(
        &mut self,
        now: Now,
        cnx: ConnectionId,
        frame: &[u8],
        out: &mut Vec<Output>,
    ) {
        self.stats.connection_requests += 1;
        if !self.is_serving() && !self.is_read_only() {
            return self.close(cnx, out);
        }
        let last_zxid = self.database.last_zxid();
        let Ok(request) = ConnectRequest::decode(frame) else {
            return self.close(cnx, out);
        };
        if !self.tokens.take(now.mono) {
            self.stats.connection_rejected += 1;
            return self.close(cnx, out);
        }
        if request.last_zxid_seen > last_zxid {
            info!(
                session = %request.session_id,
                "Refusing session({}) request for client as it has seen zxid {} our last zxid is {} \
                 client must try another server",
                request.session_id, request.last_zxid_seen, last_zxid
            );
            return self.close(cnx, out);
        }
        self.forget_fresh(cnx);
        let wished = u64::try_from(request.timeout_ms).unwrap_or(0);
        let timeout_ms = wished
            .max(self.options.session_timeout_min_ms)
            .min(self.options.session_timeout_max_ms);
        if self.is_read_only() {
            return self.connect_read_only(now, cnx, &request, timeout_ms, out);
        }
        let read_only = request.read_only.map(|_| false);
        if request.session_id == SessionId(0) {
            self.new_session(now, cnx, timeout_ms, read_only, out);
        } else {
            self.old_session(now, cnx, &request, timeout_ms, read_only, out);
        }
    }

    fn forget_fresh(&mut self, cnx: ConnectionId) {
        self.fresh.retain(|_, fresh| {
            fresh.remove(&cnx);
            !fresh.is_empty()
        });
    }

    fn new_session(
        &mut self,
        now: Now,
        cnx: ConnectionId,
        timeout_ms: u64,
        read_only: Option<bool>,
        out: &mut Vec<Output>,
    ) {
        let session = self.sessions.new_id();
        if self.makes_local_sessions() {
            return self.attach_local(now, cnx, session, timeout_ms, read_only, out);
        }
        self.sessions.track(session, timeout_ms, Some(Owner::Connection(cnx)), now.mono);
        let connection = self.connection_mut(cnx).expect("it just sent a frame");
        connection.phase = Phase::Establishing;
        connection.owned = Some(session);
        connection.stats.timeout_ms = timeout_ms;
        let asker = Asker { session, cxid: Xid(0), ids: &[] };
        let timeout_ms = i32::try_from(timeout_ms).expect("it was clamped to an int setting");
        let reply = Reply::Session { cnx, read_only, received: now.mono };
        if self.is_learning() {
            return self.forward_session(session, timeout_ms, reply, out);
        }
        let write = Write::CreateSession { timeout_ms };
        self.propose(now, asker, &write, reply, out);
    }

    fn old_session(
        &mut self,
        now: Now,
        cnx: ConnectionId,
        request: &ConnectRequest<'_>,
        timeout_ms: u64,
        read_only: Option<bool>,
        out: &mut Vec<Output>,
    ) {
        self.stats.connection_revalidated += 1;
        let session = request.session_id;
        // Compat: whoever holds the session here is cut off first, before the password is looked at.
        let held = self.local.live(session).or_else(|| self.sessions.live(session));
        if let Some(Owner::Connection(holder)) = held.and_then(|session| session.owner) {
            self.close(holder, out);
        }
        let is_right = request.passwd == Some(&password(session)[..]);
        if is_right && self.local.live(session).is_some() {
            return self.attach_local(now, cnx, session, timeout_ms, read_only, out);
        }
        if is_right && self.is_learning() {
            let connection = self.connection_mut(cnx).expect("it just sent a frame");
            connection.phase = Phase::Establishing;
            let asking = Revalidating { session, cnx, timeout_ms, read_only };
            return self.revalidate(asking, out);
        }
        if !is_right || self.sessions.live(session).is_none() {
            debug!(%session, is_right, "Invalid session for client, probably expired");
            return self.refuse(cnx, read_only, out);
        }
        self.attach(now, cnx, session, timeout_ms, read_only, out);
    }

    /// Gives a session that lives to the connection that asked for it.
    pub(super) fn attach(
        &mut self,
        now: Now,
        cnx: ConnectionId,
        session: SessionId,
        timeout_ms: u64,
        read_only: Option<bool>,
        out: &mut Vec<Output>,
    ) {
        self.sessions.track(session, timeout_ms, Some(Owner::Connection(cnx)), now.mono);
        self.hand_out(now, cnx, session, timeout_ms, read_only, out);
    }

    /// Tells a connection that a session, which is tracked, is its own.
    pub(super) fn hand_out(
        &mut self,
        now: Now,
        cnx: ConnectionId,
        session: SessionId,
        timeout_ms: u64,
        read_only: Option<bool>,
        out: &mut Vec<Output>,
    ) {
        let Some(connection) = self.connection_mut(cnx) else { return };
        connection.owned = Some(session);
        connection.stats.timeout_ms = timeout_ms;
        self.establish(now, cnx, session, read_only, out);
    }

    /// Sends the connect response of a session that exists.
    pub(super) fn establish(
        &mut self,
        now: Now,
        cnx: ConnectionId,
        session: SessionId,
        read_only: Option<bool>,
        out: &mut Vec<Output>,
    ) {
        let Some(connection) = self.connection_mut(cnx) else { return };
        if connection.phase == Phase::Closing {
            return;
        }
        connection.phase = Phase::Established(session);
        connection.stats.established_ms = now.wall_ms;
        connection.stats.last_response = now.mono;
        connection.stats.sent += 1;
        let timeout_ms =
            i32::try_from(connection.stats.timeout_ms).expect("it was clamped to an int setting");
        let passwd = password(session);
        let response = ConnectResponse { timeout_ms, session_id: session, passwd, read_only };
        write_response(&mut connection.out, &response);
        self.stats.packets_sent += 1;
        self.flush(cnx, out);
        out.push(Output::Resume(cnx));
    }

    pub(super) fn refuse(
        &mut self,
        cnx: ConnectionId,
        read_only: Option<bool>,
        out: &mut Vec<Output>,
    ) {
        let response =
            ConnectResponse { timeout_ms: 0, session_id: SessionId(0), passwd: [0; 16], read_only };
        if let Some(connection) = self.connection_mut(cnx) {
            write_response(&mut connection.out, &response);
        }
        self.stats.packets_sent += 1;
        self.flush(cnx, out);
        self.close(cnx, out);
    }
}

fn write_response(out: &mut Vec<u8>, response: &ConnectResponse) {
    let start = begin_frame(out);
    response.encode(&mut Encoder::new(out));
    end_frame(out, start);
}
