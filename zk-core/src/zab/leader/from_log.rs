//! Synchronization of a learner that lacks more than memory has: txns of the log on disk, then those of the
//! history.
//!
//! The learner is told nothing before the log has shown that it has all of them: until then it can still get a
//! snapshot. The history keeps what the log was not asked for.
//!
//! Java: `LearnerHandler.syncFollower` with `ZKDatabase.getProposalsFromTxnLog`.

use bytes::Bytes;
use tracing::warn;
use zk_wire::{QuorumPacket, Zxid};

use super::sync::Parcel;
use super::{Act, EnsembleOptions, History, Leader, LinkId, Millis, Phase};
use crate::zab::LogRead;
use crate::zab::history::Plan;

impl Leader {
    /// Asks for the part of the log that a learner lacks.
    pub(super) fn begin_reading(
        &mut self,
        history: &History,
        link: LinkId,
        above: Zxid,
        acts: &mut Vec<Act>,
    ) {
        let handler = self.handlers.get_mut(&link).expect("it was just looked up");
        let until = history.base();
        handler.phase = Phase::AwaitLog { above };
        // The history keeps what is above.
        handler.sent = until;
        acts.push(Act::ReadLog(LogRead { link, above, until }));
    }

    /// The next txns of the log for a learner, in order.
    pub(crate) fn on_log_read(
        &mut self,
        now: Millis,
        options: &EnsembleOptions,
        history: &History,
        link: LinkId,
        txns: &[(Zxid, Bytes)],
        acts: &mut Vec<Act>,
    ) {
        let Some(handler) = self.handlers.get_mut(&link) else { return };
        let mut parcel = Parcel::new(link, acts);
        match handler.phase {
            Phase::AwaitLog { above } => {
                self.begun.add(Plan::Log { above });
                parcel.add(&QuorumPacket::Diff { zxid: self.committed });
                handler.phase = Phase::LogStreaming;
            }
            Phase::LogStreaming => {}
            _ => return,
        }
        parcel.add_committed(txns);
        let is_over = txns.last().is_some_and(|(zxid, _)| *zxid >= handler.sent);
        if is_over {
            parcel.add_committed(history.above(handler.sent).take_while(|t| t.0 <= self.committed));
            handler.sent = self.committed;
            handler.last_heard = now;
        }
        parcel.send();
        if is_over {
            self.send_newleader(options, link, acts);
        }
    }

    /// The log does not have what a learner lacks, or it cannot be read.
    pub(crate) fn on_log_unfit(&mut self, link: LinkId, acts: &mut Vec<Act>) {
        let Some(handler) = self.handlers.get_mut(&link) else { return };
        match handler.phase {
            Phase::AwaitLog { .. } => self.begin_snapshot(link, acts),
            Phase::LogStreaming => {
                let sid = handler.sid.unwrap_or_default();
                warn!("closing on server.{sid}: the log cannot be read on; it will get a snapshot");
                self.reads_log = false;
                self.close(link, acts);
            }
            _ => {}
        }
    }
}
