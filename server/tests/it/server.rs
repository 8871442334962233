//! Servers as processes: ours and the Java original, started, killed and restarted alike.
//!
//! Invariants
//! - A server is handed out only when it serves: `srvr` is asked until it says so.
//! - No server outlives the tests, not even when these are killed: a guard process that sees the
//!   end of its standard input kills the server.
//! - A failing test shows the end of the server's log.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::deadline::{await_until, within};

/// Which implementation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// The binary of this package.
    Ours,
    /// Debian's Java server.
    Java,
}

/// What a server is started with, beside the settings of all.
#[derive(Clone, Debug, Default)]
pub(crate) struct Config {
    settings: String,
    properties: Vec<String>,
}

/// A server with a scratch folder of its own.
pub(crate) struct Server {
    kind: Kind,
    config: Config,
    address: SocketAddr,
    folder: TempDir,
    running: Option<Running>,
}

struct Running {
    child: Child,
    guard: Child,
}

impl Kind {
    /// Ours, or what the variable `ZOOKEEPER_IT_KIND` (`ours`, `java`) names: a run with `java`
    /// shows that what the tests expect is true of the original.
    pub(crate) fn under_test() -> Self {
        match std::env::var("ZOOKEEPER_IT_KIND").as_deref() {
            Ok("java") => Self::Java,
            Ok("ours") | Err(_) => Self::Ours,
            Ok(other) => panic!("ZOOKEEPER_IT_KIND is `{other}`: `ours` or `java`"),
        }
    }

    /// The program and its arguments; the path of a zoo.cfg is to follow.
    pub(crate) fn command_line(self, config: &Config) -> Vec<String> {
        let properties = config.properties.iter().map(|property| format!("-D{property}"));
        let ours = || [env!("CARGO_BIN_EXE_zookeeper-server").to_owned()].into_iter();
        let owned = |words: &[&str]| words.iter().map(|&word| word.to_owned()).collect::<Vec<_>>();
        match self {
            Self::Ours => ours().chain(properties).collect(),
            Self::Java => {
                owned(JAVA).into_iter().chain(properties).chain(owned(JAVA_MAIN)).collect()
            }
        }
    }
}

impl Config {
    /// One more line of zoo.cfg.
    pub(crate) fn setting(mut self, line: &str) -> Self {
        self.settings.push_str(line);
        self.settings.push('\n');
        self
    }

    /// The lines of zoo.cfg.
    pub(crate) fn settings(&self) -> &str {
        &self.settings
    }

    /// One more system property, `name=value`.
    pub(crate) fn property(mut self, property: &str) -> Self {
        self.properties.push(property.to_owned());
        self
    }
}

impl Server {
    /// A server of the kind that the tests are about.
    pub(crate) fn under_test(config: &Config) -> Self {
        Self::new(Kind::under_test(), config)
    }

    /// A server of this kind in a new scratch folder.
    pub(crate) fn new(kind: Kind, config: &Config) -> Self {
        let mut server = Self::stopped(kind, config);
        server.start();
        server
    }

    /// A server of this kind on a copy of what the stopped server left.
    pub(crate) fn twin(&self, kind: Kind) -> Self {
        assert!(self.running.is_none(), "a running server changes its files");
        let mut twin = Self::stopped(kind, &self.config);
        copy_folder(&self.path("data"), &twin.path("data")).expect("the files can be copied");
        twin.start();
        twin
    }

    fn stopped(kind: Kind, config: &Config) -> Self {
        let folder = TempDir::with_prefix_in("server-", env!("CARGO_TARGET_TMPDIR"))
            .expect("the build folder is writable");
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        Self { kind, config: config.clone(), address, folder, running: None }
    }

    /// Where clients connect, `host:port`.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Starts the stopped server on its data directory.
    pub(crate) fn start(&mut self) {
        assert!(self.running.is_none(), "the server runs already");
        let child = self.spawn();
        let guard = guard(&child);
        let running = self.running.insert(Running { child, guard });
        let exit = await_until("the server serves", START_LIMIT, || {
            let exit = running.child.try_wait().expect("a child can be asked");
            let serves = || ask(self.address, "srvr").is_ok_and(|answer| answer.contains("Mode:"));
            (exit.is_some() || serves()).then_some(exit)
        });
        if let Some(status) = exit {
            panic!("the {:?} server ended at its start: {status}", self.kind);
        }
    }

    /// Starts the stopped server's data directory under the other implementation.
    pub(crate) fn start_as(&mut self, kind: Kind) {
        self.kind = kind;
        self.start();
    }

    /// Kills the server at once, as a crash would.
    pub(crate) fn kill9(&mut self) {
        self.end(Signal::SIGKILL);
    }

