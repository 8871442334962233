//! Learner side of ZAB: a follower or observer, from FOLLOWERINFO to broadcast.
//!
//! A `Learner` serves one leader. When that leader is lost it is dropped; it never picks a zxid and never
//! touches the tree. Txns are logged as they come and applied only after UPTODATE: a tree never shows what
//! may yet be cut off. After a snapshot they are held back until that is on disk, with what was committed
//! meanwhile in it.
//!
//! Invariants
//! - ACKEPOCH is sent only after the epoch is in `acceptedEpoch`.
//! - The ACK of NEWLEADER is sent only after everything received before it is on disk, and after that the
//!   epoch in `currentEpoch` (ZOOKEEPER-3911, -4643, -4646).
//! - A proposal is acked only after it is on disk, and after NEWLEADER was (ZOOKEEPER-4685).
//! - What was proposed before NEWLEADER and is not committed stays (ZOOKEEPER-4394).
//!
//! Spec: `FollowerProcessLEADERINFO` to `FollowerProcessUPTODATE`. Java: `Learner`, `Follower`, `Observer`.

use std::collections::VecDeque;

use bytes::Bytes;
use tracing::info;
use zk_wire::{Epoch, LearnerInfo, Naming, QuorumPacket, ServerId, TxnRecord, Zxid};

use super::{Act, Activation, GiveUp, LinkId, packet};
use crate::sessions::Millis;

/// What a learner says about itself.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LearnerIdentity {
    pub(crate) me: ServerId,
    pub(crate) is_observer: bool,
    pub(crate) config_version: i64,
    pub(crate) accepted: Epoch,
    pub(crate) current: Epoch,
    /// What it knows of its ensemble's id.
    pub(crate) naming: Naming,
    /// The last txn of its log, all of which is on disk.
    pub(crate) last: Zxid,
}

/// A server that knows its leader.
#[derive(Debug)]
pub(crate) struct Learner {
    identity: LearnerIdentity,
    leader: ServerId,
    link: Option<LinkId>,
    phase: Phase,
    /// The leader's.
    epoch: Epoch,
    /// The last txn of its log.
    last: Zxid,
    persisted: Zxid,
    /// Everything up to here is committed.
    committed: Zxid,
    /// Proposals that are neither acked nor known to be committed before UPTODATE.
    unacked: VecDeque<Zxid>,
    /// What followed a snapshot and is not logged: the log must not get ahead of a snapshot that may be lost.
    held: VecDeque<(TxnRecord, Bytes)>,
    /// The last configuration that was proposed and not committed yet, with the txn that makes it.
    config: Option<(Zxid, String)>,
    /// The configuration that holds once it is let in.
    activation: Option<Activation>,
    /// Its tree, log or snapshot are between two states: they must be read from disk again.
    is_torn: bool,
    last_heard: Millis,
    began: Millis,
    init_ms: u64,
    sync_ms: u64,
}

/// How far a learner has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// It connects.
    Dialing,
    /// It sent FOLLOWERINFO or OBSERVERINFO.
    Registered,
    /// The epoch of LEADERINFO is being stored; what ACKEPOCH will say.
    Promising(Option<Epoch>),
    /// It sent ACKEPOCH.
    Promised,
    /// Its log is being cut.
    Truncating(Zxid),
    /// A snapshot is being read from the link.
    Loading(Zxid),
    /// It takes what it lacks.
    Syncing,
    /// It takes what followed its snapshot.
    Following,
    /// NEWLEADER came: what came before is being saved.
    Saving(Saving),
    /// It acked NEWLEADER.
    Synced,
    /// UPTODATE came.
    Live,
}

/// What is still to be saved before NEWLEADER may be acked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Saving {
    /// The tree that a snapshot gave, with what was committed since.
    Snapshot,
    /// Its own log reaches beyond that snapshot: the leader will send the rest again.
    Cut,
    /// The log.
    Txns,
    /// `currentEpoch`.
    Epoch,
}

