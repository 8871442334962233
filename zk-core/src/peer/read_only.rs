//! A member without a quorum that serves reads to those who asked for that.
//!
//! Its sessions are its own: no txn makes them, and they are gone when it finds a leader. It shows what a
//! quorum had when this member last saw one, never the tail of its log.
//!
//! Java: `ReadOnlyZooKeeperServer`, `ReadOnlyRequestProcessor`.

use tracing::info;
use zk_wire::{ConnectRequest, ErrorCode, ReplyHeader, SessionId};

use super::ensemble::Role;
use super::{Asked, ConnectionId, Now, Output, Peer};
use crate::sessions::Millis;

/// A shorter search for a leader than this is not worth it, in ms. Java: in `QuorumPeer.run`.
const PATIENCE_MS: u64 = 2000;

impl Peer {
    /// Whether reads are served without a quorum.
    pub fn is_read_only(&self) -> bool {
        self.ensemble.as_ref().is_some_and(|ensemble| ensemble.is_read_only)
    }

    /// When reads begin to be served, if no leader is found before.
    pub(super) fn read_only_at(&self) -> Option<Millis> {
        let ensemble = self.ensemble.as_ref()?;
        let is_wanted = ensemble.options.read_only && !ensemble.is_read_only;
        if !is_wanted || !matches!(ensemble.role, Role::Looking) {
            return None;
        }
        Some(ensemble.looking_since.after(PATIENCE_MS.max(self.options.tick_ms)))
    }

    pub(super) fn on_read_only_timeout(&mut self, now: Now) {
        if self.read_only_at().is_some_and(|at| at <= now.mono)
            && let Some(ensemble) = &mut self.ensemble
        {
            info!("no leader found: serving clients that are content with reads");
            ensemble.is_read_only = true;
        }
    }

    /// A leader is found: clients come again as to any member.
    pub(super) fn end_read_only(&mut self, out: &mut Vec<Output>) {
        let Some(ensemble) = &mut self.ensemble else { return };
        if !std::mem::take(&mut ensemble.is_read_only) {
            return;
        }
        self.local.clear();
        let open: Vec<_> = self.connections().map(super::Connection::id).collect();
        for cnx in open {
            self.close(cnx, out);
        }
    }

    /// A client comes. Compat: one that wants to write, or has a session of the ensemble, must try
    /// another server.
    pub(super) fn connect_read_only(
        &mut self,
        now: Now,
        cnx: ConnectionId,
        request: &ConnectRequest<'_>,
        timeout_ms: u64,
        out: &mut Vec<Output>,
    ) {
        let session = request.session_id;
        if request.read_only != Some(true) || self.database.sessions().contains_key(&session) {
            return self.close(cnx, out);
        }
        if session != SessionId(0) {
            return self.refuse(cnx, Some(true), out);
        }
        let session = self.sessions.new_id();
        self.attach_local(now, cnx, session, timeout_ms, Some(true), out);
    }

    /// A request that is not a plain read.
    pub(super) fn refuse_write(&mut self, now: Now, asked: Asked, out: &mut Vec<Output>) {
        let zxid = self.database.last_zxid();
        let header = ReplyHeader::error(asked.xid, zxid, ErrorCode::NotReadOnly);
        self.ready_reply(now, asked.cnx, header, false, out);
    }
}
