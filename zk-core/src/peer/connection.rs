//! One client's connection as the core sees it: identities, order of replies, bytes to send.
//!
//! Invariants
//! - Replies leave in the order of the requests: what cannot be answered yet waits in `waiting`, and
//!   everything behind it too.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::Arc;

use zk_wire::{Id, Op, SessionId, Xid, Zxid};

use crate::ip;
use crate::sessions::Millis;
use crate::summary::Summary;

/// Names a connection: a place in the shell's table, and how often that place was used before.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnectionId {
    index: u32,
    generation: u32,
}

impl ConnectionId {
    /// The connection in place `index` for the `generation`th time.
    pub const fn new(index: u32, generation: u32) -> Self {
        Self { index, generation }
    }

    /// The place in the shell's table.
    pub fn index(self) -> usize {
        usize::try_from(self.index).expect("addresses have at least 32 bits")
    }
}

/// How far a connection has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// Nothing but a connect request may come.
    Fresh,
    /// Its createSession is on the way; what it sends meanwhile is not looked at.
    Establishing,
    /// It has a session.
    Established(SessionId),
    /// Its last frame is written; nothing that it sends is looked at.
    Closing,
}

/// A request, as far as its reply needs it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Asked {
    pub(crate) cnx: ConnectionId,
    pub(crate) xid: Xid,
    pub(crate) op: Op,
    pub(crate) received: Millis,
}

/// What stands in a connection's queue of replies.
#[derive(Debug)]
pub(crate) enum Waiting {
    /// A write whose txn is on the way.
    Write,
    /// A read behind a write of its own session, with the identities it came with.
    Read { frame: Vec<u8>, ids: Arc<[Id]>, received: Millis },
    /// A reply that is written already.
    Ready { frame: Vec<u8>, is_last: bool },
}

/// One client's connection.
#[derive(Debug)]
pub struct Connection {
    pub(crate) id: ConnectionId,
    pub(crate) phase: Phase,
    /// The session that is its own, also while it is being made.
    pub(crate) owned: Option<SessionId>,
    /// Its last reply is in `waiting`: nothing that it sends is looked at.
    pub(crate) is_ending: bool,
    pub(crate) ids: Arc<[Id]>,
    pub(crate) waiting: VecDeque<Waiting>,
    pub(crate) out: Vec<u8>,
    pub(crate) is_flush_due: bool,
    /// Whether the shell was told not to read it, and waits for a sign.
    pub(crate) is_parked: bool,
    pub(crate) address: String,
    pub(crate) stats: ConnectionStats,
}

/// What `cons` shows of a connection.
#[derive(Debug, Default)]
pub struct ConnectionStats {
    /// Frames received.
    pub received: u64,
    /// Frames sent.
    pub sent: u64,
    /// What was answered last.
    pub last_op: LastOp,
    /// The number of the last request that has one.
    pub last_cxid: Option<Xid>,
    /// The zxid in the last reply; `None` before the first.
    pub last_zxid: Option<Zxid>,
    /// When the last reply was written.
    pub last_response: Millis,
    /// When the session was established here, wall clock in ms.
    pub established_ms: i64,
    /// The session timeout granted, in ms.
    pub timeout_ms: u64,
    /// How long requests took, in ms.
    pub latency: Summary,
}

/// What a connection had answered last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LastOp {
    /// Nothing, or nothing since its stats were reset.
    #[default]
    Nothing,
    /// Its session was made.
    Session,
    /// A request.
    Request(Op),
}

impl Connection {
    pub(crate) fn new(id: ConnectionId, remote: IpAddr) -> Self {
        let address = ip::canonical(remote);
        Self {
            id,
            phase: Phase::Fresh,
            owned: None,
            is_ending: false,
            ids: [Id::new("ip", &address)].into(),
            waiting: VecDeque::new(),
            out: Vec::new(),
            is_flush_due: false,
            is_parked: false,
            address,
            stats: ConnectionStats::default(),
        }
    }

    /// A reply was written.
    pub(crate) fn on_reply(&mut self, now: Millis, asked: Asked, zxid: Zxid) {
        let stats = &mut self.stats;
        stats.sent += 1;
        stats.last_op = LastOp::Request(asked.op);
        stats.last_response = now;
        stats.last_zxid = Some(zxid);
        stats.latency.add(now.since(asked.received));
        if asked.xid.0 >= 0 {
            stats.last_cxid = Some(asked.xid);
        }
    }

    /// Its session was made by the txn of this zxid.
    pub(crate) fn on_session_made(&mut self, took_ms: u64, zxid: Zxid) {
        self.stats.last_op = LastOp::Session;
        self.stats.last_cxid = Some(Xid(0));
        self.stats.last_zxid = Some(zxid);
        self.stats.latency.add(took_ms);
    }

    /// The session it has, if it has one.
    pub fn session(&self) -> Option<SessionId> {
        if let Phase::Established(session) = self.phase { Some(session) } else { None }
    }

    /// Its name.
    pub fn id(&self) -> ConnectionId {
        self.id
    }

    /// What `cons` shows of it.
    pub fn stats(&self) -> &ConnectionStats {
        &self.stats
    }

    /// Whether bytes wait to be sent.
    pub fn has_output(&self) -> bool {
        !self.out.is_empty()
    }

    /// How many of its requests are not answered yet.
    pub fn outstanding(&self) -> usize {
        self.waiting.len()
    }
}
