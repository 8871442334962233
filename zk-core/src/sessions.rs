//! Sessions: their ids and passwords, who holds them, and when they expire.
//!
//! A session expires in buckets as wide as a tick: it lives between its timeout and a tick more after
//! it was last heard of. Only a server that leads expires sessions.
//!
//! Invariants
//! - A closing session is never touched again and never expires twice.
//!
//! Java: `SessionTrackerImpl`, `ExpiryQueue`, `ZooKeeperServer.generatePasswd`.

use std::collections::{BTreeMap, BTreeSet};

use foldhash::fast::FixedState;
use hashbrown::HashMap;
use zk_wire::SessionId;

use crate::peer::ConnectionId;
use crate::zab::LinkId;

/// Milliseconds since an arbitrary moment, never going back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Millis(pub u64);

impl Millis {
    /// So many ms later.
    #[must_use]
    pub fn after(self, ms: u64) -> Self {
        Self(self.0.saturating_add(ms))
    }

    /// The ms from `earlier` to this moment, 0 if it is not earlier.
    pub fn since(self, earlier: Self) -> u64 {
        self.0.saturating_sub(earlier.0)
    }
}

/// Through whom a session's client speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Owner {
    /// A connection of this server.
    Connection(ConnectionId),
    /// A learner.
    Learner(LinkId),
}

/// A live session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Session {
    /// In ms; that of the connection which attached last.
    pub(crate) timeout_ms: u64,
    /// Who held it last. It stays when that connection ends: what comes late over another is refused.
    pub(crate) owner: Option<Owner>,
    bucket: Millis,
    is_closing: bool,
}

/// All live sessions.
#[derive(Debug)]
pub(crate) struct Sessions {
    by_id: HashMap<SessionId, Session, FixedState>,
    buckets: BTreeMap<Millis, BTreeSet<SessionId>>,
    tick_ms: u64,
    next_id: SessionId,
}

/// Why a session cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gone;

impl Sessions {
    /// `server_id` and `wall_ms` make ids that no other server and no later start gives.
    pub(crate) fn new(seed: u64, tick_ms: u64, server_id: u8, wall_ms: i64) -> Self {
        let low = (wall_ms << 24).cast_unsigned() >> 8;
        let first = low.cast_signed() | i64::from(server_id) << 56;
        Self {
            by_id: HashMap::with_hasher(FixedState::with_seed(seed)),
            buckets: BTreeMap::new(),
            tick_ms: tick_ms.max(1),
            next_id: SessionId(first),
        }
    }

    /// A new id. Neither 0 nor the mark of container nodes is ever given.
    pub(crate) fn new_id(&mut self) -> SessionId {
        while self.next_id.0 == 0
            || self.next_id.0 == i64::MIN
            || self.by_id.contains_key(&self.next_id)
        {
            self.next_id.0 = self.next_id.0.wrapping_add(1);
        }
        let id = self.next_id;
        self.next_id.0 = id.0.wrapping_add(1);
        id
    }

    /// Begins to track a session; one that is tracked already gets the new timeout and owner.
    pub(crate) fn track(
        &mut self,
        id: SessionId,
        timeout_ms: u64,
        owner: Option<Owner>,
        now: Millis,
    ) {
        let bucket = self.bucket(now, timeout_ms);
        let session = Session { timeout_ms, owner, bucket, is_closing: false };
        if let Some(old) = self.by_id.insert(id, session) {
            self.leave_bucket(id, old.bucket);
        }
        self.buckets.entry(bucket).or_default().insert(id);
    }

    /// The session was heard of.
    pub(crate) fn touch(&mut self, id: SessionId, now: Millis) -> Result<(), Gone> {
        let tick_ms = self.tick_ms;
        let session = self.by_id.get_mut(&id).filter(|s| !s.is_closing).ok_or(Gone)?;
        let bucket = bucket(tick_ms, now, session.timeout_ms);
        if bucket > session.bucket {
            let old = std::mem::replace(&mut session.bucket, bucket);
            self.leave_bucket(id, old);
            self.buckets.entry(bucket).or_default().insert(id);
        }
        Ok(())
    }

    /// A live session that is not closing.
    pub(crate) fn live(&self, id: SessionId) -> Option<&Session> {
        self.by_id.get(&id).filter(|session| !session.is_closing)
    }

    /// Another connection or learner speaks for it from now on.
    pub(crate) fn pass_to(&mut self, id: SessionId, owner: Owner) {
        if let Some(session) = self.by_id.get_mut(&id) {
            session.owner = Some(owner);
        }
    }

    /// Forgets all of them, for a server that no longer serves.
    pub(crate) fn clear(&mut self) {
        self.by_id.clear();
        self.buckets.clear();
    }

