//! What strangers do wrong, told to the operator without letting them fill the log.

use std::time::Duration;

use tokio::time::Instant;
use tracing::warn;

/// At most a line a second; the next one tells how many were left out.
#[derive(Debug, Default)]
pub(crate) struct Complaints {
    quiet_until: Option<Instant>,
    left_out: u64,
}

impl Complaints {
    /// Warns, or counts.
    pub(crate) fn warn(&mut self, text: &str) {
        let now = Instant::now();
        if self.quiet_until.is_some_and(|until| now < until) {
            self.left_out += 1;
            return;
        }
        self.quiet_until = Some(now + QUIET);
        match std::mem::take(&mut self.left_out) {
            0 => warn!("{text}"),
            count => warn!("{text} ({count} such lines were left out)"),
        }
    }
}

const QUIET: Duration = Duration::from_secs(1);
