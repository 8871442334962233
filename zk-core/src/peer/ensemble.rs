//! A peer as a member of an ensemble: which role it has, and how it changes.
//!
//! Leaving a role drops all that belongs to it. Before the next election the log has everything that was
//! appended, the files of epochs what was decided, and tree and log belong together again.
//!
//! Invariants
//! - A vote tells the last txn on disk and the epoch on disk.
//! - A tree that a snapshot or a truncation left half changed is read from disk again, whatever happens.
//!
//! Java: `QuorumPeer.run`.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::fmt;

use tracing::{info, warn};
use zk_wire::{Epoch, Notification, PeerState, Replica as _, ServerId, SessionId, SnapshotStream};

use super::forward::{Forwarded, Revalidating, Syncing};
use super::reconfig::proposed_at_start;
use super::shown::Since;
use super::snapshots::Cursor;
use super::{Now, Output, Peer, Reply};
use crate::database::Database;
use crate::election::{self, Election, ElectionOptions};
use crate::prep::Prep;
use crate::sessions::Millis;
use crate::zab::{
    Act, EnsembleOptions, GiveUp, History, Keep, Leader, Learner, LearnerIdentity, LinkId,
};

/// What only a member of an ensemble has.
#[derive(Debug)]
pub(super) struct Ensemble {
    pub(super) options: EnsembleOptions,
    election: Election,
    pub(super) role: Role,
    pub(super) history: History,
    pub(super) links: BTreeMap<LinkId, Link>,
    /// A learner's requests that the leader has, in order for each session.
    pub(super) forwarded: BTreeMap<SessionId, VecDeque<Forwarded>>,
    pub(super) forwarded_count: usize,
    /// Sessions that a learner heard of since the leader's last PING, with their timeout in ms.
    pub(super) touched: BTreeMap<SessionId, i32>,
    pub(super) revalidating: VecDeque<Revalidating>,
    pub(super) syncing: VecDeque<Syncing>,
    /// Learners that wait for a snapshot, and those that it is streamed to.
    pub(super) waiting_for_snapshot: BTreeSet<LinkId>,
    /// Whose database the cursor of snapshots walks, if it does.
    pub(super) cursor: Cursor,
    /// A snapshot of its own is due.
    pub(super) wants_snapshot: bool,
    /// How many `StoreEpochs`, `StoreNaming` and `Reload` the disk has not answered.
    pub(super) stores_due: u32,
    pub(super) reloads_due: u32,
    pub(super) looking_since: Millis,
    pub(super) since: Since,
    /// Not before this moment the next election begins.
    look_at: Millis,
    /// How many roles ended in a row before clients could be served.
    failures: u32,
    /// The highest epoch that a voter told this server it had promised, when it led.
    promised: Epoch,
    /// Reads are served while it looks for a leader.
    pub(super) is_read_only: bool,
    /// Whom the last leader named as the next one.
    pub(super) heir: Option<ServerId>,
    /// It is to lead a new ensemble once its empty database is on disk.
    pub(super) is_founding: bool,
}

/// What a member is.
#[derive(Debug)]
pub(super) enum Role {
    /// Nothing, until the disk has what the last role left.
    Leaving,
    /// It looks for a leader.
    Looking,
    /// It won.
    Leading(Box<Leader>),
    /// It follows, with a vote or without.
    Learning(Box<Learner>),
}

/// What a member is, for people. Java: `QuorumPeer.ServerState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RoleName {
    /// No ensemble.
    Standalone,
    /// Without a leader.
    Looking,
    /// The leader, or about to be.
    Leading,
    /// A follower, or about to be.
    Following,
    /// An observer, or about to be.
    Observing,
}

impl fmt::Display for RoleName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Standalone => "STANDALONE",
            Self::Looking => "LOOKING",
            Self::Leading => "LEADING",
            Self::Following => "FOLLOWING",
            Self::Observing => "OBSERVING",
        })
    }
}

