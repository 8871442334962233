//! The log thread: takes what has come, appends it, flushes once, and says so.

use zk_core::Input;
use zk_wire::{TxnRecord, Zxid};

use super::{End, Process};
use crate::scene::{Mutation, Scene, Work};

/// What the log is to do, in order.
#[derive(Debug)]
pub(super) enum Command {
    Append { zxid: Zxid, bytes: Vec<u8> },
    Roll,
}

impl Process {
    pub(super) fn log(&mut self, scene: &mut Scene, command: Command) {
        if self.batch.is_empty() {
            let us = scene.delay(50);
            self.wake(scene, us, Work::SendBatch);
        }
        self.batch.push(command);
    }

    /// The driver hands its batch over.
    pub(crate) fn on_send_batch(&mut self, scene: &mut Scene) {
        if !self.batch.is_empty() {
            self.queue.push_back(std::mem::take(&mut self.batch));
            let us = scene.delay(20);
            self.wake(scene, us, Work::Log);
        }
    }

    /// The log thread takes what has come, unless its flush is running.
    pub(crate) fn on_log(&mut self, scene: &mut Scene) -> Result<(), End> {
        if self.flushing.is_some() {
            return Ok(());
        }
        let mut last = None;
        while let Some(mut batch) = self.queue.pop_front() {
            if scene.mutation == Some(Mutation::LoseLastAppend) && batch.len() > 1 {
                last = last.max(batch.iter().filter_map(Command::zxid).max());
                batch.pop_if(|command| command.zxid().is_some());
            }
            for command in batch {
                last = last.max(command.zxid());
                match command {
                    Command::Append { zxid, bytes } => self.log.append(zxid, &bytes)?,
                    Command::Roll => self.log.roll()?,
                }
            }
            if scene.random.chance(300) {
                break;
            }
        }
        let Some(last) = last else { return Ok(()) };
        self.flushing = Some(last);
        if scene.mutation == Some(Mutation::PersistBeforeCommit) {
            self.reports.push_back(last);
            self.wake(scene, 0, Work::Report);
        }
        let us = scene.delay(scene.knobs.flush_us);
        self.wake(scene, us, Work::Commit);
        Ok(())
    }

    /// The flush is over, if the disk lets it.
    pub(crate) fn on_commit(&mut self, scene: &mut Scene) -> Result<(), End> {
        let Some(zxid) = self.flushing.take() else { return Ok(()) };
        self.log.commit()?;
        scene.note(|| format!("committed {zxid:x}"), &[1]);
        self.reports.push_back(zxid);
        let us = scene.delay(50);
        self.wake(scene, us, Work::Report);
        if scene.knobs.log_file_len_max.is_some_and(|max| self.log.content_len() > max) {
            self.log.roll()?;
        }
        if !self.queue.is_empty() {
            let us = scene.delay(20);
            self.wake(scene, us, Work::Log);
        } else if self.log.wants_preparation() && scene.random.chance(500) {
            self.log.prepare_ahead()?;
        }
        Ok(())
    }

    /// The driver hears of all flushes that are over by now.
    pub(crate) fn on_report(&mut self, scene: &mut Scene) -> Result<(), End> {
        let Some(last) = self.reports.pop_back() else { return Ok(()) };
        self.reports.clear();
        self.step(scene, Input::Persisted { zxid: Zxid(last) }, None)?;
        scene.checker.on_applied(self.peer.database().last_zxid().0);
        Ok(())
    }
}

impl Command {
    fn zxid(&self) -> Option<i64> {
        if let Self::Append { zxid, .. } = self { Some(zxid.0) } else { None }
    }
}

/// A txn as the trace shows it.
pub(super) fn shown(bytes: &[u8]) -> String {
    match TxnRecord::decode(bytes) {
        Ok(record) => format!("{:x} {:?}", record.header.session.0, record.txn),
        Err(error) => error.to_string(),
    }
}
