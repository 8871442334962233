//! The oracle: holds everything that clients see, and what servers do, against the order of txns.
//!
//! Every reply carries a zxid, so nothing has to be searched: the txns are replayed in their order
//! through the model, as the requests that were sent (not as the txns that were made of them), and
//! each reply is compared with the model at its zxid. What was on the way when a server died is
//! settled by the history that goes on.
//!
//! Invariants
//! - The moment of a txn is the state after it, with what that txn's client must hear.

mod book;
mod feed;
mod replies;
mod seats;
mod txns;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::rc::Rc;

use bytes::Bytes;
use zk_core::Database;
use zk_wire::{Id, Zxid};

use crate::ask::Ask;
use crate::knobs::Knobs;
use crate::members;
use crate::model::{Answer, CONFIG, Event, State};
use crate::rights;
use crate::server::id_of;
use crate::tally::Operation;
use crate::violation::{Property, Violation};
use crate::watching::Watching;
use crate::wire::WireId;

use book::Book;
pub(crate) use replies::Came;
use seats::Seat;
pub(crate) use txns::Issued;

/// The first request of a connection.
#[derive(Clone, Debug)]
pub(crate) struct ConnectAsk {
    /// 0 for a new session.
    pub(crate) session: i64,
    pub(crate) is_password_right: bool,
    pub(crate) timeout_ms: i32,
    /// The last zxid that the client has seen.
    pub(crate) last_zxid: i64,
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
    zxid: i64,
    /// The txn that its leader had before it.
    above: i64,
    /// Its bytes.
    txn: Bytes,
    state: Rc<State>,
    events: Vec<Event>,
    /// What the client that asked must hear: session, xid and reply.
    answer: Option<(i64, i32, Answer)>,
}

/// What a connect request must lead to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Verdict {
    Granted,
    Refused,
    /// The leader decides.
    Leader,
    /// No answer: the client has seen more than this server.
    Behind,
}

/// What is known of one connection.
#[derive(Debug)]
struct Talk {
    /// With which server.
    node: usize,
    connect: ConnectAsk,
    /// Once the connect request is fed.
    verdict: Option<Verdict>,
    /// The epoch that its server is in.
    epoch: i32,
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
    /// The next event that was not looked at: its txn's place among the committed, and its own there.
    cursor: (usize, usize),
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

/// What the oracle must know of the servers' settings.
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
    is_alone: bool,
    voters: usize,
    book: Book,
    seats: Vec<Seat>,
    /// Who has begun each epoch, and who was established in it.
    reigns: BTreeMap<i32, usize>,
    established: BTreeMap<i32, usize>,
    /// The last epoch that had an established leader.
    epoch_max: i32,
    /// The highest zxid that any client has seen.
    acked: i64,
    asked: BTreeMap<(i64, i32), Rc<Asked>>,
    /// By which txn each session was made.
    created: BTreeMap<i64, i64>,
    /// The sessions that a client was told of.
    claimed: BTreeSet<i64>,
    /// The sessions that were asked for on a second connection.
    moved: BTreeSet<i64>,
    /// What leaders said of sessions that learners asked about: those that lived, and that did not.
    valid: BTreeSet<i64>,
    invalid: BTreeSet<i64>,
    talks: BTreeMap<WireId, Talk>,
}

impl Checker {
    pub(crate) fn new(knobs: &Knobs) -> Self {
        let seat = |_| Seat::default();
        Self {
            limits: Limits {
                tick_ms: knobs.tick_ms,
                session_timeout_min_ms: knobs.session_timeout_min_ms,
                session_timeout_max_ms: knobs.session_timeout_max_ms,
                extended_types: knobs.extended_types,
                never_used_max_ms: knobs.never_used_max_ms,
                txn_size_max: knobs.txn_size_max,
            },
            is_alone: knobs.quorum.is_alone(),
            voters: knobs.quorum.voters,
            book: Book::new(),
            seats: (0..knobs.quorum.nodes()).map(seat).collect(),
            reigns: BTreeMap::new(),
            established: BTreeMap::new(),
            epoch_max: 0,
            acked: 0,
            asked: BTreeMap::new(),
            created: BTreeMap::new(),
            claimed: BTreeSet::new(),
            moved: BTreeSet::new(),
            valid: BTreeSet::new(),
            invalid: BTreeSet::new(),
            talks: BTreeMap::new(),
        }
    }

    /// The state after the txn proposed last.
    pub(crate) fn latest(&self) -> &Rc<State> {
        &self.book.latest().state
    }

    /// The version of the configuration that was committed last, as far as a txn made it.
    pub(crate) fn config_version(&self) -> i64 {
        self.book.head().state.nodes[CONFIG].mzxid
    }

    /// Whether these servers, with the numbers of nodes, are a quorum of the configuration in a state.
    fn has_quorum(&self, state: &State, is_having: impl Fn(&Seat) -> bool) -> bool {
        let data = state.nodes[CONFIG].data.as_deref().unwrap_or_default();
        let voters = members::voters(&String::from_utf8_lossy(data));
        let having = |node: usize| is_having(&self.seats[node]);
        if voters.is_empty() {
            return (0..self.voters).filter(|node| having(*node)).count() > self.voters / 2;
        }
        let acks = (0..self.seats.len()).filter(|n| voters.contains(&id_of(*n)) && having(*n));
        acks.count() > voters.len() / 2
    }

