//! Broadcast: proposals go out, acks are counted, commits follow; silence ends a reign.
//!
//! Java: `Leader.propose`, `Leader.processAck`, the loop of `Leader.lead`.

use std::collections::BTreeSet;

use bytes::Bytes;
use tracing::warn;
use zk_wire::{QuorumPacket, ServerId, Zxid};

use super::reconfig::{commit_of, inform_of};
use super::{Act, EnsembleOptions, GiveUp, History, Leader, LinkId, Millis, Phase, Stage, packet};
use crate::quorum::Members;
use crate::zab::Activation;

impl Leader {
    /// Whether the counter of its epoch has room for one more txn.
    pub(crate) fn has_zxids_left(last: Zxid) -> bool {
        last.counter() < COUNTER_MAX
    }

    /// Sends a proposal, which the history has already, to every follower that takes part.
    pub(crate) fn propose(&mut self, now: Millis, zxid: Zxid, txn: &Bytes, acts: &mut Vec<Act>) {
        self.proposed = zxid;
        let proposal = packet(&QuorumPacket::Proposal { zxid, txn });
        for (link, handler) in &mut self.handlers {
            if handler.phase == Phase::Live && !handler.is_observer {
                handler.sent = zxid;
                handler.owes_since.get_or_insert(now);
                acts.push(Act::Send(*link, proposal.clone()));
            }
        }
    }

    /// Its own log has everything up to this txn.
    pub(crate) fn on_persisted(
        &mut self,
        options: &EnsembleOptions,
        history: &History,
        zxid: Zxid,
        acts: &mut Vec<Act>,
    ) {
        self.persisted = self.persisted.max(zxid);
        self.commit(options, history, acts);
        self.appoint(options, acts);
    }

    pub(super) fn on_ack(
        &mut self,
        now: Millis,
        options: &EnsembleOptions,
        history: &History,
        link: LinkId,
        zxid: Zxid,
        acts: &mut Vec<Act>,
    ) {
        let handler = self.handlers.get_mut(&link).expect("it just sent a packet");
        // Compat: the ACK of UPTODATE has counter 0.
        if zxid.counter() == 0 || zxid > handler.sent {
            return;
        }
        handler.acked = handler.acked.max(zxid);
        handler.owes_since = (handler.acked < handler.sent).then_some(now);
        self.commit(options, history, acts);
        self.appoint(options, acts);
    }

    /// Commits what a quorum has on disk.
    pub(super) fn commit(
        &mut self,
        options: &EnsembleOptions,
        history: &History,
        acts: &mut Vec<Act>,
    ) {
        if self.stage != Stage::Broadcast {
            return;
        }
        let on_quorum = self.on_quorum(options);
        if on_quorum <= self.committed || on_quorum.epoch() != self.epoch {
            return;
        }
        // What follows a configuration is counted again once that holds.
        let is_due = |proposed: &&Members| Zxid(proposed.version()) <= on_quorum;
        let proposed = options.proposed.as_ref().filter(is_due);
        let end = proposed.map_or(on_quorum, |proposed| Zxid(proposed.version()));
        let leader = proposed.map(|proposed| self.designated(options, proposed, end));
        let done = std::mem::replace(&mut self.committed, end);
        for (zxid, txn) in history.above(done).take_while(|(zxid, _)| *zxid <= end) {
            let zxid = *zxid;
            let activating = leader.filter(|_| zxid == end);
            let commit = packet(&commit_of(zxid, activating));
            let mut inform = None;
            for (link, handler) in &mut self.handlers {
                if handler.phase != Phase::Live {
                    continue;
                }
                if !handler.is_observer {
                    acts.push(Act::Send(*link, commit.clone()));
                } else if handler.sent < zxid {
                    handler.sent = zxid;
                    let inform =
                        inform.get_or_insert_with(|| packet(&inform_of(zxid, txn, activating)));
                    acts.push(Act::Send(*link, inform.clone()));
                }
            }
            while let Some((_, link)) = self.syncs.pop_front_if(|(due, _)| *due <= zxid) {
                acts.push(Act::Send(link, packet(&QuorumPacket::Sync)));
            }
        }
        acts.push(Act::Commit(end));
        if let Some(proposed) = proposed {
            let text = proposed.text().to_owned();
            acts.push(Act::Activate(Activation { text, leader, is_txn: true }));
        }
    }

