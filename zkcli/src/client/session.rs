//! The task that owns a session: connects, sends what is called for, hands out replies and events, and
//! connects again when the connection breaks.
//!
//! Invariants
//! - Replies are handed out in the order of the requests; an event comes before the replies that followed
//!   it on the wire.
//! - A request whose connection broke fails with `ConnectionLoss` and is never sent again: it may have
//!   been carried out.
//! - A call never waits for a server that does not come: when every server of the list was tried in
//!   vain, what waits fails.
//!
//! Java: `ClientCnxn`.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::time::{Instant, sleep_until};
use zk_wire::{AuthPacket, ConnectRequest, ErrorCode, Request, SessionId, WatcherType, Zxid};

use super::connect_string::Server;
use super::error::Error;
use super::event::{Event, EventKind, KeeperState};
use super::handshake::{self, Connected};
use super::traffic::{Step, Traffic};
use super::watches::{Registration, Watches};
use super::{Listener, Notice, Options, State, Status};

/// What the owner of a session asks of it.
#[derive(Debug)]
pub(super) enum Call {
    Request(Outgoing),
    /// Credentials for this connection and all that follow.
    Auth {
        scheme: String,
        auth: Option<Vec<u8>>,
    },
    /// End the session, or with `false` only the connection.
    Close {
        session: bool,
    },
}

/// A request on its way to a server.
#[derive(Debug)]
pub(super) struct Outgoing {
    pub(super) op: i32,
    pub(super) body: Vec<u8>,
    pub(super) registration: Option<Registration>,
    /// `None` when nobody waits any more, or ever did.
    pub(super) reply: Option<oneshot::Sender<Result<Vec<u8>, Error>>>,
}

/// How a connection ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum End {
    Lost,
    /// For a server that takes writes.
    Moving,
    Final(State),
}

/// A session and what outlives its connections.
pub(super) struct Session {
    options: Options,
    pub(super) calls: mpsc::UnboundedReceiver<Call>,
    status: watch::Sender<Status>,
    interrupts: Signal,
    listener: Listener,
    pub(super) watches: Watches,
    auth: Vec<(String, Option<Vec<u8>>)>,
    id: SessionId,
    passwd: [u8; 16],
    pub(super) last_zxid: Zxid,
    /// Requests that no connection has taken yet.
    pub(super) waiting: VecDeque<Outgoing>,
    next_server: usize,
    /// Only what a server with a quorum gave is a session that others know.
    is_known: bool,
}

impl Session {
    pub(super) fn new(
        options: Options,
        calls: mpsc::UnboundedReceiver<Call>,
        status: watch::Sender<Status>,
        listener: Listener,
    ) -> io::Result<Self> {
        // Any order will do, but not the same for all clients.
        let spread = std::process::id() as usize;
        let next_server = spread % options.servers.servers.len();
        Ok(Self {
            options,
            calls,
            status,
            interrupts: signal(SignalKind::interrupt())?,
            listener,
            watches: Watches::default(),
            auth: Vec::new(),
            id: SessionId(0),
            passwd: [0; 16],
            last_zxid: Zxid::ZERO,
            waiting: VecDeque::new(),
            next_server,
            is_known: false,
        })
    }

    /// Serves until the owner lets go of the session.
    pub(super) async fn run(mut self) {
        let last = loop {
            let connected = match self.connect().await {
                Ok(connected) => connected,
                Err(state) => {
                    self.enter(state);
                    break state;
                }
            };
            let (end, in_flight) = self.serve(connected).await;
            match end {
                End::Final(state) => {
                    self.enter(state);
                    self.fail(in_flight, state.error());
                    break state;
                }
                End::Lost | End::Moving => {
                    self.enter(State::Connecting);
                    self.fail(in_flight, Error::ConnectionLoss);
                }
            }
        };
        self.fail_waiting(last.error());
        self.answer_in_vain(last).await;
    }

    /// Shows a state and tells of it, before anything fails because of it. Whoever hears of the end finds
    /// it shown; whoever sees the session up has heard of it.
    fn enter(&mut self, state: State) {
        let told = match state {
            State::Connecting => Some(KeeperState::Disconnected),
            State::Connected => Some(KeeperState::SyncConnected),
            State::ConnectedReadOnly => Some(KeeperState::ConnectedReadOnly),
            State::Expired => Some(KeeperState::Expired),
            State::AuthFailed => Some(KeeperState::AuthFailed),
            State::Closed => Some(KeeperState::Closed),
            State::Abandoned => None,
        };
        let is_up = matches!(state, State::Connected | State::ConnectedReadOnly);
        if !is_up {
            self.status.send_modify(|status| (status.state, status.is_told) = (state, false));
        }
        if let Some(told) = told {
            self.tell(Event::session(told));
        }
        self.status.send_modify(|status| (status.state, status.is_told) = (state, true));
    }

    /// Answers whatever still comes with the reason of the end.
    async fn answer_in_vain(mut self, last: State) {
        loop {
            tokio::select! {
                call = self.calls.recv() => match call {
                    Some(Call::Request(request)) => self.fail([request], last.error()),
                    Some(Call::Auth { .. } | Call::Close { .. }) => {}
                    None => return,
                },
                _ = self.interrupts.recv() => (self.listener)(Notice::Interrupt { was_busy: false }),
            }
        }
    }

