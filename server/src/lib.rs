//! The shell around the pure core: sockets, threads, disks, four-letter words.
//!
//! It decides nothing that a client could notice; it feeds [`zk_core::Peer`] and carries out what comes
//! back. One event loop owns the peer and all sockets; the disk has a thread for the log and one for a
//! snapshot while it is taken. There is no lock: what threads share goes through channels.

pub mod args;
mod clock;
pub mod command;
mod connection;
mod date;
mod ensemble;
mod error;
mod listener;
mod log_thread;
pub mod logging;
mod membership;
mod metrics;
mod own_client;
mod progress;
mod purge;
pub mod run;
#[cfg(test)]
mod scratch;
mod settings;
mod shell;
mod signal;
mod snapshot;
mod startup;
mod words;

pub use error::Error;
