//! What the tasks of the event loop share: the peer, the places of connections, the batch for the log.
//!
//! All tasks run on one thread, so a `RefCell` is enough; nobody holds a borrow over an await.
//!
//! Invariants
//! - Outputs of the core are carried out in order, before the next input.
//! - Txns reach the log in the order in which the core appended them.

use std::cell::RefCell;
use std::collections::{HashMap, VecDeque};
use std::net::{IpAddr, SocketAddr};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::oneshot;
use tracing::{info, warn};
use zk_core::{ConnectionId, Input, LinkId, Now, Output, Peer};
use zk_storage::Wanted;

use crate::clock::Clock;
use crate::ensemble::{Ensemble, log_reading, snapshot_stream};
use crate::error::Error;
use crate::listener::{ClientPlace, ClientPort, move_client_port};
use crate::log_thread::{Command, LogThread};
use crate::metrics::Counts;
use crate::settings::Settings;
use crate::signal::Signal;
use crate::snapshot::{self, Beginning, Purpose, Snapshots};
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
    /// The core has nothing left to do.
    pub(crate) is_released: bool,
    pub(crate) started: Instant,
    pub(crate) counts: Counts,
    /// What `stmk` set: kept for `gtmk`, without any effect.
    pub(crate) trace_mask: i64,
    /// Why it must end: its data is of another ensemble.
    pub(crate) stranger: Option<Error>,
    pub(crate) snapshots: Snapshots,
    /// Where clients come in, if anywhere.
    pub(crate) client_port: Option<ClientPort>,
    /// The way to the other members, if there are any.
    pub(crate) ensemble: Option<Ensemble>,
    me: Weak<RefCell<Self>>,
    outputs: Vec<Output>,
    /// What outputs have led to already: the core is told after all outputs of a step are carried out.
    echoes: VecDeque<Input<'static>>,
    places: Vec<Place>,
    free: Vec<u32>,
    open: u32,
    per_address: HashMap<IpAddr, u32>,
    log: Option<LogThread>,
    batch: Vec<Command>,
    /// How often the log's thread has still to cut its files or read them.
    rereading: u32,
    driver: Signal,
}

/// Where a connection stands in the table.
#[derive(Debug, Default)]
struct Place {
    generation: u32,
    signal: Signal,
    is_closing: bool,
    remote_port: u16,
    is_of_this_machine: bool,
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
                is_released: false,
                started: Instant::now(),
                counts: Counts::default(),
                trace_mask: words::TRACE_MASK,
                stranger: None,
                snapshots: Snapshots::default(),
                client_port: None,
                ensemble: None,
                me: me.clone(),
                outputs: Vec::new(),
                echoes: VecDeque::new(),
                places: Vec::new(),
                free: Vec::new(),
                open: 0,
                per_address: HashMap::new(),
                log: Some(log),
                batch: Vec::new(),
                rereading: 0,
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
        place.is_of_this_machine = remote.to_canonical().is_loopback();
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

    /// Whether an open connection comes from this machine itself.
    pub(crate) fn is_of_this_machine(&self, cnx: ConnectionId) -> bool {
        self.places[cnx.index()].is_of_this_machine
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
        loop {
            for output in outputs.drain(..) {
                self.carry_out(output, current);
            }
            let Some(echo) = self.echoes.pop_front() else { break };
            self.peer.step(now, echo, &mut outputs);
        }
        self.outputs = outputs;
    }

    /// Does one thing that the core wants.
    pub(crate) fn carry_out(&mut self, output: Output, current: Option<ConnectionId>) {
        match output {
            Output::Append { zxid, bytes } => self.log(Command::Append { zxid, bytes }),
            Output::Roll => self.log(Command::Roll),
            Output::TakeSnapshot => self.take_snapshot(true),
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
            Output::Stopped => {
                self.is_released = true;
                self.driver.set();
            }
            Output::Notify { to, payload } => self.others().election().notify(to, payload),
            Output::ConnectPeers => self.others().election().connect_all(),
            Output::Dial { leader } => self.others().links().dial(leader),
            Output::StopDialing => self.others().links().stop_dialing(),
            Output::Send { link, bytes } => self.others().links().send(link, bytes),
            Output::CloseLink(link) => self.others().links().close(link),
            Output::ResumeLink(link) => self.others().links().resume(link),
            Output::StoreEpochs { accepted, current } => {
                self.log(Command::StoreEpochs { accepted, current });
            }
            Output::StoreNaming(naming) => self.log(Command::StoreNaming(naming)),
            Output::Foreign { ours, theirs, from } => {
                let path = self.settings.files.naming_path();
                self.stranger = Some(Error::Foreign { path, ours, theirs, from });
                self.driver.set();
            }
            Output::KeepMembers => self.keep_members(),
            Output::Truncate { zxid } => self.log(Command::Truncate { zxid }),
            Output::Reload => self.log(Command::Reload),
            Output::AbortSnapshot => self.abort_snapshot(),
            Output::ReadLog { link, above, until, bytes_max } => {
                self.read_log(link, Wanted { above, until, bytes_max });
            }
            Output::StreamSnapshot { links } => self.stream_snapshot(links),
        }
    }

