//! The log thread: takes what has come, appends it, flushes once, and says so. Epochs, truncation and
//! reading the files again keep their place behind what was appended before them.

use std::collections::VecDeque;

use bytes::Bytes;
use zk_core::{Database, DatabaseOptions, Input};
use zk_storage::{Epochs, MemDisk, RecoverOptions, TxnLog, recover};
use zk_wire::{Epoch, Naming, TxnRecord, Zxid};

use super::{End, Process};
use crate::event::Work;
use crate::mutation::Mutation;
use crate::scene::Scene;
use crate::tally::Operation;

/// What the log is to do, in order.
#[derive(Debug)]
pub(super) enum Command {
    Append { zxid: Zxid, bytes: Bytes },
    Roll,
    StoreEpochs { accepted: Epoch, current: Epoch },
    StoreNaming(Naming),
    Truncate { zxid: Zxid },
    Reload,
}

/// What the log has done.
#[derive(Debug)]
enum Report {
    Persisted(Zxid),
    EpochsStored { accepted: Epoch, current: Epoch },
    NamingStored(Naming),
    Truncated(Zxid),
    Reloaded(Box<Database>),
}

/// The log thread, and what is on the way to it and back.
#[derive(Debug)]
pub(super) struct LogThread {
    log: TxnLog<MemDisk>,
    /// Of a member of an ensemble.
    epochs: Option<Epochs<MemDisk>>,
    database: DatabaseOptions,
    /// What the driver has for it, and what it has not taken.
    batch: Vec<Command>,
    queue: VecDeque<Command>,
    /// The last txn that no flush has covered.
    unflushed: Option<Zxid>,
    is_flushing: bool,
    /// What it does that is no append.
    acting: Option<Command>,
    reports: Vec<Report>,
}

impl LogThread {
    pub(super) fn new(
        log: TxnLog<MemDisk>,
        epochs: Option<Epochs<MemDisk>>,
        database: DatabaseOptions,
    ) -> Self {
        Self {
            log,
            epochs,
            database,
            batch: Vec::new(),
            queue: VecDeque::new(),
            unflushed: None,
            is_flushing: false,
            acting: None,
            reports: Vec::new(),
        }
    }

    fn is_busy(&self) -> bool {
        self.is_flushing || self.acting.is_some()
    }

    pub(super) fn is_quiet(&self) -> bool {
        !self.is_busy()
            && self.batch.is_empty()
            && self.queue.is_empty()
            && self.unflushed.is_none()
            && self.reports.is_empty()
    }

    /// What it is doing.
    pub(super) fn operation(&self) -> Option<Operation> {
        match &self.acting {
            Some(Command::StoreEpochs { .. } | Command::StoreNaming(_)) => {
                Some(Operation::EpochFile)
            }
            Some(Command::Truncate { .. }) => Some(Operation::Truncate),
            Some(Command::Reload) => Some(Operation::Reload),
            Some(Command::Append { .. } | Command::Roll) => None,
            None => self.is_flushing.then_some(Operation::Flush),
        }
    }
}

impl Command {
    /// Whether no other thread may be writing a snapshot meanwhile.
    fn needs_quiet(&self) -> bool {
        matches!(self, Self::Truncate { .. } | Self::Reload)
    }
}

impl Process {
    pub(super) fn log(&mut self, scene: &mut Scene, command: Command) {
        if self.log.batch.is_empty() {
            let us = scene.delay(50);
            self.wake(scene, us, Work::SendBatch);
        }
        self.log.batch.push(command);
    }

    /// The driver hands its batch over. A snapshot that is still being written must not get its name
    /// after the files were cut or read.
    pub(crate) fn on_send_batch(&mut self, scene: &mut Scene) {
        let is_held =
            self.snapshots.is_writing() && self.log.batch.iter().any(Command::needs_quiet);
        if self.log.batch.is_empty() || is_held {
            return;
        }
        self.log.queue.extend(self.log.batch.drain(..));
        let us = scene.delay(20);
        self.wake(scene, us, Work::Log);
    }

    /// The log thread takes what has come, unless it is busy.
    pub(crate) fn on_log(&mut self, scene: &mut Scene) -> Result<(), End> {
        if self.log.is_busy() {
            return Ok(());
        }
        while let Some(command) = self.log.queue.pop_front() {
            match command {
                Command::Append { zxid, bytes } => {
                    self.log.unflushed = Some(zxid);
                    let is_lost = scene.mutation == Some(Mutation::LoseLastAppend)
                        && self.log.queue.is_empty()
                        && scene.random.chance(500);
                    if !is_lost {
                        self.log.log.append(zxid, &bytes)?;
                    }
                }
                Command::Roll => {
                    self.log.log.roll()?;
                    if let Some(zxid) = self.log.unflushed {
                        scene.checker.on_durable(self.node, zxid);
                    }
                }
                Command::StoreEpochs { .. }
                | Command::StoreNaming(_)
                | Command::Truncate { .. }
                | Command::Reload => {
                    if self.log.unflushed.is_some() {
                        self.log.queue.push_front(command);
                        break;
                    }
                    self.log.acting = Some(command);
                    let us = self.disk_us(scene);
                    self.wake(scene, us, Work::Act);
                    return Ok(());
                }
            }
            if scene.random.chance(100) {
                break;
            }
        }
        let Some(zxid) = self.log.unflushed else {
            if !self.log.queue.is_empty() {
                self.wake(scene, 1, Work::Log);
            }
            return Ok(());
        };
        self.log.is_flushing = true;
        if scene.mutation == Some(Mutation::PersistBeforeCommit) {
            self.report(scene, Report::Persisted(zxid));
        }
        let us = self.disk_us(scene);
        self.wake(scene, us, Work::Commit);
        Ok(())
    }