/// A connection between servers.
#[derive(Debug, Default)]
pub(super) struct Link {
    /// What came and is not understood yet.
    pub(super) inbox: Vec<u8>,
    /// The snapshot that is coming over it.
    pub(super) stream: Option<SnapshotStream>,
}

impl Ensemble {
    pub(super) fn new(mut options: EnsembleOptions, database: &mut Database) -> Self {
        options.proposed = proposed_at_start(database, &options);
        let election = Election::new(ElectionOptions {
            me: options.me,
            interval_min_ms: options.election_interval_min_ms,
            interval_max_ms: options.election_interval_max_ms,
            may_found: options.may_found,
            finalize_ms: FINALIZE_MS,
        });
        Self {
            election,
            role: Role::Leaving,
            history: History::ending_with(
                database.last_zxid(),
                database.take_replayed(),
                Keep { txns: options.commit_log_count, bytes: options.commit_log_bytes },
            ),
            links: BTreeMap::new(),
            forwarded: BTreeMap::new(),
            forwarded_count: 0,
            touched: BTreeMap::new(),
            revalidating: VecDeque::new(),
            syncing: VecDeque::new(),
            waiting_for_snapshot: BTreeSet::new(),
            cursor: Cursor::Idle,
            wants_snapshot: false,
            stores_due: 0,
            reloads_due: 0,
            looking_since: Millis(0),
            since: Since::default(),
            look_at: Millis(0),
            failures: 0,
            promised: Epoch(0),
            is_read_only: false,
            heir: None,
            is_founding: false,
            options,
        }
    }

    /// When to look at the clock again; `may_look`: the log has all that it was told to append, and the
    /// process goes on.
    pub(super) fn deadline(&self, may_look: bool) -> Option<Millis> {
        match &self.role {
            // Until then the disk's answer is what comes next.
            Role::Leaving => self.is_settled(may_look).then_some(self.look_at),
            Role::Looking => self.election.deadline(),
            Role::Leading(leader) => Some(leader.deadline()),
            Role::Learning(learner) => Some(learner.deadline()),
        }
    }

    /// Whether nothing of the last role is on its way to the disk.
    fn is_settled(&self, is_logged: bool) -> bool {
        is_logged && self.stores_due == 0 && self.reloads_due == 0
    }

    pub(super) fn is_serving(&self) -> bool {
        match &self.role {
            Role::Leaving | Role::Looking => false,
            Role::Leading(leader) => leader.is_established() && self.options.leader_serves,
            Role::Learning(learner) => learner.is_live(),
        }
    }

    pub(super) fn role_name(&self) -> RoleName {
        match &self.role {
            Role::Leaving | Role::Looking => RoleName::Looking,
            Role::Leading(_) => RoleName::Leading,
            Role::Learning(learner) if learner.is_observer() => RoleName::Observing,
            Role::Learning(_) => RoleName::Following,
        }
    }
}

impl Peer {
    /// What it is.
    pub fn role(&self) -> RoleName {
        self.ensemble.as_ref().map_or(RoleName::Standalone, |ensemble| ensemble.role_name())
    }

    /// Whether clients are served.
    pub fn is_serving(&self) -> bool {
        self.ensemble.as_ref().is_none_or(|ensemble| ensemble.is_serving())
    }

    /// Whether it decides what is written and when sessions end.
    pub(super) fn is_in_charge(&self) -> bool {
        self.ensemble.as_ref().is_none_or(|ensemble| match &ensemble.role {
            Role::Leading(leader) => leader.is_established(),
            Role::Leaving | Role::Looking | Role::Learning(_) => false,
        })
    }

    /// Whether writes go to a leader.
    pub(super) fn is_learning(&self) -> bool {
        self.ensemble.as_ref().is_some_and(|ensemble| matches!(ensemble.role, Role::Learning(_)))
    }

