//! The client port: listening, and letting clients in. It moves when the configuration says so; clients that
//! are connected stay.

mod early;

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::rc::Rc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{AbortHandle, spawn_local, yield_now};
use tracing::{error, info, warn};

pub(crate) use early::EarlyPort;

use crate::connection;
use crate::error::Error;
use crate::shell::{Refusal, Shell};

/// How long to wait when the system has no more sockets.
pub(crate) const OUT_OF_SOCKETS: Duration = Duration::from_millis(100);

/// The client port while it is served.
#[derive(Debug)]
pub(crate) struct ClientPort {
    place: ClientPlace,
    backlog: Option<u32>,
    keep_alive: bool,
    accepting: AbortHandle,
}

/// Where clients connect.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ClientPlace {
    /// A name or an address; `None`: all addresses of this host.
    address: Option<String>,
    port: u16,
}

impl ClientPlace {
    /// A port at an address; the wildcard is as good as none.
    pub(crate) fn new(address: Option<&str>, port: u16) -> Self {
        let is_any = |name: &&str| {
            name.trim_matches(['[', ']']).parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified())
        };
        Self { address: address.filter(|name| !is_any(name)).map(str::to_owned), port }
    }
}

impl ClientPort {
    /// Lets clients in.
    pub(crate) fn serve(
        shell: &Rc<RefCell<Shell>>,
        listener: TcpListener,
        place: ClientPlace,
        backlog: Option<u32>,
        keep_alive: bool,
    ) -> Self {
        let accepting = spawn_local(accept(shell.clone(), listener, keep_alive)).abort_handle();
        Self { place, backlog, keep_alive, accepting }
    }

    /// Lets nobody in any more.
    pub(crate) fn close(&self) {
        self.accepting.abort();
    }
}

/// Lets clients in where the configuration says by now. What cannot be opened is told, and the old place kept.
pub(crate) async fn move_client_port(shell: Rc<RefCell<Shell>>) {
    // While another task has it, that one looks again.
    let Some(mut port) = shell.borrow_mut().client_port.take() else { return };
    let mut tried = None;
    loop {
        let wanted = shell.borrow().client_place();
        let Some(wanted) = wanted.filter(|wanted| *wanted != port.place) else { break };
        if tried.replace(wanted.clone()).as_ref() == Some(&wanted) {
            break;
        }
        let relocating = Relocation {
            service: "client",
            keeps_port: wanted.port == port.place.port,
            close: || port.close(),
            open_new: open_aside(&wanted, port.backlog),
            open_old: open_aside(&port.place, port.backlog),
        };
        let (listener, place) = match relocating.run().await {
            Relocated::Moved(listener) => (listener, wanted),
            Relocated::Back(listener) => (listener, port.place.clone()),
            Relocated::Stayed => continue,
            Relocated::Closed => return,
        };
        let number = listener.local_addr().ok().map(|address| address.port());
        port = ClientPort::serve(&shell, listener, place, port.backlog, port.keep_alive);
        shell.borrow_mut().settings.client_port = number;
    }
    shell.borrow_mut().client_port = Some(port);
}

/// A port that is to be listened on elsewhere: opened at its new place, then closed at the old one. With
/// the same number both cannot be open at once, and the old one is closed first.
pub(crate) struct Relocation<C, N, O> {
    pub(crate) service: &'static str,
    pub(crate) keeps_port: bool,
    /// Done twice it does no harm.
    pub(crate) close: C,
    pub(crate) open_new: N,
    pub(crate) open_old: O,
}

/// What became of a port.
pub(crate) enum Relocated<L> {
    /// It is open at its new place.
    Moved(L),
    /// It had to be closed, and was opened again where it was.
    Back(L),
    /// It is open where it was.
    Stayed,
    /// Neither place could be opened.
    Closed,
}

impl<L, C, N, O> Relocation<C, N, O>
where
    C: Fn(),
    N: Future<Output = Result<L, Error>>,
    O: Future<Output = Result<L, Error>>,
{
    /// Does it, and tells what cannot be opened.
    pub(crate) async fn run(self) -> Relocated<L> {
        let Self { service, keeps_port, close, open_new, open_old } = self;
        if keeps_port {
            close();
            yield_now().await;
        }
        match open_new.await {
            Ok(opened) => {
                close();
                return Relocated::Moved(opened);
            }
            Err(error) => error!("the {service} port stays where it was: {error}"),
        }
        if !keeps_port {
            return Relocated::Stayed;
        }
        match open_old.await {
            Ok(opened) => Relocated::Back(opened),
            Err(error) => {
                error!("the {service} port is closed: {error}");
                Relocated::Closed
            }
        }
    }
}

