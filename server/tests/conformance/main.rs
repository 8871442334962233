//! The client protocol, assertion by assertion, over raw sockets.
//!
//! Each assertion runs against our server, which is held to 3.9.5, and against Debian's Java 3.8.0
//! where it is installed: what the tests expect of both is thus seen on the original.

#![allow(clippy::unwrap_used, reason = "nothing here runs outside tests")]

mod acls;
mod client;
mod config;
mod connecting;
mod creates;
mod deadline;
mod hostile;
mod limits;
mod multis;
mod nodes;
mod paths;
mod prepared;
mod quotas;
mod reply;
mod request;
mod requests;
mod restarts;
mod rights;
mod scene;
mod server;
mod sessions;
mod set_watches;
mod watches;
mod wire;
mod words;
