//! What servers send each other: mail of one becomes input of another, when the network lets it.

use std::net::{IpAddr, Ipv4Addr};

use zk_core::Input;

use super::World;
use crate::event::Passage;
use crate::net::{Dialed, Heard, Life, Side};
use crate::server::{Mail, id_of};
use crate::violation::Violation;

impl World {
    fn life(&self, node: usize) -> Life {
        Life { node, boot: self.nodes[node].machine.boot }
    }

    /// What a server sends goes on its way.
    pub(super) fn post(&mut self, node: usize, letter: Mail) {
        let me = self.life(node);
        let now_ms = self.nodes[node].process.as_ref().map_or(0, |p| p.mono_ms(&self.scene));
        let (net, scene) = (&mut self.net, &mut self.scene);
        match letter {
            Mail::Vote { to, payload } => net.notify(scene, me, to, payload),
            Mail::CallAll => net.call_all(scene, me),
            Mail::Dial { leader } => net.dial(scene, node, leader),
            Mail::StopDialing => net.stop_dialing(node),
            Mail::Packets { link, bytes } => net.send(scene, link, node, &bytes),
            Mail::Slice { link, bytes, is_last } => {
                net.stream(scene, link, node, &bytes, is_last);
            }
            Mail::Close(link) => net.close_link(scene, link, node),
            Mail::Resume(link) => net.resume(scene, link, node),
            Mail::Revalidated { link, session, is_valid } => {
                let timeout_ms = net.asked_timeout(link);
                if is_valid {
                    scene.checker.on_revalidated(node, session, timeout_ms, now_ms);
                }
            }
        }
    }

    pub(super) fn on_passage(&mut self, passage: Passage) -> Result<(), Violation> {
        match passage {
            Passage::Dial { node, attempt } => self.on_dial(node, attempt),
            Passage::LinkOpens { link, side } => {
                let Some(node) = self.net.node_of(passage) else { return Ok(()) };
                let boot = self.nodes[node].process.as_ref().map(|process| process.boot());
                if !self.net.on_link_opens(&mut self.scene, link, side, boot) {
                    return Ok(());
                }
                self.scene.note(|| format!("{node} has link {} as {side:?}", link.0), link.0);
                match side {
                    Side::Learner => self.feed(node, Input::Dialed { link }),
                    Side::Leader => self.feed(node, Input::LinkOpened { link, remote: remote() }),
                }
            }
            Passage::LinkBytes { link, side } => {
                let Some(node) = self.net.node_of(passage) else { return Ok(()) };
                let process = self.nodes[node].process.as_ref();
                let may_read = process.is_some_and(|process| process.peer.may_read_link(link));
                match self.net.on_link_bytes(&mut self.scene, link, side, may_read) {
                    Heard::Nothing => Ok(()),
                    Heard::Bytes(bytes) => {
                        let now_ms = process.map_or(0, |process| process.mono_ms(&self.scene));
                        self.net.marks(&mut self.scene, link, side, now_ms);
                        self.feed(node, Input::LinkBytes { link, bytes: &bytes })
                    }
                    Heard::End => self.feed(node, Input::LinkClosed { link }),
                }
            }
            Passage::LinkEnds { link, side } => {
                let Some(node) = self.net.node_of(passage) else { return Ok(()) };
                self.scene.note(|| format!("{node} hears that link {} ends", link.0), link.0);
                if self.net.on_link_ends(&mut self.scene, link, side) {
                    return self.feed(node, Input::LinkClosed { link });
                }
                Ok(())
            }
            Passage::Call { .. }
            | Passage::CallFails { .. }
            | Passage::LineOpens { .. }
            | Passage::LineTakes { .. }
            | Passage::LineBrings { .. }
            | Passage::LineEnds { .. } => self.on_line(passage),
        }
    }

    fn on_dial(&mut self, node: usize, attempt: u64) -> Result<(), Violation> {
        if self.nodes[node].process.is_none() {
            return Ok(());
        }
        let me = self.life(node);
        let nodes = &self.nodes;
        let life = |node: usize| {
            let process = nodes[node].process.as_ref()?;
            Some(Life { node, boot: process.boot() })
        };
        match self.net.on_dial(&mut self.scene, me, attempt, life) {
            Dialed::Pending => Ok(()),
            Dialed::Failed => self.feed(node, Input::DialFailed),
        }
    }

    /// Something happens to an election connection.
    fn on_line(&mut self, passage: Passage) -> Result<(), Violation> {
        let is_there = |world: &Self, node: usize| world.nodes[node].process.is_some();
        let is_alive = |world: &Self, node: usize, boot: u64| {
            world.nodes[node].process.as_ref().is_some_and(|process| process.boot() == boot)
        };
        let reachable =
            |peer: usize, is_reachable| Input::Reachable { peer: id_of(peer), is_reachable };
        match passage {
            Passage::Call { from, to, boot } if is_alive(self, from, boot) => {
                let is_there = is_there(self, to);
                self.net.on_call(&mut self.scene, from, to, boot, is_there);
                Ok(())
            }
            Passage::CallFails { from, to, boot } if is_alive(self, from, boot) => {
                if self.net.on_call_fails(from, to) {
                    return self.feed(from, reachable(to, false));
                }
                Ok(())
            }
            Passage::LineOpens { from, to, of } if is_there(self, to) => {
                if self.net.on_line_opens(&mut self.scene, from, to, of) {
                    return self.feed(to, reachable(from, true));
                }
                Ok(())
            }
            Passage::LineTakes { from, to, .. } if is_there(self, from) => {
                let me = self.life(from);
                self.net.on_line_takes(&mut self.scene, me, to);
                Ok(())
            }
            Passage::LineBrings { from, to, of } if is_there(self, to) => {
                match self.net.on_line_brings(&mut self.scene, from, to, of) {
                    Some(vote) => {
                        let (node, from) = (to, id_of(from));
                        self.feed(node, Input::Notified { from, payload: &vote })
                    }
                    None => Ok(()),
                }
            }
            Passage::LineEnds { from, to, of } if is_there(self, to) => {
                if self.net.on_line_ends(from, to, of) {
                    return self.feed(to, reachable(from, false));
                }
                Ok(())
            }
            // Whom it concerns is gone.
            _ => Ok(()),
        }
    }

    fn feed(&mut self, node: usize, input: Input<'_>) -> Result<(), Violation> {
        self.serve(node, |process, scene, _| process.step(scene, input, None))
    }
}

/// Where all servers come from.
fn remote() -> IpAddr {
    IpAddr::V4(Ipv4Addr::new(10, 1, 1, 1))
}
