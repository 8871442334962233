//! Why a configuration is refused.
//!
//! Each message names the place, the key, the value and what is allowed, and keeps the phrase
//! that the Java server logs for the same fault, so that known answers are found by it.
//!
//! Invariant: no variant holds the value of a secret key.

use std::fmt;
use std::io;
use std::path::PathBuf;

use crate::member_error::MemberError;

/// Where a setting comes from.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Origin {
    /// The file as it was named, or `-D` and the name of a system property.
    pub file: String,
    /// The line from 1; 0 for a setting that stands on no line.
    pub line: u32,
}

impl Origin {
    /// The file as a whole.
    pub fn file(file: &str) -> Self {
        Self { file: file.to_owned(), line: 0 }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => f.write_str(&self.file),
            line => write!(f, "{}:{line}", self.file),
        }
    }
}

/// Every fault of a configuration, in the order in which they were found.
#[derive(Debug)]
pub struct Errors(pub Vec<Error>);

impl Errors {
    /// The exit code of a server that was given this configuration.
    ///
    /// Java stops at the first fault, and checks what ends in 2 before what ends in 1.
    pub fn exit_code(&self) -> u8 {
        self.0.iter().map(Error::exit_code).max().unwrap_or(2)
    }
}

/// One line for each fault.
impl fmt::Display for Errors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            let error = one_line(&error.to_string());
            write!(f, "{}{error}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

impl std::error::Error for Errors {}

impl From<Error> for Errors {
    fn from(error: Error) -> Self {
        Self(vec![error])
    }
}

/// One fault of a configuration.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// A file does not exist.
    #[error("{} file is missing; {remedy}", .path.display())]
    FileMissing {
        /// The file.
        path: PathBuf,
        /// What to do about it.
        remedy: &'static str,
    },
    /// A file cannot be read.
    #[error(
        "Error processing {}: {source}; it must be a file that this user may read",
        .path.display()
    )]
    FileUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// A file is larger than any configuration.
    #[error(
        "Error processing {}: more than {limit} bytes, no configuration is that large",
        .path.display()
    )]
    FileTooLarge {
        /// The file.
        path: PathBuf,
        /// The size that is read at most.
        limit: u64,
    },
    /// A `\u` is not followed by four hex digits.
    #[error(
        "{at}: {key}: Malformed \\uxxxx encoding; allowed: \\u and four hex digits, \\\\ for a \
         backslash"
    )]
    Escape {
        /// The place.
        at: Origin,
        /// The key as written; the value may be a secret.
        key: String,
    },
    /// A key that must be there is not, or has a value that counts as none.
    #[error("{at}: {key} is not set; {remedy}")]
    NotSet {
        /// The place.
        at: Origin,
        /// The key.
        key: &'static str,
        /// What to write.
        remedy: &'static str,
    },
    /// A whole number is expected.
    #[error("{at}: {key}: For input string: \"{value}\"; allowed: {allowed}")]
    NotANumber {
        /// The place.
        at: Origin,
        /// The key.
        key: String,
        /// The text.
        value: String,
        /// What is allowed.
        allowed: &'static str,
    },
    /// A number with a fraction is expected.
    #[error("{at}: {key}: For input string: \"{value}\"; allowed: a decimal number")]
    NotADouble {
        /// The place.
        at: Origin,
        /// The key.
        key: String,
        /// The text.
        value: String,
    },
    /// A port is too large or negative.
    #[error("{at}: {key}: port out of range:{value}; allowed: 0 to 65535")]
    PortOutOfRange {
        /// The place.
        at: Origin,
        /// The key.
        key: String,
        /// The number.
        value: i64,
    },
    /// A boolean is expected.
    #[error("{at}: Invalid option {value} for {key}. Choose 'true' or 'false.'")]
    NotABoolean {
        /// The place.
        at: Origin,
        /// The key.
        key: String,
        /// The text.
        value: String,
    },
    /// The value is none of a list.
    #[error("{at}: {key}: {value:?} is none of the allowed: {}", .allowed.join(", "))]
    NotAllowed {
        /// The place.
        at: Origin,
        /// The key.
        key: String,
        /// The text.
        value: String,
        /// The list.
        allowed: &'static [&'static str],
    },
    /// A number is too small for its key.
    #[error("{at}: {key} must be at least {min}, was {value}")]
    TooSmall {
        /// The place.
        at: Origin,
        /// The key.
        key: &'static str,
        /// The number.
        value: i64,
        /// The limit.
        min: i64,
    },
    /// `tickTime` is negative; Java notices at the limits derived from it.
    #[error(
        "{at}: tickTime={value}: minSessionTimeout must not be larger than maxSessionTimeout; \
         allowed: 1 to 2147483647 milliseconds"
    )]
    NegativeTickTime {
        /// The place.
        at: Origin,
        /// The number.
        value: i32,
    },
    /// The limits of session timeouts cross.
    #[error(
        "{at}: {key}: minSessionTimeout must not be larger than maxSessionTimeout; they are {min} \
         and {max} ms, and by default 2 and 20 times tickTime"
    )]
    SessionTimeouts {
        /// The place of the limit that is set.
        at: Origin,
        /// The limit that is set.
        key: &'static str,
        /// The lower limit.
        min: i64,
        /// The upper limit.
        max: i64,
    },
    /// A bind address has no port.
    #[error("{at}: {key} is set but {port_key} is not set; set {port_key} or drop {key}={value}")]
    AddressWithoutPort {
        /// The place.
        at: Origin,
        /// The key of the address.
        key: &'static str,
        /// The address.
        value: String,
        /// The key of the port.
        port_key: &'static str,
    },
    /// `peerType` is neither role.
    #[error("{at}: peerType: Unrecognised peertype: {value}; allowed: participant, observer")]
    PeerType {
        /// The place.
        at: Origin,
        /// The text.
        value: String,
    },
    /// An election algorithm of ZooKeeper 3.4.
    #[error("{at}: electionAlg={value}: Invalid electionAlg value. Only 3 is supported.")]
    ElectionAlg {
        /// The place.
        at: Origin,
        /// The number.
        value: i32,
    },
    /// A metrics provider that does not exist here.
    #[error(
        "{at}: {key}: metrics provider class was not found: {value}; allowed: {}",
        .allowed.join(", ")
    )]
    MetricsProvider {
        /// The place.
        at: Origin,
        /// The key.
        key: String,
        /// The class.
        value: String,
        /// The known classes.
        allowed: &'static [&'static str],
    },
    /// A class that does not exist here.
    #[error("{at}: {key}: Couldn't instantiate {value}; allowed: {}", .allowed.join(", "))]
    Class {
        /// The place.
        at: Origin,
        /// The key.
        key: String,
        /// The class.
        value: String,
        /// The known classes.
        allowed: &'static [&'static str],
    },
    /// A digest algorithm that does not exist here.
    #[error(
        "{at}: {key}: don't support this ACL digest algorithm: {value} in the current environment; \
         allowed: {}",
        .allowed.join(", ")
    )]
    DigestAlgorithm {
        /// The place.
        at: Origin,
        /// The key.
        key: String,
        /// The name.
        value: String,
        /// The known names.
        allowed: &'static [&'static str],
    },
    /// A key whose value is Java code.
    #[error("{at}: {key}: {value} is a Java class and cannot be loaded; drop the key")]
    JavaOnly {
        /// The place.
        at: Origin,
        /// The key.
        key: String,
        /// The class.
        value: String,
    },
    /// Nobody knows the key, and `config.strict` asks for more.
    #[error("{at}: {key} is no known key{}", hint_text(.hint.as_deref()))]
    UnknownKey {
        /// The place.
        at: Origin,
        /// The key.
        key: String,
        /// The known key it resembles.
        hint: Option<String>,
    },
    /// Quorum SASL switches that need others.
    #[error("{at}: {needed} is disabled, so cannot enable {key}; set {needed}=true first")]
    QuorumSasl {
        /// The place.
        at: Origin,
        /// The switch that is on.
        key: &'static str,
        /// The switch that is off.
        needed: &'static str,
    },
    /// Authentication is required, by no scheme.
    #[error(
        "{at}: zookeeper.enforce.auth.enabled is true zookeeper.enforce.auth.schemes must be  \
         configured.; set enforce.auth.schemes to a list such as digest"
    )]
    NoSchemes {
        /// The place.
        at: Origin,
    },
    /// Authentication is required by a scheme that nothing provides.
    #[error(
        "{at}: {key}: Authentication scheme {scheme} is not available.; available: {available}, \
         others need an authProvider.N"
    )]
    NoSuchScheme {
        /// The place.
        at: Origin,
        /// The key that asks for it.
        key: &'static str,
        /// The scheme.
        scheme: String,
        /// What there is.
        available: String,
    },
    /// TLS clients are authenticated by a scheme that nothing provides.
    #[error(
        "{at}: No auth provider configured for the SSL authentication scheme '{scheme}'.; allowed: \
         x509, or a scheme with an authProvider.N"
    )]
    NoSslProvider {
        /// The place.
        at: Origin,
        /// The scheme.
        scheme: String,
    },
    /// The member table, or this server's place in it.
    #[error(transparent)]
    Member(#[from] MemberError),
}

