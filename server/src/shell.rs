//! What the tasks of the event loop share: the peer, the places of connections, the batch for the log.
//!
//! All tasks run on one thread, so a `RefCell` is enough; nobody holds a borrow over an await.
//!
//! Invariants
//! - Outputs of the core are carried out in order, before the next input.
//! - Txns reach the log in the order in which the core appended them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll, Waker};
use std::time::Instant;

use zk_core::{ConnectionId, Input, Now, Output, Peer};

use crate::clock::Clock;
use crate::log_thread::{Command, LogThread};
use crate::metrics::Counts;
use crate::settings::Settings;
use crate::snapshot;
use crate::words;

/// The shared state of the event loop.
pub(crate) struct Shell {
    pub(crate) peer: Peer,
    pub(crate) clock: Clock,
    pub(crate) settings: Settings,
    /// Where sockets are read into: one for all, since only one task reads at a time.
    pub(crate) read_buffer: Vec<u8>,
    /// Bytes of large requests that are being received.
    pub(crate) large_bytes: u64,
    /// Nothing new is taken any more.
    pub(crate) is_stopping: bool,
    pub(crate) started: Instant,
    pub(crate) counts: Counts,
    /// What `stmk` set: kept for `gtmk`, without any effect.
    pub(crate) trace_mask: i64,
    me: Weak<RefCell<Self>>,
    outputs: Vec<Output>,
    places: Vec<Place>,
    free: Vec<u32>,
    open: u32,
    per_address: HashMap<IpAddr, u32>,
    log: Option<LogThread>,
    batch: Vec<Command>,
    driver: Signal,
}

/// Where a connection stands in the table.
#[derive(Debug, Default)]
struct Place {
    generation: u32,
    signal: Signal,
    is_closing: bool,
    remote_port: u16,
}

/// Something that a task waits for and others cause.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    is_set: bool,
    waker: Option<Waker>,
}

impl Signal {
    /// Wakes the task, now or when it next waits.
    fn set(&mut self) {
        self.is_set = true;
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    /// Ready once after each `set`.
    fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        if std::mem::take(&mut self.is_set) {
            return Poll::Ready(());
        }
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}

/// Why a client is not let in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// `maxClientCnxns`.
    TooManyOfThisAddress { limit: u32 },
    /// `maxCnxns`.
    TooMany { limit: u32 },
    /// The server is going down.
    Stopping,
}

impl Shell {
    pub(crate) fn new(
        peer: Peer,
        clock: Clock,
        settings: Settings,
        log: LogThread,
    ) -> Rc<RefCell<Self>> {
        Rc::new_cyclic(|me| {
            RefCell::new(Self {
                peer,
                clock,
                settings,
                read_buffer: vec![0; READ_SIZE],
                large_bytes: 0,
                is_stopping: false,
                started: Instant::now(),
                counts: Counts::default(),
                trace_mask: words::TRACE_MASK,
                me: me.clone(),
                outputs: Vec::new(),
                places: Vec::new(),
                free: Vec::new(),
                open: 0,
                per_address: HashMap::new(),
                log: Some(log),
                batch: Vec::new(),
                driver: Signal::default(),
            })
        })
    }

    /// Lets a client in, or says why not.
    pub(crate) fn admit(&mut self, remote: SocketAddr) -> Result<ConnectionId, Refusal> {
        if self.is_stopping {
            return Err(Refusal::Stopping);
        }
        let limits = &self.settings.limits;
        if let Some(limit) = limits.total.filter(|limit| self.open >= *limit) {
            return Err(Refusal::TooMany { limit });
        }
        let (remote, remote_port) = (remote.ip(), remote.port());
        let of_address = self.per_address.entry(remote).or_default();
        if let Some(limit) = limits.per_address.filter(|limit| *of_address >= *limit) {
            return Err(Refusal::TooManyOfThisAddress { limit });
        }
        *of_address += 1;
        self.open += 1;
        let index = self.free.pop().unwrap_or_else(|| {
            self.places.push(Place::default());
            u32::try_from(self.places.len() - 1).expect("fewer than 2^32 sockets")
        });
        let place = &mut self.places[to_usize(index)];
        place.is_closing = false;
        place.remote_port = remote_port;
        place.signal = Signal::default();
        let cnx = ConnectionId::new(index, place.generation);
        let now = self.clock.now();
        self.step(now, Input::Connected { cnx, remote }, None);
        Ok(cnx)
    }

