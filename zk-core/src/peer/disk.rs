//! What a role has its disk do beside appending: epochs, cutting the log, reading it again, whole or in part.
//!
//! Invariants
//! - A tree that shows more than the log has, or is half of one, is read from disk again.
//! - What the disk has not answered is counted: no election begins before it has.
//!
//! Java: `QuorumPeer.setAcceptedEpoch`, `ZKDatabase.truncateLog`.

use bytes::Bytes;
use zk_wire::{Epoch, Naming, Zxid};

use super::ensemble::Role;
use super::{Now, Output, Peer};
use crate::database::Database;
use crate::zab::{LinkId, LogRead};

impl Peer {
    /// Has tree and history read from disk again.
    pub(super) fn reload(&mut self, out: &mut Vec<Output>) {
        self.drop_snapshot(out);
        self.in_flight.clear();
        if let Some(ensemble) = &mut self.ensemble {
            ensemble.reloads_due += 1;
            out.push(Output::Reload);
        }
    }

    pub(super) fn on_reloaded(&mut self, now: Now, database: Database, out: &mut Vec<Output>) {
        let Some(ensemble) = &mut self.ensemble else { return };
        ensemble.reloads_due -= 1;
        if ensemble.reloads_due > 0 {
            return;
        }
        let last = database.last_zxid();
        self.database = database;
        self.begin_at(last);
        if self.is_learning() {
            self.learn(now, out, |learner, _, acts| learner.on_truncated(last, acts));
            self.resume_leader_link(now, out);
        }
        self.look_when_settled(now, out);
    }

    /// The history begins anew with what the database has, all of it on disk or about to be.
    pub(super) fn begin_at(&mut self, zxid: Zxid) {
        self.in_flight.clear();
        (self.appended, self.persisted, self.committed) = (zxid, zxid, zxid);
        let replayed = self.database.take_replayed();
        if let Some(ensemble) = &mut self.ensemble {
            ensemble.history.restart(zxid, replayed);
        }
    }

    pub(super) fn store(&mut self, accepted: Epoch, current: Epoch, out: &mut Vec<Output>) {
        if let Some(ensemble) = &mut self.ensemble {
            ensemble.stores_due += 1;
            out.push(Output::StoreEpochs { accepted, current });
        }
    }

    pub(super) fn on_epochs_stored(
        &mut self,
        now: Now,
        accepted: Epoch,
        current: Epoch,
        out: &mut Vec<Output>,
    ) {
        let Some(ensemble) = &mut self.ensemble else { return };
        ensemble.stores_due -= 1;
        ensemble.options.accepted_epoch = accepted;
        ensemble.options.current_epoch = current;
        match ensemble.role {
            Role::Leaving => self.look_when_settled(now, out),
            Role::Looking => {}
            Role::Leading(_) => self.lead(now, out, |leader, ensemble, acts| {
                let (options, history) = (ensemble.options, ensemble.history);
                leader.on_stored(now.mono, options, history, accepted, current, acts);
            }),
            Role::Learning(_) => {
                self.learn(now, out, |learner, _, acts| learner.on_stored(accepted, current, acts));
                self.resume_leader_link(now, out);
            }
        }
    }

    pub(super) fn on_naming_stored(&mut self, now: Now, naming: Naming, out: &mut Vec<Output>) {
        let Some(ensemble) = &mut self.ensemble else { return };
        ensemble.stores_due -= 1;
        ensemble.options.naming = naming;
        self.lead(now, out, |leader, ensemble, acts| {
            leader.on_naming_stored(ensemble.options, acts);
        });
        self.learn(now, out, |learner, _, acts| learner.on_naming_stored(naming, acts));
        self.look_when_settled(now, out);
    }

    /// Reads a part of the log for a learner, if that and what memory has are short enough beside a snapshot.
    pub(super) fn read_log(&self, read: LogRead, out: &mut Vec<Output>) {
        let Some(ensemble) = &self.ensemble else { return };
        let permille = ensemble.options.log_permille.unwrap_or(0);
        let share = self.database.snapshot_len().saturating_mul(permille.into()) / 1000;
        let bytes_max = share.saturating_sub(ensemble.history.len_bytes() as u64);
        let LogRead { link, above, until } = read;
        out.push(Output::ReadLog { link, above, until, bytes_max });
    }

    pub(super) fn on_log_read(
        &mut self,
        now: Now,
        link: LinkId,
        txns: &[(Zxid, Bytes)],
        out: &mut Vec<Output>,
    ) {
        self.lead(now, out, |leader, ensemble, acts| {
            let (options, history) = (ensemble.options, ensemble.history);
            leader.on_log_read(now.mono, options, history, link, txns, acts);
        });
    }

    pub(super) fn on_log_unfit(&mut self, now: Now, link: LinkId, out: &mut Vec<Output>) {
        self.lead(now, out, |leader, _, acts| leader.on_log_unfit(link, acts));
    }

    /// Cuts the log, and reads the tree again if that shows more.
    pub(super) fn truncate(&mut self, zxid: Zxid, out: &mut Vec<Output>) {
        out.push(Output::Truncate { zxid });
        self.in_flight.retain(|txn| txn.record.header.zxid <= zxid);
        self.appended = self.appended.min(zxid);
        self.persisted = self.persisted.min(zxid);
        if let Some(ensemble) = &mut self.ensemble {
            ensemble.history.truncate(zxid);
        }
        if self.database.last_zxid() > zxid {
            self.reload(out);
        }
    }

    /// The log is cut; if the tree shows no more than it has, that is all.
    pub(super) fn on_truncated(&mut self, now: Now, last: Zxid, out: &mut Vec<Output>) {
        let is_reloading = self.ensemble.as_ref().is_some_and(|e| e.reloads_due > 0);
        if is_reloading {
            return;
        }
        self.learn(now, out, |learner, _, acts| learner.on_truncated(last, acts));
        self.resume_leader_link(now, out);
    }
}
