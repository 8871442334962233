//! Who gets to walk the tree: the member's own snapshots and those for learners share one cursor.
//!
//! Invariants
//! - A snapshot for learners shows no less than is committed when it begins.
//! - A tree that goes takes the walk along: the next one begins when the shell has noticed.

use super::ensemble::Role;
use super::{Now, Output, Peer};
use crate::zab::LinkId;

/// What the one cursor of snapshots is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cursor {
    Idle,
    /// For its own disk.
    Own,
    /// For learners.
    Streaming,
    /// For nothing any more: the tree it walked is gone, the shell has yet to notice.
    Dropped,
}

impl Peer {
    /// A snapshot of its own is due.
    pub(super) fn want_snapshot(&mut self, now: Now, out: &mut Vec<Output>) {
        match &mut self.ensemble {
            None => out.push(Output::TakeSnapshot),
            Some(ensemble) => {
                ensemble.wants_snapshot = true;
                self.use_cursor(now, out);
            }
        }
    }

    /// Gives the cursor to who waits for it: learners first.
    pub(super) fn use_cursor(&mut self, now: Now, out: &mut Vec<Output>) {
        self.apply_for_snapshot(now, out);
        let zxid = self.database.last_zxid();
        let committed = self.committed;
        let Some(ensemble) = &mut self.ensemble else { return };
        if ensemble.cursor != Cursor::Idle {
            return;
        }
        // A tree that lags behind its quorum would take a learner back behind what it has acked.
        if zxid < committed && !ensemble.waiting_for_snapshot.is_empty() {
            return;
        }
        let links: Vec<LinkId> = std::mem::take(&mut ensemble.waiting_for_snapshot)
            .into_iter()
            .filter(|link| ensemble.links.contains_key(link))
            .collect();
        if !links.is_empty() {
            ensemble.cursor = Cursor::Streaming;
            self.lead(now, out, |leader, _, acts| leader.snapshot_begins(&links, zxid, acts));
            out.push(Output::StreamSnapshot { links });
        } else if std::mem::take(&mut ensemble.wants_snapshot) {
            ensemble.cursor = Cursor::Own;
            out.push(Output::TakeSnapshot);
        }
    }

    /// Txns were applied: what waited for them may begin.
    pub(super) fn stream_when_caught_up(&mut self, now: Now, out: &mut Vec<Output>) {
        let waits = self.ensemble.as_ref().is_some_and(|e| !e.waiting_for_snapshot.is_empty());
        if waits && self.is_in_charge() {
            self.use_cursor(now, out);
        }
    }

    /// What a leader streams before it is established is its whole history: that is what its epoch begins
    /// with. If the epoch does not come about, TRUNC has the tree read again.
    fn apply_for_snapshot(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(ensemble) = &self.ensemble else { return };
        let Role::Leading(leader) = &ensemble.role else { return };
        if !leader.is_established() && !ensemble.waiting_for_snapshot.is_empty() {
            self.committed = self.appended;
            self.apply(now, out);
        }
    }

    pub(super) fn on_snapshot_streamed(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(ensemble) = &mut self.ensemble else { return };
        if std::mem::replace(&mut ensemble.cursor, Cursor::Idle) == Cursor::Dropped {
            return self.use_cursor(now, out);
        }
        self.lead(now, out, |leader, ensemble, acts| {
            leader.snapshot_ended(now.mono, ensemble.options, acts);
        });
        self.use_cursor(now, out);
    }

    pub(super) fn on_snapshot_taken(&mut self, now: Now, is_durable: bool, out: &mut Vec<Output>) {
        let Some(ensemble) = &mut self.ensemble else { return };
        if std::mem::replace(&mut ensemble.cursor, Cursor::Idle) == Cursor::Own {
            self.learn(now, out, |learner, _, acts| learner.on_snapshot_taken(is_durable, acts));
            self.resume_leader_link(now, out);
            self.found(now, is_durable, out);
        }
        self.use_cursor(now, out);
    }

    /// The empty database of a new ensemble is on disk, or could not be written: it leads, or looks again.
    fn found(&mut self, now: Now, is_durable: bool, out: &mut Vec<Output>) {
        let Some(ensemble) = &mut self.ensemble else { return };
        if !std::mem::take(&mut ensemble.is_founding) {
            return;
        }
        ensemble.options.is_blank = !is_durable;
        let me = ensemble.options.me;
        if is_durable { self.take_role(now, me, out) } else { self.look(now, out) }
    }

    /// Stops the snapshot that is being taken of a tree which goes.
    pub(super) fn drop_snapshot(&mut self, out: &mut Vec<Output>) {
        let Some(ensemble) = &mut self.ensemble else { return };
        if matches!(ensemble.cursor, Cursor::Own | Cursor::Streaming) {
            ensemble.cursor = Cursor::Dropped;
            out.push(Output::AbortSnapshot);
        }
    }
}
