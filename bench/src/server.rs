//! The servers under test: found, started on a data directory, measured, ended.
//!
//! Both get the same zoo.cfg and the same CPU; ours has no setting that Java's has not.
//!
//! Invariants
//! - A server is killed when its value is dropped, whatever became of the measurement.

use std::fs::File;
use std::net::{Ipv4Addr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::error::Error;
use crate::machine::Machine;
use crate::proc;
use crate::session::Session;

/// A server program: what comes before the path of zoo.cfg.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    arguments: Vec<String>,
}

impl Program {
    /// Our server: `path`, or built in release beside this program.
    pub(crate) fn ours(path: Option<PathBuf>) -> Result<Self, Error> {
        let path = path.map_or_else(build, Ok)?;
        Ok(Self { path, arguments: Vec::new() })
    }

    /// Debian's Java server, if it is installed. Its heap is larger than any workload needs.
    pub(crate) fn java() -> Option<Self> {
        let is_installed = JARS.iter().all(|jar| Path::new(jar).exists());
        let java = std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|folder| folder.join("java"))
            .find(|path| path.is_file())?;
        let arguments = [
            "-Xmx4g",
            "-Dzookeeper.admin.enableServer=false",
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp",
            &JARS.join(":"),
            "org.apache.zookeeper.server.quorum.QuorumPeerMain",
        ];
        is_installed.then(|| Self { path: java, arguments: arguments.map(str::to_owned).to_vec() })
    }
}

const JARS: [&str; 2] = ["/usr/share/java/zookeeper.jar", "/usr/share/java/slf4j-simple.jar"];

fn build() -> Result<PathBuf, Error> {
    let this = std::env::current_exe().map_err(Error::file("find", "this program"))?;
    let target = this.ancestors().nth(2).unwrap_or(Path::new("target"));
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let status = Command::new(&cargo)
        .args(["build", "--release", "--package", "zookeeper-server", "--target-dir"])
        .arg(target)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .status()
        .map_err(|source| Error::Spawn { program: cargo.into(), source })?;
    if !status.success() {
        return Err(Error::Build(status));
    }
    Ok(target.join("release/zookeeper-server"))
}

/// A server that serves.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    pub(crate) port: u16,
    /// From before fork and exec to the first session.
    pub(crate) to_session: Duration,
}

impl Server {
    /// Starts `program` in `folder`, whose `data` it uses, and waits for its first session.
    pub(crate) fn start(
        program: &Program,
        machine: &Machine,
        folder: &Path,
        settings: &str,
    ) -> Result<Self, Error> {
        let port = free_port()?;
        let config = folder.join("zoo.cfg");
        let text = format!(
            "tickTime=2000\nmaxClientCnxns=0\nclientPort={port}\nclientPortAddress=127.0.0.1\n\
             dataDir={}\n{settings}",
            folder.join("data").display()
        );
        std::fs::write(&config, text).map_err(Error::file("write", &config))?;
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
        let mut server = Self { child, port, to_session: Duration::ZERO };
        let session = server.first_session(started, &log)?;
        server.to_session = started.elapsed();
        session.close()?;
        Ok(server)
    }

    fn first_session(&mut self, started: Instant, log: &Path) -> Result<Session, Error> {
        loop {
            // Compat: a connection that comes before Java has its database is never answered.
            let patience = (started.elapsed() / 20).max(Duration::from_millis(50));
            if let Ok(session) = Session::open_within(self.port, patience) {
                return Ok(session);
            }
            if let Ok(Some(status)) = self.child.try_wait() {
                return Err(Error::Ended { status, log: tail(log) });
            }
            let elapsed = started.elapsed();
            if elapsed > START_MAX {
                let seconds = START_MAX.as_secs();
                return Err(Error::NoSession { port: self.port, seconds, log: tail(log) });
            }
            // Fine enough for the figure, without taking a long start's CPU away.
            std::thread::sleep((elapsed / 50).max(Duration::from_micros(200)));
        }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn rss_bytes(&self) -> Result<f64, Error> {
        proc::rss_bytes(self.pid())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // It may have ended by itself; nobody can act on that here.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The last lines of a log, for an error message.
fn tail(log: &Path) -> String {
    let text = std::fs::read_to_string(log).unwrap_or_default();
    let lines: Vec<_> = text.lines().rev().take(5).collect();
    lines.into_iter().rev().collect::<Vec<_>>().join("\n")
}

fn free_port() -> Result<u16, Error> {
    let is_free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    (PORT_FIRST..=PORT_LAST)
        .find(is_free)
        .ok_or(Error::NoPort { first: PORT_FIRST, last: PORT_LAST })
}

const PORT_FIRST: u16 = 23300;
const PORT_LAST: u16 = 23399;
const START_MAX: Duration = Duration::from_secs(120);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_program_that_ends_at_once_is_reported_with_its_last_words() {
        let folder = tempfile::tempdir().unwrap();
        let machine = Machine {
            kernel: String::new(),
            cpus: 1,
            own_network: false,
            preferred: false,
            pinned: false,
        };
        let program = Program { path: "/bin/echo".into(), arguments: vec!["no".to_owned()] };
        let error = Server::start(&program, &machine, folder.path(), "").unwrap_err();
        let text = error.to_string();
        assert!(text.contains("before its first session") && text.contains("no "), "{text}");
    }
}
