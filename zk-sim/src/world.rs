//! One run: a server that dies and comes back, its clients, the wires between them, and the faults.

use std::collections::BTreeMap;
use std::path::Path;

use zk_storage::{Crash, DataDirs, MemDisk};

use crate::checker::LinkId;
use crate::client::{Act, Client};
use crate::scene::{Event, Mutation, Scene, Work};
use crate::server::{End, Process};
use crate::violation::{Property, Violation};
use crate::wire::Wire;

/// Everything there is.
pub(crate) struct World {
    pub(crate) scene: Scene,
    pub(super) disk: MemDisk,
    dirs: DataDirs,
    pub(super) process: Option<Process>,
    boot: u64,
    pub(super) wires: BTreeMap<LinkId, Wire>,
    links_made: u64,
    clients: Vec<Client>,
    /// Faults are over and clients ask for nothing new.
    pub(super) is_ending: bool,
    /// Failures of the disk that are not healed yet.
    pub(super) is_disk_failing: bool,
}

impl World {
    pub(crate) fn new(seed: u64, mutation: Option<Mutation>, is_verbose: bool) -> Self {
        let mut scene = Scene::new(seed, mutation, is_verbose);
        let clients = scene.knobs.clients;
        scene.after(0, Event::Start);
        scene.after(scene.knobs.faults.pause_us, Event::Fault);
        for client in 0..clients {
            scene.after(100, Event::Client(client));
        }
        Self {
            scene,
            disk: MemDisk::new(),
            dirs: DataDirs::new(Path::new("/data"), Path::new("/data")),
            process: None,
            boot: 0,
            wires: BTreeMap::new(),
            links_made: 0,
            clients: (0..clients).map(|_| Client::default()).collect(),
            is_ending: false,
            is_disk_failing: false,
        }
    }

    pub(super) fn dirs(&self) -> &DataDirs {
        &self.dirs
    }

    /// Runs `steps` events with faults, then without until all is answered, then loses the power once
    /// more and looks at what is left.
    pub(crate) fn run(&mut self, steps: u64) -> Result<(), Violation> {
        let mut result = self.live(steps).and_then(|()| self.end());
        if let Err(violation) = &mut result {
            violation.at_us = self.scene.now_us;
        }
        result
    }

