//! Links to and from the quorum port: bytes both ways, in order, what they mean is the core's business.
//!
//! Invariants
//! - A link is told to the core once when it is there and once when it is gone.
//! - What the core sends goes out in that order, one write for all that a turn has made.
//! - A link is not read while the core says no, nor after the core has closed it.
//! - What is sent while a snapshot goes out follows behind it.
//!
//! Java: the sockets of `LearnerHandler` and `Learner`.

mod dialing;
mod link;
mod shown;

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::net::SocketAddr;
use std::rc::{Rc, Weak};
use std::time::Duration;

use bytes::Bytes;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::timeout;
use tracing::{debug, info};
use zk_core::{Input, LinkId};
use zk_wire::ServerId;

use super::Core;
use super::Places;
use super::complaints::Complaints;
use super::dialer::Dialer;
use super::security::secure_accepted;
use crate::signal::Signal;

/// All links of this member.
pub(crate) struct Links {
    core: Weak<dyn Core>,
    dialer: Rc<Dialer>,
    options: LinkOptions,
    state: RefCell<State>,
    /// Told when a link has taken enough of a snapshot to get more of it.
    room: Notify,
    /// A link is gone.
    gone: Notify,
}

/// How links are made.
#[derive(Clone, Debug)]
pub(crate) struct LinkOptions {
    /// `connectToLearnerMasterLimit`: how long a leader is tried.
    pub(crate) dial_time: Duration,
    /// `leaderConnectDelayDuringRetryMs`: the longest pause between attempts.
    pub(crate) dial_pause: Duration,
    /// How long it may take to secure a stream that was accepted.
    pub(crate) security_time: Duration,
}

#[derive(Debug)]
struct State {
    /// Where all members are.
    places: Places,
    /// To whom this member connected last to learn from a leader: that one, or who takes observers for it.
    observed: Option<ServerId>,
    links: BTreeMap<LinkId, Link>,
    count: u64,
    /// Streams that peers opened, those included that are not links yet.
    accepted: usize,
    /// The task that tries to reach a leader.
    dialing: Option<AbortHandle>,
    /// Where sockets are read into: one for all, since only one task reads at a time.
    read_buffer: Vec<u8>,
    complaints: Complaints,
}

/// One link.
#[derive(Debug)]
struct Link {
    remote: SocketAddr,
    /// What is to be written.
    out: VecDeque<Bytes>,
    /// The bytes in it.
    out_len: usize,
    /// What is to follow the snapshot that goes out.
    behind: Option<Behind>,
    fate: Fate,
    signal: Signal,
}

#[derive(Debug, Default)]
struct Behind {
    queue: VecDeque<Bytes>,
    len: usize,
}

/// What becomes of a link.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fate {
    Open,
    /// It ends when everything is sent.
    Closing,
    /// It ends now.
    Dropped,
}

impl Links {
    pub(crate) fn new(
        core: Weak<dyn Core>,
        dialer: Rc<Dialer>,
        options: LinkOptions,
        places: Places,
    ) -> Rc<Self> {
        let state = State {
            places,
            observed: None,
            links: BTreeMap::new(),
            count: 0,
            accepted: 0,
            dialing: None,
            read_buffer: vec![0; READ_SIZE],
            complaints: Complaints::default(),
        };
        let (room, gone) = (Notify::new(), Notify::new());
        Rc::new(Self { core, dialer, options, state: RefCell::new(state), room, gone })
    }

    /// From now on the members are there. Links that are open stay.
    pub(crate) fn set_places(&self, places: Places) {
        self.state.borrow_mut().places = places;
    }

    /// Makes a link of a connection that a peer has opened.
    pub(crate) fn accept(self: &Rc<Self>, stream: TcpStream, remote: SocketAddr) {
        let mut state = self.state.borrow_mut();
        if state.accepted >= ACCEPTED_MAX {
            return state.complaints.warn(&format!(
                "{ACCEPTED_MAX} peers are connected to the quorum port; {remote} is refused"
            ));
        }
        state.accepted += 1;
        let links = self.clone();
        spawn_local(async move {
            match timeout(links.options.security_time, secure_accepted(stream)).await {
                Ok(Ok(stream)) => {
                    let link = links.open(remote);
                    debug!("{remote} is link {}", link.0);
                    links.feed(Input::LinkOpened { link, remote: remote.ip() });
                    links.serve(link, stream).await;
                }
                Ok(Err(error)) => links.complain(&format!("{remote} on the quorum port: {error}")),
                Err(_) => links.complain(&format!("{remote} on the quorum port: too slow")),
            }
            links.state.borrow_mut().accepted -= 1;
        });
    }

