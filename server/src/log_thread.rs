//! The thread that owns the txn log and the files of epochs and of the ensemble's id: appends what has
//! come, one flush for all of it, then says so.
//!
//! A batch is whatever came while the last flush was running; there is no timer unless one is asked for
//! (`flushDelay`). While nothing waits it writes zeros ahead, so that a flush changes no metadata.
//!
//! Invariants
//! - `Report::Persisted` is sent only after the flush that covers it. After an error nothing is sent any
//!   more and the process ends.
//! - Commands are done in order: an epoch is on the disk only after the txns that came before it.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use bytes::Bytes;
use tokio::sync::mpsc::UnboundedSender;
use tokio::sync::oneshot;
use tracing::{info, warn};
use zk_core::Database;
use zk_storage::{Disk, Epochs, Error, NamingFile, TxnLog};
use zk_wire::{Epoch, Naming, Zxid};

use crate::startup::{History, recovered, remove_late_markers};

/// What the log is to do, in order.
#[derive(Debug)]
pub(crate) enum Command {
    /// Append a txn.
    Append { zxid: Zxid, bytes: Bytes },
    /// Begin a new file.
    Roll,
    /// Write the files of epochs.
    StoreEpochs { accepted: Epoch, current: Epoch },
    /// Write the file of the ensemble's id.
    StoreNaming(Naming),
    /// Remove every txn above this one, and every snapshot that shows one.
    Truncate { zxid: Zxid },
    /// Read the database from the files.
    Reload,
    /// Say that the thread turns.
    Turn(oneshot::Sender<()>),
}

impl Command {
    /// Whether no other thread may be writing a snapshot meanwhile.
    pub(crate) fn needs_quiet(&self) -> bool {
        matches!(self, Self::Truncate { .. } | Self::Reload)
    }
}

/// What the log has done.
#[derive(Debug)]
pub(crate) enum Report {
    /// Everything up to this zxid is on the disk; so many txns were new, the flush took so long.
    Persisted { zxid: Zxid, txns: u32, flush: Duration },
    /// The files of epochs have these values.
    EpochsStored { accepted: Epoch, current: Epoch },
    /// The file of the ensemble's id says this.
    NamingStored(Naming),
    /// The log ends with this txn.
    Truncated { zxid: Zxid },
    /// What the files have.
    Reloaded { database: Box<Database> },
    /// The disk failed.
    Failed(Error),
}

/// The way to the thread.
#[derive(Debug)]
pub(crate) struct LogThread {
    commands: Sender<Vec<Command>>,
    thread: JoinHandle<()>,
}

/// How long a quiet log waits before it prepares for the next burst.
const QUIET: Duration = Duration::from_millis(2);

impl LogThread {
    /// Starts the thread; its reports go to `reports`.
    pub(crate) fn start<D: Disk>(
        files: LogFiles<D>,
        reports: UnboundedSender<Report>,
        options: WriterOptions,
    ) -> std::io::Result<Self> {
        let (commands, incoming) = channel();
        let thread = thread::Builder::new().name("log".to_owned()).spawn(move || {
            let unflushed = Batch { last: None, txns: 0 };
            let mut writer = Writer { files, reports, options, unflushed };
            let result = writer.run(&incoming);
            let Writer { files, reports, .. } = writer;
            if let Err(error) = result.and_then(|()| files.log.close()) {
                // The event loop is gone only when the process ends anyway.
                let _ = reports.send(Report::Failed(error));
            }
        })?;
        Ok(Self { commands, thread })
    }

    /// Hands a batch over; false when the thread is gone.
    pub(crate) fn send(&self, batch: Vec<Command>) -> bool {
        self.commands.send(batch).is_ok()
    }

    /// Lets the thread finish what it has and waits for its end.
    pub(crate) fn stop(self) {
        drop(self.commands);
        if self.thread.join().is_err() {
            warn!("the thread of the txn log panicked");
        }
    }
}

/// What the thread writes, and what it reads again.
pub(crate) struct LogFiles<D: Disk> {
    pub(crate) log: TxnLog<D>,
    pub(crate) history: History<D>,
    /// Of a member of an ensemble.
    pub(crate) epochs: Option<Epochs<D>>,
    /// Which ensemble it belongs to.
    pub(crate) naming: NamingFile<D>,
}

/// How the thread works.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WriterOptions {
    /// `fsync.warningthresholdms`: a flush that takes longer is worth a line.
    pub(crate) slow_flush: Duration,
    /// `flushDelay`: how long a flush may be put off to cover more txns.
    pub(crate) flush_delay: Duration,
    /// `maxWriteQueuePollTime`: without a txn for so long it is not put off longer.
    pub(crate) poll_time: Duration,
    /// `maxBatchSize`: nor when it would cover so many.
    pub(crate) batch_max: Option<u32>,
    /// `txnLogSizeLimitInKb`: a longer file is followed by a new one.
    pub(crate) file_len_max: Option<u64>,
}

