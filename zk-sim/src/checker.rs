//! The oracle: holds everything that clients see against the order of txns.
//!
//! Every reply carries a zxid, so nothing has to be searched: the txns are replayed in their order
//! through the model, as the requests that were sent (not as the txns that were made of them), and
//! each reply is compared with the model at its zxid. What was on the way when a server died is
//! settled by the log that is recovered.
//!
//! Invariants
//! - `history[z]` is the state after the txn `z`, with what that txn's client must hear.

mod replies;
mod txns;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use zk_core::Database;
use zk_wire::Id;

use crate::ask::Ask;
use crate::knobs::Knobs;
use crate::model::{Answer, Event, State};
use crate::rights;
use crate::violation::{Property, Violation};
use crate::watching::Watching;

pub(crate) use replies::Came;
pub(crate) use txns::Issued;

/// Names a connection of a client for the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct LinkId(pub(crate) u64);

/// The first request of a connection.
#[derive(Clone, Debug)]
pub(crate) struct ConnectAsk {
    /// 0 for a new session.
    pub(crate) session: i64,
    pub(crate) is_password_right: bool,
    pub(crate) timeout_ms: i32,
}

/// A request and what was known when it was sent.
#[derive(Debug)]
struct Asked {
    xid: i32,
    ask: Ask,
    ids: Rc<[Id]>,
    /// The highest zxid that anybody had seen.
    floor: i64,
}

/// The state after a txn.
#[derive(Debug)]
struct Moment {
    state: Rc<State>,
    events: Vec<Event>,
    /// What the client that asked must hear: session, xid and reply.
    answer: Option<(i64, i32, Answer)>,
}

/// What is known of one connection.
#[derive(Debug)]
struct Link {
    connect: ConnectAsk,
    /// Once the connect request is fed: whether the session must be granted.
    verdict: Option<bool>,
    /// Granted by the connect response.
    session: Option<i64>,
    is_answered: bool,
    /// Sent, not fed to the server yet.
    unfed: VecDeque<Rc<Asked>>,
    /// Sent, not answered yet.
    unanswered: VecDeque<Rc<Asked>>,
    /// The identities after everything that was sent.
    ids: Rc<[Id]>,
    /// The identities that events are filtered by, and after which zxid each set is in force.
    ids_since: Vec<(i64, Rc<[Id]>)>,
    watching: Watching,
    /// The next event that was not looked at: its txn and its place there.
    cursor: (i64, usize),
    /// Notifications of a setWatches whose reply has not come.
    missed: Vec<(i32, String)>,
    /// The highest zxid in a reply.
    last: i64,
}

/// When a session was last heard of.
#[derive(Clone, Copy, Debug)]
struct Heard {
    at_ms: u64,
    timeout_ms: u64,
}

/// What the oracle must know of the server's settings.
#[derive(Clone, Copy, Debug)]
struct Limits {
    tick_ms: u64,
    session_timeout_min_ms: u64,
    session_timeout_max_ms: u64,
    extended_types: bool,
    never_used_max_ms: u64,
    txn_size_max: usize,
}

/// The oracle of one run.
#[derive(Debug)]
pub(crate) struct Checker {
    limits: Limits,
    history: Vec<Moment>,
    /// The last txn that the server has applied.
    applied: i64,
    /// The highest zxid that any client has seen.
    acked: i64,
    asked: BTreeMap<(i64, i32), Rc<Asked>>,
    /// By which txn each session was made.
    created: BTreeMap<i64, i64>,
    /// The sessions that a client was told of.
    claimed: BTreeSet<i64>,
    links: BTreeMap<LinkId, Link>,
    heard: BTreeMap<i64, Heard>,
}

