//! Waiting for a condition under a deadline: the one place where these tests let time pass.

use std::time::{Duration, Instant};

/// Looks at `condition` until it gives something.
///
/// # Panics
/// `limit` has passed; `what` says what did not happen.
pub(crate) fn await_until<T>(
    what: &str,
    limit: Duration,
    condition: impl FnMut() -> Option<T>,
) -> T {
    within(limit, condition).unwrap_or_else(|| panic!("not within {limit:?}: {what}"))
}

/// Looks at `condition` until it gives something; `None` when `limit` has passed.
pub(crate) fn within<T>(limit: Duration, mut condition: impl FnMut() -> Option<T>) -> Option<T> {
    let end = Instant::now() + limit;
    loop {
        let found = condition();
        if found.is_some() || Instant::now() >= end {
            return found;
        }
        // Nobody unparks this thread: the pause only keeps the looks apart.
        std::thread::park_timeout(BETWEEN_LOOKS);
    }
}

const BETWEEN_LOOKS: Duration = Duration::from_millis(5);
