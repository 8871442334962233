//! A leader that leaves names the next one, so that nobody has to find out first.
//!
//! It proposes nothing more, waits until all is committed, and tells the voter that has all of it. That
//! one lets go and says so, since it may be about to end as well; then the others are told. The new leader goes through discovery
//! and synchronization like any other: a wrong choice costs time, not data. Learners of other kinds find
//! out by election when the process ends, and nobody is named where their votes are needed: they follow only
//! whom a quorum has voted for, and without them the heir would wait in vain.
//!
//! Java: nothing.

use std::collections::BTreeSet;

use tracing::info;
use zk_wire::{QuorumPacket, ServerId};

use super::{Act, EnsembleOptions, Leader, LinkId, Phase, Stage, packet};

/// How far a leader has come with leaving.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Retiring {
    /// It stays.
    No,
    /// Until everything proposed is committed, and on the disk of its heir.
    Draining,
    /// Until the heir says that it leads.
    Appointing { heir: ServerId, link: LinkId },
    /// It has told everybody.
    Done,
}

impl Leader {
    /// Begins to leave. Nothing is proposed any more.
    pub(crate) fn retire(&mut self, options: &EnsembleOptions, acts: &mut Vec<Act>) {
        if self.stage != Stage::Broadcast {
            return acts.push(Act::Retired);
        }
        self.retiring = Retiring::Draining;
        self.appoint(options, acts);
    }

    /// Names the heir once there is one that has everything.
    pub(super) fn appoint(&mut self, options: &EnsembleOptions, acts: &mut Vec<Act>) {
        let is_quiet = self.proposed.counter() == 0 || self.proposed <= self.committed;
        if self.retiring != Retiring::Draining || !is_quiet {
            return;
        }
        let heirs = self.handlers.iter().filter(|(_, handler)| {
            let is_voter = handler.sid.is_some_and(|sid| options.members.weight(sid) > 0);
            handler.phase == Phase::Live && handler.takes_hand_over && is_voter
        });
        let takers: BTreeSet<_> = heirs.clone().filter_map(|(_, handler)| handler.sid).collect();
        let best = heirs.max_by_key(|(_, handler)| (handler.acked, handler.sid));
        let Some((link, handler)) = best.filter(|_| options.members.has_quorum(&takers)) else {
            self.retiring = Retiring::Done;
            return acts.push(Act::Retired);
        };
        if handler.acked < handler.sent {
            return;
        }
        let (link, heir) = (*link, handler.sid.unwrap_or_default());
        info!("handing over to server.{heir}");
        self.retiring = Retiring::Appointing { heir, link };
        acts.push(Act::Send(link, packet(&QuorumPacket::HandOver { leader: heir })));
    }

    /// The heir has let go and leads: the others may follow it.
    pub(super) fn on_heir_took(&mut self, from: LinkId, acts: &mut Vec<Act>) {
        let Retiring::Appointing { heir, link } = self.retiring else { return };
        if link != from {
            return;
        }
        self.retiring = Retiring::Done;
        let message = packet(&QuorumPacket::HandOver { leader: heir });
        for link in self.links(|handler| handler.phase == Phase::Live && handler.takes_hand_over) {
            if link != from {
                acts.push(Act::Send(link, message.clone()));
            }
        }
        acts.push(Act::Retired);
    }

    /// A link ended. If it was the heir's, that one has not taken over: it is being stopped as well, or died.
    pub(super) fn on_heir_left(
        &mut self,
        options: &EnsembleOptions,
        ended: LinkId,
        acts: &mut Vec<Act>,
    ) {
        if matches!(self.retiring, Retiring::Appointing { link, .. } if link == ended) {
            self.retiring = Retiring::Draining;
            self.appoint(options, acts);
        }
    }
}
