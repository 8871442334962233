//! How far a long command is, on a terminal, once it takes more than a second.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::console::Console;

/// The progress of one command.
pub(crate) struct Progress {
    what: &'static str,
    is_shown: bool,
    begun: Instant,
    shown: Option<Instant>,
    count: u64,
}

impl Progress {
    pub(crate) fn new(console: &Console, what: &'static str) -> Self {
        let is_shown = io::stderr().is_terminal() && !console.is_json();
        Self { what, is_shown, begun: Instant::now(), shown: None, count: 0 }
    }

    /// One more is done.
    pub(crate) fn step(&mut self) {
        self.count += 1;
        if self.is_shown && self.count.is_multiple_of(LOOK_EVERY) {
            self.show();
        }
    }

    fn show(&mut self) {
        let now = Instant::now();
        let is_due = match self.shown {
            Some(last) => now - last >= BETWEEN,
            None => now - self.begun >= PATIENCE,
        };
        if is_due {
            self.shown = Some(now);
            let rate = u128::from(self.count) * 1000 / (now - self.begun).as_millis().max(1);
            // A terminal that takes no progress may still take the answer.
            let _ = write!(io::stderr(), "\r\x1b[K{} {}, {rate} a second", self.count, self.what);
        }
    }

    /// Clears the line.
    pub(crate) fn end(self) {}
}

impl Drop for Progress {
    fn drop(&mut self) {
        if self.shown.is_some() {
            let _ = write!(io::stderr(), "\r\x1b[K");
        }
    }
}

const LOOK_EVERY: u64 = 64;
const PATIENCE: Duration = Duration::from_secs(1);
const BETWEEN: Duration = Duration::from_millis(200);
