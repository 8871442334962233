//! Leader side of ZAB: from the first FOLLOWERINFO to the commit of the last proposal.
//!
//! It counts and it queues; it never looks into a txn and never touches the tree. A learner that is being
//! synchronized gets nothing of the live stream between NEWLEADER and UPTODATE: followers of 3.8.0 fail on a
//! COMMIT there (ZOOKEEPER-4394). What it missed follows UPTODATE, from the history.
//!
//! Invariants
//! - LEADERINFO is sent only after the epoch is in `acceptedEpoch`, NEWLEADER only after it is in `currentEpoch`.
//! - Nothing is proposed before a quorum has acked NEWLEADER.
//! - A txn is committed once a quorum has it on disk, in the order of zxids.
//! - An ACK before that of NEWLEADER counts for nothing (ZOOKEEPER-4685).
//!
//! Spec: `LeaderProcessFOLLOWERINFO` to `LeaderProcessACK`. Java: `Leader`, `LearnerHandler`.

mod broadcast;
mod from_log;
mod hand_over;
mod handler;
mod naming;
mod reconfig;
mod shown;
mod sync;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use tracing::{info, warn};
use zk_wire::{Epoch, LearnerInfo, Naming, QuorumPacket, ServerId, Zxid};

use super::{Act, EnsembleOptions, GiveUp, History, LinkId, packet};
use crate::sessions::Millis;
use hand_over::Retiring;
use handler::{Handler, Phase};
use shown::Syncs;

pub use shown::ShownLearner;

/// A server that won an election.
#[derive(Debug)]
pub(crate) struct Leader {
    me: ServerId,
    stage: Stage,
    /// When the stage must be over.
    stage_until: Millis,
    /// Its own reign; that of its predecessor until it is chosen.
    epoch: Epoch,
    /// Its own history at the election: no voter of its quorum may have a later one.
    own: (Epoch, Zxid),
    handlers: BTreeMap<LinkId, Handler>,
    /// Voters whose ACKEPOCH counted.
    electing: BTreeSet<ServerId>,
    proposed: Zxid,
    committed: Zxid,
    /// What its own log has.
    persisted: Zxid,
    /// Who asked for SYNC, and after which commit it is due.
    syncs: VecDeque<(Zxid, LinkId)>,
    next_ping: Millis,
    is_half_tick: bool,
    init_ms: u64,
    sync_ms: u64,
    half_tick_ms: u64,
    force_snapshot: bool,
    /// Whether the log on disk has not failed yet.
    reads_log: bool,
    /// Synchronizations since somebody asked.
    begun: Syncs,
    /// The highest epoch that a voter is known to have promised.
    promised: Epoch,
    retiring: Retiring,
    /// What its disk was asked last to keep of the ensemble's id.
    asked: Naming,
}

/// How far a leader has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Stage {
    /// Until a quorum of voters has told its accepted epoch.
    Discovery,
    /// Until the new epoch is promised on its own disk.
    Promising,
    /// Until a quorum of voters has promised it.
    EpochAcks,
    /// Until the new epoch is its current one on its own disk.
    Beginning,
    /// Until a quorum of voters has its history.
    Synchronization,
    /// It is established.
    Broadcast,
}

impl Leader {
    /// A leader whose log ends with `last`, all of it on disk. Its epoch will be above `promised`.
    pub(crate) fn new(
        options: &EnsembleOptions,
        tick_ms: u64,
        now: Millis,
        last: Zxid,
        promised: Epoch,
    ) -> Self {
        let current = options.current_epoch;
        let init_ms = tick_ms * u64::from(options.init_limit);
        Self {
            me: options.me,
            stage: Stage::Discovery,
            stage_until: now.after(init_ms),
            epoch: current,
            own: (current, last),
            handlers: BTreeMap::new(),
            electing: BTreeSet::new(),
            proposed: last,
            committed: last,
            persisted: last,
            syncs: VecDeque::new(),
            next_ping: now.after(tick_ms / 2),
            is_half_tick: false,
            init_ms,
            sync_ms: tick_ms * u64::from(options.sync_limit),
            half_tick_ms: (tick_ms / 2).max(1),
            force_snapshot: options.force_snapshot_sync,
            reads_log: true,
            begun: Syncs::default(),
            promised: promised.max(options.accepted_epoch),
            retiring: Retiring::No,
            asked: Naming::Unknown,
        }
    }

