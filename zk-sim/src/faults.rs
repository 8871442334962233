//! What breaks: power, process, disk, network and clocks.

use std::collections::BTreeSet;

use zk_storage::{MemDisk, purge};

use crate::event::Event;
use crate::tally::Fault;
use crate::violation::{Property, Violation};
use crate::world::World;

const EIO: i32 = 5;
const ENOSPC: i32 = 28;
const RETAINED: usize = 3;

impl World {
    pub(crate) fn on_fault(&mut self) -> Result<(), Violation> {
        if self.is_ending {
            return Ok(());
        }
        let pause_us = self.scene.knobs.faults.pause_us;
        let us = 1 + self.scene.delay(2 * pause_us);
        self.scene.after(us, Event::Fault);
        let faults = self.scene.knobs.faults.clone();
        let Some(fault) = faults.pick(&mut self.scene.random) else { return Ok(()) };
        let node = self.pick_node();
        if fault == Fault::VolumeLost && !self.may_lose_volume(node) {
            return Ok(());
        }
        let mut during = BTreeSet::new();
        self.operations(&mut during);
        self.scene.tally.strike(fault, &during);
        self.scene.note(|| format!("{fault:?}, perhaps of {node}"), 10);
        match fault {
            Fault::Power => {
                let crash = self.draw_crash();
                self.die(node, Some(crash));
            }
            Fault::Kill => self.die(node, None),
            Fault::PowerOfAll | Fault::KillOfAll => {
                for node in 0..self.nodes.len() {
                    let crash = self.draw_crash();
                    self.die(node, (fault == Fault::PowerOfAll).then_some(crash));
                }
            }
            Fault::DieInStep => {
                let after = self.scene.random.below(12);
                if let Some(process) = &mut self.nodes[node].process {
                    process.strike(after);
                }
            }
            Fault::Terminate => {
                return self.serve(node, |process, scene, _| process.stop(scene));
            }
            Fault::DiskError => self.break_disk(node),
            Fault::SlowDisk => {
                let factor = self.scene.random.pick(&[1, 10, 50]);
                if let Some(process) = &mut self.nodes[node].process {
                    process.slow_down(factor);
                }
            }
            Fault::Purge => return self.purge(node),
            Fault::VolumeLost => self.lose_volume(node),
            Fault::Pause => {
                let us = self.scene.delay(self.scene.knobs.faults.lasts_us);
                self.nodes[node].paused_until_us = self.scene.now_us + us;
            }
            Fault::Clock => self.jump(node),
            Fault::OneWay | Fault::TwoWay | Fault::Split => self.isolate(fault, node),
            Fault::LinkCut | Fault::LinkHalfOpen => self.cut_link(fault == Fault::LinkHalfOpen),
            Fault::LineCut => self.cut_line(node),
            Fault::ClientCut => self.cut_wire(false),
            Fault::ClientHalfOpen => self.cut_wire(true),
        }
        Ok(())
    }

    /// Whether nothing is gone for good with this volume: all others have theirs, or got everything since.
    fn may_lose_volume(&mut self, node: usize) -> bool {
        for place in &mut self.nodes {
            let has_all = place.process.as_ref().is_some_and(|process| process.peer.is_serving());
            place.has_lost &= !has_all;
        }
        let is_whole = |other: usize| other == node || !self.nodes[other].has_lost;
        self.scene.knobs.quorum.is_guarded && (0..self.nodes.len()).all(is_whole)
    }

    fn lose_volume(&mut self, node: usize) {
        self.die(node, None);
        let place = &mut self.nodes[node];
        place.machine.disk = MemDisk::new();
        place.has_lost = true;
        self.scene.checker.on_volume_lost(node);
    }

    /// Any server, but the leader more often than others.
    fn pick_node(&mut self) -> usize {
        let leader = self
            .nodes
            .iter()
            .position(|node| node.process.as_ref().is_some_and(|process| process.leads()));
        match leader {
            Some(leader) if self.scene.random.chance(300) => leader,
            _ => self.scene.random.index(self.nodes.len()),
        }
    }

    fn break_disk(&mut self, node: usize) {
        let after = self.scene.random.below(12);
        let errno = self.scene.random.pick(&[EIO, ENOSPC]);
        let place = &mut self.nodes[node];
        place.is_disk_failing = true;
        place.machine.disk.fail_after(after, errno);
    }

    /// A wall clock jumps; what sessions live by does not.
    fn jump(&mut self, node: usize) {
        let jump = self.scene.random.between(0, 200_000);
        let skew_ms = 100_000 - i64::try_from(jump).expect("it is small");
        self.nodes[node].machine.wall_skew_ms = skew_ms;
        if let Some(process) = &mut self.nodes[node].process {
            process.skew(skew_ms);
        }
    }

    /// Cuts a client's connection: bytes on the way are lost; with `is_mute` nobody is told.
    fn cut_wire(&mut self, is_mute: bool) {
        let wires: Vec<_> = self.wires.keys().copied().collect();
        if wires.is_empty() {
            return;
        }
        let id = wires[self.scene.random.index(wires.len())];
        self.scene.note(|| format!("{id:?} is cut, mute: {is_mute}"), 14);
        let Some(wire) = self.wires.get_mut(&id) else { return };
        wire.is_cut = true;
        wire.is_mute |= is_mute;
        for stream in [&mut wire.up, &mut wire.down] {
            let n = self.scene.random.index(stream.len() + 1);
            stream.cut(n);
        }
        if !is_mute {
            let (up, down) = (self.scene.delay(20_000), self.scene.delay(20_000));
            self.scene.after(up, Event::UpEnd(id));
            self.scene.after(down, Event::DownEnd(id));
        }
    }

    fn purge(&mut self, node: usize) -> Result<(), Violation> {
        let place = &self.nodes[node];
        match purge(&place.machine.disk, &place.machine.dirs, RETAINED) {
            Err(error) if place.process.is_some() && !place.is_disk_failing => {
                Err(Property::Starts.broken(format!("purge fails: {error}")))
            }
            _ => Ok(()),
        }
    }
}
