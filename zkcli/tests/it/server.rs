//! Servers as processes: ours and the Java original.
//!
//! Invariants
//! - A server is handed out only when it serves: `srvr` is asked until it says so.
//! - No server outlives the tests, not even when these are killed: a guard process that sees the end of
//!   its standard input kills the server.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Once;
use std::sync::atomic::{AtomicU16, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::deadline::await_until;

/// Which implementation runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Ours,
    Java,
}

/// A server with a scratch folder of its own.
pub(crate) struct Server {
    kind: Kind,
    port: u16,
    settings: String,
    folder: TempDir,
    running: Option<(Child, Child)>,
}

impl Server {
    /// Our server, standing alone.
    pub(crate) fn ours() -> Self {
        Self::new(Kind::Ours, "")
    }

    /// A server of this kind with more lines in its zoo.cfg.
    pub(crate) fn new(kind: Kind, settings: &str) -> Self {
        let folder = TempDir::with_prefix_in("server-", env!("CARGO_TARGET_TMPDIR"))
            .expect("the build folder is writable");
        let settings = settings.to_owned();
        let mut server = Self { kind, port: free_port(), settings, folder, running: None };
        server.start();
        server
    }

    /// Where clients connect, `host:port`.
    pub(crate) fn address(&self) -> String {
        format!("127.0.0.1:{}", self.port)
    }

    /// Starts the stopped server on its data directory.
    pub(crate) fn start(&mut self) {
        let child = self.spawn();
        let guard = guard(&child);
        let (child, _) = self.running.insert((child, guard));
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, self.port));
        await_until("the server serves", START_LIMIT, || {
            let exit = child.try_wait().expect("a child can be asked");
            assert!(exit.is_none(), "the {:?} server ended at its start: {exit:?}", self.kind);
            ask(address, "srvr").is_ok_and(|answer| answer.contains("Mode:")).then_some(())
        });
    }

    /// Kills the server at once, as a crash would.
    pub(crate) fn kill(&mut self) {
        let Some((mut child, mut guard)) = self.running.take() else { return };
        // It may have ended by itself.
        let _ = child.kill();
        let _ = child.wait();
        let _ = guard.stdin.take().map(|mut input| input.write_all(b"dismissed\n"));
        let _ = guard.wait();
    }

    /// Stops the server's process or lets it go on.
    pub(crate) fn signal(&self, signal: Signal) {
        let (child, _) = self.running.as_ref().expect("the server runs");
        let id = i32::try_from(child.id()).expect("process ids are small");
        kill(Pid::from_raw(id), signal).expect("a child can be signalled");
    }

    fn spawn(&self) -> Child {
        let path = |name: &str| self.folder.path().join(name);
        fs::create_dir_all(path("data")).expect("the scratch folder is writable");
        let settings = format!(
            "tickTime=2000\nmaxClientCnxns=0\nadmin.enableServer=false\n4lw.commands.whitelist=*\n\
             clientPortAddress=127.0.0.1\nclientPort={}\ndataDir={}\n{}\n",
            self.port,
            path("data").display(),
            self.settings,
        );
        fs::write(path("data/myid"), "1\n").expect("the scratch folder is writable");
        fs::write(path("zoo.cfg"), settings).expect("the scratch folder is writable");
        let log = File::create(path("log")).expect("the scratch folder is writable");
        let mut command = match self.kind {
            Kind::Ours => Command::new(our_server()),
            Kind::Java => {
                let mut java = Command::new("java");
                java.args(JAVA);
                java
            }
        };
        command
            .arg(path("zoo.cfg"))
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file handle can be doubled"))
            .stderr(log)
            .spawn()
            .expect("the server's program starts")
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Our server's binary beside the shell's; it is built if these tests are run alone.
fn our_server() -> PathBuf {
    static BUILT: Once = Once::new();
    let zkcli = Path::new(crate::zkcli::BINARY);
    let binary = zkcli.with_file_name("zookeeper-server");
    BUILT.call_once(|| {
        if !binary.exists() {
            let profile = zkcli.parent().and_then(Path::file_name);
            let is_release = profile.is_some_and(|profile| profile == "release");
            let target = zkcli.ancestors().nth(2).expect("a binary lies in target/PROFILE");
            let mut cargo = Command::new(env!("CARGO"));
            cargo.args(["build", "--package", "zookeeper-server", "--target-dir"]).arg(target);
            cargo.args(is_release.then_some("--release"));
            let status = cargo.status().expect("cargo starts");
            assert!(status.success(), "zookeeper-server is not built: {status}");
        }
    });
    binary
}

/// A port that is free now, of a range from which the system gives clients none.
pub(crate) fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let port = || PORT_FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % PORTS;
    std::iter::repeat_with(port)
        .take(PORTS.into())
        .find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        .expect("a port of the range is free")
}

/// What the server says to a four-letter word.
fn ask(address: SocketAddr, word: &str) -> io::Result<String> {
    let mut stream = TcpStream::connect_timeout(&address, WORD_LIMIT)?;
    stream.set_read_timeout(Some(WORD_LIMIT))?;
    stream.write_all(word.as_bytes())?;
    let mut text = String::new();
    stream.read_to_string(&mut text)?;
    Ok(text)
}

/// A process that kills `child` when these tests end without a word.
fn guard(child: &Child) -> Child {
    Command::new("sh")
        .args(["-c", "read -r dismissed || kill -9 \"$1\"", "guard"])
        .arg(child.id().to_string())
        .stdin(Stdio::piped())
        .spawn()
        .expect("a shell starts")
}

const JAVA: &[&str] = &[
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Dfile.encoding=UTF-8",
    "-Djava.net.preferIPv4Stack=true",
    "-cp",
    "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar",
    "org.apache.zookeeper.server.quorum.QuorumPeerMain",
];

const START_LIMIT: Duration = Duration::from_secs(60);
const WORD_LIMIT: Duration = Duration::from_secs(5);
const PORT_FIRST: u16 = 23300;
const PORTS: u16 = 200;
