//! What each server of an ensemble does, held against the properties of the TLA+ model.
//!
//! It looks at each server after each of its steps; what has not changed costs nothing.

use std::collections::BTreeMap;

use zk_core::{Database, Peer, RoleName};
use zk_wire::{Epoch, Zxid};

use super::{Checker, Heard};
use crate::violation::{Property, Violation};

/// What is known of one server.
#[derive(Debug, Default)]
pub(super) struct Seat {
    /// The last txn that its log was told to append.
    pub(super) logged: i64,
    /// The last txn that its disk has for sure.
    durable: i64,
    /// What its database shows, as it says.
    pub(super) applied: i64,
    /// The last that it has shown to clients.
    delivered: i64,
    pub(super) is_serving: bool,
    pub(super) is_leading: bool,
    /// The epoch in which it serves.
    pub(super) epoch: i32,
    /// Its tree comes from a snapshot that a leader sent: sessions and ACLs are not in the digest.
    is_loaded: bool,
    /// What its files of epochs have: accepted, then current.
    stored: (i32, i32),
    /// What its last volume that was lost had: a txn and a current epoch. An ACK of that may still be on its way.
    lost: (i64, i32),
    /// While it leads: when it heard of each session, by its own clock.
    pub(super) heard: BTreeMap<i64, Heard>,
}

impl Checker {
    /// A server has recovered this database.
    pub(crate) fn on_recovered(
        &mut self,
        node: usize,
        database: &Database,
    ) -> Result<(), Violation> {
        let found = database.last_zxid().0;
        if self.is_alone {
            self.on_lone_recovery(found)?;
        }
        let Some(moment) = self.book.get(found).cloned() else {
            return Err(Property::RecoveredIsPrefix
                .broken(format!("server {node} recovered {found:x}, which was never issued")));
        };
        let seat = &mut self.seats[node];
        let (delivered, stored, lost) = (seat.delivered, seat.stored, seat.lost);
        let last = moment.zxid;
        *seat = Seat {
            delivered,
            stored,
            lost,
            logged: last,
            durable: last,
            applied: found,
            ..Seat::default()
        };
        if !self.book.has(last, self.book.txn_of(delivered)) {
            return Err(Property::AckedSurvives.broken(format!(
                "server {node} recovered {found:x}, but had shown {delivered:x}"
            )));
        }
        moment.state.compare(database)
    }

    /// A server's files are gone: it knows nothing of what it has promised and shown.
    pub(crate) fn on_volume_lost(&mut self, node: usize) {
        let seat = &mut self.seats[node];
        let lost = (seat.durable.max(seat.lost.0), seat.stored.1.max(seat.lost.1));
        *seat = Seat { lost, ..Seat::default() };
    }

    /// What a lone server does not have is gone for good.
    fn on_lone_recovery(&mut self, found: i64) -> Result<(), Violation> {
        let latest = self.book.latest().zxid;
        if found < self.acked {
            return Err(Property::AckedSurvives
                .broken(format!("recovered {found:x}, but a client saw {:x}", self.acked)));
        }
        if found > latest {
            return Err(Property::RecoveredIsPrefix
                .broken(format!("recovered {found:x}, but only {latest:x} was issued")));
        }
        self.book.forget_above(found);
        self.created.retain(|_, zxid| *zxid <= found);
        self.seats[0].delivered = self.seats[0].delivered.min(found);
        Ok(())
    }

    /// A server's files of epochs have these values, by its start or because they were written.
    pub(crate) fn on_epochs(
        &mut self,
        node: usize,
        accepted: Epoch,
        current: Epoch,
    ) -> Result<(), Violation> {
        let stored = self.seats[node].stored;
        let found = (accepted.0, current.0);
        if found.1 > found.0 || found.0 < stored.0 || found.1 < stored.1 {
            return Err(Property::Epochs.broken(format!(
                "server {node} has accepted and current epoch {found:?} after {stored:?}"
            )));
        }
        self.seats[node].stored = found;
        Ok(())
    }

