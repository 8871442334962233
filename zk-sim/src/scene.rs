//! What all parts of a run share: time, chance, the oracle, the trace, and what is to happen next.

use std::collections::BTreeMap;

use crate::checker::Checker;
use crate::event::Event;
use crate::knobs::{Knobs, Shape};
use crate::mutation::Mutation;
use crate::random::Random;
use crate::tally::Tally;

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

    fn mix(&mut self, number: u64) {
        self.hash = (self.hash ^ number).wrapping_mul(0x100_0000_01b3).rotate_left(29);
    }
}

/// The shared state of a run.
#[derive(Debug)]
pub(crate) struct Scene {
    pub(crate) now_us: u64,
    pub(crate) random: Random,
    /// Chance of its own, so that runs without reconfigurations are what they were before there were any.
    pub(crate) admin: Random,
    pub(crate) knobs: Knobs,
    pub(crate) mutation: Option<Mutation>,
    pub(crate) checker: Checker,
    pub(crate) trace: Trace,
    pub(crate) tally: Tally,
    queue: BTreeMap<(u64, u64), Event>,
    scheduled: u64,
}

const WALL_START_MS: i64 = 1_700_000_000_000;

impl Scene {
    pub(crate) fn new(
        seed: u64,
        shape: Shape,
        mutation: Option<Mutation>,
        is_verbose: bool,
    ) -> Self {
        let mut random = Random::new(seed);
        let mut knobs = Knobs::draw(&mut random, shape);
        let mut admin = Random::new(!seed);
        knobs.quorum.is_reconfigurable = !knobs.quorum.is_alone() && admin.chance(333);
        let mut scene = Self {
            now_us: 0,
            random,
            admin,
            mutation,
            checker: Checker::new(&knobs),
            knobs,
            trace: Trace::new(is_verbose),
            tally: Tally::default(),
            queue: BTreeMap::new(),
            scheduled: 0,
        };
        let knobs = format!("{:?}", scene.knobs);
        scene.note(|| knobs, 0);
        scene
    }

    /// Lets something happen so many microseconds from now.
    pub(crate) fn after(&mut self, us: u64, event: Event) {
        self.scheduled += 1;
        self.queue.insert((self.now_us.saturating_add(us), self.scheduled), event);
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

    /// What a wall clock shows that is off by so much.
    pub(crate) fn wall_ms(&self, skew_ms: i64) -> i64 {
        let elapsed = i64::try_from(self.now_us / 1000).expect("runs are short");
        WALL_START_MS + elapsed + skew_ms
    }

    /// Records something that happened; `number` stands for it in the hash.
    pub(crate) fn note(&mut self, what: impl FnOnce() -> String, number: u64) {
        self.trace.mix(self.now_us);
        self.trace.mix(number);
        if self.trace.is_verbose {
            eprintln!("{:>10} {}", self.now_us, what());
        }
    }
}
