//! The container engine and the images, made once for all tests.
//!
//! An engine that runs is used. Without one, root gets one of its own for the time of the tests, with
//! base images from Debian's packages, since nothing can be pulled everywhere that tests run.
//!
//! Invariants
//! - The Dockerfile is built as a user would, but for the binary, which comes from outside: a build
//!   stage would compile every crate once more.
//! - An engine of our own ends with these tests, also when they are killed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use crate::deadline::await_until;
use crate::tools::{self, run};

/// A running engine that has the images.
pub(crate) struct Engine {
    /// `None` for the engine that the environment names.
    socket: Option<PathBuf>,
    /// The network of all containers of this run.
    pub(crate) network: String,
    /// Kept so that their standard inputs stay open until the end.
    _guards: Vec<Child>,
}

/// Which image a container is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Image {
    /// On Debian, whose `sh` was dash.
    Slim,
    /// Slim on nothing but busybox.
    Busybox,
    /// The binary alone.
    Scratch,
    /// None of ours: what slim stands on.
    Debian,
}

impl Image {
    pub(crate) const ALL: [Self; 3] = [Self::Slim, Self::Busybox, Self::Scratch];

    pub(crate) fn tag(self) -> &'static str {
        match self {
            Self::Slim => "zookeeper-test:slim",
            Self::Busybox => "zookeeper-test:busybox",
            Self::Scratch => "zookeeper-test:scratch",
            Self::Debian => DEBIAN,
        }
    }

    /// What it stands on.
    pub(crate) fn base(self) -> Option<&'static str> {
        match self {
            Self::Slim => Some(DEBIAN),
            Self::Busybox => Some(BUSYBOX),
            Self::Scratch | Self::Debian => None,
        }
    }
}

impl Engine {
    /// The engine with all images, or `None` after saying why these tests are skipped.
    pub(crate) fn get() -> Option<&'static Self> {
        static ENGINE: OnceLock<Result<Engine, String>> = OnceLock::new();
        match ENGINE.get_or_init(Self::prepare) {
            Ok(engine) => Some(engine),
            Err(why) => {
                tools::skip(why);
                None
            }
        }
    }

    /// The engine's command line, with no words yet.
    pub(crate) fn docker(&self) -> Command {
        docker(self.socket.as_deref())
    }

    fn prepare() -> Result<Self, String> {
        let engine = Self::start()?;
        let started = Instant::now();
        let binary = build_binary();
        eprintln!("images: the binary took {:?}", started.elapsed());
        if engine.socket.is_some() {
            engine.import_debian();
        }
        engine.import_busybox();
        let context = Context::new(&binary);
        for image in Image::ALL {
            engine.build(&context, image);
        }
        Ok(engine)
    }

    fn start() -> Result<Self, String> {
        let is_running = |socket: Option<&Path>| {
            let mut command = docker(socket);
            command.arg("info").stdout(Stdio::null()).stderr(Stdio::null());
            command.status().is_ok_and(|status| status.success())
        };
        let missing = tools::missing();
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

    fn import_debian(&self) {
        if self.has(DEBIAN) {
            return;
        }
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("debian");
        let script = "rm -rf \"$1\" && debootstrap --variant=minbase bookworm \"$1\" >&2 && \
                      rm -rf \"$1\"/var/cache/apt/archives/*.deb && tar -C \"$1\" -cf \"$1.tar\" .";
        let mut command = Command::new("sh");
        run(command.args(["-c", script, "base"]).arg(&folder));
        run(self.docker().arg("import").arg(folder.with_extension("tar")).arg(DEBIAN));
        fs::remove_dir_all(&folder).expect("ours");
    }

    /// A base that has a shell and no package of any distribution.
    fn import_busybox(&self) {
        if self.has(BUSYBOX) {
            return;
        }
        let folder = tempfile::tempdir().expect("a scratch folder");
        let script = "mkdir -p \"$1/bin\" \"$1/etc\" && cp /bin/busybox \"$1/bin\" && \
                      for name in $(/bin/busybox --list); do \
                      [ \"$name\" = busybox ] || ln -s busybox \"$1/bin/$name\"; done && \
                      echo root:x:0:0:root:/:/bin/sh > \"$1/etc/passwd\" && \
                      tar -C \"$1\" -cf \"$1.tar\" .";
        run(Command::new("sh").args(["-c", script, "base"]).arg(folder.path()));
        let tar = folder.path().with_extension("tar");
        run(self.docker().arg("import").arg(&tar).arg(BUSYBOX));
        fs::remove_file(tar).expect("ours");
    }

    fn has(&self, image: &str) -> bool {
        tools::output(self.docker().args(["image", "inspect", image])).status.success()
    }

    /// With the classic builder, which any engine has.
    fn build(&self, context: &Context, image: Image) {
        let target = if image == Image::Scratch { "scratch" } else { "slim" };
        let mut command = self.docker();
        command
            .env("DOCKER_BUILDKIT", "0")
            .args(["build", "--network=none", "--file=images/Dockerfile", "--tag", image.tag()])
            .arg(format!("--target={target}"))
            .arg(format!("--build-arg=RUST_IMAGE={DEBIAN}"))
            .arg("--build-arg=REVISION=0123456789")
            .current_dir(context.0.path());
        if image == Image::Busybox {
            command.arg(format!("--build-arg=BASE_IMAGE={BUSYBOX}"));
        }
        run(command.arg("."));
    }
}

