//! Deterministic simulator: servers, clients, network, disks and clocks from one seed.
//!
//! One thread, one queue of events, virtual time. A server is `zk_core::Peer` over `zk_storage` on a
//! disk in memory, driven by the rules of the real shell; everything around it can fail at any moment.
//! An oracle with a model of its own holds every byte that clients receive against the order of txns.
//!
//! Never: a real clock, thread, socket or file; chance from anywhere but the seed.
//!
//! Invariants
//! - The same seed, steps and build give the same run, event by event.
//! - The model shares no code with the server's tree, preparation or watches.

mod ask;
mod checker;
mod client;
mod clock;
mod event;
mod faults;
mod knobs;
mod members;
mod model;
mod mutation;
mod net;
mod partitions;
mod random;
mod rights;
mod scene;
mod server;
mod tally;
mod violation;
mod watching;
mod wire;
mod world;

pub use mutation::Mutation;
pub use tally::{Fault, Operation, Tally};
pub use violation::{Property, Violation};

use knobs::Shape;
use world::World;

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// What decides everything.
    pub seed: u64,
    /// How many servers vote; a single one is standalone.
    pub voters: usize,
    /// How many events happen before faults end.
    pub steps: u64,
    /// A fault of the server's own.
    pub mutation: Option<Mutation>,
    /// Whether every event is written to stderr.
    pub is_verbose: bool,
}

/// How a run went.
#[derive(Clone, Debug)]
pub struct Report {
    /// What happened, as one number.
    pub trace_hash: u64,
    /// How many txns were committed.
    pub txns: usize,
    /// The zxid committed last.
    pub last_zxid: i64,
    /// How long it was, in microseconds of its own time.
    pub took_us: u64,
    /// What happened how often.
    pub tally: Tally,
    /// What was found.
    pub result: Result<(), Violation>,
}

impl Run {
    /// A run of this seed.
    pub fn new(seed: u64, voters: usize) -> Self {
        let steps = if voters == 1 { STEPS_ALONE } else { STEPS_ENSEMBLE };
        Self { seed, voters, steps, mutation: None, is_verbose: false }
    }

    /// Lets it happen.
    pub fn run(self) -> Report {
        let shape = Shape { voters: self.voters };
        let mut world = World::new(self.seed, shape, self.mutation, self.is_verbose);
        let result = world.run(self.steps);
        Report {
            trace_hash: world.scene.trace.hash(),
            txns: world.scene.checker.txns(),
            last_zxid: world.scene.checker.head_zxid(),
            took_us: world.scene.now_us,
            tally: world.scene.tally,
            result,
        }
    }

    /// The command that repeats it.
    pub fn command(&self) -> String {
        let Self { seed, voters, steps, .. } = self;
        format!("cargo run -p zk-sim -- --nodes {voters} --seed {seed} --steps {steps}")
    }
}

/// How many events a run has before faults end, unless told otherwise.
const STEPS_ALONE: u64 = 4000;
const STEPS_ENSEMBLE: u64 = 10_000;
