//! A server's life: start, the driver of the event loop, orderly end.

use std::cell::RefCell;
use std::future::poll_fn;
use std::hash::{BuildHasher as _, RandomState};
use std::rc::Rc;
use std::time::{Duration, Instant};

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::task::{LocalSet, spawn_local};
use tokio::time::{sleep_until, timeout};
use tracing::{error, info, warn};
use zk_config::Config;
use zk_core::{Input, Peer};
use zk_storage::{Error as StorageError, TxnLog};
use zk_wire::Zxid;

use crate::clock::{Clock, millis};
use crate::error::Error;
use crate::listener;
use crate::log_thread::{LogThread, Report, WriterOptions};
use crate::purge;
use crate::settings::{Settings, core_options, log_options};
use crate::shell::Shell;
use crate::startup;

/// How long a stopping server may take to finish what is logged.
const STOP_TIME: Duration = Duration::from_millis(900);
/// The longest sleep of the driver: deadlines that came meanwhile are seen then.
const NAP: Duration = Duration::from_secs(1);

/// Runs a server until it is told to stop.
///
/// # Errors
/// It cannot start, or its disk failed.
pub fn run(config: &Config) -> Result<(), Error> {
    startup::check_supported(config)?;
    let runtime = Builder::new_current_thread().enable_all().build().map_err(Error::Runtime)?;
    LocalSet::new().block_on(&runtime, serve(config))
}

async fn serve(config: &Config) -> Result<(), Error> {
    let mut signals = Signals::new().map_err(Error::Runtime)?;
    let seed = RandomState::new().hash_one(config.tick_time_ms);
    let mut settings = Settings::new(config);
    let loaded = startup::load(config, &settings.files, seed)?;
    let listener = match config.clients.port {
        Some(port) => {
            let (address, backlog) = (&config.clients.address, config.clients.listen_backlog);
            let listener = listener::open(address.as_deref(), port, backlog)?;
            settings.client_port = listener.local_addr().ok().map(|address| address.port());
            Some(listener)
        }
        None => None,
    };
    let (sender, mut reports) = unbounded_channel();
    let log = TxnLog::new(settings.files.disk, &settings.files.dirs, log_options(config));
    let options = WriterOptions {
        slow_flush: config.storage.log.fsync_warning_threshold,
        flush_delay: config.storage.log.flush_delay,
        poll_time: config.storage.log.write_queue_poll_time,
        batch_max: config.storage.log.max_batch_size,
        file_len_max: config.storage.log.size_limit_bytes,
    };
    let log = LogThread::start(log, sender, options).map_err(Error::Runtime)?;
    let clock = Clock::start();
    let peer = Peer::new(core_options(config, seed), loaded.database, clock.now());
    let files = settings.files.clone();
    let shell = Shell::new(peer, clock, settings, log);
    shell.borrow_mut().counts.loading.add(millis(loaded.took));
    shell.borrow_mut().counts.replayed.add(loaded.replayed);
    if loaded.wants_snapshot {
        shell.borrow_mut().take_snapshot();
    }
    let retain = usize::try_from(config.storage.snap_retain_count).unwrap_or(usize::MAX);
    let purging = spawn_local(purge::run(files, config.storage.purge_interval, retain));
    let keep_alive = config.clients.tcp_keep_alive;
    let accepting =
        listener.map(|listener| spawn_local(listener::accept(shell.clone(), listener, keep_alive)));
    let result = drive(&shell, &mut reports, &mut signals).await;
    if let Some(task) = accepting {
        task.abort();
    }
    purging.abort();
    if result.is_ok() {
        finish(&shell, &mut reports).await?;
    }
    drop(loaded.locks);
    result
}

/// The signals that end a server, and those of children that a first process must bury.
struct Signals {
    terminate: Signal,
    interrupt: Signal,
    child: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        Ok(Self {
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
            child: signal(SignalKind::child())?,
        })
    }
}

/// Feeds the core with what the log has done and what time brings, until a signal.
async fn drive(
    shell: &Rc<RefCell<Shell>>,
    reports: &mut UnboundedReceiver<Report>,
    signals: &mut Signals,
) -> Result<(), Error> {
    loop {
        let (deadline, is_alive) = {
            let mut shell = shell.borrow_mut();
            let is_alive = shell.send_batch();
            let nap = Instant::now() + NAP;
            let due = shell.peer.deadline().map_or(nap, |at| shell.clock.instant(at).min(nap));
            (due, is_alive)
        };
        tokio::select! {
            biased;
            report = reports.recv() => on_report(shell, report.ok_or(Error::LogThread)?, reports)?,
            () = poll_fn(|cx| shell.borrow_mut().poll_driver(cx)), if is_alive => {}
            () = sleep_until(deadline.into()) => {
                let mut shell = shell.borrow_mut();
                let now = shell.clock.now();
                shell.step(now, Input::Timeout, None);
            }
            _ = signals.terminate.recv() => return stop(shell, "SIGTERM"),
            _ = signals.interrupt.recv() => return stop(shell, "SIGINT"),
            _ = signals.child.recv() => bury_children(),
        }
    }
}

/// Applies what the log has, all reports that are there at once.
fn on_report(
    shell: &Rc<RefCell<Shell>>,
    first: Report,
    reports: &mut UnboundedReceiver<Report>,
) -> Result<(), Error> {
    let mut last = Zxid::ZERO;
    let mut next = Some(first);
    let mut shell = shell.borrow_mut();
    while let Some(report) = next {
        match report {
            Report::Persisted { zxid, txns, flush } => {
                last = zxid;
                let slow = shell.settings.config.storage.log.fsync_warning_threshold;
                shell.counts.batches.add(txns.into());
                shell.counts.flushes.add(millis(flush));
                shell.counts.slow_flushes += u64::from(flush >= slow);
            }
            Report::Failed(error) => return Err(log_failed(error)),
        }
        next = reports.try_recv().ok();
    }
    let now = shell.clock.now();
    shell.step(now, Input::Persisted { zxid: last }, None);
    Ok(())
}

fn log_failed(error: StorageError) -> Error {
    error!(
        "the txn log cannot be written; ending, so that nothing is acknowledged that is not on disk"
    );
    Error::Storage(error)
}

fn stop(shell: &Rc<RefCell<Shell>>, signal: &str) -> Result<(), Error> {
    info!("{signal}: stopping; sessions live on");
    let mut shell = shell.borrow_mut();
    shell.is_stopping = true;
    shell.wake_all();
    Ok(())
}

/// Lets the log finish what it has and clients have their replies.
async fn finish(
    shell: &Rc<RefCell<Shell>>,
    reports: &mut UnboundedReceiver<Report>,
) -> Result<(), Error> {
    let draining = async {
        while shell.borrow().peer.outstanding() > 0 {
            shell.borrow_mut().send_batch();
            let report = reports.recv().await.ok_or(Error::LogThread)?;
            on_report(shell, report, reports)?;
        }
        tokio::task::yield_now().await;
        Ok(())
    };
    let result = timeout(STOP_TIME, draining).await.unwrap_or_else(|_| {
        warn!("stopping with requests unanswered: the log did not take them in time");
        Ok(())
    });
    if let Some(log) = shell.borrow_mut().take_log() {
        log.stop();
    }
    info!("stopped");
    result
}

/// As the first process of a container, orphans end here.
fn bury_children() {
    use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
    if std::process::id() != 1 {
        return;
    }
    while let Ok(status) = waitpid(None, Some(WaitPidFlag::WNOHANG)) {
        if status == WaitStatus::StillAlive {
            break;
        }
    }
}
