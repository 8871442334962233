//! The container engine, made once for all tests.
//!
//! An engine that runs is used. Without one, root gets one of its own for the time of the tests.
//!
//! Invariant: an engine of our own ends with these tests, also when they are killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::LazyLock;
use std::time::Duration;

use crate::deadline::await_until;
use crate::tools::{self, run};
use crate::{bases, images};

/// A running engine that has the images.
pub(crate) struct Engine {
    /// `None` for the engine that the environment names.
    socket: Option<PathBuf>,
    /// The network of all containers of this run.
    pub(crate) network: String,
    /// Kept so that their standard inputs stay open until the end.
    _guards: Vec<Child>,
}

impl Engine {
    /// The engine with all images, or `None` after saying why these tests are skipped.
    pub(crate) fn get() -> Option<&'static Self> {
        // After a panic nobody tries again: what failed may have taken minutes.
        static ENGINE: LazyLock<Result<Engine, String>> = LazyLock::new(Engine::prepare);
        match &*ENGINE {
            Ok(engine) => Some(engine),
            Err(why) => {
                tools::skip(why);
                None
            }
        }
    }

    /// The engine's command line, with no words yet.
    pub(crate) fn docker(&self) -> Command {
        self.client(Path::new("docker"))
    }

    /// The same of another client.
    pub(crate) fn client(&self, program: &Path) -> Command {
        client(program, self.socket.as_deref())
    }

    /// Whether nobody else uses it, and nothing can be pulled for it.
    pub(crate) fn is_ours(&self) -> bool {
        self.socket.is_some()
    }

    pub(crate) fn has(&self, image: &str) -> bool {
        tools::output(self.docker().args(["image", "inspect", image])).status.success()
    }

    fn prepare() -> Result<Self, String> {
        let engine = Self::start()?;
        bases::provide(&engine);
        images::build(&engine);
        Ok(engine)
    }

    fn start() -> Result<Self, String> {
        let is_running = |socket: Option<&Path>| {
            let mut command = docker(socket);
            command.arg("info").stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        let missing = tools::missing(&["docker", "debootstrap", "busybox"]);
        let (socket, mut guards) = if is_running(None) {
            (None, Vec::new())
        } else if !missing.is_empty() {
            return Err(format!(
                "no container engine runs here, and missing {}",
                missing.join(", ")
            ));
        } else if !nix::unistd::geteuid().is_root() {
            return Err("no container engine runs here, and only root can start one".to_owned());
        } else {
            let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("engine");
            let socket = folder.join("docker.sock");
            let (daemon, guard) = start_daemon(&folder, &socket);
            await_until("the engine answers", START_LIMIT, || {
                is_running(Some(&socket)).then_some(())
            });
            run(Command::new("sh").args(["-c", &clear(&socket)]));
            (Some(socket), vec![daemon, guard])
        };
        let network = format!("zookeeper-test-{}", std::process::id());
        run(docker(socket.as_deref()).args(["network", "create", &network]));
        if socket.is_none() {
            guards.push(guard(&format!("docker network rm {network}")));
        }
        Ok(Self { socket, network, _guards: guards })
    }
}

fn docker(socket: Option<&Path>) -> Command {
    client(Path::new("docker"), socket)
}

fn client(program: &Path, socket: Option<&Path>) -> Command {
    let mut command = Command::new(program);
    if let Some(socket) = socket {
        command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
    }
    command
}

/// The daemon, and what ends it. Without a bridge of its own it disturbs no other engine.
fn start_daemon(folder: &Path, socket: &Path) -> (Child, Child) {
    fs::create_dir_all(folder).expect("the build folder is writable");
    let path = |name: &str| folder.join(name).display().to_string();
    await_until("the engine of the run before has ended", START_LIMIT, || {
        (!is_ending(&folder.join("pid"))).then_some(())
    });
    let log = fs::File::create(folder.join("log")).expect("the build folder is writable");
    let daemon = Command::new("dockerd")
        .args(["--bridge=none", "--host", &format!("unix://{}", socket.display())])
        .args(["--data-root", &path("data"), "--exec-root", &path("exec")])
        .args(["--pidfile", &path("pid")])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(log)
        .spawn()
        .expect("dockerd starts");
    let guard = guard(&format!("{}; kill {}", clear(socket), daemon.id()));
    (daemon, guard)
}

/// Whether the engine of that file is there yet: its guard ends it, once it has cleared it.
fn is_ending(pid_file: &Path) -> bool {
    let name = |pid: String| fs::read_to_string(format!("/proc/{}/comm", pid.trim())).ok();
    fs::read_to_string(pid_file).ok().and_then(name).is_some_and(|name| name.trim() == "dockerd")
}

/// Takes away what runs in an engine of our own, what builds of other days have left, and its networks: their bridges
/// would stay on the machine, of whose addresses there are for thirty.
fn clear(socket: &Path) -> String {
    format!(
        "export DOCKER_HOST=unix://{}; docker ps --all --quiet | xargs --no-run-if-empty docker rm --force \
         --volumes; docker network prune --force; docker volume prune --force; \
         docker image prune --force --filter until=24h; docker builder prune --force --filter until=24h",
        socket.display()
    )
}

/// Runs a command when these tests have ended in whatever way: then its standard input ends.
fn guard(command: &str) -> Child {
    Command::new("setsid")
        .args(["sh", "-c", &format!("read -r never; {command}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("a shell starts")
}

/// The workspace.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the crate is a folder of the workspace")
}

const START_LIMIT: Duration = Duration::from_secs(60);
