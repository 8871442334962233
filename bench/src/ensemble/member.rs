//! One member: its folder, ports and process.
//!
//! Invariants
//! - Folder and ports stay the same, however often the process ends and starts.

use std::path::PathBuf;
use std::time::Instant;

use nix::sys::signal::Signal;

use super::status::Status;
use crate::comparison::Comparison;
use crate::error::Error;
use crate::ports;
use crate::process::Process;
use crate::program::Program;

/// A member that runs or does not.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) folder: PathBuf,
    pub(super) client_port: u16,
    quorum_port: u16,
    election_port: u16,
    process: Option<Process>,
}

impl Member {
    /// A member that has nothing yet, with ports of its own.
    pub(super) fn new(folder: PathBuf) -> Result<Self, Error> {
        let [client_port, quorum_port, election_port] =
            [ports::free()?, ports::free()?, ports::free()?];
        Ok(Self { folder, client_port, quorum_port, election_port, process: None })
    }

    /// The line that tells the others of it.
    pub(super) fn membership(&self, sid: usize) -> String {
        format!("server.{sid}=127.0.0.1:{}:{}\n", self.quorum_port, self.election_port)
    }

    /// Gives it its number.
    pub(super) fn write_myid(&self, sid: usize) -> Result<(), Error> {
        let data = self.folder.join("data");
        std::fs::create_dir_all(&data).map_err(Error::file("create", &data))?;
        let myid = data.join("myid");
        std::fs::write(&myid, format!("{sid}\n")).map_err(Error::file("write", &myid))
    }

    /// Takes its log and its snapshots away.
    pub(super) fn wipe(&self) -> Result<(), Error> {
        let data = self.folder.join("data/version-2");
        std::fs::remove_dir_all(&data).map_err(Error::file("remove", &data))
    }

    /// Starts it; gives the moment before.
    pub(super) fn start(
        &mut self,
        comparison: &Comparison,
        program: &Program,
        settings: &str,
    ) -> Result<Instant, Error> {
        let settings = format!(
            "clientPort={}\ndataDir={}\n{settings}",
            self.client_port,
            self.folder.join("data").display()
        );
        let (machine, guard) = (&comparison.machine, &comparison.guard);
        let process = Process::start(program, machine, guard, &self.folder, &settings)?;
        Ok(self.process.insert(process).started)
    }

    pub(super) fn is_started(&self) -> bool {
        self.process.is_some()
    }

    /// What it says; an error if it has ended by itself.
    pub(super) fn status(&mut self) -> Result<Option<Status>, Error> {
        if let Some(process) = &mut self.process {
            process.check_runs()?;
        }
        Ok(Status::ask(self.client_port))
    }

    /// All that it has printed since it was started.
    pub(super) fn log(&self) -> String {
        self.process.as_ref().map_or_else(String::new, Process::log)
    }

    /// The last lines of that.
    pub(super) fn last_words(&self) -> String {
        self.process.as_ref().map_or_else(String::new, Process::last_words)
    }

    pub(super) fn pid(&self) -> Option<u32> {
        self.process.as_ref().map(Process::pid)
    }

    /// Sends it a signal that is to end it.
    pub(super) fn signal(&self, signal: Signal) -> Result<(), Error> {
        self.process.as_ref().map_or(Ok(()), |process| process.signal(signal))
    }

    /// Waits until it has ended; what does not end is killed.
    pub(super) fn await_end(&mut self) -> Result<(), Error> {
        self.process.take().map_or(Ok(()), |mut process| process.await_end())
    }
}
