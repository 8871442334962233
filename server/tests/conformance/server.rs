//! Servers under test: ours, and the Java original where it is installed.
//!
//! A server listens on a free port of the loopback and keeps its files in a scratch folder. Tests
//! with the same [`Config`] share one server.
//!
//! Invariants
//! - No server outlives the tests, not even when these are killed: a guard process waits for the
//!   end of its standard input, then kills the server and removes the folder.
//! - A server is handed out only when it serves.

use std::collections::BTreeMap;
use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, OnceLock};
use std::time::Duration;

use crate::config::{Config, PROPERTIES, SETTINGS};
use crate::deadline::eventually;
use crate::wire::Wire;

/// Which implementation is asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Kind {
    /// The binary of this package; held against the behaviour of 3.9.5.
    Ours,
    /// Debian's 3.8.0, to see that what the tests expect is so.
    Java,
}

/// A running server.
pub(crate) struct Server {
    pub(crate) kind: Kind,
    pub(crate) address: SocketAddr,
    folder: PathBuf,
    config: &'static Config,
    child: Child,
    guard: Child,
}

type Shared = BTreeMap<(Kind, &'static str), Arc<OnceLock<Server>>>;

static SHARED: Mutex<Shared> = Mutex::new(BTreeMap::new());
static FOLDERS: AtomicU32 = AtomicU32::new(0);

impl Server {
    /// Gives `with` the one server of this kind and configuration; nothing where Java is missing.
    pub(crate) fn shared(kind: Kind, config: &'static Config, with: impl FnOnce(&Self)) {
        if !kind.is_installed() {
            return;
        }
        let slot = {
            let mut shared = SHARED.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
            Arc::clone(shared.entry((kind, config.name)).or_default())
        };
        with(slot.get_or_init(|| Self::start(kind, config)));
    }

    /// A server of its own for one test.
    pub(crate) fn start(kind: Kind, config: &'static Config) -> Self {
        Self::start_on(kind, config, |_| {})
    }

    /// A server of its own that starts on what `prepare` puts into its data directory.
    pub(crate) fn start_on(
        kind: Kind,
        config: &'static Config,
        prepare: impl FnOnce(&Path),
    ) -> Self {
        let number = FOLDERS.fetch_add(1, Ordering::Relaxed);
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR"))
            .join(format!("conformance-{}-{number}-{kind:?}", std::process::id()));
        let version_2 = folder.join("data/version-2");
        fs::create_dir_all(&version_2).expect("a scratch folder can be made");
        prepare(&version_2);
        Self::launch(kind, config, folder)
    }

    /// Kills the server at once and starts it again on what it left.
    pub(crate) fn restart(mut self) -> Self {
        self.stop("keep\n");
        let folder = self.folder.clone();
        Self::launch(self.kind, self.config, folder)
    }

    /// What the server says to a four-letter word.
    pub(crate) fn word(&self, word: &str) -> String {
        let mut wire = Wire::open(self.address);
        wire.send(word.as_bytes());
        wire.text()
    }

    fn launch(kind: Kind, config: &'static Config, folder: PathBuf) -> Self {
        let mut server = Self::spawn(kind, config, folder);
        let serves = eventually(Duration::from_secs(40), || {
            let exited = server.child.try_wait().expect("a child can be asked").is_some();
            (exited || server.serves()).then_some(!exited)
        });
        if serves != Some(true) {
            let log = fs::read_to_string(server.folder.join("log")).unwrap_or_default();
            panic!("{kind:?} with {} does not serve: {serves:?}\n{log}", config.name);
        }
        server
    }

    fn spawn(kind: Kind, config: &'static Config, folder: PathBuf) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port is free");
        let address = listener.local_addr().expect("a listener has an address");
        drop(listener);
        let zoo_cfg = folder.join("zoo.cfg");
        let settings = format!(
            "{SETTINGS}dataDir={}\nclientPort={}\n{}\n",
            folder.join("data").display(),
            address.port(),
            config.settings.join("\n"),
        );
        fs::write(&zoo_cfg, settings).expect("the scratch folder is writable");
        let log = fs::File::create(folder.join("log")).expect("the scratch folder is writable");
        let child = kind
            .command()
            .args(PROPERTIES.iter().chain(config.properties).map(|p| format!("-D{p}")))
            .args(kind.main_class())
            .arg(&zoo_cfg)
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file handle can be doubled"))
            .stderr(log)
            .spawn()
            .expect("the server's program starts");
        let guard = Command::new("sh")
            .args(["-c", GUARD, "guard"])
            .arg(child.id().to_string())
            .arg(&folder)
            .stdin(Stdio::piped())
            .spawn()
            .expect("a shell starts");
        Self { kind, address, folder, config, child, guard }
    }

    fn serves(&self) -> bool {
        let Ok(mut stream) = TcpStream::connect(self.address) else { return false };
        let mut text = String::new();
        // The original forgets a word that comes while it loads: rather ask again.
        let patience = Some(Duration::from_millis(500));
        stream.set_read_timeout(patience).expect("a timeout is allowed");
        let asked = stream.write_all(b"srvr").and_then(|()| stream.read_to_string(&mut text));
        asked.is_ok() && text.contains("Mode: standalone")
    }

    fn stop(&mut self, order: &str) {
        // Either may be gone already; then there is nothing left to do.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let mut input = self.guard.stdin.take().expect("the guard's input is piped");
        let _ = input.write_all(order.as_bytes());
        drop(input);
        let _ = self.guard.wait();
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if self.guard.stdin.is_some() {
            self.stop("remove\n");
        }
    }
}

impl Kind {
    /// Whether this kind can be started here. A machine of CI must have Java.
    pub(crate) fn is_installed(self) -> bool {
        let installed = self == Self::Ours || JARS.iter().all(|jar| Path::new(jar).exists());
        let is_ci = std::env::var("CI").is_ok_and(|ci| ci == "true");
        assert!(installed || !is_ci, "CI lacks {JARS:?}: install libzookeeper-java");
        if !installed {
            eprintln!("skipped: {JARS:?} are not installed");
        }
        installed
    }

    fn command(self) -> Command {
        match self {
            Self::Ours => Command::new(env!("CARGO_BIN_EXE_zookeeper-server")),
            Self::Java => {
                let mut java = Command::new("java");
                java.args(JAVA_OPTIONS).args(["-cp", &JARS.join(":")]);
                java
            }
        }
    }

    fn main_class(self) -> Option<&'static str> {
        (self == Self::Java).then_some("org.apache.zookeeper.server.quorum.QuorumPeerMain")
    }
}

const JARS: [&str; 2] = ["/usr/share/java/zookeeper.jar", "/usr/share/java/slf4j-simple.jar"];

const JAVA_OPTIONS: [&str; 6] = [
    "-Xmx256m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Djava.net.preferIPv4Stack=true",
    "-Dfile.encoding=UTF-8",
    "-Dorg.slf4j.simpleLogger.showDateTime=true",
];

const GUARD: &str = r#"read -r order
[ -n "$order" ] || kill -9 "$1" 2>/dev/null
[ "$order" = keep ] || rm -rf "$2""#;
