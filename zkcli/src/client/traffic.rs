//! The bytes of one connection: requests out, replies and notifications in, and the ping that keeps the
//! session alive.
//!
//! Invariants
//! - Reading never waits for writing: a server that does not take requests may be waiting for us to take
//!   its replies.
//! - A server that is silent for two thirds of the session's timeout is given up.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::tcp::{OwnedReadHalf, OwnedWriteHalf};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};
use zk_wire::{
    DecodeError, Decoder, Encoder, Frames, Op, ReplyHeader, Request, RequestHeader, WatcherEvent,
    Xid, begin_frame, end_frame,
};

use super::error::Error;
use super::handshake::Connected;
use super::session::{Outgoing, Session};

/// What came of waiting for the socket.
#[derive(Debug)]
pub(super) enum Step {
    /// Perhaps bytes.
    Nothing,
    Lost(String),
}

/// One connection at work.
pub(super) struct Traffic {
    reader: OwnedReadHalf,
    writer: OwnedWriteHalf,
    input: Vec<u8>,
    output: Vec<u8>,
    written: usize,
    in_flight: VecDeque<(Xid, Outgoing)>,
    next_xid: i32,
    packet_max: usize,
    /// Two thirds of the session's timeout.
    silence_max: Duration,
    heard: Instant,
    sent: Instant,
    close: Option<Xid>,
    is_closed: bool,
}

impl Traffic {
    pub(super) fn new(connected: Connected, timeout: Duration, packet_max: usize) -> Self {
        let (reader, writer) = connected.stream.into_split();
        let now = Instant::now();
        Self {
            reader,
            writer,
            input: connected.input,
            output: Vec::new(),
            written: 0,
            in_flight: VecDeque::new(),
            next_xid: 1,
            packet_max,
            silence_max: timeout * 2 / 3,
            heard: now,
            sent: now,
            close: None,
            is_closed: false,
        }
    }

    /// Puts a request into the output.
    pub(super) fn send(&mut self, request: Outgoing) {
        let xid = Xid(self.next_xid);
        self.next_xid = self.next_xid.checked_add(1).unwrap_or(1);
        self.frame(xid, request.op, &request.body);
        let kept = Outgoing { body: Vec::new(), ..request };
        self.in_flight.push_back((xid, kept));
    }

    /// The end of the session; its reply is waited for like any other.
    pub(super) fn send_close(&mut self) {
        self.close = Some(Xid(self.next_xid));
        let op = Op::CloseSession.code();
        self.send(Outgoing { op, body: Vec::new(), registration: None, reply: None });
    }

    pub(super) fn send_auth(&mut self, packet: &Request<'_>) {
        self.send_special(XID_AUTH, packet);
    }

    pub(super) fn send_watches(&mut self, watches: &Request<'_>) {
        self.send_special(XID_SET_WATCHES, watches);
    }

    fn send_special(&mut self, xid: Xid, request: &Request<'_>) {
        let mut body = Vec::new();
        request.encode(&mut Encoder::new(&mut body));
        self.frame(xid, request.op().code(), &body);
    }

    fn frame(&mut self, xid: Xid, op: i32, body: &[u8]) {
        let start = begin_frame(&mut self.output);
        let mut encoder = Encoder::new(&mut self.output);
        RequestHeader { xid, op }.encode(&mut encoder);
        encoder.raw(body);
        end_frame(&mut self.output, start);
        self.sent = Instant::now();
    }

