//! Programs of other languages: run to their end under a deadline, their output kept.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::JoinHandle;
use std::time::Duration;

use crate::deadline::within;

/// A file or folder of the tests' programs in other languages.
pub(crate) fn clients(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/clients").join(name)
}

/// What a program left behind.
pub(crate) struct Finished {
    pub(crate) status: ExitStatus,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs `command` to its end.
///
/// # Panics
/// The program does not start, or still runs after `limit`; then it is killed first.
pub(crate) fn run(command: &mut Command, limit: Duration) -> Finished {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap_or_else(|error| panic!("{command:?} does not start: {error}"));
    let out = collect(child.stdout.take());
    let err = collect(child.stderr.take());
    let status = within(limit, || child.try_wait().expect("a child can be asked"));
    if status.is_none() {
        end(&mut child);
    }
    let text = |thread: JoinHandle<String>| thread.join().expect("reading a pipe cannot fail");
    let (out, err) = (text(out), text(err));
    let Some(status) = status else {
        panic!("{command:?} still ran after {limit:?}\n{out}\n{err}");
    };
    Finished { status, out, err }
}

impl Finished {
    /// The same, given that the program succeeded.
    ///
    /// # Panics
    /// It failed; its output is in the message.
    pub(crate) fn or_fail(self, what: &str) -> Self {
        assert!(self.status.success(), "{what}: {}\n{}\n{}", self.status, self.err, self.out);
        self
    }
}

fn end(child: &mut Child) {
    // It may end by itself between the last look and now.
    let _ = child.kill();
    child.wait().expect("a killed child can be waited for");
}

fn collect(pipe: Option<impl Read + Send + 'static>) -> JoinHandle<String> {
    let mut pipe = pipe.expect("the output is piped");
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        // A broken pipe is an end like any other; what came until then counts.
        let _ = pipe.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}
