//! The one place that reads clocks: what the core is told as `Now`.

use std::time::{Duration, Instant, SystemTime};

use zk_core::{Millis, Now};

/// Turns the system's clocks into the core's moments.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clock {
    start: Instant,
}

impl Clock {
    /// Monotonic time starts here, a little above 0 as on a machine that runs already.
    pub(crate) fn start() -> Self {
        Self { start: Instant::now() }
    }

    /// This moment.
    pub(crate) fn now(&self) -> Now {
        Now { mono: Millis(millis(self.start.elapsed())), wall_ms: wall_ms() }
    }

    /// When a deadline of the core is, for a timer.
    pub(crate) fn instant(&self, at: Millis) -> Instant {
        self.start + Duration::from_millis(at.0)
    }
}

/// Milliseconds since 1970.
pub(crate) fn wall_ms() -> i64 {
    match SystemTime::now().duration_since(SystemTime::UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_millis()).unwrap_or(i64::MAX),
        Err(before) => -i64::try_from(before.duration().as_millis()).unwrap_or(i64::MAX),
    }
}

/// A duration in whole milliseconds.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
