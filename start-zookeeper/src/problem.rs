//! Everything that can be against starting a server, each found before anything is written.
//!
//! What goes wrong after that is a [`crate::failure::Failure`], which also knows the exit codes.
//!
//! Invariants
//! - A message is one line that says what is wrong, where, and what to do.
//! - No message holds a secret.

use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;

use crate::entry::problem::EntryProblem;
use crate::volume::Access;

/// What is wrong with a path that a flag gives.
#[derive(Clone, Copy, Debug, PartialEq, thiserror::Error)]
pub enum PathFault {
    /// Nothing there.
    #[error("is empty")]
    Empty,
    /// A line break would end the line in zoo.cfg.
    #[error("has a control character")]
    Control,
    /// zoo.cfg cannot hold it.
    #[error("begins or ends with a blank")]
    Blank,
    /// The working directory is gone.
    #[error("is relative to a working directory that cannot be read")]
    Relative,
}

/// Why a server is not started.
#[derive(Debug, thiserror::Error)]
pub enum Problem {
    // Flags.
    /// Not a number, or too small or large.
    #[error("{flag}={value}: give a whole number from {least} to {most}")]
    Number {
        /// The flag.
        flag: &'static str,
        /// Its text.
        value: String,
        /// Smallest number allowed.
        least: u32,
        /// Largest number allowed.
        most: u32,
    },
    /// Not a size.
    #[error("--heap={value}: give a size such as 512M or 2G, though it is not needed")]
    Heap {
        /// Its text.
        value: String,
    },
    /// Not a level.
    #[error("--log_level={value}: give TRACE, DEBUG, INFO, WARN, ERROR or FATAL")]
    LogLevel {
        /// Its text.
        value: String,
    },
    /// Not a path that zoo.cfg can hold.
    #[error("{flag}={} {fault}: give an absolute path", .value.escape_debug())]
    Path {
        /// The flag.
        flag: &'static str,
        /// Its text.
        value: String,
        /// What is wrong with it.
        fault: PathFault,
    },
    /// Neither an address nor a name.
    #[error("--client_addr={}: give an IP address or a host name", .value.escape_debug())]
    ClientAddr {
        /// Its text.
        value: String,
    },
    /// Not an address for each member.
    #[error(
        "--advertised_client_address={}: {fault}: give host:port with {{ordinal}} in it, such as \
         zk-{{ordinal}}.example.org:2181, or one a member with commas between (not with --scalable)",
        .value.escape_debug()
    )]
    Advertised {
        /// Its text.
        value: String,
        /// What is wrong.
        fault: String,
    },
    /// Only ensembles tell their clients addresses.
    #[error(
        "--advertised_client_address with --servers=1: clients know the address of a lone server, leave it out"
    )]
    AdvertisedOfOne,
    /// Not a DNS name.
    #[error(
        "--domain={}: give a DNS name such as zk-hs.default.svc.cluster.local",
        .value.escape_debug()
    )]
    Domain {
        /// Its text.
        value: String,
    },
    /// Not the name of a member.
    #[error("--name={}: give the name before the dash and the ordinal, such as zk", .value.escape_debug())]
    Name {
        /// Its text.
        value: String,
    },
    /// Not a setting.
    #[error("--set={}: give key=value, such as snapCount=100000", setting(.value))]
    Set {
        /// Its text.
        value: String,
    },
    /// Longer than Java's range of ids.
    #[error("--servers and --observers make {members} members: 255 are possible")]
    TooManyMembers {
        /// Their sum.
        members: u32,
    },
    /// One voter is a standalone server.
    #[error(
        "--observers={observers} with --servers=1: observers need an ensemble, give --servers=3"
    )]
    ObserversOfOne {
        /// The number asked for.
        observers: u32,
    },
    /// It would take itself for the whole ensemble.
    #[error(
        "--scalable with --servers=1: if the only first member lost its volume it would begin a new ensemble \
         beside those that joined it, give --servers=3"
    )]
    ScalableOne,
    /// Whoever joins becomes a voter.
    #[error(
        "--observers={observers} with --scalable: those that join become voters, leave one of the two out"
    )]
    ScalableObservers {
        /// The number asked for.
        observers: u32,
    },
    /// Two listeners on one port.
    #[error("{one} and {other} are both {port}: give different ports")]
    SamePort {
        /// A flag.
        one: &'static str,
        /// Another one.
        other: &'static str,
        /// The port of both.
        port: u32,
    },
    /// No timeout would be possible.
    #[error("--min_session_timeout={min} is larger than --max_session_timeout={max}")]
    SessionTimeouts {
        /// In milliseconds.
        min: u32,
        /// In milliseconds.
        max: u32,
    },

    // This host.
    /// The system has no host name.
    #[error("cannot read the host name: {0}; give --hostname")]
    HostName(Errno),
    /// The host name does not say which member this is.
    #[error(
        "host name {hostname} does not end in a dash and an ordinal, as zk-0 does, so it does not \
         say which of the members this is: run a StatefulSet, or give {missing}"
    )]
    NoOrdinal {
        /// The host name.
        hostname: String,
        /// The flags that would help.
        missing: &'static str,
    },
    /// More replicas than servers.
    #[error(
        "{who} would be server {}, but the ensemble has {members}: the replicas of the StatefulSet \
         and --servers (with --observers) must be the same number",
        .ordinal.saturating_add(1)
    )]
    OrdinalOutside {
        /// Host name or flag.
        who: String,
        /// The ordinal, from 0.
        ordinal: u64,
        /// How many there are.
        members: u32,
    },
    /// Nobody answers, for as long as was to be waited.
    #[error(
        "no name server answered within {waited:?} (asked for {name}, by {}): see that the cluster's DNS runs and \
         may be reached from this pod; without --dns_wait the server starts and goes on asking",
        .resolv_conf.display()
    )]
    NoNameServer {
        /// How long.
        waited: Duration,
        /// One of the names.
        name: String,
        /// Where the name servers stand.
        resolv_conf: PathBuf,
    },
    /// Members have no full names.
    #[error(
        "no domain for the names of the members: neither {} nor {} has one; give --domain, such as \
         --domain=zk-hs.default.svc.cluster.local, or --domain= for names without one",
        .hosts_file.display(), .resolv_conf.display()
    )]
    NoDomain {
        /// Was searched.
        hosts_file: PathBuf,
        /// Was searched too.
        resolv_conf: PathBuf,
    },

    // The configuration.
    /// A file that a flag names.
    #[error("{flag}={}: {source}", .path.display())]
    Unreadable {
        /// The flag.
        flag: &'static str,
        /// Its value.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The template has a mistake.
    #[error("template {}, {}", .path.display(), crate::render::one_line(.source))]
    Template {
        /// Its file.
        path: PathBuf,
        /// What tera said.
        source: tera::Error,
    },
    /// The server would not take this zoo.cfg.
    #[error("{0}")]
    Config(#[from] zk_config::Error),
    /// The members that the server has kept make no sense.
    #[error(
        "the members that the server was told last cannot be read: {why}; with {} away, this host goes \
         by --servers until it hears of the others", .path.display()
    )]
    KeptMembers {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        why: String,
    },
    /// The member list of a template or file lacks this member.
    #[error("{}: no line server.{id}, but {who} is server {id}", .path.display())]
    NotAMember {
        /// The zoo.cfg.
        path: PathBuf,
        /// This server.
        id: i64,
        /// This host.
        who: String,
    },
    /// Somebody else's file.
    #[error(
        "{}: exists and was not written by start-zookeeper; keep it with --config={0}, overwrite \
         it with --force_config, or write elsewhere with --conf_dir",
        .path.display()
    )]
    ForeignConfig {
        /// The zoo.cfg.
        path: PathBuf,
    },

    // The volume.
    /// The volume of another member.
    #[error(
        "{}: holds {found}, but {who} is server {expected}: this is the volume of server {found}\
         {owner}; attach the volume of {who}, nothing was changed", .path.display()
    )]
    MyidOfAnother {
        /// The file.
        path: PathBuf,
        /// What it says.
        found: i64,
        /// What this server is.
        expected: i64,
        /// This host.
        who: String,
        /// The other one's name in brackets, if it is known.
        owner: String,
    },
    /// Cut off, or never an id.
    #[error(
        "{}: holds \"{}\" and not the number of a server; if this is the volume of {who}, write \
         {expected} into it", .path.display(), .content.escape_debug()
    )]
    MyidGarbage {
        /// The file.
        path: PathBuf,
        /// What it says, cut short.
        content: String,
        /// What this server is.
        expected: i64,
        /// This host.
        who: String,
    },
    /// There, but not to be read.
    #[error("{}: {source}", .path.display())]
    MyidUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The log is in the other default place.
    #[error(
        "{}: has the newest transaction log (log.{newest:x}), {}: starting in {} would lose what is \
         in it; give --data_log_dir={0}, or move the files",
        .other.display(), older(*.own), .chosen.display()
    )]
    LogsElsewhere {
        /// Where logs are.
        other: PathBuf,
        /// First zxid of the newest.
        newest: u64,
        /// Where they should be.
        chosen: PathBuf,
        /// First zxid of the newest log there, if there is one.
        own: Option<u64>,
    },
    /// Another image's server has run on what is mounted.
    #[error(
        "{}: has data of a server, but --data_dir is {}: give --data_dir={0} (with --data_log_dir), or mount that \
         volume where --data_dir is",
        .other.display(), .chosen.display()
    )]
    DataElsewhere {
        /// Where data are.
        other: PathBuf,
        /// Where they should be.
        chosen: PathBuf,
    },
    /// Two servers have run on what is mounted.
    #[error(
        "{} and {} both have data: mount one of them only",
        .chosen.display(), .other.display()
    )]
    DataTwice {
        /// Where data are too.
        other: PathBuf,
        /// Where they should be.
        chosen: PathBuf,
    },
    /// Nothing can be written there.
    #[error(
        "{}: cannot be written ({source}): {access}; give the pod `securityContext: {{fsGroup: {}}}`, \
         or the directory another owner or mode", .path.display(), .access.group()
    )]
    Access {
        /// The directory, or the one above that would have to hold it.
        path: PathBuf,
        /// What the system said.
        source: Errno,
        /// Whose it is, and who wants to write.
        access: Access,
    },

    /// The kernel would kill the server without a word.
    #[error(
        "the container's memory limit of {limit} is too small: the newest snapshot has {snapshot}, so the server \
         needs {least} at the very least: raise resources.limits.memory, or --memory of docker run"
    )]
    Memory {
        /// What the container may have.
        limit: String,
        /// What it cannot do without.
        least: String,
        /// What is on the volume.
        snapshot: String,
    },

    // Other images' entry points.
    /// A variable or a volume.
    #[error("{0}")]
    Entry(#[from] EntryProblem),

    // The server.
    /// No program to run.
    #[error(
        "no zookeeper-server beside start-zookeeper ({}) or in PATH: install it, or give \
         --server_bin", .beside.display()
    )]
    NoServer {
        /// The place beside this program.
        beside: PathBuf,
    },
    /// `--server_bin` is nothing that runs.
    #[error("--server_bin={}: cannot be run: {source}", .path.display())]
    ServerBin {
        /// Its value.
        path: PathBuf,
        /// What the system said.
        source: Errno,
    },
    /// A byte that ends a C string.
    #[error("an argument of the server has a zero byte")]
    ZeroByte,
}

impl Problem {
    /// For `map_err`.
    pub(crate) fn unreadable(flag: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        move |source| Self::Unreadable { flag, path, source }
    }
}

fn older(own: Option<u64>) -> String {
    own.map_or_else(
        || "the chosen place has none".to_owned(),
        |own| format!("newer than log.{own:x} of the chosen place"),
    )
}

/// A setting that cannot be read as one may still hold a password.
fn setting(text: &str) -> String {
    let key = text.split_once('=').map_or(text, |(key, _)| key);
    let value = if text.contains('=') { "=..." } else { "" };
    format!("{}{value}", key.escape_debug())
}
