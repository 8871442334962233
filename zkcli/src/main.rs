//! The shell as a program of its own.

use std::process::ExitCode;

fn main() -> ExitCode {
    zkcli::main(std::env::args_os())
}
