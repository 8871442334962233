//! A blocking socket that sends and receives frames, each wait under a deadline.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::Duration;

use zk_wire::{ConnectRequest, ConnectResponse, Encoder, SessionId, Zxid, begin_frame, end_frame};

const PATIENCE: Duration = Duration::from_secs(15);

/// A connection without any knowledge of sessions.
pub(crate) struct Wire {
    stream: TcpStream,
}

impl Wire {
    pub(crate) fn open(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the server listens");
        stream.set_nodelay(true).expect("the option exists");
        stream.set_read_timeout(Some(PATIENCE)).expect("a timeout is allowed");
        stream.set_write_timeout(Some(PATIENCE)).expect("a timeout is allowed");
        Self { stream }
    }

    /// Sends bytes as they are. That the server has closed is seen by the next read, not here.
    pub(crate) fn send(&mut self, bytes: &[u8]) {
        if let Err(error) = self.stream.write_all(bytes) {
            assert!(is_close(error.kind()), "cannot send: {error}");
        }
    }

    /// Sends `body` behind its length.
    pub(crate) fn send_frame(&mut self, body: &[u8]) {
        self.send(&framed(body));
    }

    /// The next frame; `None` when the server has closed the connection.
    pub(crate) fn frame(&mut self) -> Option<Vec<u8>> {
        let mut length = [0; 4];
        if !self.read(&mut length) {
            return None;
        }
        let length = i32::from_be_bytes(length);
        let mut body = vec![0; usize::try_from(length).expect("a frame's length is not negative")];
        assert!(self.read(&mut body), "closed in the middle of a frame of {length} bytes");
        Some(body)
    }

    /// All that comes until the server closes, as text.
    pub(crate) fn text(&mut self) -> String {
        let mut text = Vec::new();
        match self.stream.read_to_end(&mut text) {
            Err(error) if !is_close(error.kind()) => panic!("not closed in time: {error}"),
            _ => String::from_utf8(text).expect("words are answered in UTF-8"),
        }
    }

    /// Ends one direction, or both.
    pub(crate) fn shutdown(&self, how: Shutdown) {
        // The server may have closed it already.
        let _ = self.stream.shutdown(how);
    }

    /// The server closes without having sent another byte.
    #[track_caller]
    pub(crate) fn expect_closed(&mut self) {
        let frame = self.frame();
        assert_eq!(frame, None, "the connection should be closed without a word");
    }

    /// Sends a connect request, gives the response; `None` when the server closes instead.
    pub(crate) fn connect(&mut self, request: &ConnectRequest<'_>) -> Option<ConnectResponse> {
        let mut body = Vec::new();
        request.encode(&mut Encoder::new(&mut body));
        self.send_frame(&body);
        self.frame().map(|frame| ConnectResponse::decode(&frame).expect("a connect response"))
    }

    fn read(&mut self, into: &mut [u8]) -> bool {
        match self.stream.read_exact(into) {
            Ok(()) => true,
            Err(error) if is_close(error.kind()) => false,
            Err(error) => panic!("nothing came within {PATIENCE:?}: {error}"),
        }
    }
}

/// `body` behind its length.
pub(crate) fn framed(body: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let start = begin_frame(&mut out);
    out.extend_from_slice(body);
    end_frame(&mut out, start);
    out
}

/// The connect request of a new client that asks for `timeout_ms`.
pub(crate) fn new_session(timeout_ms: i32) -> ConnectRequest<'static> {
    ConnectRequest {
        protocol_version: 0,
        last_zxid_seen: Zxid(0),
        timeout_ms,
        session_id: SessionId(0),
        passwd: Some(&[0; 16]),
        read_only: Some(false),
    }
}

fn is_close(kind: ErrorKind) -> bool {
    use ErrorKind::{BrokenPipe, ConnectionAborted, ConnectionReset, UnexpectedEof};
    matches!(kind, BrokenPipe | ConnectionAborted | ConnectionReset | UnexpectedEof)
}
