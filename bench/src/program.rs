//! The programs under test: ours, built where needed, and Debian's Java server, where it is installed.

use std::path::{Path, PathBuf};
use std::process::Command;

use crate::error::Error;

/// A server program: what comes before the path of zoo.cfg.
#[derive(Clone, Debug)]
pub(crate) struct Program {
    pub(crate) path: PathBuf,
    pub(crate) arguments: Vec<String>,
}

impl Program {
    /// Our server: `path`, or built in release beside this program.
    pub(crate) fn ours(path: Option<PathBuf>) -> Result<Self, Error> {
        let path = path.map_or_else(build, Ok)?;
        Ok(Self { path, arguments: Vec::new() })
    }

    /// Debian's Java server, if it is installed.
    pub(crate) fn java(jvm: &[&str]) -> Option<Self> {
        let is_installed = JARS.iter().all(|jar| Path::new(jar).exists());
        let java = std::env::split_paths(&std::env::var_os("PATH")?)
            .map(|folder| folder.join("java"))
            .find(|path| path.is_file())?;
        let arguments = [
            "-Dorg.slf4j.simpleLogger.defaultLogLevel=warn",
            "-cp",
            &JARS.join(":"),
            "org.apache.zookeeper.server.quorum.QuorumPeerMain",
        ];
        let arguments = jvm.iter().copied().chain(arguments).map(str::to_owned).collect();
        is_installed.then_some(Self { path: java, arguments })
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
