//! Txns as they are issued: who asked, what the model makes of it, and whether it might happen.

use std::rc::Rc;

use zk_wire::{ErrorCode, Id, SessionId, Txn, TxnRecord};

use super::{Checker, Heard, Moment};
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
    /// The server appends a txn.
    pub(crate) fn on_append(&mut self, bytes: &[u8], at: Issued) -> Result<(), Violation> {
        let record = TxnRecord::decode(bytes)
            .map_err(|error| Property::ContiguousLog.broken(format!("no txn: {error}")))?;
        let zxid = record.header.zxid.0;
        let head = self.head().clone();
        if zxid != head.zxid + 1 {
            return Err(
                Property::ContiguousLog.broken(format!("{zxid:x} comes after {:x}", head.zxid))
            );
        }
        if record.header.time_ms != at.wall_ms {
            return Err(Property::ReplyIsModel.broken(format!(
                "txn {zxid:x} has time {}, not {}",
                record.header.time_ms, at.wall_ms
            )));
        }
        let mut state = State::clone(&head);
        state.zxid = zxid;
        let moment = if record.header.cxid.0 == 0 {
            self.of_server(&record, state, at)?
        } else {
            self.of_client(&record, state)?
        };
        check_owners(&moment.state)?;
        if let Some(digest) = record.digest
            && digest.digest != moment.state.digest()
        {
            return Err(Property::Digest.broken(format!("of txn {zxid:x}, {:?}", record.txn)));
        }
        self.history.push(moment);
        Ok(())
    }

    /// What the server does on its own account: sessions come and go, and the reaper reaps.
    fn of_server(
        &mut self,
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
                if self.created.insert(session, zxid).is_some() {
                    return Err(Property::AskedOnce.broken(format!("{session:x} is made again")));
                }
                self.heard.insert(session, heard);
            }
            Txn::CloseSession { .. } => {
                let heard = self.heard.get(&session).copied();
                let age_ms = heard.map(|heard| at.mono_ms.saturating_sub(heard.at_ms));
                let is_due = heard.zip(age_ms).is_some_and(|(heard, age)| age >= heard.timeout_ms);
                if !is_due || !writer.state.sessions.contains_key(&session) {
                    return Err(Property::SessionTimeout
                        .broken(format!("{session:x} expires after {age_ms:?} ms of {heard:?}")));
                }
                writer.close_session();
            }
            Txn::Delete { path, container: false } => {
                let owner = writer.state.nodes.get(path).map(|node| node.kind);
                if owner != Some(Kind::Ephemeral(session)) {
                    return Err(Property::EphemeralOwner
                        .broken(format!("{path} goes with {session:x}, but it is {owner:?}")));
                }
                writer.delete_leaf(path).expect("an ephemeral has no children");
            }
            Txn::Delete { path, container: true } => {
                self.check_reaped(path, at.wall_ms)?;
                writer.delete_container(path).map_err(|code| {
                    Property::Reaper.broken(format!("{path} is reaped in spite of {code:?}"))
                })?;
            }
            Txn::Error { .. } if session == 0 => {}
            txn => return Err(Property::AskedOnce.broken(format!("nobody asked for {txn:?}"))),
        }
        Ok(Moment { state: Rc::new(writer.state), events: writer.events, answer: None })
    }

    /// Whether the reaper may have thought that a node is due, when it looked at what was applied.
    fn check_reaped(&self, path: &str, wall_ms: i64) -> Result<(), Violation> {
        let applied = self.moment(self.applied).expect("what is applied was issued");
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
        let last = state.last_cxid.get(&key.0).copied().unwrap_or(0);
        if key.1 <= last {
            return Err(Property::AskedOnce
                .broken(format!("{:x} has request {} after {last}", key.0, key.1)));
        }
        let mut writer = self.writer(state, record, &asked.ids);
        writer.state.last_cxid.insert(key.0, key.1);
        let before = writer.state.clone();
        let mut written = writer.write(&asked.ask);
        let is_too_long = record.txn == Txn::Error { code: ErrorCode::MarshallingError.code() }
            && asked.ask.frame(0).len() > self.limits.txn_size_max / 4;
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
        let answer = Some((key.0, key.1, answer));
        Ok(Moment { state: Rc::new(writer.state), events: writer.events, answer })
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

fn check_owners(state: &State) -> Result<(), Violation> {
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
