//! Listening on the ports of this member's own line, for other servers.
//!
//! The name on that line may not have an address yet, or one that others reach and this host does not
//! know: then all addresses are listened on, and the start goes on.
//!
//! Java: `QuorumCnxManager.Listener`, `Leader.LearnerCnxAcceptor`.

use std::cell::RefCell;
use std::collections::BTreeSet;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::rc::Rc;
use std::time::Duration;

use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, spawn_local};
use tokio::time::{sleep, timeout};
use tracing::{info, warn};
use zk_wire::ServerId;

use super::dialer::{Endpoint, prepare};
use super::resolver::{Names, is_localhost};
use crate::error::Error;
use crate::listener::{self, OUT_OF_SOCKETS, Relocated, Relocation, shown};

/// A port of this member, and how it may be listened on.
#[derive(Clone, Debug)]
pub(crate) struct OwnPort {
    pub(crate) me: ServerId,
    /// What the port is for: quorum or election.
    pub(crate) service: &'static str,
    pub(crate) endpoints: Vec<Endpoint>,
    /// `quorumListenOnAllIPs`.
    pub(crate) on_all_addresses: bool,
    /// `electionPortBindRetry`: how often a port in use is tried; `None` is for ever.
    pub(crate) attempts: Option<u32>,
}

impl OwnPort {
    /// Listens wherever this member says to be.
    pub(crate) async fn open(&self, names: &Names) -> Result<Vec<TcpListener>, Error> {
        let mut listeners = Vec::new();
        let mut everywhere = BTreeSet::new();
        for endpoint in &self.endpoints {
            let mut addresses = Vec::new();
            if !self.on_all_addresses {
                addresses = own_addresses(endpoint, names).await;
            }
            let mut is_bound = false;
            for address in addresses {
                let listen = || listener::listen(address, listener::BACKLOG);
                match self.retry(listen).await {
                    Ok(listener) => {
                        is_bound = true;
                        listeners.push(listener);
                    }
                    Err(source) if source.kind() == io::ErrorKind::AddrNotAvailable => {}
                    Err(source) => return Err(self.error(address, source)),
                }
            }
            if !is_bound && everywhere.insert(endpoint.port) {
                if !self.on_all_addresses {
                    let Self { me, service, .. } = self;
                    info!(
                        "server.{me}: {} is no address that this host has for sure; its {service} port \
                         listens on all addresses",
                        endpoint.host
                    );
                }
                let listen = || listener::listen_everywhere(endpoint.port, listener::BACKLOG);
                let unspecified = SocketAddr::new(listener::ANY, endpoint.port);
                let listener = self.retry(listen).await;
                listeners.push(listener.map_err(|source| self.error(unspecified, source))?);
            }
        }
        for address in listeners.iter().filter_map(|listener| listener.local_addr().ok()) {
            let Self { me, service, .. } = self;
            info!("{me} is accepting connections now, my {service} bind port: {}", shown(address));
        }
        Ok(listeners)
    }

    /// A server that was just replaced may still hold the port.
    async fn retry(&self, listen: impl Fn() -> io::Result<TcpListener>) -> io::Result<TcpListener> {
        let mut attempt = 1;
        loop {
            match listen() {
                Err(error)
                    if error.kind() == io::ErrorKind::AddrInUse
                        && self.attempts.is_none_or(|attempts| attempt < attempts) =>
                {
                    warn!("the {} port is in use (attempt {attempt}); trying again", self.service);
                }
                result => return result,
            }
            attempt = attempt.saturating_add(1);
            sleep(RETRY).await;
        }
    }

    fn error(&self, address: SocketAddr, source: io::Error) -> Error {
        let remedy = match source.kind() {
            io::ErrorKind::AddrInUse => {
                "another process has it: stop that one, or change the port in this line on all servers"
            }
            io::ErrorKind::PermissionDenied => {
                "ports below 1024 need a privilege: use one of 1024 or more in this line on all servers"
            }
            _ => "check that line",
        };
        Error::BindPeer { service: self.service, me: self.me, address, source, remedy }
    }
}

/// The sockets of a port while they are served. They move with the configuration.
pub(crate) struct Listening {
    own: RefCell<OwnPort>,
    /// Where it is to be by now.
    wanted: RefCell<Vec<Endpoint>>,
    names: Names,
    keep_alive: bool,
    take: Box<dyn Fn(TcpStream, SocketAddr)>,
    tasks: RefCell<Vec<AbortHandle>>,
    moving: RefCell<Option<AbortHandle>>,
}

impl Listening {
    /// Hands every connection on until it is stopped.
    pub(crate) fn start(
        (own, listeners): (OwnPort, Vec<TcpListener>),
        keep_alive: bool,
        take: impl Fn(TcpStream, SocketAddr) + 'static,
    ) -> Rc<Self> {
        let listening = Rc::new(Self {
            wanted: RefCell::new(own.endpoints.clone()),
            own: RefCell::new(own),
            names: Names::of_system(),
            keep_alive,
            take: Box::new(take),
            tasks: RefCell::default(),
            moving: RefCell::default(),
        });
        listening.serve(listeners);
        listening
    }

