//! Reconfiguration as the leader sees it: what is proposed needs two quorums until it holds.
//!
//! A configuration is a txn like others, but from its proposal on nothing is committed that does not have a
//! quorum of the old members and one of the new. Its commit names who leads under it: if that is another
//! server, nothing more is committed in this reign.
//!
//! Java: `Leader.tryToCommit`, `Leader.getDesignatedLeader`, `Leader.isQuorumSynced`.

use std::collections::BTreeSet;

use zk_wire::{QuorumPacket, ServerId, Zxid};

use super::{Act, EnsembleOptions, History, Leader};
use crate::quorum::Members;
use crate::zab::Activation;

impl Leader {
    /// Whether a quorum of these voters takes part by now.
    pub(crate) fn has_synced(&self, members: &Members) -> bool {
        members.has_quorum(&self.synced_and_me())
    }

    /// The followers that have its history, and itself.
    pub(super) fn synced_and_me(&self) -> BTreeSet<ServerId> {
        let mut synced = self.synced_followers();
        synced.insert(self.me);
        synced
    }

    /// The configuration of the files has no version: it gets one with the reign, so that it beats those of
    /// servers that were never in an ensemble. It holds once a quorum has synchronized.
    pub(super) fn give_first_version(&self, options: &EnsembleOptions, acts: &mut Vec<Act>) {
        let is_first = options.last_seen().version() == 0;
        if options.reconfig.is_some() && is_first {
            let version = Zxid::new(self.epoch, 0).0;
            acts.push(Act::Propose(options.members.with_version(version).text().to_owned()));
        }
    }

    /// A quorum has its history: the configuration that was proposed last, by whomever, is committed.
    pub(super) fn complete_reconfig(&self, options: &EnsembleOptions, acts: &mut Vec<Act>) {
        if let Some(proposed) = &options.proposed {
            let leader = Some(self.designated(options, proposed, Zxid::ZERO));
            let text = proposed.text().to_owned();
            acts.push(Act::Activate(Activation { text, leader, is_txn: false }));
        }
    }

    /// Who leads under a configuration that this txn makes: this server if it stays a voter where it is,
    /// else the voter that has most.
    pub(super) fn designated(
        &self,
        options: &EnsembleOptions,
        proposed: &Members,
        zxid: Zxid,
    ) -> ServerId {
        let is_at_home = proposed.place(self.me) == options.members.place(self.me);
        if proposed.is_voter(self.me) && is_at_home {
            return self.me;
        }
        let voters = self.handlers.values().filter_map(|handler| {
            let sid = handler.synced_follower()?;
            let is_able = proposed.weight(sid) > 0 && handler.acked >= zxid;
            is_able.then_some((handler.acked, sid))
        });
        voters.max().map_or(self.me, |(_, sid)| sid)
    }

    /// The configuration that it proposed holds: what waited for it may be committed.
    pub(crate) fn on_activated(
        &mut self,
        options: &EnsembleOptions,
        history: &History,
        acts: &mut Vec<Act>,
    ) {
        self.commit(options, history, acts);
    }
}

/// The commit of a txn; a configuration's says who leads under it.
pub(super) fn commit_of<'a>(zxid: Zxid, leader: Option<ServerId>) -> QuorumPacket<'a> {
    match leader {
        None => QuorumPacket::Commit { zxid },
        Some(leader) => QuorumPacket::CommitAndActivate { zxid, leader },
    }
}

/// The same for observers, who were not told of the proposal.
pub(super) fn inform_of(zxid: Zxid, txn: &[u8], leader: Option<ServerId>) -> QuorumPacket<'_> {
    match leader {
        None => QuorumPacket::Inform { zxid, txn },
        Some(leader) => QuorumPacket::InformAndActivate { zxid, leader, txn },
    }
}
