//! The server as one machine: inputs in, outputs out, no clock, no IO.
//!
//! The shell feeds `step` with what happened and carries the outputs out in order. A write goes
//! through here twice: prepared when its frame comes, applied and answered when the log has it.
//! Reads are answered at once, unless their own session has writes on the way.
//!
//! Invariants
//! - Nothing is answered or applied before `Input::Persisted` covers it, and a quorum has it.
//! - Txns are appended in the order of their zxids, without gaps.
//! - A notification is in the connection's buffer before any reply that shows the change.
//! - Alone it is a quorum of one: what this server's disk has is committed.
//!
//! Java: `ZooKeeperServer` and its chain of request processors.

mod commit;
mod connection;
mod disk;
mod dispatch;
mod ensemble;
mod forward;
mod handshake;
mod io;
mod link;
mod local;
mod maintain;
mod options;
mod read_only;
mod reconfig;
mod shown;
mod snapshots;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use bytes::Bytes;
use zk_wire::{SessionId, TxnRecord, Zxid};

use crate::database::Database;
use crate::prep::{Asker, Prep, Write};
use crate::schedule::{SnapshotSchedule, Tokens};
use crate::sessions::{Millis, Sessions};
use crate::stats::Stats;
use crate::watches::Watches;
use crate::zab::{GiveUp, Leader};

pub use connection::{Connection, ConnectionId, ConnectionStats, LastOp};
pub use ensemble::RoleName;
pub use io::{Input, Now, Output};
pub use maintain::ContainerOptions;
pub use options::Options;
pub use shown::Reign;

use connection::{Asked, Phase, Waiting};
use ensemble::Ensemble;

/// A server's decisions.
#[derive(Debug)]
pub struct Peer {
    options: Options,
    database: Database,
    prep: Prep,
    sessions: Sessions,
    /// Sessions that only this server knows.
    local: Sessions,
    watches: Watches,
    connections: Vec<Option<Connection>>,
    in_flight: VecDeque<InFlight>,
    parked: Vec<ConnectionId>,
    fresh: BTreeMap<Millis, BTreeSet<ConnectionId>>,
    tokens: Tokens,
    schedule: SnapshotSchedule,
    snapshot_at: Option<Zxid>,
    reap_at: Option<Millis>,
    stats: Stats,
    /// The last txn that the log was told to append.
    appended: Zxid,
    /// The last txn that the log has for good.
    persisted: Zxid,
    /// The last txn that a quorum has for good.
    committed: Zxid,
    ensemble: Option<Box<Ensemble>>,
    /// Nothing new is taken any more.
    is_stopping: bool,
}

/// A txn that the log may not have yet.
#[derive(Debug)]
struct InFlight {
    record: TxnRecord,
    reply: Reply,
}

/// Who is to be told, and what.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Reply {
    /// Nobody asked.
    Nobody,
    /// The connection that asked for the session; `read_only` mirrors its request.
    Session { cnx: ConnectionId, read_only: Option<bool>, received: Millis },
    /// A request.
    Request(Asked),
}

impl Peer {
    /// A peer that goes on from a recovered database. Alone, it serves at once; in an ensemble it looks for
    /// a leader first.
    pub fn new(options: Options, mut database: Database, now: Now) -> Self {
        let sessions = Sessions::new(options.seed, options.tick_ms, options.server_id, now.wall_ms);
        let last = database.last_zxid();
        let ensemble = options.ensemble.clone();
        let ensemble = ensemble.map(|options| Box::new(Ensemble::new(options, &mut database)));
        let mut peer = Self {
            prep: Prep::new(options.prep.clone(), &database, options.seed),
            sessions,
            local: Sessions::new(options.seed, options.tick_ms, options.server_id, now.wall_ms),
            watches: Watches::new(options.seed),
            connections: Vec::new(),
            in_flight: VecDeque::new(),
            parked: Vec::new(),
            fresh: BTreeMap::new(),
            tokens: Tokens::new(options.connect_tokens),
            schedule: SnapshotSchedule::new(options.snapshots, options.seed),
            snapshot_at: None,
            reap_at: Some(now.mono.after(options.containers.check_interval_ms)),
            stats: Stats::default(),
            appended: last,
            persisted: last,
            committed: last,
            database,
            options,
            ensemble,
            is_stopping: false,
        };
        if peer.ensemble.is_none() {
            peer.track_all(now.mono);
        } else {
            // Alone, the shell takes a snapshot at once; a member has better to do then.
            peer.schedule.on_replayed(peer.database.replayed_count());
        }
        peer
    }

    /// Sessions get their full timeout again; those that only have nodes left expire at once.
    fn track_all(&mut self, now: Millis) {
        for (id, timeout_ms) in self.database.sessions() {
            let timeout_ms = u64::try_from(*timeout_ms).unwrap_or(0);
            self.sessions.track(*id, timeout_ms, None, now);
        }
        for id in self.database.lost_sessions() {
            self.sessions.track(id, 0, None, now);
        }
    }

