//! Why there is no server, in all, and the exit code that says which kind of reason it is.
//!
//! The codes are told by `--help` and in the guide for operators; those of Java's server, which this process
//! becomes, are not taken for anything else.

use std::fmt;
use std::io;
use std::path::PathBuf;

use nix::errno::Errno;

use crate::cluster::NoWish;
use crate::entry::problem::EntryProblem;
use crate::problem::Problem;

/// A file could not be written after all, or the server could not be started.
pub const EXIT_FAILED: u8 = 1;
/// The flags, the variables or zoo.cfg make no sense.
pub const EXIT_PROBLEM: u8 = 2;
/// A directory cannot be created or written, as with the Java server.
pub const EXIT_DIRECTORY: u8 = 3;
/// The container's memory limit is below what the server needs.
pub const EXIT_MEMORY: u8 = 5;
/// The volume is that of another server, or has its data in another place.
pub const EXIT_VOLUME: u8 = 6;
/// This host's name does not say which server this is.
pub const EXIT_IDENTITY: u8 = 7;
/// This server is none of the ensemble's.
pub const EXIT_MEMBERS: u8 = 8;
/// No name server answered within `--dns_wait`.
pub const EXIT_NAMES: u8 = 9;
/// SIGINT came while names were waited for.
pub const EXIT_INTERRUPTED: u8 = 130;
/// SIGTERM came while names were waited for.
pub const EXIT_TERMINATED: u8 = 143;

/// Why there is no server, in all.
#[derive(Debug, thiserror::Error)]
pub enum Failure {
    /// Nothing was written.
    #[error("{}", Lines(.0))]
    Problems(Vec<Problem>),
    /// A write failed although everything looked well.
    #[error("cannot {action} {path}: {source}", path = .path.display())]
    Write {
        /// What was tried.
        action: &'static str,
        /// With what.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The standard output or error is gone.
    #[error("cannot print: {0}")]
    Print(#[from] io::Error),
    /// The event loop for resolving names could not be had.
    #[error("cannot resolve names: {0}")]
    Names(io::Error),
    /// Nobody knows whether this pod goes for good; it stays a member.
    #[error("not marked as leaving: {0}")]
    Wish(#[from] NoWish),
    /// The system refused to run the server.
    #[error("cannot start {server}: {source}", server = .server.display())]
    Exec {
        /// The server's program.
        server: PathBuf,
        /// What the system said.
        source: Errno,
    },
    /// A signal ended the wait for names.
    #[error("stopped by a signal while waiting for names")]
    Stopped {
        /// 128 and the signal's number.
        exit_code: u8,
    },
}

impl Failure {
    /// The exit code of the process.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Problems(problems) => {
                let mut codes = problems.iter().map(Problem::exit_code);
                let first = codes.next().unwrap_or(EXIT_PROBLEM);
                if codes.all(|code| code == first) { first } else { EXIT_PROBLEM }
            }
            Self::Write { .. }
            | Self::Print(_)
            | Self::Names(_)
            | Self::Wish(_)
            | Self::Exec { .. } => EXIT_FAILED,
            Self::Stopped { exit_code } => *exit_code,
        }
    }
}

struct Lines<'a>(&'a [Problem]);

impl fmt::Display for Lines<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, problem) in self.0.iter().enumerate() {
            let line = problem.to_string().replace(['\n', '\r'], " ");
            write!(f, "{}{line}", if at == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl Problem {
    /// What the process ends with if there is no other problem.
    fn exit_code(&self) -> u8 {
        match self {
            Self::Access { .. } => EXIT_DIRECTORY,
            Self::Memory { .. } => EXIT_MEMORY,
            Self::MyidOfAnother { .. }
            | Self::MyidGarbage { .. }
            | Self::LogsElsewhere { .. }
            | Self::DataElsewhere { .. }
            | Self::DataTwice { .. }
            | Self::Entry(EntryProblem::TwoVolumes { .. } | EntryProblem::NoSuchMember { .. }) => {
                EXIT_VOLUME
            }
            Self::HostName(_)
            | Self::NoOrdinal { .. }
            | Self::NoDomain { .. }
            | Self::Entry(EntryProblem::NoOrdinal { .. }) => EXIT_IDENTITY,
            Self::OrdinalOutside { .. } | Self::NotAMember { .. } => EXIT_MEMBERS,
            Self::NoNameServer { .. } => EXIT_NAMES,
            Self::Number { .. }
            | Self::Heap { .. }
            | Self::LogLevel { .. }
            | Self::Path { .. }
            | Self::ClientAddr { .. }
            | Self::Advertised { .. }
            | Self::AdvertisedOfOne
            | Self::Domain { .. }
            | Self::Name { .. }
            | Self::Set { .. }
            | Self::TooManyMembers { .. }
            | Self::ObserversOfOne { .. }
            | Self::ScalableOne
            | Self::ScalableObservers { .. }
            | Self::SamePort { .. }
            | Self::SessionTimeouts { .. }
            | Self::Unreadable { .. }
            | Self::Template { .. }
            | Self::Config(_)
            | Self::KeptMembers { .. }
            | Self::ForeignConfig { .. }
            | Self::MyidUnreadable { .. }
            | Self::Entry(_)
            | Self::NoServer { .. }
            | Self::ServerBin { .. }
            | Self::ZeroByte => EXIT_PROBLEM,
        }
    }
}
