//! The load generator: one thread, many connections, a fixed depth or a fixed pace.
//!
//! A closed run keeps `depth` requests in flight on each connection; an open one sends at a pace that
//! no slow reply can hold back, and counts latency from the moment a request was due.
//!
//! Invariants
//! - One read and at most one write call per ready connection and turn.
//! - A run ends only when every request is answered, so that the next one finds nothing in flight.

use std::net::TcpStream;
use std::time::Duration;

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};

use crate::connection::{Blocked, Clock, Connection, Latencies};
use crate::error::Error;
use crate::requests::Requests;
use crate::session::{SILENCE_MAX, Session, connect};

/// How requests follow each other.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pace {
    /// So many in flight on each connection.
    Closed { depth: usize },
    /// So many in a second, over all connections.
    Open { per_second: u32 },
}

/// When a run stops to send.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Until {
    /// After this time.
    Elapsed(Duration),
    /// After this many requests.
    Sent(u64),
}

/// What a run brought.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) latencies: Latencies,
    /// From the first request to the last reply.
    pub(crate) seconds: f64,
}

impl Run {
    pub(crate) fn per_second(&self) -> f64 {
        self.latencies.len() as f64 / self.seconds
    }
}

/// Connections to one server, or to the members of one ensemble.
#[derive(Debug)]
pub(crate) struct Load {
    connections: Vec<Connection>,
    epoll: Epoll,
    has_sessions: bool,
}

impl Load {
    /// Opens `count` sessions, on the ports in turn.
    pub(crate) fn sessions(ports: &[u16], count: usize) -> Result<Self, Error> {
        Self::new(ports, count, true, |port| Ok(Session::open(port)?.into_stream()))
    }

    /// Opens `count` connections without sessions, as to the echo control.
    pub(crate) fn bare(port: u16, count: usize) -> Result<Self, Error> {
        Self::new(&[port], count, false, |port| Ok((connect(port)?, 1)))
    }

