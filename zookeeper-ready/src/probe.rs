//! What `zookeeper-ready` decides: which answers mean yes in which mode.
//!
//! Invariants
//! - Every mode works whatever words are whitelisted: `srvr` always is.
//! - The default mode says yes where the old script did: `ruok` gets exactly `imok`.

use crate::answer;
use crate::conversation::{Conversation, NoAnswer};

/// What is to be found out.
#[derive(Clone, Copy, Debug, PartialEq, clap::ValueEnum)]
pub enum Mode {
    /// As the old script: `ruok` is answered `imok`, with or without a quorum
    Ok,
    /// The server's loop and the thread of its log turn, in whatever state it is
    Live,
    /// The server serves clients: leader, follower, observer or standalone
    Ready,
    /// The server is part of a working quorum; read-only never counts
    Quorum,
    /// The others are a quorum without this server, so that it may be stopped
    SafeToStop,
    /// Prints what the server waits for, what the other members are, and what to look at
    WhyNotReady,
}

/// Why the answer is no.
#[derive(Debug, thiserror::Error)]
pub enum NotReady {
    /// There is no answer to judge.
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    /// There is no answer in time.
    #[error("{0}; its loop or the thread of its txn log hangs")]
    Hung(NoAnswer),
    /// It loads, and reads nothing.
    #[error("server is starting, and {told}: does the disk of its data hang? (loading.stallLimit)")]
    Stalled {
        /// What it says of that.
        told: String,
    },
    /// The connection was closed without a byte.
    #[error(
        "connection closed without an answer to {word}: \
         is this the plain client port, and is maxClientCnxns large enough?"
    )]
    Empty {
        /// The word that was sent.
        word: &'static str,
    },
    /// Something else than the protocol has.
    #[error("unexpected answer to {word}: {excerpt}")]
    Unexpected {
        /// The word that was sent.
        word: &'static str,
        /// The answer's beginning.
        excerpt: String,
    },
    /// The process is up, but has no quorum or is still loading.
    #[error("server is not serving: it is starting, electing, synchronising or shutting down")]
    NotServing,
    /// Cut off from the quorum, serving reads only.
    #[error("server is read-only: it is cut off from the quorum")]
    ReadOnly,
    /// The word that tells the members is not known there, or not answered to other machines.
    #[error(
        "the server does not tell its members: ask on its own machine, and a server of this project"
    )]
    NotOurs,
    /// A role that no known server has.
    #[error("server has the unknown role {role}")]
    UnknownRole {
        /// What stands behind `Mode:`.
        role: String,
    },
}

/// What can be asked of one server. `allow_read_only` lets a read-only server be ready too.
pub fn is_ready(conversation: &Conversation, allow_read_only: bool) -> Result<(), NotReady> {
    match role(conversation) {
        Err(NotReady::ReadOnly) if allow_read_only => Ok(()),
        role => role.map(drop),
    }
}

/// As the old script: `ruok` is answered `imok`, or would be.
pub fn is_ok(conversation: &Conversation) -> Result<(), NotReady> {
    let answer = conversation.ask("ruok")?;
    if !answer::is_refusal("ruok", &answer) {
        return is_imok(&answer);
    }
    let report = conversation.ask("srvr")?;
    if answer::is_server_report(&report) || answer::is_not_serving(&report) {
        return Ok(());
    }
    Err(unexpected("srvr", &report))
}

/// Any four-letter answer will do, once the thread of the log has taken a turn.
pub fn is_live(conversation: &Conversation) -> Result<(), NotReady> {
    let answer = conversation.ask_with("ruok", LOG_TURN).map_err(|error| match error {
        NoAnswer::TooLate { .. } => NotReady::Hung(error),
        other => other.into(),
    })?;
    if answer.starts_with(STALLED) {
        let told = answer::excerpt(&answer);
        return Err(NotReady::Stalled { told });
    }
    if answer::is_refusal("ruok", &answer) { Ok(()) } else { is_imok(&answer) }
}

/// Our server answers a word with this behind it, or refuses it, once the thread of its log has taken a
/// turn. Others read four bytes and answer at once.
const LOG_TURN: &str = "+log";

/// How our server's answer begins while it loads and nothing has been read for too long.
const STALLED: &str = "loading has not gone on for ";

/// The old script compared what a shell makes of the answer: trailing newlines do not count.
fn is_imok(answer: &str) -> Result<(), NotReady> {
    if answer.trim_end_matches('\n') == "imok" { Ok(()) } else { Err(unexpected("ruok", answer)) }
}

/// What a server is that serves: leader, follower, observer or standalone.
///
/// # Errors
/// It does not, or serves reads only.
pub fn role(conversation: &Conversation) -> Result<String, NotReady> {
    let report = conversation.ask("srvr")?;
    if answer::is_not_serving(&report) {
        return Err(NotReady::NotServing);
    }
    let role = answer::is_server_report(&report).then(|| answer::role(&report)).flatten();
    match role {
        Some(role @ ("leader" | "follower" | "observer" | "standalone")) => Ok(role.to_owned()),
        Some("read-only") => Err(NotReady::ReadOnly),
        Some(role) => Err(NotReady::UnknownRole { role: answer::excerpt(role) }),
        None => Err(unexpected("srvr", &report)),
    }
}

pub(crate) fn unexpected(word: &'static str, answer: &str) -> NotReady {
    if answer.is_empty() {
        return NotReady::Empty { word };
    }
    NotReady::Unexpected { word, excerpt: answer::excerpt(answer) }
}
