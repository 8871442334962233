//! Messages over a connection that stays, both ways at once, until it breaks or another takes its place.
//!
//! Java: `QuorumCnxManager.SendWorker`, `RecvWorker`.

use std::rc::Rc;

use thiserror::Error;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::net::tcp::{ReadHalf, WriteHalf};
use zk_core::Input;
use zk_wire::{FrameError, Frames, Notification, ServerId, begin_frame, end_frame};

use super::{Connection, ElectionPort, Next};

/// Why a connection is over.
#[derive(Debug, Error)]
enum End {
    #[error("the peer closed it")]
    Closed,
    #[error("another connection took its place")]
    Replaced,
    #[error("{0}")]
    Io(#[from] std::io::Error),
    #[error("a message of {} bytes; 1 to {} are allowed", .0.length, Notification::LEN_MAX)]
    Length(FrameError),
}

impl ElectionPort {
    /// Serves an adopted connection; `rest` is what the peer has said already.
    pub(super) async fn converse(
        self: Rc<Self>,
        peer: ServerId,
        connection: Rc<Connection>,
        mut stream: TcpStream,
        rest: Vec<u8>,
    ) {
        self.feed(Input::Reachable { peer, is_reachable: true });
        let (reader, writer) = stream.split();
        let end = tokio::select! {
            end = self.listen(peer, &connection, reader, rest) => end,
            end = self.speak(peer, &connection, writer) => end,
        };
        if let Err(end) = end {
            if matches!(end, End::Length(_)) {
                self.complain(&format!("the connection of server {peer} is closed: {end}"));
            }
            self.let_go(peer, &connection, &end.to_string());
        }
    }

    async fn listen(
        self: &Rc<Self>,
        peer: ServerId,
        connection: &Connection,
        mut reader: ReadHalf<'_>,
        mut bytes: Vec<u8>,
    ) -> Result<(), End> {
        loop {
            let mut frames = Frames::new(&bytes, Notification::LEN_MAX);
            while let Some(payload) = frames.next_frame().map_err(End::Length)? {
                if payload.is_empty() {
                    let limit = Notification::LEN_MAX;
                    return Err(End::Length(FrameError { length: 0, limit }));
                }
                connection.was_useful.set(true);
                self.feed(Input::Notified { from: peer, payload });
            }
            let consumed = frames.consumed();
            bytes.drain(..consumed);
            if bytes.is_empty() {
                bytes.shrink_to(READ_SIZE);
            }
            bytes.reserve(READ_SIZE);
            if reader.read_buf(&mut bytes).await? == 0 {
                return Err(End::Closed);
            }
        }
    }

    async fn speak(
        &self,
        peer: ServerId,
        connection: &Rc<Connection>,
        mut writer: WriteHalf<'_>,
    ) -> Result<(), End> {
        loop {
            match self.next_message(peer, connection) {
                Next::Message(payload) => {
                    let mut frame = Vec::with_capacity(4 + payload.len());
                    let start = begin_frame(&mut frame);
                    frame.extend_from_slice(&payload);
                    end_frame(&mut frame, start);
                    if let Err(error) = writer.write_all(&frame).await {
                        self.put_back(peer, payload);
                        return Err(error.into());
                    }
                }
                Next::Wait => connection.changed.notified().await,
                Next::End => return Err(End::Replaced),
            }
        }
    }
}

/// How much is read at once: a message with the configuration of a large ensemble.
const READ_SIZE: usize = 4 << 10;