    pub(super) fn on_notified(
        &mut self,
        now: Now,
        from: ServerId,
        payload: &[u8],
        out: &mut Vec<Output>,
    ) {
        match Notification::decode(payload) {
            Ok(notification) => {
                self.yield_to(now, from, &notification, out);
                if self.adopt_members(now, from, &notification, out) {
                    self.look(now, out);
                }
                self.vote(now, out, |election, options, acts| {
                    election.on_notification(now.mono, &options.members, from, &notification, acts);
                });
            }
            Err(error) => warn!("a vote of server.{from} is dropped: {error}"),
        }
    }

    /// A leader without a quorum yet looks again when a voter changes its mind: it decided at once, without
    /// Java's wait for better votes, and would wait for that voter in vain.
    fn yield_to(
        &mut self,
        now: Now,
        from: ServerId,
        notification: &Notification<'_>,
        out: &mut Vec<Output>,
    ) {
        let Some(ensemble) = &self.ensemble else { return };
        let Role::Leading(leader) = &ensemble.role else { return };
        let Notification { epoch, zxid, leader: wanted, state, .. } = *notification;
        let is_voter = ensemble.options.members.is_voter(from);
        let is_better = leader.is_outvoted_by((epoch, zxid, wanted));
        if is_voter && is_better && state == PeerState::Looking {
            let why = GiveUp::Outvoted { voter: from, leader: wanted };
            self.leave_role(now, &why, out);
        }
    }

    pub(super) fn on_reachable(
        &mut self,
        now: Now,
        peer: ServerId,
        is_reachable: bool,
        out: &mut Vec<Output>,
    ) {
        self.vote(now, out, |election, options, acts| {
            election.on_reachable(now.mono, &options.members, peer, is_reachable, acts);
        });
    }

    /// Lets the election have a turn and does what it wants.
    fn vote(
        &mut self,
        now: Now,
        out: &mut Vec<Output>,
        turn: impl FnOnce(&mut Election, &EnsembleOptions, &mut Vec<election::Act>),
    ) {
        let Some(ensemble) = &mut self.ensemble else { return };
        let mut acts = Vec::new();
        turn(&mut ensemble.election, &ensemble.options, &mut acts);
        for act in acts {
            match act {
                election::Act::Send { to, payload } => out.push(Output::Notify { to, payload }),
                election::Act::ConnectAll => out.push(Output::ConnectPeers),
                election::Act::Decided(vote) => self.take_role(now, vote.leader, out),
            }
        }
    }

    /// Begins an election once the disk has everything.
    pub(super) fn look_when_settled(&mut self, now: Now, out: &mut Vec<Output>) {
        let is_logged = self.persisted >= self.appended;
        let is_stopping = self.is_stopping;
        let Some(ensemble) = &mut self.ensemble else { return };
        let is_leaving = matches!(ensemble.role, Role::Leaving) && !is_stopping;
        if !is_leaving || !ensemble.is_settled(is_logged) || now.mono < ensemble.look_at {
            return;
        }
        ensemble.looking_since = now.mono;
        let last = ensemble.options.last_told(ensemble.history.last());
        if let Some(heir) = ensemble.heir.take() {
            let options = &ensemble.options;
            ensemble.election.appoint(&options.members, heir, last, options.current_epoch);
            return self.take_role(now, heir, out);
        }
        info!("LOOKING");
        ensemble.role = Role::Looking;
        self.stats.member.looked += 1;
        self.look(now, out);
    }

    /// Begins an election, or begins it anew.
    pub(super) fn look(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(ensemble) = &mut self.ensemble else { return };
        ensemble.is_founding = false;
        let last = ensemble.options.last_told(ensemble.history.last());
        self.vote(now, out, |election, options, acts| {
            election.look(now.mono, &options.members, last, options.current_epoch, acts);
        });
    }