    /// Asks the server to end and gives back how it did.
    pub(crate) fn sigterm(&mut self) -> ExitStatus {
        self.end(Signal::SIGTERM)
    }

    fn end(&mut self, signal: Signal) -> ExitStatus {
        let mut running = self.running.take().expect("the server runs");
        let id = i32::try_from(running.child.id()).expect("process ids are small");
        kill(Pid::from_raw(id), signal).expect("a child that was not waited for can be signalled");
        let exit = within(STOP_LIMIT, || running.child.try_wait().expect("a child can be asked"));
        let forced = exit.is_none();
        let status = exit.unwrap_or_else(|| {
            // It may end by itself between the last look and now.
            let _ = running.child.kill();
            running.child.wait().expect("a killed child can be waited for")
        });
        dismiss(&mut running.guard);
        assert!(!forced, "the {:?} server still ran {STOP_LIMIT:?} after {signal}", self.kind);
        status
    }

    fn spawn(&self) -> Child {
        let zoo_cfg = self.path("zoo.cfg");
        let settings = format!(
            "tickTime=2000\nmaxClientCnxns=0\nadmin.enableServer=false\n4lw.commands.whitelist=*\n\
             clientPortAddress={}\nclientPort={}\ndataDir={}\n{}",
            self.address.ip(),
            self.address.port(),
            self.path("data").display(),
            self.config.settings(),
        );
        fs::create_dir_all(self.path("data")).expect("the scratch folder is writable");
        fs::write(&zoo_cfg, settings).expect("the scratch folder is writable");
        let log = File::options().create(true).append(true).open(self.path("log"));
        let log = log.expect("the scratch folder is writable");
        let command_line = self.kind.command_line(&self.config);
        let (program, arguments) = command_line.split_first().expect("a program comes first");
        Command::new(program)
            .args(arguments)
            .arg(&zoo_cfg)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file handle can be doubled"))
            .stderr(log)
            .spawn()
            .expect("the server's program starts")
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn print_log(&self) {
        let log = fs::read_to_string(self.path("log")).unwrap_or_default();
        let lines: Vec<_> = log.lines().collect();
        let tail = &lines[lines.len().saturating_sub(LOG_LINES)..];
        eprintln!("--- end of the {:?} server's log\n{}\n---", self.kind, tail.join("\n"));
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.print_log();
        }
        if let Some(mut running) = self.running.take() {
            // It may have ended by itself; then there is nothing left to kill.
            let _ = running.child.kill();
            let _ = running.child.wait();
            dismiss(&mut running.guard);
        }
    }
}

/// A port that is free now, of a range from which the system gives clients none: a client that
/// reconnects to a stopped server must not get that very port as its own.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let port = || PORT_FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % PORTS;
    std::iter::repeat_with(port)
        .take(PORTS.into())
        .find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        .expect("a port of the range is free")
}

/// Copies all that is in a folder.
pub(crate) fn copy_folder(from: &Path, to: &Path) -> io::Result<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from)? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), target)?;
        }
    }
    Ok(())
}

/// What the server says to a four-letter word.
pub(crate) fn ask(address: SocketAddr, word: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, WORD_LIMIT)?;
    stream.set_read_timeout(Some(WORD_LIMIT))?;
    stream.write_all(word.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// A process that kills `child` when these tests end without a word.
pub(crate) fn guard(child: &Child) -> Child {
    Command::new("sh")
        .args(["-c", "read -r dismissed || kill -9 \"$1\"", "guard"])
        .arg(child.id().to_string())
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell starts")
}

/// Tells a guard that there is nothing left to do.
pub(crate) fn dismiss(guard: &mut Child) {
    // A guard that is gone needs no word.
    let _ = guard.stdin.take().map(|mut input| input.write_all(b"dismissed\n"));
    let _ = guard.wait();
}

/// The class path of the Java server and client.
pub(crate) const JAVA_CLASS_PATH: &str =
    "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar";

const JAVA: &[&str] = &[
    "java",
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dfile.encoding=UTF-8",
    "-Djava.net.preferIPv4Stack=true",
    "-cp",
    JAVA_CLASS_PATH,
];
const JAVA_MAIN: &[&str] = &["org.apache.zookeeper.server.quorum.QuorumPeerMain"];

const START_LIMIT: Duration = Duration::from_secs(60);
const STOP_LIMIT: Duration = Duration::from_secs(20);
const WORD_LIMIT: Duration = Duration::from_secs(5);
const LOG_LINES: usize = 60;
const PORT_FIRST: u16 = 23100;
const PORTS: u16 = 100;
