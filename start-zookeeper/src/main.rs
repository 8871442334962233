//! The container's entry point as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    start_zookeeper::command::main(std::env::args_os())
}
