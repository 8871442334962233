//! Votes between members: one connection a pair, made when there is something to say.
//!
//! Each peer has a place with at most one message that waits; a newer one takes its place. The last one
//! that went out goes out again over a new connection, since nobody knows whether it arrived.
//!
//! Invariants
//! - The connection that stays was made by the server with the larger number. A smaller one says who it
//!   is, closes, and is called back.
//! - A new connection of a peer takes the place of its old one.
//! - Attempts to reach a peer that fails come slower and slower, whoever wishes for them.
//!
//! Wire: `zk_wire::InitialMessage`, then frames of `zk_wire::Notification`. Java: `QuorumCnxManager`.

mod conversation;
mod dialing;
mod introduction;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::task::AbortHandle;
use tokio::time::Instant;
use tracing::{debug, info};
use zk_core::Input;
use zk_wire::ServerId;

use super::Core;
use super::Endpoints;
use super::complaints::Complaints;
use super::dialer::{Dialer, Endpoint};
use super::waiting::Other;

/// The election connections of this member.
pub(crate) struct ElectionPort {
    core: Weak<dyn Core>,
    dialer: Rc<Dialer>,
    options: ElectionOptions,
    state: RefCell<State>,
}

/// How votes are exchanged.
#[derive(Clone, Debug)]
pub(crate) struct ElectionOptions {
    pub(crate) me: ServerId,
    /// `multiAddress.enabled`: the introduction may name several addresses.
    pub(crate) multi_address: bool,
    /// `quorumCnxnTimeoutMs`: how long who connects may take to say who it is.
    pub(crate) introduction_time: Duration,
}

#[derive(Debug, Default)]
struct State {
    /// The election ports of all members, this one's too.
    members: Endpoints,
    places: BTreeMap<ServerId, Place>,
    /// Connections of which nobody knows yet whose they are, oldest first.
    introductions: VecDeque<(u64, AbortHandle)>,
    introduction_count: u64,
    complaints: Complaints,
}

impl State {
    fn is_other_member(&self, me: ServerId, peer: ServerId) -> bool {
        peer != me && self.members.contains_key(&peer)
    }
}

/// What there is of a peer.
#[derive(Debug, Default)]
struct Place {
    /// The message that waits.
    unsent: Option<Vec<u8>>,
    /// The last one that went out.
    last: Option<Vec<u8>>,
    connection: Option<Rc<Connection>>,
    /// The task that tries to get one; told when there is one.
    dialing: Option<Rc<Notify>>,
    is_called_back: bool,
    failures: Failures,
}

/// A connection that stays.
#[derive(Debug, Default)]
struct Connection {
    /// Told when there is a message, or another connection has come.
    changed: Notify,
    /// Whether the peer has said something.
    was_useful: Cell<bool>,
}

/// Attempts in a row that led to nothing.
#[derive(Clone, Copy, Debug, Default)]
struct Failures {
    count: u32,
    /// When the next attempt may be made.
    until: Option<Instant>,
}

impl Failures {
    fn add(&mut self) {
        let pause = PAUSE_MIN.saturating_mul(1 << self.count.min(10)).min(PAUSE_MAX);
        self.count = self.count.saturating_add(1);
        self.until = Some(Instant::now() + pause);
    }
}

impl ElectionPort {
    pub(crate) fn new(
        core: Weak<dyn Core>,
        dialer: Rc<Dialer>,
        options: ElectionOptions,
        members: Endpoints,
    ) -> Rc<Self> {
        let state = State { members, ..State::default() };
        Rc::new(Self { core, dialer, options, state: RefCell::new(state) })
    }

    /// The other members, for people.
    pub(crate) fn others(&self) -> Vec<Other> {
        let state = self.state.borrow();
        let others = state.members.iter().filter(|(id, _)| **id != self.options.me);
        let is_reached =
            |id| state.places.get(id).is_some_and(|place: &Place| place.connection.is_some());
        others
            .map(|(id, places)| Other {
                id: *id,
                places: places.clone(),
                is_reached: is_reached(id),
            })
            .collect()
    }

    /// From now on these are the members. Connections to those that are elsewhere now, or gone, end. This
    /// server stays where it was if it is none of them.
    pub(crate) fn set_members(&self, mut members: Endpoints) {
        let me = self.options.me;
        let mut state = self.state.borrow_mut();
        if let Some(own) = state.members.get(&me) {
            members.entry(me).or_insert_with(|| own.clone());
        }
        let before = std::mem::replace(&mut state.members, members);
        for (peer, endpoints) in before {
            let now = state.members.get(&peer);
            // A place where it is to be only once a proposal is committed stands behind.
            if now.is_some_and(|now| now.first() == endpoints.first()) {
                continue;
            }
            let is_gone = now.is_none();
            let Some(place) = state.places.get_mut(&peer) else { continue };
            place.failures = Failures::default();
            if let Some(connection) = place.connection.take() {
                info!("closing the election connection with {peer}: the configuration has changed");
                connection.changed.notify_one();
            }
            if is_gone {
                place.unsent = None;
                self.forget_stranger(&mut state, peer);
            }
        }
    }

