//! A server's life: start, the driver of the event loop, orderly end.

use std::cell::RefCell;
use std::future::poll_fn;
use std::hash::{BuildHasher as _, RandomState};
use std::rc::Rc;
use std::thread;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedReceiver, unbounded_channel};
use tokio::sync::oneshot;
use tokio::task::{JoinHandle, LocalSet, spawn_local};
use tokio::time::{sleep_until, timeout};
use tracing::{error, info, warn};
use zk_config::{Config, Mode};
use zk_core::{Input, Output, Peer};
use zk_storage::{Epochs, Error as StorageError, NamingFile, RealDisk, TxnLog};
use zk_wire::Naming;

use crate::clock::{Clock, millis};
use crate::ensemble::{Core, Ensemble, Ports, waiting};
use crate::error::Error;
use crate::listener::{self, ClientPlace, EarlyPort};
use crate::log_thread::{LogFiles, LogThread, Report, WriterOptions};
use crate::membership;
use crate::metrics::endpoint;
use crate::progress::{self, Lookout, Progress};
use crate::purge;
use crate::settings::{Files, Settings, core_options, log_options};
use crate::shell::Shell;
use crate::startup::{self, History, Loaded, StartPolicy};

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
    let history = History::new(config, &settings.files, seed);
    let progress = Progress::default();
    let early = open_client_port(config, &mut settings, &progress)?;
    let metrics_port = endpoint::open(&config.metrics).await?;
    let preparing = prepare(config, &settings.files, &history, &progress);
    let prepared = match &early {
        Some(port) => signals.unless_ended(port.answer_during(preparing)).await,
        None => signals.unless_ended(preparing).await,
    };
    let Some(prepared) = prepared else { return Ok(()) };
    let Prepared { loaded, epochs, naming, ports } = prepared?;
    let (sender, mut reports) = unbounded_channel();
    let log = TxnLog::new(settings.files.disk, &settings.files.dirs, log_options(config));
    let mut options = core_options(config, seed, epochs.as_ref(), naming.naming());
    if let Some(ensemble) = &mut options.ensemble {
        ensemble.is_blank = loaded.is_blank;
    }
    let is_unnamed = naming.naming().settled().is_none();
    let log_files = LogFiles { log, history, epochs, naming };
    let log =
        LogThread::start(log_files, sender, writer_options(config)).map_err(Error::Runtime)?;
    let clock = Clock::start();
    let peer = Peer::new(options, loaded.database, clock.now());
    let files = settings.files.clone();
    let shell = Shell::new(peer, clock, settings, log);
    shell.borrow_mut().counts.loading.add(millis(loaded.took));
    shell.borrow_mut().counts.replayed.add(loaded.replayed);
    if ports.is_none() && is_unnamed {
        // What it grows to has the id then.
        let naming = Naming::Settled(startup::fresh_id());
        shell.borrow_mut().carry_out(Output::StoreNaming(naming), None);
    }
    match ports {
        Some(ports) => {
            let core: Rc<dyn Core> = shell.clone();
            let ensemble = Ensemble::start(config, ports, Rc::downgrade(&core));
            shell.borrow_mut().ensemble = Some(ensemble);
        }
        // The core of a member knows itself when the txns that were replayed are worth a snapshot.
        None if loaded.wants_snapshot => shell.borrow_mut().take_snapshot(false),
        None => {}
    }
    let aside = aside(config, &shell, files, metrics_port);
    let client_port = early.map(|port| port.open(&shell, config.clients.listen_backlog));
    shell.borrow_mut().client_port = client_port;
    let result = drive(&shell, &mut reports, &mut signals).await;
    if let Some(port) = &shell.borrow().client_port {
        port.close();
    }
    aside.iter().for_each(JoinHandle::abort);
    if let Some(ensemble) = &shell.borrow().ensemble {
        ensemble.stop_listening();
    }
    if result.is_ok() {
        finish(&shell, &mut reports).await?;
    }
    drop(loaded.locks);
    result
}

