//! Who connects to the election port says who it is; then its connection stays, or it is called back.
//!
//! Invariants
//! - Nobody waits for a peer that is slow to introduce itself: when too many are, the oldest must go.
//! - What is no introduction ends that connection and nothing else.
//!
//! Java: `QuorumCnxManager.handleConnection`.

use std::net::SocketAddr;
use std::rc::Rc;

use thiserror::Error;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::timeout;
use tracing::debug;
use zk_wire::{InitialMessage, InitialMessageError, ServerId};

use super::super::security::secure_accepted;
use super::{ElectionPort, INTRODUCTIONS_MAX, STRANGERS_MAX};

impl ElectionPort {
    /// Takes a connection and lets its peer say who it is.
    pub(in super::super) fn introduce(self: &Rc<Self>, stream: TcpStream, remote: SocketAddr) {
        debug!("Received connection request from /{remote}");
        let mut state = self.state.borrow_mut();
        if state.introductions.len() >= INTRODUCTIONS_MAX
            && let Some((_, oldest)) = state.introductions.pop_front()
        {
            oldest.abort();
            state.complaints.warn(&format!(
                "{INTRODUCTIONS_MAX} peers have connected to the election port without saying who \
                 they are; the oldest one is closed for {remote}"
            ));
        }
        state.introduction_count += 1;
        let (port, number) = (self.clone(), state.introduction_count);
        let task = spawn_local(async move {
            let time = port.options.introduction_time;
            let heard = timeout(time, read_introduction(stream)).await;
            port.state.borrow_mut().introductions.retain(|(other, _)| *other != number);
            match heard.unwrap_or(Err(Failure::TooLate)) {
                Ok(heard) => port.introduced(heard, remote),
                // Somebody looked whether the port is open.
                Err(Failure::Closed { received: 0 }) => debug!("{remote} has said nothing"),
                Err(failure) => port.complain(&format!(
                    "the connection of {remote} to the election port is closed: {failure}"
                )),
            }
        });
        state.introductions.push_back((number, task.abort_handle()));
    }

    fn introduced(self: &Rc<Self>, heard: Heard, remote: SocketAddr) {
        let Heard { stream, message, rest } = heard;
        let (me, peer) = (self.options.me, message.sender);
        if peer == me {
            return self.complain(&format!(
                "We got a connection request from a server with our own ID. This should be either a \
                 configuration error, or a bug: {remote} says that it is server {me}"
            ));
        }
        if peer.0 < 0 || peer == ANONYMOUS {
            return self.complain(&format!(
                "the connection of {remote} to the election port is closed: it gives no number of \
                 its own ({peer})"
            ));
        }
        if !self.has_room_for(peer) {
            return self.complain(&format!(
                "the connection of {remote} to the election port is closed: it says that it is \
                 server {peer}, and {STRANGERS_MAX} servers that are no members are connected"
            ));
        }
        if peer < me {
            debug!("server {peer} at {remote} is called back: {me} is the larger number");
            drop(stream);
            self.call_back(peer, message.addresses, remote.ip());
        } else {
            let connection = self.adopt(peer);
            spawn_local(self.clone().converse(peer, connection, stream, rest));
        }
    }

    fn has_room_for(&self, peer: ServerId) -> bool {
        let state = self.state.borrow();
        let is_stranger = |peer: &&ServerId| !self.is_other_member(**peer);
        self.is_other_member(peer)
            || state.places.contains_key(&peer)
            || state.places.keys().filter(is_stranger).count() < STRANGERS_MAX
    }
}

/// A peer that has said who it is.
struct Heard {
    stream: TcpStream,
    message: InitialMessage,
    /// What it has said after that.
    rest: Vec<u8>,
}

/// Why a peer is not let in.
#[derive(Debug, Error)]
enum Failure {
    #[error("it did not say who it is in time")]
    TooLate,
    #[error("it ended after {received} bytes of its introduction")]
    Closed { received: usize },
    #[error("{0}")]
    Message(#[from] InitialMessageError),
    #[error("{0}")]
    Io(#[from] std::io::Error),
}

async fn read_introduction(stream: TcpStream) -> Result<Heard, Failure> {
    let mut stream = secure_accepted(stream).await?;
    let mut bytes = Vec::with_capacity(READ_SIZE);
    loop {
        if let Some((message, len)) = InitialMessage::decode(&bytes)? {
            bytes.drain(..len);
            return Ok(Heard { stream, message, rest: bytes });
        }
        // The longest introduction is not much longer than its addresses, so this has an end.
        bytes.reserve(READ_SIZE);
        if stream.read_buf(&mut bytes).await? == 0 {
            return Err(Failure::Closed { received: bytes.len() });
        }
    }
}

/// What observers of old call themselves.
const ANONYMOUS: ServerId = ServerId(i64::MAX);
const READ_SIZE: usize = 256;