    /// The process is to end. A leader hands over first.
    pub(super) fn on_stop(&mut self, now: Now, out: &mut Vec<Output>) {
        self.is_stopping = true;
        let is_leading = self.role() == RoleName::Leading;
        if !is_leading {
            return out.push(Output::Stopped);
        }
        self.lead(now, out, |leader, ensemble, acts| leader.retire(ensemble.options, acts));
    }

    /// The leader leaves and has named the next one.
    fn follow(&mut self, now: Now, heir: ServerId, out: &mut Vec<Output>) {
        let Some(ensemble) = &mut self.ensemble else { return };
        ensemble.heir = Some(heir).filter(|heir| ensemble.options.members.is_voter(*heir));
        self.leave_role(now, &GiveUp::HandedOver { heir }, out);
    }

    /// The election is over.
    pub(super) fn take_role(&mut self, now: Now, leader: ServerId, out: &mut Vec<Output>) {
        self.end_read_only(out);
        let Some(ensemble) = &mut self.ensemble else { return };
        if ensemble.options.is_blank && leader == ensemble.options.me {
            // A log that is without a snapshot would look like a loss to the next start.
            ensemble.is_founding = true;
            return self.want_snapshot(now, out);
        }
        ensemble.on_elected(now.mono, leader, &mut self.stats.member);
        let options = &ensemble.options;
        let last = ensemble.options.last_told(ensemble.history.last());
        let tick_ms = self.options.tick_ms;
        if leader != options.me {
            let identity = LearnerIdentity {
                me: options.me,
                is_observer: options.is_observer(),
                config_version: options.members.version(),
                accepted: options.accepted_epoch,
                current: options.current_epoch,
                naming: options.naming,
                last,
            };
            info!("{}", if identity.is_observer { "OBSERVING" } else { "FOLLOWING" });
            let (init_ms, sync_ms) = (options.init_limit, options.sync_limit);
            let limits = (tick_ms * u64::from(init_ms), tick_ms * u64::from(sync_ms));
            let learner = Learner::new(identity, leader, now.mono, limits.0, limits.1);
            ensemble.role = Role::Learning(Box::new(learner));
            for link in std::mem::take(&mut ensemble.links).into_keys() {
                out.push(Output::CloseLink(link));
            }
            return out.push(Output::Dial { leader });
        }
        info!("LEADING");
        let mut leading = Leader::new(options, tick_ms, now.mono, last, ensemble.promised);
        let links: Vec<LinkId> = ensemble.links.keys().copied().collect();
        for link in &links {
            leading.on_opened(now.mono, *link);
        }
        ensemble.role = Role::Leading(Box::new(leading));
        for link in links {
            self.read_link(now, link, out);
            out.push(Output::ResumeLink(link));
        }
        self.lead(now, out, |leader, ensemble, acts| {
            leader.choose_epoch(now.mono, ensemble.options, acts);
        });
    }

    /// The role is over: clients and peers are let go, and nothing of it stays.
    pub(super) fn leave_role(&mut self, now: Now, why: &GiveUp, out: &mut Vec<Output>) {
        self.on_role_lost(now.mono);
        let Some(ensemble) = &mut self.ensemble else { return };
        let is_torn = match &ensemble.role {
            Role::Leaving | Role::Looking => return,
            Role::Leading(leader) => {
                warn!("giving up leading in epoch {}: {why}", leader.epoch());
                false
            }
            Role::Learning(learner) => {
                let (leader, age_ms) = (learner.leader(), learner.age_ms(now.mono));
                if ensemble.heir.is_some() {
                    info!("leaving leader server.{leader} after {age_ms} ms: {why}");
                } else {
                    warn!("leaving leader server.{leader} after {age_ms} ms: {why}");
                }
                if learner.link().is_none() {
                    out.push(Output::StopDialing);
                }
                learner.is_torn()
            }
        };
        if let GiveUp::Promised { accepted, .. } = why {
            ensemble.promised = ensemble.promised.max(*accepted);
        }
        if let GiveUp::Foreign { ours, theirs, sid } = *why {
            out.push(Output::Foreign { ours, theirs, from: sid });
        }
        ensemble.role = Role::Leaving;
        ensemble.look_at = now.mono.after(pause_ms(ensemble.failures));
        ensemble.failures = ensemble.failures.saturating_add(1);
        for link in std::mem::take(&mut ensemble.links).into_keys() {
            out.push(Output::CloseLink(link));
        }
        ensemble.forwarded.clear();
        ensemble.forwarded_count = 0;
        ensemble.touched.clear();
        ensemble.revalidating.clear();
        ensemble.syncing.clear();
        ensemble.waiting_for_snapshot.clear();
        if is_torn {
            self.reload(out);
        }
        self.sessions.clear();
        self.local.clear();
        let open: Vec<_> = self.connections().map(super::Connection::id).collect();
        for cnx in open {
            self.close(cnx, out);
        }
        if self.is_stopping {
            out.push(Output::Stopped);
        }
        self.look_when_settled(now, out);
    }

