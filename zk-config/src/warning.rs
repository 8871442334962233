//! What an operator should hear about a configuration that is taken all the same.
//!
//! A [`Warning`] prints as one line that names the place and the key. Where the Java server logs
//! a phrase for the case, it stands in the line.

use std::fmt;

use crate::error::{Origin, one_line};
use crate::server_spec::{Role, ServerId};

/// One remark, with its place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Warning {
    /// Where the key stands; line 0 where it stands nowhere.
    pub at: Origin,
    /// The key as written.
    pub key: String,
    /// What there is to say.
    pub caution: Caution,
}

impl fmt::Display for Warning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&one_line(&format!("{}: {}: {}", self.at, self.key, self.caution)))
    }
}

/// What there is to say about a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Caution {
    /// Nobody knows the key.
    Unknown {
        /// The known key it resembles.
        hint: Option<String>,
    },
    /// Java knows the key, this server does nothing with it.
    NotYet,
    /// There is nothing in this server that the key could tune. A note, not a warning.
    NoEffect,
    /// The manual prints a name that Java does not read.
    ManualName {
        /// The name that is read.
        real: &'static str,
    },
    /// A key of the file was given as a system property.
    FileOnly,
    /// A later line sets the key again. A note, not a warning.
    SetAgain {
        /// The line that counts.
        by: Origin,
    },
    /// The value cannot be read and the default counts.
    Fallback {
        /// The text.
        value: String,
        /// The default.
        default: &'static str,
    },
    /// A boolean that does not mean what it seems to.
    Misread {
        /// The text.
        value: String,
        /// What it means.
        means: bool,
    },
    /// The value is outside of what makes sense and another one is used.
    Replaced {
        /// The text.
        value: String,
        /// What counts instead.
        used: String,
        /// The limit.
        why: &'static str,
    },
    /// The value is taken although it is hardly meant.
    Odd {
        /// The text.
        value: String,
        /// What follows from it.
        why: &'static str,
    },
    /// A path that depends on the working directory.
    RelativePath {
        /// The path.
        path: String,
    },
    /// No client can reach the server.
    NoClientPort,
    /// A class that no authentication provider is known by.
    NoSuchProvider {
        /// The class.
        class: String,
    },
    /// A number outside of the documented range.
    ServerIdRange {
        /// The number.
        id: ServerId,
    },
    /// Two members listen at one place.
    SharedPort {
        /// The other member.
        other: ServerId,
        /// The place.
        address: String,
    },
    /// One `server.N` line is no ensemble.
    OneServer,
    /// Up to two voters.
    NoFailureTolerated,
    /// An even number of voters.
    EvenVoters {
        /// Their number.
        voters: usize,
    },
    /// `peerType` and the member list disagree.
    PeerType {
        /// What the list says; it counts.
        list: Role,
        /// What the key says.
        key: Role,
    },
    /// `myid` has blanks or a carriage return that Java refuses.
    MyIdBlanks,
}

impl Caution {
    /// Whether this is for the debug log only.
    pub fn is_note(&self) -> bool {
        matches!(self, Self::NoEffect | Self::SetAgain { .. })
    }
}

impl fmt::Display for Caution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Unknown { hint: None } => f.write_str("unknown key, no effect"),
            Self::Unknown { hint: Some(hint) } => {
                write!(f, "unknown key, no effect; did you mean {hint}?")
            }
            Self::NotYet => f.write_str("known to Java, not supported yet"),
            Self::NoEffect => f.write_str("no effect in this server"),
            Self::ManualName { real } => {
                write!(f, "documentation name, taken as {real}; Java ignores it, write {real}")
            }
            Self::FileOnly => {
                f.write_str("ignored, it is no system property; set it in the configuration file")
            }
            Self::SetAgain { by } => write!(f, "set again at {by}, which counts"),
            Self::Fallback { value, default } => write!(
                f,
                "cannot read {value:?}, using {}",
                if default.is_empty() { "none" } else { default }
            ),
            Self::Misread { value, means } => {
                write!(f, "{value:?} means {means} here, as in Java; write {means} to say so")
            }
            Self::Replaced { value, used, why } => write!(f, "{value} becomes {used}: {why}"),
            Self::Odd { value, why } => write!(f, "{value:?}: {why}"),
            Self::RelativePath { path } => {
                write!(f, "{path} is relative. Prepend ./ to indicate that you're sure!")
            }
            Self::NoClientPort => f.write_str("clientPort is not set, no client can connect"),
            Self::NoSuchProvider { class } => {
                write!(f, "Problems loading {class}, no such authentication provider")
            }
            Self::ServerIdRange { id } => write!(f, "{id} is outside of 1 to 255"),
            Self::SharedPort { other, address } => {
                write!(f, "{address} is also an address of server.{other}")
            }
            Self::OneServer => {
                f.write_str("Invalid configuration, only one server specified (ignoring)")
            }
            Self::NoFailureTolerated => {
                f.write_str("No server failure will be tolerated. You need at least 3 servers.")
            }
            Self::EvenVoters { voters } => write!(
                f,
                "Non-optimal configuration, consider an odd number of servers. There are {voters}"
            ),
            Self::PeerType { list, key } => write!(
                f,
                "Peer type from servers list ({list}) doesn't match peerType ({key}). Defaulting \
                 to servers list."
            ),
            Self::MyIdBlanks => {
                f.write_str("blanks around the number are passed over; Java refuses them")
            }
        }
    }
}
