//! Synchronization: a learner gets the leader's history, says so, and is let in.
//!
//! Java: `LearnerHandler.syncFollower`, `Leader.waitForNewLeaderAck`.

use bytes::Bytes;
use tracing::info;
use zk_wire::{QuorumPacket, Zxid};

use super::reconfig::{commit_of, inform_of};
use super::{Act, EnsembleOptions, History, Leader, LinkId, Millis, Phase, Stage, packet};
use crate::zab::history::Plan;

impl Leader {
    /// Sends what a learner lacks, then NEWLEADER.
    pub(super) fn begin_sync(
        &mut self,
        options: &EnsembleOptions,
        history: &History,
        link: LinkId,
        acts: &mut Vec<Act>,
    ) {
        let handler = self.handlers.get_mut(&link).expect("it was just looked up");
        let Phase::AwaitStart { last } = handler.phase else { return };
        let committed = self.committed;
        let reads_log = self.reads_log && options.log_permille.is_some();
        let plan = match history.plan(last, committed) {
            _ if self.force_snapshot => Plan::Snap,
            Plan::Log { .. } if !reads_log => Plan::Snap,
            plan => plan,
        };
        let sid = handler.sid.unwrap_or_default();
        info!("synchronizing server.{sid}, whose log ends with {last}, up to {committed}: {plan}");
        let (first, above) = match plan {
            Plan::Diff { above } => (QuorumPacket::Diff { zxid: committed }, above),
            Plan::Trunc { to } => (QuorumPacket::Trunc { zxid: to }, to),
            Plan::Log { above } => return self.begin_reading(history, link, above, acts),
            Plan::Snap => return self.begin_snapshot(link, acts),
        };
        self.begun.add(plan);
        let mut parcel = Parcel::new(link, acts);
        parcel.add(&first);
        parcel.add_committed(history.above(above).take_while(|(zxid, _)| *zxid <= committed));
        parcel.send();
        handler.sent = committed;
        self.send_newleader(options, link, acts);
    }

    /// Asks for a snapshot for a learner.
    pub(super) fn begin_snapshot(&mut self, link: LinkId, acts: &mut Vec<Act>) {
        self.begun.add(Plan::Snap);
        let handler = self.handlers.get_mut(&link).expect("it was just looked up");
        handler.phase = Phase::AwaitSnapshot;
        acts.push(Act::Stream(link));
    }

    /// A snapshot of the tree as of `zxid` begins to be streamed to these learners.
    pub(crate) fn snapshot_begins(&mut self, links: &[LinkId], zxid: Zxid, acts: &mut Vec<Act>) {
        // What stands in old logs of the learner is below it, whatever it is: it will not be replayed.
        let shown = zxid.max(Zxid::new(self.epoch, 0));
        for link in links {
            let Some(handler) = self.handlers.get_mut(link) else { continue };
            handler.phase = Phase::Streaming;
            handler.sent = zxid;
            acts.push(Act::Send(*link, packet(&QuorumPacket::Snap { zxid: shown })));
        }
    }

    /// All of it is on its way.
    pub(crate) fn snapshot_ended(
        &mut self,
        now: Millis,
        options: &EnsembleOptions,
        acts: &mut Vec<Act>,
    ) {
        for link in self.links(|handler| handler.phase == Phase::Streaming) {
            self.handlers.get_mut(&link).expect("it was just looked up").last_heard = now;
            self.send_newleader(options, link, acts);
        }
    }

    pub(super) fn send_newleader(
        &mut self,
        options: &EnsembleOptions,
        link: LinkId,
        acts: &mut Vec<Act>,
    ) {
        let handler = self.handlers.get_mut(&link).expect("it was just looked up");
        handler.phase = Phase::AwaitNewLeaderAck;
        // What a learner is let in with holds for it from then on. While the leader is being established that
        // is what was proposed, since all of its quorum takes that; later it must have been committed.
        let is_established = self.stage == Stage::Broadcast;
        let members = if is_established { &options.members } else { options.last_seen() };
        let config = Some(members.text().as_bytes());
        let zxid = Zxid::new(self.epoch, 0);
        acts.push(Act::Send(link, packet(&QuorumPacket::NewLeader { zxid, config })));
    }