    pub(super) fn on_ensemble_timeout(&mut self, now: Now, out: &mut Vec<Output>) {
        self.look_when_settled(now, out);
        let Some(ensemble) = &self.ensemble else { return };
        match ensemble.role {
            Role::Leaving => {}
            Role::Looking => {
                if ensemble.election.deadline().is_some_and(|at| at <= now.mono) {
                    self.vote(now, out, |election, options, acts| {
                        election.on_timeout(now.mono, &options.members, acts);
                    });
                }
            }
            Role::Leading(_) => self.lead(now, out, |leader, ensemble, acts| {
                leader.on_timeout(now.mono, ensemble.options, acts);
            }),
            Role::Learning(_) => {
                self.learn(now, out, |learner, _, acts| learner.on_timeout(now.mono, acts));
            }
        }
    }

    /// Clients may come: the leader is established, or the learner synchronized.
    fn serve(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(ensemble) = &mut self.ensemble else { return };
        let took_ms = now.mono.since(ensemble.looking_since);
        let (epoch, is_leading) = match &ensemble.role {
            Role::Leading(leader) => (leader.epoch(), true),
            Role::Learning(learner) => (learner.epoch(), false),
            Role::Leaving | Role::Looking => return,
        };
        let name = ensemble.role_name();
        ensemble.failures = 0;
        ensemble.options.is_blank = false;
        ensemble.on_serving(now.mono, &mut self.stats.member);
        ensemble.election.established(epoch);
        info!("{name}: serving clients in epoch {epoch}, {took_ms} ms after the search began");
        let members = &ensemble.options.members;
        self.database.show_config(members.text(), members.version(), now.wall_ms);
        self.sessions.clear();
        if !is_leading {
            return;
        }
        assert!(self.in_flight.is_empty(), "what a quorum has synchronized is applied");
        let seed = self.options.seed;
        self.prep = Prep::new(self.options.prep.clone(), &self.database, seed);
        self.prep.begin_epoch(epoch);
        self.track_all(now.mono);
        self.reap_at = Some(now.mono.after(self.options.containers.check_interval_ms));
        self.unpark(out);
    }