    /// A server goes by other members from now on.
    pub(crate) fn on_members(&self, node: usize, before: i64, text: &str) -> Result<(), Violation> {
        let version = text.rsplit_once("version=").map_or("", |(_, version)| version);
        let version = i64::from_str_radix(version, 16).unwrap_or(-1);
        let wrong = |what: &str| {
            Err(Property::Configuration.broken(format!("server {node} {what}: {text:?}")))
        };
        if version < before {
            return wrong("goes back");
        }
        let moment = self.book.get(version).filter(|moment| moment.zxid == version);
        let made = moment.and_then(|moment| moment.state.nodes[CONFIG].data.as_deref());
        if Zxid(version).counter() != 0 && made != Some(text.as_bytes()) {
            return wrong("has what no txn made");
        }
        Ok(())
    }

    /// Once all servers agree: each goes by the configuration that was committed last.
    pub(crate) fn expect_members(&self, node: usize, text: &str) -> Result<(), Violation> {
        let data = self.book.head().state.nodes[CONFIG].data.as_deref().unwrap_or_default();
        if !data.is_empty() && data != text.as_bytes() {
            return Err(Property::Configuration.broken(format!(
                "server {node} ends with {text:?}, not {:?}",
                String::from_utf8_lossy(data)
            )));
        }
        Ok(())
    }

    /// The zxid committed last.
    pub(crate) fn head_zxid(&self) -> i64 {
        self.book.head().zxid
    }

    /// How many txns were committed.
    pub(crate) fn txns(&self) -> usize {
        self.book.chain().len() - 1
    }

    fn clamp(&self, timeout_ms: i32) -> u64 {
        let (min, max) = (self.limits.session_timeout_min_ms, self.limits.session_timeout_max_ms);
        u64::try_from(timeout_ms).unwrap_or(0).max(min).min(max)
    }

    /// What a server goes by when it judges a session: a leader by everything that it proposed, a
    /// learner by what it has applied.
    fn view(&self, node: usize) -> Rc<State> {
        let seat = &self.seats[node];
        let zxid = if seat.is_leading { seat.logged } else { seat.applied };
        self.book.get(zxid).map_or_else(|| self.book.head().state.clone(), |m| m.state.clone())
    }

    /// A client opens a connection to a server.
    pub(crate) fn on_connecting(&mut self, id: WireId, node: usize, connect: ConnectAsk) {
        let nobody: Rc<[Id]> = rights::nobody().into();
        self.moved.insert(connect.session);
        let talk = Talk {
            node,
            verdict: None,
            epoch: 0,
            session: None,
            is_answered: false,
            unfed: VecDeque::new(),
            unanswered: VecDeque::new(),
            ids: nobody.clone(),
            ids_since: vec![(0, nobody)],
            watching: Watching::default(),
            cursor: (0, 0),
            missed: Vec::new(),
            last: connect.last_zxid,
            connect,
        };
        self.talks.insert(id, talk);
    }

    /// A client sends a request; `session` is the one that it has or hopes to get back.
    pub(crate) fn on_asked(&mut self, id: WireId, session: i64, xid: i32, ask: Ask) {
        let floor = self.acked;
        let talk = self.talks.get_mut(&id).expect("clients send on open connections");
        let asked = Rc::new(Asked { xid, ask, ids: talk.ids.clone(), floor });
        if let Ask::Auth { scheme, credentials } = &asked.ask
            && let Some(ids) = rights::after_auth(&talk.ids, scheme, credentials)
        {
            talk.ids = ids.into();
        }
        talk.unfed.push_back(asked.clone());
        talk.unanswered.push_back(asked.clone());
        if asked.ask.is_write() {
            self.asked.insert((session, xid), asked);
        }
    }

    /// Compares a server's whole state with the model at the last txn that it has applied.
    pub(crate) fn compare(&self, database: &Database) -> Result<(), Violation> {
        let zxid = database.last_zxid().0;
        match self.book.get(zxid) {
            Some(moment) => moment.state.compare(database),
            None => Err(Property::RecoveredIsPrefix.broken(format!("{zxid:x} was never issued"))),
        }
    }

    /// The state at a zxid that a client has seen.
    pub(crate) fn seen(&self, zxid: i64) -> Rc<State> {
        let moment = self.book.get(zxid).unwrap_or_else(|| self.book.head());
        moment.state.clone()
    }

    /// A client gives up a connection: the watches that it still has, and the highest zxid it saw.
    pub(crate) fn on_wire_lost(&mut self, id: WireId) -> (Watching, i64) {
        let talk = self.talks.get(&id).expect("talks outlive their clients");
        (talk.watching.clone(), talk.last)
    }

    /// Nothing will come on this connection any more, from either side.
    pub(crate) fn forget(&mut self, id: WireId) {
        self.talks.remove(&id);
    }

    /// What clients wait for.
    pub(crate) fn operations(&self, operations: &mut BTreeSet<Operation>) {
        for talk in self.talks.values() {
            if !talk.is_answered {
                operations.insert(Operation::Connect);
            }
            operations.extend(talk.unanswered.iter().map(|asked| asked.ask.operation()));
        }
    }

    /// Once everything has come: nothing is owed on this connection.
    pub(crate) fn expect_nothing_owed(&mut self, id: WireId) -> Result<(), Violation> {
        let end = self.head_zxid();
        let talk = self.talks.get(&id).expect("talks outlive their clients");
        if let Some(asked) = talk.unanswered.front() {
            return Err(Property::Progress.broken(format!("{id:?} has no reply to {asked:?}")));
        }
        match self.next_event(id, end) {
            None => Ok(()),
            Some((zxid, event)) => Err(Property::WatchOrder
                .broken(format!("{id:?} was never told of {event:?} in {zxid:x}"))),
        }
    }

    /// Once all servers agree: the ephemerals' owners are live sessions.
    pub(crate) fn expect_live_owners(&self) -> Result<(), Violation> {
        txns::check_owners(&self.book.head().state)
    }
}