impl Learner {
    /// A learner of `leader` that has yet to connect.
    pub(crate) fn new(
        identity: LearnerIdentity,
        leader: ServerId,
        now: Millis,
        init_ms: u64,
        sync_ms: u64,
    ) -> Self {
        Self {
            identity,
            leader,
            link: None,
            phase: Phase::Dialing,
            epoch: identity.current,
            last: identity.last,
            persisted: identity.last,
            committed: Zxid::ZERO,
            unacked: VecDeque::new(),
            held: VecDeque::new(),
            config: None,
            activation: None,
            is_torn: false,
            last_heard: now,
            began: now,
            init_ms,
            sync_ms,
        }
    }

    /// Whom it follows.
    pub(crate) fn leader(&self) -> ServerId {
        self.leader
    }

    /// Its connection to the leader.
    pub(crate) fn link(&self) -> Option<LinkId> {
        self.link
    }

    /// The leader's epoch.
    pub(crate) fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// Whether it does not vote.
    pub(crate) fn is_observer(&self) -> bool {
        self.identity.is_observer
    }

    /// Whether it is synchronized: clients are served.
    pub(crate) fn is_live(&self) -> bool {
        self.phase == Phase::Live
    }

    /// Whether a snapshot is what comes over the link now.
    pub(crate) fn is_loading(&self) -> bool {
        matches!(self.phase, Phase::Loading(_))
    }

    /// Whether packets must wait for the disk.
    pub(crate) fn is_paused(&self) -> bool {
        match self.phase {
            Phase::Promising(_) | Phase::Truncating(_) | Phase::Saving(_) => true,
            Phase::Dialing
            | Phase::Registered
            | Phase::Promised
            | Phase::Loading(_)
            | Phase::Syncing
            | Phase::Following
            | Phase::Synced
            | Phase::Live => false,
        }
    }

    /// How many proposals it has not acked.
    pub(crate) fn unacked(&self) -> usize {
        self.unacked.len()
    }

    /// Whether tree and log are between two states.
    pub(crate) fn is_torn(&self) -> bool {
        self.is_torn
    }

    /// When silence becomes too long.
    pub(crate) fn deadline(&self) -> Millis {
        match self.phase {
            Phase::Synced | Phase::Live => self.last_heard.after(self.sync_ms),
            // Its own disk takes as long as it takes; an error of it ends the process.
            Phase::Promising(_) | Phase::Truncating(_) | Phase::Saving(_) => Millis(u64::MAX),
            // The shell says when it was tried for too long.
            Phase::Dialing => Millis(u64::MAX),
            Phase::Registered
            | Phase::Promised
            | Phase::Loading(_)
            | Phase::Syncing
            | Phase::Following => self.last_heard.after(self.init_ms),
        }
    }

    /// Time has passed.
    pub(crate) fn on_timeout(&mut self, now: Millis, acts: &mut Vec<Act>) {
        if self.deadline() <= now {
            let silent_ms = now.since(self.last_heard);
            acts.push(Act::GiveUp(GiveUp::Silent { silent_ms }));
        }
    }

    /// The leader is reached.
    pub(crate) fn on_dialed(&mut self, now: Millis, link: LinkId, acts: &mut Vec<Act>) {
        self.link = Some(link);
        self.last_heard = now;
        self.phase = Phase::Registered;
        let identity = self.identity;
        let info = LearnerInfo {
            sid: Some(identity.me),
            protocol: LearnerInfo::PROTOCOL,
            config_version: identity.config_version,
            takes_hand_over: true,
            naming: Some(identity.naming),
        };
        let zxid = Zxid::new(identity.accepted, 0);
        let hello = if identity.is_observer {
            QuorumPacket::ObserverInfo { zxid, info }
        } else {
            QuorumPacket::FollowerInfo { zxid, info }
        };
        acts.push(Act::Send(link, packet(&hello)));
    }

