//! The containers' entry points of other images: `docker-entrypoint.sh` and `zkServer.sh`.
//!
//! Reads the variables that these images have, writes a zoo.cfg as they do, gives up root's rights,
//! and becomes the server, or whatever other program the container was told to run.
//!
//! Invariants
//! - A zoo.cfg and a `myid` that exist stay as they are.
//! - Only a server's start writes anything: a container that runs a client leaves the volumes alone.
//! - With a problem nothing has been written, and every problem is told at once.

mod bitnami;
mod confluent;
mod environment;
mod family;
mod identity;
pub(crate) mod layout;
mod official;
mod privileges;
pub mod problem;
mod report;
mod start;
mod zk_server;
mod zoo_cfg;

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::{fs, io};

use nix::errno::Errno;
use nix::unistd::execvp;

use self::problem::EntryProblem;
use crate::failure::Failure;
use crate::problem::Problem;

/// `docker-entrypoint.sh [command…]`: the server, or the command as it is.
pub fn docker_entrypoint(words: &[OsString]) -> Result<bool, Failure> {
    let Some((command, arguments)) = words.split_first() else {
        return zk_server(&["start-foreground".into()]);
    };
    let name = Path::new(command).file_name().and_then(OsStr::to_str);
    match name {
        Some("zkServer.sh") => zk_server(arguments),
        // What Bitnami's and Confluent's images are told to run.
        Some("run.sh" | "run") => zk_server(&["start-foreground".into()]),
        _ => Err(execute(words)),
    }
}

/// The zoo.cfg of the server of this container, for tools beside it.
pub fn zoo_cfg() -> PathBuf {
    start::file_for_status(None)
}

/// The client port of that server, if the file is there and has one.
pub fn client_port() -> Option<u16> {
    zk_server::client_port(&zoo_cfg())
}

/// `zkServer.sh [--config folder] start-foreground|status|version [zoo.cfg]`. Whether all is well.
pub fn zk_server(words: &[OsString]) -> Result<bool, Failure> {
    let words: Vec<_> = words.iter().map(|word| word.to_string_lossy().into_owned()).collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let (folder, words) = match words.as_slice() {
        ["--config", folder, rest @ ..] => (Some(Path::new(folder)), rest),
        words => (None, words),
    };
    let file = words.get(1).map(Path::new).or(folder.map(|_| Path::new("zoo.cfg")));
    let named = file.map(|file| folder.map_or_else(|| file.to_owned(), |folder| folder.join(file)));
    match words.first().copied() {
        Some("start-foreground") => start::become_server(named.as_deref()),
        Some("status") => {
            let zoo_cfg = start::file_for_status(named.as_deref());
            Ok(zk_server::status(&zoo_cfg, &mut io::stdout(), &mut io::stderr())?)
        }
        Some("version") => {
            use std::io::Write as _;
            writeln!(io::stdout(), "Apache ZooKeeper, version {}", env!("CARGO_PKG_VERSION"))?;
            Ok(true)
        }
        other => {
            let command = other.unwrap_or_default().to_owned();
            Err(Failure::Problems(vec![Problem::Entry(EntryProblem::Command { command })]))
        }
    }
}

/// Becomes another program. Comes back only if that is impossible.
fn execute(words: &[OsString]) -> Failure {
    let failed = |source| {
        let program = words.first().map(|word| word.to_string_lossy().into_owned());
        let program = program.unwrap_or_default();
        Failure::Problems(vec![Problem::Entry(EntryProblem::Program { program, source })])
    };
    let c_strings: Result<Vec<_>, _> =
        words.iter().map(|word| CString::new(word.as_bytes())).collect();
    match c_strings.as_deref() {
        Ok([program, ..]) => match execvp(program, c_strings.as_deref().unwrap_or_default()) {
            Err(source) => failed(source),
            Ok(never) => match never {},
        },
        _ => failed(Errno::EINVAL),
    }
}

/// The first of the files that exists.
fn first_that_exists(files: impl IntoIterator<Item = PathBuf>) -> Option<PathBuf> {
    files.into_iter().find(|file| fs::metadata(file).is_ok_and(|metadata| metadata.is_file()))
}
