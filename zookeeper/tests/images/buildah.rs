//! buildah with a storage of its own, for the time of a test.
//!
//! Invariant: it needs no daemon, no kernel's overlay and no namespace, so it runs wherever root runs tests.

use std::fs;
use std::process::Command;

use crate::bases::DEBIAN;
use crate::engine::Engine;
use crate::images::{Context, REVISION};
use crate::tools::{self, run};

/// A storage that has the base of slim.
pub(crate) struct Buildah {
    storage: tempfile::TempDir,
}

impl Buildah {
    /// `None` after saying why the test is skipped.
    pub(crate) fn new(engine: &Engine) -> Option<Self> {
        if !tools::is_there("buildah") {
            return None;
        }
        if !nix::unistd::geteuid().is_root() {
            tools::skip("only root may give a file to any owner, as buildah does");
            return None;
        }
        let storage = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR"))
            .expect("the build folder is writable");
        let buildah = Self { storage };
        let archive = buildah.storage.path().join("base.tar");
        run(engine.docker().arg("save").arg("--output").arg(&archive).arg(DEBIAN));
        run(buildah.command().arg("pull").arg(format!("docker-archive:{}", archive.display())));
        fs::remove_file(archive).expect("ours");
        Some(buildah)
    }

    /// The id of the target's image, made from nothing that an earlier build left. `docker` is the format that
    /// knows health checks; an image of format `oci` has nothing of the build itself in it, so its id is that of
    /// all builds alike.
    pub(crate) fn build(&self, context: &Context, target: &str, format: &str) -> String {
        let id = self.storage.path().join("id");
        let mut command = self.command();
        command
            .args(["build", "--no-cache", "--timestamp=0", "--format", format])
            .args(["--file=images/Dockerfile", "--target", target, REVISION])
            .arg(format!("--build-arg=RUST_IMAGE={DEBIAN}"))
            .arg("--iidfile")
            .arg(&id)
            .arg(".");
        run(command.current_dir(context.path()));
        fs::read_to_string(id).expect("buildah writes it")
    }

    /// Gives an image to the engine.
    pub(crate) fn hand_over(&self, id: &str, engine: &Engine, tag: &str) {
        let archive = self.storage.path().join("image.tar");
        let target = format!("docker-archive:{}:{tag}", archive.display());
        run(self.command().args(["push", id, &target]));
        run(engine.docker().arg("load").arg("--input").arg(&archive));
        fs::remove_file(archive).expect("ours");
    }

    fn command(&self) -> Command {
        let mut command = Command::new("buildah");
        command
            .env("STORAGE_DRIVER", "vfs")
            .env("BUILDAH_ISOLATION", "chroot")
            .arg("--root")
            .arg(self.storage.path().join("root"))
            .arg("--runroot")
            .arg(self.storage.path().join("run"));
        command
    }
}
