//! A ZooKeeper client: one session, its connection on a thread of its own, calls that block or that are
//! sent ahead and waited for later.
//!
//! It is our own because zookeeper-client, the best kept crate, cannot tell null data from empty data, has
//! no way to remove watches by kind, and tells a watch's owner nothing of what was removed; a shell needs
//! each of them.
//!
//! Invariants
//! - Paths in and out are relative to the chroot.
//! - Every call ends: with a reply, or with an [`Error`] that says why there is none.

mod connect_string;
mod error;
mod event;
mod handshake;
mod names;
mod ops;
mod session;
mod traffic;
mod watches;

use std::io;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime;
use tokio::sync::{mpsc, oneshot, watch};
use zk_wire::{DecodeError, Decoder, Encoder, Request};

pub(crate) use self::connect_string::{ConnectString, ConnectStringError};
pub(crate) use self::error::Error;
pub(crate) use self::event::{Event, EventKind, KeeperState};
pub(crate) use self::ops::NewNode;
use self::session::{Call, Outgoing, Session};
use self::watches::Registration;

/// What a session is opened with.
#[derive(Clone, Debug)]
pub(crate) struct Options {
    pub(crate) servers: ConnectString,
    pub(crate) timeout_ms: u32,
    /// Whether a server without a quorum will do.
    pub(crate) read_only: bool,
    /// The longest reply taken, in bytes.
    pub(crate) packet_max: usize,
}

/// Where a session stands. Java: `ZooKeeper.States`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Connecting,
    Connected,
    ConnectedReadOnly,
    Closed,
    Expired,
    AuthFailed,
    /// The connection was given up and the session left to the server.
    Abandoned,
}

/// What a session tells unasked, on its own thread.
#[derive(Debug)]
pub(crate) enum Notice {
    Event(Event),
    /// Ctrl-C; `was_busy` says whether a call was ended by it.
    Interrupt {
        was_busy: bool,
    },
}

/// Who is told.
pub(crate) type Listener = Box<dyn FnMut(Notice) + Send>;

/// What the session's thread shows of itself.
#[derive(Clone, Debug)]
struct Status {
    state: State,
    /// Whether the listener has heard of this state, if it is one of those that it hears of.
    is_told: bool,
    /// Why the last attempt to connect failed.
    failure: String,
}

/// One session.
pub(crate) struct Client {
    calls: mpsc::UnboundedSender<Call>,
    status: watch::Receiver<Status>,
    chroot: String,
    thread: Option<JoinHandle<()>>,
}

/// A request that was sent and whose reply is still to be waited for.
#[must_use]
pub(crate) struct Pending<T> {
    reply: oneshot::Receiver<Result<Vec<u8>, Error>>,
    decode: fn(&mut Decoder<'_>) -> Result<T, DecodeError>,
}

impl Client {
    /// Begins a session; the connection comes when it comes, calls wait for it.
    ///
    /// # Errors
    /// The system gives no thread or no signal handler.
    pub(crate) fn open(options: Options, listener: Listener) -> io::Result<Self> {
        let (calls, receiver) = mpsc::unbounded_channel();
        let status = Status { state: State::Connecting, is_told: true, failure: String::new() };
        let (status, shown) = watch::channel(status);
        let chroot = options.servers.chroot.clone();
        let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
        let session = {
            let _context = runtime.enter();
            Session::new(options, receiver, status, listener)?
        };
        let thread = std::thread::Builder::new().name("session".to_owned());
        let thread = thread.spawn(move || runtime.block_on(session.run()))?;
        Ok(Self { calls, status: shown, chroot, thread: Some(thread) })
    }

    pub(crate) fn state(&self) -> State {
        self.status.borrow().state
    }

    /// Why the last attempt to connect failed; empty if none did.
    pub(crate) fn failure(&self) -> String {
        self.status.borrow().failure.clone()
    }

    /// Waits until the session is up; `false` when `limit` has passed or it never will be.
    pub(crate) fn await_connection(&self, limit: Duration) -> bool {
        self.await_status(limit, |status| status.state != State::Connecting);
        matches!(self.state(), State::Connected | State::ConnectedReadOnly)
    }

    fn await_status(&self, limit: Duration, is_reached: impl Fn(&Status) -> bool) {
        let mut status = self.status.clone();
        let wait = async {
            // When the session's thread has ended the state is its last one.
            let _ = status.wait_for(is_reached).await;
        };
        let runtime = runtime::Builder::new_current_thread().enable_time().build();
        let runtime = runtime.expect("a runtime without IO takes nothing from the system");
        // Whether the time was up shows in the state.
        let _ = runtime.block_on(async { tokio::time::timeout(limit, wait).await });
    }

    /// Ends the session: the server removes its ephemeral nodes and watches. The listener has heard of it then.
    pub(crate) fn close(&self) {
        self.send(Call::Close { session: true });
        self.await_status(CLOSE_LIMIT, Status::is_over);
    }

    /// Gives up the connection but not the session, which lives on until its timeout.
    pub(crate) fn abandon(&self) {
        self.send(Call::Close { session: false });
        self.await_status(CLOSE_LIMIT, Status::is_over);
    }

    fn send(&self, call: Call) {
        // A thread that has ended drops what it is sent; whoever waits sees that.
        let _ = self.calls.send(call);
    }

    fn submit<T>(
        &self,
        request: &Request<'_>,
        registration: Option<Registration>,
        decode: fn(&mut Decoder<'_>) -> Result<T, DecodeError>,
    ) -> Pending<T> {
        let mut body = Vec::new();
        request.encode(&mut Encoder::new(&mut body));
        let (sender, reply) = oneshot::channel();
        let op = request.op().code();
        self.send(Call::Request(Outgoing { op, body, registration, reply: Some(sender) }));
        Pending { reply, decode }
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        self.send(Call::Close { session: false });
        let (nobody, _) = mpsc::unbounded_channel();
        self.calls = nobody;
        if let Some(thread) = self.thread.take() {
            // A thread that panicked has said so itself.
            let _ = thread.join();
        }
    }
}

impl<T> Pending<T> {
    /// Waits for the reply.
    pub(crate) fn wait(self) -> Result<T, Error> {
        let body = self.reply.blocking_recv().unwrap_or(Err(Error::ConnectionLoss))?;
        Ok((self.decode)(&mut Decoder::new(&body))?)
    }
}

impl Status {
    fn is_over(&self) -> bool {
        self.state.is_over() && self.is_told
    }
}

impl State {
    /// The state's name in the prompt.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Connecting => "CONNECTING",
            Self::Connected => "CONNECTED",
            Self::ConnectedReadOnly => "CONNECTEDREADONLY",
            Self::Closed | Self::Expired | Self::Abandoned => "CLOSED",
            Self::AuthFailed => "AUTH_FAILED",
        }
    }

    /// Whether the session will never work again.
    pub(crate) fn is_over(self) -> bool {
        matches!(self, Self::Closed | Self::Expired | Self::AuthFailed | Self::Abandoned)
    }

    /// What calls get in a state that is over.
    fn error(self) -> Error {
        match self {
            Self::AuthFailed => Error::AuthFailed,
            Self::Expired | Self::Closed | Self::Abandoned => Error::SessionExpired,
            Self::Connecting | Self::Connected | Self::ConnectedReadOnly => Error::ConnectionLoss,
        }
    }
}

/// How long a server may take to confirm the end of a session.
const CLOSE_LIMIT: Duration = Duration::from_secs(2);
