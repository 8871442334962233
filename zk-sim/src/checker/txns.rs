//! Txns as they are issued: who asked, what the model makes of it, and whether it might happen.

use std::rc::Rc;

use bytes::Bytes;
use zk_wire::{ErrorCode, Id, SessionId, Txn, TxnRecord, Zxid};

use super::{Asked, Checker, Heard, Moment};
use crate::ask::Ask;
use crate::model::{Answer, Kind, State, Writer, Written};
use crate::violation::{Property, Violation};

/// When a txn was issued, by the server's own clocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Issued {
    pub(crate) mono_ms: u64,
    pub(crate) wall_ms: i64,
}

impl Checker {
    /// A server's log is told to append a txn: one of its own, or one that its leader proposed.
    pub(crate) fn on_append(
        &mut self,
        node: usize,
        zxid: i64,
        bytes: &Bytes,
        at: Issued,
    ) -> Result<(), Violation> {
        let logged = self.seats[node].logged;
        match self.book.get(zxid) {
            None => self.on_proposal(node, bytes, at)?,
            Some(moment) if moment.txn != *bytes => {
                return Err(Property::Integrity
                    .broken(format!("server {node} logs other bytes for {zxid:x}")));
            }
            Some(moment) if moment.above != logged => {
                return Err(Property::TotalOrder.broken(format!(
                    "server {node} logs {zxid:x} after {logged:x}, its leader had it after {:x}",
                    moment.above
                )));
            }
            Some(_) => {}
        }
        self.seats[node].logged = zxid;
        Ok(())
    }

    fn on_proposal(&mut self, node: usize, bytes: &Bytes, at: Issued) -> Result<(), Violation> {
        let record = TxnRecord::decode(bytes)
            .map_err(|error| Property::ContiguousLog.broken(format!("no txn: {error}")))?;
        let zxid = record.header.zxid;
        let logged = self.seats[node].logged;
        let (is_leading, epoch) = (self.seats[node].is_leading, self.seats[node].epoch);
        if !is_leading || zxid.epoch().0 != epoch {
            return Err(Property::Integrity.broken(format!(
                "server {node} logs {zxid}, which no leader proposed; it is in epoch {epoch}"
            )));
        }
        if zxid != Zxid(logged).next() && zxid != Zxid::new(zxid.epoch(), 1) {
            return Err(Property::ContiguousLog.broken(format!("{zxid} comes after {logged:x}")));
        }
        if record.header.time_ms != at.wall_ms {
            return Err(Property::ReplyIsModel.broken(format!(
                "txn {zxid} has time {}, not {}",
                record.header.time_ms, at.wall_ms
            )));
        }
        let before = self.book.get(logged).expect("what is logged was proposed");
        let mut state = State::clone(&before.state);
        state.zxid = zxid.0;
        let mut moment = if record.header.cxid.0 == 0 {
            self.of_server(node, &record, state, at)?
        } else {
            self.of_client(&record, state)?
        };
        if let Some(digest) = record.digest
            && digest.digest != moment.state.digest
        {
            return Err(Property::Digest.broken(format!("of txn {zxid}, {:?}", record.txn)));
        }
        (moment.above, moment.txn) = (logged, bytes.clone());
        self.book.propose(moment);
        Ok(())
    }

    /// What the server does on its own account: sessions come and go, and the reaper reaps.
    fn of_server(
        &mut self,
        node: usize,
        record: &TxnRecord,
        state: State,
        at: Issued,
    ) -> Result<Moment, Violation> {
        let SessionId(session) = record.header.session;
        let mut writer = self.writer(state, record, &[]);
        match &record.txn {
            Txn::CreateSession { timeout_ms } => {
                let zxid = record.header.zxid.0;
                writer.state.sessions.insert(session, *timeout_ms);
                let timeout_ms = u64::try_from(*timeout_ms).unwrap_or(0);
                let heard = Heard { at_ms: at.mono_ms, timeout_ms };
                let made = self.created.insert(session, zxid);
                if made.is_some_and(|made| self.book.has(self.seats[node].logged, made)) {
                    return Err(Property::AskedOnce.broken(format!("{session:x} is made again")));
                }
                self.seats[node].heard.insert(session, heard);
            }
            Txn::CloseSession { .. } => {
                let heard = self.seats[node].heard.get(&session).copied();
                let age_ms = heard.map(|heard| at.mono_ms.saturating_sub(heard.at_ms));
                let is_due = heard.zip(age_ms).is_some_and(|(heard, age)| age >= heard.timeout_ms);
                if !is_due || !writer.state.sessions.contains_key(&session) {
                    return Err(Property::SessionTimeout
                        .broken(format!("{session:x} expires after {age_ms:?} ms of {heard:?}")));
                }
                writer.close_session();
            }
            Txn::Delete { path, container: false } => {
                let owner = writer.state.nodes.get(path.as_str()).map(|node| node.kind);
                if owner != Some(Kind::Ephemeral(session)) {
                    return Err(Property::EphemeralOwner
                        .broken(format!("{path} goes with {session:x}, but it is {owner:?}")));
                }
                writer.delete_leaf(path).expect("an ephemeral has no children");
            }
            Txn::Delete { path, container: true } => {
                self.check_reaped(node, path, at.wall_ms)?;
                writer.delete_container(path).map_err(|code| {
                    Property::Reaper.broken(format!("{path} is reaped in spite of {code:?}"))
                })?;
            }
            Txn::Error { .. } if session == 0 => {}
            txn => return Err(Property::AskedOnce.broken(format!("nobody asked for {txn:?}"))),
        }
        Ok(moment(writer, None))
    }

