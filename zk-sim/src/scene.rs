//! What all parts of a run share: time, chance, the oracle, the trace, and what is to happen next.

use std::collections::BTreeMap;

use crate::checker::{Checker, LinkId};
use crate::knobs::Knobs;
use crate::random::Random;

/// Something that will happen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Event {
    /// A client does something.
    Client(usize),
    /// A connection reaches the server's listener.
    Accept(LinkId),
    /// Bytes reach the server, or the client.
    Up(LinkId),
    Down(LinkId),
    /// The end of the stream reaches the server, or the client.
    UpEnd(LinkId),
    DownEnd(LinkId),
    /// A part of the server's process goes on; it means nothing to a later process.
    Work {
        boot: u64,
        work: Work,
    },
    /// A server is started.
    Start,
    /// Something breaks.
    Fault,
}

/// A part of the server's process.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Work {
    /// The task of a connection.
    Socket(LinkId),
    /// The driver hands its batch to the log thread.
    SendBatch,
    /// The log thread takes what has come.
    Log,
    /// The log thread's flush is over.
    Commit,
    /// The driver hears of flushes.
    Report,
    /// A snapshot goes on.
    Snapshot(u64),
    /// The driver's timer.
    Timer,
}

/// A fault of the server's own making, to see that the oracle finds it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// What the log was given is said to be on the disk before it is.
    PersistBeforeCommit,
    /// The last txn of a batch never reaches the log.
    LoseLastAppend,
    /// Some watch events are not sent.
    SwallowEvent,
    /// Some watch events come one reply too late.
    EventAfterReply,
    /// Time runs ahead when sessions are looked at.
    ExpireEarly,
    /// A snapshot is named by the txn after the one that it shows.
    MislabelSnapshot,
    /// A snapshot takes slices until there is none, so also those of a snapshot begun meanwhile.
    SliceUntilNone,
}

impl Mutation {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::PersistBeforeCommit,
        Self::LoseLastAppend,
        Self::SwallowEvent,
        Self::EventAfterReply,
        Self::ExpireEarly,
        Self::MislabelSnapshot,
        Self::SliceUntilNone,
    ];
}

/// A record of what happened: a hash always, lines on demand.
#[derive(Debug)]
pub(crate) struct Trace {
    hash: u64,
    is_verbose: bool,
}

impl Trace {
    pub(crate) fn new(is_verbose: bool) -> Self {
        Self { hash: 0xcbf2_9ce4_8422_2325, is_verbose }
    }

    pub(crate) fn hash(&self) -> u64 {
        self.hash
    }

    fn mix(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.hash = (self.hash ^ u64::from(*byte)).wrapping_mul(0x100_0000_01b3);
        }
    }
}

/// The shared state of a run.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) now_us: u64,
    /// How far the wall clock is off.
    pub(crate) wall_skew_ms: i64,
    pub(crate) random: Random,
    pub(crate) knobs: Knobs,
    pub(crate) mutation: Option<Mutation>,
    pub(crate) checker: Checker,
    pub(crate) trace: Trace,
    queue: BTreeMap<(u64, u64), Event>,
    scheduled: u64,
}

const WALL_START_MS: i64 = 1_700_000_000_000;

impl Scene {
    pub(crate) fn new(seed: u64, mutation: Option<Mutation>, is_verbose: bool) -> Self {
        let mut random = Random::new(seed);
        let knobs = Knobs::draw(&mut random);
        let mut scene = Self {
            now_us: 0,
            wall_skew_ms: 0,
            random,
            mutation,
            checker: Checker::new(&knobs),
            knobs,
            trace: Trace::new(is_verbose),
            queue: BTreeMap::new(),
            scheduled: 0,
        };
        let knobs = format!("{:?}", scene.knobs);
        scene.note(|| knobs, &[]);
        scene
    }

    /// Lets something happen so many microseconds from now.
    pub(crate) fn after(&mut self, us: u64, event: Event) {
        self.scheduled += 1;
        self.queue.insert((self.now_us + us, self.scheduled), event);
    }

    /// Moves on to what happens next.
    pub(crate) fn next(&mut self) -> Option<Event> {
        let ((at, _), event) = self.queue.pop_first()?;
        self.now_us = self.now_us.max(at);
        Some(event)
    }

    /// A time up to `max_us`, short ones more often.
    pub(crate) fn delay(&mut self, max_us: u64) -> u64 {
        let max = self.random.below(max_us.max(1)) + 1;
        self.random.below(max)
    }

    /// What the wall clock shows.
    pub(crate) fn wall_ms(&self) -> i64 {
        let elapsed = i64::try_from(self.now_us / 1000).expect("runs are short");
        WALL_START_MS + elapsed + self.wall_skew_ms
    }

    /// Records something that happened.
    pub(crate) fn note(&mut self, what: impl FnOnce() -> String, bytes: &[u8]) {
        let now = self.now_us.to_be_bytes();
        self.trace.mix(&now);
        self.trace.mix(bytes);
        if self.trace.is_verbose {
            eprintln!("{:>10} {}", self.now_us, what());
        }
    }
}
