//! What an operator meets when something is wrong: the real binary, its exit code and its one message.
//!
//! Invariants
//! - Whatever is awaited is awaited under a deadline.
//! - Where writes were acknowledged, they are all there once the fault is gone.
//! - What needs root is skipped aloud without it; with root and `CI=true` nothing is skipped.

#![allow(clippy::unwrap_used, reason = "nothing here runs outside tests")]
#![allow(dead_code, reason = "the client of the other tests can do more than is needed here")]

#[path = "../it/client.rs"]
mod client;
mod damage;
#[path = "../it/deadline.rs"]
mod deadline;
mod disk;
mod liveness;
mod load;
mod loading;
mod mount;
mod options;
mod process;
mod signals;
mod starting;
