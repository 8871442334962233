//! Election connections: one for two servers, whoever made it; votes over it, the newest only.
//!
//! Which of the two connects is not told apart: it is there for both or for neither, except that one of
//! them may not know yet.

use super::links::Life;
use super::{Line, LineEnd, Net, after};
use crate::event::Passage;
use crate::scene::Scene;

impl Net {
    fn line(&mut self, a: usize, b: usize) -> &mut Line {
        &mut self.lines[a.min(b) * self.nodes + a.max(b)]
    }

    /// The end of `node` towards `other`.
    fn line_end(&mut self, node: usize, other: usize) -> &mut LineEnd {
        let is_second = node > other;
        &mut self.line(node, other).ends[usize::from(is_second)]
    }

    /// A vote is to go to another server.
    pub(crate) fn notify(&mut self, scene: &mut Scene, me: Life, to: usize, payload: Vec<u8>) {
        let end = self.line_end(me.node, to);
        end.unsent = Some(payload);
        if end.of > 0 {
            self.take_soon(scene, me.node, to);
        } else {
            self.call(scene, me, to);
        }
    }

    /// A server wants a connection to every other that it has none to.
    pub(crate) fn call_all(&mut self, scene: &mut Scene, me: Life) {
        for to in 0..self.nodes {
            if to != me.node && self.line_end(me.node, to).of == 0 {
                self.call(scene, me, to);
            }
        }
    }

    fn call(&mut self, scene: &mut Scene, me: Life, to: usize) {
        let end = self.line_end(me.node, to);
        if !end.is_calling {
            end.is_calling = true;
            let us = scene.delay(scene.knobs.delay_us);
            after(scene, us, Passage::Call { from: me.node, to, boot: me.boot });
        }
    }

    /// An attempt to connect reaches the other server, or does not.
    pub(crate) fn on_call(
        &mut self,
        scene: &mut Scene,
        from: usize,
        to: usize,
        boot: u64,
        is_there: bool,
    ) {
        let us = if self.is_apart(from, to) {
            scene.knobs.quorum.connect_us
        } else if !is_there {
            scene.delay(scene.knobs.delay_us)
        } else {
            self.lines_made += 1;
            let of = self.lines_made;
            let line = self.line(from, to);
            line.of = of;
            for end in &mut line.ends {
                end.arriving.clear();
            }
            for (from, to) in [(from, to), (to, from)] {
                let us = scene.delay(scene.knobs.delay_us);
                after(scene, us, Passage::LineOpens { from, to, of });
            }
            return;
        };
        after(scene, us, Passage::CallFails { from, to, boot });
    }

    /// An attempt has failed; whether its server is without a connection.
    pub(crate) fn on_call_fails(&mut self, from: usize, to: usize) -> bool {
        let end = self.line_end(from, to);
        end.is_calling = false;
        end.of == 0
    }

    /// A connection is there as `to` sees it; false if it is gone by now.
    pub(crate) fn on_line_opens(
        &mut self,
        scene: &mut Scene,
        from: usize,
        to: usize,
        of: u64,
    ) -> bool {
        if self.line(from, to).of != of {
            self.line_end(to, from).is_calling = false;
            return false;
        }
        let end = self.line_end(to, from);
        (end.of, end.is_calling) = (of, false);
        if scene.knobs.quorum.repeats_last_vote && end.unsent.is_none() {
            end.unsent.clone_from(&end.last);
        }
        if end.unsent.is_some() {
            self.take_soon(scene, to, from);
        }
        self.bring_soon(scene, from, to);
        true
    }

    fn take_soon(&mut self, scene: &mut Scene, from: usize, to: usize) {
        let end = self.line_end(from, to);
        if !end.is_taking {
            end.is_taking = true;
            let of = end.of;
            let us = scene.delay(100);
            after(scene, us, Passage::LineTakes { from, to, of });
        }
    }