    /// Waits until the socket has taken or given something; it may be dropped while it waits.
    pub(super) async fn step(&mut self) -> Step {
        let silent_at = self.heard + self.silence_max;
        let ping_at = self.sent + self.silence_max / 2;
        let has_output = self.written < self.output.len();
        tokio::select! {
            count = self.reader.read_buf(&mut self.input) => match count {
                Ok(0) => Step::Lost("the server closed the connection".to_owned()),
                Ok(_) => {
                    self.heard = Instant::now();
                    Step::Nothing
                }
                Err(error) => Step::Lost(error.to_string()),
            },
            count = self.writer.write(&self.output[self.written..]), if has_output => match count {
                Ok(count) => {
                    self.written += count;
                    if self.written == self.output.len() {
                        self.output.clear();
                        self.written = 0;
                    }
                    Step::Nothing
                }
                Err(error) => Step::Lost(error.to_string()),
            },
            () = sleep_until(silent_at) => Step::Lost("the server does not answer".to_owned()),
            () = sleep_until(ping_at) => {
                self.frame(Xid::PING, Op::Ping.code(), &[]);
                Step::Nothing
            }
        }
    }

    /// Hands every whole reply and notification to whom it is for.
    pub(super) fn hand_out(&mut self, session: &mut Session) -> Result<(), Error> {
        let input = std::mem::take(&mut self.input);
        let mut frames = Frames::new(&input, self.packet_max);
        let mut result = Ok(());
        while result.is_ok() {
            let Ok(Some(frame)) = frames.next_frame().inspect_err(|_| {
                result = Err(Error::ConnectionLoss);
            }) else {
                break;
            };
            result = self.on_frame(frame, session);
        }
        let consumed = frames.consumed();
        self.input = input;
        self.input.drain(..consumed);
        result
    }

    fn on_frame(&mut self, frame: &[u8], session: &mut Session) -> Result<(), Error> {
        let mut d = Decoder::new(frame);
        let header = ReplyHeader::decode(&mut d)?;
        match header.xid {
            Xid::PING | XID_SET_WATCHES => Ok(()),
            XID_AUTH if header.err != 0 => Err(Error::AuthFailed),
            XID_AUTH => Ok(()),
            Xid::NOTIFICATION => {
                let (event, path) = WatcherEvent::decode(&mut d)?;
                session.notify(event, &path, header.zxid.0);
                Ok(())
            }
            xid => self.on_reply(xid, header, &d, session),
        }
    }

    fn on_reply(
        &mut self,
        xid: Xid,
        header: ReplyHeader,
        d: &Decoder<'_>,
        session: &mut Session,
    ) -> Result<(), Error> {
        let Some((expected, request)) = self.in_flight.pop_front() else {
            return Err(DecodeError::Value { field: "xid", value: xid.0 }.into());
        };
        if expected != xid {
            self.in_flight.push_front((expected, request));
            return Err(DecodeError::Value { field: "xid", value: xid.0 }.into());
        }
        session.last_zxid = session.last_zxid.max(header.zxid);
        self.is_closed |= self.close == Some(xid);
        let mut result = if header.err == 0 { Ok(()) } else { Err(Error::from_code(header.err)) };
        if let Some(registration) = request.registration {
            result = session.register(registration, result);
        }
        if let Some(reply) = request.reply {
            // Whoever gave up waiting needs no answer.
            let _ = reply.send(result.map(|()| d.rest().to_vec()));
        }
        match result {
            Err(Error::SessionExpired) => Err(Error::SessionExpired),
            _ => Ok(()),
        }
    }

    /// Whether the server has confirmed the end of the session.
    pub(super) fn is_closed(&self) -> bool {
        self.is_closed
    }

    /// Whether the end of the session was asked for.
    pub(super) fn is_closing(&self) -> bool {
        self.close.is_some()
    }

    /// Takes away those who wait for replies.
    pub(super) fn waiters(&mut self) -> Vec<oneshot::Sender<Result<Vec<u8>, Error>>> {
        self.in_flight.iter_mut().filter_map(|(_, request)| request.reply.take()).collect()
    }

    /// What was sent and not answered.
    pub(super) fn into_owed(self) -> Vec<Outgoing> {
        self.in_flight.into_iter().map(|(_, request)| request).collect()
    }
}

const XID_AUTH: Xid = Xid(-4);
const XID_SET_WATCHES: Xid = Xid(-8);
