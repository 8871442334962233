//! Connections to quorum ports: from the attempt to reach a leader to the end of the last byte.

use bytes::Bytes;
use zk_core::LinkId;
use zk_wire::{QuorumPacket, Zxid};

use super::{Dialing, End, EndState, Link, Mark, Net, Pipe, Side, after};
use crate::event::Passage;
use crate::scene::Scene;
use crate::tally::Operation;

/// What comes of an attempt to reach a leader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialed {
    /// The attempt was given up meanwhile, or another one follows.
    Pending,
    /// There was time enough.
    Failed,
}

/// What an end of a link is to be told.
#[derive(Debug)]
pub(crate) enum Heard {
    Nothing,
    /// These bytes.
    Bytes(Vec<u8>),
    /// That it is gone.
    End,
}

/// A process: the server, and which of its lives.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Life {
    pub(crate) node: usize,
    pub(crate) boot: u64,
}

impl Net {
    /// A server wants to reach its leader.
    pub(crate) fn dial(&mut self, scene: &mut Scene, node: usize, leader: usize) {
        self.attempts += 1;
        let attempt = self.attempts;
        let patience_us = 1000 * scene.knobs.tick_ms * u64::from(scene.knobs.quorum.init_limit);
        let until_us = scene.now_us + patience_us;
        self.dialing[node] = Some(Dialing { attempt, leader, until_us });
        let us = scene.delay(scene.knobs.delay_us);
        after(scene, us, Passage::Dial { node, attempt });
    }

    pub(crate) fn stop_dialing(&mut self, node: usize) {
        self.dialing[node] = None;
    }

    /// An attempt to reach a leader; `leader` tells the life of the one that is asked for.
    pub(crate) fn on_dial(
        &mut self,
        scene: &mut Scene,
        me: Life,
        attempt: u64,
        life: impl Fn(usize) -> Option<Life>,
    ) -> Dialed {
        let Some(dialing) = self.dialing[me.node].filter(|dialing| dialing.attempt == attempt)
        else {
            return Dialed::Pending;
        };
        let leader = life(dialing.leader).filter(|_| !self.is_apart(me.node, dialing.leader));
        let Some(leader) = leader else {
            if scene.now_us >= dialing.until_us {
                self.dialing[me.node] = None;
                return Dialed::Failed;
            }
            let us = 1000 + scene.delay(1000 * scene.knobs.tick_ms);
            after(scene, us, Passage::Dial { node: me.node, attempt });
            return Dialed::Pending;
        };
        self.links_made += 1;
        let id = LinkId(self.links_made);
        let end = |life: Life| End { node: life.node, boot: life.boot, state: EndState::Opening };
        let link = Link {
            learner: end(me),
            leader: end(leader),
            to_learner: Pipe::default(),
            to_leader: Pipe::default(),
            is_cut: false,
            is_mute: false,
            doing: None,
            snap: Zxid::ZERO,
            asked_timeouts: std::collections::VecDeque::new(),
        };
        self.links.insert(id, link);
        for side in [Side::Learner, Side::Leader] {
            let us = scene.knobs.delay_us / 2 + scene.delay(scene.knobs.delay_us);
            after(scene, us, Passage::LinkOpens { link: id, side });
        }
        Dialed::Pending
    }

    /// A link is there for one end, if that process still lives and wants it.
    pub(crate) fn on_link_opens(
        &mut self,
        scene: &mut Scene,
        id: LinkId,
        side: Side,
        boot: Option<u64>,
    ) -> bool {
        let Some(link) = self.links.get_mut(&id) else { return false };
        let end = *link.end(side);
        if end.state != EndState::Opening {
            return false;
        }
        let mut is_wanted = boot == Some(end.boot);
        if side == Side::Learner {
            let leader = link.leader.node;
            is_wanted &= self.dialing[end.node].is_some_and(|dialing| dialing.leader == leader);
        }
        if !is_wanted {
            self.close(scene, id, side);
            return false;
        }
        let link = self.links.get_mut(&id).expect("it was just there");
        link.end_mut(side).state = EndState::Open;
        if side == Side::Learner {
            self.dialing[end.node] = None;
        }
        self.move_link(scene, id, side);
        true
    }

    /// One end sends packets.
    pub(crate) fn send(&mut self, scene: &mut Scene, id: LinkId, node: usize, bytes: &Bytes) {
        let Some((side, link)) = self.open_end(id, node) else { return };
        let mark = note_packet(scene, link, side, bytes);
        self.push(scene, id, side, bytes, mark);
    }

    /// A leader sends a part of a snapshot.
    pub(crate) fn stream(
        &mut self,
        scene: &mut Scene,
        id: LinkId,
        node: usize,
        bytes: &Bytes,
        is_last: bool,
    ) {
        let Some((side, link)) = self.open_end(id, node) else { return };
        let mark = is_last.then_some(Mark::Snapshot(link.snap));
        self.push(scene, id, side, bytes, mark);
    }

