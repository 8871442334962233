//! What time brings: sessions expire, idle connections go, empty containers and old TTL nodes too.
//!
//! Java: `SessionTrackerImpl.run`, `ContainerManager`, `NIOServerCnxnFactory.ConnectionExpirerThread`.

use tracing::{debug, info};
use zk_wire::{Id, SessionId, Xid};

use super::{Now, Output, Peer, Reply};
use crate::database::Database;
use crate::prep::{Asker, Write};
use crate::tree::NodeKind;

/// Settings of the reaper of container and TTL nodes.
#[derive(Clone, Copy, Debug)]
pub struct ContainerOptions {
    /// `znode.container.checkIntervalMs`.
    pub check_interval_ms: u64,
    /// `znode.container.maxPerMinute`.
    pub per_minute_max: u64,
    /// `znode.container.maxNeverUsedIntervalMs`; 0 keeps containers that never had a child.
    pub never_used_max_ms: u64,
}

/// The identity with which the server deletes on its own account.
pub(super) fn server_ids() -> [Id; 1] {
    [Id::new("super", "")]
}

impl Peer {
    pub(super) fn on_timeout(&mut self, now: Now, out: &mut Vec<Output>) {
        self.on_ensemble_timeout(now, out);
        self.on_read_only_timeout(now);
        self.end_local_sessions(now, out);
        if self.is_in_charge() {
            for session in self.sessions.expired(now.mono) {
                self.expire(now, session, out);
            }
        }
        while let Some(entry) = self.fresh.first_entry() {
            if *entry.key() > now.mono {
                break;
            }
            for cnx in entry.remove() {
                self.stats.sessionless_expired += 1;
                debug!(?cnx, "closing a connection that never opened a session");
                self.close(cnx, out);
            }
        }
        if self.is_in_charge() && self.reap_at.is_some_and(|at| at <= now.mono) {
            let interval = self.options.containers.check_interval_ms.max(1);
            self.reap_at = Some(now.mono.after(interval));
            self.reap(now, out);
        }
    }

    fn expire(&mut self, now: Now, session: SessionId, out: &mut Vec<Output>) {
        let timeout_ms = self.sessions.live(session).map_or(0, |session| session.timeout_ms);
        info!("Expiring session {session}, timeout of {timeout_ms}ms exceeded");
        self.stats.sessions_expired += 1;
        let asker = Asker { session, cxid: Xid(0), ids: &[] };
        self.close_session(now, asker, Reply::Nobody, out);
    }

    fn reap(&mut self, now: Now, out: &mut Vec<Output>) {
        let options = self.options.containers;
        let minute = 60_000;
        let share = options.per_minute_max.saturating_mul(options.check_interval_ms) / minute;
        let due = due(&self.database, now.wall_ms, options.never_used_max_ms);
        let limit = usize::try_from(share.max(1)).unwrap_or(usize::MAX);
        for path in due.into_iter().take(limit) {
            let asker = Asker { session: SessionId(0), cxid: Xid(0), ids: &server_ids() };
            let write = Write::DeleteContainer { path: &path };
            self.propose(now, asker, &write, Reply::Nobody, out);
        }
    }
}

/// Containers that have been emptied, and childless nodes past their time to live.
fn due(database: &Database, wall_ms: i64, never_used_max_ms: u64) -> Vec<String> {
    let tree = database.tree();
    let never_used_max_ms = i64::try_from(never_used_max_ms).unwrap_or(i64::MAX);
    let is_due = |id| {
        if !tree.children(id).is_empty() {
            return false;
        }
        let stat = tree.node(id).stat;
        let age_ms = wall_ms.saturating_sub(stat.mtime);
        match tree.kind(&stat) {
            NodeKind::Container if stat.cversion > 0 => true,
            NodeKind::Container => never_used_max_ms > 0 && age_ms > never_used_max_ms,
            NodeKind::Ttl { ttl_ms } => age_ms > ttl_ms,
            NodeKind::Persistent | NodeKind::Ephemeral(_) => false,
        }
    };
    tree.containers().chain(tree.ttls()).filter(|id| is_due(*id)).map(|id| tree.path(id)).collect()
}