    /// Its reign.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Whether it may propose.
    pub(crate) fn is_established(&self) -> bool {
        self.stage == Stage::Broadcast
    }

    /// Whether it still waits for its quorum, and this vote is for a server with a later history.
    pub(crate) fn is_outvoted_by(&self, vote: (Epoch, Zxid, ServerId)) -> bool {
        self.stage == Stage::Discovery && vote > (self.own.0, self.own.1, self.me)
    }

    /// When to look at the clock again.
    pub(crate) fn deadline(&self) -> Millis {
        if self.is_established() { self.next_ping } else { self.next_ping.min(self.stage_until) }
    }

    /// A peer connected.
    pub(crate) fn on_opened(&mut self, now: Millis, link: LinkId) {
        self.handlers.insert(link, Handler::new(now));
    }

    fn on_closed(&mut self, link: LinkId) {
        if let Some(handler) = self.handlers.remove(&link)
            && let Some(sid) = handler.sid
        {
            warn!("learner server.{sid} is gone");
        }
        self.syncs.retain(|(_, asker)| *asker != link);
    }

    /// A link was closed by its learner, or broke.
    pub(crate) fn on_link_ended(
        &mut self,
        options: &EnsembleOptions,
        link: LinkId,
        acts: &mut Vec<Act>,
    ) {
        self.on_closed(link);
        self.on_heir_left(options, link, acts);
    }

    /// Who is at the other end, once it said so.
    pub(crate) fn sid(&self, link: LinkId) -> Option<ServerId> {
        self.handlers.get(&link)?.sid
    }

    /// Whether requests over this link count: its learner is synchronized and told so.
    pub(crate) fn is_live(&self, link: LinkId) -> bool {
        self.handlers.get(&link).is_some_and(|handler| handler.phase == Phase::Live)
    }

    /// A learner said something; what needs sessions or the tree was handled before.
    pub(crate) fn on_packet(
        &mut self,
        now: Millis,
        options: &EnsembleOptions,
        history: &History,
        link: LinkId,
        packet: &QuorumPacket<'_>,
        acts: &mut Vec<Act>,
    ) {
        let Some(handler) = self.handlers.get_mut(&link) else { return };
        handler.last_heard = now;
        match (handler.phase, packet) {
            (Phase::Greeting, QuorumPacket::FollowerInfo { zxid, info }) => {
                self.on_info(now, options, link, zxid.epoch(), info, false, acts);
            }
            (Phase::Greeting, QuorumPacket::ObserverInfo { zxid, info }) => {
                self.on_info(now, options, link, zxid.epoch(), info, true, acts);
            }
            (Phase::AwaitAckEpoch, QuorumPacket::AckEpoch { zxid, epoch }) => {
                self.on_ack_epoch(now, options, history, link, *zxid, *epoch, acts);
            }
            (Phase::AwaitNewLeaderAck, QuorumPacket::Ack { zxid })
                if *zxid == Zxid::new(self.epoch, 0) =>
            {
                self.on_newleader_ack(now, options, history, link, acts);
            }
            (Phase::Live, QuorumPacket::Ack { zxid }) => {
                self.on_ack(now, options, history, link, *zxid, acts);
            }
            // Compat: 3.8.0 acks what it got by DIFF as well, before and after UPTODATE.
            (Phase::AwaitNewLeaderAck | Phase::Synced, QuorumPacket::Ack { .. }) => {}
            (Phase::AwaitNewLeaderAck | Phase::Synced | Phase::Live, QuorumPacket::Ping { .. }) => {
            }
            (Phase::Live, QuorumPacket::Request(_) | QuorumPacket::Revalidate { .. }) => {}
            (Phase::Live, QuorumPacket::Ensemble { naming }) => {
                self.on_named(options, link, *naming, acts);
            }
            (Phase::Live, QuorumPacket::HandOver { .. }) => self.on_heir_took(link, acts),
            (Phase::Live, other) => warn!("{} of a learner is ignored", other.name()),
            (_, other) => {
                let who =
                    handler.sid.map_or("a stranger".to_owned(), |sid| format!("server.{sid}"));
                warn!("{} of {who} came out of turn: closing its connection", other.name());
                self.close(link, acts);
            }
        }
    }