    fn serve(self: &Rc<Self>, listeners: Vec<TcpListener>) {
        for listener in listeners {
            let listening = self.clone();
            let task = spawn_local(async move {
                let take = |stream, remote| (listening.take)(stream, remote);
                accept(listener, listening.keep_alive, take).await;
            });
            self.tasks.borrow_mut().push(task.abort_handle());
        }
    }

    /// Listens elsewhere from now on, unless nothing has changed or this server is no member any more. What
    /// cannot be opened is told, and the old place kept.
    pub(crate) fn move_to(self: &Rc<Self>, endpoints: Vec<Endpoint>) {
        if endpoints.is_empty() {
            return;
        }
        *self.wanted.borrow_mut() = endpoints;
        // A task that is moving already looks again.
        let mut moving = self.moving.borrow_mut();
        if moving.as_ref().is_none_or(AbortHandle::is_finished) {
            *moving = Some(spawn_local(self.clone().follow_wish()).abort_handle());
        }
    }

    async fn follow_wish(self: Rc<Self>) {
        let mut tried = None;
        loop {
            let wanted = self.wanted.borrow().clone();
            let is_there = self.own.borrow().endpoints == wanted;
            if is_there || tried.replace(wanted.clone()).as_ref() == Some(&wanted) {
                return;
            }
            self.relocate(wanted).await;
        }
    }

    async fn relocate(self: &Rc<Self>, endpoints: Vec<Endpoint>) {
        let mut before = self.own.borrow().clone();
        // The next wish must not wait for ever.
        let attempts =
            before.attempts.map_or(MOVE_ATTEMPTS, |attempts| attempts.min(MOVE_ATTEMPTS));
        before.attempts = Some(attempts);
        let keeps_port =
            endpoints.iter().any(|new| before.endpoints.iter().any(|old| old.port == new.port));
        let wanted = OwnPort { endpoints, ..before.clone() };
        let relocating = Relocation {
            service: before.service,
            keeps_port,
            close: || self.stop_serving(),
            open_new: wanted.open(&self.names),
            open_old: before.open(&self.names),
        };
        match relocating.run().await {
            Relocated::Moved(listeners) => {
                *self.own.borrow_mut() = wanted.clone();
                self.serve(listeners);
            }
            Relocated::Back(listeners) => self.serve(listeners),
            Relocated::Stayed | Relocated::Closed => {}
        }
    }

    fn stop_serving(&self) {
        for task in self.tasks.borrow_mut().drain(..) {
            task.abort();
        }
    }

    /// Lets nobody in any more.
    pub(crate) fn stop(&self) {
        if let Some(moving) = self.moving.borrow_mut().take() {
            moving.abort();
        }
        self.stop_serving();
    }
}

/// The addresses to try; none if all are to be listened on.
async fn own_addresses(endpoint: &Endpoint, names: &Names) -> Vec<SocketAddr> {
    let resolved = timeout(NAME_TIME, names.resolve(&endpoint.host)).await;
    let addresses = resolved.ok().and_then(Result::ok).unwrap_or_default();
    // Many hosts give their own name a loopback address, which is none that others could use.
    let is_name = endpoint.host.parse::<IpAddr>().is_err() && !is_localhost(&endpoint.host);
    if is_name && addresses.iter().all(IpAddr::is_loopback) {
        return Vec::new();
    }
    // The wildcard is opened for both families.
    let specified = addresses.into_iter().filter(|address| !address.is_unspecified());
    specified.map(|address| SocketAddr::new(address, endpoint.port)).collect()
}

/// Hands every connection on until the task is ended. A peer's address is IPv4 where IPv4 wears IPv6.
pub(crate) async fn accept(
    listener: TcpListener,
    keep_alive: bool,
    take: impl Fn(TcpStream, SocketAddr),
) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => {
                let remote = SocketAddr::new(remote.ip().to_canonical(), remote.port());
                if let Err(error) = prepare(&stream, keep_alive) {
                    warn!(%error, %remote, "socket options not set");
                }
                take(stream, remote);
            }
            Err(error) => {
                warn!(%error, "cannot accept a server's connection; raise the limit of open files if \
                               it lasts");
                sleep(OUT_OF_SOCKETS).await;
            }
        }
    }
}

/// How long the own name may hold up the start.
const NAME_TIME: Duration = Duration::from_millis(500);
/// How often a port in use is tried when it is moved to.
const MOVE_ATTEMPTS: u32 = 3;
/// How long a port in use is left alone.
const RETRY: Duration = Duration::from_secs(1);