impl Error {
    /// The exit code of a server that stops for this fault, as Java's.
    ///
    /// 2 for a configuration that cannot be read, 1 for what Java finds out while it starts.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::NotADouble { .. }
            | Self::TooSmall { .. }
            | Self::Class { .. }
            | Self::DigestAlgorithm { .. } => 1,
            Self::Member(error) => error.exit_code(),
            Self::FileMissing { .. }
            | Self::FileUnreadable { .. }
            | Self::FileTooLarge { .. }
            | Self::Escape { .. }
            | Self::NotSet { .. }
            | Self::NotANumber { .. }
            | Self::PortOutOfRange { .. }
            | Self::NotABoolean { .. }
            | Self::NotAllowed { .. }
            | Self::NegativeTickTime { .. }
            | Self::SessionTimeouts { .. }
            | Self::AddressWithoutPort { .. }
            | Self::PeerType { .. }
            | Self::ElectionAlg { .. }
            | Self::MetricsProvider { .. }
            | Self::JavaOnly { .. }
            | Self::UnknownKey { .. }
            | Self::QuorumSasl { .. }
            | Self::NoSchemes { .. }
            | Self::NoSuchScheme { .. }
            | Self::NoSslProvider { .. } => 2,
        }
    }
}

/// What is allowed where a number of 32 bits is expected.
pub(crate) const INT: &str = "a whole decimal number of 32 bits";
/// What is allowed where a number of 64 bits is expected.
pub(crate) const LONG: &str = "a whole decimal number of 64 bits";
/// What is allowed where a port is expected.
pub(crate) const PORT: &str = "a port from 0 to 65535";

/// Values may hold any character; what is printed stays on its line.
pub(crate) fn one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { line.extend(c.escape_default()) } else { line.push(c) }
    }
    line
}

fn hint_text(hint: Option<&str>) -> String {
    hint.map_or_else(
        || "; drop it or set config.strict=false".to_owned(),
        |hint| format!("; did you mean {hint}?"),
    )
}
