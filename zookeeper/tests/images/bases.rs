//! What the images stand on and are built with, from Debian's packages and this machine's tool chain, since nothing
//! can be pulled everywhere that tests run.
//!
//! Invariant: an engine that has an image of that name keeps it.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::engine::{Engine, root};
use crate::tools::run;

/// The Dockerfile's default for slim.
pub(crate) const DEBIAN: &str = "debian:bookworm-slim";
/// A shell and no package of any distribution.
pub(crate) const BUSYBOX: &str = "zookeeper-test:base-busybox";

/// Makes those that the engine lacks.
pub(crate) fn provide(engine: &Engine) {
    if engine.is_ours() {
        import_debian(engine);
    }
    import_busybox(engine);
}

fn import_debian(engine: &Engine) {
    if engine.has(DEBIAN) {
        return;
    }
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("debian");
    let script = "rm -rf \"$1\" && debootstrap --variant=minbase bookworm \"$1\" >&2 && \
                  rm -rf \"$1\"/var/cache/apt/archives/*.deb && tar -C \"$1\" -cf \"$1.tar\" .";
    let mut command = Command::new("sh");
    run(command.args(["-c", script, "base"]).arg(&folder));
    run(engine.docker().arg("import").arg(folder.with_extension("tar")).arg(DEBIAN));
    fs::remove_dir_all(&folder).expect("ours");
}

fn import_busybox(engine: &Engine) {
    if engine.has(BUSYBOX) {
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
    run(engine.docker().arg("import").arg(&tar).arg(BUSYBOX));
    fs::remove_file(tar).expect("ours");
}

/// The name of an image with Debian's C compiler and the Rust of this machine, laid out like the official one.
pub(crate) fn rust(engine: &Engine) -> String {
    let version = run(Command::new("rustc").arg("--version").current_dir(root()));
    let version = version.split_whitespace().nth(1).expect("rustc says its version");
    let tag = format!("zookeeper-test:base-rust-{version}");
    if engine.has(&tag) {
        return tag;
    }
    let folder = tempfile::tempdir().expect("a scratch folder");
    fs::write(folder.path().join("Dockerfile"), format!("FROM {DEBIAN}\n{RUST}")).expect("written");
    let sysroot = run(Command::new("rustc").args(["--print", "sysroot"]).current_dir(root()));
    // The bundle of this machine, since what looks into its TLS on the way out has an authority of its own.
    let mut tar = Command::new("tar")
        .args([
            "--create",
            "--dereference",
            "--directory=/etc/ssl/certs",
            "ca-certificates.crt",
            "--directory",
        ])
        .arg(folder.path())
        .args(["Dockerfile", "--directory", &sysroot, "bin", "lib"])
        .stdout(Stdio::piped())
        .spawn()
        .expect("tar starts");
    let context = tar.stdout.take().expect("it is piped");
    let mut build = engine.docker();
    build.env("DOCKER_BUILDKIT", "0").args(["build", "--network=host", "--tag", &tag]);
    run(build.args(PROXIES).arg("-").stdin(context));
    assert!(tar.wait().is_ok_and(|status| status.success()), "the tool chain is readable");
    tag
}

/// What a build is told of this machine's way out; a variable that is not set is no argument.
pub(crate) const PROXIES: [&str; 3] =
    ["--build-arg=http_proxy", "--build-arg=https_proxy", "--build-arg=no_proxy"];

/// What it is made by, on Debian.
const RUST: &str = "\
RUN apt-get update && \\
    apt-get install --yes --no-install-recommends ca-certificates gcc libc6-dev && \\
    rm -rf /var/lib/apt/lists/*
COPY ca-certificates.crt /etc/ssl/certs/
COPY bin /usr/local/rust/bin
COPY lib /usr/local/rust/lib
ENV CARGO_HOME=/usr/local/cargo PATH=/usr/local/cargo/bin:/usr/local/rust/bin:$PATH
";
