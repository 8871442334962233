//! What a kubelet goes on with while a pod runs: its liveness probe, from the moment that it has started.
//!
//! A pod that would have been started again is told when the set ends, whatever the test was about.

use std::process::Command;
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::engine::Engine;
use crate::tools::output;

/// The probing of one container, until this is dropped or the container ends.
pub(crate) struct Liveness {
    /// Dropped to end it.
    going_on: Option<Sender<()>>,
    /// Why the kubelet would have killed it, if it would.
    thread: Option<JoinHandle<Result<(), String>>>,
}

impl Liveness {
    /// Of the container with this id, as its manifest has it.
    pub(crate) fn new(engine: &'static Engine, id: String, manifest: &Value) -> Self {
        let probe = |name: &str| (!manifest[name].is_null()).then(|| Probe::of(&manifest[name]));
        let (startup, liveness) = (probe("startupProbe"), probe("livenessProbe"));
        let (going_on, told) = channel();
        let thread = thread::spawn(move || {
            let Some(liveness) = liveness else { return Ok(()) };
            let container = Probed { engine, id, told };
            if startup.is_some_and(|startup| !container.await_yes(&startup)) {
                return Ok(());
            }
            container.follow(&liveness)
        });
        Self { going_on: Some(going_on), thread: Some(thread) }
    }
}

impl Drop for Liveness {
    fn drop(&mut self) {
        self.going_on.take();
        let outcome = self.thread.take().expect("it is dropped once").join();
        if !thread::panicking() {
            let outcome = outcome.expect("it asks until it is told to end");
            assert_eq!(outcome, Ok(()), "a kubelet would have started the pod again");
        }
    }
}

/// Of a manifest, with Kubernetes' defaults.
struct Probe {
    words: Vec<String>,
    delay: Duration,
    period: Duration,
    timeout: Duration,
    failures: u64,
}

impl Probe {
    fn of(probe: &Value) -> Self {
        let number = |key: &str, default| probe[key].as_u64().unwrap_or(default);
        let words = probe["exec"]["command"].as_array().expect("it runs a command").iter();
        Self {
            words: words.map(|word| word.as_str().expect("a text").to_owned()).collect(),
            delay: Duration::from_secs(number("initialDelaySeconds", 0)),
            period: Duration::from_secs(number("periodSeconds", 10)),
            timeout: Duration::from_secs(number("timeoutSeconds", 1)),
            failures: number("failureThreshold", 3),
        }
    }
}

struct Probed {
    engine: &'static Engine,
    id: String,
    told: Receiver<()>,
}

impl Probed {
    /// Whether it goes on behind a pause: the container runs, and nobody has ended this.
    fn is_there_after(&self, pause: Duration) -> bool {
        let is_told_to_end = self.told.recv_timeout(pause) != Err(RecvTimeoutError::Timeout);
        let mut inspect = self.docker(&["inspect", "--format={{.State.Running}}"]);
        !is_told_to_end && output(inspect.arg(&self.id)).stdout == b"true\n"
    }

    fn await_yes(&self, probe: &Probe) -> bool {
        let mut pause = probe.delay;
        while self.is_there_after(pause) {
            if self.ask(probe).is_ok() {
                return true;
            }
            pause = probe.period;
        }
        false
    }

    fn follow(&self, probe: &Probe) -> Result<(), String> {
        let (mut pause, mut failures) = (probe.delay, 0);
        while self.is_there_after(pause) {
            let answer = self.ask(probe);
            failures = if answer.is_ok() { 0 } else { failures + 1 };
            if failures >= probe.failures && self.is_there_after(Duration::ZERO) {
                return answer;
            }
            pause = probe.period;
        }
        Ok(())
    }

    fn ask(&self, probe: &Probe) -> Result<(), String> {
        let started = Instant::now();
        let answer = output(self.docker(&["exec"]).arg(&self.id).args(&probe.words));
        let took = started.elapsed();
        match answer.status.success() && took < probe.timeout {
            true => Ok(()),
            false => Err(format!(
                "{:?} after {took:?}: {}{}",
                probe.words,
                String::from_utf8_lossy(&answer.stdout),
                String::from_utf8_lossy(&answer.stderr)
            )),
        }
    }

    fn docker(&self, words: &[&str]) -> Command {
        let mut command = self.engine.docker();
        command.args(words);
        command
    }
}