    /// A closeSession is on its way: nothing of this session is accepted any more.
    pub(crate) fn mark_closing(&mut self, id: SessionId) {
        if let Some(session) = self.by_id.get_mut(&id) {
            session.is_closing = true;
            let bucket = session.bucket;
            self.leave_bucket(id, bucket);
        }
    }

    /// The session's closeSession was applied.
    pub(crate) fn remove(&mut self, id: SessionId) -> Option<Session> {
        let session = self.by_id.remove(&id)?;
        self.leave_bucket(id, session.bucket);
        Some(session)
    }

    /// The sessions whose time is over.
    pub(crate) fn expired(&self, now: Millis) -> Vec<SessionId> {
        self.buckets.range(..=now).flat_map(|(_, ids)| ids.iter().copied()).collect()
    }

    /// When the next session expires if nothing is heard of it.
    pub(crate) fn deadline(&self) -> Option<Millis> {
        self.buckets.keys().next().copied()
    }

    /// How many sessions there are.
    pub(crate) fn len(&self) -> usize {
        self.by_id.len()
    }

    /// When which sessions expire, in order.
    pub(crate) fn buckets(&self) -> &BTreeMap<Millis, BTreeSet<SessionId>> {
        &self.buckets
    }

    /// When a session expires if nothing is heard of it.
    pub(crate) fn bucket_of(&self, id: SessionId) -> Option<Millis> {
        self.by_id.get(&id).map(|session| session.bucket)
    }

    fn bucket(&self, now: Millis, timeout_ms: u64) -> Millis {
        bucket(self.tick_ms, now, timeout_ms)
    }

    fn leave_bucket(&mut self, id: SessionId, bucket: Millis) {
        if let Some(ids) = self.buckets.get_mut(&bucket) {
            ids.remove(&id);
            if ids.is_empty() {
                self.buckets.remove(&bucket);
            }
        }
    }
}

/// The end of the bucket in which a session expires that was heard of `now`.
pub(crate) fn bucket(tick_ms: u64, now: Millis, timeout_ms: u64) -> Millis {
    Millis((now.after(timeout_ms).0 / tick_ms + 1) * tick_ms)
}

/// A session's password: 16 bytes of `java.util.Random` seeded by the id. A checksum, not a secret.
pub fn password(id: SessionId) -> [u8; 16] {
    const MULTIPLIER: u64 = 0x5_DEEC_E66D;
    const MASK: u64 = (1 << 48) - 1;
    let seed = id.0.cast_unsigned() ^ 0xB341_5C00;
    let mut state = (seed ^ MULTIPLIER) & MASK;
    let mut password = [0; 16];
    for word in password.as_chunks_mut::<4>().0 {
        state = state.wrapping_mul(MULTIPLIER).wrapping_add(0xB) & MASK;
        let [.., b0, b1, b2, b3] = (state >> 16).to_be_bytes();
        *word = [b3, b2, b1, b0];
    }
    password
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sessions() -> Sessions {
        Sessions::new(0, 1000, 1, 1_700_000_000_000)
    }

    #[test]
    fn passwords_are_javas() {
        // Both captured from a 3.9.5 server.
        let captured = [
            (0x0100_0019_ebf6_0000, 0x0801_37b9_f5d1_4df7_264f_a1e2_c61f_75ec_u128),
            (0x0100_001a_09af_00bc, 0xad7f_d277_f8b6_89b8_6eba_8b15_325e_959a),
        ];
        for (id, expected) in captured {
            assert_eq!(u128::from_be_bytes(password(SessionId(id))), expected, "{id:x}");
        }
    }

    #[test]
    fn ids_carry_the_server_and_grow_by_one() {
        let mut sessions = sessions();
        let (first, second) = (sessions.new_id(), sessions.new_id());
        assert_eq!(first.0 >> 56, 1);
        assert_eq!(second.0, first.0 + 1);
    }

    #[test]
    fn a_session_lives_for_its_timeout_and_up_to_a_tick_more() {
        let mut sessions = sessions();
        let id = SessionId(7);
        sessions.track(id, 2000, None, Millis(500));
        assert_eq!(sessions.deadline(), Some(Millis(3000)));
        assert_eq!(sessions.expired(Millis(2999)), []);
        sessions.touch(id, Millis(1000)).unwrap();
        assert_eq!(sessions.expired(Millis(3999)), []);
        assert_eq!(sessions.expired(Millis(4000)), [id]);
    }

    #[test]
    fn a_closing_session_is_gone_for_everybody() {
        let mut sessions = sessions();
        let id = SessionId(7);
        sessions.track(id, 2000, None, Millis(0));
        sessions.mark_closing(id);
        assert_eq!(sessions.touch(id, Millis(1)), Err(Gone));
        assert!(sessions.live(id).is_none());
        assert_eq!(sessions.expired(Millis(99_999)), []);
    }
}