    /// The leader said something. Requests' answers are handled before, once it is live.
    pub(crate) fn on_packet(
        &mut self,
        now: Millis,
        packet: &QuorumPacket<'_>,
        acts: &mut Vec<Act>,
    ) {
        self.last_heard = now;
        let result = match packet {
            QuorumPacket::LeaderInfo { zxid, .. } => self.on_leader_info(zxid.epoch(), acts),
            QuorumPacket::Diff { zxid } => self.on_diff(*zxid),
            QuorumPacket::Trunc { zxid } => self.on_trunc(*zxid, acts),
            QuorumPacket::Snap { zxid } => self.on_snap(*zxid, acts),
            QuorumPacket::Proposal { zxid, txn } => self.on_proposal(packet, *zxid, txn, acts),
            QuorumPacket::Commit { zxid } => self.on_commit(packet, *zxid, acts),
            QuorumPacket::CommitAndActivate { zxid, leader } => self
                .on_commit(packet, *zxid, acts)
                .map(|()| self.on_reconfigured(*zxid, *leader, acts)),
            QuorumPacket::Inform { zxid, txn } => self
                .on_proposal(packet, *zxid, txn, acts)
                .and_then(|()| self.on_commit(packet, *zxid, acts)),
            QuorumPacket::InformAndActivate { zxid, leader, txn } => self
                .on_proposal(packet, *zxid, txn, acts)
                .and_then(|()| self.on_commit(packet, *zxid, acts))
                .map(|()| self.on_reconfigured(*zxid, *leader, acts)),
            QuorumPacket::NewLeader { zxid, config } => {
                self.on_newleader(packet, zxid.epoch(), *config, acts)
            }
            QuorumPacket::UpToDate => self.on_uptodate(packet, acts),
            QuorumPacket::Ensemble { naming } => self.on_ensemble(*naming, acts),
            QuorumPacket::HandOver { leader } => {
                if self.is_live() {
                    if *leader == self.identity.me {
                        self.send(packet, acts);
                    }
                    acts.push(Act::Follow(*leader));
                }
                Ok(())
            }
            // Compat: a leader may ping before UPTODATE; nobody answers then.
            QuorumPacket::Ping { .. } | QuorumPacket::Unknown { .. } => Ok(()),
            QuorumPacket::Revalidated { .. } | QuorumPacket::Sync => Ok(()),
            QuorumPacket::Request(_)
            | QuorumPacket::Ack { .. }
            | QuorumPacket::Revalidate { .. }
            | QuorumPacket::FollowerInfo { .. }
            | QuorumPacket::ObserverInfo { .. }
            | QuorumPacket::AckEpoch { .. } => Err(self.unexpected(packet)),
        };
        if let Err(why) = result {
            acts.push(Act::GiveUp(why));
        }
    }

    fn unexpected(&self, packet: &QuorumPacket<'_>) -> GiveUp {
        let during = match self.phase {
            Phase::Dialing | Phase::Registered => "waiting for LEADERINFO",
            Phase::Promising(_) | Phase::Promised => "waiting for DIFF, TRUNC or SNAP",
            Phase::Truncating(_) | Phase::Loading(_) | Phase::Syncing | Phase::Following => {
                "synchronizing"
            }
            Phase::Saving(_) | Phase::Synced => "waiting for UPTODATE",
            Phase::Live => "taking part",
        };
        GiveUp::Unexpected { packet: packet.name(), during }
    }

    /// The leader says which ensemble it leads. What it says before LEADERINFO is on disk before NEWLEADER is
    /// acked, since the disk keeps the order.
    fn on_ensemble(&self, naming: Naming, acts: &mut Vec<Act>) -> Result<(), GiveUp> {
        let ours = self.identity.naming;
        if let (Some(ours), Some(theirs)) = (ours.settled(), naming.settled())
            && ours != theirs
        {
            return Err(GiveUp::Foreign { ours, theirs, sid: self.leader });
        }
        let is_news = match (ours, naming) {
            (Naming::Settled(_), _) | (_, Naming::Unknown) => false,
            (Naming::Proposed { epoch: known, .. }, Naming::Proposed { epoch, .. }) => {
                epoch > known
            }
            (Naming::Unknown, Naming::Proposed { .. }) | (_, Naming::Settled(_)) => true,
        };
        if is_news {
            acts.push(Act::StoreNaming(naming));
        }
        Ok(())
    }

