//! The server as an operator starts it: a command line, a folder, what it prints, how it ends.
//!
//! Invariants
//! - No server outlives its test: it is killed when it goes out of sight, and by a guard process when
//!   the tests themselves are killed.
//! - A failing test shows all that the server printed.

use std::fs::{self, File};
use std::io::{self, Read as _, Write as _};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::deadline::{await_until, within};

/// The server's program.
pub(crate) const PROGRAM: &str = env!("CARGO_BIN_EXE_zookeeper-server");

/// A folder with a zoo.cfg, and a client port.
pub(crate) struct Scratch {
    folder: TempDir,
    port: u16,
    settings: String,
}

impl Scratch {
    /// Settings of a server with its data in `data`, and `settings` behind them.
    pub(crate) fn new(settings: &str) -> Self {
        let folder = TempDir::with_prefix_in("failures-", env!("CARGO_TARGET_TMPDIR"))
            .expect("the build folder is writable");
        let scratch = Self { folder, port: free_port(), settings: settings.to_owned() };
        fs::write(scratch.path("zoo.cfg"), scratch.zoo_cfg()).expect("the folder is writable");
        scratch
    }

    fn zoo_cfg(&self) -> String {
        format!(
            "tickTime=2000\nmaxClientCnxns=0\nadmin.enableServer=false\nclientPortAddress={}\n\
             clientPort={}\ndataDir={}\n{}",
            self.address().ip(),
            self.port,
            self.path("data").display(),
            self.settings,
        )
    }

    /// Where clients connect.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.port))
    }

    /// A file or folder of it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Where snapshots and logs are.
    pub(crate) fn files(&self) -> PathBuf {
        self.path("data/version-2")
    }

    /// The server on this folder's zoo.cfg, with `arguments` before it.
    pub(crate) fn command(&self, arguments: &[&str]) -> Command {
        let mut command = without_properties(PROGRAM);
        command.args(arguments).arg("zoo.cfg");
        command
    }

    /// The same started by another program, which is to replace itself by the server or wait for it.
    pub(crate) fn wrapped(&self, wrapper: &[&str]) -> Command {
        let (program, arguments) = wrapper.split_first().expect("a program comes first");
        let mut command = without_properties(program);
        command.args(arguments).args([PROGRAM, "zoo.cfg"]);
        command
    }

    /// Runs a command in this folder to its end.
    pub(crate) fn run(&self, command: Command) -> Outcome {
        self.spawn(command).outcome()
    }

    /// Starts the server and waits until clients are served.
    pub(crate) fn serve(&self) -> Running {
        self.spawn(self.command(&[])).serving()
    }

    /// Starts a command in this folder.
    pub(crate) fn spawn(&self, mut command: Command) -> Running {
        let output = TempDir::with_prefix_in("output-", self.folder.path()).unwrap();
        let file = |name: &str| File::create(output.path().join(name)).unwrap();
        let child = command
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(file("out"))
            .stderr(file("err"))
            .spawn()
            .expect("the program starts");
        let guard = guard(&child);
        Running { child, guard, output, address: self.address() }
    }
}

/// A started server.
pub(crate) struct Running {
    child: Child,
    guard: Child,
    output: TempDir,
    address: SocketAddr,
}

impl Running {
    /// Waits until clients are served.
    pub(crate) fn serving(mut self) -> Self {
        await_until("the server serves", LIMIT, || {
            (word(self.address, b"srvr").is_ok_and(|answer| answer.contains("Mode: "))
                || !self.is_running())
            .then_some(())
        });
        assert!(self.is_running(), "the server ended at its start");
        self
    }

    /// Waits until the log says this, or the server has ended.
    pub(crate) fn await_line(&mut self, text: &str) {
        await_until(text, LIMIT, || {
            (self.stdout().contains(text) || !self.is_running()).then_some(())
        });
    }

    /// Waits until its port is open, which the log may be silent about, or the server has ended.
    pub(crate) fn await_port(&mut self) {
        await_until("the client port is open", LIMIT, || {
            (TcpStream::connect(self.address).is_ok() || !self.is_running()).then_some(())
        });
    }

