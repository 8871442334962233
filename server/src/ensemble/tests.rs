//! The sockets between members, with a core that writes down what it is told.

mod election;
mod java;
mod links;
mod listening;
mod moving;
mod observers;
mod streams;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::sync::Notify;
use tokio::task::{LocalSet, spawn_local};
use tokio::time::timeout;

use super::listening::accept;
use super::*;

/// A core that decides nothing.
#[derive(Debug)]
struct Recorder {
    /// What it was told, a line each, in the order of a test's steps.
    heard: RefCell<Vec<String>>,
    /// The messages of the election port.
    votes: RefCell<Vec<Vec<u8>>>,
    /// The bytes of each link.
    bytes: RefCell<BTreeMap<LinkId, Vec<u8>>>,
    may_read: Cell<bool>,
    leader: Cell<Option<ServerId>>,
    changed: Notify,
}

impl Recorder {
    fn new() -> Rc<Self> {
        Rc::new(Self {
            heard: RefCell::default(),
            votes: RefCell::default(),
            bytes: RefCell::default(),
            may_read: Cell::new(true),
            leader: Cell::new(None),
            changed: Notify::new(),
        })
    }

    fn as_core(self: &Rc<Self>) -> Weak<dyn Core> {
        let core: Rc<dyn Core> = self.clone();
        Rc::downgrade(&core)
    }

    /// Waits for a line, and forgets those up to it.
    async fn hears(&self, line: &str) {
        self.until(&format!("it hears `{line}`"), || {
            let mut heard = self.heard.borrow_mut();
            let at = heard.iter().position(|other| other == line);
            at.map(|at| heard.drain(..=at).count())
        })
        .await;
    }

    /// Waits until `find` finds something.
    async fn until<T>(&self, what: &str, mut find: impl FnMut() -> Option<T>) -> T {
        let waiting = async {
            loop {
                if let Some(found) = find() {
                    return found;
                }
                self.changed.notified().await;
            }
        };
        let found = timeout(LIMIT, waiting).await;
        found.unwrap_or_else(|_| panic!("not in time: {what}; it heard {:?}", self.heard))
    }
}

impl Core for Recorder {
    fn feed(&self, input: Input<'_>) {
        let line = match input {
            Input::Notified { from, payload } => {
                self.votes.borrow_mut().push(payload.to_owned());
                format!("{from}: {}", payload.escape_ascii())
            }
            Input::Reachable { peer, is_reachable: true } => format!("{peer} is there"),
            Input::Reachable { peer, is_reachable: false } => format!("{peer} is away"),
            Input::LinkOpened { link, remote } => format!("link {} from {remote}", link.0),
            Input::Dialed { link } => format!("link {} to the leader", link.0),
            Input::DialFailed => "no link to the leader".to_owned(),
            Input::LinkBytes { link, bytes } => {
                self.bytes.borrow_mut().entry(link).or_default().extend_from_slice(bytes);
                format!("bytes of link {}", link.0)
            }
            Input::LinkClosed { link } => format!("link {} is gone", link.0),
            other => panic!("no socket tells this: {other:?}"),
        };
        self.heard.borrow_mut().push(line);
        self.changed.notify_one();
    }

    fn may_read(&self, _: LinkId) -> bool {
        self.may_read.get()
    }

    fn leader(&self) -> Option<ServerId> {
        self.leader.get()
    }
}

/// Runs a test as the server runs its tasks.
fn run(test: impl Future<Output = ()>) {
    let runtime = Builder::new_current_thread().enable_all().build().unwrap();
    LocalSet::new().block_on(&runtime, async { timeout(LIMIT * 2, test).await.unwrap() });
}

/// A listener on a port that the system chose.
async fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

fn dialer() -> Rc<Dialer> {
    Rc::new(Dialer {
        names: Names::of_system(),
        connect_timeout: Duration::from_secs(5),
        keep_alive: false,
    })
}

fn endpoint(address: SocketAddr) -> Endpoint {
    Endpoint { host: address.ip().to_string(), port: address.port() }
}

/// Wide, for a busy machine.
const LIMIT: Duration = Duration::from_secs(30);

/// A port that is not listened on.
fn closed_port() -> Rc<Listening> {
    let own = OwnPort {
        me: ServerId(1),
        service: "quorum",
        endpoints: Vec::new(),
        on_all_addresses: false,
        attempts: Some(1),
    };
    Listening::start((own, Vec::new()), false, |_, _| {})
}
