//! Four-letter words over TCP under one deadline.
//!
//! A word is one connection: the word goes out, the answer is all that comes until the server
//! closes. Connecting, resolving, writing and reading share the deadline, so a server that
//! accepts and then says nothing, or says it a byte at a time, ends the probe all the same.
//!
//! Invariants
//! - No call returns later than the deadline.
//! - An answer longer than the cap is an error, not memory.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, ToSocketAddrs};
use std::sync::mpsc;
use std::thread;
use std::time::{Duration, Instant};

/// Whom to ask, and for how long.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// Name or address; `None` is this machine, over IPv4 first and then IPv6.
    pub host: Option<String>,
    /// The client port.
    pub port: u16,
    /// Time for everything.
    pub timeout: Duration,
}

/// Asks words of one server until the deadline.
#[derive(Debug)]
pub struct Conversation {
    target: Target,
    deadline: Instant,
}

/// Why there is no answer.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// The name has no address, or looking it up failed.
    #[error("cannot resolve host {host}: {source}")]
    Unresolved {
        /// The name as given.
        host: String,
        /// What the resolver said.
        source: io::Error,
    },
    /// Nobody accepts.
    #[error("cannot connect to {address}: {source}")]
    Unreachable {
        /// The address that was tried (first).
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The deadline came first.
    #[error("no whole answer to {word} from {host}:{port} within {timeout:?} ({bytes} bytes came)")]
    TooLate {
        /// The word that was sent, or was to be sent.
        word: &'static str,
        /// Host as given, or loopback.
        host: String,
        /// The client port.
        port: u16,
        /// The time that was allowed.
        timeout: Duration,
        /// How much of the answer there was.
        bytes: usize,
    },
    /// The connection broke.
    #[error("connection to {address} broke during {word}: {source}")]
    Broken {
        /// The server's address.
        address: SocketAddr,
        /// The word that was sent.
        word: &'static str,
        /// What the system said.
        source: io::Error,
    },
    /// No four-letter word has an answer of this size.
    #[error("answer of {address} to {word} exceeds {ANSWER_BYTES_MAX} bytes: is this a ZooKeeper?")]
    TooLong {
        /// The server's address.
        address: SocketAddr,
        /// The word that was sent.
        word: &'static str,
    },
}

impl Conversation {
    /// Starts the clock.
    pub fn new(target: Target) -> Self {
        let deadline = Instant::now() + target.timeout;
        Self { target, deadline }
    }

    /// A conversation with another server until the same deadline.
    pub(crate) fn with(&self, host: &str, port: u16) -> Self {
        let target = Target { host: Some(host.to_owned()), port, timeout: self.target.timeout };
        Self { target, deadline: self.deadline }
    }

    /// Sends `word` and gives back all that comes until the server closes.
    pub fn ask(&self, word: &'static str) -> Result<String, NoAnswer> {
        self.ask_with(word, "")
    }

    /// The same with an argument behind the word.
    pub fn ask_with(&self, word: &'static str, argument: &str) -> Result<String, NoAnswer> {
        let (mut stream, address) = self.connect(word)?;
        let answer = self.exchange(&mut stream, address, word, argument)?;
        Ok(String::from_utf8_lossy(&answer).into_owned())
    }

    /// The first address that accepts. An address that fails hands over to the next one, but what
    /// is reported is the first failure: it is about the address that a person expects.
    fn connect(&self, word: &'static str) -> Result<(TcpStream, SocketAddr), NoAnswer> {
        let mut failure = None;
        for address in self.addresses(word)? {
            let left = self.left(word, 0)?;
            match TcpStream::connect_timeout(&address, left) {
                Ok(stream) => return Ok((stream, address)),
                Err(error) if is_timeout(&error) => return Err(self.too_late(word, 0)),
                Err(source) => {
                    failure.get_or_insert(NoAnswer::Unreachable { address, source });
                }
            }
        }
        Err(failure.expect("a host that resolves has an address"))
    }

    fn addresses(&self, word: &'static str) -> Result<Vec<SocketAddr>, NoAnswer> {
        let port = self.target.port;
        let Some(host) = &self.target.host else {
            return Ok(vec![
                SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port),
                SocketAddr::new(Ipv6Addr::LOCALHOST.into(), port),
            ]);
        };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        if let Ok(address) = bare.parse::<IpAddr>() {
            return Ok(vec![SocketAddr::new(address, port)]);
        }
        // The system's resolver cannot be told a deadline: a thread asks it, and is left behind.
        let (sender, receiver) = mpsc::channel();
        let name = bare.to_owned();
        thread::spawn(move || sender.send((name.as_str(), port).to_socket_addrs()));
        let unresolved = |source| NoAnswer::Unresolved { host: host.clone(), source };
        let resolved = receiver
            .recv_timeout(self.left(word, 0)?)
            .map_err(|_| unresolved(io::Error::from(ErrorKind::TimedOut)))?;
        let addresses: Vec<_> = resolved.map_err(unresolved)?.collect();
        if addresses.is_empty() {
            return Err(unresolved(io::Error::from(ErrorKind::NotFound)));
        }
        Ok(addresses)
    }

    fn exchange(
        &self,
        stream: &mut TcpStream,
        address: SocketAddr,
        word: &'static str,
        argument: &str,
    ) -> Result<Vec<u8>, NoAnswer> {
        let broken = |source| NoAnswer::Broken { address, word, source };
        let mut answer = Vec::new();
        stream.set_write_timeout(Some(self.left(word, 0)?)).map_err(broken)?;
        // At once, so that a server has both with its first read.
        let sent = [word.as_bytes(), argument.as_bytes()].concat();
        stream.write_all(&sent).map_err(|error| self.failed(error, word, 0, broken))?;
        let mut buffer = [0; 4096];
        loop {
            let bytes = answer.len();
            stream.set_read_timeout(Some(self.left(word, bytes)?)).map_err(broken)?;
            match stream.read(&mut buffer) {
                Ok(0) => return Ok(answer),
                Ok(read) => answer.extend_from_slice(&buffer[..read]),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                // A server that closes with input unread resets the connection, behind its answer if any.
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return Ok(answer),
                Err(error) => return Err(self.failed(error, word, bytes, broken)),
            }
            if answer.len() > ANSWER_BYTES_MAX {
                return Err(NoAnswer::TooLong { address, word });
            }
        }
    }

    /// The time that is left, never zero: zero would mean "for ever" to a socket.
    fn left(&self, word: &'static str, bytes: usize) -> Result<Duration, NoAnswer> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() { Err(self.too_late(word, bytes)) } else { Ok(left) }
    }

    fn failed(
        &self,
        error: io::Error,
        word: &'static str,
        bytes: usize,
        broken: impl FnOnce(io::Error) -> NoAnswer,
    ) -> NoAnswer {
        if is_timeout(&error) { self.too_late(word, bytes) } else { broken(error) }
    }

    fn too_late(&self, word: &'static str, bytes: usize) -> NoAnswer {
        let host = self.target.host.clone().unwrap_or_else(|| Ipv4Addr::LOCALHOST.to_string());
        let Target { port, timeout, .. } = self.target;
        NoAnswer::TooLate { word, host, port, timeout, bytes }
    }
}

/// A socket's time-out is `WouldBlock` when reading and `TimedOut` when connecting.
fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::TimedOut | ErrorKind::WouldBlock)
}

/// `cons` and `dump` of a very busy server stay below this.
const ANSWER_BYTES_MAX: usize = 16 << 20;
