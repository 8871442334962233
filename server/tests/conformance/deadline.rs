//! Waiting for a condition under a deadline.

use std::time::{Duration, Instant};

/// Asks `condition` until it gives something; `None` when `limit` has passed before.
pub(crate) fn eventually<T>(
    limit: Duration,
    mut condition: impl FnMut() -> Option<T>,
) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        if let Some(found) = condition() {
            return Some(found);
        }
        if Instant::now() >= end {
            return None;
        }
        // Nobody unparks this thread: the pause only keeps the polls apart.
        std::thread::park_timeout(Duration::from_millis(10));
    }
}
