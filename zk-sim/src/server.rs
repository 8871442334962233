//! A server's process: the core, driven by the rules of the real shell, on a simulated disk.
//!
//! Tasks and threads are events: between any two of them the process can die, and between any two
//! outputs of a step. The order rules are those of the shell: outputs are carried out in order, a batch
//! is appended, committed, and only then reported, and slices of a snapshot come between writes.

mod log;
mod outputs;
mod reading;
mod snapshot;
mod socket;
mod start;

use std::collections::{BTreeMap, BTreeSet};

use zk_core::{Input, LinkId, Millis, Now, Output, Peer, RoleName};
use zk_storage::{DataDirs, MemDisk, MemLock};
use zk_wire::{Epoch, ServerId, Zxid};

use crate::checker::Issued;
use crate::clock::Clock;
use crate::event::{Event, Work};
use crate::members::Files;
use crate::mutation::Mutation;
use crate::scene::Scene;
use crate::tally::Operation;
use crate::violation::{Property, Violation};
use crate::wire::WireId;
use log::LogThread;
pub(crate) use outputs::Mail;
use reading::Reading;
use snapshot::Snapshots;
use socket::Socket;
pub(crate) use start::Machine;

/// Why a process ends.
#[derive(Debug)]
pub(crate) enum End {
    /// Its disk failed.
    Disk(zk_storage::Error),
    /// It was struck between two outputs.
    Struck,
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
    node: usize,
    boot: u64,
    clock: Clock,
    wall_skew_ms: i64,
    pub(crate) peer: Peer,
    disk: MemDisk,
    dirs: DataDirs,
    log: LogThread,
    snapshots: Snapshots,
    /// Parts of the log that are read for learners.
    readings: BTreeMap<LinkId, Reading>,
    sockets: BTreeMap<WireId, Socket>,
    places: Vec<u32>,
    free: Vec<u32>,
    /// What goes to other servers.
    mail: Vec<Mail>,
    outputs: Vec<Output>,
    timer_ms: Option<u64>,
    /// How often in a row the timer came and changed nothing.
    spins: u32,
    /// How much slower its disk is than others.
    disk_factor: u64,
    is_stopping: bool,
    /// The core lets it end.
    is_released: bool,
    /// After how many outputs it dies.
    struck_after: Option<u64>,
    /// The role and whether it serves, as they were noted.
    shown: (RoleName, bool),
    /// The current epoch as the core has told it.
    epoch: Epoch,
    /// The last txn that a broken server left out.
    dropped: Zxid,
    files: Files,
    _locks: Vec<MemLock>,
}

impl Process {
    /// Whether nothing is on the way inside.
    pub(crate) fn is_quiet(&self) -> bool {
        self.peer.outstanding() == 0
            && self.log.is_quiet()
            && self.snapshots.is_quiet()
            && self.readings.is_empty()
            && self.sockets.values().all(|socket| socket.is_quiet(&self.peer))
    }

    /// Whether a stopping server has finished.
    pub(crate) fn is_finished(&self) -> bool {
        self.is_stopping && self.is_released && self.peer.outstanding() == 0
    }

    /// SIGTERM: nothing new is taken, and after a while nothing is waited for.
    pub(crate) fn stop(&mut self, scene: &mut Scene) -> Result<(), End> {
        if std::mem::replace(&mut self.is_stopping, true) {
            return Ok(());
        }
        self.wake(scene, STOP_US, Work::StopEnd);
        self.step(scene, Input::Stop, None)
    }

    /// It will die after so many outputs.
    pub(crate) fn strike(&mut self, after: u64) {
        self.struck_after = Some(after);
    }

    /// Its disk becomes so many times slower than it was at first.
    pub(crate) fn slow_down(&mut self, factor: u64) {
        self.disk_factor = factor;
    }

    /// Its wall clock jumps.
    pub(crate) fn skew(&mut self, wall_skew_ms: i64) {
        self.wall_skew_ms = wall_skew_ms;
    }

    /// The connections that it has with clients.
    pub(crate) fn wires(&self) -> Vec<WireId> {
        self.sockets.keys().copied().collect()
    }

    /// Which of the lives of its server this is.
    pub(crate) fn boot(&self) -> u64 {
        self.boot
    }

    /// Whether it is an established leader.
    pub(crate) fn leads(&self) -> bool {
        self.peer.role() == RoleName::Leading && self.peer.is_serving()
    }