    /// Takes one input and appends what is to be done, in order.
    pub fn step(&mut self, now: Now, input: Input<'_>, out: &mut Vec<Output>) {
        match input {
            Input::Connected { cnx, remote } => self.on_connected(now, cnx, remote),
            Input::Frame { cnx, bytes } => self.on_frame(now, cnx, bytes, out),
            Input::Disconnected { cnx } => self.on_disconnected(cnx),
            Input::Persisted { zxid } => self.on_persisted(now, zxid, out),
            Input::Timeout => self.on_timeout(now, out),
            Input::Stop => self.on_stop(now, out),
            Input::Notified { from, payload } => self.on_notified(now, from, payload, out),
            Input::Reachable { peer, is_reachable } => {
                self.on_reachable(now, peer, is_reachable, out);
            }
            Input::LinkOpened { link, remote } => self.on_link_opened(now, link, remote, out),
            Input::Dialed { link } => self.on_dialed(now, link, out),
            Input::DialFailed => self.on_dial_failed(now, out),
            Input::LinkBytes { link, bytes } => self.on_link_bytes(now, link, bytes, out),
            Input::LinkClosed { link } => self.on_link_closed(now, link, out),
            Input::EpochsStored { accepted, current } => {
                self.on_epochs_stored(now, accepted, current, out);
            }
            Input::NamingStored { naming } => self.on_naming_stored(now, naming, out),
            Input::Truncated { zxid } => self.on_truncated(now, zxid, out),
            Input::Reloaded { database } => self.on_reloaded(now, *database, out),
            Input::SnapshotTaken { is_durable } => self.on_snapshot_taken(now, is_durable, out),
            Input::LogRead { link, txns } => self.on_log_read(now, link, txns, out),
            Input::LogUnfit { link } => self.on_log_unfit(now, link, out),
            Input::SnapshotStreamed => self.on_snapshot_streamed(now, out),
        }
    }

    /// When to call `step` with [`Input::Timeout`] if nothing else comes first.
    pub fn deadline(&self) -> Option<Millis> {
        let fresh = self.fresh.keys().next().copied();
        let is_in_charge = self.is_in_charge();
        let sessions = self.sessions.deadline().filter(|_| is_in_charge);
        let local = self.local.deadline();
        let reap_at = self.reap_at.filter(|_| is_in_charge);
        let is_logged = self.persisted >= self.appended;
        let role = self.ensemble.as_ref();
        let role = role.and_then(|ensemble| ensemble.deadline(is_logged && !self.is_stopping));
        [sessions, local, fresh, reap_at, role, self.read_only_at()].into_iter().flatten().min()
    }

    /// Whether frames of this connection may be fed now. After a no, `Output::Resume` follows, or the
    /// client takes its replies, or the connection ends.
    pub fn may_read(&mut self, cnx: ConnectionId) -> bool {
        let limit = self.options.outstanding_limit;
        let is_crowded = self.outstanding() > limit;
        let soft_max = self.options.output_soft_max;
        let is_stopping = self.is_stopping;
        let Some(connection) = self.connection_mut(cnx) else { return false };
        // Its own queue has a limit too: reads behind one slow write could else fill the memory.
        let waiting = connection.waiting.len();
        let is_held_back = (is_crowded && waiting > 0) || waiting > limit;
        let may_read = match connection.phase {
            Phase::Fresh => true,
            Phase::Establishing | Phase::Closing => false,
            Phase::Established(_) => {
                !connection.is_ending && !is_held_back && connection.out.len() <= soft_max
            }
        };
        let may_read = may_read && !is_stopping;
        if is_held_back && !connection.is_parked {
            connection.is_parked = true;
            self.parked.push(cnx);
        }
        may_read
    }

    /// The bytes that wait to be sent; the shell removes from the front what it has sent.
    pub fn output(&mut self, cnx: ConnectionId) -> Option<&mut Vec<u8>> {
        let connection = self.connection_mut(cnx)?;
        connection.is_flush_due = false;
        Some(&mut connection.out)
    }

    /// The replicated state.
    pub fn database(&self) -> &Database {
        &self.database
    }

    /// The replicated state, for a snapshot's slices.
    pub fn database_mut(&mut self) -> &mut Database {
        &mut self.database
    }

    /// The watches.
    pub fn watches(&self) -> &Watches {
        &self.watches
    }

    /// What was counted.
    pub fn stats(&self) -> &Stats {
        &self.stats
    }

    /// What was counted, for the shell's own packets and for resets.
    pub fn stats_mut(&mut self) -> &mut Stats {
        &mut self.stats
    }