    /// Its disk has what the leader said of the ensemble's id: a proposal counts now.
    pub(crate) fn on_naming_stored(&mut self, naming: Naming, acts: &mut Vec<Act>) {
        self.identity.naming = naming;
        if self.is_live() {
            self.send(&QuorumPacket::Ensemble { naming }, acts);
        }
    }

    fn on_leader_info(&mut self, epoch: Epoch, acts: &mut Vec<Act>) -> Result<(), GiveUp> {
        if self.phase != Phase::Registered {
            let (packet, during) = ("LEADERINFO", "waiting for something else");
            return Err(GiveUp::Unexpected { packet, during });
        }
        let accepted = self.identity.accepted;
        if epoch < accepted {
            return Err(GiveUp::OldEpoch { epoch, accepted });
        }
        self.epoch = epoch;
        // Compat: an epoch that was acked before must not count twice for the same leader.
        let current = (epoch > accepted).then_some(self.identity.current);
        self.phase = Phase::Promising(current);
        if current.is_some() {
            acts.push(Act::StoreAccepted(epoch));
        } else {
            self.promise(current, acts);
        }
        Ok(())
    }

    fn promise(&mut self, current: Option<Epoch>, acts: &mut Vec<Act>) {
        self.phase = Phase::Promised;
        let ack = QuorumPacket::AckEpoch { zxid: self.identity.last, epoch: current };
        self.send(&ack, acts);
    }

    fn on_diff(&mut self, zxid: Zxid) -> Result<(), GiveUp> {
        self.begin_sync("DIFF")?;
        info!("Getting a diff from the leader {zxid}");
        self.committed = self.last;
        self.phase = Phase::Syncing;
        Ok(())
    }

    fn on_trunc(&mut self, zxid: Zxid, acts: &mut Vec<Act>) -> Result<(), GiveUp> {
        self.begin_sync("TRUNC")?;
        info!("Truncating log to get in sync with the leader {zxid}");
        self.phase = Phase::Truncating(zxid);
        self.is_torn = true;
        acts.push(Act::Truncate(zxid));
        Ok(())
    }

    fn on_snap(&mut self, zxid: Zxid, acts: &mut Vec<Act>) -> Result<(), GiveUp> {
        self.begin_sync("SNAP")?;
        info!("Getting a snapshot from leader {zxid}");
        self.phase = Phase::Loading(zxid);
        self.is_torn = true;
        acts.push(Act::Load);
        Ok(())
    }

    fn begin_sync(&self, packet: &'static str) -> Result<(), GiveUp> {
        if self.phase == Phase::Promised {
            return Ok(());
        }
        Err(GiveUp::Unexpected { packet, during: "waiting for something else" })
    }

    /// The log is cut and ends here, and the database shows no more than it has.
    ///
    /// Compat: Java may name a txn that this server never had. What is below is a history that it shares
    /// with that leader, so it asks again.
    pub(crate) fn on_truncated(&mut self, last: Zxid, acts: &mut Vec<Act>) {
        if let Phase::Truncating(zxid) = self.phase {
            if last != zxid {
                return acts.push(Act::GiveUp(GiveUp::NotInLog { zxid, last }));
            }
            self.begin_at(zxid);
        } else if self.phase == Phase::Saving(Saving::Cut) {
            self.log_held(acts);
        }
    }

    /// The leader's snapshot is in the database, and nowhere else yet. Gives its zxid.
    pub(crate) fn on_loaded(&mut self) -> Option<Zxid> {
        let Phase::Loading(zxid) = self.phase else { return None };
        self.begin_at(zxid);
        self.phase = Phase::Following;
        self.is_torn = true;
        Some(zxid)
    }

    fn begin_at(&mut self, zxid: Zxid) {
        self.phase = Phase::Syncing;
        self.is_torn = false;
        self.last = zxid;
        self.persisted = zxid;
        self.committed = zxid;
    }

    /// A snapshot of the database is on disk, or could not be taken. The leader's must be.
    pub(crate) fn on_snapshot_taken(&mut self, is_durable: bool, acts: &mut Vec<Act>) {
        if self.phase != Phase::Saving(Saving::Snapshot) {
            return;
        }
        if !is_durable {
            return acts.push(Act::GiveUp(GiveUp::NotSaved));
        }
        if self.identity.last > self.committed {
            self.phase = Phase::Saving(Saving::Cut);
            return acts.push(Act::Truncate(self.committed));
        }
        self.log_held(acts);
    }

