//! Connecting to a member that has several names or addresses, of which some may be dead.
//!
//! An address that does not answer holds nobody up: after a moment the next one is tried beside it, and
//! the first that answers counts.
//!
//! Invariant: names are resolved at every attempt.

use std::fmt;
use std::io;
use std::net::SocketAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::resolver::Names;
use super::security;

/// A host's name or address, and a port of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Endpoint {
    pub(crate) host: String,
    pub(crate) port: u16,
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { host, port } = self;
        if host.contains(':') { write!(f, "[{host}]:{port}") } else { write!(f, "{host}:{port}") }
    }
}

/// Endpoints as an operator reads them.
pub(crate) fn shown(endpoints: &[Endpoint]) -> String {
    let texts: Vec<String> = endpoints.iter().map(Endpoint::to_string).collect();
    texts.join(" or ")
}

/// What every attempt to connect needs.
#[derive(Clone, Debug)]
pub(crate) struct Dialer {
    pub(crate) names: Names,
    /// `cnxTimeout`: how long an attempt may take.
    pub(crate) connect_timeout: Duration,
    /// `tcpKeepAlive`.
    pub(crate) keep_alive: bool,
}

impl Dialer {
    /// Connects to the first endpoint that answers; the attempt ends after `time` at the latest.
    pub(crate) async fn connect(
        self: &Rc<Self>,
        endpoints: &[Endpoint],
        time: Duration,
    ) -> io::Result<TcpStream> {
        let attempts = async { security::secure_dialed(self.first_of(endpoints).await?).await };
        self.in_time(time, attempts).await
    }

    /// Connects for somebody who secures the stream himself.
    pub(crate) async fn connect_insecure(
        self: &Rc<Self>,
        endpoints: &[Endpoint],
        time: Duration,
    ) -> io::Result<TcpStream> {
        self.in_time(time, self.first_of(endpoints)).await
    }

    async fn in_time(
        &self,
        time: Duration,
        attempts: impl Future<Output = io::Result<TcpStream>>,
    ) -> io::Result<TcpStream> {
        let silent = || io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
        timeout(time.min(self.connect_timeout), attempts).await.unwrap_or_else(|_| Err(silent()))
    }

    async fn first_of(self: &Rc<Self>, endpoints: &[Endpoint]) -> io::Result<TcpStream> {
        let attempts = endpoints.iter().cloned().map(|endpoint| {
            let dialer = self.clone();
            async move { dialer.connect_one(endpoint).await }
        });
        first(attempts.collect()).await
    }

    async fn connect_one(self: Rc<Self>, endpoint: Endpoint) -> io::Result<TcpStream> {
        let addresses = self.names.resolve(&endpoint.host).await?;
        let attempts = addresses.into_iter().map(|address| {
            let address = SocketAddr::new(address, endpoint.port);
            async move { TcpStream::connect(address).await }
        });
        let stream = first(attempts.collect()).await?;
        // Where nobody listens on a port of the range that the system takes a caller's from, a socket may
        // come to talk to itself.
        if stream.local_addr()? == stream.peer_addr()? {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        prepare(&stream, self.keep_alive)?;
        Ok(stream)
    }
}

/// The options of every socket between servers.
pub(crate) fn prepare(stream: &TcpStream, keep_alive: bool) -> io::Result<()> {
    let socket = socket2::SockRef::from(stream);
    socket.set_tcp_nodelay(true)?;
    socket.set_keepalive(keep_alive)
}

/// What the first attempt to succeed gives; the next one begins when one has failed, or is slow.
async fn first<A>(attempts: Vec<A>) -> io::Result<TcpStream>
where
    A: Future<Output = io::Result<TcpStream>> + 'static,
{
    let mut waiting = attempts.into_iter();
    let mut running = JoinSet::new();
    let mut error = None;
    loop {
        if let Some(attempt) = waiting.next() {
            running.spawn_local(attempt);
        }
        let is_last = waiting.len() == 0;
        tokio::select! {
            done = running.join_next() => match done {
                Some(Ok(Ok(stream))) => return Ok(stream),
                // The first endpoint is the one that an operator knows.
                Some(Ok(Err(failure))) => error = error.or(Some(failure)),
                Some(Err(failure)) => error = error.or(Some(io::Error::other(failure))),
                None => return Err(error.unwrap_or_else(|| io::ErrorKind::NotFound.into())),
            },
            () = sleep(SLOW), if !is_last => {}
        }
    }
}

/// After so long without an answer the next address is tried too.
const SLOW: Duration = Duration::from_millis(250);
