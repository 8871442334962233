//! The server as one machine: inputs in, outputs out, no clock, no IO.
//!
//! The shell feeds `step` with what happened and carries the outputs out in order. A write goes
//! through here twice: prepared when its frame comes, applied and answered when the log has it.
//! Reads are answered at once, unless their own session has writes on the way.
//!
//! Invariants
//! - Nothing is answered or applied before `Input::Persisted` covers it.
//! - Txns are appended in the order of their zxids, without gaps.
//! - A notification is in the connection's buffer before any reply that shows the change.
//! - A quorum of one: what this server's disk has is committed.
//!
//! Java: `ZooKeeperServer` and its chain of request processors.

mod commit;
mod connection;
mod dispatch;
mod handshake;
mod maintain;
mod shown;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::net::IpAddr;

use zk_wire::{SessionId, TxnRecord, Zxid};

use crate::database::Database;
use crate::prep::{Asker, Prep, PrepOptions, Write};
use crate::schedule::{SnapshotOptions, SnapshotSchedule, TokenOptions, Tokens};
use crate::sessions::{Millis, Sessions};
use crate::stats::Stats;
use crate::watches::Watches;

pub use connection::{Connection, ConnectionId, ConnectionStats, LastOp};
pub use maintain::ContainerOptions;

use connection::{Asked, Phase, Waiting};

/// Everything that a peer is told once, at its start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seed of hash tables and jitter.
    pub seed: u64,
    /// The high byte of session ids: `myid`, 1 standalone.
    pub server_id: u8,
    /// `tickTime`, in ms.
    pub tick_ms: u64,
    /// `minSessionTimeout`, in ms.
    pub session_timeout_min_ms: u64,
    /// `maxSessionTimeout`, in ms.
    pub session_timeout_max_ms: u64,
    /// What may be written.
    pub prep: PrepOptions,
    /// `zookeeper.globalOutstandingLimit`: above so many writes on the way, clients that have some
    /// outstanding are not read.
    pub outstanding_limit: usize,
    /// Above so many bytes that a client does not take, it is not read.
    pub output_soft_max: usize,
    /// Above so many bytes that a client does not take, its connection is closed.
    pub output_hard_max: usize,
    /// `zookeeper.nio.sessionlessCnxnTimeout`, in ms.
    pub sessionless_timeout_ms: u64,
    /// The reaper of container and TTL nodes.
    pub containers: ContainerOptions,
    /// When to take snapshots.
    pub snapshots: SnapshotOptions,
    /// How fast connects may come.
    pub connect_tokens: TokenOptions,
}

/// The moment of a step.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// For timeouts.
    pub mono: Millis,
    /// Milliseconds since 1970, for ctime and mtime.
    pub wall_ms: i64,
}

/// What happened.
#[derive(Debug)]
pub enum Input<'a> {
    /// A client connected.
    Connected {
        /// Its name from now on.
        cnx: ConnectionId,
        /// Where it comes from.
        remote: IpAddr,
    },
    /// A client sent a whole frame (without its length). Not while [`Peer::may_read`] says no.
    Frame {
        /// Who.
        cnx: ConnectionId,
        /// The frame.
        bytes: &'a [u8],
    },
    /// A client's connection is gone.
    Disconnected {
        /// Whose.
        cnx: ConnectionId,
    },
    /// The log has every txn up to this one, and will have it after a crash.
    Persisted {
        /// The last of them.
        zxid: Zxid,
    },
    /// [`Peer::deadline`] has passed.
    Timeout,
}

/// What is to be done, in order.
#[derive(Debug, PartialEq, Eq)]
pub enum Output {
    /// Append a txn to the log, then say `Persisted`.
    Append {
        /// Its place in the order.
        zxid: Zxid,
        /// Its bytes, as the log and peers get them.
        bytes: Vec<u8>,
    },
    /// Begin a new log file after what was appended so far.
    Roll,
    /// Take a snapshot of this moment: [`Peer::begin_snapshot`] before the next step.
    TakeSnapshot,
    /// Bytes are waiting in [`Peer::output`].
    Flush(ConnectionId),
    /// Send what is waiting, then close.
    Close(ConnectionId),
    /// [`Peer::may_read`] says yes again.
    Resume(ConnectionId),
}

/// A server's decisions.
#[derive(Debug)]
pub struct Peer {
    options: Options,
    database: Database,
    prep: Prep,
    sessions: Sessions,
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
    /// A peer that goes on from a recovered database. Its sessions get their full timeout again,
    /// sessions that only have nodes left expire at once.
    pub fn new(options: Options, database: Database, now: Now) -> Self {
        let mut sessions =
            Sessions::new(options.seed, options.tick_ms, options.server_id, now.wall_ms);
        for (id, timeout_ms) in database.sessions() {
            let timeout_ms = u64::try_from(*timeout_ms).unwrap_or(0);
            sessions.track(*id, timeout_ms, None, now.mono);
        }
        for id in database.lost_sessions() {
            sessions.track(id, 0, None, now.mono);
        }
        Self {
            prep: Prep::new(options.prep.clone(), &database, options.seed),
            sessions,
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
            database,
            options,
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
        }
    }

    /// When to call `step` with [`Input::Timeout`] if nothing else comes first.
    pub fn deadline(&self) -> Option<Millis> {
        let fresh = self.fresh.keys().next().copied();
        [self.sessions.deadline(), fresh, self.reap_at].into_iter().flatten().min()
    }

    /// Whether frames of this connection may be fed now. After a no, `Output::Resume` follows, or the
    /// client takes its replies, or the connection ends.
    pub fn may_read(&mut self, cnx: ConnectionId) -> bool {
        let limit = self.options.outstanding_limit;
        let is_crowded = self.in_flight.len() > limit;
        let soft_max = self.options.output_soft_max;
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
        self.in_flight.len()
    }

    /// The zxid given last; not all of them are applied.
    pub fn last_proposed(&self) -> Zxid {
        self.prep.last_zxid()
    }

    /// How many sessions are alive.
    pub fn session_count(&self) -> usize {
        self.sessions.len()
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

    /// Prepares a write, hands it to the log and remembers whom to tell.
    fn propose(
        &mut self,
        now: Now,
        asker: Asker<'_>,
        write: &Write<'_>,
        reply: Reply,
        out: &mut Vec<Output>,
    ) {
        let proposal = self.prep.prepare(&self.database, asker, write, now.wall_ms);
        let zxid = proposal.record.header.zxid;
        let is_due = self.schedule.on_txn(proposal.bytes.len());
        out.push(Output::Append { zxid, bytes: proposal.bytes });
        if is_due {
            out.push(Output::Roll);
            self.snapshot_at = Some(zxid);
        }
        self.in_flight.push_back(InFlight { record: proposal.record, reply });
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