    /// Drops a learner.
    pub(crate) fn close(&mut self, link: LinkId, acts: &mut Vec<Act>) {
        if self.handlers.contains_key(&link) {
            self.on_closed(link);
            acts.push(Act::Close(link));
        }
    }

    /// FOLLOWERINFO or OBSERVERINFO.
    #[expect(clippy::too_many_arguments, reason = "a packet's fields and where it came from")]
    fn on_info(
        &mut self,
        now: Millis,
        options: &EnsembleOptions,
        link: LinkId,
        accepted: Epoch,
        info: &LearnerInfo,
        is_observer: bool,
        acts: &mut Vec<Act>,
    ) {
        let sid = info.sid.unwrap_or(ServerId(-1));
        if info.config_version > options.members.version() {
            let ours = options.members.version();
            warn!(
                "server.{sid} has configuration {:x}, later than {ours:x}: it may not follow",
                info.config_version
            );
            return self.close(link, acts);
        }
        if sid == self.me {
            warn!("a learner says that it is server.{sid}, as this server is: check its myid");
            return self.close(link, acts);
        }
        if info.protocol < LearnerInfo::PROTOCOL {
            warn!(
                "server.{sid} speaks protocol {:x} of before 3.4: it may not follow",
                info.protocol
            );
            return self.close(link, acts);
        }
        let role = if is_observer { "observer" } else { "follower" };
        info!("{role} server.{sid} connected; its accepted epoch is {accepted}");
        self.replace_older(link, sid, acts);
        let handler = self.handlers.get_mut(&link).expect("only others were closed");
        handler.sid = Some(sid);
        handler.is_observer = is_observer;
        handler.takes_hand_over = info.takes_hand_over;
        handler.naming = info.naming;
        handler.accepted = accepted;
        if self.keep_out(options, link, info, acts) {
            return;
        }
        let handler = self.handlers.get_mut(&link).expect("it is no stranger");
        handler.phase = Phase::AwaitEpoch;
        if self.stage >= Stage::EpochAcks {
            if accepted > self.epoch && !is_observer && options.members.is_voter(sid) {
                return acts.push(Act::GiveUp(GiveUp::Promised { sid, accepted }));
            }
            return self.send_leader_info(options, link, acts);
        }
        self.choose_epoch(now, options, acts);
    }

    /// A server that connects again has lost its earlier connection, whatever this side knows of it.
    fn replace_older(&mut self, link: LinkId, sid: ServerId, acts: &mut Vec<Act>) {
        for older in self.links(|handler| handler.sid == Some(sid)) {
            if older != link {
                warn!("server.{sid} connected again: closing its earlier connection");
                self.close(older, acts);
            }
        }
    }