    /// The snapshot and the log belong together: what followed the snapshot may be logged.
    fn log_held(&mut self, acts: &mut Vec<Act>) {
        self.is_torn = false;
        self.phase = Phase::Saving(Saving::Txns);
        for (record, bytes) in std::mem::take(&mut self.held) {
            self.log(record, bytes, acts);
        }
        self.go_on_saving(acts);
    }

    /// Something came, if not a whole packet.
    pub(crate) fn heard(&mut self, now: Millis) {
        self.last_heard = now;
    }

    fn on_proposal(
        &mut self,
        packet: &QuorumPacket<'_>,
        zxid: Zxid,
        txn: &[u8],
        acts: &mut Vec<Act>,
    ) -> Result<(), GiveUp> {
        if !self.takes_txns() {
            return Err(self.unexpected(packet));
        }
        if zxid <= self.last {
            // Compat: Java sends what its fuzzy snapshot has already once more.
            return Ok(());
        }
        if zxid != self.last.next() && zxid.epoch() <= self.last.epoch() {
            return Err(GiveUp::Gap { zxid, last: self.last });
        }
        let unreadable = |error: String| GiveUp::Unreadable { what: "a proposed txn", error };
        let record = TxnRecord::decode(txn).map_err(|error| unreadable(error.to_string()))?;
        if record.header.zxid != zxid {
            return Err(unreadable(format!("its header has zxid {}", record.header.zxid)));
        }
        self.last = zxid;
        self.note_config(&record, acts);
        let bytes = Bytes::copy_from_slice(txn);
        if self.phase == Phase::Following {
            self.held.push_back((record, bytes));
        } else {
            self.log(record, bytes, acts);
        }
        Ok(())
    }

    fn takes_txns(&self) -> bool {
        matches!(self.phase, Phase::Syncing | Phase::Following | Phase::Synced | Phase::Live)
    }

    fn log(&mut self, record: TxnRecord, bytes: Bytes, acts: &mut Vec<Act>) {
        if !self.identity.is_observer {
            self.unacked.push_back(record.header.zxid);
        }
        acts.push(Act::Log(record, bytes));
    }

    fn on_commit(
        &mut self,
        packet: &QuorumPacket<'_>,
        zxid: Zxid,
        acts: &mut Vec<Act>,
    ) -> Result<(), GiveUp> {
        if !self.takes_txns() {
            return Err(self.unexpected(packet));
        }
        if zxid > self.last {
            return Err(GiveUp::NeverProposed { zxid, last: self.last });
        }
        if zxid > self.committed {
            self.committed = zxid;
            if self.phase == Phase::Live {
                acts.push(Act::Commit(zxid));
            }
        }
        Ok(())
    }

    /// A proposal that is a configuration is kept before it is logged: whoever has it in its log counts with
    /// it.
    fn note_config(&mut self, record: &TxnRecord, acts: &mut Vec<Act>) {
        if let Some(config) = record.txn.config() {
            let text = config.into_owned();
            acts.push(Act::Propose(text.clone()));
            self.config = Some((record.header.zxid, text));
        }
    }

    /// The commit of a configuration. Before UPTODATE it waits for that.
    fn on_reconfigured(&mut self, zxid: Zxid, leader: ServerId, acts: &mut Vec<Act>) {
        let Some((_, text)) = self.config.take_if(|(at, _)| *at == zxid) else { return };
        let activation = Activation { text, leader: Some(leader), is_txn: true };
        if self.phase == Phase::Live {
            acts.push(Act::Activate(activation));
        } else {
            self.activation = Some(activation);
        }
    }