    /// Whether the reaper may have thought that a node is due, when it looked at what was applied.
    fn check_reaped(&self, node: usize, path: &str, wall_ms: i64) -> Result<(), Violation> {
        let applied = self.book.get(self.seats[node].applied).expect("it was proposed");
        let never_used_max_ms = i64::try_from(self.limits.never_used_max_ms).unwrap_or(i64::MAX);
        let is_due = applied.state.nodes.get(path).is_some_and(|node| {
            let age_ms = wall_ms - node.mtime;
            match node.kind {
                Kind::Container if node.creates > 0 => true,
                Kind::Container => never_used_max_ms > 0 && age_ms > never_used_max_ms,
                Kind::Ttl(ttl_ms) => age_ms > ttl_ms,
                Kind::Persistent | Kind::Ephemeral(_) => false,
            }
        });
        if is_due { Ok(()) } else { Err(Property::Reaper.broken(format!("{path} is not due"))) }
    }

    /// What a client asked for.
    fn of_client(&mut self, record: &TxnRecord, state: State) -> Result<Moment, Violation> {
        let key = (record.header.session.0, record.header.cxid.0);
        let Some(asked) = self.asked.get(&key).cloned() else {
            return Err(Property::AskedOnce.broken(format!("nobody asked for {record:?}")));
        };
        if let Some(code) = self.refusal(record, &asked, &state) {
            if record.txn != (Txn::Error { code: code.code() }) {
                return Err(Property::ReplyIsModel
                    .broken(format!("{asked:?} becomes {:?}, not {code:?}", record.txn)));
            }
            let answer = Answer { err: code.code(), body: Vec::new() };
            let writer = self.writer(state, record, &[]);
            return Ok(moment(writer, Some((key.0, key.1, answer))));
        }
        let last = state.last_cxid.get(&key.0).copied().unwrap_or(0);
        if key.1 <= last {
            return Err(Property::AskedOnce
                .broken(format!("{:x} has request {} after {last}", key.0, key.1)));
        }
        let mut writer = self.writer(state, record, &asked.ids);
        writer.state.last_cxid.insert(key.0, key.1);
        let before = writer.state.clone();
        let mut written = match asked.ask {
            Ask::Reconfig { .. } => writer.reconfig(&record.txn),
            _ => writer.write(&asked.ask),
        };
        let is_too_long = record.txn == Txn::Error { code: ErrorCode::MarshallingError.code() }
            && size_max(&asked) > self.limits.txn_size_max / 4;
        if is_too_long && !matches!(written, Written::Failed(_)) {
            written = Written::Failed(ErrorCode::MarshallingError.code());
            (writer.state, writer.events) = (before, Vec::new());
        }
        let is_error = |txn: &Txn| if let Txn::Error { code } = txn { *code } else { 0 };
        let expected = if let Written::Failed(code) = written { code } else { 0 };
        if is_error(&record.txn) != expected {
            return Err(Property::ReplyIsModel.broken(format!(
                "{asked:?} becomes {:?} in {:x}, not {written:?}",
                record.txn, record.header.zxid.0
            )));
        }
        let answer = match (&written, &asked.ask) {
            (Written::Multi(done), Ask::Multi(parts)) => Answer::of_multi(done, parts),
            (written, ask) => Answer::of(written, ask.op()),
        };
        Ok(moment(writer, Some((key.0, key.1, answer))))
    }

    /// Why a request may come to nothing, whatever it asks: its session is gone, or speaks through
    /// another server by now. A session may be closed again and again.
    fn refusal(&self, record: &TxnRecord, asked: &Asked, state: &State) -> Option<ErrorCode> {
        let SessionId(session) = record.header.session;
        let is = |code: ErrorCode| record.txn == Txn::Error { code: code.code() };
        let is_gone = !state.sessions.contains_key(&session);
        if is_gone && asked.ask != Ask::CloseSession {
            return Some(ErrorCode::SessionExpired);
        }
        let has_moved = self.moved.contains(&session) && is(ErrorCode::SessionMoved);
        has_moved.then_some(ErrorCode::SessionMoved)
    }

    fn writer<'a>(&self, state: State, record: &TxnRecord, ids: &'a [Id]) -> Writer<'a> {
        Writer {
            state,
            events: Vec::new(),
            session: record.header.session.0,
            time_ms: record.header.time_ms,
            ids,
            extended_types: self.limits.extended_types,
        }
    }
}

/// What a request may grow to, with lists that stand for the identities of who asks.
fn size_max(asked: &Asked) -> usize {
    let length = |id: &Id| id.id.as_ref().map_or(0, |id| id.len());
    asked.ask.frame(0).len() + asked.ids.iter().map(length).sum::<usize>()
}

fn moment(writer: Writer<'_>, answer: Option<(i64, i32, Answer)>) -> Moment {
    Moment {
        zxid: writer.state.zxid,
        above: 0,
        txn: Bytes::new(),
        state: Rc::new(writer.state),
        events: writer.events,
        answer,
    }
}

pub(super) fn check_owners(state: &State) -> Result<(), Violation> {
    for (path, node) in &state.nodes {
        if let Kind::Ephemeral(session) = node.kind
            && !state.sessions.contains_key(&session)
        {
            return Err(Property::EphemeralOwner
                .broken(format!("{path} belongs to {session:x}, which is gone")));
        }
    }
    Ok(())
}
