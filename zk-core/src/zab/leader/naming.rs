//! Which ensemble this is: members of another one are kept out, and an ensemble without an id gets one.
//!
//! A member whose id differs is told nothing before a quorum that agrees has been heard: then it is the
//! stranger. If a quorum of voters has another id, the stranger is this server.
//!
//! Invariants
//! - A stranger gets no LEADERINFO, and counts for nothing.
//! - An id is settled once a quorum of voters that store ids has stored it as proposed in this epoch. Whoever
//!   proposes takes the latest proposal that its quorum knows, so that what may be settled stays.
//! - Learners that do not say that they take ids are told none.
//!
//! Java: nothing.

use std::collections::BTreeSet;

use tracing::{error, info};
use zk_wire::{LearnerInfo, Naming, QuorumPacket, ServerId};

use super::{Act, EnsembleOptions, GiveUp, Handler, Leader, LinkId, Phase, Stage, packet};

impl Leader {
    /// Keeps a learner waiting whose data is of another ensemble; false: it is not.
    pub(super) fn keep_out(
        &mut self,
        options: &EnsembleOptions,
        link: LinkId,
        info: &LearnerInfo,
        acts: &mut Vec<Act>,
    ) -> bool {
        let theirs = info.naming.and_then(Naming::settled);
        let (Some(ours), Some(theirs)) = (options.naming.settled(), theirs) else { return false };
        if ours == theirs {
            return false;
        }
        let handler = self.handlers.get_mut(&link).expect("it just sent a packet");
        handler.phase = Phase::Foreign;
        let sid = handler.sid.unwrap_or_default();
        error!(
            "server.{sid} has data of ensemble {theirs}; this is ensemble {ours}: it may not follow"
        );
        if self.stage >= Stage::EpochAcks {
            self.tell(options, link, acts);
            return true;
        }
        let strangers = self.voters(|handler| {
            let named = handler.naming.and_then(Naming::settled);
            handler.phase == Phase::Foreign && named == Some(theirs)
        });
        if options.members.has_quorum(&strangers) {
            acts.push(Act::GiveUp(GiveUp::Foreign { ours, theirs, sid }));
        }
        true
    }

    /// A quorum agrees with this server: strangers are told.
    pub(super) fn tell_strangers(&mut self, options: &EnsembleOptions, acts: &mut Vec<Act>) {
        for link in self.links(|handler| handler.phase == Phase::Foreign) {
            self.tell(options, link, acts);
        }
    }

    /// Tells a learner which ensemble it joins, if it takes that and does not know.
    pub(super) fn tell(&mut self, options: &EnsembleOptions, link: LinkId, acts: &mut Vec<Act>) {
        let ours = options.naming;
        let is_current = match ours {
            Naming::Unknown => false,
            Naming::Proposed { epoch, .. } => epoch == self.epoch,
            Naming::Settled(_) => true,
        };
        let handler = self.handlers.get_mut(&link).expect("it was just looked up");
        let Some(known) = handler.naming.filter(|_| is_current) else { return };
        if known != ours && handler.told != ours {
            handler.told = ours;
            acts.push(Act::Send(link, packet(&QuorumPacket::Ensemble { naming: ours })));
        }
    }

    /// A learner has stored what it was told, or told what it knows.
    pub(super) fn on_named(
        &mut self,
        options: &EnsembleOptions,
        link: LinkId,
        naming: Naming,
        acts: &mut Vec<Act>,
    ) {
        let handler = self.handlers.get_mut(&link).expect("it just sent a packet");
        handler.naming = Some(naming);
        self.name_ensemble(options, acts);
    }

    /// Its own disk has another naming.
    pub(crate) fn on_naming_stored(&mut self, options: &EnsembleOptions, acts: &mut Vec<Act>) {
        let ours = options.naming;
        let is_stranger = |naming: Option<Naming>| naming.is_some_and(|n| n.contradicts(ours));
        for link in self.links(|handler| is_stranger(handler.naming)) {
            self.close(link, acts);
        }
        self.name_ensemble(options, acts);
    }

    /// Goes on with finding an id, and tells the learners how far that is.
    pub(super) fn name_ensemble(&mut self, options: &EnsembleOptions, acts: &mut Vec<Act>) {
        if !self.is_established() {
            return;
        }
        for link in self.links(|handler| handler.phase == Phase::Live) {
            self.tell(options, link, acts);
        }
        if let Some(wanted) = self.next_naming(options)
            && self.asked != wanted
        {
            self.asked = wanted;
            if let Naming::Settled(id) = wanted {
                info!("this is ensemble {id}");
            }
            acts.push(Act::StoreNaming(wanted));
        }
    }

    /// What its disk should have next, if anything.
    fn next_naming(&self, options: &EnsembleOptions) -> Option<Naming> {
        let ours = options.naming;
        let known = self.handlers.values().filter(|handler| handler.phase == Phase::Live);
        let known: Vec<_> = known.filter_map(|handler| handler.naming).collect();
        match ours {
            Naming::Settled(_) => None,
            _ if known.iter().any(|naming| naming.settled().is_some()) => {
                known.iter().copied().find(|naming| naming.settled().is_some())
            }
            Naming::Proposed { id, epoch } if epoch == self.epoch => {
                let stored = self.voters_and_me(|handler| {
                    handler.phase == Phase::Live && handler.naming == Some(ours)
                });
                options.members.has_quorum(&stored).then_some(Naming::Settled(id))
            }
            Naming::Unknown | Naming::Proposed { .. } => {
                let takers = self.voters_and_me(|handler| {
                    handler.phase == Phase::Live && handler.naming.is_some()
                });
                let latest = known.into_iter().chain([ours]).filter_map(|naming| match naming {
                    Naming::Proposed { id, epoch } => Some((epoch, id)),
                    Naming::Unknown | Naming::Settled(_) => None,
                });
                let id = latest.max().map_or(options.fresh_id, |(_, id)| id);
                let proposed = Naming::Proposed { id, epoch: self.epoch };
                options.members.has_quorum(&takers).then_some(proposed)
            }
        }
    }

    /// The voters among the learners for which something holds.
    fn voters(&self, holds: impl Fn(&Handler) -> bool) -> BTreeSet<ServerId> {
        let voters =
            self.handlers.values().filter(|handler| !handler.is_observer && holds(handler));
        voters.filter_map(|handler| handler.sid).collect()
    }

    /// The same with this server.
    fn voters_and_me(&self, holds: impl Fn(&Handler) -> bool) -> BTreeSet<ServerId> {
        let mut voters = self.voters(holds);
        voters.insert(self.me);
        voters
    }
}
