//! The client port: listening, and letting clients in.

use std::cell::RefCell;
use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, ToSocketAddrs as _};
use std::rc::Rc;
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};
use tokio::net::{TcpListener, TcpStream};
use tracing::{info, warn};

use crate::connection;
use crate::error::Error;
use crate::shell::{Refusal, Shell};

/// How long to wait when the system has no more sockets.
pub(crate) const OUT_OF_SOCKETS: Duration = Duration::from_millis(100);

/// Opens the client port: on the address given, else on all addresses of both families.
pub(crate) fn open(
    address: Option<&str>,
    port: u16,
    backlog: Option<u32>,
) -> Result<TcpListener, Error> {
    let backlog = backlog.and_then(|backlog| i32::try_from(backlog).ok()).unwrap_or(BACKLOG);
    let listener = match address {
        Some(name) => {
            let resolve = |source| Error::Resolve { name: name.to_owned(), source };
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
pub(crate) async fn accept(shell: Rc<RefCell<Shell>>, listener: TcpListener, keep_alive: bool) {
    loop {
        match listener.accept().await {
            Ok((stream, remote)) => admit(&shell, stream, remote, keep_alive),
            Err(error) => {
                warn!(%error, "cannot accept a connection; raise the limit of open files if it lasts");
                tokio::time::sleep(OUT_OF_SOCKETS).await;
            }
        }
    }
}

fn admit(shell: &Rc<RefCell<Shell>>, stream: TcpStream, remote: SocketAddr, keep_alive: bool) {
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
            tokio::task::spawn_local(connection::serve(shell.clone(), stream, cnx, remote));
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
