//! The task of one connection: bytes in, frames to the core, bytes out.

use zk_core::{ConnectionId, Input, Peer};
use zk_wire::Frames;

use super::start::remote;
use super::{End, Process};
use crate::event::Event;
use crate::mutation::Mutation;
use crate::scene::Scene;
use crate::wire::{Wire, WireId};

/// The server's end of a connection.
#[derive(Debug)]
pub(super) struct Socket {
    cnx: ConnectionId,
    place: u32,
    /// Bytes that were read and not fed.
    rest: Vec<u8>,
    pub(super) is_closing: bool,
}

impl Socket {
    pub(super) fn is_quiet(&self, peer: &Peer) -> bool {
        let has_output = peer.connection(self.cnx).is_some_and(|cnx| cnx.has_output());
        self.rest.is_empty() && !has_output && !self.is_closing
    }
}

const FRAME_LENGTH_MAX: usize = 0xf_ffff;
const NOTIFICATION: [u8; 4] = (-1_i32).to_be_bytes();

impl Process {
    pub(super) fn wire_of(&self, cnx: ConnectionId) -> WireId {
        let found = self.sockets.iter().find(|(_, socket)| socket.cnx == cnx);
        *found.expect("the core names connections that are open").0
    }

    /// Lets a client in; false when the server is stopping.
    pub(crate) fn accept(&mut self, scene: &mut Scene, id: WireId) -> Result<bool, End> {
        if self.is_stopping {
            return Ok(false);
        }
        let place = self.free.pop().unwrap_or_else(|| {
            self.places.push(0);
            u32::try_from(self.places.len() - 1).expect("there are few connections")
        });
        let generation = self.places[usize::try_from(place).expect("places are few")];
        let cnx = ConnectionId::new(place, generation);
        self.sockets.insert(id, Socket { cnx, place, rest: Vec::new(), is_closing: false });
        self.step(scene, Input::Connected { cnx, remote: remote() }, Some(id))?;
        Ok(true)
    }

    /// A connection has ended; its place is free again.
    pub(crate) fn release(&mut self, scene: &mut Scene, id: WireId) -> Result<(), End> {
        let Some(socket) = self.sockets.remove(&id) else { return Ok(()) };
        self.step(scene, Input::Disconnected { cnx: socket.cnx }, None)?;
        self.places[usize::try_from(socket.place).expect("places are few")] += 1;
        self.free.push(socket.place);
        Ok(())
    }

    /// Bytes have come.
    pub(crate) fn on_bytes(
        &mut self,
        scene: &mut Scene,
        id: WireId,
        wire: &mut Wire,
        bytes: &[u8],
    ) -> Result<(), End> {
        let Some(socket) = self.sockets.get_mut(&id) else { return Ok(()) };
        if socket.is_closing {
            return Ok(());
        }
        socket.rest.extend_from_slice(bytes);
        self.feed(scene, id)?;
        self.write(scene, id, wire);
        Ok(())
    }

    /// The task looks up: it was told to, or its socket takes bytes again.
    pub(crate) fn on_socket(
        &mut self,
        scene: &mut Scene,
        id: WireId,
        wire: &mut Wire,
    ) -> Result<(), End> {
        let Some(socket) = self.sockets.get(&id) else { return Ok(()) };
        if socket.is_closing {
            let cnx = socket.cnx;
            let last = self.peer.output(cnx).map(std::mem::take).unwrap_or_default();
            push(scene, wire, id, &last);
            wire.server_is_gone = true;
            let us = scene.knobs.delay_us + scene.delay(scene.knobs.delay_us);
            scene.after(us, Event::DownEnd(id));
            return self.release(scene, id);
        }
        self.feed(scene, id)?;
        self.write(scene, id, wire);
        Ok(())
    }

    /// Feeds whole frames while the core takes them.
    fn feed(&mut self, scene: &mut Scene, id: WireId) -> Result<(), End> {
        let Some(socket) = self.sockets.get_mut(&id) else { return Ok(()) };
        let cnx = socket.cnx;
        let rest = std::mem::take(&mut socket.rest);
        let mut frames = Frames::new(&rest, FRAME_LENGTH_MAX);
        while !self.is_stopping && self.peer.may_read(cnx) {
            let Ok(Some(frame)) = frames.next_frame() else { break };
            let session = self.peer.connection(cnx).and_then(|cnx| cnx.session());
            scene.checker.on_fed(id, session.map(|session| session.0), self.mono_ms(scene));
            self.step(scene, Input::Frame { cnx, bytes: frame }, Some(id))?;
        }
        let left = rest[frames.consumed()..].to_vec();
        if let Some(socket) = self.sockets.get_mut(&id) {
            socket.rest = left;
        }
        Ok(())
    }

    /// Sends what is waiting, as far as the socket takes it.
    fn write(&mut self, scene: &mut Scene, id: WireId, wire: &mut Wire) {
        let Some(socket) = self.sockets.get(&id) else { return };
        let Some(out) = self.peer.output(socket.cnx) else { return };
        match scene.mutation {
            Some(Mutation::SwallowEvent) => swallow_event(scene, out),
            Some(Mutation::EventAfterReply) => delay_event(scene, out),
            _ => {}
        }
        let room = scene.knobs.socket_bytes.saturating_sub(wire.down.len());
        let n = out.len().min(room);
        let bytes: Vec<u8> = out.drain(..n).collect();
        push(scene, wire, id, &bytes);
    }
}

/// Puts bytes on their way to the client.
fn push(scene: &mut Scene, wire: &mut Wire, id: WireId, bytes: &[u8]) {
    if bytes.is_empty() || wire.is_cut {
        return;
    }
    let length = u64::try_from(bytes.len()).expect("replies are small");
    scene.note(|| format!("{id:?} down {length} bytes"), length);
    wire.down.push(bytes);
    if !wire.down.is_moving {
        wire.down.is_moving = true;
        let us = scene.delay(scene.knobs.delay_us);
        scene.after(us, Event::Down(id));
    }
}

/// The frames of a buffer that holds whole ones only, or nothing if it does not.
fn frames_of(out: &[u8]) -> Vec<Vec<u8>> {
    let mut frames = Frames::new(out, usize::MAX);
    let mut all = Vec::new();
    while let Ok(Some(frame)) = frames.next_frame() {
        let length = u32::try_from(frame.len()).expect("frames are small");
        all.push([&length.to_be_bytes(), frame].concat());
    }
    if frames.consumed() == out.len() { all } else { Vec::new() }
}

fn is_event(frame: &[u8]) -> bool {
    frame.get(4..8) == Some(&NOTIFICATION)
}

fn swallow_event(scene: &mut Scene, out: &mut Vec<u8>) {
    let mut frames = frames_of(out);
    if !frames.is_empty() {
        frames.retain(|frame| !is_event(frame) || !scene.random.chance(100));
        *out = frames.concat();
    }
}

fn delay_event(scene: &mut Scene, out: &mut Vec<u8>) {
    let mut frames = frames_of(out);
    let at = frames.windows(2).position(|pair| is_event(&pair[0]) && !is_event(&pair[1]));
    if let Some(at) = at
        && scene.random.chance(300)
    {
        frames.swap(at, at + 1);
        *out = frames.concat();
    }
}
