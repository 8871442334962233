//! The thread that owns the txn log: appends what has come, one flush for all of it, then says so.
//!
//! A batch is whatever came while the last flush was running; there is no timer unless one is asked for
//! (`flushDelay`). While nothing waits it
//! writes zeros ahead, so that a flush changes no metadata.
//!
//! Invariant: `Report::Persisted` is sent only after the flush that covers it. After an error nothing is
//! sent any more and the process ends.

use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use tokio::sync::mpsc::UnboundedSender;
use tracing::warn;
use zk_storage::{Disk, Error, TxnLog};
use zk_wire::Zxid;

/// What the log is to do, in order.
#[derive(Debug)]
pub(crate) enum Command {
    /// Append a txn.
    Append { zxid: Zxid, bytes: Vec<u8> },
    /// Begin a new file.
    Roll,
}

/// What the log has done.
#[derive(Debug)]
pub(crate) enum Report {
    /// Everything up to this zxid is on the disk; so many txns were new, the flush took so long.
    Persisted { zxid: Zxid, txns: u32, flush: Duration },
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
        log: TxnLog<D>,
        reports: UnboundedSender<Report>,
        options: WriterOptions,
    ) -> std::io::Result<Self> {
        let (commands, incoming) = channel();
        let thread = thread::Builder::new().name("log".to_owned()).spawn(move || {
            let mut writer = Writer { log, reports, options };
            let result = writer.run(&incoming);
            let Writer { log, reports, .. } = writer;
            if let Err(error) = result.and_then(|()| log.close()) {
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
    log: TxnLog<D>,
    reports: UnboundedSender<Report>,
    options: WriterOptions,
}

impl<D: Disk> Writer<D> {
    fn run(&mut self, incoming: &Receiver<Vec<Command>>) -> Result<(), Error> {
        while let Some(first) = self.next(incoming)? {
            let begin = Instant::now();
            let mut batch = self.take(first)?;
            while let Some(more) = self.more(incoming, begin, &batch) {
                let more = self.take(more)?;
                batch = Batch {
                    last: more.last.or(batch.last),
                    txns: batch.txns.saturating_add(more.txns),
                };
            }
            if let Some(zxid) = batch.last {
                self.flush(zxid, batch.txns)?;
            }
        }
        Ok(())
    }

    /// The next batch; when there is none yet, uses the time to prepare the file.
    fn next(&mut self, incoming: &Receiver<Vec<Command>>) -> Result<Option<Vec<Command>>, Error> {
        while self.log.wants_preparation() {
            match incoming.recv_timeout(QUIET) {
                Ok(batch) => return Ok(Some(batch)),
                Err(RecvTimeoutError::Timeout) => self.log.prepare_ahead()?,
                Err(RecvTimeoutError::Disconnected) => return Ok(None),
            }
        }
        Ok(incoming.recv().ok())
    }

    /// What else the same flush may cover: what is there, or comes while the flush is put off.
    fn more(
        &self,
        incoming: &Receiver<Vec<Command>>,
        begin: Instant,
        batch: &Batch,
    ) -> Option<Vec<Command>> {
        if self.options.batch_max.is_some_and(|max| batch.txns >= max) {
            return None;
        }
        let left = self.options.flush_delay.saturating_sub(begin.elapsed());
        if left.is_zero() {
            return incoming.try_recv().ok();
        }
        incoming.recv_timeout(left.min(self.options.poll_time)).ok()
    }

    fn take(&mut self, commands: Vec<Command>) -> Result<Batch, Error> {
        let mut batch = Batch { last: None, txns: 0 };
        for command in commands {
            match command {
                Command::Append { zxid, bytes } => {
                    self.log.append(zxid, &bytes)?;
                    batch = Batch { last: Some(zxid), txns: batch.txns.saturating_add(1) };
                }
                Command::Roll => self.log.roll()?,
            }
        }
        Ok(batch)
    }

    fn flush(&mut self, zxid: Zxid, txns: u32) -> Result<(), Error> {
        let begin = Instant::now();
        self.log.commit()?;
        let flush = begin.elapsed();
        if flush >= self.options.slow_flush {
            warn!(
                "fsync-ing the write ahead log in log took {}ms which will adversely effect operation \
                 latency.File size is {} bytes. See the ZooKeeper troubleshooting guide",
                flush.as_millis(),
                self.log.file_len()
            );
        }
        // Nobody listens any more only when the process ends.
        let _ = self.reports.send(Report::Persisted { zxid, txns, flush });
        if self.options.file_len_max.is_some_and(|max| self.log.content_len() > max) {
            self.log.roll()?;
        }
        Ok(())
    }
}
