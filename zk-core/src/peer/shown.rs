//! What operators are shown of the peer and what their questions count. Nothing here decides anything.
//!
//! Java: `ServerCnxn.getConnectionInfo`, `NIOServerCnxnFactory.dumpConnections`.

mod member;

use std::collections::BTreeMap;

use zk_wire::Zxid;

use super::ensemble::Role;
use super::handshake::SESSIONLESS_BUCKET_MS;
use super::{Connection, ConnectionId, ConnectionStats, Peer};
use crate::sessions::{Millis, bucket};

pub use member::Reign;

pub(super) use member::Since;

/// Bytes of a four-letter word.
const WORD: u64 = 4;

impl Peer {
    /// A connection asked with a four-letter word: that counts as a packet.
    pub fn on_word(&mut self, cnx: ConnectionId) {
        self.stats.packets_received += 1;
        self.stats.bytes_received += WORD;
        if let Some(connection) = self.connection_mut(cnx) {
            connection.stats.received += 1;
            // It is closed behind the answer.
            connection.is_ending = true;
        }
    }

    /// The last txn that is applied. Compat: a leader without txns shows where its epoch begins.
    pub fn shown_zxid(&self) -> Zxid {
        let last = self.database.last_zxid();
        match self.ensemble.as_ref().map(|ensemble| &ensemble.role) {
            Some(Role::Leading(leader)) => last.max(Zxid::new(leader.epoch(), 0)),
            None | Some(Role::Leaving | Role::Looking | Role::Learning(_)) => last,
        }
    }

    /// When connections are closed unless their clients are heard of, in order. Those with a session
    /// live to the end of the ten seconds in which it expires.
    pub fn connection_deadlines(&self) -> BTreeMap<Millis, Vec<&Connection>> {
        let mut deadlines: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (until, fresh) in &self.fresh {
            let connections = fresh.iter().filter_map(|cnx| self.connection(*cnx));
            deadlines.entry(*until).or_default().extend(connections);
        }
        let width = SESSIONLESS_BUCKET_MS.min(self.options.sessionless_timeout_ms).max(1);
        for connection in self.connections() {
            let bucket_of = |session| {
                self.sessions.bucket_of(session).or_else(|| self.local.bucket_of(session))
            };
            if let Some(expiry) = connection.owned.and_then(bucket_of) {
                deadlines.entry(bucket(width, expiry, 0)).or_default().push(connection);
            }
        }
        deadlines
    }

    /// What was counted of each open connection starts anew; who it is stays.
    pub fn reset_connection_stats(&mut self) {
        for connection in self.connections.iter_mut().flatten() {
            let ConnectionStats { established_ms, timeout_ms, .. } = connection.stats;
            connection.stats =
                ConnectionStats { established_ms, timeout_ms, ..ConnectionStats::default() };
        }
    }
}

impl Connection {
    /// Where it comes from, as Java writes it: IPv6 in eight groups without brackets.
    pub fn address(&self) -> &str {
        &self.address
    }

    /// Whether the shell reads it: not while it has more outstanding than it may.
    pub fn is_read(&self) -> bool {
        !self.is_parked
    }
}
