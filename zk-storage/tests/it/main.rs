//! Storage from the outside: real servers' files, damage, crashes, failing disks, a real Java server.

#![allow(clippy::unwrap_used, reason = "all of it is a test")]

mod crash;
mod damage;
mod fixtures;
mod hostile;
mod java;
mod model;
mod naming;
mod scratch;
mod snapshots;
mod upkeep;
