//! A server's process: started on its CPU, signalled, and killed at the end.
//!
//! Invariants
//! - It is killed when its value is dropped, whatever became of the measurement, and when we are killed.

use std::fs::File;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::error::Error;
use crate::guard::Guard;
use crate::machine::Machine;
use crate::program::Program;

/// A server that was started.
#[derive(Debug)]
pub(crate) struct Process {
    child: Child,
    guard: Rc<Guard>,
    log: PathBuf,
    /// Just before fork and exec.
    pub(crate) started: Instant,
}

impl Process {
    /// Starts `program` in `folder` with this zoo.cfg; its log begins anew.
    pub(crate) fn start(
        program: &Program,
        machine: &Machine,
        guard: &Rc<Guard>,
        folder: &Path,
        settings: &str,
    ) -> Result<Self, Error> {
        let config = folder.join("zoo.cfg");
        std::fs::write(&config, settings).map_err(Error::file("write", &config))?;
        let log = folder.join("server.log");
        let output = File::create(&log).map_err(Error::file("create", &log))?;
        let errors = output.try_clone().map_err(Error::file("open", &log))?;
        let mut command = Command::new(&program.path);
        command
            .args(&program.arguments)
            .arg(&config)
            .current_dir(folder)
            .stdin(Stdio::null())
            .stdout(output)
            .stderr(errors);
        machine.enter_server_cpu()?;
        let started = Instant::now();
        let child = command.spawn();
        machine.enter_client_cpu()?;
        let child =
            child.map_err(|source| Error::Spawn { program: program.path.clone(), source })?;
        guard.add(child.id());
        Ok(Self { child, guard: guard.clone(), log, started })
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// An error if it has ended by itself.
    pub(crate) fn check_runs(&mut self) -> Result<(), Error> {
        match self.child.try_wait() {
            Ok(Some(status)) => Err(Error::Ended { status, log: self.last_words() }),
            Ok(None) | Err(_) => Ok(()),
        }
    }

    /// All that it has printed.
    pub(crate) fn log(&self) -> String {
        std::fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// The last lines of its log, for an error message.
    pub(crate) fn last_words(&self) -> String {
        let text = self.log();
        let lines: Vec<_> = text.lines().rev().take(5).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }

    pub(crate) fn signal(&self, signal: Signal) -> Result<(), Error> {
        let pid = i32::try_from(self.child.id()).expect("process ids are small");
        kill(Pid::from_raw(pid), signal).map_err(Error::system("signal a server"))
    }

    /// Waits until it has ended after a signal.
    pub(crate) fn await_end(&mut self) -> Result<(), Error> {
        let started = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) {
            if started.elapsed() > END_MAX {
                return Err(Error::NoEnd { seconds: END_MAX.as_secs(), log: self.last_words() });
            }
            std::thread::sleep(Duration::from_millis(1));
        }
        Ok(())
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself; nobody can act on that here.
        let _ = self.child.kill();
        let _ = self.child.wait();
        self.guard.remove(self.child.id());
    }
}

const END_MAX: Duration = Duration::from_secs(30);