    /// The configuration has changed: it goes into files, and sockets go where it says.
    fn keep_members(&mut self) {
        let Some(members) = self.peer.members() else { return };
        let kept = self.others().keep_members(members, self.peer.proposed_members());
        let Some(members) = kept else { return };
        let quorum = &mut self.settings.config.quorum;
        if let Some(own) = quorum.my_id.and_then(|id| members.servers.get(&id)) {
            quorum.peer_type = own.role;
        }
        quorum.ensemble = members;
        if let Some(me) = self.me.upgrade() {
            tokio::task::spawn_local(move_client_port(me));
        }
    }

    /// Where the configuration wants this server to listen for clients, if it says so.
    pub(crate) fn client_place(&self) -> Option<ClientPlace> {
        let config = &self.settings.config;
        let quorum = (!config.clients.is_advertised).then_some(&config.quorum)?;
        let client = quorum.ensemble.servers.get(&quorum.my_id?)?.client.as_ref()?;
        Some(ClientPlace::new(Some(&client.host), client.port))
    }

    fn others(&self) -> &Ensemble {
        self.ensemble.as_ref().expect("the core of a lone server knows no others")
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

    /// Lets the driver look up.
    pub(crate) fn wake_driver(&mut self) {
        self.driver.set();
    }

    /// Hands the batch to the log; false when its thread is gone.
    pub(crate) fn send_batch(&mut self) -> bool {
        // A snapshot that is still being written must not get its name after the files were cut or read.
        let is_held = self.snapshots.is_writing() && self.batch.iter().any(Command::needs_quiet);
        if self.batch.is_empty() || is_held {
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

    /// Comes when the log's thread has done what it was given. `None`: it is being stopped, or reads all of
    /// its files, which takes as long as a start.
    pub(crate) fn log_turn(&self) -> Option<oneshot::Receiver<()>> {
        let log = self.log.as_ref().filter(|_| self.rereading == 0)?;
        let (taken, turn) = oneshot::channel();
        // Without the thread the sender is dropped, and the receiver knows.
        log.send(vec![Command::Turn(taken)]);
        Some(turn)
    }

    /// The log's thread has cut its files or read them.
    pub(crate) fn on_reread(&mut self) {
        self.rereading -= 1;
    }

    /// Begins a snapshot of this moment, unless one is running. `is_asked` tells whether the core waits for
    /// word.
    pub(crate) fn take_snapshot(&mut self, is_asked: bool) {
        if self.snapshots.is_busy() {
            warn!("Too busy to snap, skipping");
            if is_asked {
                self.echoes.push_back(Input::SnapshotTaken { is_durable: false });
            }
            return;
        }
        let Some(me) = self.me.upgrade() else { return };
        let walk = self.snapshots.begin(Purpose::File);
        let (zxid, digest, head) = self.peer.database_mut().begin_snapshot();
        let beginning = Beginning { zxid, digest, head };
        tokio::task::spawn_local(snapshot::write(me, walk, beginning, is_asked));
    }

    /// Begins to send a snapshot of this moment.
    fn stream_snapshot(&mut self, links: Vec<LinkId>) {
        let Some(me) = self.me.upgrade() else { return };
        let to = self.others().links().clone();
        let walk = self.snapshots.begin(Purpose::Stream { links: links.clone() });
        let (zxid, _, head) = self.peer.database_mut().begin_snapshot();
        info!("Sending snapshot of {zxid} to {} learners", links.len());
        to.begin_stream(&links, Bytes::from(head));
        tokio::task::spawn_local(snapshot_stream::send(me, to, walk, links));
    }

    /// Begins to read a part of the log for a learner.
    fn read_log(&self, link: LinkId, wanted: Wanted) {
        let Some(me) = self.me.upgrade() else { return };
        let to = self.others().links().clone();
        tokio::task::spawn_local(log_reading::send(me, to, link, wanted));
    }

    /// Drops the walk that is going on. Learners that wait for the rest of it are given up.
    fn abort_snapshot(&mut self) {
        self.peer.database_mut().abort_snapshot();
        if let Some(Purpose::Stream { links }) = self.snapshots.drop_running() {
            let ensemble = self.ensemble.as_ref().expect("only a member has learners");
            ensemble.links().break_stream(links);
        }
    }

    fn log(&mut self, command: Command) {
        if self.batch.is_empty() {
            self.driver.set();
        }
        self.rereading += u32::from(command.needs_quiet());
        self.batch.push(command);
    }
}

/// How much is read from a socket at once.
const READ_SIZE: usize = 64 << 10;

fn to_usize(n: u32) -> usize {
    usize::try_from(n).expect("addresses have at least 32 bits")
}
