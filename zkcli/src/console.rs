//! Where answers, errors and events go: standard output and error, as Java prints them or as JSON, and
//! above the line that is being typed.
//!
//! Invariants
//! - Standard output is flushed before anything is written to standard error, and at the end of each
//!   command: what two streams say stays in order.
//! - With JSON every line of standard output is one JSON value.

use std::io::{self, BufWriter, IsTerminal, Stdout, Write};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use rustyline::ExternalPrinter;
use serde_json::{Value, json};

use crate::client::{Event, KeeperState};
use crate::failure::Failure;

/// The form of answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Form {
    /// As Java prints them.
    Text,
    Json,
}

/// The output of the shell, shared with the session's thread.
pub(crate) struct Console {
    form: Form,
    out: Mutex<BufWriter<Stdout>>,
    /// Prints above the line that is typed, while there is one.
    above: Mutex<Option<Box<dyn ExternalPrinter + Send>>>,
    print_watches: AtomicBool,
    is_ending: AtomicBool,
    is_terminal: bool,
}

impl Console {
    pub(crate) fn new(form: Form) -> Self {
        Self {
            form,
            out: Mutex::new(BufWriter::new(io::stdout())),
            above: Mutex::new(None),
            print_watches: AtomicBool::new(true),
            is_ending: AtomicBool::new(false),
            is_terminal: io::stdout().is_terminal(),
        }
    }

    pub(crate) fn is_json(&self) -> bool {
        self.form == Form::Json
    }

    /// Whether a person looks at standard output.
    pub(crate) fn is_terminal(&self) -> bool {
        self.is_terminal
    }

    /// An answer in the form that was asked for.
    pub(crate) fn answer(
        &self,
        text: impl FnOnce() -> String,
        json: impl FnOnce() -> Value,
    ) -> Result<(), Failure> {
        match self.form {
            Form::Text => self.line(&text()),
            Form::Json => self.line(&json().to_string()),
        }
    }

    /// A line of standard output that has no JSON form.
    pub(crate) fn text(&self, line: &str) -> Result<(), Failure> {
        if self.is_json() { Ok(()) } else { self.line(line) }
    }

    /// A line of standard output, whatever the form.
    pub(crate) fn line(&self, line: &str) -> Result<(), Failure> {
        self.raw(line.as_bytes())?;
        self.raw(b"\n")
    }

    /// Bytes of standard output.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Result<(), Failure> {
        self.out().write_all(bytes).map_err(Failure::Output)
    }

    /// A line of standard error. What it says is lost if nobody takes it.
    pub(crate) fn complain(&self, line: &str) {
        // The answer before it may have lost its reader; the complaint may still have one.
        let _ = self.out().flush();
        let _ = writeln!(io::stderr(), "{line}");
    }

    /// A notice of standard error that programs have no use for.
    pub(crate) fn notice(&self, line: &str) {
        if !self.is_json() {
            self.complain(line);
        }
    }

    /// Hands on what was buffered.
    pub(crate) fn flush(&self) -> Result<(), Failure> {
        self.out().flush().map_err(Failure::Output)
    }

    /// From now on events are printed above the line that is typed.
    pub(crate) fn print_above(&self, printer: Box<dyn ExternalPrinter + Send>) {
        *self.above.lock().unwrap_or_else(PoisonError::into_inner) = Some(printer);
    }

    /// Whether events are printed.
    pub(crate) fn prints_watches(&self) -> bool {
        self.print_watches.load(Ordering::Relaxed)
    }

    pub(crate) fn set_print_watches(&self, is_on: bool) {
        self.print_watches.store(is_on, Ordering::Relaxed);
    }

    /// From now on the session's own end is nothing to tell of.
    pub(crate) fn end(&self) {
        self.is_ending.store(true, Ordering::Relaxed);
    }

    /// Prints an event as it comes.
    pub(crate) fn event(&self, event: &Event) {
        let is_end = self.is_ending.load(Ordering::Relaxed) && event.path.is_none();
        // Programs want changes and trouble, not the greeting.
        let is_greeting = self.is_json() && event.state == KeeperState::SyncConnected;
        if !self.prints_watches() || is_end || (is_greeting && event.path.is_none()) {
            return;
        }
        let text = match self.form {
            Form::Text => format!("\nWATCHER::\n\n{event}\n"),
            Form::Json => format!("{}\n", event_json(event)),
        };
        let mut above = self.above.lock().unwrap_or_else(PoisonError::into_inner);
        let mut out = self.out();
        // Nobody waits for an event's line: if the output is gone, the next answer will say so.
        let _ = match above.as_mut() {
            Some(printer) => {
                let _ = out.flush();
                printer.print(text).map_err(io::Error::other)
            }
            None => out.write_all(text.as_bytes()).and_then(|()| out.flush()),
        };
    }

    fn out(&self) -> MutexGuard<'_, BufWriter<Stdout>> {
        self.out.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// An event as programs read it.
pub(crate) fn event_json(event: &Event) -> Value {
    json!({
        "event": event.kind.name(),
        "state": event.state.name(),
        "path": event.path,
        "zxid": event.zxid,
    })
}
