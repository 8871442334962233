//! A server's monotonic clock: it starts with the process, and runs a little fast or slow.
//!
//! Invariant: at the moment that `us_of` gives for some ms, the clock shows that ms or a later one.

/// One process's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    started_us: u64,
    /// How many of its ms pass in 1000 of the run's.
    rate: u64,
}

impl Clock {
    pub(crate) fn start(now_us: u64, rate: u64) -> Self {
        Self { started_us: now_us, rate }
    }

    /// What it shows at a moment of the run.
    pub(crate) fn ms(self, now_us: u64) -> u64 {
        (now_us - self.started_us) * self.rate / 1_000_000
    }

    /// The moment of the run at which it shows so many ms.
    pub(crate) fn us_of(self, ms: u64) -> u64 {
        self.started_us.saturating_add(ms.saturating_mul(1_000_000).div_ceil(self.rate))
    }
}
