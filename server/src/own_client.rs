//! A client inside the server: a session without a socket and with every right, for what the server itself wants
//! written. What it asks goes the way of every request, to a leader of Java's too.
//!
//! Invariant: it has one request on the way at a time, and its place is free again when it is dropped.

use std::cell::RefCell;
use std::future::poll_fn;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::rc::Rc;
use std::task::Poll;

use thiserror::Error;
use zk_core::{ConnectionId, Input};
use zk_wire::{
    ConnectRequest, ConnectResponse, DecodeError, Decoder, Encoder, ErrorCode, Frames, ReplyHeader,
    Request, SessionId, Xid, Zxid, begin_frame, end_frame,
};

use crate::shell::Shell;

/// A session of the server itself.
pub(crate) struct OwnClient {
    shell: Rc<RefCell<Shell>>,
    cnx: ConnectionId,
}

/// Why a request was not done, or may not have been.
#[derive(Debug, Error)]
pub(crate) enum OwnError {
    /// As any client is told.
    #[error("{0}")]
    Refused(&'static str),
    /// The server stopped serving meanwhile.
    #[error("this server stopped serving")]
    Lost,
    /// There is no room for another client.
    #[error("this server takes no more clients")]
    Full,
    /// A server's answer makes no sense.
    #[error("an answer cannot be read: {0}")]
    Answer(#[from] DecodeError),
}

impl OwnClient {
    /// Opens a session.
    pub(crate) async fn open(shell: &Rc<RefCell<Shell>>) -> Result<Self, OwnError> {
        let cnx = shell.borrow_mut().admit(SELF).map_err(|_| OwnError::Full)?;
        let client = Self { shell: shell.clone(), cnx };
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: Zxid::ZERO,
            timeout_ms: TIMEOUT_MS,
            session_id: SessionId(0),
            passwd: None,
            read_only: Some(false),
        };
        let answer = client.exchange(|e| request.encode(e)).await?;
        ConnectResponse::decode(&answer)?;
        client.shell.borrow_mut().peer.trust(cnx);
        Ok(client)
    }

    /// Changes the members.
    pub(crate) async fn reconfigure(
        &self,
        joining: Option<&str>,
        leaving: Option<&str>,
    ) -> Result<(), OwnError> {
        let request = Request::Reconfig {
            joining: joining.map(Into::into),
            leaving: leaving.map(Into::into),
            new_members: None,
            config_id: -1,
        };
        self.ask(&request).await
    }

    /// Ends the session.
    pub(crate) async fn close(self) -> Result<(), OwnError> {
        self.ask(&Request::CloseSession).await
    }

    async fn ask(&self, request: &Request<'_>) -> Result<(), OwnError> {
        let answer = self
            .exchange(|e| {
                e.int(XID.0).int(request.op().code());
                request.encode(e);
            })
            .await?;
        let header = ReplyHeader::decode(&mut Decoder::new(&answer))?;
        match header.err {
            0 => Ok(()),
            code => Err(OwnError::Refused(
                ErrorCode::from_code(code).map_or("UNKNOWN", ErrorCode::name),
            )),
        }
    }

    /// Feeds a frame and waits for the next one that comes back.
    async fn exchange(&self, write: impl FnOnce(&mut Encoder<'_>)) -> Result<Vec<u8>, OwnError> {
        let mut frame = Vec::new();
        let start = begin_frame(&mut frame);
        write(&mut Encoder::new(&mut frame));
        end_frame(&mut frame, start);
        {
            let mut shell = self.shell.borrow_mut();
            let now = shell.clock.now();
            shell.step(
                now,
                Input::Frame { cnx: self.cnx, bytes: &frame[size_of::<i32>()..] },
                None,
            );
            shell.wake_driver();
        }
        poll_fn(|cx| {
            let mut shell = self.shell.borrow_mut();
            loop {
                if let Some(answer) = self.answer(&mut shell) {
                    return Poll::Ready(Ok(answer));
                }
                if shell.is_closing(self.cnx) {
                    return Poll::Ready(Err(OwnError::Lost));
                }
                if shell.poll_signal(self.cnx, cx).is_pending() {
                    return Poll::Pending;
                }
            }
        })
        .await
    }

    fn answer(&self, shell: &mut Shell) -> Option<Vec<u8>> {
        let length_max = shell.settings.frame_length_max;
        let out = shell.peer.output(self.cnx)?;
        let mut frames = Frames::new(out, length_max);
        let answer = frames.next_frame().ok()??.to_vec();
        let consumed = frames.consumed();
        out.drain(..consumed);
        Some(answer)
    }
}

impl Drop for OwnClient {
    fn drop(&mut self) {
        self.shell.borrow_mut().release(self.cnx, SELF.ip());
    }
}

/// Where it says to come from.
const SELF: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
/// The session outlives no more than its server.
const TIMEOUT_MS: i32 = 10_000;
const XID: Xid = Xid(1);