    /// Sends bytes, once what was sent before is out.
    pub(crate) fn send(&self, link: LinkId, bytes: Bytes) {
        let mut state = self.state.borrow_mut();
        let Some(open) = state.links.get_mut(&link).filter(|open| open.fate == Fate::Open) else {
            return;
        };
        match &mut open.behind {
            Some(behind) => {
                behind.len += bytes.len();
                behind.queue.push_back(bytes);
            }
            None => open.push(bytes),
        }
        let waiting = open.out_len + open.behind.as_ref().map_or(0, |behind| behind.len);
        if waiting > QUEUE_MAX {
            open.set_fate(Fate::Dropped);
            let text = format!("{} takes no bytes, {waiting} wait; it is cut off", open.remote);
            state.complaints.warn(&text);
        }
    }

    /// Closes a link after what was sent.
    pub(crate) fn close(&self, link: LinkId) {
        self.end_all(&[link], Fate::Closing);
    }

    /// The core takes bytes of this link again.
    pub(crate) fn resume(&self, link: LinkId) {
        if let Some(open) = self.state.borrow_mut().links.get_mut(&link) {
            open.signal.set();
        }
    }

    /// Begins a snapshot; what is sent from now on follows behind it.
    pub(crate) fn begin_stream(&self, links: &[LinkId], head: Bytes) {
        self.stream(links, head);
        let mut state = self.state.borrow_mut();
        for link in links {
            if let Some(open) = state.links.get_mut(link) {
                open.behind.get_or_insert_default();
            }
        }
    }

    /// The next bytes of a snapshot.
    pub(crate) fn stream(&self, links: &[LinkId], bytes: Bytes) {
        let mut state = self.state.borrow_mut();
        for link in links {
            let open = state.links.get_mut(link).filter(|open| open.fate == Fate::Open);
            if let Some(open) = open {
                open.push(bytes.clone());
            }
        }
    }

    /// Ends a snapshot with its last bytes, and lets go what had to wait.
    pub(crate) fn end_stream(&self, links: &[LinkId], end: Bytes) {
        self.stream(links, end);
        let mut state = self.state.borrow_mut();
        for link in links {
            if let Some(open) = state.links.get_mut(link)
                && let Some(behind) = open.behind.take()
            {
                behind.queue.into_iter().for_each(|bytes| open.push(bytes));
            }
        }
    }

    /// Gives up the links that have half a snapshot.
    pub(crate) fn break_stream(&self, links: &[LinkId]) {
        self.end_all(links, Fate::Dropped);
    }

    /// Waits until every one of these links takes more; false if none of them is left.
    pub(crate) async fn has_room(&self, links: &[LinkId]) -> bool {
        loop {
            let (mut is_any_left, mut is_any_full) = (false, false);
            for link in links {
                if let Some(open) = self.state.borrow().links.get(link)
                    && open.fate == Fate::Open
                {
                    is_any_left = true;
                    is_any_full |= open.out_len > STREAM_AHEAD;
                }
            }
            if !is_any_full {
                return is_any_left;
            }
            self.room.notified().await;
        }
    }

    /// Closes all links, and waits until each has sent what it had.
    pub(crate) async fn close_all(&self) {
        let links: Vec<LinkId> = self.state.borrow().links.keys().copied().collect();
        self.end_all(&links, Fate::Closing);
        while !self.state.borrow().links.is_empty() {
            self.gone.notified().await;
        }
    }

    fn end_all(&self, links: &[LinkId], fate: Fate) {
        let mut state = self.state.borrow_mut();
        for link in links {
            if let Some(open) = state.links.get_mut(link) {
                open.set_fate(fate);
            }
        }
        self.room.notify_one();
    }

    fn open(&self, remote: SocketAddr) -> LinkId {
        let mut state = self.state.borrow_mut();
        state.count += 1;
        let link = LinkId(state.count);
        let open = Link {
            remote,
            out: VecDeque::new(),
            out_len: 0,
            behind: None,
            fate: Fate::Open,
            signal: Signal::default(),
        };
        state.links.insert(link, open);
        link
    }

    fn forget(&self, link: LinkId, why: &str) {
        let gone = self.state.borrow_mut().links.remove(&link);
        if let Some(gone) = gone {
            info!("link {} with {} is gone: {why}", link.0, gone.remote);
        }
        self.room.notify_one();
        self.gone.notify_one();
        self.feed(Input::LinkClosed { link });
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
}

impl Link {
    fn push(&mut self, bytes: Bytes) {
        if bytes.is_empty() {
            return;
        }
        self.out_len += bytes.len();
        self.out.push_back(bytes);
        self.signal.set();
    }

    fn set_fate(&mut self, fate: Fate) {
        if self.fate != Fate::Dropped {
            self.fate = fate;
        }
        self.signal.set();
    }
}

/// How much is read from a socket at once.
const READ_SIZE: usize = 64 << 10;
/// So many links of peers at a time: more than an ensemble can have members.
const ACCEPTED_MAX: usize = 255;
/// A peer that lets so many bytes wait is cut off.
const QUEUE_MAX: usize = 1 << 30;
/// A snapshot waits while a link has more of it than this to send.
const STREAM_AHEAD: usize = 4 << 20;