/// What runs beside the driver and ends with it.
fn aside(
    config: &Config,
    shell: &Rc<RefCell<Shell>>,
    files: Files<RealDisk>,
    metrics_port: Option<TcpListener>,
) -> Vec<JoinHandle<()>> {
    let retain = usize::try_from(config.storage.snap_retain_count).unwrap_or(usize::MAX);
    let mut tasks = vec![spawn_local(purge::run(files, config.storage.purge_interval, retain))];
    tasks.extend(metrics_port.map(|port| spawn_local(endpoint::serve(shell.clone(), port))));
    if shell.borrow().ensemble.is_some() {
        tasks.push(spawn_local(waiting::tell(shell.clone())));
        if config.quorum.auto_join {
            tasks.push(spawn_local(membership::join(shell.clone())));
        }
    }
    tasks
}

/// What a server needs before clients are let in.
struct Prepared {
    loaded: Loaded,
    /// Of a member of an ensemble, as its ports are.
    epochs: Option<Epochs<RealDisk>>,
    naming: NamingFile<RealDisk>,
    ports: Option<Ports>,
}

/// Loads the database, then opens the ports for other members: none of them waits for one that loads.
async fn prepare(
    config: &Config,
    files: &Files<RealDisk>,
    history: &History<RealDisk>,
    progress: &Progress,
) -> Result<Prepared, Error> {
    let is_member = config.mode == Mode::Replicated;
    let (files, history, policy) = (files.clone(), history.clone(), StartPolicy::of(config));
    let (sender, loading) = oneshot::channel();
    let counted = progress.clone();
    // A thread that a signal leaves behind: whatever it writes, the next start does again.
    let load = move || -> Result<_, Error> {
        let loaded = startup::load(&files, &history, policy, &counted)?;
        let epochs =
            is_member.then(|| startup::load_epochs(&files, &loaded.database)).transpose()?;
        let naming = startup::load_naming(&files)?;
        Ok((loaded, epochs, naming))
    };
    let thread = thread::Builder::new().name("loading".to_owned());
    // Nobody listens any more only when the process ends.
    thread.spawn(move || drop(sender.send(load()))).map_err(Error::Runtime)?;
    let tell = |bytes| info!("loading: {bytes} bytes have been read and written so far");
    let loading = progress::told_during(loading, progress, waiting::PAUSE, tell).await;
    progress.end();
    let (loaded, epochs, naming) = loading.expect("a panic ends the process")?;
    let ports = if is_member { Some(Ports::open(config).await?) } else { None };
    Ok(Prepared { loaded, epochs, naming, ports })
}

/// Listens for clients, if there is a port for them, before anything is read. They are not let in yet.
fn open_client_port(
    config: &Config,
    settings: &mut Settings,
    progress: &Progress,
) -> Result<Option<EarlyPort>, Error> {
    let clients = &config.clients;
    let Some(port) = clients.port else { return Ok(None) };
    let place = ClientPlace::new(clients.address.as_deref(), port);
    let listener = listener::open(&place, clients.listen_backlog)?;
    settings.client_port = listener.local_addr().ok().map(|address| address.port());
    let whitelist = settings.whitelist.clone();
    let limit = config.storage.loading_stall_limit;
    let lookout = Lookout::new(progress.clone(), limit, Instant::now());
    Ok(Some(EarlyPort::new(listener, place, whitelist, clients.tcp_keep_alive, lookout)))
}

fn writer_options(config: &Config) -> WriterOptions {
    let log = &config.storage.log;
    WriterOptions {
        slow_flush: log.fsync_warning_threshold,
        flush_delay: log.flush_delay,
        poll_time: log.write_queue_poll_time,
        batch_max: log.max_batch_size,
        file_len_max: log.size_limit_bytes,
    }
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

    /// What a part of the start gives, unless the server is told to end before.
    async fn unless_ended<T>(&mut self, part: impl Future<Output = T>) -> Option<T> {
        let signal = tokio::select! {
            done = part => return Some(done),
            _ = self.terminate.recv() => "SIGTERM",
            _ = self.interrupt.recv() => "SIGINT",
        };
        info!("{signal}: ending before this server has begun to serve");
        None
    }
}