    /// The last txn that a quorum has on disk.
    fn on_quorum(&self, options: &EnsembleOptions) -> Zxid {
        let followers = self.handlers.values();
        let mut logs: Vec<(Zxid, ServerId)> = followers
            .filter(|handler| handler.phase == Phase::Live)
            .filter_map(|handler| Some((handler.acked, handler.synced_follower()?)))
            .collect();
        logs.push((self.persisted, self.me));
        logs.sort_unstable_by(|a, b| b.cmp(a));
        let mut having = BTreeSet::new();
        for (zxid, sid) in logs {
            having.insert(sid);
            if options.has_quorum(&having) {
                return zxid;
            }
        }
        Zxid::ZERO
    }

    /// A learner asks to be told when everything that is proposed by now is committed.
    pub(crate) fn on_sync(&mut self, link: LinkId, acts: &mut Vec<Act>) {
        let is_quiet = self.proposed <= self.committed || self.proposed.counter() == 0;
        if is_quiet {
            acts.push(Act::Send(link, packet(&QuorumPacket::Sync)));
        } else {
            self.syncs.push_back((self.proposed, link));
        }
    }

    /// The last txn that all learners have been sent which need the history.
    pub(crate) fn needed(&self) -> Zxid {
        let needy = self.handlers.values().filter(|handler| handler.needs_history());
        needy.map(|handler| handler.sent).fold(self.committed, Zxid::min)
    }

    /// Closes on learners whose synchronization takes so long that what they need fills the memory.
    pub(crate) fn drop_laggards(&mut self, acts: &mut Vec<Act>) {
        for link in self.links(super::Handler::needs_history) {
            let sid = self.sid(link).unwrap_or_default();
            warn!("closing on server.{sid}: too much was committed while it was synchronized");
            self.close(link, acts);
        }
    }

    /// Half a tick is over, or a stage took too long.
    pub(crate) fn on_timeout(
        &mut self,
        now: Millis,
        options: &EnsembleOptions,
        acts: &mut Vec<Act>,
    ) {
        let wanted = match self.stage {
            Stage::Discovery => "their accepted epochs",
            Stage::Promising | Stage::Beginning => "its own disk",
            Stage::EpochAcks => "ACKEPOCH",
            Stage::Synchronization => "the ACK of NEWLEADER",
            Stage::Broadcast => "nothing",
        };
        if self.stage != Stage::Broadcast && self.stage_until <= now {
            return acts.push(Act::GiveUp(GiveUp::NoQuorum { wanted }));
        }
        if self.next_ping > now {
            return;
        }
        self.next_ping = now.after(self.half_tick_ms);
        self.is_half_tick = !self.is_half_tick;
        self.drop_silent(now, acts);
        if self.stage == Stage::Broadcast
            && !self.is_half_tick
            && !options.has_quorum(&self.synced_and_me())
        {
            return acts.push(Act::GiveUp(GiveUp::LostQuorum));
        }
        let ping = packet(&QuorumPacket::Ping { zxid: self.proposed, touched: None });
        let is_told =
            |phase| matches!(phase, Phase::AwaitNewLeaderAck | Phase::Synced | Phase::Live);
        for link in self.links(|handler| is_told(handler.phase)) {
            acts.push(Act::Send(link, ping.clone()));
        }
    }

    /// Closes the connections of learners that say nothing, or ack nothing, for too long.
    fn drop_silent(&mut self, now: Millis, acts: &mut Vec<Act>) {
        for link in self.links(|_| true) {
            let handler = &self.handlers[&link];
            let patience_ms = match handler.phase {
                Phase::Synced | Phase::Live => self.sync_ms,
                // It does not have to say anything before the leader has.
                Phase::AwaitEpoch
                | Phase::AwaitStart { .. }
                | Phase::AwaitLog { .. }
                | Phase::LogStreaming
                | Phase::AwaitSnapshot
                | Phase::Streaming => continue,
                Phase::Greeting
                | Phase::Foreign
                | Phase::AwaitAckEpoch
                | Phase::AwaitNewLeaderAck => self.init_ms,
            };
            let owes_ms = handler.owes_since.map_or(0, |since| now.since(since));
            let silent_ms = now.since(handler.last_heard);
            if silent_ms > patience_ms || owes_ms > self.sync_ms {
                let sid = handler.sid.unwrap_or_default();
                warn!(
                    "closing on server.{sid}: silent for {silent_ms} ms, owes acks for {owes_ms} ms"
                );
                self.close(link, acts);
            }
        }
    }

    /// The followers that have its history, voters or not.
    pub(super) fn synced_followers(&self) -> BTreeSet<ServerId> {
        self.handlers.values().filter_map(super::Handler::synced_follower).collect()
    }
}

/// The last counter that is used; Java keeps the one above it free too.
const COUNTER_MAX: u32 = 0xffff_fffe;
