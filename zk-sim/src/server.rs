//! The server's process: the core, driven by the rules of the real shell, on a simulated disk.
//!
//! Tasks and threads are events: between any two of them the process can die. The order rules are
//! those of the shell: outputs are carried out in order, a batch is appended, committed, and only then
//! reported, and slices of a snapshot come between writes.

mod log;
mod snapshot;
mod socket;

use std::collections::{BTreeMap, VecDeque};
use std::net::IpAddr;

use zk_core::{
    AuthOptions, ContainerOptions, Database, DatabaseOptions, Input, Millis, Now, Options, Output,
    Peer, PrepOptions, SnapshotOptions, TokenOptions,
};
use zk_storage::{
    Compression, DataDirs, LogOptions, MemDisk, MemLock, RecoverOptions, TxnLog, recover,
    remove_leftovers,
};

use crate::checker::{Issued, LinkId};
use crate::knobs::Knobs;
use crate::rights;
use crate::scene::{Event, Mutation, Scene, Work};
use crate::violation::{Property, Violation};
use log::Command;
use snapshot::Snapshot;
use socket::Socket;

/// Why a process ends.
#[derive(Debug)]
pub(crate) enum End {
    /// Its disk failed.
    Disk(zk_storage::Error),
    /// It broke a promise.
    Violation(Violation),
}

impl From<zk_storage::Error> for End {
    fn from(error: zk_storage::Error) -> Self {
        Self::Disk(error)
    }
}

impl From<Violation> for End {
    fn from(violation: Violation) -> Self {
        Self::Violation(violation)
    }
}

/// A running server.
pub(crate) struct Process {
    boot: u64,
    started_us: u64,
    pub(crate) peer: Peer,
    disk: MemDisk,
    dirs: DataDirs,
    log: TxnLog<MemDisk>,
    /// What the driver has for the log, and what the log thread has not taken.
    batch: Vec<Command>,
    queue: VecDeque<Vec<Command>>,
    /// What the flush that is running will cover.
    flushing: Option<i64>,
    reports: VecDeque<i64>,
    snapshots: BTreeMap<u64, Snapshot>,
    snapshots_begun: u64,
    sockets: BTreeMap<LinkId, Socket>,
    places: Vec<u32>,
    free: Vec<u32>,
    timer_ms: Option<u64>,
    is_stopping: bool,
    _locks: Vec<MemLock>,
}

impl Process {
    /// Starts a server on what the disk has.
    pub(crate) fn start(
        scene: &mut Scene,
        boot: u64,
        disk: &MemDisk,
        dirs: &DataDirs,
    ) -> Result<Self, End> {
        let locks = dirs.take(disk, true)?;
        remove_leftovers(disk, dirs)?;
        let seed = scene.random.next();
        let options =
            DatabaseOptions { seed, extended_types: scene.knobs.extended_types, digest: true };
        let recovered = recover(disk, dirs, &RecoverOptions::default(), || Database::new(options))?;
        let mut database = recovered.replica;
        database.finish_recovery();
        if database.digest_mismatches() > 0 {
            return Err(Property::Digest.broken("while txns were replayed").into());
        }
        scene.checker.on_recovered(&database)?;
        if recovered.snapshot_zxid.is_none() {
            snapshot::write_now(disk, dirs, &mut database)?;
        }
        let wants_snapshot = recovered.snapshot_zxid.is_some() && recovered.replayed > 0;
        let log_options = LogOptions { prewrite_max: scene.knobs.prewrite_max, force_sync: true };
        let now = Now { mono: Millis(0), wall_ms: scene.wall_ms() };
        let mut process = Self {
            boot,
            started_us: scene.now_us,
            peer: Peer::new(options_of(&scene.knobs, seed), database, now),
            disk: disk.clone(),
            dirs: dirs.clone(),
            log: TxnLog::new(disk.clone(), dirs, log_options),
            batch: Vec::new(),
            queue: VecDeque::new(),
            flushing: None,
            reports: VecDeque::new(),
            snapshots: BTreeMap::new(),
            snapshots_begun: 0,
            sockets: BTreeMap::new(),
            places: Vec::new(),
            free: Vec::new(),
            timer_ms: None,
            is_stopping: false,
            _locks: locks,
        };
        scene.checker.on_started(0);
        if wants_snapshot {
            process.take_snapshot(scene);
        }
        process.set_timer(scene);
        Ok(process)
    }

    /// Whether nothing is on the way inside.
    pub(crate) fn is_quiet(&self) -> bool {
        self.peer.outstanding() == 0
            && self.snapshots.is_empty()
            && self.sockets.values().all(|socket| socket.is_quiet(&self.peer))
    }

    /// Whether a stopping server has finished.
    pub(crate) fn is_finished(&self) -> bool {
        self.is_stopping && self.peer.outstanding() == 0
    }

    /// SIGTERM: nothing new is taken.
    pub(crate) fn stop(&mut self) {
        self.is_stopping = true;
    }

    /// The connections that it has.
    pub(crate) fn links(&self) -> Vec<LinkId> {
        self.sockets.keys().copied().collect()
    }