    /// A leader has its quorum's promises and makes the epoch its own: its history is that epoch's.
    pub(crate) fn on_reign(&mut self, node: usize, epoch: Epoch) -> Result<(), Violation> {
        let logged = self.seats[node].logged;
        if let Some(other) = self.reigns.insert(epoch.0, node) {
            return Err(Property::Leadership1
                .broken(format!("epoch {epoch} is begun by server {node}, but was by {other}")));
        }
        self.book.begin(Zxid::new(epoch, 0).0, logged);
        self.seats[node].epoch = epoch.0;
        Ok(())
    }

    /// A learner makes its leader's epoch its own.
    pub(crate) fn on_following(&mut self, node: usize, epoch: Epoch) {
        self.seats[node].epoch = epoch.0;
    }

    /// A server's log ends with this txn from now on.
    pub(crate) fn on_log_cut(&mut self, node: usize, zxid: Zxid) {
        self.seats[node].logged = self.book.txn_of(zxid.0);
    }

    /// A leader's snapshot comes to a learner whole: its history goes on from there.
    pub(crate) fn on_snapshot(&mut self, node: usize, zxid: Zxid) {
        let seat = &mut self.seats[node];
        seat.logged = self.book.txn_of(zxid.0);
        seat.is_loaded = true;
    }

    /// A server's disk has everything up to this txn.
    pub(crate) fn on_durable(&mut self, node: usize, zxid: Zxid) {
        let txn = self.book.txn_of(zxid.0);
        let durable = self.seats[node].durable;
        if !self.book.has(durable, txn) {
            self.seats[node].durable = txn;
        }
    }

    /// A server's disk has nothing above this txn.
    pub(crate) fn on_disk_cut(&mut self, node: usize, zxid: Zxid) {
        self.seats[node].durable = self.book.txn_of(zxid.0);
    }

    /// A server's files were read again.
    pub(crate) fn on_reloaded(
        &mut self,
        node: usize,
        database: &Database,
    ) -> Result<(), Violation> {
        let found = database.last_zxid().0;
        let Some(moment) = self.book.get(found).cloned() else {
            return Err(Property::RecoveredIsPrefix
                .broken(format!("server {node} reloaded {found:x}, which was never issued")));
        };
        let seat = &mut self.seats[node];
        (seat.logged, seat.durable) = (moment.zxid, moment.zxid);
        moment.state.compare(database)
    }

    /// A server has made a step, at this moment of its own clock.
    pub(crate) fn observe(
        &mut self,
        node: usize,
        peer: &Peer,
        now_ms: u64,
    ) -> Result<(), Violation> {
        let is_serving = peer.is_serving();
        let zxid = peer.database().last_zxid().0;
        let seat = &mut self.seats[node];
        if (seat.is_serving, seat.applied) == (is_serving, zxid) {
            return Ok(());
        }
        let began = is_serving && !seat.is_serving;
        // Also what it applied just before it lost its role.
        let has_shown = is_serving || seat.is_serving && zxid > seat.applied;
        (seat.is_serving, seat.applied) = (is_serving, zxid);
        seat.is_leading = match peer.role() {
            RoleName::Standalone | RoleName::Leading => true,
            RoleName::Looking | RoleName::Following | RoleName::Observing => false,
        };
        if began && seat.is_leading {
            self.on_established(node)?;
            self.track_all(node, now_ms);
        }
        if has_shown {
            self.on_delivered(node, zxid)?;
        }
        // A tree that is being filled shows no moment yet.
        if zxid != 0 {
            self.check_digest(node, zxid, peer.database())?;
            if std::mem::take(&mut self.seats[node].is_loaded) {
                self.compare(peer.database())?;
            }
        }
        Ok(())
    }