/// What git has of the repository, with a binary where the Dockerfile looks for one.
struct Context(tempfile::TempDir);

impl Context {
    fn new(binary: &Path) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let script = "git ls-files -z --cached --others --exclude-standard | \
                      xargs -0 cp --parents -t \"$1\" && mkdir \"$1/images/prebuilt\" && \
                      cp \"$2\" \"$1/images/prebuilt/zookeeper\"";
        let mut command = Command::new("sh");
        command.args(["-c", script, "context"]).arg(folder.path()).arg(binary);
        run(command.current_dir(root()));
        Self(folder)
    }
}

/// The static binary, as the Dockerfile's build stage makes it.
fn build_binary() -> PathBuf {
    let host = run(Command::new("rustc").args(["--print", "host-tuple"]));
    let mut command = Command::new(env!("CARGO"));
    command
        .args(["build", "--release", "--locked", "--package", "zookeeper", "--target", &host])
        .args(["--message-format=json-render-diagnostics"])
        .env("RUSTFLAGS", "-C target-feature=+crt-static -C strip=symbols")
        .current_dir(root());
    let messages = run(&mut command);
    let mut executables = messages.lines().filter_map(|line| {
        let message: serde_json::Value = serde_json::from_str(line).ok()?;
        message["executable"].as_str().map(PathBuf::from)
    });
    executables.next_back().expect("cargo names what it has built")
}

fn docker(socket: Option<&Path>) -> Command {
    let mut command = Command::new("docker");
    if let Some(socket) = socket {
        command.env("DOCKER_HOST", format!("unix://{}", socket.display()));
    }
    command
}

/// The daemon, and what ends it. Without a bridge of its own it disturbs no other engine.
fn start_daemon(folder: &Path, socket: &Path) -> (Child, Child) {
    fs::create_dir_all(folder).expect("the build folder is writable");
    let path = |name: &str| folder.join(name).display().to_string();
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

/// Takes away what runs in an engine of our own, and its networks: their bridges would stay on the machine, of whose
/// addresses there are for thirty.
fn clear(socket: &Path) -> String {
    format!(
        "export DOCKER_HOST=unix://{}; docker ps --all --quiet | xargs --no-run-if-empty docker rm --force \
         --volumes; docker network prune --force; docker volume prune --force",
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

const DEBIAN: &str = "debian:bookworm-slim";
const BUSYBOX: &str = "zookeeper-test:base-busybox";
const START_LIMIT: Duration = Duration::from_secs(60);