    fn mono_ms(&self, scene: &Scene) -> u64 {
        (scene.now_us - self.started_us) / 1000
    }

    fn wake(&self, scene: &mut Scene, us: u64, work: Work) {
        scene.after(us, Event::Work { boot: self.boot, work });
    }

    /// Wakes the driver when the core wants it.
    fn set_timer(&mut self, scene: &mut Scene) {
        let Some(Millis(deadline)) = self.peer.deadline() else { return };
        if self.timer_ms.is_none_or(|at| deadline < at) {
            self.timer_ms = Some(deadline);
            let due_us = self.started_us + deadline * 1000;
            self.wake(scene, due_us.saturating_sub(scene.now_us), Work::Timer);
        }
    }

    /// The driver's timer has come.
    pub(crate) fn on_timer(&mut self, scene: &mut Scene) -> Result<(), End> {
        self.timer_ms = None;
        let now_ms = self.mono_ms(scene);
        let is_due = self.peer.deadline().is_some_and(|at| at.0 <= now_ms);
        let ahead_ms = match scene.mutation {
            Some(Mutation::ExpireEarly) => scene.knobs.session_timeout_min_ms,
            _ => 0,
        };
        if is_due || ahead_ms > 0 {
            self.step_at(scene, now_ms + ahead_ms, Input::Timeout, None)?;
            scene.checker.on_timer(now_ms)?;
        }
        self.set_timer(scene);
        Ok(())
    }

    /// Feeds the core and carries out what it wants, in order. `current` is the connection whose task
    /// is running: it looks at its own buffer when it is done.
    fn step(
        &mut self,
        scene: &mut Scene,
        input: Input<'_>,
        current: Option<LinkId>,
    ) -> Result<(), End> {
        let mono_ms = self.mono_ms(scene);
        self.step_at(scene, mono_ms, input, current)?;
        self.set_timer(scene);
        Ok(())
    }

    fn step_at(
        &mut self,
        scene: &mut Scene,
        mono_ms: u64,
        input: Input<'_>,
        current: Option<LinkId>,
    ) -> Result<(), End> {
        let wall_ms = scene.wall_ms();
        let issued = Issued { mono_ms: self.mono_ms(scene), wall_ms };
        let mut outputs = Vec::new();
        self.peer.step(Now { mono: Millis(mono_ms), wall_ms }, input, &mut outputs);
        for output in outputs {
            match output {
                Output::Append { zxid, bytes } => {
                    scene.note(|| format!("append {:x} {}", zxid.0, log::shown(&bytes)), &bytes);
                    scene.checker.on_append(&bytes, issued)?;
                    self.log(scene, Command::Append { zxid, bytes: bytes.to_vec() });
                }
                Output::Roll => self.log(scene, Command::Roll),
                Output::TakeSnapshot => self.take_snapshot(scene),
                Output::Flush(cnx) | Output::Resume(cnx) => {
                    let link = self.link_of(cnx);
                    if current != Some(link) {
                        let us = scene.delay(50);
                        self.wake(scene, us, Work::Socket(link));
                    }
                }
                Output::Close(cnx) => {
                    let link = self.link_of(cnx);
                    self.sockets.get_mut(&link).expect("the core closes open ones").is_closing =
                        true;
                    let us = scene.delay(50);
                    self.wake(scene, us, Work::Socket(link));
                }
                other => panic!("a server alone has no use for {other:?}"),
            }
        }
        Ok(())
    }
}

fn options_of(knobs: &Knobs, seed: u64) -> Options {
    Options {
        seed,
        server_id: 1,
        tick_ms: knobs.tick_ms,
        session_timeout_min_ms: knobs.session_timeout_min_ms,
        session_timeout_max_ms: knobs.session_timeout_max_ms,
        prep: PrepOptions {
            auth: AuthOptions {
                super_digest: Some(rights::SUPER.1.to_owned()),
                ..AuthOptions::default()
            },
            extended_types: knobs.extended_types,
            enforce_quota: false,
            reconfig: false,
            digest: true,
            txn_size_max: knobs.txn_size_max,
        },
        outstanding_limit: knobs.outstanding_limit,
        output_soft_max: knobs.output_soft_max,
        output_hard_max: knobs.output_hard_max,
        sessionless_timeout_ms: 10_000,
        containers: ContainerOptions {
            check_interval_ms: knobs.reap_interval_ms,
            per_minute_max: 1_000_000,
            never_used_max_ms: knobs.never_used_max_ms,
        },
        snapshots: SnapshotOptions {
            snap_count: knobs.snap_count,
            size_limit_bytes: knobs.snap_size_bytes,
        },
        connect_tokens: TokenOptions { tokens: 0, fill_time_ms: 1, fill_count: 1 },
        ensemble: None,
    }
}

/// Where all clients come from.
fn remote() -> IpAddr {
    rights::ADDRESS.parse().expect("it is an address")
}

/// How snapshots are packed: the packing has tests of its own.
const COMPRESSION: Compression = Compression::Plain;