    /// Chooses the epoch once a quorum has told what it promised before.
    pub(crate) fn choose_epoch(
        &mut self,
        now: Millis,
        options: &EnsembleOptions,
        acts: &mut Vec<Act>,
    ) {
        if self.stage != Stage::Discovery {
            return;
        }
        let known = self.handlers.values().filter(|handler| handler.phase == Phase::AwaitEpoch);
        let mut voters = BTreeSet::from([self.me]);
        let mut highest = self.promised;
        for handler in known {
            highest = highest.max(handler.accepted);
            voters.extend(handler.sid.filter(|_| !handler.is_observer));
        }
        if !options.members.has_quorum(&voters) {
            return;
        }
        self.epoch = Epoch(highest.0 + 1);
        self.enter(now, Stage::Promising);
        acts.push(Act::StoreAccepted(self.epoch));
    }

    /// The files of epochs have these values.
    pub(crate) fn on_stored(
        &mut self,
        now: Millis,
        options: &EnsembleOptions,
        history: &History,
        accepted: Epoch,
        current: Epoch,
        acts: &mut Vec<Act>,
    ) {
        if self.stage == Stage::Promising && accepted == self.epoch {
            self.enter(now, Stage::EpochAcks);
            self.electing.insert(self.me);
            self.give_first_version(options, acts);
            for link in self.links(|handler| handler.phase == Phase::AwaitEpoch) {
                self.send_leader_info(options, link, acts);
            }
            self.tell_strangers(options, acts);
            self.count_epoch_acks(now, options, acts);
        } else if self.stage == Stage::Beginning && current == self.epoch {
            self.enter(now, Stage::Synchronization);
            for link in self.links(|handler| matches!(handler.phase, Phase::AwaitStart { .. })) {
                self.begin_sync(options, history, link, acts);
            }
            self.count_newleader_acks(now, options, history, acts);
        }
    }

    /// LEADERINFO, behind the id of the ensemble that it is of.
    fn send_leader_info(&mut self, options: &EnsembleOptions, link: LinkId, acts: &mut Vec<Act>) {
        self.tell(options, link, acts);
        let handler = self.handlers.get_mut(&link).expect("it was just looked up");
        handler.phase = Phase::AwaitAckEpoch;
        let (zxid, protocol) = (Zxid::new(self.epoch, 0), LearnerInfo::PROTOCOL);
        acts.push(Act::Send(link, packet(&QuorumPacket::LeaderInfo { zxid, protocol })));
    }

    #[expect(clippy::too_many_arguments, reason = "a packet's fields and where it came from")]
    fn on_ack_epoch(
        &mut self,
        now: Millis,
        options: &EnsembleOptions,
        history: &History,
        link: LinkId,
        last: Zxid,
        current: Option<Epoch>,
        acts: &mut Vec<Act>,
    ) {
        let handler = self.handlers.get_mut(&link).expect("it just sent a packet");
        let (sid, is_observer) = (handler.sid.unwrap_or(ServerId(-1)), handler.is_observer);
        handler.phase = Phase::AwaitStart { last };
        if self.stage == Stage::EpochAcks
            && let Some(epoch) = current
        {
            if (epoch, last) > self.own {
                return acts.push(Act::GiveUp(GiveUp::Outdated { sid, epoch, zxid: last }));
            }
            if !is_observer {
                self.electing.insert(sid);
            }
            self.count_epoch_acks(now, options, acts);
        }
        if self.stage >= Stage::Synchronization {
            self.begin_sync(options, history, link, acts);
        }
    }

    fn count_epoch_acks(&mut self, now: Millis, options: &EnsembleOptions, acts: &mut Vec<Act>) {
        if self.stage == Stage::EpochAcks && options.members.has_quorum(&self.electing) {
            self.enter(now, Stage::Beginning);
            acts.push(Act::StoreCurrent(self.epoch));
        }
    }

    fn enter(&mut self, now: Millis, stage: Stage) {
        self.stage = stage;
        self.stage_until = now.after(self.init_ms);
    }

    /// The links of learners for which something holds.
    fn links(&self, holds: impl Fn(&Handler) -> bool) -> Vec<LinkId> {
        self.handlers.iter().filter(|(_, handler)| holds(handler)).map(|(link, _)| *link).collect()
    }
}
