//! Clients and their connections: what travels on them, and how they end.

use std::collections::BTreeMap;

use super::World;
use crate::client::Act;
use crate::event::{Event, Work};
use crate::scene::Scene;
use crate::violation::Violation;
use crate::wire::{Stream, Wire, WireId};

impl World {
    pub(super) fn on_client(&mut self, index: usize) -> Result<(), Violation> {
        let think_us = self.scene.knobs.think_us;
        let us = self.scene.delay(2 * think_us);
        self.scene.after(us + 1, Event::Client(index));
        let client = &mut self.clients[index];
        match client.act(&mut self.scene, self.is_ending) {
            Act::Nothing => {}
            Act::Connect { node, bytes, connect } => {
                self.wires_made += 1;
                let id = WireId(self.wires_made);
                let what = || format!("client {index} {id:?} to {node} {connect:x?}");
                self.scene.note(what, 7);
                client.wire = Some(id);
                self.scene.checker.on_connecting(id, node, connect);
                self.wires.insert(id, Wire { node, ..Wire::default() });
                let us = self.scene.delay(self.scene.knobs.delay_us);
                if self.nodes[node].process.is_some() {
                    self.scene.after(us, Event::Accept(id));
                } else {
                    self.scene.after(us, Event::DownEnd(id));
                }
                self.push_up(id, &bytes, us);
            }
            Act::Send(bytes) => {
                if let Some(id) = client.wire {
                    self.push_up(id, &bytes, 0);
                }
            }
            Act::Leave => self.leave(index),
        }
        Ok(())
    }

    /// A client lets go of its connection; the server hears of it, unless the wire is mute.
    fn leave(&mut self, index: usize) {
        let client = &mut self.clients[index];
        let Some(id) = client.wire else { return };
        self.scene.note(|| format!("client {index} leaves {id:?}"), 8);
        client.on_lost(&mut self.scene);
        let Some(wire) = self.wires.get_mut(&id) else { return };
        wire.client_is_gone = true;
        if !wire.is_mute {
            let us = 2 * self.scene.knobs.delay_us + self.scene.delay(self.scene.knobs.delay_us);
            self.scene.after(us, Event::UpEnd(id));
        }
        self.bury(id);
    }

    fn push_up(&mut self, id: WireId, bytes: &[u8], at_least_us: u64) {
        let Some(wire) = self.wires.get_mut(&id).filter(|wire| !wire.is_cut) else { return };
        wire.up.push(bytes);
        if !wire.up.is_moving {
            wire.up.is_moving = true;
            let us = at_least_us + self.scene.delay(self.scene.knobs.delay_us);
            self.scene.after(us + 1, Event::Up(id));
        }
    }

    pub(super) fn on_accept(&mut self, id: WireId) -> Result<(), Violation> {
        let Some(wire) = self.wires.get(&id) else { return Ok(()) };
        let node = wire.node;
        if self.nodes[node].process.is_none() {
            refuse(&mut self.scene, &mut self.wires, id);
        }
        self.serve(node, |process, scene, wires| {
            if wires.contains_key(&id) && !process.accept(scene, id)? {
                refuse(scene, wires, id);
            }
            Ok(())
        })
    }

    pub(super) fn on_up(&mut self, id: WireId) -> Result<(), Violation> {
        let Some(wire) = self.wires.get_mut(&id) else { return Ok(()) };
        wire.up.is_moving = false;
        let node = wire.node;
        let bytes = arrive(&mut self.scene, &mut wire.up, Event::Up(id));
        let length = u64::try_from(bytes.len()).expect("requests are small");
        self.scene.note(|| format!("{id:?} up {length} bytes"), length);
        self.serve(node, |process, scene, wires| match wires.get_mut(&id) {
            Some(wire) => process.on_bytes(scene, id, wire, &bytes),
            None => Ok(()),
        })
    }

    pub(super) fn on_down(&mut self, id: WireId) -> Result<(), Violation> {
        let Some(wire) = self.wires.get_mut(&id) else { return Ok(()) };
        wire.down.is_moving = false;
        let node = wire.node;
        let bytes = arrive(&mut self.scene, &mut wire.down, Event::Down(id));
        // The socket has room again.
        let boot = self.nodes[node].machine.boot;
        self.scene.after(1, Event::Work { node, boot, work: Work::Socket(id) });
        let Some(client) = self.clients.iter_mut().find(|client| client.wire == Some(id)) else {
            return Ok(());
        };
        let answer = client.on_bytes(&mut self.scene, id, &bytes)?;
        if !answer.is_empty() {
            self.push_up(id, &answer, 0);
        }
        Ok(())
    }

    pub(super) fn on_up_end(&mut self, id: WireId) -> Result<(), Violation> {
        let Some(wire) = self.wires.get_mut(&id) else { return Ok(()) };
        wire.server_is_gone = true;
        let node = wire.node;
        self.serve(node, |process, scene, _| process.release(scene, id))?;
        self.bury(id);
        Ok(())
    }

    pub(super) fn on_down_end(&mut self, id: WireId) -> Result<(), Violation> {
        let Some(wire) = self.wires.get_mut(&id) else { return Ok(()) };
        if wire.down.len() > 0 && !wire.client_is_gone {
            // What was sent before the end arrives before the end.
            self.scene.after(100, Event::DownEnd(id));
            return Ok(());
        }
        wire.client_is_gone = true;
        wire.server_is_gone = true;
        let node = wire.node;
        if let Some(client) = self.clients.iter_mut().find(|client| client.wire == Some(id)) {
            client.on_lost(&mut self.scene);
        }
        self.serve(node, |process, scene, _| process.release(scene, id))?;
        self.bury(id);
        Ok(())
    }

    /// A server has died: its client will hear of it.
    pub(super) fn on_server_gone(&mut self, id: WireId) {
        if let Some(wire) = self.wires.get_mut(&id) {
            wire.server_is_gone = true;
            let us = self.scene.delay(self.scene.knobs.delay_us);
            self.scene.after(us, Event::DownEnd(id));
        }
        self.bury(id);
    }

    /// Forgets a connection that both sides have let go of.
    fn bury(&mut self, id: WireId) {
        if self.wires.get(&id).is_some_and(|wire| wire.client_is_gone && wire.server_is_gone) {
            self.wires.remove(&id);
            self.scene.checker.forget(id);
        }
    }
}

/// Some of the bytes of a stream arrive; the rest comes later.
fn arrive(scene: &mut Scene, stream: &mut Stream, again: Event) -> Vec<u8> {
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

fn refuse(scene: &mut Scene, wires: &mut BTreeMap<WireId, Wire>, id: WireId) {
    if let Some(wire) = wires.get_mut(&id) {
        wire.server_is_gone = true;
        scene.after(1, Event::DownEnd(id));
    }
}