    fn live(&mut self, steps: u64) -> Result<(), Violation> {
        for step in 0..steps {
            let Some(event) = self.scene.next() else { break };
            self.on_event(event)?;
            if step.is_multiple_of(COMPARE_EVERY) {
                self.compare()?;
            }
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Violation> {
        self.heal();
        for _ in 0..END_STEPS_MAX {
            let Some(event) = self.scene.next() else { break };
            self.on_event(event)?;
            if self.is_quiet() {
                for link in self.clients.iter().filter_map(|client| client.link) {
                    self.scene.checker.expect_nothing_owed(link)?;
                }
                self.compare()?;
                return self.recover_once_more();
            }
        }
        let waiting: Vec<_> = self.clients.iter().filter(|client| !client.is_quiet()).collect();
        Err(Property::Progress.broken(format!("faults are over, but not all is done: {waiting:?}")))
    }

    /// Faults are over: the disk works, the network is fast, and whoever was cut off hears of it.
    fn heal(&mut self) {
        self.is_ending = true;
        self.disk.heal();
        self.is_disk_failing = false;
        self.scene.knobs.delay_us = 50;
        self.scene.knobs.flush_us = 100;
        let cut: Vec<_> = self.wires.iter().filter(|(_, wire)| wire.is_cut).map(|w| *w.0).collect();
        for link in cut {
            self.scene.after(0, Event::UpEnd(link));
            self.scene.after(0, Event::DownEnd(link));
        }
    }

    fn is_quiet(&self) -> bool {
        self.process.as_ref().is_some_and(Process::is_quiet)
            && self.clients.iter().all(Client::is_quiet)
            && self
                .wires
                .values()
                .all(|wire| wire.client_is_gone || wire.up.len() == 0 && wire.down.len() == 0)
    }

    /// After everything: what the disk has is what clients saw.
    fn recover_once_more(&mut self) -> Result<(), Violation> {
        self.process = None;
        self.disk.crash(Crash::LoseAll, &mut |_| 0);
        self.boot += 1;
        match Process::start(&mut self.scene, self.boot, &self.disk, &self.dirs) {
            Ok(_) => Ok(()),
            Err(End::Violation(violation)) => Err(violation),
            Err(End::Disk(error)) => Err(Property::Starts.broken(error)),
        }
    }

    fn compare(&self) -> Result<(), Violation> {
        match &self.process {
            Some(process) => self.scene.checker.compare(process.peer.database()),
            None => Ok(()),
        }
    }

    fn on_event(&mut self, event: Event) -> Result<(), Violation> {
        match event {
            Event::Client(client) => self.on_client(client),
            Event::Accept(link) => self.on_accept(link),
            Event::Up(link) => self.on_up(link),
            Event::Down(link) => self.on_down(link),
            Event::UpEnd(link) => {
                if let Some(wire) = self.wires.get_mut(&link) {
                    wire.server_is_gone = true;
                }
                self.serve(|process, scene, _| process.release(scene, link))?;
                self.bury(link);
                Ok(())
            }
            Event::DownEnd(link) => self.on_down_end(link),
            Event::Work { boot, work } if boot == self.boot => self.on_work(work),
            Event::Work { .. } => Ok(()),
            Event::Start => self.on_start(),
            Event::Fault => self.on_fault(),
        }
    }

    /// Lets the server do something; if its disk fails meanwhile, it dies.
    pub(super) fn serve(
        &mut self,
        act: impl FnOnce(&mut Process, &mut Scene, &mut BTreeMap<LinkId, Wire>) -> Result<(), End>,
    ) -> Result<(), Violation> {
        let Some(process) = &mut self.process else { return Ok(()) };
        match act(process, &mut self.scene, &mut self.wires) {
            Ok(()) => {}
            Err(End::Violation(violation)) => return Err(violation),
            Err(End::Disk(error)) => return self.on_disk_error(&error),
        }
        if self.process.as_ref().is_some_and(Process::is_finished) {
            self.scene.note(|| "stopped".to_owned(), &[]);
            self.die(None);
        }
        Ok(())
    }

    fn on_disk_error(&mut self, error: &zk_storage::Error) -> Result<(), Violation> {
        self.scene.note(|| format!("the server ends: {error}"), &[5]);
        if !self.is_disk_failing {
            return Err(Property::Starts.broken(format!("a healthy disk fails: {error}")));
        }
        let crash = self.draw_crash();
        let takes_machine = self.scene.random.chance(500);
        self.die(takes_machine.then_some(crash));
        Ok(())
    }

    fn on_work(&mut self, work: Work) -> Result<(), Violation> {
        self.serve(|process, scene, wires| match work {
            Work::Socket(link) => match wires.get_mut(&link) {
                Some(wire) => process.on_socket(scene, link, wire),
                None => process.release(scene, link),
            },
            Work::SendBatch => {
                process.on_send_batch(scene);
                Ok(())
            }
            Work::Log => process.on_log(scene),
            Work::Commit => process.on_commit(scene),
            Work::Report => process.on_report(scene),
            Work::Snapshot(id) => {
                process.on_snapshot(scene, id);
                Ok(())
            }
            Work::Timer => process.on_timer(scene),
        })
    }

    fn on_start(&mut self) -> Result<(), Violation> {
        if self.process.is_some() {
            return Ok(());
        }
        self.boot += 1;
        match Process::start(&mut self.scene, self.boot, &self.disk, &self.dirs) {
            Ok(process) => {
                let head = self.scene.checker.head_zxid();
                self.scene.note(|| format!("started at {head:x}"), &[6]);
                self.process = Some(process);
                Ok(())
            }
            Err(End::Violation(violation)) => Err(violation),
            Err(End::Disk(error)) => self.on_disk_error(&error),
        }
    }

    /// The process ends; with `crash` the machine does too. It will be started again.
    pub(super) fn die(&mut self, crash: Option<Crash>) {
        let links = self.process.take().map(|process| process.links()).unwrap_or_default();
        match crash {
            Some(crash) => {
                let Self { disk, scene, .. } = self;
                disk.crash(crash, &mut |n| scene.random.index(n));
                disk.heal();
                self.is_disk_failing = false;
            }
            None => {
                // What was not synced is still in the page cache.
                self.disk = self.disk.fork();
                self.is_disk_failing = false;
            }
        }
        for link in links {
            if let Some(wire) = self.wires.get_mut(&link) {
                wire.server_is_gone = true;
                let us = self.scene.delay(self.scene.knobs.delay_us);
                self.scene.after(us, Event::DownEnd(link));
            }
            self.bury(link);
        }
        let us = 1000 + self.scene.delay(20_000);
        self.scene.after(us, Event::Start);
    }

    fn on_client(&mut self, index: usize) -> Result<(), Violation> {
        let think_us = self.scene.knobs.think_us;
        let us = self.scene.delay(2 * think_us);
        self.scene.after(us + 1, Event::Client(index));
        let client = &mut self.clients[index];
        match client.act(&mut self.scene, self.is_ending) {
            Act::Nothing => {}
            Act::Connect(bytes, connect) => {
                self.links_made += 1;
                let link = LinkId(self.links_made);
                self.scene.note(|| format!("client {index} {link:?} {connect:x?}"), &[7]);
                client.link = Some(link);
                self.scene.checker.on_connecting(link, connect);
                self.wires.insert(link, Wire::default());
                let us = self.scene.delay(self.scene.knobs.delay_us);
                if self.process.is_some() {
                    self.scene.after(us, Event::Accept(link));
                } else {
                    self.scene.after(us, Event::DownEnd(link));
                }
                self.push_up(link, &bytes, us);
            }
            Act::Send(bytes) => {
                if let Some(link) = client.link {
                    self.push_up(link, &bytes, 0);
                }
            }
            Act::Leave => self.leave(index),
        }
        Ok(())
    }

    /// A client lets go of its connection; the server hears of it, unless the wire is mute.
    fn leave(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let Some(link) = client.link else { return };
        self.scene.note(|| format!("client {index} leaves {link:?}"), &[8]);
        client.on_lost(&mut self.scene);
        let Some(wire) = self.wires.get_mut(&link) else { return };
        wire.client_is_gone = true;
        if !wire.is_mute {
            let us = 2 * self.scene.knobs.delay_us + self.scene.delay(self.scene.knobs.delay_us);
            self.scene.after(us, Event::UpEnd(link));
        }
        self.bury(link);
    }

    fn push_up(&mut self, link: LinkId, bytes: &[u8], at_least_us: u64) {
        let Some(wire) = self.wires.get_mut(&link).filter(|wire| !wire.is_cut) else { return };
        wire.up.push(bytes);
        if !wire.up.is_moving {
            wire.up.is_moving = true;
            let us = at_least_us + self.scene.delay(self.scene.knobs.delay_us);
            self.scene.after(us + 1, Event::Up(link));
        }
    }

    fn on_accept(&mut self, link: LinkId) -> Result<(), Violation> {
        if self.process.is_none() {
            refuse(&mut self.scene, &mut self.wires, link);
        }
        self.serve(|process, scene, wires| {
            if wires.contains_key(&link) && !process.accept(scene, link)? {
                refuse(scene, wires, link);
            }
            Ok(())
        })
    }

    fn on_up(&mut self, link: LinkId) -> Result<(), Violation> {
        let Some(wire) = self.wires.get_mut(&link) else { return Ok(()) };
        wire.up.is_moving = false;
        let bytes = arrive(&mut self.scene, &mut wire.up, Event::Up(link));
        self.scene.note(|| format!("{link:?} up {} bytes", bytes.len()), &bytes);
        self.serve(|process, scene, wires| match wires.get_mut(&link) {
            Some(wire) => process.on_bytes(scene, link, wire, &bytes),
            None => Ok(()),
        })
    }

    fn on_down(&mut self, link: LinkId) -> Result<(), Violation> {
        let Some(wire) = self.wires.get_mut(&link) else { return Ok(()) };
        wire.down.is_moving = false;
        let bytes = arrive(&mut self.scene, &mut wire.down, Event::Down(link));
        // The socket has room again.
        let boot = self.boot;
        self.scene.after(1, Event::Work { boot, work: Work::Socket(link) });
        let Some(client) = self.clients.iter_mut().find(|client| client.link == Some(link)) else {
            return Ok(());
        };
        let answer = client.on_bytes(&mut self.scene, link, &bytes)?;
        if !answer.is_empty() {
            self.push_up(link, &answer, 0);
        }
        Ok(())
    }

    fn on_down_end(&mut self, link: LinkId) -> Result<(), Violation> {
        let Some(wire) = self.wires.get_mut(&link) else { return Ok(()) };
        if wire.down.len() > 0 && !wire.client_is_gone {
            // What was sent before the end arrives before the end.
            self.scene.after(100, Event::DownEnd(link));
            return Ok(());
        }
        wire.client_is_gone = true;
        wire.server_is_gone = true;
        if let Some(client) = self.clients.iter_mut().find(|client| client.link == Some(link)) {
            client.on_lost(&mut self.scene);
        }
        self.serve(|process, scene, _| process.release(scene, link))?;
        self.bury(link);
        Ok(())
    }

    /// Forgets a connection that both sides have let go of.
    fn bury(&mut self, link: LinkId) {
        if self.wires.get(&link).is_some_and(|wire| wire.client_is_gone && wire.server_is_gone) {
            self.wires.remove(&link);
            self.scene.checker.forget(link);
        }
    }
}

/// Some of the bytes of a stream arrive; the rest comes later.
fn arrive(scene: &mut Scene, stream: &mut crate::wire::Stream, again: Event) -> Vec<u8> {
    let len = stream.len();
    let n = if len < 2 || scene.random.chance(600) { len } else { 1 + scene.random.index(len) };
    let bytes = stream.take(n);
    if stream.len() > 0 {
        stream.is_moving = true;
        let us = scene.delay(scene.knobs.delay_us);
        scene.after(us, again);
    }
    bytes
}

fn refuse(scene: &mut Scene, wires: &mut BTreeMap<LinkId, Wire>, link: LinkId) {
    if let Some(wire) = wires.get_mut(&link) {
        wire.server_is_gone = true;
        scene.after(1, Event::DownEnd(link));
    }
}

/// How many events apart the whole state is compared.
const COMPARE_EVERY: u64 = 100;
/// How many events all may take to be answered.
const END_STEPS_MAX: u64 = 100_000;