impl Checker {
    pub(crate) fn new(knobs: &Knobs) -> Self {
        let state = Rc::new(State::new());
        Self {
            limits: Limits {
                tick_ms: knobs.tick_ms,
                session_timeout_min_ms: knobs.session_timeout_min_ms,
                session_timeout_max_ms: knobs.session_timeout_max_ms,
                extended_types: knobs.extended_types,
                never_used_max_ms: knobs.never_used_max_ms,
                txn_size_max: knobs.txn_size_max,
            },
            history: vec![Moment { state, events: Vec::new(), answer: None }],
            applied: 0,
            acked: 0,
            asked: BTreeMap::new(),
            created: BTreeMap::new(),
            claimed: BTreeSet::new(),
            links: BTreeMap::new(),
            heard: BTreeMap::new(),
        }
    }

    /// The state after everything that was issued.
    pub(crate) fn head(&self) -> &Rc<State> {
        &self.history.last().expect("the first state is always there").state
    }

    /// The zxid issued last.
    pub(crate) fn head_zxid(&self) -> i64 {
        self.head().zxid
    }

    fn moment(&self, zxid: i64) -> Option<&Moment> {
        self.history.get(usize::try_from(zxid).ok()?)
    }

    fn clamp(&self, timeout_ms: i32) -> u64 {
        let (min, max) = (self.limits.session_timeout_min_ms, self.limits.session_timeout_max_ms);
        u64::try_from(timeout_ms).unwrap_or(0).max(min).min(max)
    }

    /// A client opens a connection.
    pub(crate) fn on_connecting(&mut self, id: LinkId, connect: ConnectAsk) {
        let nobody: Rc<[Id]> = rights::nobody().into();
        let link = Link {
            connect,
            verdict: None,
            session: None,
            is_answered: false,
            unfed: VecDeque::new(),
            unanswered: VecDeque::new(),
            ids: nobody.clone(),
            ids_since: vec![(0, nobody)],
            watching: Watching::default(),
            cursor: (0, 0),
            missed: Vec::new(),
            last: 0,
        };
        self.links.insert(id, link);
    }

    /// A client sends a request; `session` is the one that it has or hopes to get back.
    pub(crate) fn on_asked(&mut self, id: LinkId, session: i64, xid: i32, ask: Ask) {
        let floor = self.acked;
        let link = self.links.get_mut(&id).expect("clients send on open links");
        let asked = Rc::new(Asked { xid, ask, ids: link.ids.clone(), floor });
        if let Ask::Auth { scheme, credentials } = &asked.ask
            && let Some(ids) = rights::after_auth(&link.ids, scheme, credentials)
        {
            link.ids = ids.into();
        }
        link.unfed.push_back(asked.clone());
        link.unanswered.push_back(asked.clone());
        if asked.ask.is_write() {
            self.asked.insert((session, xid), asked);
        }
    }

    /// The server is about to look at the next frame of a connection; `session` is the one that it
    /// has there.
    pub(crate) fn on_fed(&mut self, id: LinkId, session: Option<i64>, now_ms: u64) {
        let (head, applied) = (self.head().clone(), self.applied);
        let link = self.links.get_mut(&id).expect("links outlive their sockets");
        if link.verdict.is_none() {
            let connect = link.connect.clone();
            let is_alive = head.sessions.contains_key(&connect.session);
            let verdict = connect.session == 0 || is_alive && connect.is_password_right;
            link.verdict = Some(verdict);
            if verdict && connect.session != 0 {
                let timeout_ms = self.clamp(connect.timeout_ms);
                self.heard.insert(connect.session, Heard { at_ms: now_ms, timeout_ms });
            }
            return;
        }
        let asked = link.unfed.pop_front().expect("a server is fed what clients sent");
        let Some(session) = session else { return };
        if let Ask::Auth { scheme, credentials } = &asked.ask {
            let (_, ids) = link.ids_since.last().expect("it starts with one");
            if let Some(ids) = rights::after_auth(ids, scheme, credentials) {
                link.ids_since.push((applied, ids.into()));
            }
        } else if !head.sessions.contains_key(&session) {
            // What a closing session still sends is dropped without a reply.
            link.unanswered.retain(|other| !Rc::ptr_eq(other, &asked));
        } else if let Some(heard) = self.heard.get_mut(&session) {
            heard.at_ms = now_ms;
        }
    }