    /// The open connections.
    pub fn connections(&self) -> impl Iterator<Item = &Connection> {
        self.connections.iter().flatten()
    }

    /// One connection.
    pub fn connection(&self, cnx: ConnectionId) -> Option<&Connection> {
        self.connections.get(cnx.index())?.as_ref().filter(|connection| connection.id == cnx)
    }

    /// How many requests are not answered yet.
    pub fn outstanding(&self) -> usize {
        match &self.ensemble {
            Some(ensemble) if self.is_learning() => ensemble.forwarded_count,
            _ => self.in_flight.len(),
        }
    }

    /// The zxid given last; not all of them are applied.
    pub fn last_proposed(&self) -> Zxid {
        self.prep.last_zxid()
    }

    /// How many sessions are alive, whoever serves them.
    pub fn session_count(&self) -> usize {
        if self.is_learning() { self.database.sessions().len() } else { self.sessions.len() }
    }

    /// When which sessions expire, in order.
    pub fn session_buckets(&self) -> &BTreeMap<Millis, BTreeSet<SessionId>> {
        self.sessions.buckets()
    }

    /// The settings it was started with.
    pub fn options(&self) -> &Options {
        &self.options
    }

    fn connection_mut(&mut self, cnx: ConnectionId) -> Option<&mut Connection> {
        connection_in(&mut self.connections, cnx)
    }

    /// Prepares a write, hands it to the log and to followers, and remembers whom to tell.
    fn propose(
        &mut self,
        now: Now,
        asker: Asker<'_>,
        write: &Write<'_>,
        reply: Reply,
        out: &mut Vec<Output>,
    ) {
        if self.ensemble.is_some() && !Leader::has_zxids_left(self.prep.last_zxid()) {
            return self.leave_role(now, &GiveUp::Rollover, out);
        }
        let proposal = self.prep.prepare(&self.database, asker, write, now.wall_ms);
        let zxid = proposal.record.header.zxid;
        let bytes = Bytes::from(proposal.bytes);
        if self.ensemble.is_none() {
            return self.append(proposal.record, bytes, reply, out);
        }
        self.stats.member.on_proposal(bytes.len());
        if let Some(config) = proposal.record.txn.config() {
            self.on_members_proposed(&config, out);
        }
        self.append(proposal.record, bytes.clone(), reply, out);
        self.lead(now, out, |leader, _, acts| leader.propose(now.mono, zxid, &bytes, acts));
    }

    /// Hands a txn to the log; it is applied once it is there and committed.
    fn append(&mut self, record: TxnRecord, bytes: Bytes, reply: Reply, out: &mut Vec<Output>) {
        let zxid = record.header.zxid;
        if let Some(ensemble) = &mut self.ensemble {
            ensemble.history.push(zxid, bytes.clone());
        }
        let is_due = self.schedule.on_txn(bytes.len());
        self.appended = zxid;
        out.push(Output::Append { zxid, bytes });
        if is_due {
            out.push(Output::Roll);
            self.snapshot_at = Some(zxid);
        }
        self.in_flight.push_back(InFlight { record, reply });
    }

    /// A connection's buffer has bytes: the shell is told once.
    fn flush(&mut self, cnx: ConnectionId, out: &mut Vec<Output>) {
        let hard_max = self.options.output_hard_max;
        let Some(connection) = self.connection_mut(cnx) else { return };
        if connection.out.len() > hard_max {
            connection.out.clear();
            self.close(cnx, out);
        } else if !connection.is_flush_due && !connection.out.is_empty() {
            connection.is_flush_due = true;
            out.push(Output::Flush(cnx));
        }
    }

    /// Closes a connection after what is in its buffer; the shell is told once.
    fn close(&mut self, cnx: ConnectionId, out: &mut Vec<Output>) {
        if let Some(connection) = self.connection_mut(cnx)
            && connection.phase != Phase::Closing
        {
            connection.phase = Phase::Closing;
            connection.waiting.clear();
            out.push(Output::Close(cnx));
        }
    }

    /// Tells the shell to look again at connections that were held back with too much outstanding.
    fn unpark(&mut self, out: &mut Vec<Output>) {
        let mut parked = std::mem::take(&mut self.parked);
        for cnx in parked.drain(..) {
            if let Some(connection) = self.connection_mut(cnx) {
                connection.is_parked = false;
                out.push(Output::Resume(cnx));
            }
        }
        // A connection that still may not be read is parked again when the shell asks.
        self.parked = parked;
    }
}

/// A connection by its name, while other parts of the peer are in use.
fn connection_in(
    connections: &mut [Option<Connection>],
    cnx: ConnectionId,
) -> Option<&mut Connection> {
    connections.get_mut(cnx.index())?.as_mut().filter(|connection| connection.id == cnx)
}

#[cfg(test)]
mod tests;
