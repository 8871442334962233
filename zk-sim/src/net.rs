//! What is between servers: who reaches whom, connections to quorum ports, and election connections.
//!
//! A connection is two streams of bytes, as TCP promises them and no more: in order, in pieces of any
//! size, late; held back while a direction is blocked; lost once it is cut, with or without a word to
//! either end.

mod lines;
mod links;

use std::collections::{BTreeMap, VecDeque};

use zk_core::LinkId;
use zk_wire::{SessionId, Zxid};

use crate::event::{Event, Passage};
use crate::scene::Scene;
use crate::tally::Operation;
use crate::wire::Stream;

pub(crate) use links::{Dialed, Heard, Life};

/// The network between servers.
#[derive(Debug)]
pub(crate) struct Net {
    nodes: usize,
    /// Whether nothing gets from one server to another: how many faults see to that.
    blocks: Vec<u32>,
    pub(crate) links: BTreeMap<LinkId, Link>,
    links_made: u64,
    /// Who tries to reach its leader.
    dialing: Vec<Option<Dialing>>,
    attempts: u64,
    lines: Vec<Line>,
    lines_made: u64,
}

/// An end of a connection to a quorum port.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Learner,
    Leader,
}

impl Side {
    pub(crate) fn other(self) -> Self {
        match self {
            Self::Learner => Self::Leader,
            Self::Leader => Self::Learner,
        }
    }
}

/// A server that tries to reach its leader.
#[derive(Clone, Copy, Debug)]
struct Dialing {
    attempt: u64,
    leader: usize,
    until_us: u64,
}

/// A connection to a quorum port.
#[derive(Debug)]
pub(crate) struct Link {
    learner: End,
    leader: End,
    /// What each end receives.
    to_learner: Pipe,
    to_leader: Pipe,
    /// What is written from now on goes nowhere.
    is_cut: bool,
    /// Neither side is told that the other is gone.
    is_mute: bool,
    /// What its learner is being given.
    pub(crate) doing: Option<Operation>,
    /// The last zxid of the snapshot on the way.
    snap: Zxid,
    /// The timeouts of sessions that the leader was asked about, in ms.
    asked_timeouts: VecDeque<i32>,
}

#[derive(Clone, Copy, Debug)]
struct End {
    pub(crate) node: usize,
    boot: u64,
    state: EndState,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum EndState {
    Opening,
    Open,
    Gone,
}

/// One direction of a link.
#[derive(Debug, Default)]
struct Pipe {
    stream: Stream,
    /// How many bytes were put in and taken out, ever.
    pushed: u64,
    taken: u64,
    /// What it means that the bytes up to some place were taken.
    marks: VecDeque<(u64, Mark)>,
    /// The sender has closed: after the rest comes the end.
    is_finished: bool,
}

/// What the oracle must know of bytes when they reach their server.
#[derive(Clone, Debug)]
enum Mark {
    Touched(Vec<SessionId>),
    Asked { timeout_ms: i32 },
    Snapshot(Zxid),
}

/// The election connection of two servers.
#[derive(Clone, Debug, Default)]
struct Line {
    /// Which one it is; 0 while there is none.
    of: u64,
    /// What each of the two thinks, the one with the lower number first.
    ends: [LineEnd; 2],
}

#[derive(Clone, Debug, Default)]
struct LineEnd {
    /// Which one it thinks it has; 0 for none.
    of: u64,
    is_calling: bool,
    /// The vote that is not sent yet, and the one that was sent last.
    unsent: Option<Vec<u8>>,
    last: Option<Vec<u8>>,
    is_taking: bool,
    /// Votes on their way to this end.
    arriving: VecDeque<Vec<u8>>,
    is_arriving: bool,
}

impl Net {
    pub(crate) fn new(nodes: usize) -> Self {
        Self {
            nodes,
            blocks: vec![0; nodes * nodes],
            links: BTreeMap::new(),
            links_made: 0,
            dialing: vec![None; nodes],
            attempts: 0,
            lines: vec![Line::default(); nodes * nodes],
            lines_made: 0,
        }
    }

    /// Whether nothing gets from one server to the other.
    fn is_blocked(&self, from: usize, to: usize) -> bool {
        self.blocks[from * self.nodes + to] > 0
    }

    /// Whether a connection can be made.
    fn is_apart(&self, from: usize, to: usize) -> bool {
        self.is_blocked(from, to) || self.is_blocked(to, from)
    }

    /// Blocks a direction once more.
    pub(crate) fn block(&mut self, from: usize, to: usize) {
        self.blocks[from * self.nodes + to] += 1;
    }

    /// Takes a block away; what was held back goes on with the last of them.
    pub(crate) fn unblock(&mut self, scene: &mut Scene, from: usize, to: usize) {
        let blocks = &mut self.blocks[from * self.nodes + to];
        *blocks = blocks.saturating_sub(1);
        if *blocks > 0 {
            return;
        }
        self.move_lines(scene, from, to);
        let links: Vec<LinkId> = self.links.keys().copied().collect();
        for link in links {
            for side in [Side::Learner, Side::Leader] {
                self.move_link(scene, link, side);
            }
        }
    }

    /// Whom an event between servers happens to.
    pub(crate) fn node_of(&self, passage: Passage) -> Option<usize> {
        match passage {
            Passage::Dial { node, .. } => Some(node),
            Passage::LinkOpens { link, side }
            | Passage::LinkBytes { link, side }
            | Passage::LinkEnds { link, side } => Some(self.links.get(&link)?.end(side).node),
            Passage::Call { from, .. }
            | Passage::CallFails { from, .. }
            | Passage::LineTakes { from, .. } => Some(from),
            Passage::LineOpens { to, .. }
            | Passage::LineBrings { to, .. }
            | Passage::LineEnds { to, .. } => Some(to),
        }
    }
}

impl Link {
    fn end(&self, side: Side) -> &End {
        match side {
            Side::Learner => &self.learner,
            Side::Leader => &self.leader,
        }
    }

    fn end_mut(&mut self, side: Side) -> &mut End {
        match side {
            Side::Learner => &mut self.learner,
            Side::Leader => &mut self.leader,
        }
    }

    /// What this end receives.
    fn pipe(&mut self, side: Side) -> &mut Pipe {
        match side {
            Side::Learner => &mut self.to_learner,
            Side::Leader => &mut self.to_leader,
        }
    }
}

fn after(scene: &mut Scene, us: u64, passage: Passage) {
    scene.after(us, Event::Net(passage));
}
