//! What can end a measurement.

use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use thiserror::Error;
use zk_wire::{DecodeError, FrameError, Zxid};

/// Why a figure could not be measured.
#[derive(Debug, Error)]
pub(crate) enum Error {
    /// A file or folder of the run.
    #[error("cannot {operation} {path}: {source}", path = path.display())]
    File { operation: &'static str, path: PathBuf, source: io::Error },
    /// A program that should run beside us.
    #[error("{program} did not start: {source}", program = program.display())]
    Spawn { program: PathBuf, source: io::Error },
    /// `cargo build` of the server failed; its own output says why.
    #[error("building zookeeper-server failed with {0}, or name a built one with --ours")]
    Build(ExitStatus),
    /// The server ended before it served.
    #[error("the server ended with {status} before its first session; its last lines:\n{log}")]
    Ended { status: ExitStatus, log: String },
    /// The server is there but gives no session.
    #[error("no session on port {port} after {seconds} s; its last lines:\n{log}")]
    NoSession { port: u16, seconds: u64, log: String },
    /// The ensemble has no leader, or not all of its members serve.
    #[error("not all members serve after {seconds} s; the last lines of one:\n{log}")]
    NotServing { seconds: u64, log: String },
    /// A member does not have what its leader has.
    #[error("a member lacks txns up to {zxid} after {seconds} s; its last lines:\n{log}")]
    Behind { zxid: Zxid, seconds: u64, log: String },
    /// A signal had no effect.
    #[error("the server still runs {seconds} s after a signal; its last lines:\n{log}")]
    NoEnd { seconds: u64, log: String },
    /// A member came back in another way than the workload is about.
    #[error("the member's log has no line `{0}`: it came back in another way")]
    OtherSync(&'static str),
    /// The server does not know the session any more.
    #[error("port {port} refuses the session")]
    SessionRefused { port: u16 },
    /// A connection broke.
    #[error("cannot {operation} port {port}: {source}")]
    Connection { operation: &'static str, port: u16, source: io::Error },
    /// Epoll, affinity and the like.
    #[error("cannot {operation}: {source}")]
    System { operation: &'static str, source: nix::Error },
    /// Nothing came back for a long time.
    #[error("no reply for {seconds} s, {waiting} requests are waiting")]
    Silence { seconds: u64, waiting: usize },
    /// The server answered out of order.
    #[error("expected the reply to request {expected}, got the one to {got}")]
    Order { expected: i32, got: i32 },
    /// A request that must succeed failed.
    #[error("request {xid} failed with error code {code}")]
    Refused { xid: i32, code: i32 },
    /// Bytes that are not a reply.
    #[error("malformed reply: {0}")]
    Decode(#[from] DecodeError),
    /// A reply of an impossible length.
    #[error("malformed reply: {0}")]
    Frame(#[from] FrameError),
    /// `/proc` looks different on this kernel.
    #[error("{path} has no {field}", path = path.display())]
    Proc { path: PathBuf, field: &'static str },
    /// Every port of the range is taken.
    #[error("no free port from {first} to {last}")]
    NoPort { first: u16, last: u16 },
    /// The workload did not bring about what it should measure.
    #[error("{0} took no snapshot under load, so there is nothing to compare")]
    NoSnapshot(&'static str),
}

impl Error {
    pub(crate) fn file(
        operation: &'static str,
        path: impl AsRef<Path>,
    ) -> impl FnOnce(io::Error) -> Self {
        let path = path.as_ref().to_owned();
        move |source| Self::File { operation, path, source }
    }

    pub(crate) fn connection(operation: &'static str, port: u16) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Connection { operation, port, source }
    }

    pub(crate) fn system(operation: &'static str) -> impl FnOnce(nix::Error) -> Self {
        move |source| Self::System { operation, source }
    }
}
