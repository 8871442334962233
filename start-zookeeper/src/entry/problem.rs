//! What can be wrong with the variables and volumes that a container is started with.
//!
//! Invariant: no message holds a variable's value if that may be a secret.

use std::io;
use std::path::PathBuf;

use nix::errno::Errno;

/// Why the entry point starts no server.
#[derive(Debug, thiserror::Error)]
pub enum EntryProblem {
    /// A value and a file for it.
    #[error("{name} and {variable} are both set: give one of them")]
    TwoSources {
        /// The variable.
        name: String,
        /// That of its file.
        variable: String,
    },
    /// A file that a variable names.
    #[error("{variable}={}: {source}", .path.display())]
    SecretFile {
        /// The variable.
        variable: String,
        /// Its value.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// Two images' variables contradict each other.
    #[error(
        "{one} is a variable of {one_image}, {other} one of {other_image}: give those of one image"
    )]
    TwoFamilies {
        /// A variable.
        one: String,
        /// Whose it is.
        one_image: &'static str,
        /// Another one.
        other: String,
        /// Whose that is.
        other_image: &'static str,
    },
    /// A line of zoo.cfg cannot hold it.
    #[error("{variable}: its value has a line break or another control character")]
    Control {
        /// The variable.
        variable: String,
    },
    /// Neither yes nor no.
    #[error("{variable}={value}: give yes or no")]
    YesNo {
        /// The variable.
        variable: String,
        /// Its value.
        value: String,
    },
    /// A server of a list.
    #[error("{variable}: \"{word}\" is no server, such as {example}")]
    Server {
        /// The variable.
        variable: String,
        /// The word.
        word: String,
        /// One that would be right.
        example: &'static str,
    },
    /// Not an id.
    #[error(
        "{variable}={value}: give the number of this server, or auto for the ordinal of its host name and one"
    )]
    Id {
        /// The variable.
        variable: String,
        /// Its value.
        value: String,
    },
    /// The host name does not say which server this is.
    #[error(
        "{variable}=auto: host name {hostname} does not end in a number, as zk-0 does; give the number itself"
    )]
    NoOrdinal {
        /// The variable.
        variable: String,
        /// The host name.
        hostname: String,
    },
    /// Authentication is asked for that this server cannot do.
    #[error(
        "{variable}: this server has no SASL yet, and does not start without what was asked for; unset it"
    )]
    Sasl {
        /// The variable.
        variable: String,
    },
    /// Data in two places.
    #[error(
        "{} and {} both have data: mount one of them, or say with ZOO_DATA_DIR which is meant",
        .one.display(), .other.display()
    )]
    TwoVolumes {
        /// A data directory.
        one: PathBuf,
        /// Another one.
        other: PathBuf,
    },
    /// The volume is that of a server that the configuration does not have.
    #[error(
        "{}: holds {found}, which is none of the servers in {} ({members}): attach the volume of \
         one of them, or correct the list", .myid.display(), .zoo_cfg.display()
    )]
    NoSuchMember {
        /// The file `myid`.
        myid: PathBuf,
        /// What it says.
        found: i64,
        /// Where the servers are.
        zoo_cfg: PathBuf,
        /// Their ids.
        members: String,
    },
    /// Rights cannot be given up.
    #[error(
        "cannot become uid {uid}, gid {gid}: {source}; give the container the capabilities SETUID \
         and SETGID, or start it as that user"
    )]
    Drop {
        /// The user.
        uid: u32,
        /// The group.
        gid: u32,
        /// What the system said.
        source: Errno,
    },
    /// A word of zkServer.sh that makes no sense in a container.
    #[error(
        "zkServer.sh {command}: give start-foreground, status or version; the container's own life starts and stops its server"
    )]
    Command {
        /// The word.
        command: String,
    },
    /// The program is not there.
    #[error("cannot run {}: {source}", .program)]
    Program {
        /// What was to be run.
        program: String,
        /// What the system said.
        source: Errno,
    },
}