    /// The socket takes the vote that waits; into the void, if the connection is gone.
    pub(crate) fn on_line_takes(&mut self, scene: &mut Scene, me: Life, to: usize) {
        let from = me.node;
        let now = self.line(from, to).of;
        let end = self.line_end(from, to);
        end.is_taking = false;
        if end.of == 0 {
            return if end.unsent.is_some() {
                self.call(scene, me, to)
            };
        }
        let Some(vote) = end.unsent.take() else { return };
        end.last = Some(vote.clone());
        if end.of == now {
            self.line_end(to, from).arriving.push_back(vote);
            self.bring_soon(scene, from, to);
        } else {
            let of = end.of;
            let us = scene.delay(scene.knobs.quorum.connect_us);
            after(scene, us, Passage::LineEnds { from: to, to: from, of });
        }
    }

    /// Lets a vote that is on the way arrive, if nothing holds it back.
    fn bring_soon(&mut self, scene: &mut Scene, from: usize, to: usize) {
        let is_blocked = self.is_blocked(from, to);
        let of = self.line(from, to).of;
        let end = self.line_end(to, from);
        if end.of == of && !end.arriving.is_empty() && !end.is_arriving && !is_blocked {
            end.is_arriving = true;
            let us = scene.knobs.delay_us / 2 + scene.delay(scene.knobs.delay_us);
            after(scene, us, Passage::LineBrings { from, to, of });
        }
    }

    pub(super) fn move_lines(&mut self, scene: &mut Scene, from: usize, to: usize) {
        self.bring_soon(scene, from, to);
    }

    /// A vote arrives.
    pub(crate) fn on_line_brings(
        &mut self,
        scene: &mut Scene,
        from: usize,
        to: usize,
        of: u64,
    ) -> Option<Vec<u8>> {
        let is_blocked = self.is_blocked(from, to);
        let end = self.line_end(to, from);
        end.is_arriving = false;
        if end.of != of || is_blocked {
            self.bring_soon(scene, from, to);
            return None;
        }
        let vote = end.arriving.pop_front();
        self.bring_soon(scene, from, to);
        vote
    }

    /// `to` hears that a connection is gone; whether it is the one that it had.
    pub(crate) fn on_line_ends(&mut self, from: usize, to: usize, of: u64) -> bool {
        let end = self.line_end(to, from);
        if end.of != of || of == 0 {
            return false;
        }
        end.of = 0;
        let line = self.line(from, to);
        if line.of == of {
            line.of = 0;
        }
        true
    }

    /// Breaks the election connection of two servers; each is told or not.
    pub(crate) fn cut_line(&mut self, scene: &mut Scene, a: usize, b: usize, told: [bool; 2]) {
        self.line(a, b).of = 0;
        for ((from, to), is_told) in [(a, b), (b, a)].into_iter().zip(told) {
            let end = self.line_end(to, from);
            end.arriving.clear();
            let of = end.of;
            if is_told && of > 0 {
                let us = scene.delay(20_000);
                after(scene, us, Passage::LineEnds { from, to, of });
            }
        }
    }

    /// A process has died, and whoever it was connected to may hear of it.
    pub(crate) fn on_death(&mut self, scene: &mut Scene, node: usize, tells: bool) {
        for other in (0..self.nodes).filter(|other| *other != node) {
            self.cut_line(scene, node, other, [tells, false]);
            *self.line_end(node, other) = LineEnd::default();
        }
        self.drop_links(scene, node, tells);
    }

    /// Faults are over: nothing is blocked, and whoever was cut off hears of it.
    pub(crate) fn heal(&mut self, scene: &mut Scene) {
        for from in 0..self.nodes {
            for to in 0..self.nodes {
                let blocks = std::mem::take(&mut self.blocks[from * self.nodes + to]);
                if blocks > 0 {
                    self.unblock(scene, from, to);
                }
                if from == to {
                    continue;
                }
                let now = self.line(from, to).of;
                let of = self.line_end(to, from).of;
                if of > 0 && of != now {
                    after(scene, 0, Passage::LineEnds { from, to, of });
                }
            }
        }
        self.tell_of_links(scene);
    }
}