    fn on_established(&mut self, node: usize) -> Result<(), Violation> {
        let seat = &self.seats[node];
        let (epoch, logged) = (seat.epoch, seat.logged);
        if !self.is_alone {
            if let Some(other) = self.established.insert(epoch, node) {
                return Err(Property::Leadership1
                    .broken(format!("epoch {epoch} has leader {node} after leader {other}")));
            }
            let state = self.book.get(logged).expect("it was proposed").state.clone();
            if !self.has_quorum(&state, |seat| seat.stored.1.max(seat.lost.1) >= epoch) {
                return Err(Property::QuorumDurable.broken(format!(
                    "{node} is established in epoch {epoch}, which is not on the disks of a quorum"
                )));
            }
        }
        let head = self.book.head().zxid;
        // Who is established late may do so without what a later leader has delivered: it commits nothing.
        let is_later = Zxid(head).epoch().0 > epoch;
        if !is_later && !self.book.has(logged, head) {
            return Err(Property::PrimaryIntegrity.broken(format!(
                "{node} leads epoch {epoch} with {logged:x}, without {head:x} that was delivered"
            )));
        }
        self.epoch_max = self.epoch_max.max(epoch);
        Ok(())
    }

    /// A server begins to lead: every session has its whole timeout again.
    fn track_all(&mut self, node: usize, now_ms: u64) {
        let state = self.book.get(self.seats[node].logged).map(|moment| moment.state.clone());
        let sessions = state.map(|state| state.sessions.clone()).unwrap_or_default();
        let track = |(session, timeout_ms): (i64, i32)| {
            let timeout_ms = u64::try_from(timeout_ms).unwrap_or(0);
            (session, Heard { at_ms: now_ms, timeout_ms })
        };
        self.seats[node].heard = sessions.into_iter().map(track).collect();
    }

    fn on_delivered(&mut self, node: usize, zxid: i64) -> Result<(), Violation> {
        let Some(txn) = self.book.get(zxid).map(|moment| moment.zxid) else {
            return Err(Property::Integrity
                .broken(format!("server {node} delivers {zxid:x}, which nobody proposed")));
        };
        let (delivered, logged) = (self.seats[node].delivered, self.seats[node].logged);
        if zxid < delivered {
            return Err(Property::PrefixConsistency
                .broken(format!("server {node} delivers {zxid:x} after {delivered:x}")));
        }
        self.seats[node].delivered = zxid;
        if !self.book.has(logged, txn) {
            return Err(Property::TotalOrder.broken(format!(
                "server {node} delivers {txn:x}, but its log ends with {logged:x}"
            )));
        }
        if self.book.place_of(txn).is_some() {
            return Ok(());
        }
        let head = self.book.head().zxid;
        if !self.book.commit(txn) {
            return Err(Property::PrefixConsistency.broken(format!(
                "server {node} delivers {txn:x}, which is no successor of {head:x}"
            )));
        }
        // A configuration needs the voters before it too.
        let moment = self.book.get(txn).expect("it was proposed");
        let above = self.book.get(moment.above).expect("it was proposed");
        for state in [&above.state, &moment.state] {
            let had =
                |seat: &Seat| self.book.has(seat.durable, txn) || self.book.has(seat.lost.0, txn);
            if !self.has_quorum(state, had) {
                return Err(Property::QuorumDurable
                    .broken(format!("{txn:x} is committed, but not on the disks of a quorum")));
            }
        }
        Ok(())
    }

    fn check_digest(&self, node: usize, zxid: i64, database: &Database) -> Result<(), Violation> {
        let Some(moment) = self.book.get(zxid) else {
            return Err(Property::Integrity
                .broken(format!("server {node} shows {zxid:x}, which nobody proposed")));
        };
        if database.tree().digest() != moment.state.digest || database.digest_mismatches() > 0 {
            return Err(Property::Digest.broken(format!("of server {node} at {zxid:x}")));
        }
        Ok(())
    }

    /// What all servers show, if they all serve and show the same: everything that was committed.
    pub(crate) fn common_end(&self) -> Option<i64> {
        let end = self.book.head().zxid;
        let is_there = |seat: &Seat| seat.is_serving && self.book.txn_of(seat.applied) == end;
        self.seats.iter().all(is_there).then_some(end)
    }
}
