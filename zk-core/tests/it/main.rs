//! The core from the outside: scenarios, random histories, other servers' files, the guarantees.
//!
//! Everything goes through `Peer::step`, as in a shell; time is a number that the tests move.

#![allow(clippy::unwrap_used, reason = "all of it is a test")]

mod command;
mod fixtures;
mod guarantees;
mod history;
mod hostile;
mod scenarios;
mod settings;
mod show;
mod world;
