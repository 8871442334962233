//! One connection of the load generator: what is sent, what is waited for, how long it took.
//!
//! Invariants
//! - Replies come in the order of the requests; one that does not ends the run.
//! - Nothing is allocated per request once the buffers have grown.

use std::collections::VecDeque;
use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Instant;

use hdrhistogram::Histogram;
use zk_wire::Frames;

use crate::error::Error;
use crate::requests::{Kind, Requests};
use crate::session::{REPLY_MAX, Session, check_reply};
use crate::statistics::latencies;

/// Latencies in nanoseconds.
#[derive(Clone, Debug)]
pub(crate) struct Latencies {
    pub(crate) reads: Histogram<u64>,
    pub(crate) writes: Histogram<u64>,
}

impl Latencies {
    pub(crate) fn new() -> Self {
        Self { reads: latencies(), writes: latencies() }
    }

    /// Both kinds in one.
    pub(crate) fn all(&self) -> Histogram<u64> {
        let mut all = self.reads.clone();
        all.add(&self.writes).expect("both histograms have the same bounds");
        all
    }

    pub(crate) fn len(&self) -> u64 {
        self.reads.len() + self.writes.len()
    }
}

/// The clock of one run: nanoseconds since its start.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock(Instant);

impl Clock {
    pub(crate) fn start() -> Self {
        Self(Instant::now())
    }

    pub(crate) fn now_ns(self) -> u64 {
        u64::try_from(self.0.elapsed().as_nanos()).expect("no run lasts centuries")
    }
}

/// A connection with requests in flight.
#[derive(Debug)]
pub(crate) struct Connection {
    stream: TcpStream,
    port: u16,
    input: Vec<u8>,
    filled: usize,
    output: Vec<u8>,
    written: usize,
    in_flight: VecDeque<InFlight>,
    next_xid: i32,
    /// Whether the socket was full when last written to.
    is_blocked: bool,
}

/// A change in whether a socket takes bytes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Blocked {
    Begins,
    Ends,
}

#[derive(Clone, Copy, Debug)]
struct InFlight {
    sent_ns: u64,
    kind: Kind,
}

impl Connection {
    /// Takes a connected stream whose next request has `next_xid`.
    pub(crate) fn new(stream: TcpStream, port: u16, next_xid: i32) -> Result<Self, Error> {
        stream
            .set_nonblocking(true)
            .map_err(Error::connection("set options of a connection to", port))?;
        Ok(Self {
            stream,
            port,
            input: vec![0; INPUT_MIN],
            filled: 0,
            output: Vec::new(),
            written: 0,
            in_flight: VecDeque::new(),
            next_xid,
            is_blocked: false,
        })
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// The session on it, one request at a time again.
    pub(crate) fn into_session(self) -> Result<Session, Error> {
        self.stream
            .set_nonblocking(false)
            .map_err(Error::connection("set options of a connection to", self.port))?;
        Ok(Session::from_stream(self.stream, self.port, self.next_xid))
    }

    pub(crate) fn in_flight(&self) -> usize {
        self.in_flight.len()
    }

    /// Puts the next request into the output; its latency counts from `sent_ns`.
    pub(crate) fn queue(&mut self, requests: &mut Requests, sent_ns: u64) {
        let kind = requests.append(self.next_xid, &mut self.output);
        self.next_xid = self.next_xid.wrapping_add(1) & i32::MAX;
        self.in_flight.push_back(InFlight { sent_ns, kind });
    }

    /// Writes what the socket takes; says when it begins or ceases to be full.
    pub(crate) fn flush(&mut self) -> Result<Option<Blocked>, Error> {
        while self.written < self.output.len() {
            match self.stream.write(&self.output[self.written..]) {
                Ok(count) => self.written += count,
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    let was_blocked = std::mem::replace(&mut self.is_blocked, true);
                    return Ok((!was_blocked).then_some(Blocked::Begins));
                }
                Err(error) => return Err(Error::connection("write to", self.port)(error)),
            }
        }
        self.output.clear();
        self.written = 0;
        let was_blocked = std::mem::replace(&mut self.is_blocked, false);
        Ok(was_blocked.then_some(Blocked::Ends))
    }

    /// Reads once and records every whole reply; gives how many there were.
    pub(crate) fn receive(
        &mut self,
        clock: Clock,
        latencies: &mut Latencies,
    ) -> Result<usize, Error> {
        if self.filled == self.input.len() {
            self.input.resize(self.input.len() * 2, 0);
        }
        let count = match self.stream.read(&mut self.input[self.filled..]) {
            Ok(0) => {
                let ended = ErrorKind::UnexpectedEof.into();
                return Err(Error::connection("read from", self.port)(ended));
            }
            Ok(count) => count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(0),
            Err(error) => return Err(Error::connection("read from", self.port)(error)),
        };
        self.filled += count;
        let now_ns = clock.now_ns();
        let mut frames = Frames::new(&self.input[..self.filled], REPLY_MAX);
        let mut replies = 0;
        while let Some(frame) = frames.next_frame()? {
            let waiting = self.in_flight.len();
            let Some(request) = self.in_flight.pop_front() else {
                return Err(Error::Order { expected: self.next_xid, got: -1 });
            };
            check_reply(frame, xid_of_oldest(self.next_xid, waiting))?;
            let histogram = match request.kind {
                Kind::Read => &mut latencies.reads,
                Kind::Write => &mut latencies.writes,
            };
            histogram.saturating_record(now_ns - request.sent_ns);
            replies += 1;
        }
        let consumed = frames.consumed();
        self.input.copy_within(consumed..self.filled, 0);
        self.filled -= consumed;
        Ok(replies)
    }
}

/// Xids count up without gaps and wrap at the sign bit, so the oldest one need not be stored.
fn xid_of_oldest(next_xid: i32, waiting: usize) -> i32 {
    let waiting = i32::try_from(waiting).expect("a pipeline is shorter than the xids are many");
    next_xid.wrapping_sub(waiting) & i32::MAX
}

const INPUT_MIN: usize = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_xid_is_counted_back_from_the_next() {
        assert_eq!(xid_of_oldest(10, 3), 7);
        assert_eq!(xid_of_oldest(1, 2), i32::MAX);
    }
}
