//! The images, built from the Dockerfile as a user would.
//!
//! The build stage compiles once, by the classic builder; the images that all tests use are then made with that binary
//! as one that comes from outside, and without a network.
//!
//! Invariant: a build sees what git would commit, and nothing else of this machine.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Instant;

use crate::bases::{self, BUSYBOX, DEBIAN};
use crate::engine::{Engine, root};
use crate::tools::run;

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

    /// The Dockerfile's name for it.
    pub(crate) fn target(self) -> &'static str {
        if self == Self::Scratch { "scratch" } else { "slim" }
    }
}

/// Compiles, then makes every image with the classic builder, which any engine has.
pub(crate) fn build(engine: &Engine) {
    let started = Instant::now();
    run(&mut compiling(engine, classic(engine), &Context::new(None), "build", BUILD_STAGE));
    eprintln!("images: the binary took {:?}", started.elapsed());
    let context = Context::new(Some(&binary(engine, BUILD_STAGE)));
    for image in Image::ALL {
        let mut command = described(classic(engine), &context, image.target(), image.tag());
        command.args(["--network=none", &format!("--build-arg=RUST_IMAGE={DEBIAN}")]);
        if image == Image::Busybox {
            command.arg(format!("--build-arg=BASE_IMAGE={BUSYBOX}"));
        }
        run(command.arg("."));
    }
}

/// The classic builder's command line.
pub(crate) fn classic(engine: &Engine) -> Command {
    let mut command = engine.docker();
    command.env("DOCKER_BUILDKIT", "0").arg("build");
    command
}

/// The build of a target that compiles, or takes what it has compiled before.
pub(crate) fn compiling(
    engine: &Engine,
    builder: Command,
    context: &Context,
    target: &str,
    tag: &str,
) -> Command {
    let mut command = described(builder, context, target, tag);
    command
        .args(["--network=host", &format!("--build-arg=RUST_IMAGE={}", bases::rust(engine))])
        .args(bases::PROXIES)
        .arg(".");
    command
}

/// What every build has, the context aside.
fn described(mut builder: Command, context: &Context, target: &str, tag: &str) -> Command {
    builder
        .args(["--file=images/Dockerfile", "--target", target, "--tag", tag])
        .arg(REVISION)
        .current_dir(context.path());
    builder
}

/// The binary of an image of the build stage, as a file of this machine.
pub(crate) fn binary(engine: &Engine, build_stage: &str) -> tempfile::TempPath {
    let path = tempfile::NamedTempFile::new().expect("a scratch file").into_temp_path();
    let container = run(engine.docker().args(["create", build_stage, "sh"]));
    run(engine.docker().arg("cp").arg(format!("{container}:/zookeeper")).arg(&path));
    run(engine.docker().args(["rm", &container]));
    path
}

/// What git has of the repository, and maybe a binary where the Dockerfile looks for one.
pub(crate) struct Context(tempfile::TempDir);

impl Context {
    pub(crate) fn new(binary: Option<&Path>) -> Self {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let script = "git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t \"$1\"";
        let mut command = Command::new("sh");
        run(command.args(["-c", script, "context"]).arg(folder.path()).current_dir(root()));
        if let Some(binary) = binary {
            let prebuilt = folder.path().join("images/prebuilt");
            fs::create_dir(&prebuilt).expect("a scratch folder");
            fs::copy(binary, prebuilt.join("zookeeper")).expect("copied");
        }
        Self(folder)
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }
}

/// The build stage as the classic builder made it.
pub(crate) const BUILD_STAGE: &str = "zookeeper-test:build";
/// As it is written into the images' labels.
pub(crate) const REVISION: &str = "--build-arg=REVISION=0123456789";
