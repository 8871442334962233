//! Why the members of an ensemble, or this server's place among them, are refused.
//!
//! As in [`crate::Error`], messages keep the phrases of the Java server.

use crate::error::Origin;
use crate::server_spec::{ServerId, SpecError};

/// One fault of `server.N`, `group.N` and `weight.N` lines, of `myid`, or of what follows from
/// them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    /// A `server.N` line cannot be read.
    #[error("{at}: {key}: {fault}")]
    Server {
        /// The place.
        at: Origin,
        /// The key.
        key: String,
        /// What is wrong with it.
        #[source]
        fault: SpecError,
    },
    /// Several addresses where one is allowed.
    #[error(
        "{at}: {key}: Multiple address feature is disabled, but multiple addresses were specified \
         for sid {id}; set multiAddress.enabled=true to allow {value}"
    )]
    MultiAddressDisabled {
        /// The place.
        at: Origin,
        /// The key.
        key: String,
        /// The server.
        id: ServerId,
        /// The line's value.
        value: String,
    },
    /// A member stands in the static file although there is a dynamic one.
    #[error("{at}: parameter: {key} must be in a separate dynamic config file, which is {dynamic}")]
    MemberInStaticFile {
        /// The place.
        at: Origin,
        /// The key.
        key: String,
        /// The dynamic file.
        dynamic: String,
    },
    /// A key that has no place in a dynamic file.
    #[error("{at}: Unrecognised parameter: {key}; allowed: server.N, group.N, weight.N")]
    NotAMember {
        /// The place.
        at: Origin,
        /// The key.
        key: String,
    },
    /// The version of a dynamic file is the suffix of its name.
    #[error(
        "{at}: dynamic file shouldn't have version inside; drop version={value}, the file name \
         ends in it"
    )]
    VersionInside {
        /// The place.
        at: Origin,
        /// The version.
        value: String,
    },
    /// A version is no hexadecimal number.
    #[error("{at}: version: For input string: \"{value}\"; allowed: a hexadecimal number")]
    Version {
        /// The place.
        at: Origin,
        /// The text.
        value: String,
    },
    /// A server is in two groups.
    #[error(
        "{at}: {key}: Server {id}is in multiple groups; it may stand in one, {value} repeats it"
    )]
    ManyGroups {
        /// The place of the second group.
        at: Origin,
        /// The second group.
        key: String,
        /// Its members.
        value: String,
        /// The server.
        id: ServerId,
    },
    /// There are groups or weights, and a voter is in no group.
    #[error("{at}: server.{id}: Server {id}is not in a group; name it in a group.N line")]
    NoGroup {
        /// The place of the server.
        at: Origin,
        /// The server.
        id: ServerId,
    },
    /// A group counts the votes of a server that has none.
    #[error(
        "{at}: {key}: server {id} is in the group and is no participant; add server.{id} or drop it \
         from {value}"
    )]
    NoVoter {
        /// The place of the group.
        at: Origin,
        /// The group.
        key: String,
        /// Its members.
        value: String,
        /// The server.
        id: ServerId,
    },
    /// An ensemble is asked for and there is none.
    #[error(
        "{at}: standaloneEnabled = false then number of participants should be >0; add server.N \
         lines"
    )]
    NoParticipants {
        /// The place.
        at: Origin,
    },
    /// Observers only.
    #[error(
        "{at}: server.{id}: Observers w/o participants is an invalid configuration; at least one \
         server.N must be a participant"
    )]
    ObserversOnly {
        /// The place of an observer.
        at: Origin,
        /// An observer.
        id: ServerId,
    },
    /// Observers of one voter that runs standalone.
    #[error(
        "{at}: server.{id}: Observers w/o quorum is an invalid configuration; set \
         standaloneEnabled=false to have one participant with observers"
    )]
    ObserversWithoutQuorum {
        /// The place of an observer.
        at: Origin,
        /// An observer.
        id: ServerId,
    },
    /// `myid` holds no number.
    #[error(
        "{at}: serverid {value} is not a number; its first line must be the N of a server.N line"
    )]
    MyIdNotANumber {
        /// The file.
        at: Origin,
        /// Its first line, `null` for none.
        value: String,
    },
    /// There is no `myid`.
    #[error("{at}: myid file is missing; it must hold the N of this server's server.N line")]
    MyIdMissing {
        /// The file.
        at: Origin,
    },
    /// `myid` names no member.
    #[error("{at}: My id {id} not in the peer list; the members are {members}")]
    MyIdNotAMember {
        /// The file.
        at: Origin,
        /// The number.
        id: ServerId,
        /// The numbers of the members.
        members: String,
    },
    /// A number too large for TTL nodes.
    #[error(
        "{at}: extendedTypesEnabled is true but Server ID is too large. Cannot be larger than 254: \
         server.{id}"
    )]
    ServerIdTooLarge {
        /// The place of `extendedTypesEnabled`.
        at: Origin,
        /// The number.
        id: ServerId,
    },
    /// `clientPort` contradicts the client part of the own line.
    #[error(
        "{at}: client address for this server (id = {id}) in static config file is {fixed} is \
         different from client address found in dynamic file: {listed}; drop clientPort or make \
         them equal"
    )]
    ClientAddresses {
        /// The place of `clientPort`.
        at: Origin,
        /// This server.
        id: ServerId,
        /// The address of `clientPort` and `clientPortAddress`.
        fixed: String,
        /// The address of the `server.N` line.
        listed: String,
    },
}

impl MemberError {
    /// The exit code of a server that stops for this fault, as Java's.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::MyIdNotAMember { .. } | Self::ServerIdTooLarge { .. } => 1,
            Self::Server { .. }
            | Self::MultiAddressDisabled { .. }
            | Self::MemberInStaticFile { .. }
            | Self::NotAMember { .. }
            | Self::VersionInside { .. }
            | Self::Version { .. }
            | Self::ManyGroups { .. }
            | Self::NoGroup { .. }
            | Self::NoVoter { .. }
            | Self::NoParticipants { .. }
            | Self::ObserversOnly { .. }
            | Self::ObserversWithoutQuorum { .. }
            | Self::MyIdNotANumber { .. }
            | Self::MyIdMissing { .. }
            | Self::ClientAddresses { .. } => 2,
        }
    }
}
