//! What keeps servers apart: directions that bring nothing, and connections that break.

use crate::event::Event;
use crate::tally::{Fault, Operation};
use crate::world::World;

use std::collections::BTreeSet;

impl World {
    /// Blocks directions between servers for a while.
    pub(crate) fn isolate(&mut self, fault: Fault, node: usize) {
        let nodes = self.nodes.len();
        if nodes == 1 {
            return;
        }
        let random = &mut self.scene.random;
        let mut blocked = Vec::new();
        match fault {
            Fault::OneWay => {
                let is_deaf = random.chance(500);
                for other in (0..nodes).filter(|other| *other != node) {
                    blocked.push(if is_deaf { (other, node) } else { (node, other) });
                }
            }
            Fault::TwoWay => {
                let other = (node + 1 + random.index(nodes - 1)) % nodes;
                blocked.extend([(node, other), (other, node)]);
            }
            _ => {
                let sides: Vec<bool> = (0..nodes).map(|_| random.chance(500)).collect();
                for from in 0..nodes {
                    let apart = (0..nodes).filter(|to| sides[*to] != sides[from]);
                    blocked.extend(apart.map(|to| (from, to)));
                }
            }
        }
        self.scene.note(|| format!("blocked: {blocked:?}"), 15);
        for (from, to) in &blocked {
            self.net.block(*from, *to);
        }
        self.partitions.push(blocked);
        let us = self.scene.delay(self.scene.knobs.faults.lasts_us);
        self.scene.after(us, Event::Relief);
    }

    /// The oldest of what keeps servers apart ends.
    pub(crate) fn relieve(&mut self) {
        if self.partitions.is_empty() {
            return;
        }
        for (from, to) in self.partitions.remove(0) {
            self.net.unblock(&mut self.scene, from, to);
        }
    }

    /// Breaks a connection to a quorum port in the middle of what is on the way.
    pub(crate) fn cut_link(&mut self, is_mute: bool) {
        let links = self.net.whole_links();
        if !links.is_empty() {
            let link = links[self.scene.random.index(links.len())];
            self.scene.note(|| format!("link {} is cut, mute: {is_mute}", link.0), 16);
            self.net.cut_link(&mut self.scene, link, is_mute);
        }
    }

    /// Breaks an election connection; either side may not hear of it.
    pub(crate) fn cut_line(&mut self, node: usize) {
        let nodes = self.nodes.len();
        if nodes > 1 {
            let other = (node + 1 + self.scene.random.index(nodes - 1)) % nodes;
            let told = [self.scene.random.chance(700), self.scene.random.chance(700)];
            self.net.cut_line(&mut self.scene, node, other, told);
        }
    }

    /// What goes on anywhere.
    pub(crate) fn operations(&self, operations: &mut BTreeSet<Operation>) {
        for process in self.nodes.iter().filter_map(|node| node.process.as_ref()) {
            process.operations(operations);
        }
        operations.extend(self.net.links.values().filter_map(|link| link.doing));
        self.scene.checker.operations(operations);
    }
}