    /// The server has applied everything up to `zxid`.
    pub(crate) fn on_applied(&mut self, zxid: i64) {
        self.applied = zxid;
    }

    /// Time was given to the server: who should be gone is gone.
    pub(crate) fn on_timer(&self, now_ms: u64) -> Result<(), Violation> {
        for session in self.head().sessions.keys() {
            let Some(heard) = self.heard.get(session) else { continue };
            if heard.at_ms + heard.timeout_ms + self.limits.tick_ms < now_ms {
                return Err(Property::SessionTimeout
                    .broken(format!("{session:x} still lives at {now_ms} ms: {heard:?}")));
            }
        }
        Ok(())
    }

    /// A server has recovered this database; what it does not have is gone for good.
    pub(crate) fn on_recovered(&mut self, database: &Database) -> Result<(), Violation> {
        let (found, head) = (database.last_zxid().0, self.head_zxid());
        if found < self.acked {
            return Err(Property::AckedSurvives
                .broken(format!("recovered {found:x}, but a client saw {:x}", self.acked)));
        }
        if found > head {
            return Err(Property::RecoveredIsPrefix
                .broken(format!("recovered {found:x}, but only {head:x} was issued")));
        }
        self.history.truncate(usize::try_from(found).expect("it is below the head") + 1);
        self.created.retain(|_, zxid| *zxid <= found);
        self.applied = found;
        self.head().clone().compare(database)
    }

    /// A recovered server begins to serve: every session has its whole timeout again.
    pub(crate) fn on_started(&mut self, now_ms: u64) {
        let sessions = self.head().sessions.clone();
        self.heard = sessions
            .into_iter()
            .map(|(session, timeout_ms)| {
                let timeout_ms = u64::try_from(timeout_ms).unwrap_or(0);
                (session, Heard { at_ms: now_ms, timeout_ms })
            })
            .collect();
    }

    /// Compares a server's whole state with the model at the last txn that it has applied.
    pub(crate) fn compare(&self, database: &Database) -> Result<(), Violation> {
        let zxid = database.last_zxid().0;
        match self.moment(zxid) {
            Some(moment) => moment.state.compare(database),
            None => Err(Property::RecoveredIsPrefix.broken(format!("{zxid:x} was never issued"))),
        }
    }

    /// The state at a zxid that a client has seen.
    pub(crate) fn seen(&self, zxid: i64) -> Rc<State> {
        self.moment(zxid).map_or_else(|| self.head().clone(), |moment| moment.state.clone())
    }

    /// A client gives up a connection: the watches that it still has, and the highest zxid it saw.
    pub(crate) fn on_link_lost(&mut self, id: LinkId) -> (Watching, i64) {
        let link = self.links.get(&id).expect("links outlive their clients");
        (link.watching.clone(), link.last)
    }

    /// Nothing will come on this connection any more, from either side.
    pub(crate) fn forget(&mut self, id: LinkId) {
        self.links.remove(&id);
    }

    /// Once everything has come: nothing is owed on this connection.
    pub(crate) fn expect_nothing_owed(&mut self, id: LinkId) -> Result<(), Violation> {
        let applied = self.applied;
        let link = self.links.get(&id).expect("links outlive their clients");
        if let Some(asked) = link.unanswered.front() {
            return Err(Property::Progress.broken(format!("{id:?} has no reply to {asked:?}")));
        }
        match self.next_event(id, applied) {
            None => Ok(()),
            Some((zxid, event)) => Err(Property::WatchOrder
                .broken(format!("{id:?} was never told of {event:?} in {zxid:x}"))),
        }
    }
}