/// Opens the client port while the event loop goes on: a name can take its time.
async fn open_aside(place: &ClientPlace, backlog: Option<u32>) -> Result<TcpListener, Error> {
    let place = place.clone();
    let opening = tokio::task::spawn_blocking(move || open(&place, backlog));
    opening.await.map_err(|error| Error::Runtime(error.into()))?
}

/// Opens the client port: on the address given, else on all addresses of both families.
pub(crate) fn open(place: &ClientPlace, backlog: Option<u32>) -> Result<TcpListener, Error> {
    let ClientPlace { address, port } = place;
    let port = *port;
    let backlog = backlog.and_then(|backlog| i32::try_from(backlog).ok()).unwrap_or(BACKLOG);
    let listener = match address {
        Some(name) => {
            let resolve = |source| Error::Resolve { name: name.clone(), source };
            let none = || resolve(io::Error::from(io::ErrorKind::NotFound));
            let address = (name.trim_matches(['[', ']']), port)
                .to_socket_addrs()
                .map_err(resolve)?
                .next()
                .ok_or_else(none)?;
            listen(address, backlog).map_err(|source| bind_error(address, source))?
        }
        None => listen_everywhere(port, backlog)
            .map_err(|source| bind_error(SocketAddr::new(ANY, port), source))?,
    };
    if let Ok(address) = listener.local_addr() {
        info!("binding to port {}", shown(address));
    }
    Ok(listener)
}

/// The wildcard as people know it.
pub(crate) const ANY: IpAddr = IpAddr::V4(Ipv4Addr::UNSPECIFIED);
/// How many connections the system may have ready.
pub(crate) const BACKLOG: i32 = 1024;

/// An address with the wildcard as people know it.
pub(crate) fn shown(address: SocketAddr) -> SocketAddr {
    match address.ip() {
        IpAddr::V6(ip) if ip.is_unspecified() => SocketAddr::new(ANY, address.port()),
        _ => address,
    }
}

/// Listens on all addresses of both families.
pub(crate) fn listen_everywhere(port: u16, backlog: i32) -> io::Result<TcpListener> {
    listen((Ipv6Addr::UNSPECIFIED, port).into(), backlog).or_else(|error| {
        // A host without IPv6 still has all its IPv4 addresses.
        if error.kind() == io::ErrorKind::AddrInUse {
            Err(error)
        } else {
            listen((Ipv4Addr::UNSPECIFIED, port).into(), backlog)
        }
    })
}

/// Listens on one address.
pub(crate) fn listen(address: SocketAddr, backlog: i32) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    if address.is_ipv6() {
        socket.set_only_v6(false)?;
    }
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&address.into())?;
    socket.listen(backlog)?;
    TcpListener::from_std(socket.into())
}

fn bind_error(address: SocketAddr, source: io::Error) -> Error {
    let remedy = match source.kind() {
        io::ErrorKind::AddrInUse => {
            "another process has it: stop that one or set another clientPort"
        }
        io::ErrorKind::AddrNotAvailable => {
            "this host has no such address: set clientPortAddress to one that it has"
        }
        io::ErrorKind::PermissionDenied => {
            "ports below 1024 need a privilege: set a clientPort of 1024 or more"
        }
        _ => "check clientPort and clientPortAddress",
    };
    Error::Bind { address, source, remedy }
}

/// Lets clients in until the task is ended.
async fn accept(shell: Rc<RefCell<Shell>>, listener: TcpListener, keep_alive: bool) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => admit(&shell, stream, Vec::new(), remote, keep_alive),
            Err(error) => failed(&error).await,
        }
    }
}

/// Says that nobody could be let in, and waits until that may be better.
async fn failed(error: &io::Error) {
    warn!(%error, "cannot accept a connection; raise the limit of open files if it lasts");
    tokio::time::sleep(OUT_OF_SOCKETS).await;
}

/// Lets somebody in, of whom `first` was read already, unless there are too many.
fn admit(
    shell: &Rc<RefCell<Shell>>,
    stream: TcpStream,
    first: Vec<u8>,
    remote: SocketAddr,
    keep_alive: bool,
) {
    let ip = remote.ip().to_canonical();
    let remote = SocketAddr::new(ip, remote.port());
    let admitted = shell.borrow_mut().admit(remote);
    match admitted {
        Ok(cnx) => {
            let socket = socket2::SockRef::from(&stream);
            let options =
                socket.set_tcp_nodelay(true).and_then(|()| socket.set_keepalive(keep_alive));
            if let Err(error) = options {
                warn!(%error, %remote, "socket options not set");
            }
            spawn_local(connection::serve(shell.clone(), stream, first, cnx, remote));
        }
        Err(Refusal::TooManyOfThisAddress { limit }) => {
            warn!("Too many connections from /{ip} - max is {limit}");
        }
        Err(Refusal::TooMany { limit }) => {
            warn!("Too many connections - max is {limit} (maxCnxns), closing that of {remote}");
        }
        Err(Refusal::Stopping) => {}
    }
}
