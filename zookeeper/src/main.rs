//! The image's one binary: server, entry point, shell, chores and probes, told apart by the name it is called.
//!
//! It decides nothing itself. One file with links to it is a third of the size of the programs
//! beside each other, since they share most of their code.
//!
//! Invariant: under its own name the first argument is the name, so that no link is needed.

mod cleanup;
mod initialize;
mod processes;

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::ExitCode;

use start_zookeeper::entry;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    let mut words: Vec<OsString> = std::env::args_os().collect();
    if program(&words).is_none() && words.len() > 1 {
        words.remove(0);
    }
    let Some(program) = program(&words) else {
        eprintln!("{USAGE}");
        return ExitCode::from(EXIT_USAGE);
    };
    program(words)
}

type Program = fn(Vec<OsString>) -> ExitCode;

/// The program that the first word names, with or without a path before it.
fn program(words: &[OsString]) -> Option<Program> {
    let name = Path::new(words.first()?).file_name().and_then(OsStr::to_str)?;
    Some(match name {
        "zkcli" | "zkCli.sh" => |words| zkcli::main(words),
        "zkCleanup.sh" => cleanup::main,
        "zkServer-initialize.sh" => initialize::main,
        "pkill" => processes::pkill,
        "ps" => processes::ps,
        "nc" => |words| zookeeper_ready::netcat::main(words),
        "zookeeper-server" => |words| zookeeper_server::command::main(words),
        "zookeeper-ready" => |words| zookeeper_ready::ready::main(words, entry::client_port),
        "zookeeper-metrics" => |words| zookeeper_ready::metrics::main(words, entry::client_port),
        // Other images' scripts, by which start-zookeeper does what these do.
        "docker-entrypoint.sh" | "entrypoint.sh" | "run.sh" | "run" | "zkServer.sh" => {
            |words| start_zookeeper::command::main(words)
        }
        "start-zookeeper" => |words| start_zookeeper::command::main(words),
        _ => return None,
    })
}

/// As the programs themselves have it for a command line that makes no sense.
const EXIT_USAGE: u8 = 2;

const USAGE: &str = "\
zookeeper: say which program: zookeeper start-zookeeper|zookeeper-server|zookeeper-ready|\
zookeeper-metrics|zkCleanup.sh|zkCli.sh|zkServer.sh|zkServer-initialize.sh|docker-entrypoint.sh|nc|ps|pkill [arguments], \
or call it by a link of that name";
