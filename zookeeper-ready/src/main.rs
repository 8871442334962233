//! The probe as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    zookeeper_ready::ready::main(std::env::args_os(), || None)
}