/// Feeds the core with what the log has done and what time brings, until a signal, and while the server leaves
/// its ensemble after one. A second signal does not wait for that.
async fn drive(
    shell: &Rc<RefCell<Shell>>,
    reports: &mut UnboundedReceiver<Report>,
    signals: &mut Signals,
) -> Result<(), Error> {
    let mut leaving = None;
    loop {
        let (deadline, is_alive) = {
            let mut shell = shell.borrow_mut();
            if let Some(why) = shell.stranger.take() {
                return Err(why);
            }
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
            () = async { leaving.as_mut().expect("it is polled only then").await }, if leaving.is_some() => {
                return stop(shell, "SIGTERM");
            }
            _ = signals.terminate.recv() => match membership::leaving(shell) {
                Some(task) if leaving.is_none() => leaving = Some(Box::pin(task)),
                _ => return stop(shell, "SIGTERM"),
            },
            _ = signals.interrupt.recv() => return stop(shell, "SIGINT"),
            _ = signals.child.recv() => bury_children(),
        }
    }
}

/// Tells the core what the log has done, all reports that are there at once. Flushes that follow each
/// other are one input.
fn on_report(
    shell: &Rc<RefCell<Shell>>,
    first: Report,
    reports: &mut UnboundedReceiver<Report>,
) -> Result<(), Error> {
    let mut persisted = None;
    let mut next = Some(first);
    let mut shell = shell.borrow_mut();
    let now = shell.clock.now();
    while let Some(report) = next {
        let input = match report {
            Report::Persisted { zxid, txns, flush } => {
                persisted = Some(zxid);
                let slow = shell.settings.config.storage.log.fsync_warning_threshold;
                shell.counts.batches.add(txns.into());
                shell.counts.flushes.add(millis(flush));
                shell.counts.slow_flushes += u64::from(flush >= slow);
                None
            }
            Report::EpochsStored { accepted, current } => {
                Some(Input::EpochsStored { accepted, current })
            }
            Report::NamingStored(naming) => Some(Input::NamingStored { naming }),
            Report::Truncated { zxid } => {
                shell.on_reread();
                Some(Input::Truncated { zxid })
            }
            Report::Reloaded { database } => {
                shell.on_reread();
                Some(Input::Reloaded { database })
            }
            Report::Failed(error) => return Err(log_failed(error)),
        };
        if let Some(input) = input {
            if let Some(zxid) = persisted.take() {
                shell.step(now, Input::Persisted { zxid }, None);
            }
            shell.step(now, input, None);
        }
        next = reports.try_recv().ok();
    }
    if let Some(zxid) = persisted {
        shell.step(now, Input::Persisted { zxid }, None);
    }
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
    let now = shell.clock.now();
    shell.step(now, Input::Stop, None);
    shell.wake_all();
    Ok(())
}

/// Lets the log finish what it has, clients have their replies, and a leader hand over.
async fn finish(
    shell: &Rc<RefCell<Shell>>,
    reports: &mut UnboundedReceiver<Report>,
) -> Result<(), Error> {
    let draining = async {
        loop {
            let is_done = {
                let mut shell = shell.borrow_mut();
                shell.send_batch();
                shell.is_released && shell.peer.outstanding() == 0
            };
            if is_done {
                break;
            }
            tokio::select! {
                report = reports.recv() => {
                    on_report(shell, report.ok_or(Error::LogThread)?, reports)?;
                }
                () = poll_fn(|cx| shell.borrow_mut().poll_driver(cx)) => {}
            }
        }
        let links = shell.borrow().ensemble.as_ref().map(|ensemble| ensemble.links().clone());
        if let Some(links) = links {
            links.close_all().await;
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
