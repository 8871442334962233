//! What operators are shown of a member of an ensemble, and the few moments that must be kept for it.
//!
//! Java: `LeaderZooKeeperServer.registerMetrics`, `QuorumPeer.setZabState`.

use zk_wire::ServerId;

use super::super::ensemble::{Ensemble, Role};
use super::super::{Peer, RoleName};
use crate::quorum::Members;
use crate::sessions::Millis;
use crate::stats::MemberStats;
use crate::summary::Summary;
use crate::zab::ShownLearner;

/// Since when a member is what it is. It is not served from its start on.
#[derive(Clone, Copy, Debug, Default)]
pub(in crate::peer) struct Since {
    /// When it stopped serving.
    lost: Millis,
    /// When the last election ended.
    role: Millis,
    /// When it began to serve, if it does.
    serving: Option<Millis>,
}

/// What a leader that serves shows of its reign.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reign {
    /// For how long, in ms.
    pub age_ms: u64,
    /// Everybody who is connected.
    pub learners: Vec<ShownLearner>,
    /// Followers that have its history, itself left out.
    pub synced_followers: usize,
    /// Those of them without a vote in the configuration.
    pub synced_non_voting_followers: usize,
    /// Observers that have its history.
    pub synced_observers: usize,
    /// Syncs of learners that wait for a commit.
    pub pending_syncs: usize,
}

impl Peer {
    /// What it shows as a leader; `None` if it is none or does not serve yet.
    pub fn reign(&self, now: Millis) -> Option<Reign> {
        let ensemble = self.ensemble.as_ref()?;
        let Role::Leading(leader) = &ensemble.role else { return None };
        let began = ensemble.since.serving?;
        let learners = leader.shown_learners();
        let count = |is_meant: &dyn Fn(&ShownLearner) -> bool| {
            learners.iter().filter(|learner| learner.is_synced && is_meant(learner)).count()
        };
        let members = &ensemble.options.members;
        let has_vote = |learner: &ShownLearner| learner.id.is_some_and(|id| members.is_voter(id));
        Some(Reign {
            age_ms: now.since(began),
            synced_followers: count(&|learner| !learner.is_observer),
            synced_non_voting_followers: count(&|learner| {
                !learner.is_observer && !has_vote(learner)
            }),
            synced_observers: count(&|learner| learner.is_observer),
            pending_syncs: leader.pending_syncs(),
            learners,
        })
    }

    /// The members of its ensemble, if it has one.
    pub fn members(&self) -> Option<&Members> {
        self.ensemble.as_ref().map(|ensemble| &ensemble.options.members)
    }

    /// The members that are proposed, while they are not committed.
    pub fn proposed_members(&self) -> Option<&Members> {
        self.ensemble.as_ref()?.options.proposed.as_ref()
    }

    /// What a member does that is not in a working quorum; `None` of one that is, and of a lone server.
    pub fn waiting(&self) -> Option<RoleName> {
        let ensemble = self.ensemble.as_ref()?;
        let is_in_quorum = match &ensemble.role {
            Role::Leaving | Role::Looking => false,
            Role::Leading(leader) => leader.is_established(),
            Role::Learning(learner) => learner.is_live(),
        };
        (!is_in_quorum).then(|| ensemble.role_name())
    }

    /// Whether its database is empty and perhaps ought not to be, so that it has no vote.
    pub fn is_blank(&self) -> bool {
        self.ensemble.as_ref().is_some_and(|ensemble| ensemble.options.is_blank)
    }

    /// Whom it follows or observes.
    pub fn leader(&self) -> Option<ServerId> {
        match &self.ensemble.as_ref()?.role {
            Role::Learning(learner) => Some(learner.leader()),
            Role::Leaving | Role::Looking | Role::Leading(_) => None,
        }
    }

    /// For how long a member has its role, in ms; `None` of a lone server.
    pub fn role_age_ms(&self, now: Millis) -> Option<u64> {
        self.ensemble.as_ref().map(|ensemble| now.since(ensemble.since.role))
    }

    /// Adds to the stats what the role has counted by itself.
    pub fn tally(&mut self) {
        let Some(ensemble) = &mut self.ensemble else { return };
        if let Role::Leading(leader) = &mut ensemble.role {
            let begun = leader.take_begun();
            self.stats.member.diffs += begun.diffs;
            self.stats.member.snaps += begun.snaps;
        }
    }

    /// It serves nobody any more.
    pub(in crate::peer) fn on_role_lost(&mut self, now: Millis) {
        self.tally();
        if let Some(ensemble) = &mut self.ensemble
            && ensemble.since.serving.take().is_some()
        {
            ensemble.since.lost = now;
        }
    }
}

impl Ensemble {
    /// An election ended with this leader. Compat: those of observers are not counted.
    pub(in crate::peer) fn on_elected(
        &mut self,
        now: Millis,
        leader: ServerId,
        stats: &mut MemberStats,
    ) {
        self.since.role = now;
        if self.options.members.is_voter(self.options.me) {
            stats.elections.add(now.since(self.looking_since));
        }
        if leader == self.options.me {
            stats.proposal_sizes = Summary::default();
        }
    }

    /// Clients may come.
    pub(in crate::peer) fn on_serving(&mut self, now: Millis, stats: &mut MemberStats) {
        self.since.serving = Some(now);
        let (unavailable_ms, sync_ms) = (now.since(self.since.lost), now.since(self.since.role));
        stats.unavailable.add(unavailable_ms);
        match self.role_name() {
            RoleName::Leading => stats.leader_unavailable.add(unavailable_ms),
            RoleName::Following => stats.follower_syncs.add(sync_ms),
            RoleName::Observing => stats.observer_syncs.add(sync_ms),
            RoleName::Standalone | RoleName::Looking => {}
        }
    }
}