    /// Lets the leader have a turn and does what it wants.
    pub(super) fn lead(
        &mut self,
        now: Now,
        out: &mut Vec<Output>,
        turn: impl FnOnce(&mut Leader, &EnsembleView<'_>, &mut Vec<Act>),
    ) {
        let Some(ensemble) = &mut self.ensemble else { return };
        let Role::Leading(leader) = &mut ensemble.role else { return };
        let mut acts = Vec::new();
        let view = EnsembleView { options: &ensemble.options, history: &ensemble.history };
        turn(leader, &view, &mut acts);
        self.carry_out(now, acts, out);
    }

    /// Lets the learner have a turn and does what it wants.
    pub(super) fn learn(
        &mut self,
        now: Now,
        out: &mut Vec<Output>,
        turn: impl FnOnce(&mut Learner, &EnsembleView<'_>, &mut Vec<Act>),
    ) {
        let Some(ensemble) = &mut self.ensemble else { return };
        let Role::Learning(learner) = &mut ensemble.role else { return };
        let mut acts = Vec::new();
        let view = EnsembleView { options: &ensemble.options, history: &ensemble.history };
        turn(learner, &view, &mut acts);
        self.carry_out(now, acts, out);
    }

    /// Does what a leader or a learner wants, in order; nothing more once it gives up.
    pub(super) fn carry_out(&mut self, now: Now, acts: Vec<Act>, out: &mut Vec<Output>) {
        for act in acts {
            let Some(ensemble) = &mut self.ensemble else { return };
            let (accepted, current) =
                (ensemble.options.accepted_epoch, ensemble.options.current_epoch);
            match act {
                Act::Send(link, bytes) => out.push(Output::Send { link, bytes }),
                Act::Close(link) => {
                    ensemble.links.remove(&link);
                    out.push(Output::CloseLink(link));
                }
                Act::StoreAccepted(epoch) => self.store(epoch, current, out),
                Act::StoreCurrent(epoch) => self.store(accepted.max(epoch), epoch, out),
                Act::StoreNaming(naming) => {
                    ensemble.stores_due += 1;
                    out.push(Output::StoreNaming(naming));
                }
                Act::Log(record, bytes) => self.append(record, bytes, Reply::Nobody, out),
                Act::Truncate(zxid) => self.truncate(zxid, out),
                Act::Load => self.begin_load(out),
                Act::Replay(record) => self.database.replay(&record),
                Act::Save => self.finish_load(now, out),
                Act::Commit(zxid) => {
                    self.committed = self.committed.max(zxid);
                    self.apply(now, out);
                }
                Act::Propose(text) => self.on_members_proposed(&text, out),
                Act::Activate(activation) => {
                    if !self.activate(now, &activation, out) {
                        return;
                    }
                    self.lead(now, out, |leader, ensemble, acts| {
                        leader.on_activated(ensemble.options, ensemble.history, acts);
                    });
                }
                Act::ReadLog(read) => self.read_log(read, out),
                Act::Stream(link) => {
                    ensemble.waiting_for_snapshot.insert(link);
                    self.use_cursor(now, out);
                }
                Act::Serve => self.serve(now, out),
                Act::Follow(heir) => return self.follow(now, heir, out),
                Act::Retired => out.push(Output::Stopped),
                Act::GiveUp(why) => return self.leave_role(now, &why, out),
            }
        }
    }

    /// Forgets txns that no learner is likely to need.
    pub(super) fn trim_history(&mut self, now: Now, out: &mut Vec<Output>) {
        let applied = self.database.last_zxid();
        self.lead(now, out, |leader, ensemble, acts| {
            if ensemble.history.len_bytes() > LAG_BYTES_MAX {
                leader.drop_laggards(acts);
            }
        });
        let Some(ensemble) = &mut self.ensemble else { return };
        let needed = match &ensemble.role {
            Role::Leading(leader) => leader.needed().min(applied),
            Role::Leaving | Role::Looking | Role::Learning(_) => applied,
        };
        ensemble.history.trim(needed);
    }
}

/// What a leader or a learner may look at.
pub(super) struct EnsembleView<'a> {
    pub(super) options: &'a EnsembleOptions,
    pub(super) history: &'a History,
}

/// How long to wait for the next election after so many roles in a row that came to nothing.
fn pause_ms(failures: u32) -> u64 {
    if failures == 0 { 0 } else { (5 << failures.min(8)).min(1000) }
}

/// How much is kept for learners that are being synchronized, in bytes.
const LAG_BYTES_MAX: usize = 256 << 20;
/// How long a decision waits for a better vote, in ms. Java: `finalizeWait`.
const FINALIZE_MS: u64 = 200;

#[cfg(test)]
mod tests;
