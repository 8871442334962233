//! From the name of a server to a connection with a session on it.
//!
//! It knows one attempt; which server comes next, and when, is the session's matter.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use thiserror::Error;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;
use zk_wire::{
    ConnectRequest, ConnectResponse, DecodeError, Encoder, FrameError, Frames, begin_frame,
    end_frame,
};

use super::connect_string::Server;
use super::names;

/// Why there is no connection to one server.
#[derive(Debug, Error)]
pub(super) enum ConnectError {
    #[error("{0}")]
    Name(io::Error),
    #[error("{address}: {error}")]
    Socket { address: SocketAddr, error: io::Error },
    #[error("{0} does not answer")]
    Silent(String),
    #[error("{address} closed the connection: it does not serve, or is no ZooKeeper server")]
    Closed { address: SocketAddr },
    #[error("{address} does not speak ZooKeeper's protocol: {error}")]
    Frame { address: SocketAddr, error: FrameError },
    #[error("{address} does not speak ZooKeeper's protocol: {error}")]
    Record { address: SocketAddr, error: DecodeError },
}

/// A connection on which a session is open, or was refused.
#[derive(Debug)]
pub(super) struct Connected {
    pub(super) stream: TcpStream,
    pub(super) response: ConnectResponse,
    /// What came behind the response already.
    pub(super) input: Vec<u8>,
}

/// Connects to the first address of `server` that answers.
pub(super) async fn connect(
    server: &Server,
    request: &ConnectRequest<'_>,
    limit: Duration,
) -> Result<Connected, ConnectError> {
    let mut last = None;
    for address in names::resolve(&server.host).await.map_err(ConnectError::Name)? {
        let address = SocketAddr::new(address, server.port);
        let silent = || ConnectError::Silent(address.to_string());
        match timeout(limit, attempt(address, request)).await.unwrap_or_else(|_| Err(silent())) {
            Ok(connected) => return Ok(connected),
            Err(error) => last = Some(error),
        }
    }
    Err(last.unwrap_or_else(|| ConnectError::Silent(server.host.clone())))
}

async fn attempt(
    address: SocketAddr,
    request: &ConnectRequest<'_>,
) -> Result<Connected, ConnectError> {
    let socket = |error| ConnectError::Socket { address, error };
    let mut stream = TcpStream::connect(address).await.map_err(socket)?;
    stream.set_nodelay(true).map_err(socket)?;
    let mut frame = Vec::new();
    let start = begin_frame(&mut frame);
    request.encode(&mut Encoder::new(&mut frame));
    end_frame(&mut frame, start);
    stream.write_all(&frame).await.map_err(socket)?;
    let mut input = Vec::new();
    loop {
        if stream.read_buf(&mut input).await.map_err(socket)? == 0 {
            return Err(ConnectError::Closed { address });
        }
        let mut frames = Frames::new(&input, RESPONSE_MAX);
        let frame = frames.next_frame().map_err(|error| ConnectError::Frame { address, error })?;
        if let Some(frame) = frame {
            let response = ConnectResponse::decode(frame)
                .map_err(|error| ConnectError::Record { address, error })?;
            let consumed = frames.consumed();
            input.drain(..consumed);
            return Ok(Connected { stream, response, input });
        }
    }
}

/// Asks a server whether it takes writes, by the four-letter word `isro`.
pub(super) async fn takes_writes(server: &Server, limit: Duration) -> bool {
    let ask = async {
        for address in names::resolve(&server.host).await.ok()? {
            let Ok(mut stream) = TcpStream::connect((address, server.port)).await else { continue };
            stream.write_all(b"isro").await.ok()?;
            let mut answer = Vec::new();
            stream.take(16).read_to_end(&mut answer).await.ok()?;
            return Some(answer == b"rw");
        }
        None
    };
    timeout(limit, ask).await.ok().flatten().unwrap_or(false)
}

/// A response has 37 bytes; other services begin with text, which is a longer length.
const RESPONSE_MAX: usize = 1 << 10;
