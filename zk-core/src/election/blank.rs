//! A voter whose database is empty and perhaps ought not to be: when it may vote all the same.
//!
//! It may have acknowledged what it has lost. Once all the other voters have said, in one round, that they look
//! for a leader and what they have, nothing is left that could have more than the best of them: it may vote for
//! that one. If nobody has anything, and nobody has had a leader, the ensemble is new, where that may be.
//!
//! Invariants
//! - What it has heard in one round counts in no other.
//! - Its vote is for the best that it has heard, or for a better one: whoever leads has all that is left.
//!
//! Java: a server with the zxid -1 never votes.

use std::collections::BTreeMap;

use tracing::info;
use zk_wire::{Epoch, ServerId, Zxid};

use super::looking::Step;
use super::vote::Vote;

/// What a voter without a database has heard.
#[derive(Debug, Default)]
pub(super) struct Heard(BTreeMap<ServerId, Vote>);

impl Heard {
    /// A voter looks for a leader too, with this vote.
    pub(super) fn put(&mut self, from: ServerId, vote: Vote) {
        self.0.insert(from, vote);
    }

    /// A voter does not look any more.
    pub(super) fn remove(&mut self, from: ServerId) {
        self.0.remove(&from);
    }

    pub(super) fn clear(&mut self) {
        self.0.clear();
    }

    /// The votes of those that have something, and the round of them all, once everybody has been heard. `own`
    /// is what the asking server says.
    pub(super) fn all(&self, own: &Vote, step: &Step<'_>) -> Option<(i64, Vec<(ServerId, Vote)>)> {
        let me = step.options.me;
        let votes: Option<Vec<_>> = step
            .members
            .voters()
            .filter(|id| *id != me)
            .map(|id| Some((id, *self.0.get(&id)?)))
            .collect();
        let votes = votes?;
        let is_known = |(_, vote): &&(ServerId, Vote)| vote.zxid != Zxid::UNKNOWN;
        let known: Vec<_> = votes.iter().filter(is_known).copied().collect();
        let Some((_, first)) = known.first() else {
            let has_reigned = own.epoch > NEVER || votes.iter().any(|(_, vote)| vote.epoch > NEVER);
            if !step.options.may_found || has_reigned {
                info!("all voters are empty, which not all of them may be");
                return None;
            }
            let round = votes.iter().map(|(_, vote)| vote.round).fold(own.round, i64::max);
            info!("all voters are empty: a new ensemble begins");
            return Some((round, known));
        };
        let round = first.round;
        if known.iter().any(|(_, vote)| vote.round != round) {
            return None;
        }
        info!("all voters have been heard: this server may vote for the best of them");
        Some((round, known))
    }
}

/// The epoch of a server that has had no leader.
const NEVER: Epoch = Epoch(0);