    /// The end of a link that a server has, if it has not let go of it.
    fn open_end(&mut self, id: LinkId, node: usize) -> Option<(Side, &mut Link)> {
        let link = self.links.get_mut(&id)?;
        let side = if link.learner.node == node { Side::Learner } else { Side::Leader };
        (link.end(side).state == EndState::Open).then_some((side, link))
    }

    fn push(
        &mut self,
        scene: &mut Scene,
        id: LinkId,
        from: Side,
        bytes: &[u8],
        mark: Option<Mark>,
    ) {
        let Some(link) = self.links.get_mut(&id).filter(|link| !link.is_cut) else { return };
        let is_gone = link.end(from.other()).state == EndState::Gone;
        let pipe = link.pipe(from.other());
        if is_gone {
            return;
        }
        pipe.stream.push(bytes);
        pipe.pushed += u64::try_from(bytes.len()).expect("packets are small");
        pipe.marks.extend(mark.map(|mark| (pipe.pushed, mark)));
        self.move_link(scene, id, from.other());
    }

    /// Lets what waits for one end go on, if there is something and nothing holds it back.
    pub(crate) fn move_link(&mut self, scene: &mut Scene, id: LinkId, side: Side) {
        let Some(link) = self.links.get(&id) else { return };
        if self.is_blocked(link.end(side.other()).node, link.end(side).node) {
            return;
        }
        let link = self.links.get_mut(&id).expect("it was just there");
        let is_open = link.end(side).state == EndState::Open;
        let pipe = link.pipe(side);
        let has_some = pipe.stream.len() > 0 || pipe.is_finished;
        if is_open && has_some && !pipe.stream.is_moving {
            pipe.stream.is_moving = true;
            let us = scene.knobs.delay_us / 2 + scene.delay(scene.knobs.delay_us);
            after(scene, us, Passage::LinkBytes { link: id, side });
        }
    }

    /// A server takes what comes over a link again.
    pub(crate) fn resume(&mut self, scene: &mut Scene, id: LinkId, node: usize) {
        if let Some((side, _)) = self.open_end(id, node) {
            self.move_link(scene, id, side);
        }
    }

    /// Something arrives at one end. `may_read` says whether its server takes it now; else it is asked
    /// to take it later by `move_link`.
    pub(crate) fn on_link_bytes(
        &mut self,
        scene: &mut Scene,
        id: LinkId,
        side: Side,
        may_read: bool,
    ) -> Heard {
        let Some(link) = self.links.get_mut(&id) else { return Heard::Nothing };
        let is_open = link.end(side).state == EndState::Open;
        link.pipe(side).stream.is_moving = false;
        let (from, to) = (link.end(side.other()).node, link.end(side).node);
        if !is_open || !may_read || self.is_blocked(from, to) {
            return Heard::Nothing;
        }
        let link = self.links.get_mut(&id).expect("it was just there");
        let pipe = link.pipe(side);
        let len = pipe.stream.len();
        if len == 0 {
            if pipe.is_finished {
                link.end_mut(side).state = EndState::Gone;
                self.bury(id);
                return Heard::End;
            }
            return Heard::Nothing;
        }
        let is_whole = len < 2 || scene.random.chance(700);
        let n = if is_whole { len } else { 1 + scene.random.index(len) };
        let bytes = pipe.stream.take(n);
        pipe.taken += u64::try_from(n).expect("packets are small");
        self.move_link(scene, id, side);
        Heard::Bytes(bytes)
    }

    /// What it means to the oracle that an end has taken what it has: sessions that were heard of, and
    /// a snapshot that is whole.
    pub(crate) fn marks(&mut self, scene: &mut Scene, id: LinkId, side: Side, now_ms: u64) {
        let Some(link) = self.links.get_mut(&id) else { return };
        let node = link.end(side).node;
        let taken = link.pipe(side).taken;
        while let Some((_, mark)) = link.pipe(side).marks.pop_front_if(|(at, _)| *at <= taken) {
            match mark {
                Mark::Touched(sessions) => scene.checker.on_touched(node, &sessions, now_ms),
                Mark::Asked { timeout_ms } => link.asked_timeouts.push_back(timeout_ms),
                Mark::Snapshot(zxid) => scene.checker.on_snapshot(node, zxid),
            }
        }
    }

    /// The timeout of the session that a leader answers about next.
    pub(crate) fn asked_timeout(&mut self, id: LinkId) -> i32 {
        let link = self.links.get_mut(&id);
        link.and_then(|link| link.asked_timeouts.pop_front()).unwrap_or(0)
    }

    /// A server closes its end: what it sent before still arrives.
    pub(crate) fn close_link(&mut self, scene: &mut Scene, id: LinkId, node: usize) {
        let Some(link) = self.links.get(&id) else { return };
        let side = if link.learner.node == node { Side::Learner } else { Side::Leader };
        self.close(scene, id, side);
    }