    /// The flush is over, if the disk lets it.
    pub(crate) fn on_commit(&mut self, scene: &mut Scene) -> Result<(), End> {
        self.log.is_flushing = false;
        let Some(zxid) = self.log.unflushed.take() else { return Ok(()) };
        self.log.log.commit()?;
        let node = self.node;
        scene.note(|| format!("{node} has {:x} on its disk", zxid.0), 1);
        scene.tally.count(Operation::Flush);
        scene.checker.on_durable(self.node, zxid);
        self.report(scene, Report::Persisted(zxid));
        if scene.knobs.log_file_len_max.is_some_and(|max| self.log.log.content_len() > max) {
            self.log.log.roll()?;
        }
        if !self.log.queue.is_empty() {
            let us = scene.delay(20);
            self.wake(scene, us, Work::Log);
        } else if self.log.log.wants_preparation() && scene.random.chance(500) {
            self.log.log.prepare_ahead()?;
        }
        Ok(())
    }

    /// The log thread does something that is no append.
    pub(crate) fn on_act(&mut self, scene: &mut Scene) -> Result<(), End> {
        let Some(command) = self.log.acting.take() else { return Ok(()) };
        match command {
            Command::StoreEpochs { accepted, current } => {
                if self.store_one_epoch(scene, accepted, current)? {
                    // One file at a time: between the two it can die.
                    self.log.acting = Some(Command::StoreEpochs { accepted, current });
                    let us = self.disk_us(scene);
                    self.wake(scene, us, Work::Act);
                    return Ok(());
                }
                self.report(scene, Report::EpochsStored { accepted, current });
            }
            Command::StoreNaming(naming) => {
                self.files.borrow_mut().naming = naming;
                self.report(scene, Report::NamingStored(naming));
            }
            Command::Truncate { zxid } => {
                scene.tally.count(Operation::Truncate);
                let length_max = RecoverOptions::default().length_max;
                let last = self.log.log.truncate(&self.dirs, zxid, length_max)?.last;
                scene.checker.on_disk_cut(self.node, zxid);
                self.report(scene, Report::Truncated(last));
            }
            Command::Reload => {
                scene.tally.count(Operation::Reload);
                let database = self.read_again(scene)?;
                self.report(scene, Report::Reloaded(Box::new(database)));
            }
            Command::Append { .. } | Command::Roll => {}
        }
        let us = scene.delay(20);
        self.wake(scene, us, Work::Log);
        Ok(())
    }

    /// Writes the accepted epoch, else the current one; false when the files have both.
    fn store_one_epoch(
        &mut self,
        scene: &mut Scene,
        accepted: Epoch,
        current: Epoch,
    ) -> Result<bool, End> {
        let epochs = self.log.epochs.as_mut().expect("only a member of an ensemble has epochs");
        if scene.mutation == Some(Mutation::SkipEpochFiles) {
            return Ok(false);
        }
        if epochs.accepted() != accepted {
            epochs.write_accepted(accepted)?;
        } else if epochs.current() != current {
            epochs.write_current(current)?;
        } else {
            return Ok(false);
        }
        scene.tally.count(Operation::EpochFile);
        scene.checker.on_epochs(self.node, epochs.accepted(), epochs.current())?;
        Ok(true)
    }

    /// What is appended next goes to a new file, so that the log may be read like that of a last run.
    fn read_again(&mut self, scene: &mut Scene) -> Result<Database, End> {
        self.log.log.roll()?;
        let options = self.log.database;
        let keep = scene.knobs.quorum.commit_log_bytes;
        let make = || Database::new(options).keeping_replayed(keep);
        let recovered = recover(&self.disk, &self.dirs, &RecoverOptions::default(), make)?;
        let mut database = recovered.replica;
        database.finish_recovery();
        scene.checker.on_reloaded(self.node, &database)?;
        Ok(database)
    }

    fn report(&mut self, scene: &mut Scene, report: Report) {
        self.log.reports.push(report);
        let us = scene.delay(50);
        self.wake(scene, us, Work::Report);
    }

    /// The driver hears of all that is done by now. Flushes that follow each other are one input.
    pub(crate) fn on_report(&mut self, scene: &mut Scene) -> Result<(), End> {
        let mut persisted = None;
        for report in std::mem::take(&mut self.log.reports) {
            let input = match report {
                Report::Persisted(zxid) => {
                    persisted = Some(zxid);
                    continue;
                }
                Report::EpochsStored { accepted, current } => {
                    Input::EpochsStored { accepted, current }
                }
                Report::NamingStored(naming) => Input::NamingStored { naming },
                Report::Truncated(zxid) => Input::Truncated { zxid },
                Report::Reloaded(database) => Input::Reloaded { database },
            };
            if let Some(zxid) = persisted.take() {
                self.step(scene, Input::Persisted { zxid }, None)?;
            }
            self.step(scene, input, None)?;
        }
        match persisted {
            Some(zxid) => self.step(scene, Input::Persisted { zxid }, None),
            None => Ok(()),
        }
    }
}

/// A txn as the trace shows it.
pub(super) fn shown(bytes: &[u8]) -> String {
    match TxnRecord::decode(bytes) {
        Ok(record) => format!("{:x} {:?}", record.header.session.0, record.txn),
        Err(error) => error.to_string(),
    }
}