    fn new(
        ports: &[u16],
        count: usize,
        has_sessions: bool,
        open: impl Fn(u16) -> Result<(TcpStream, i32), Error>,
    ) -> Result<Self, Error> {
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)
            .map_err(Error::system("create an epoll"))?;
        let mut connections = Vec::with_capacity(count);
        for (index, port) in ports.iter().copied().cycle().take(count).enumerate() {
            let (stream, next_xid) = open(port)?;
            let connection = Connection::new(stream, port, next_xid)?;
            let event = EpollEvent::new(EpollFlags::EPOLLIN, index as u64);
            epoll.add(connection.stream(), event).map_err(Error::system("add to an epoll"))?;
            connections.push(connection);
        }
        Ok(Self { connections, epoll, has_sessions })
    }

    /// Sends `requests` at `pace` and waits for every reply.
    pub(crate) fn run(
        &mut self,
        requests: &mut Requests,
        pace: Pace,
        until: Until,
    ) -> Result<Run, Error> {
        let clock = Clock::start();
        let mut plan = Plan::new(pace, until);
        let mut latencies = Latencies::new();
        let mut answered_ns = 0;
        let mut events = vec![EpollEvent::empty(); self.connections.len()];
        if let Pace::Closed { depth } = pace {
            for index in 0..self.connections.len() {
                self.refill(index, depth, requests, &mut plan, clock)?;
            }
        }
        while !plan.is_over(clock.now_ns()) || latencies.len() < plan.sent {
            if let Pace::Open { .. } = pace {
                self.send_due(requests, &mut plan, clock)?;
            }
            let timeout = match pace {
                Pace::Closed { .. } => EpollTimeout::from(100u16),
                // Spins, so that no timer's slack is in the figures.
                Pace::Open { .. } => EpollTimeout::ZERO,
            };
            let ready =
                self.epoll.wait(&mut events, timeout).map_err(Error::system("wait for replies"))?;
            for event in &events[..ready] {
                let index = usize::try_from(event.data()).expect("the data is an index");
                if event.events().contains(EpollFlags::EPOLLOUT) {
                    self.flush(index)?;
                }
                if self.connections[index].receive(clock, &mut latencies)? == 0 {
                    continue;
                }
                answered_ns = clock.now_ns();
                if let Pace::Closed { depth } = pace {
                    self.refill(index, depth, requests, &mut plan, clock)?;
                }
            }
            if clock.now_ns().saturating_sub(answered_ns) > SILENCE_NS {
                let waiting = self.connections.iter().map(Connection::in_flight).sum();
                return Err(Error::Silence { seconds: SILENCE_MAX.as_secs(), waiting });
            }
        }
        Ok(Run { latencies, seconds: answered_ns as f64 / 1e9 })
    }

    /// Brings one connection up to `depth` requests in flight.
    fn refill(
        &mut self,
        index: usize,
        depth: usize,
        requests: &mut Requests,
        plan: &mut Plan,
        clock: Clock,
    ) -> Result<(), Error> {
        let now_ns = clock.now_ns();
        let connection = &mut self.connections[index];
        while connection.in_flight() < depth && !plan.is_over(now_ns) {
            connection.queue(requests, now_ns);
            plan.sent += 1;
        }
        self.flush(index)
    }

    /// Sends what is due by now, to the connections in turn.
    fn send_due(
        &mut self,
        requests: &mut Requests,
        plan: &mut Plan,
        clock: Clock,
    ) -> Result<(), Error> {
        let now_ns = clock.now_ns();
        while plan.due_ns() <= now_ns && !plan.is_over(plan.due_ns()) {
            let count = self.connections.len() as u64;
            let index = usize::try_from(plan.sent % count).expect("an index fits");
            self.connections[index].queue(requests, plan.due_ns());
            plan.sent += 1;
            self.flush(index)?;
        }
        Ok(())
    }

    /// Writes what one connection has; asks to be told when a full socket takes more.
    fn flush(&mut self, index: usize) -> Result<(), Error> {
        let flags = match self.connections[index].flush()? {
            None => return Ok(()),
            Some(Blocked::Begins) => EpollFlags::EPOLLIN | EpollFlags::EPOLLOUT,
            Some(Blocked::Ends) => EpollFlags::EPOLLIN,
        };
        let mut event = EpollEvent::new(flags, index as u64);
        self.epoll
            .modify(self.connections[index].stream(), &mut event)
            .map_err(Error::system("change an epoll"))
    }

    /// Closes the sessions, so that none expires during a later figure.
    pub(crate) fn close(self) -> Result<(), Error> {
        if !self.has_sessions {
            return Ok(());
        }
        for connection in self.connections {
            connection.into_session()?.close()?;
        }
        Ok(())
    }
}

/// How far a run has come.
#[derive(Debug)]
struct Plan {
    until: Until,
    interval_ns: u64,
    sent: u64,
}

impl Plan {
    fn new(pace: Pace, until: Until) -> Self {
        let interval_ns = match pace {
            Pace::Closed { .. } => 0,
            Pace::Open { per_second } => 1_000_000_000 / u64::from(per_second),
        };
        Self { until, interval_ns, sent: 0 }
    }

    /// Whether nothing more is to be sent at `now_ns`.
    fn is_over(&self, now_ns: u64) -> bool {
        match self.until {
            Until::Elapsed(limit) => u128::from(now_ns) >= limit.as_nanos(),
            Until::Sent(limit) => self.sent >= limit,
        }
    }

    /// When the next request of an open run is to be sent.
    fn due_ns(&self) -> u64 {
        self.sent * self.interval_ns
    }
}

const SILENCE_NS: u64 = SILENCE_MAX.as_secs() * 1_000_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_run_sends_at_its_pace_whatever_the_replies_do() {
        let pace = Pace::Open { per_second: 1000 };
        let mut plan = Plan::new(pace, Until::Elapsed(Duration::from_millis(3)));
        let mut due = Vec::new();
        while !plan.is_over(plan.due_ns()) {
            due.push(plan.due_ns());
            plan.sent += 1;
        }
        assert_eq!(due, [0, 1_000_000, 2_000_000]);
    }

    #[test]
    fn a_counted_run_ends_at_its_count() {
        let mut plan = Plan::new(Pace::Closed { depth: 4 }, Until::Sent(2));
        assert!(!plan.is_over(u64::MAX));
        plan.sent = 2;
        assert!(plan.is_over(0));
    }
}
