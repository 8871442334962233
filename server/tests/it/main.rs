//! The real server as a process: against clients of other languages, against `kill -9`, and taking
//! turns with the Java original on one data directory.
//!
//! Invariants
//! - Whatever is awaited is awaited under a deadline.
//! - A missing tool skips a test aloud, and fails it where `CI=true`.

#![expect(clippy::print_stdout, reason = "a test says what it saw")]

mod c_client;
mod client;
mod crash;
mod curator;
mod curator_program;
mod deadline;
mod go;
mod kazoo;
mod kazoo_suite;
mod program;
mod server;
mod takeover;
mod tools;
mod tree;
mod zkcli;
