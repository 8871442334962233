//! What differs from seed to seed ("swarm"): limits of the servers, clients, and how hard all is hit.
//!
//! Each seed draws its own few extremes, since what an average run never meets hides in them.

mod faults;
mod quorum;

use crate::random::Random;
pub(crate) use faults::Faults;
pub(crate) use quorum::{Quorum, Shape};

/// The settings of one run.
#[derive(Clone, Debug)]
pub(crate) struct Knobs {
    /// What only an ensemble has.
    pub(crate) quorum: Quorum,
    pub(crate) clients: usize,
    /// Requests that a client may have on the way.
    pub(crate) pipeline_max: u64,
    /// The mean pause between a client's acts, in microseconds.
    pub(crate) think_us: u64,
    pub(crate) tick_ms: u64,
    pub(crate) session_timeout_min_ms: u64,
    pub(crate) session_timeout_max_ms: u64,
    pub(crate) snap_count: u64,
    pub(crate) snap_size_bytes: Option<u64>,
    pub(crate) prewrite_max: u64,
    pub(crate) log_file_len_max: Option<u64>,
    pub(crate) outstanding_limit: usize,
    pub(crate) txn_size_max: usize,
    pub(crate) output_soft_max: usize,
    pub(crate) output_hard_max: usize,
    pub(crate) extended_types: bool,
    pub(crate) reap_interval_ms: u64,
    pub(crate) never_used_max_ms: u64,
    /// How long a flush takes at most, in microseconds.
    pub(crate) flush_us: u64,
    /// How long bytes travel at most, in microseconds.
    pub(crate) delay_us: u64,
    /// What a socket takes before its reader reads, in bytes.
    pub(crate) socket_bytes: usize,
    /// Nodes a slice of a snapshot.
    pub(crate) slice_nodes: u32,
    /// How often each kind of fault comes.
    pub(crate) faults: Faults,
    /// How deep and how wide the tree of names is.
    pub(crate) names: usize,
    pub(crate) depth: u64,
}

impl Knobs {
    pub(crate) fn draw(random: &mut Random, shape: Shape) -> Self {
        let quorum = Quorum::draw(random, shape);
        let is_alone = quorum.is_alone();
        // An election takes its time: what waits for one must not wait in vain.
        let tick_ms = random.pick(if is_alone { &[10, 50, 100, 1000] } else { &[50, 100, 400] });
        let think_us =
            random.pick(if is_alone { &[200, 1000, 5000] } else { &[1000, 5000, 20_000] });
        Self {
            quorum,
            clients: 1 + random.index(6),
            pipeline_max: random.pick(&[1, 2, 5, 20]),
            think_us,
            tick_ms,
            session_timeout_min_ms: 2 * tick_ms,
            session_timeout_max_ms: 20 * tick_ms,
            snap_count: random.pick(&[2, 5, 20, 100, 1000]),
            snap_size_bytes: random.pick(&[None, None, Some(2000)]),
            prewrite_max: random.pick(&[0, 512, 4096, if is_alone { 65536 } else { 4096 }]),
            log_file_len_max: random.pick(&[None, None, Some(1000)]),
            outstanding_limit: random.pick(&[0, 3, 1000]),
            txn_size_max: random.pick(&[200, 1000, 2 << 20, 2 << 20]),
            output_soft_max: random.pick(&[100, 4000, 1 << 20]),
            output_hard_max: random.pick(&[1 << 26, 1 << 26, 3000]),
            extended_types: random.chance(700),
            reap_interval_ms: random.pick(&[5, 50, 1000]),
            never_used_max_ms: random.pick(&[0, 20]),
            flush_us: random.pick(&[100, 1000, if is_alone { 20_000 } else { 8000 }]),
            delay_us: random.pick(&[50, 1000, if is_alone { 10_000 } else { 5000 }]),
            socket_bytes: random.pick(&[64, 1000, 1 << 16]),
            slice_nodes: random.pick(&[1, 3, 512]),
            faults: Faults::draw(random, is_alone, tick_ms),
            names: 2 + random.index(4),
            depth: random.between(1, 3),
        }
    }
}
