//! A standalone server under test: started on a data directory, measured, ended.
//!
//! Both get the same zoo.cfg and the same CPU; ours has no setting that Java's has not.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use crate::error::Error;
use crate::guard::Guard;
use crate::machine::Machine;
use crate::ports;
use crate::proc;
use crate::process::Process;
use crate::program::Program;
use crate::session::Session;

/// A server that serves.
#[derive(Debug)]
pub(crate) struct Server {
    process: Process,
    pub(crate) port: u16,
    /// From before fork and exec to the first session.
    pub(crate) to_session: Duration,
}

impl Server {
    /// Starts `program` in `folder`, whose `data` it uses, and waits for its first session.
    pub(crate) fn start(
        program: &Program,
        machine: &Machine,
        guard: &Rc<Guard>,
        folder: &Path,
        settings: &str,
    ) -> Result<Self, Error> {
        let port = ports::free()?;
        let text = format!(
            "tickTime=2000\nmaxClientCnxns=0\nclientPort={port}\nclientPortAddress=127.0.0.1\n\
             admin.enableServer=false\ndataDir={}\n{settings}",
            folder.join("data").display()
        );
        let process = Process::start(program, machine, guard, folder, &text)?;
        let mut server = Self { process, port, to_session: Duration::ZERO };
        let session = server.first_session()?;
        server.to_session = server.process.started.elapsed();
        session.close()?;
        Ok(server)
    }

    fn first_session(&mut self) -> Result<Session, Error> {
        loop {
            // Compat: a connection that comes before Java has its database is never answered.
            let elapsed = self.process.started.elapsed();
            let patience = (elapsed / 20).max(Duration::from_millis(50));
            if let Ok(session) = Session::open_within(self.port, patience) {
                return Ok(session);
            }
            self.process.check_runs()?;
            let elapsed = self.process.started.elapsed();
            if elapsed > START_MAX {
                let (port, seconds) = (self.port, START_MAX.as_secs());
                return Err(Error::NoSession { port, seconds, log: self.process.last_words() });
            }
            // Fine enough for the figure, without taking a long start's CPU away.
            std::thread::sleep((elapsed / 50).max(Duration::from_micros(200)));
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(crate) fn rss_bytes(&self) -> Result<f64, Error> {
        proc::rss_bytes(self.pid())
    }
}

/// How long a server or an ensemble may take until it serves.
pub(crate) const START_MAX: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_ends_at_once_is_reported_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let guard = Rc::new(Guard::start(folder.path()).unwrap());
        let machine = Machine {
            kernel: String::new(),
            cpus: 1,
            own_network: false,
            preferred: false,
            pinned: false,
        };
        let program = Program { path: "/bin/echo".into(), arguments: vec!["no".to_owned()] };
        let error = Server::start(&program, &machine, &guard, folder.path(), "").unwrap_err();
        let text = error.to_string();
        assert!(text.contains("before its first session") && text.contains("no "), "{text}");
    }
}