    /// A connection has ended; its place is free again.
    pub(crate) fn release(&mut self, cnx: ConnectionId, remote: IpAddr) {
        let now = self.clock.now();
        self.step(now, Input::Disconnected { cnx }, None);
        self.open -= 1;
        if let Some(count) = self.per_address.get_mut(&remote) {
            *count -= 1;
            if *count == 0 {
                self.per_address.remove(&remote);
            }
        }
        let place = &mut self.places[cnx.index()];
        place.generation = place.generation.wrapping_add(1);
        self.free.push(u32::try_from(cnx.index()).expect("it was made from a u32"));
    }

    /// The client's port of an open connection.
    pub(crate) fn remote_port(&self, cnx: ConnectionId) -> u16 {
        self.places[cnx.index()].remote_port
    }

    /// How many connections are open.
    pub(crate) fn open_count(&self) -> u32 {
        self.open
    }

    /// Feeds the core and carries out what it wants. `current` is the connection whose task is running: it
    /// looks at its own buffer when it is done.
    pub(crate) fn step(&mut self, now: Now, input: Input<'_>, current: Option<ConnectionId>) {
        let mut outputs = std::mem::take(&mut self.outputs);
        self.peer.step(now, input, &mut outputs);
        for output in outputs.drain(..) {
            match output {
                Output::Append { zxid, bytes } => self.log(Command::Append { zxid, bytes }),
                Output::Roll => self.log(Command::Roll),
                Output::TakeSnapshot => self.take_snapshot(),
                Output::Flush(cnx) | Output::Resume(cnx) => {
                    if current != Some(cnx) {
                        self.places[cnx.index()].signal.set();
                    }
                }
                Output::Close(cnx) => {
                    let place = &mut self.places[cnx.index()];
                    place.is_closing = true;
                    place.signal.set();
                }
            }
        }
        self.outputs = outputs;
    }

    /// Ready when a connection's task has something to do that its socket does not tell.
    pub(crate) fn poll_signal(&mut self, cnx: ConnectionId, cx: &Context<'_>) -> Poll<()> {
        self.places[cnx.index()].signal.poll(cx)
    }

    /// Whether a connection is to end once its buffer is sent.
    pub(crate) fn is_closing(&self, cnx: ConnectionId) -> bool {
        self.places[cnx.index()].is_closing
    }

    /// Ready when there is a batch for the log.
    pub(crate) fn poll_driver(&mut self, cx: &Context<'_>) -> Poll<()> {
        self.driver.poll(cx)
    }

    /// Hands the batch to the log; false when its thread is gone.
    pub(crate) fn send_batch(&mut self) -> bool {
        if self.batch.is_empty() {
            return true;
        }
        let batch = std::mem::take(&mut self.batch);
        self.log.as_ref().is_some_and(|log| log.send(batch))
    }

    /// Lets every connection's task look up: the server is stopping.
    pub(crate) fn wake_all(&mut self) {
        for place in &mut self.places {
            place.signal.set();
        }
    }

    /// Takes the log away, to stop it.
    pub(crate) fn take_log(&mut self) -> Option<LogThread> {
        self.log.take()
    }

    /// Begins a snapshot of this moment, unless one is running.
    pub(crate) fn take_snapshot(&mut self) {
        if self.peer.database().tree().is_snapshotting() {
            tracing::warn!("Too busy to snap, skipping");
            return;
        }
        if let Some(me) = self.me.upgrade() {
            let (zxid, digest, head) = self.peer.database_mut().begin_snapshot();
            tokio::task::spawn_local(snapshot::write(me, zxid, digest, head));
        }
    }

    fn log(&mut self, command: Command) {
        if self.batch.is_empty() {
            self.driver.set();
        }
        self.batch.push(command);
    }
}

/// How much is read from a socket at once.
const READ_SIZE: usize = 64 << 10;

fn to_usize(n: u32) -> usize {
    usize::try_from(n).expect("addresses have at least 32 bits")
}