    pub(super) fn on_newleader_ack(
        &mut self,
        now: Millis,
        options: &EnsembleOptions,
        history: &History,
        link: LinkId,
        acts: &mut Vec<Act>,
    ) {
        let handler = self.handlers.get_mut(&link).expect("it just sent a packet");
        handler.phase = Phase::Synced;
        handler.acked = handler.sent;
        if self.stage == Stage::Broadcast {
            self.let_in(now, options, history, link, acts);
            self.name_ensemble(options, acts);
        } else {
            self.count_newleader_acks(now, options, history, acts);
        }
    }

    /// Establishes the leader once a quorum has its history: all of that is committed now.
    pub(super) fn count_newleader_acks(
        &mut self,
        now: Millis,
        options: &EnsembleOptions,
        history: &History,
        acts: &mut Vec<Act>,
    ) {
        let has_quorum = options.has_quorum(&self.synced_and_me());
        if self.stage != Stage::Synchronization || !has_quorum {
            return;
        }
        self.enter(now, Stage::Broadcast);
        self.proposed = self.proposed.max(Zxid::new(self.epoch, 0));
        acts.push(Act::Commit(self.committed));
        acts.push(Act::Serve);
        for link in self.links(|handler| handler.phase == Phase::Synced) {
            self.let_in(now, options, history, link, acts);
        }
        self.name_ensemble(options, acts);
        self.complete_reconfig(options, acts);
    }

    /// UPTODATE, and what came since the learner was synchronized.
    fn let_in(
        &mut self,
        now: Millis,
        options: &EnsembleOptions,
        history: &History,
        link: LinkId,
        acts: &mut Vec<Act>,
    ) {
        // A configuration that was committed while the learner was synchronized.
        let leader = self.me;
        let activating = |zxid: Zxid| (zxid.0 == options.members.version()).then_some(leader);
        let handler = self.handlers.get_mut(&link).expect("it was just looked up");
        handler.phase = Phase::Live;
        let mut parcel = Parcel::new(link, acts);
        parcel.add(&QuorumPacket::UpToDate);
        for (zxid, txn) in history.above(handler.sent) {
            let zxid = *zxid;
            let is_committed = zxid <= self.committed;
            if handler.is_observer {
                if is_committed {
                    parcel.add(&inform_of(zxid, txn, activating(zxid)));
                    handler.sent = zxid;
                }
                continue;
            }
            parcel.add(&QuorumPacket::Proposal { zxid, txn });
            if is_committed {
                parcel.add(&commit_of(zxid, activating(zxid)));
            }
            handler.sent = zxid;
            handler.owes_since.get_or_insert(now);
        }
        parcel.send();
    }
}

/// Many packets for one learner, sent in pieces of a good size.
pub(super) struct Parcel<'a> {
    link: LinkId,
    bytes: Vec<u8>,
    acts: &'a mut Vec<Act>,
}

impl<'a> Parcel<'a> {
    /// A piece is sent when it has so many bytes.
    const LEN: usize = 64 << 10;

    pub(super) fn new(link: LinkId, acts: &'a mut Vec<Act>) -> Self {
        Self { link, bytes: Vec::new(), acts }
    }

    /// Txns that are committed.
    pub(super) fn add_committed<'t>(&mut self, txns: impl IntoIterator<Item = &'t (Zxid, Bytes)>) {
        for (zxid, txn) in txns {
            self.add(&QuorumPacket::Proposal { zxid: *zxid, txn });
            self.add(&QuorumPacket::Commit { zxid: *zxid });
        }
    }

    pub(super) fn add(&mut self, packet: &QuorumPacket<'_>) {
        packet.encode(&mut self.bytes);
        if self.bytes.len() >= Self::LEN {
            let piece = std::mem::take(&mut self.bytes);
            self.acts.push(Act::Send(self.link, piece.into()));
        }
    }

    pub(super) fn send(self) {
        if !self.bytes.is_empty() {
            self.acts.push(Act::Send(self.link, self.bytes.into()));
        }
    }
}
