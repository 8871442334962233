//! What comes back to a client: the connect response, replies, and watch events between them.

use zk_wire::{ConnectResponse, Decoder, ErrorCode, Id, ReplyHeader, SessionId};

use super::{Asked, Checker, ConnectAsk, Talk, Verdict};
use crate::ask::Ask;
use crate::model::{Answer, Event, sorted_children};
use crate::rights;
use crate::violation::{Property, Violation};
use crate::watching::Mode;
use crate::wire::WireId;

/// What a frame was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// The session that was granted, 0 for none.
    Session(i64),
    Reply {
        /// The session is another connection's, or gone: nothing more will come of this one.
        is_lost: bool,
    },
    Event,
}

const NOTIFICATION: i32 = -1;

impl Checker {
    /// A client has received a frame.
    pub(crate) fn on_frame(&mut self, id: WireId, frame: &[u8]) -> Result<Came, Violation> {
        let talk = self.talks.get_mut(&id).expect("frames come on open connections");
        if !talk.is_answered {
            talk.is_answered = true;
            return self.on_connect_response(id, frame).map(Came::Session);
        }
        let garbled = || Property::ReplyIsModel.broken(format!("{frame:x?} is no reply"));
        let mut d = Decoder::new(frame);
        let header = ReplyHeader::decode(&mut d).map_err(|_| garbled())?;
        if header.xid.0 == NOTIFICATION {
            let (kind, state) = (d.int().ok(), d.int().ok());
            let path = d.text().ok().flatten().ok_or_else(garbled)?.into_owned();
            let kind = kind.filter(|_| state == Some(3)).ok_or_else(garbled)?;
            self.on_event(id, header.zxid.0, kind, path)?;
            return Ok(Came::Event);
        }
        let Some(asked) = talk.unanswered.pop_front() else {
            return Err(Property::ReplyIsModel.broken(format!("nobody asked for {header:?}")));
        };
        let answer = Answer { err: header.err, body: sorted_children(&asked.ask, d.rest()) };
        if header.xid.0 != asked.xid {
            return Err(
                Property::ReplyIsModel.broken(format!("{header:?} comes in place of {asked:?}"))
            );
        }
        self.on_reply(id, &asked, header.zxid.0, &answer)?;
        let lost = [ErrorCode::SessionMoved, ErrorCode::SessionExpired].map(ErrorCode::code);
        Ok(Came::Reply { is_lost: lost.contains(&answer.err) })
    }

    fn on_connect_response(&mut self, id: WireId, frame: &[u8]) -> Result<i64, Violation> {
        let wrong = |what: String| Err(Property::SessionHandover.broken(what));
        let Ok(response) = ConnectResponse::decode(frame) else {
            return wrong(format!("{frame:x?} is no connect response"));
        };
        let talk = &self.talks[&id];
        let SessionId(granted) = response.session_id;
        let ConnectAsk { session: wished, timeout_ms, .. } = talk.connect;
        let expected_ms = self.clamp(timeout_ms);
        match (talk.verdict, granted) {
            (Some(Verdict::Refused), 0) => return Ok(0),
            (Some(Verdict::Leader), 0) if self.invalid.contains(&wished) => return Ok(0),
            (Some(Verdict::Granted | Verdict::Leader), 0) => {
                return wrong(format!("{wished:x} lives, but is refused"));
            }
            (Some(Verdict::Granted), _) => {}
            (Some(Verdict::Leader), _) if self.valid.contains(&wished) => {}
            verdict => return wrong(format!("{granted:x} is granted for {wished:x}: {verdict:?}")),
        }
        if u64::try_from(response.timeout_ms) != Ok(expected_ms)
            || response.passwd != zk_core::password(SessionId(granted))
        {
            return wrong(format!("{response:?} for {:?}", talk.connect));
        }
        if wished == 0 {
            match self.created.get(&granted) {
                Some(zxid) if self.book.committed(*zxid).is_some() => {
                    self.acked = self.acked.max(*zxid);
                }
                made => return wrong(format!("{granted:x} is granted, made by {made:?}")),
            }
            if !self.claimed.insert(granted) {
                return wrong(format!("{granted:x} is granted twice"));
            }
        } else if wished != granted {
            return wrong(format!("{granted:x} is granted in place of {wished:x}"));
        }
        let talk = self.talks.get_mut(&id).expect("it was there before");
        talk.session = Some(granted);
        Ok(granted)
    }

    fn on_event(
        &mut self,
        id: WireId,
        zxid: i64,
        kind: i32,
        path: String,
    ) -> Result<(), Violation> {
        let talk = self.talks.get_mut(&id).expect("frames come on open connections");
        if zxid == -1 {
            talk.missed.push((kind, path));
            return Ok(());
        }
        if self.book.committed(zxid).is_none() || !talk.missed.is_empty() {
            return Err(Property::WatchOrder.broken(format!("{kind} {path} in {zxid:x} is early")));
        }
        self.acked = self.acked.max(zxid);
        match self.next_event(id, zxid) {
            Some((at, event)) if at == zxid && event.kind.code() == kind && event.path == path => {
                Ok(())
            }
            other => Err(Property::WatchOrder
                .broken(format!("{id:?} hears {kind} {path} in {zxid:x}, not {other:?}"))),
        }
    }

