//! Deterministic simulator: a server, its clients, network, disk and clocks from one seed.
//!
//! One thread, one queue of events, virtual time. The server is `zk_core::Peer` over `zk_storage` on a
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
mod faults;
mod knobs;
mod model;
mod random;
mod rights;
mod scene;
mod server;
mod violation;
mod watching;
mod wire;
mod world;

pub use scene::Mutation;
pub use violation::{Property, Violation};

use world::World;

/// One run.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    /// What decides everything.
    pub seed: u64,
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
    /// The zxid issued last.
    pub last_zxid: i64,
    /// What was found.
    pub result: Result<(), Violation>,
}

/// How many events a run has before faults end, unless told otherwise.
pub const STEPS: u64 = 4000;

impl Run {
    /// A run of this seed.
    pub fn new(seed: u64) -> Self {
        Self { seed, steps: STEPS, mutation: None, is_verbose: false }
    }

    /// Lets it happen.
    pub fn run(self) -> Report {
        let mut world = World::new(self.seed, self.mutation, self.is_verbose);
        let result = world.run(self.steps);
        Report {
            trace_hash: world.scene.trace.hash(),
            last_zxid: world.scene.checker.head_zxid(),
            result,
        }
    }
}
