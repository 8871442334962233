//! One run: servers that die and come back, their clients, the wires between them, and the faults.

mod between;
mod ending;
mod wires;

use std::collections::BTreeMap;
use std::path::Path;

use zk_storage::{Crash, DataDirs, MemDisk};

use crate::client::Client;
use crate::event::{Event, Work};
use crate::knobs::Shape;
use crate::members::Files;
use crate::mutation::Mutation;
use crate::net::Net;
use crate::scene::Scene;
use crate::server::{End, Machine, Process};
use crate::violation::{Property, Violation};
use crate::wire::{Wire, WireId};

/// Everything there is.
pub(crate) struct World {
    pub(crate) scene: Scene,
    pub(super) nodes: Vec<Node>,
    pub(super) net: Net,
    pub(super) wires: BTreeMap<WireId, Wire>,
    wires_made: u64,
    clients: Vec<Client>,
    /// Faults are over and clients ask for nothing new.
    pub(super) is_ending: bool,
    /// What isolates servers: pairs of sender and receiver.
    pub(super) partitions: Vec<Vec<(usize, usize)>>,
    outcome: Option<Result<(), Violation>>,
}

/// One server and what it runs on.
pub(super) struct Node {
    pub(super) machine: Machine,
    pub(super) process: Option<Process>,
    /// Failures of its disk that are not healed yet.
    pub(super) is_disk_failing: bool,
    /// Its volume was lost, and it has not got everything again as far as is known.
    pub(super) has_lost: bool,
    /// Nothing happens in its process before.
    pub(super) paused_until_us: u64,
}