    fn on_newleader(
        &mut self,
        packet: &QuorumPacket<'_>,
        epoch: Epoch,
        config: Option<&[u8]>,
        acts: &mut Vec<Act>,
    ) -> Result<(), GiveUp> {
        if epoch != self.epoch || !matches!(self.phase, Phase::Syncing | Phase::Following) {
            return Err(self.unexpected(packet));
        }
        // What was proposed to this server under other leaders is void unless this one has it too.
        self.activation = config.map(|config| {
            let text = String::from_utf8_lossy(config).into_owned();
            acts.push(Act::Propose(text.clone()));
            Activation { text, leader: None, is_txn: false }
        });
        if self.phase == Phase::Following {
            self.save_snapshot(acts);
        } else {
            self.phase = Phase::Saving(Saving::Txns);
            self.go_on_saving(acts);
        }
        Ok(())
    }

    /// Has the tree saved with all that was committed since the snapshot: only then it is of one moment,
    /// since Java's snapshots show some of that already.
    fn save_snapshot(&mut self, acts: &mut Vec<Act>) {
        self.phase = Phase::Saving(Saving::Snapshot);
        let committed = self.committed;
        while let Some((record, _)) =
            self.held.pop_front_if(|(record, _)| record.header.zxid <= committed)
        {
            acts.push(Act::Replay(record));
        }
        self.persisted = committed;
        acts.push(Act::Save);
    }

    /// The log has everything up to this txn.
    pub(crate) fn on_persisted(&mut self, zxid: Zxid, acts: &mut Vec<Act>) {
        self.persisted = self.persisted.max(zxid);
        self.go_on_saving(acts);
        if self.phase == Phase::Live {
            self.ack(acts);
        }
    }

    fn go_on_saving(&mut self, acts: &mut Vec<Act>) {
        let is_saved = self.persisted >= self.last;
        if self.phase == Phase::Saving(Saving::Txns) && is_saved {
            self.phase = Phase::Saving(Saving::Epoch);
            acts.push(Act::StoreCurrent(self.epoch));
        }
    }

    /// The files of epochs have these values.
    pub(crate) fn on_stored(&mut self, accepted: Epoch, current: Epoch, acts: &mut Vec<Act>) {
        match self.phase {
            Phase::Promising(epoch) if accepted == self.epoch => self.promise(epoch, acts),
            Phase::Saving(Saving::Epoch) if current == self.epoch => {
                self.phase = Phase::Synced;
                self.send(&QuorumPacket::Ack { zxid: Zxid::new(self.epoch, 0) }, acts);
            }
            _ => {}
        }
    }

    fn on_uptodate(
        &mut self,
        packet: &QuorumPacket<'_>,
        acts: &mut Vec<Act>,
    ) -> Result<(), GiveUp> {
        match self.phase {
            Phase::Synced => {}
            // Compat: Java logs a second one and goes on.
            Phase::Live => return Ok(()),
            _ => return Err(self.unexpected(packet)),
        }
        self.phase = Phase::Live;
        let committed = self.committed;
        self.unacked.retain(|zxid| *zxid > committed);
        acts.push(Act::Commit(committed));
        acts.push(Act::Serve);
        if let Some(activation) = self.activation.take() {
            acts.push(Act::Activate(activation));
        }
        // Compat: Java acks UPTODATE with the zxid of NEWLEADER once more.
        self.send(&QuorumPacket::Ack { zxid: Zxid::new(self.epoch, 0) }, acts);
        self.ack(acts);
        Ok(())
    }

    /// Acks what is on disk.
    fn ack(&mut self, acts: &mut Vec<Act>) {
        let persisted = self.persisted;
        let mut acks = Vec::new();
        while let Some(zxid) = self.unacked.pop_front_if(|zxid| *zxid <= persisted) {
            QuorumPacket::Ack { zxid }.encode(&mut acks);
        }
        if let Some(link) = self.link.filter(|_| !acks.is_empty()) {
            acts.push(Act::Send(link, acks.into()));
        }
    }

    /// How long it has been a learner, in ms.
    pub(crate) fn age_ms(&self, now: Millis) -> u64 {
        now.since(self.began)
    }

    fn send(&self, message: &QuorumPacket<'_>, acts: &mut Vec<Act>) {
        if let Some(link) = self.link {
            acts.push(Act::Send(link, packet(message)));
        }
    }
}