    /// Where a member is; nowhere if it is none.
    fn endpoints_of(&self, peer: ServerId) -> Vec<Endpoint> {
        self.state.borrow().members.get(&peer).cloned().unwrap_or_default()
    }

    /// Sends a message to a peer as soon as that can be.
    pub(crate) fn notify(self: &Rc<Self>, to: ServerId, payload: Vec<u8>) {
        let is_member = self.is_other_member(to);
        let mut state = self.state.borrow_mut();
        let place = match state.places.get_mut(&to) {
            Some(place) => place,
            None if is_member => state.places.entry(to).or_default(),
            None => return debug!("a message to server {to}, which is gone, is dropped"),
        };
        place.unsent = Some(payload);
        match &place.connection {
            Some(connection) => connection.changed.notify_one(),
            None => {
                drop(state);
                self.want_connection(to);
            }
        }
    }

    /// Tries to reach every member that has no connection.
    pub(crate) fn connect_all(self: &Rc<Self>) {
        let peers: Vec<ServerId> = self.state.borrow().members.keys().copied().collect();
        for peer in peers {
            self.want_connection(peer);
        }
    }

    fn is_other_member(&self, peer: ServerId) -> bool {
        self.state.borrow().is_other_member(self.options.me, peer)
    }

    fn is_connected(&self, peer: ServerId) -> bool {
        let state = self.state.borrow();
        state.places.get(&peer).is_some_and(|place| place.connection.is_some())
    }

    fn feed(&self, input: Input<'_>) {
        // Without a core the server is going down.
        if let Some(core) = self.core.upgrade() {
            core.feed(input);
        }
    }

    fn complain(&self, text: &str) {
        self.state.borrow_mut().complaints.warn(text);
    }

    /// Makes a connection the one of its peer.
    fn adopt(&self, peer: ServerId) -> Rc<Connection> {
        let mut state = self.state.borrow_mut();
        let place = state.places.entry(peer).or_default();
        let connection = Rc::new(Connection::default());
        if let Some(old) = place.connection.replace(connection.clone()) {
            old.changed.notify_one();
        }
        if let Some(dialing) = &place.dialing {
            dialing.notify_one();
        }
        if place.unsent.is_none() {
            place.unsent.clone_from(&place.last);
        }
        connection
    }

    /// A connection is over. If it was the one of its peer, another is tried for what waits.
    fn let_go(self: &Rc<Self>, peer: ServerId, connection: &Rc<Connection>, why: &str) {
        let has_unsent = {
            let mut state = self.state.borrow_mut();
            let Some(place) = place_of(&mut state, peer, connection) else { return };
            place.connection = None;
            // A peer that takes connections only to close them is one that cannot be reached.
            if connection.was_useful.get() {
                place.failures = Failures::default();
            } else {
                place.failures.add();
            }
            let has_unsent = place.unsent.is_some();
            self.forget_stranger(&mut state, peer);
            has_unsent
        };
        info!("Connection broken for id {peer}, my id = {}: {why}", self.options.me);
        self.feed(Input::Reachable { peer, is_reachable: false });
        if has_unsent && self.is_other_member(peer) {
            self.want_connection(peer);
        }
    }

    /// A peer that is no member has a place only as long as something is going on.
    fn forget_stranger(&self, state: &mut State, peer: ServerId) {
        let is_idle = |place: &Place| place.connection.is_none() && !place.is_called_back;
        if !state.is_other_member(self.options.me, peer)
            && state.places.get(&peer).is_some_and(is_idle)
        {
            state.places.remove(&peer);
        }
    }

    fn next_message(&self, peer: ServerId, connection: &Rc<Connection>) -> Next {
        let mut state = self.state.borrow_mut();
        let Some(place) = place_of(&mut state, peer, connection) else { return Next::End };
        match place.unsent.take() {
            Some(payload) => {
                place.last = Some(payload.clone());
                Next::Message(payload)
            }
            None => Next::Wait,
        }
    }

    /// A message could not be sent; it waits again unless there is a newer one.
    fn put_back(&self, peer: ServerId, payload: Vec<u8>) {
        let mut state = self.state.borrow_mut();
        if let Some(place) = state.places.get_mut(&peer) {
            place.unsent.get_or_insert(payload);
        }
    }
}

/// What a connection is to do.
enum Next {
    Message(Vec<u8>),
    Wait,
    /// Another connection has taken its place.
    End,
}

/// The place of a peer, if this is its connection.
fn place_of<'a>(
    state: &'a mut State,
    peer: ServerId,
    connection: &Rc<Connection>,
) -> Option<&'a mut Place> {
    let place = state.places.get_mut(&peer)?;
    let is_current = place.connection.as_ref().is_some_and(|own| Rc::ptr_eq(own, connection));
    is_current.then_some(place)
}

/// The pause after the first attempt that failed.
const PAUSE_MIN: Duration = Duration::from_millis(50);
/// The longest pause.
const PAUSE_MAX: Duration = Duration::from_secs(1);
/// So many peers that are no members may have a place.
const STRANGERS_MAX: usize = 16;
/// So many connections may be in the middle of their introduction.
const INTRODUCTIONS_MAX: usize = 64;
