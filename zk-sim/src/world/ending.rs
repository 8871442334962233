//! The end of a run: faults are over, and within a bounded time all must be well.

use zk_storage::Crash;

use super::World;
use crate::client::Client;
use crate::event::Event;
use crate::server::{End, Process};
use crate::violation::{Property, Violation};

impl World {
    pub(super) fn end(&mut self) -> Result<(), Violation> {
        self.heal();
        let quorum = &self.scene.knobs.quorum;
        let limit_us = if quorum.is_alone() { ALONE_MAX_US } else { ENSEMBLE_MAX_US };
        let until_us = self.scene.now_us + limit_us;
        while self.outcome.is_none() && self.scene.now_us < until_us {
            let Some(event) = self.scene.next() else { break };
            self.on_event(event)?;
        }
        match self.outcome.take() {
            Some(result) => result.and_then(|()| self.recover_once_more()),
            None => Err(Property::Progress.broken(format!(
                "faults are over, but not all is done: {:?}, waiting: {:x?}",
                self.nodes
                    .iter()
                    .map(|node| {
                        let peer = &node.process.as_ref()?.peer;
                        Some((peer.role(), peer.is_serving(), peer.database().last_zxid()))
                    })
                    .collect::<Vec<_>>(),
                self.clients.iter().filter(|client| !client.is_quiet()).collect::<Vec<_>>()
            ))),
        }
    }

    /// Faults are over: disks work, the network is fast, and whoever was cut off hears of it.
    fn heal(&mut self) {
        self.is_ending = true;
        self.scene.note(|| "faults are over".to_owned(), 9);
        self.scene.knobs.delay_us = 50;
        self.scene.knobs.flush_us = 100;
        self.scene.knobs.think_us = self.scene.knobs.think_us.max(1000);
        for node in &mut self.nodes {
            node.machine.disk.heal();
            node.is_disk_failing = false;
            node.paused_until_us = 0;
            if let Some(process) = &mut node.process {
                process.slow_down(1);
            }
        }
        self.partitions.clear();
        self.net.heal(&mut self.scene);
        let cut: Vec<_> = self.wires.iter().filter(|(_, wire)| wire.is_cut).map(|w| *w.0).collect();
        for wire in cut {
            self.scene.after(0, Event::UpEnd(wire));
            self.scene.after(0, Event::DownEnd(wire));
        }
        self.scene.after(LOOK_US, Event::Look);
    }

    /// Whether all is done by now.
    pub(super) fn look(&mut self) -> Result<(), Violation> {
        if self.outcome.is_none() && self.is_quiet() {
            let result = self.check_end();
            self.outcome = Some(result);
        }
        self.scene.after(LOOK_US, Event::Look);
        Ok(())
    }

    fn is_quiet(&self) -> bool {
        self.nodes.iter().all(|node| node.process.as_ref().is_some_and(Process::is_quiet))
            && self.clients.iter().all(Client::is_quiet)
            && self.scene.checker.common_end().is_some()
            && self
                .wires
                .values()
                .all(|wire| wire.client_is_gone || wire.up.len() == 0 && wire.down.len() == 0)
    }

    fn check_end(&mut self) -> Result<(), Violation> {
        for wire in self.clients.iter().filter_map(|client| client.wire) {
            self.scene.checker.expect_nothing_owed(wire)?;
        }
        for node in 0..self.nodes.len() {
            self.compare(node)?;
            let peer = self.nodes[node].process.as_ref().map(|process| &process.peer);
            if let Some(members) = peer.and_then(zk_core::Peer::members) {
                self.scene.checker.expect_members(node, members.text())?;
            }
        }
        self.scene.checker.expect_live_owners()
    }

    /// After everything: what the disks have is what clients saw.
    fn recover_once_more(&mut self) -> Result<(), Violation> {
        for node in 0..self.nodes.len() {
            let Self { scene, nodes, .. } = self;
            nodes[node].process = None;
            nodes[node].machine.disk.crash(Crash::LoseAll, &mut |_| 0);
            nodes[node].machine.boot += 1;
            match Process::start(scene, &nodes[node].machine) {
                Ok(_) | Err(End::Struck) => {}
                Err(End::Violation(violation)) => return Err(violation),
                Err(End::Disk(error)) => return Err(Property::Starts.broken(error)),
            }
        }
        Ok(())
    }

    /// What still works after a crash.
    pub(crate) fn draw_crash(&mut self) -> Crash {
        let kinds = [Crash::LoseAll, Crash::Prefix, Crash::Scatter, Crash::Scatter, Crash::KeepAll];
        self.scene.random.pick(&kinds)
    }
}

/// How far apart the looks are at whether all is done, in microseconds.
const LOOK_US: u64 = 5_000;
/// How long all may take to be answered once faults are over, in microseconds: a lone server restarts
/// and serves, an ensemble elects a leader, which may take several attempts of `initLimit`.
const ALONE_MAX_US: u64 = 120_000_000;
const ENSEMBLE_MAX_US: u64 = 120_000_000;