    /// What goes to other servers, in order.
    pub(crate) fn take_mail(&mut self) -> Vec<Mail> {
        std::mem::take(&mut self.mail)
    }

    /// What it is doing.
    pub(crate) fn operations(&self, operations: &mut BTreeSet<Operation>) {
        operations.extend(self.log.operation());
        if !self.snapshots.is_quiet() {
            operations.insert(Operation::Snapshot);
        }
        if !self.readings.is_empty() {
            operations.insert(Operation::LogRead);
        }
        match self.peer.role() {
            RoleName::Looking => {
                operations.insert(Operation::Looking);
            }
            RoleName::Standalone | RoleName::Leading if self.peer.outstanding() > 0 => {
                operations.insert(Operation::Broadcast);
            }
            RoleName::Standalone
            | RoleName::Leading
            | RoleName::Following
            | RoleName::Observing => {}
        }
    }

    pub(crate) fn mono_ms(&self, scene: &Scene) -> u64 {
        self.clock.ms(scene.now_us)
    }

    fn wake(&self, scene: &mut Scene, us: u64, work: Work) {
        scene.after(us, Event::Work { node: self.node, boot: self.boot, work });
    }

    /// How long the disk takes this time.
    fn disk_us(&self, scene: &mut Scene) -> u64 {
        scene.delay(scene.knobs.flush_us) * self.disk_factor
    }

    /// Wakes the driver when the core wants it.
    fn set_timer(&mut self, scene: &mut Scene) {
        let Some(Millis(deadline)) = self.peer.deadline() else { return };
        if self.timer_ms.is_none_or(|at| deadline < at) {
            self.timer_ms = Some(deadline);
            let due_us = self.clock.us_of(deadline);
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
            scene.checker.on_timer(self.node, now_ms)?;
        }
        self.check_spin(now_ms)?;
        self.set_timer(scene);
        Ok(())
    }

    /// A deadline that stays in the past keeps the driver busy for ever.
    fn check_spin(&mut self, now_ms: u64) -> Result<(), End> {
        let is_past = self.peer.deadline().is_some_and(|at| at.0 <= now_ms);
        self.spins = if is_past { self.spins + 1 } else { 0 };
        if self.spins > SPINS_MAX {
            let (node, role) = (self.node, self.peer.role());
            return Err(Property::Progress.broken(format!("{node} spins while {role}")).into());
        }
        Ok(())
    }

    /// Feeds the core and carries out what it wants, in order. `current` is the connection whose task
    /// is running: it looks at its own buffer when it is done.
    pub(crate) fn step(
        &mut self,
        scene: &mut Scene,
        input: Input<'_>,
        current: Option<WireId>,
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
        current: Option<WireId>,
    ) -> Result<(), End> {
        let wall_ms = scene.wall_ms(self.wall_skew_ms);
        let issued = Issued { mono_ms: self.mono_ms(scene), wall_ms };
        let mut outputs = std::mem::take(&mut self.outputs);
        self.peer.step(Now { mono: Millis(mono_ms), wall_ms }, input, &mut outputs);
        for output in outputs.drain(..) {
            if let Some(left) = &mut self.struck_after {
                *left = left.checked_sub(1).ok_or(End::Struck)?;
            }
            self.carry_out(scene, output, issued, current)?;
        }
        self.outputs = outputs;
        scene.checker.observe(self.node, &self.peer, issued.mono_ms)?;
        self.note_role(scene);
        Ok(())
    }

    fn note_role(&mut self, scene: &mut Scene) {
        let role = (self.peer.role(), self.peer.is_serving());
        if self.shown == role {
            return;
        }
        self.shown = role;
        let node = self.node;
        scene.note(|| format!("{node} is {}, serving: {}", role.0, role.1), 21);
        if role.0 == RoleName::Looking {
            scene.tally.count(Operation::Looking);
        }
    }
}

/// Members are numbered from 1.
fn node_of(id: ServerId) -> usize {
    usize::try_from(id.0 - 1).expect("only members are spoken to")
}

/// The number of a member.
pub(crate) fn id_of(node: usize) -> ServerId {
    ServerId(i64::try_from(node + 1).expect("there are few servers"))
}

/// More timers in a row than anything needs.
const SPINS_MAX: u32 = 1000;
/// How long a stopping server waits for what is on the way.
const STOP_US: u64 = 900_000;
