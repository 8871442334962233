//! What reaches a server from clients, and of sessions from other servers: who is heard of, who may go
//! on, and who is gone.

use zk_wire::SessionId;

use super::{Checker, Heard, Verdict};
use crate::ask::Ask;
use crate::rights;
use crate::violation::{Property, Violation};
use crate::wire::WireId;

use std::rc::Rc;

impl Checker {
    /// The server is about to look at the next frame of a connection; `session` is the one that it
    /// has there.
    pub(crate) fn on_fed(&mut self, id: WireId, session: Option<i64>, now_ms: u64) {
        if self.talks[&id].verdict.is_none() {
            return self.on_connect_fed(id, now_ms);
        }
        let node = self.talks[&id].node;
        let is_gone = session.is_some_and(|session| self.is_gone(node, session));
        let (applied, is_leading) = (self.seats[node].applied, self.seats[node].is_leading);
        let talk = self.talks.get_mut(&id).expect("talks outlive their sockets");
        let asked = talk.unfed.pop_front().expect("a server is fed what clients sent");
        let Some(session) = session else { return };
        if let Ask::Auth { scheme, credentials } = &asked.ask {
            let (_, ids) = talk.ids_since.last().expect("it starts with one");
            if let Some(ids) = rights::after_auth(ids, scheme, credentials) {
                talk.ids_since.push((applied, ids.into()));
            }
        } else if is_gone {
            // What a closing session still sends is dropped without a reply.
            talk.unanswered.retain(|other| !Rc::ptr_eq(other, &asked));
        } else if is_leading && let Some(heard) = self.seats[node].heard.get_mut(&session) {
            heard.at_ms = now_ms;
        }
    }

    /// Whether a server knows that a session was closed. A learner may not even know yet that it was made.
    fn is_gone(&self, node: usize, session: i64) -> bool {
        let view = self.view(node);
        let made = self.created.get(&session).copied().unwrap_or(0);
        !view.sessions.contains_key(&session) && self.book.has(view.zxid, made)
    }

    fn on_connect_fed(&mut self, id: WireId, now_ms: u64) {
        let connect = self.talks[&id].connect.clone();
        let node = self.talks[&id].node;
        let seat = &self.seats[node];
        let (is_leading, epoch) = (seat.is_leading, seat.epoch);
        let is_known = self.view(node).sessions.contains_key(&connect.session);
        let verdict = match (connect.session, connect.is_password_right) {
            _ if !seat.is_serving || connect.last_zxid > seat.applied => Verdict::Behind,
            (0, _) => Verdict::Granted,
            (_, false) => Verdict::Refused,
            (_, true) if !is_leading => Verdict::Leader,
            (_, true) if is_known => Verdict::Granted,
            (_, true) => Verdict::Refused,
        };
        let timeout_ms = self.clamp(connect.timeout_ms);
        if verdict == Verdict::Granted && connect.session != 0 {
            let heard = Heard { at_ms: now_ms, timeout_ms };
            self.seats[node].heard.insert(connect.session, heard);
        }
        let talk = self.talks.get_mut(&id).expect("talks outlive their sockets");
        (talk.verdict, talk.epoch) = (Some(verdict), epoch);
    }

    /// A learner tells its leader which sessions it heard of.
    pub(crate) fn on_touched(&mut self, leader: usize, sessions: &[SessionId], now_ms: u64) {
        for session in sessions {
            if let Some(heard) = self.seats[leader].heard.get_mut(&session.0) {
                heard.at_ms = now_ms;
            }
        }
    }

    /// A leader answers a learner that asked about a session.
    pub(crate) fn on_judged(
        &mut self,
        leader: usize,
        session: SessionId,
        is_valid: bool,
    ) -> Result<(), Violation> {
        let SessionId(session) = session;
        let lives = self.view(leader).sessions.contains_key(&session);
        if lives != is_valid {
            return Err(Property::SessionHandover
                .broken(format!("leader {leader} says that {session:x} lives: {is_valid}")));
        }
        let judged = if is_valid { &mut self.valid } else { &mut self.invalid };
        judged.insert(session);
        Ok(())
    }

    /// A session that a learner asked about lives on, with this timeout.
    pub(crate) fn on_revalidated(
        &mut self,
        leader: usize,
        session: SessionId,
        timeout_ms: i32,
        now_ms: u64,
    ) {
        let timeout_ms = u64::try_from(timeout_ms).unwrap_or(0);
        self.seats[leader].heard.insert(session.0, Heard { at_ms: now_ms, timeout_ms });
    }

    /// Time was given to a server: if it leads, who should be gone is gone.
    pub(crate) fn on_timer(&self, node: usize, now_ms: u64) -> Result<(), Violation> {
        let seat = &self.seats[node];
        if !seat.is_serving || !seat.is_leading {
            return Ok(());
        }
        for session in self.view(node).sessions.keys() {
            let Some(heard) = seat.heard.get(session) else { continue };
            if heard.at_ms + heard.timeout_ms + self.limits.tick_ms < now_ms {
                return Err(Property::SessionTimeout
                    .broken(format!("{session:x} still lives at {now_ms} ms: {heard:?}")));
            }
        }
        Ok(())
    }
}
