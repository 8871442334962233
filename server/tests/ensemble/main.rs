//! Ensembles of real processes, ours and the Java original mixed, under load and under faults.
//!
//! Every cell has the same oracle (`account.rs`): no acknowledged write lost, nothing there that was never
//! asked for, every live session kept, all members equal at rest.
//!
//! Invariants
//! - Whatever is awaited is awaited under a deadline.
//! - A missing tool skips a test aloud, and fails it where `CI=true`.

#![allow(clippy::unwrap_used, reason = "nothing here runs outside tests")]
#![allow(dead_code, reason = "what is shared with other tests can do more than is needed here")]
#![expect(clippy::print_stdout, reason = "a test says what it saw")]

mod account;
mod chaos;
#[path = "../it/client.rs"]
mod client;
mod clients;
#[path = "../it/curator_program.rs"]
mod curator_program;
#[path = "../it/deadline.rs"]
mod deadline;
mod disks;
mod ensemble;
mod idler;
#[path = "../it/kazoo_suite.rs"]
mod kazoo_suite;
mod load;
mod member;
mod membership;
mod mixed;
#[path = "../failures/mount.rs"]
mod mount;
mod naming;
mod network;
mod observers;
mod ours;
mod partitions;
mod place;
#[path = "../it/program.rs"]
mod program;
mod random;
mod reconfig;
mod rolling;
#[path = "../it/server.rs"]
mod server;
mod session;
mod sessions;
mod sync;
mod syncs;
#[path = "../it/tools.rs"]
mod tools;
#[path = "../it/tree.rs"]
mod tree;
mod volumes;
mod writer;