/// What was appended since the last flush.
struct Batch {
    last: Option<Zxid>,
    txns: u32,
}

struct Writer<D: Disk> {
    files: LogFiles<D>,
    reports: UnboundedSender<Report>,
    options: WriterOptions,
    unflushed: Batch,
}

impl<D: Disk> Writer<D> {
    fn run(&mut self, incoming: &Receiver<Vec<Command>>) -> Result<(), Error> {
        while let Some(first) = self.next(incoming)? {
            let begin = Instant::now();
            self.take(first)?;
            while let Some(more) = self.more(incoming, begin) {
                self.take(more)?;
            }
            self.flush()?;
        }
        Ok(())
    }

    /// The next batch; when there is none yet, uses the time to prepare the file.
    fn next(&mut self, incoming: &Receiver<Vec<Command>>) -> Result<Option<Vec<Command>>, Error> {
        while self.files.log.wants_preparation() {
            match incoming.recv_timeout(QUIET) {
                Ok(batch) => return Ok(Some(batch)),
                Err(RecvTimeoutError::Timeout) => self.files.log.prepare_ahead()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
        Ok(incoming.recv().ok())
    }

    /// What else the same flush may cover: what is there, or comes while the flush is put off.
    fn more(&self, incoming: &Receiver<Vec<Command>>, begin: Instant) -> Option<Vec<Command>> {
        if self.options.batch_max.is_some_and(|max| self.unflushed.txns >= max) {
            return None;
        }
        let left = self.options.flush_delay.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return incoming.try_recv().ok();
        }
        incoming.recv_timeout(left.min(self.options.poll_time)).ok()
    }

    fn take(&mut self, commands: Vec<Command>) -> Result<(), Error> {
        for command in commands {
            match command {
                Command::Append { zxid, bytes } => {
                    self.files.log.append(zxid, &bytes)?;
                    let txns = self.unflushed.txns.saturating_add(1);
                    self.unflushed = Batch { last: Some(zxid), txns };
                }
                Command::Roll => self.files.log.roll()?,
                Command::StoreEpochs { accepted, current } => {
                    self.store_epochs(accepted, current)?;
                }
                Command::StoreNaming(naming) => {
                    self.files.naming.write(naming)?;
                    self.report(Report::NamingStored(naming));
                }
                Command::Truncate { zxid } => self.truncate(zxid)?,
                Command::Reload => self.reload()?,
                // Who asked may have gone.
                Command::Turn(taken) => drop(taken.send(())),
            }
        }
        Ok(())
    }

    fn flush(&mut self) -> Result<(), Error> {
        let Batch { last: Some(zxid), txns } = self.unflushed else { return Ok(()) };
        self.unflushed = Batch { last: None, txns: 0 };
        let begin = Instant::now();
        let log = &mut self.files.log;
        log.commit()?;
        let flush = begin.elapsed();
        if flush >= self.options.slow_flush {
            warn!(
                "fsync-ing the write ahead log in log took {}ms which will adversely effect operation \
                 latency.File size is {} bytes. See the ZooKeeper troubleshooting guide",
                flush.as_millis(),
                log.file_len()
            );
        }
        self.report(Report::Persisted { zxid, txns, flush });
        let log = &mut self.files.log;
        if self.options.file_len_max.is_some_and(|max| log.content_len() > max) {
            log.roll()?;
        }
        Ok(())
    }

    /// The accepted epoch first: the current one is never above it.
    fn store_epochs(&mut self, accepted: Epoch, current: Epoch) -> Result<(), Error> {
        self.flush()?;
        let epochs = self.files.epochs.as_mut().expect("only a member of an ensemble has epochs");
        if epochs.accepted() != accepted {
            epochs.write_accepted(accepted)?;
        }
        if epochs.current() != current {
            epochs.write_current(current)?;
            remove_late_markers(&self.files.history.disk, &self.files.history.dirs);
        }
        self.report(Report::EpochsStored { accepted, current });
        Ok(())
    }

    fn truncate(&mut self, zxid: Zxid) -> Result<(), Error> {
        self.flush()?;
        let LogFiles { log, history, .. } = &mut self.files;
        let truncated = log.truncate(&history.dirs, zxid, history.recover.length_max)?;
        for path in &truncated.removed {
            info!("truncated to {zxid}: {} is gone", path.display());
        }
        if let Some((path, len)) = &truncated.cut {
            info!("truncated to {zxid}: {} has {len} bytes left", path.display());
        }
        self.report(Report::Truncated { zxid: truncated.last });
        Ok(())
    }

    /// What is appended next goes to a new file, so that the log may be read like that of a last run.
    fn reload(&mut self) -> Result<(), Error> {
        self.flush()?;
        self.files.log.roll()?;
        let database = recovered(&self.files.history)?.replica;
        self.report(Report::Reloaded { database: Box::new(database) });
        Ok(())
    }

    fn report(&self, report: Report) {
        // Nobody listens any more only when the process ends.
        let _ = self.reports.send(report);
    }
}

#[cfg(test)]
mod tests;
