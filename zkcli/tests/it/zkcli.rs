//! The shell as a process: one command, or lines through a pipe.

use std::io::{BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::deadline::within;

/// The shell under test.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_zkcli");

/// What a shell left behind.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finished {
    pub(crate) code: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

/// Runs one command of ours.
pub(crate) fn one_shot(server: &str, words: &[&str]) -> Finished {
    let mut command = Command::new(BINARY);
    command.args(["-server", server]).args(words);
    run(&mut command, "")
}

/// As [`one_shot`], with the shell's options before the command; gives standard output, which must be all.
pub(crate) fn json(server: &str, words: &[&str]) -> serde_json::Value {
    let words = [&["--output", "json"], words].concat();
    let finished = one_shot(server, &words);
    assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""), "{words:?}");
    serde_json::from_str(&finished.out).unwrap_or_else(|e| panic!("{e}: {}", finished.out))
}

/// Runs a shell of either kind to its end with this standard input.
pub(crate) fn run(command: &mut Command, input: &str) -> Finished {
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap_or_else(|e| panic!("{command:?} does not start: {e}"));
    let out = collect(child.stdout.take());
    let err = collect(child.stderr.take());
    let mut stdin = child.stdin.take().expect("the input is piped");
    // A shell that quits takes no more; what it printed shows that.
    let _ = stdin.write_all(input.as_bytes());
    drop(stdin);
    let code = ended(&mut child);
    let text = |thread: JoinHandle<String>| thread.join().expect("reading a pipe cannot fail");
    Finished { code, out: text(out), err: text(err) }
}

/// Waits for a process to end.
pub(crate) fn ended(child: &mut Child) -> Option<i32> {
    let status = within(LIMIT, || child.try_wait().expect("a child can be asked"));
    if status.is_none() {
        // It may end by itself between the last look and now.
        let _ = child.kill();
        let _ = child.wait();
    }
    status.unwrap_or_else(|| panic!("the shell still ran after {LIMIT:?}")).code()
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

/// A shell of ours into which lines are typed while it runs. Its streams are read as one, but which of two
/// lines on different streams comes first is chance.
pub(crate) struct Typed {
    pub(crate) shell: Child,
    keys: ChildStdin,
    lines: Receiver<String>,
}

impl Typed {
    pub(crate) fn start(options: &[&str]) -> Self {
        let mut command = Command::new(BINARY);
        command.args(options).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut shell = command.spawn().expect("the shell starts");
        let (sender, lines) = channel();
        let streams: [Box<dyn Read + Send>; 2] = [
            Box::new(shell.stdout.take().expect("the output is piped")),
            Box::new(shell.stderr.take().expect("the errors are piped")),
        ];
        for stream in streams {
            let sender = sender.clone();
            std::thread::spawn(move || {
                for line in BufReader::new(stream).lines().map_while(Result::ok) {
                    // Nobody listens any more once the test has seen what it waited for.
                    let _ = sender.send(line);
                }
            });
        }
        let keys = shell.stdin.take().expect("the input is piped");
        Self { shell, keys, lines }
    }

    pub(crate) fn types(&mut self, lines: &str) {
        self.keys.write_all(lines.as_bytes()).expect("the shell takes lines");
    }

    /// Waits for a line that contains `wanted`.
    pub(crate) fn prints(&self, wanted: &str) {
        let deadline = Instant::now() + LIMIT;
        let mut seen = Vec::new();
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.lines.recv_timeout(left) {
                Ok(line) if line.contains(wanted) => return,
                Ok(line) => seen.push(line),
                Err(error) => panic!("{wanted:?} is not printed ({error}), but {seen:#?}"),
            }
        }
    }

    /// Waits for its end and gives the exit code.
    pub(crate) fn end(mut self) -> Option<i32> {
        ended(&mut self.shell)
    }
}

impl Drop for Typed {
    fn drop(&mut self) {
        // It has ended unless the test failed.
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

impl Finished {
    /// Standard output without the greeting of the session.
    pub(crate) fn answer(&self) -> &str {
        let greeting =
            "\nWATCHER::\n\nWatchedEvent state:SyncConnected type:None path:null zxid: -1\n";
        self.out.split_once(greeting).map_or(self.out.as_str(), |(_, answer)| answer)
    }
}

const LIMIT: Duration = Duration::from_secs(30);
