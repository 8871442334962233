//! The metrics as a program of their own.

use std::process::ExitCode;

fn main() -> ExitCode {
    zookeeper_ready::metrics::main(std::env::args_os(), || None)
}