    fn close(&mut self, scene: &mut Scene, id: LinkId, side: Side) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.end_mut(side).state = EndState::Gone;
        *link.pipe(side) = Pipe::default();
        if !link.is_mute {
            link.pipe(side.other()).is_finished = true;
        }
        self.move_link(scene, id, side.other());
        self.bury(id);
    }

    /// An end hears that its link is gone; whether it had not let go of it already.
    pub(crate) fn on_link_ends(&mut self, scene: &mut Scene, id: LinkId, side: Side) -> bool {
        let Some(link) = self.links.get_mut(&id) else { return false };
        let (end, leader) = (*link.end(side), link.leader.node);
        link.end_mut(side).state = EndState::Gone;
        self.bury(id);
        let dialing = self.dialing[end.node].filter(|dialing| dialing.leader == leader);
        if let (Side::Learner, EndState::Opening, Some(dialing)) = (side, end.state, dialing) {
            // It was never there: the attempt goes on.
            let us = 1000 + scene.delay(1000 * scene.knobs.tick_ms);
            after(scene, us, Passage::Dial { node: end.node, attempt: dialing.attempt });
        }
        end.state == EndState::Open
    }

    /// Cuts a link: bytes on the way are lost, in the middle of a packet. With `is_mute` nobody is told.
    pub(crate) fn cut_link(&mut self, scene: &mut Scene, id: LinkId, is_mute: bool) {
        let Some(link) = self.links.get_mut(&id) else { return };
        link.is_cut = true;
        link.is_mute |= is_mute;
        for side in [Side::Learner, Side::Leader] {
            let pipe = link.pipe(side);
            let n = scene.random.index(pipe.stream.len() + 1);
            pipe.stream.cut(n);
            pipe.pushed = pipe.taken + u64::try_from(n).expect("packets are small");
            let end = pipe.pushed;
            pipe.marks.retain(|(at, _)| *at <= end);
            if !is_mute {
                let us = scene.delay(20_000);
                after(scene, us, Passage::LinkEnds { link: id, side });
            }
        }
    }

    /// The links that are whole.
    pub(crate) fn whole_links(&self) -> Vec<LinkId> {
        self.links.iter().filter(|(_, link)| !link.is_cut).map(|(id, _)| *id).collect()
    }

    /// A process has died: its links end, unless its machine died too and cannot say so.
    pub(super) fn drop_links(&mut self, scene: &mut Scene, node: usize, tells: bool) {
        self.dialing[node] = None;
        let links: Vec<_> = self.links.keys().copied().collect();
        for id in links {
            let link = self.links.get_mut(&id).expect("it was just there");
            let side = match (link.learner.node == node, link.leader.node == node) {
                (true, _) => Side::Learner,
                (_, true) => Side::Leader,
                _ => continue,
            };
            if !tells {
                self.cut_link(scene, id, true);
            }
            self.close(scene, id, side);
        }
    }

    /// Whoever has not heard that a link is gone does now.
    pub(super) fn tell_of_links(&self, scene: &mut Scene) {
        for (id, link) in self.links.iter().filter(|(_, link)| link.is_cut || link.is_mute) {
            for side in [Side::Learner, Side::Leader] {
                if link.end(side).state != EndState::Gone {
                    after(scene, 0, Passage::LinkEnds { link: *id, side });
                }
            }
        }
    }

    fn bury(&mut self, id: LinkId) {
        let is_gone = |end: &End| end.state == EndState::Gone;
        if self.links.get(&id).is_some_and(|link| is_gone(&link.learner) && is_gone(&link.leader)) {
            self.links.remove(&id);
        }
    }
}

/// What the oracle and the tally take from a packet that is sent.
fn note_packet(scene: &mut Scene, link: &mut Link, from: Side, bytes: &[u8]) -> Option<Mark> {
    let Ok(Some((packet, _))) = QuorumPacket::decode(bytes, usize::MAX) else { return None };
    let doing = match (&packet, from) {
        (QuorumPacket::Ping { touched: Some(touched), .. }, Side::Learner) => {
            return Some(Mark::Touched(touched.iter().map(|(session, _)| *session).collect()));
        }
        (QuorumPacket::Revalidate { timeout_ms, .. }, Side::Learner) => {
            return Some(Mark::Asked { timeout_ms: *timeout_ms });
        }
        (QuorumPacket::Snap { zxid }, Side::Leader) => {
            link.snap = *zxid;
            Some(Operation::Snap)
        }
        (QuorumPacket::FollowerInfo { .. } | QuorumPacket::ObserverInfo { .. }, _) => {
            Some(Operation::Discovery)
        }
        (QuorumPacket::Diff { .. }, Side::Leader) => Some(Operation::Diff),
        (QuorumPacket::Trunc { .. }, Side::Leader) => Some(Operation::Trunc),
        (QuorumPacket::UpToDate, Side::Leader) => None,
        _ => return None,
    };
    if let Some(operation) = doing {
        scene.tally.count(operation);
    }
    link.doing = doing;
    None
}