impl World {
    pub(crate) fn new(
        seed: u64,
        shape: Shape,
        mutation: Option<Mutation>,
        is_verbose: bool,
    ) -> Self {
        let mut scene = Scene::new(seed, shape, mutation, is_verbose);
        let (nodes, clients) = (scene.knobs.quorum.nodes(), scene.knobs.clients);
        for node in 0..nodes {
            let us = if node == 0 { 0 } else { scene.delay(50_000) };
            scene.after(us, Event::Start(node));
        }
        scene.after(scene.knobs.faults.pause_us, Event::Fault);
        for client in 0..clients {
            scene.after(100, Event::Client(client));
        }
        let dirs = DataDirs::new(Path::new("/data"), Path::new("/data"));
        let node = |node| Node {
            machine: Machine {
                node,
                disk: MemDisk::new(),
                dirs: dirs.clone(),
                boot: 0,
                wall_skew_ms: 0,
                files: Files::default(),
            },
            process: None,
            is_disk_failing: false,
            has_lost: false,
            paused_until_us: 0,
        };
        Self {
            scene,
            nodes: (0..nodes).map(node).collect(),
            net: Net::new(nodes),
            wires: BTreeMap::new(),
            wires_made: 0,
            clients: (0..clients).map(|_| Client::default()).collect(),
            is_ending: false,
            partitions: Vec::new(),
            outcome: None,
        }
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
                let node = usize::try_from(step / COMPARE_EVERY).expect("it is small");
                self.compare(node % self.nodes.len())?;
            }
        }
        Ok(())
    }

    /// Compares a server's whole state, if it has one that means something.
    fn compare(&self, node: usize) -> Result<(), Violation> {
        match &self.nodes[node].process {
            Some(process) if process.peer.is_serving() => {
                self.scene.checker.compare(process.peer.database())
            }
            _ => Ok(()),
        }
    }

    fn on_event(&mut self, event: Event) -> Result<(), Violation> {
        if let Some(us) = self.postponed_us(event) {
            self.scene.after(us, event);
            return Ok(());
        }
        match event {
            Event::Client(client) => self.on_client(client),
            Event::Accept(wire) => self.on_accept(wire),
            Event::Up(wire) => self.on_up(wire),
            Event::Down(wire) => self.on_down(wire),
            Event::UpEnd(wire) => self.on_up_end(wire),
            Event::DownEnd(wire) => self.on_down_end(wire),
            Event::Work { node, boot, work } if boot == self.nodes[node].machine.boot => {
                self.on_work(node, work)
            }
            Event::Work { .. } => Ok(()),
            Event::Net(passage) => self.on_passage(passage),
            Event::Start(node) => self.on_start(node),
            Event::Fault => self.on_fault(),
            Event::Relief => {
                self.relieve();
                Ok(())
            }
            Event::Look => self.look(),
        }
    }

    /// How long an event must wait because its server stands still.
    fn postponed_us(&self, event: Event) -> Option<u64> {
        let node = match event {
            Event::Accept(wire) | Event::Up(wire) | Event::UpEnd(wire) => {
                self.wires.get(&wire)?.node
            }
            Event::Work { node, .. } => node,
            Event::Net(passage) => self.net.node_of(passage)?,
            Event::Client(_)
            | Event::Down(_)
            | Event::DownEnd(_)
            | Event::Start(_)
            | Event::Fault
            | Event::Relief
            | Event::Look => return None,
        };
        let us = self.nodes[node].paused_until_us.saturating_sub(self.scene.now_us);
        (us > 0).then_some(us)
    }

    /// Lets a server do something; if its disk fails meanwhile, it dies. Then its mail goes out.
    pub(super) fn serve(
        &mut self,
        node: usize,
        act: impl FnOnce(&mut Process, &mut Scene, &mut BTreeMap<WireId, Wire>) -> Result<(), End>,
    ) -> Result<(), Violation> {
        let Some(process) = &mut self.nodes[node].process else { return Ok(()) };
        let result = act(process, &mut self.scene, &mut self.wires);
        let is_finished = process.is_finished();
        let mail = process.take_mail();
        for letter in mail {
            self.post(node, letter);
        }
        match result {
            Ok(()) => {}
            Err(End::Violation(violation)) => return Err(violation),
            Err(End::Disk(error)) => return self.on_disk_error(node, &error),
            Err(End::Struck) => {
                let crash = self.draw_crash();
                self.scene.note(|| format!("{node} dies in a step: {crash:?}"), 18);
                let takes_machine = self.scene.random.chance(500);
                self.die(node, takes_machine.then_some(crash));
                return Ok(());
            }
        }
        if is_finished {
            self.scene.note(|| format!("{node} stopped"), 19);
            self.die(node, None);
        }
        Ok(())
    }

    fn on_disk_error(&mut self, node: usize, error: &zk_storage::Error) -> Result<(), Violation> {
        self.scene.note(|| format!("server {node} ends: {error}"), 5);
        if !self.nodes[node].is_disk_failing {
            return Err(Property::Starts.broken(format!("{node} has a healthy disk: {error}")));
        }
        let crash = self.draw_crash();
        let takes_machine = self.scene.random.chance(500);
        self.die(node, takes_machine.then_some(crash));
        Ok(())
    }

    fn on_work(&mut self, node: usize, work: Work) -> Result<(), Violation> {
        if work == Work::StopEnd {
            self.die(node, None);
            return Ok(());
        }
        self.serve(node, |process, scene, wires| match work {
            Work::Socket(wire) => match wires.get_mut(&wire) {
                Some(open) => process.on_socket(scene, wire, open),
                None => process.release(scene, wire),
            },
            Work::SendBatch => {
                process.on_send_batch(scene);
                Ok(())
            }
            Work::Log => process.on_log(scene),
            Work::Commit => process.on_commit(scene),
            Work::Act => process.on_act(scene),
            Work::Report => process.on_report(scene),
            Work::LogRead(link) => process.on_reading(scene, link),
            Work::Snapshot(number) => process.on_snapshot(scene, number),
            Work::Timer => process.on_timer(scene),
            Work::StopEnd => Ok(()),
        })
    }

    fn on_start(&mut self, node: usize) -> Result<(), Violation> {
        let place = &mut self.nodes[node];
        if place.process.is_some() {
            return Ok(());
        }
        place.paused_until_us = 0;
        place.machine.boot += 1;
        match Process::start(&mut self.scene, &place.machine) {
            Ok(process) => {
                let zxid = process.peer.database().last_zxid();
                self.scene.note(|| format!("{node} started at {zxid}"), 6);
                self.nodes[node].process = Some(process);
                self.serve(node, |_, _, _| Ok(()))
            }
            Err(End::Violation(violation)) => Err(violation),
            Err(End::Disk(error)) => self.on_disk_error(node, &error),
            Err(End::Struck) => Ok(()),
        }
    }

    /// A process ends; with `crash` its machine does too. It will be started again.
    pub(super) fn die(&mut self, node: usize, crash: Option<Crash>) {
        let place = &mut self.nodes[node];
        let wires = place.process.take().map(|process| process.wires()).unwrap_or_default();
        place.is_disk_failing = false;
        place.machine.boot += 1;
        match crash {
            Some(crash) => {
                let random = &mut self.scene.random;
                place.machine.disk.crash(crash, &mut |n| random.index(n));
                place.machine.disk.heal();
            }
            // What was not synced is still in the page cache.
            None => place.machine.disk = place.machine.disk.fork(),
        }
        let tells = crash.is_none() || self.scene.random.chance(300);
        self.net.on_death(&mut self.scene, node, tells);
        for wire in wires {
            self.on_server_gone(wire);
        }
        let us = 1000 + self.scene.delay(if self.is_ending { 1000 } else { 20_000 });
        self.scene.after(us, Event::Start(node));
    }
}

/// How many events apart a whole state is compared.
const COMPARE_EVERY: u64 = 250;
