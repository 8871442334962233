//! Why a server does not start or does not go on, each with its exit code.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

use thiserror::Error;
use zk_wire::{EnsembleId, ServerId};

/// A reason to end.
#[derive(Debug, Error)]
pub enum Error {
    /// The configuration has faults.
    #[error("{0}")]
    Config(#[from] zk_config::Errors),
    /// Something in the configuration is not supported yet and cannot be passed over.
    #[error("{what} is not supported by this server yet; {remedy}")]
    Unsupported {
        /// What was asked for.
        what: &'static str,
        /// What to do instead.
        remedy: &'static str,
    },
    /// The data directory cannot be used, or a file in it is damaged.
    #[error("{0}")]
    Storage(#[from] zk_storage::Error),
    /// The file that says that a directory is new cannot be removed.
    #[error("cannot remove {}: {source}; remove it, or let the server's user do so", path.display())]
    Marker {
        /// The file.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// The client port cannot be listened on.
    #[error("cannot listen on client port {address}: {source}; {remedy}")]
    Bind {
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
        /// What to do.
        remedy: &'static str,
    },
    /// The port for Prometheus cannot be listened on.
    #[error(
        "cannot listen on metricsProvider.httpPort {port} of metricsProvider.httpHost {host}: {source}; name a \
         free port and an address of this host"
    )]
    BindMetrics {
        /// As the configuration names it.
        host: String,
        /// The port.
        port: u16,
        /// Why not.
        source: io::Error,
    },
    /// A port for other servers cannot be listened on.
    #[error(
        "cannot listen on {address}, the {service} port in the line server.{me}: {source}; {remedy}"
    )]
    BindPeer {
        /// Election or quorum.
        service: &'static str,
        /// This server.
        me: ServerId,
        /// Where.
        address: SocketAddr,
        /// Why not.
        source: io::Error,
        /// What to do.
        remedy: &'static str,
    },
    /// The name of the client address has no address.
    #[error("clientPortAddress={name} has no address: {source}; name an address of this host")]
    Resolve {
        /// The name.
        name: String,
        /// Why not.
        source: io::Error,
    },
    /// The data is of another ensemble than that of the other members.
    #[error(
        "this server's data is of ensemble {ours}, as {} says, but server.{from} and a quorum with it are \
         ensemble {theirs}: check that the right volume is mounted and that the server lines name the right \
         servers; if the data of this server may be replaced by theirs, remove that file and start it again",
        path.display()
    )]
    Foreign {
        /// The file.
        path: PathBuf,
        /// What it says.
        ours: EnsembleId,
        /// What the others are.
        theirs: EnsembleId,
        /// Who said so.
        from: ServerId,
    },
    /// The event loop cannot be made.
    #[error("the event loop cannot be made: {0}")]
    Runtime(#[source] io::Error),
    /// The log's thread ended without a word.
    #[error("the thread of the txn log ended; what it had not written was never acknowledged")]
    LogThread,
}

impl Error {
    /// The exit code, as Java's `ExitCode` numbers them; 20 is none of those.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Config(errors) => errors.exit_code(),
            Self::Unsupported { .. } | Self::Resolve { .. } => 2,
            Self::Storage(error) => error.exit_code(),
            Self::Marker { .. } => 3,
            Self::Foreign { .. } => 20,
            Self::Bind { .. }
            | Self::BindPeer { .. }
            | Self::BindMetrics { .. }
            | Self::Runtime(_)
            | Self::LogThread => 1,
        }
    }
}
