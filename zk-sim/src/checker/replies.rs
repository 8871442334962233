//! What comes back to a client: the connect response, replies, and watch events between them.

use zk_wire::{ConnectResponse, Decoder, ErrorCode, Id, ReplyHeader, SessionId};

use super::{Asked, Checker, ConnectAsk, Link, LinkId};
use crate::ask::Ask;
use crate::model::{Answer, Event, sorted_children};
use crate::rights;
use crate::violation::{Property, Violation};
use crate::watching::Mode;

/// What a frame was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Came {
    /// The session that was granted, 0 for none.
    Session(i64),
    Reply,
    Event,
}

const NOTIFICATION: i32 = -1;

impl Checker {
    /// A client has received a frame.
    pub(crate) fn on_frame(&mut self, id: LinkId, frame: &[u8]) -> Result<Came, Violation> {
        let link = self.links.get_mut(&id).expect("frames come on open links");
        if !link.is_answered {
            link.is_answered = true;
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
        let Some(asked) = link.unanswered.pop_front() else {
            return Err(Property::ReplyIsModel.broken(format!("nobody asked for {header:?}")));
        };
        let answer = Answer { err: header.err, body: sorted_children(&asked.ask, d.rest()) };
        if header.xid.0 != asked.xid {
            return Err(
                Property::ReplyIsModel.broken(format!("{header:?} comes in place of {asked:?}"))
            );
        }
        self.on_reply(id, &asked, header.zxid.0, &answer)?;
        Ok(Came::Reply)
    }

    fn on_connect_response(&mut self, id: LinkId, frame: &[u8]) -> Result<i64, Violation> {
        let wrong = |what: String| Err(Property::SessionHandover.broken(what));
        let Ok(response) = ConnectResponse::decode(frame) else {
            return wrong(format!("{frame:x?} is no connect response"));
        };
        let link = &self.links[&id];
        let SessionId(granted) = response.session_id;
        let ConnectAsk { session: wished, timeout_ms, .. } = link.connect;
        let expected_ms = self.clamp(timeout_ms);
        match (link.verdict, granted) {
            (Some(false), 0) => return Ok(0),
            (Some(true), 0) => return wrong(format!("{wished:x} lives, but is refused")),
            (Some(true), _) => {}
            _ => return wrong(format!("{wished:x} is dead, but {granted:x} is granted")),
        }
        if u64::try_from(response.timeout_ms) != Ok(expected_ms)
            || response.passwd != zk_core::password(SessionId(granted))
        {
            return wrong(format!("{response:?} for {:?}", link.connect));
        }
        if wished == 0 {
            match self.created.get(&granted) {
                Some(zxid) if *zxid <= self.applied => self.acked = self.acked.max(*zxid),
                made => return wrong(format!("{granted:x} is granted, made by {made:?}")),
            }
            if !self.claimed.insert(granted) {
                return wrong(format!("{granted:x} is granted twice"));
            }
        } else if wished != granted {
            return wrong(format!("{granted:x} is granted in place of {wished:x}"));
        }
        let link = self.links.get_mut(&id).expect("it was there before");
        link.session = Some(granted);
        Ok(granted)
    }

    fn on_event(
        &mut self,
        id: LinkId,
        zxid: i64,
        kind: i32,
        path: String,
    ) -> Result<(), Violation> {
        let link = self.links.get_mut(&id).expect("frames come on open links");
        if zxid == -1 {
            link.missed.push((kind, path));
            return Ok(());
        }
        if zxid > self.applied || !link.missed.is_empty() {
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
    pub(super) fn next_event(&mut self, id: LinkId, zxid: i64) -> Option<(i64, Event)> {
        let link = self.links.get_mut(&id).expect("links outlive their clients");
        while link.cursor.0 <= zxid {
            let (at, place) = link.cursor;
            let moment = self.history.get(usize::try_from(at).ok()?)?;
            let Some(event) = moment.events.get(place) else {
                link.cursor = (at + 1, 0);
                continue;
            };
            link.cursor = (at, place + 1);
            let is_hit = link.watching.fire(event.kind, &event.path);
            if is_hit && rights::allows(&event.acl, zk_wire::Perms::READ, link.ids_at(at)) {
                return Some((at, event.clone()));
            }
        }
        None
    }

    fn on_reply(
        &mut self,
        id: LinkId,
        asked: &Asked,
        zxid: i64,
        answer: &Answer,
    ) -> Result<(), Violation> {
        if let Ask::Auth { scheme, credentials } = asked.ask {
            let is_known = rights::after_auth(&[], scheme, credentials).is_some();
            let err = if is_known { 0 } else { ErrorCode::AuthFailed.code() };
            return same(asked, zxid, 0, answer, &Answer { err, body: Vec::new() });
        }
        let last = self.links[&id].last;
        if zxid < last || asked.ask.is_write() && zxid == last {
            return Err(Property::MonotonicZxid
                .broken(format!("{zxid:x} comes after {last:x} for {asked:?}")));
        }
        if zxid < asked.floor || asked.ask.is_write() && zxid == asked.floor {
            return Err(Property::RealTime.broken(format!("{zxid:x} answers {asked:?}")));
        }
        if zxid > self.applied {
            return Err(Property::AckedSurvives
                .broken(format!("{zxid:x} is shown, but {:x} is applied", self.applied)));
        }
        self.acked = self.acked.max(zxid);
        let owed = self.next_event(id, zxid);
        if let Some((at, event)) = owed {
            return Err(Property::WatchOrder.broken(format!(
                "{id:?} is answered at {zxid:x} before it hears {event:?} in {at:x}"
            )));
        }
        let expected = self.expected(id, asked, zxid)?;
        let link = self.links.get_mut(&id).expect("frames come on open links");
        link.last = zxid;
        same(asked, zxid, zxid, answer, &expected)
    }

    /// What the model answers at this zxid; watches are set as the request says.
    fn expected(&mut self, id: LinkId, asked: &Asked, zxid: i64) -> Result<Answer, Violation> {
        let moment = &self.history[usize::try_from(zxid).expect("it is applied")];
        let link = self.links.get_mut(&id).expect("frames come on open links");
        let session = link.session.unwrap_or(0);
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
        let missed = std::mem::take(&mut link.missed);
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
        let watching = &mut link.watching;
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

impl Link {
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
