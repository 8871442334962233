//! What differs from ensemble to ensemble: who belongs to it, and how patient they are.

use crate::random::Random;

/// How many servers a run has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Servers that vote; a single one is standalone.
    pub(crate) voters: usize,
}

/// The settings that only an ensemble has.
#[derive(Clone, Debug)]
pub(crate) struct Quorum {
    pub(crate) voters: usize,
    pub(crate) observers: usize,
    /// Whether members may come, go and change their roles.
    pub(crate) is_reconfigurable: bool,
    /// In ticks.
    pub(crate) init_limit: u32,
    pub(crate) sync_limit: u32,
    pub(crate) election_interval_min_ms: u64,
    pub(crate) election_interval_max_ms: u64,
    pub(crate) commit_log_count: usize,
    pub(crate) commit_log_bytes: usize,
    /// Empty servers vote only once all others have said what they have.
    pub(crate) is_guarded: bool,
    pub(crate) log_permille: Option<u32>,
    pub(crate) force_snapshot_sync: bool,
    /// How many ms of each server's clock pass in 1000.
    pub(crate) rates: Vec<u64>,
    /// How long an attempt to connect waits for an answer, in microseconds.
    pub(crate) connect_us: u64,
    /// Whether a new election connection brings the last vote again, as Java's does.
    pub(crate) repeats_last_vote: bool,
    /// How long a client waits before it tries the next server, in microseconds.
    pub(crate) retry_us: u64,
}

impl Quorum {
    pub(super) fn draw(random: &mut Random, shape: Shape) -> Self {
        let is_alone = shape.voters == 1;
        let observers = usize::from(!is_alone && random.chance(200));
        let drift = random.pick(&[0, 0, 1, 50]);
        let rate = |_| 1000 - drift + random.between(0, 2 * drift);
        let rates = (0..shape.voters + observers).map(rate).collect();
        let election_interval_min_ms = random.pick(&[20, 100, 200]);
        Self {
            voters: shape.voters,
            observers,
            is_reconfigurable: false,
            init_limit: random.pick(&[5, 10]),
            sync_limit: random.pick(&[2, 3, 5]),
            election_interval_min_ms,
            election_interval_max_ms: election_interval_min_ms * random.pick(&[1, 8, 32]),
            commit_log_count: random.pick(&[0, 3, 20, 500]),
            commit_log_bytes: random.pick(&[0, 0, 2000, 1 << 24]),
            is_guarded: !is_alone && random.chance(300),
            log_permille: random.pick(&[None, Some(330), Some(1_000_000), Some(1_000_000)]),
            force_snapshot_sync: random.chance(100),
            rates,
            connect_us: random.pick(&[20_000, 100_000, 500_000]),
            repeats_last_vote: random.chance(500),
            retry_us: if is_alone { 0 } else { random.pick(&[5000, 20_000, 100_000]) },
        }
    }

    /// Whether there is no ensemble.
    pub(crate) fn is_alone(&self) -> bool {
        self.voters == 1
    }

    /// All servers, observers last.
    pub(crate) fn nodes(&self) -> usize {
        self.voters + self.observers
    }
}