    /// The next event up to `zxid` that this connection must hear of; it counts as heard.
    pub(super) fn next_event(&mut self, id: WireId, zxid: i64) -> Option<(i64, Event)> {
        let end = self.book.place_of(zxid)? + 1;
        let chain = self.book.chain();
        let talk = self.talks.get_mut(&id).expect("talks outlive their clients");
        if talk.watching.is_empty() {
            talk.cursor = talk.cursor.max((end, 0));
        }
        while talk.cursor.0 < end {
            let (at, place) = talk.cursor;
            let moment = &chain[at];
            let Some(event) = moment.events.get(place) else {
                talk.cursor = (at + 1, 0);
                continue;
            };
            talk.cursor = (at, place + 1);
            let is_hit = talk.watching.fire(event.kind, &event.path);
            let ids = talk.ids_at(moment.zxid);
            if is_hit && rights::allows(&event.acl, zk_wire::Perms::READ, ids) {
                return Some((moment.zxid, event.clone()));
            }
        }
        None
    }

    fn on_reply(
        &mut self,
        id: WireId,
        asked: &Asked,
        zxid: i64,
        answer: &Answer,
    ) -> Result<(), Violation> {
        if let Ask::Auth { scheme, credentials } = asked.ask {
            let is_known = rights::after_auth(&[], scheme, credentials).is_some();
            let err = if is_known { 0 } else { ErrorCode::AuthFailed.code() };
            return same(asked, zxid, 0, answer, &Answer { err, body: Vec::new() });
        }
        let last = self.talks[&id].last;
        if zxid < last || asked.ask.is_write() && zxid == last {
            return Err(Property::MonotonicZxid
                .broken(format!("{zxid:x} comes after {last:x} for {asked:?}")));
        }
        let Some(place) = self.book.place_of(zxid) else {
            return Err(Property::AckedSurvives.broken(format!(
                "{zxid:x} is shown, but {:x} is committed",
                self.book.head().zxid
            )));
        };
        if self.must_show(id, asked) && Some(place) < self.book.place_of(asked.floor)
            || asked.ask.is_write() && zxid <= asked.floor
        {
            return Err(Property::RealTime.broken(format!("{zxid:x} answers {asked:?}")));
        }
        self.acked = self.acked.max(zxid);
        let owed = self.next_event(id, zxid);
        if let Some((at, event)) = owed {
            return Err(Property::WatchOrder.broken(format!(
                "{id:?} is answered at {zxid:x} before it hears {event:?} in {at:x}"
            )));
        }
        let expected = self.expected(id, asked, zxid)?;
        let talk = self.talks.get_mut(&id).expect("frames come on open connections");
        talk.last = zxid;
        same(asked, zxid, zxid, answer, &expected)
    }

    /// Whether a reply must show everything that was seen anywhere before its request was sent.
    ///
    /// In an ensemble reads may lag behind, except after a sync; and that one is answered by a leader
    /// that may have been deposed without having noticed.
    fn must_show(&self, id: WireId, asked: &Asked) -> bool {
        let is_sync = matches!(asked.ask, Ask::Sync { .. });
        self.is_alone || is_sync && self.talks[&id].epoch == self.epoch_max
    }

    /// What the model answers at this zxid; watches are set as the request says.
    fn expected(&mut self, id: WireId, asked: &Asked, zxid: i64) -> Result<Answer, Violation> {
        let moment = self.book.committed(zxid).expect("it was just looked up").clone();
        let talk = self.talks.get_mut(&id).expect("frames come on open connections");
        let session = talk.session.unwrap_or(0);
        if asked.ask.is_write() {
            return match &moment.answer {
                Some((of, xid, answer)) if (*of, *xid) == (session, asked.xid) => {
                    Ok(answer.clone())
                }
                other => Err(Property::ReplyIsModel
                    .broken(format!("{zxid:x} answers {asked:?}, but belongs to {other:?}"))),
            };
        }
        let state = &moment.state;
        let missed = std::mem::take(&mut talk.missed);
        let owed = match &asked.ask {
            Ask::SetWatches(watches) => state.missed(watches),
            _ => Vec::new(),
        };
        let owed: Vec<_> = owed.into_iter().map(|(kind, path)| (kind.code(), path)).collect();
        if missed != owed {
            return Err(Property::WatchOrder
                .broken(format!("{id:?} hears {missed:?} before {asked:?}, not {owed:?}")));
        }
        let mut answer = state.read(&asked.ask, &asked.ids, session);
        let watching = &mut talk.watching;
        let found = |is_there: bool| if is_there { 0 } else { ErrorCode::NoWatcher.code() };
        match &asked.ask {
            Ask::GetData { path, watch: true } if answer.err == 0 => {
                watching.add(path, Mode::Data);
            }
            Ask::Exists { path, watch: true } if answer.err != ErrorCode::NoAuth.code() => {
                watching.add(path, Mode::Data);
            }
            Ask::GetChildren { path, watch: true, .. } if answer.err == 0 => {
                watching.add(path, Mode::Child);
            }
            Ask::AddWatch { path, recursive } => {
                watching.add(path, if *recursive { Mode::Recursive } else { Mode::Persistent });
                answer.body = vec![0; 4];
            }
            Ask::CheckWatches { path, kind } => answer.err = found(watching.has(path, *kind)),
            Ask::RemoveWatches { path, kind } => answer.err = found(watching.remove(path, *kind)),
            Ask::SetWatches(watches) => watching.set_again(watches, state),
            _ => {}
        }
        Ok(answer)
    }
}

impl Talk {
    fn ids_at(&self, zxid: i64) -> &[Id] {
        let in_force = self.ids_since.iter().rev().find(|(since, _)| *since < zxid);
        in_force.map_or(&[], |(_, ids)| ids)
    }
}

fn same(
    asked: &Asked,
    zxid: i64,
    expected_zxid: i64,
    answer: &Answer,
    expected: &Answer,
) -> Result<(), Violation> {
    if zxid == expected_zxid && answer == expected {
        return Ok(());
    }
    Err(Property::ReplyIsModel.broken(format!(
        "{asked:?} is answered {answer:x?} at {zxid:x}, not {expected:x?} at {expected_zxid:x}"
    )))
}