    /// Whether it has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child can be asked").is_none()
    }

    /// What it has printed.
    pub(crate) fn stdout(&self) -> String {
        fs::read_to_string(self.output.path().join("out")).unwrap()
    }

    /// The process that was started.
    pub(crate) fn id(&self) -> Pid {
        Pid::from_raw(i32::try_from(self.child.id()).expect("process ids are small"))
    }

    /// Asks it to end in order, and sees that it does.
    pub(crate) fn stop(mut self) -> Outcome {
        assert!(self.is_running(), "the server ended by itself");
        kill(self.id(), Signal::SIGTERM).expect("a child that was not waited for is there");
        let outcome = self.outcome();
        outcome.check(0, &[]);
        outcome
    }

    /// Waits for its end.
    pub(crate) fn outcome(mut self) -> Outcome {
        let begin = Instant::now();
        let status = within(LIMIT, || self.child.try_wait().expect("a child can be asked"));
        let took = begin.elapsed();
        let stdout = self.stdout();
        let stderr = fs::read_to_string(self.output.path().join("err")).unwrap();
        let status = status.unwrap_or_else(|| panic!("still running after {LIMIT:?}"));
        let code = status.code().unwrap_or_else(|| panic!("ended by a signal: {status}"));
        Outcome { code, stdout, stderr, took }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended by itself; then there is nothing left to kill.
        let _ = self.child.kill();
        let _ = self.child.wait();
        // A guard that is gone needs no word.
        let _ = self.guard.stdin.take().map(|mut input| input.write_all(b"dismissed\n"));
        let _ = self.guard.wait();
        if std::thread::panicking() {
            for name in ["out", "err"] {
                let text = fs::read_to_string(self.output.path().join(name)).unwrap_or_default();
                eprintln!("--- the server's {name}\n{text}---");
            }
        }
    }
}

/// How a server ended, and what it printed.
pub(crate) struct Outcome {
    pub(crate) code: i32,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    /// How long was waited for the end.
    pub(crate) took: Duration,
}

impl Outcome {
    /// The exit code, and one line on standard error with all of `parts`; none for an orderly end.
    pub(crate) fn check(&self, code: i32, parts: &[&str]) {
        let Self { stdout, stderr, .. } = self;
        let all = format!("--- standard output\n{stdout}--- standard error\n{stderr}---");
        assert_eq!(self.code, code, "{all}");
        assert_eq!(
            stderr.lines().count(),
            usize::from(code != 0),
            "lines on standard error\n{all}"
        );
        assert!(code == 0 || stderr.starts_with("zookeeper-server: "), "{all}");
        for part in parts {
            assert!(stderr.contains(part), "{part:?} is missing\n{all}");
        }
        assert!(!stderr.contains("panicked"), "{all}");
    }
}

/// A program without the properties that this process may have in its environment.
pub(crate) fn without_properties(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_remove("JVMFLAGS").env_remove("SERVER_JVMFLAGS");
    command
}

/// The names and lengths of a folder's files, sorted.
pub(crate) fn listing(folder: &Path) -> Vec<(String, u64)> {
    let entry = |entry: fs::DirEntry| {
        (entry.file_name().into_string().unwrap(), entry.metadata().unwrap().len())
    };
    let mut list: Vec<_> = fs::read_dir(folder).unwrap().map(|each| entry(each.unwrap())).collect();
    list.sort();
    list
}

/// What is answered to these bytes.
pub(crate) fn word(address: SocketAddr, bytes: &[u8]) -> io::Result<String> {
    let mut stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(LIMIT))?;
    stream.write_all(bytes)?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer)?;
    Ok(answer)
}

fn guard(child: &Child) -> Child {
    Command::new("sh")
        .args(["-c", "read -r dismissed || kill -9 \"$1\"", "guard"])
        .arg(child.id().to_string())
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell starts")
}

fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let port = || PORT_FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % PORTS;
    std::iter::repeat_with(port)
        .take(PORTS.into())
        .find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        .expect("a port of the range is free")
}

const LIMIT: Duration = Duration::from_secs(20);
const PORT_FIRST: u16 = 23400;
const PORTS: u16 = 100;
