//! `--mode=safe-to-stop`: whether the ensemble still has a quorum when this member is gone. For scripts that
//! drain a machine, and for people before they delete a pod.
//!
//! What counts is who serves now: a member that is down or still synchronizing is no part of a quorum.
//!
//! Invariant: in doubt the answer is no.

use crate::conversation::Conversation;
use crate::ensemble::{Ensemble, counts};
use crate::probe::NotReady;

/// Why the member must stay.
#[derive(Debug, thiserror::Error)]
pub enum NotSafe {
    /// It cannot say who else there is.
    #[error(transparent)]
    NotKnown(#[from] NotReady),
    /// Nobody else has the data.
    #[error("a standalone server: its clients have no other")]
    Alone,
    /// Who is a quorum depends on groups or weights.
    #[error("the ensemble counts votes by groups or weights: decide by hand")]
    Hierarchical,
    /// Too few would be left.
    #[error(
        "without server.{me} {left} of {voters} voters serve, and a quorum is {quorum}{missing}"
    )]
    NoQuorum {
        /// The member that was asked.
        me: i64,
        /// How many others serve.
        left: usize,
        /// How many vote.
        voters: usize,
        /// How many must.
        quorum: usize,
        /// Those that do not serve, and why.
        missing: String,
    },
}

/// Asks the member, then all others.
///
/// # Errors
/// It must stay, or nobody can say.
pub fn is_safe_to_stop(conversation: &Conversation) -> Result<(), NotSafe> {
    let ensemble = Ensemble::of(conversation)?;
    if ensemble.members.is_empty() {
        return Err(NotSafe::Alone);
    }
    if !ensemble.is_majority {
        return Err(NotSafe::Hierarchical);
    }
    let others = ensemble.others(conversation);
    let left = others.iter().filter(|other| counts(other)).count();
    let (voters, quorum, me) = (ensemble.voters(), ensemble.quorum(), ensemble.me);
    if left >= quorum {
        return Ok(());
    }
    let missing = others.iter().filter_map(|(member, state)| {
        let why = state.as_ref().err().filter(|_| member.is_voter)?;
        Some(format!("; server.{} ({}:{}): {why}", member.id, member.host, member.port))
    });
    Err(NotSafe::NoQuorum { me, left, voters, quorum, missing: missing.collect() })
}