    /// Tries one server after the other until one takes the session.
    async fn connect(&mut self) -> Result<Connected, State> {
        let servers = self.options.servers.servers.clone();
        let mut pause = PAUSE_MIN;
        loop {
            for _ in 0..servers.len() {
                let server = &servers[self.next_server];
                self.next_server = (self.next_server + 1) % servers.len();
                match self.try_server(server, servers.len()).await? {
                    Ok(connected) if connected.response.timeout_ms <= 0 => {
                        return Err(State::Expired);
                    }
                    Ok(connected) => return Ok(connected),
                    Err(why) => self.status.send_modify(|status| status.failure = why),
                }
            }
            self.fail_waiting(Error::ConnectionLoss);
            self.pause(Instant::now() + pause).await?;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    /// One attempt, during which calls are heard.
    async fn try_server(
        &mut self,
        server: &Server,
        servers: usize,
    ) -> Result<Result<Connected, String>, State> {
        let divisor = u32::try_from(servers).expect("nobody lists billions of servers");
        let limit = Duration::from_millis(self.options.timeout_ms.into()) / divisor;
        let passwd = self.passwd;
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: self.last_zxid,
            timeout_ms: i32::try_from(self.options.timeout_ms).unwrap_or(i32::MAX),
            session_id: if self.is_known { self.id } else { SessionId(0) },
            passwd: Some(&passwd),
            read_only: Some(self.options.read_only),
        };
        let attempt = handshake::connect(server, &request, limit.max(LIMIT_MIN));
        tokio::pin!(attempt);
        loop {
            tokio::select! {
                result = &mut attempt => return Ok(result.map_err(|error| error.to_string())),
                call = self.calls.recv() => self.hear(call)?,
                _ = self.interrupts.recv() => self.interrupt(Vec::new()),
            }
        }
    }

    async fn pause(&mut self, until: Instant) -> Result<(), State> {
        loop {
            tokio::select! {
                () = sleep_until(until) => return Ok(()),
                call = self.calls.recv() => self.hear(call)?,
                _ = self.interrupts.recv() => self.interrupt(Vec::new()),
            }
        }
    }

    /// Takes a call while there is no connection.
    fn hear(&mut self, call: Option<Call>) -> Result<(), State> {
        match call {
            Some(Call::Request(request)) => self.waiting.push_back(request),
            Some(Call::Auth { scheme, auth }) => self.auth.push((scheme, auth)),
            Some(Call::Close { session: true }) => return Err(State::Closed),
            Some(Call::Close { session: false }) | None => return Err(State::Abandoned),
        }
        Ok(())
    }

    /// Works on one connection until it ends; gives what it still owed.
    async fn serve(&mut self, connected: Connected) -> (End, Vec<Outgoing>) {
        let response = &connected.response;
        self.id = response.session_id;
        self.passwd = response.passwd;
        let is_read_only = response.read_only.unwrap_or(false);
        self.is_known |= !is_read_only;
        let timeout = Duration::from_millis(response.timeout_ms.unsigned_abs().into());
        let mut traffic = Traffic::new(connected, timeout, self.options.packet_max);
        for (scheme, auth) in &self.auth {
            traffic.send_auth(&auth_packet(scheme, auth.as_deref()));
        }
        for request in self.watches.set_again(self.last_zxid.0) {
            traffic.send_watches(&request);
        }
        self.enter(if is_read_only { State::ConnectedReadOnly } else { State::Connected });
        let writable = self.find_writable(is_read_only);
        tokio::pin!(writable);
        let early = self.on_step(Step::Nothing, &mut traffic);
        let end = loop {
            if let Some(end) = early {
                break end;
            }
            while let Some(request) = self.waiting.pop_front() {
                if self.is_in_vain(&request) {
                    let vain = Outgoing { registration: None, ..request };
                    self.fail([vain], Error::Server(ErrorCode::NoWatcher));
                } else {
                    traffic.send(request);
                }
            }
            let step = tokio::select! {
                step = traffic.step() => step,
                call = self.calls.recv() => {
                    match self.take(call, &mut traffic) {
                        Some(state) => break End::Final(state),
                        None => continue,
                    }
                }
                next = &mut writable => {
                    self.next_server = next;
                    break End::Moving;
                }
                _ = self.interrupts.recv() => {
                    self.interrupt(traffic.waiters());
                    continue;
                }
            };
            if let Some(end) = self.on_step(step, &mut traffic) {
                break end;
            }
        };
        (end, traffic.into_owed())
    }

    /// Whether a request removes watches that there are not. A server would not know: to it, a persistent
    /// watch is one of the data, too.
    fn is_in_vain(&self, request: &Outgoing) -> bool {
        match &request.registration {
            Some(Registration::Remove { path, kind, .. }) => !self.watches.has(path, *kind),
            _ => false,
        }
    }

    fn on_step(&mut self, step: Step, traffic: &mut Traffic) -> Option<End> {
        let mut end = match step {
            Step::Nothing => None,
            Step::Lost(why) => {
                self.status.send_modify(|status| status.failure = why);
                Some(End::Lost)
            }
        };
        if let Err(error) = traffic.hand_out(self) {
            end = Some(match error {
                Error::SessionExpired => End::Final(State::Expired),
                Error::AuthFailed => End::Final(State::AuthFailed),
                _ => End::Lost,
            });
        }
        // A server that is gone cannot confirm the end of a session.
        let is_closed = traffic.is_closed() || (traffic.is_closing() && end == Some(End::Lost));
        if is_closed { Some(End::Final(State::Closed)) } else { end }
    }

    /// Takes a call on a connection; gives the state if it ends it.
    fn take(&mut self, call: Option<Call>, traffic: &mut Traffic) -> Option<State> {
        match call {
            Some(Call::Request(request)) => self.waiting.push_back(request),
            Some(Call::Auth { scheme, auth }) => {
                traffic.send_auth(&auth_packet(&scheme, auth.as_deref()));
                self.auth.push((scheme, auth));
            }
            Some(Call::Close { session: true }) => traffic.send_close(),
            Some(Call::Close { session: false }) | None => return Some(State::Abandoned),
        }
        None
    }

    /// While the server only reads: waits until another one takes writes, and gives its place.
    fn find_writable(&self, is_read_only: bool) -> impl Future<Output = usize> + use<> {
        let servers = self.options.servers.servers.clone();
        async move {
            if !is_read_only {
                std::future::pending::<()>().await;
            }
            let mut pause = PAUSE_MIN;
            loop {
                for (place, server) in servers.iter().enumerate() {
                    if handshake::takes_writes(server, LIMIT_MIN).await {
                        return place;
                    }
                }
                sleep_until(Instant::now() + pause).await;
                pause = (pause * 2).min(PAUSE_MAX);
            }
        }
    }

    /// Ctrl-C: nobody waits any more; what was sent stays sent.
    fn interrupt(&mut self, mut waiters: Vec<oneshot::Sender<Result<Vec<u8>, Error>>>) {
        waiters.extend(self.waiting.drain(..).filter_map(|request| request.reply));
        let was_busy = !waiters.is_empty();
        for waiter in waiters {
            // Whoever gave up waiting needs no answer.
            let _ = waiter.send(Err(Error::Interrupted));
        }
        (self.listener)(Notice::Interrupt { was_busy });
    }

    /// Registers what a request that has ended so has set, and tells of watches that are gone. Gives what
    /// its owner is told: watches that go in any case are gone.
    pub(super) fn register(
        &mut self,
        registration: Registration,
        result: Result<(), Error>,
    ) -> Result<(), Error> {
        match (registration, result) {
            (Registration::Remove { path, kind, locally }, result) => {
                if result.is_ok() || locally {
                    self.tell_removed(&path, kind);
                    return Ok(());
                }
            }
            (set, Ok(())) => self.watches.add(set, true),
            (set @ Registration::Exist(_), Err(error)) if error.is_no_node() => {
                self.watches.add(set, false);
            }
            (_, Err(_)) => {}
        }
        result
    }

    /// Ends requests that no server will answer.
    fn fail(&mut self, requests: impl IntoIterator<Item = Outgoing>, error: Error) {
        for request in requests {
            let result = match request.registration {
                Some(registration) => self.register(registration, Err(error)),
                None => Err(error),
            };
            if let Some(reply) = request.reply {
                // Whoever gave up waiting needs no answer.
                let _ = reply.send(result.map(|()| Vec::new()));
            }
        }
    }

    fn fail_waiting(&mut self, error: Error) {
        let waiting = std::mem::take(&mut self.waiting);
        self.fail(waiting, error);
    }

    fn tell_removed(&mut self, path: &str, kind: WatcherType) {
        for event in self.watches.remove(path, kind) {
            let path = self.as_the_owner_sees(path);
            self.tell(Event::node(event, path, -1));
        }
    }

    /// Tells of a node's change if a watch waits for it.
    pub(super) fn notify(&mut self, event: zk_wire::WatchEventType, path: &str, zxid: i64) {
        if self.watches.fire(event, path) {
            let path = self.as_the_owner_sees(path);
            self.tell(Event::node(EventKind::Node(event), path, zxid));
        }
    }

    fn as_the_owner_sees(&self, path: &str) -> String {
        match path.strip_prefix(self.options.servers.chroot.as_str()) {
            Some("") => "/".to_owned(),
            Some(rest) if rest.starts_with('/') => rest.to_owned(),
            _ => path.to_owned(),
        }
    }

    fn tell(&mut self, event: Event) {
        (self.listener)(Notice::Event(event));
    }
}

fn auth_packet<'a>(scheme: &'a str, auth: Option<&'a [u8]>) -> Request<'a> {
    Request::Auth(AuthPacket { scheme: Some(scheme.into()), auth })
}

const PAUSE_MIN: Duration = Duration::from_millis(50);
const PAUSE_MAX: Duration = Duration::from_secs(1);
const LIMIT_MIN: Duration = Duration::from_millis(500);
