//! What the log has is committed: it is applied, watches fire, clients are told.
//!
//! Java: `FinalRequestProcessor`, `CommitProcessor`.

use zk_wire::{
    CreateKind, Decoder, Encoder, Op, ReplyHeader, RequestHeader, Txn, TxnRecord, WatcherEvent,
    Zxid, begin_frame, end_frame,
};

use super::{
    Asked, ConnectionId, InFlight, Now, Output, Peer, Phase, Reply, Waiting, connection_in,
};
use crate::apply::{Event, Outcome};
use crate::read::{write_event, write_multi_end, write_multi_error};
use crate::sessions::Owner;

impl Peer {
    pub(super) fn on_persisted(&mut self, now: Now, zxid: Zxid, out: &mut Vec<Output>) {
        self.persisted = self.persisted.max(zxid);
        if self.ensemble.is_none() {
            self.committed = self.persisted;
            return self.apply(now, out);
        }
        self.lead(now, out, |leader, ensemble, acts| {
            leader.on_persisted(ensemble.options, ensemble.history, zxid, acts);
        });
        self.learn(now, out, |learner, _, acts| learner.on_persisted(zxid, acts));
        self.resume_leader_link(now, out);
        self.apply(now, out);
        self.look_when_settled(now, out);
    }

    /// Applies what the log has and a quorum has, in order.
    pub(super) fn apply(&mut self, now: Now, out: &mut Vec<Output>) {
        let zxid = self.persisted.min(self.committed);
        while let Some(committed) =
            self.in_flight.pop_front_if(|txn| txn.record.header.zxid <= zxid)
        {
            self.commit(now, committed, out);
            // A sync's reply comes before those to writes behind it.
            self.answer_syncs(now, out);
        }
        if self.is_in_charge() {
            self.prep.applied(zxid, &self.database);
        }
        if self.outstanding() <= self.options.outstanding_limit {
            self.unpark(out);
        }
        if self.snapshot_at.is_some_and(|at| at <= zxid) {
            self.snapshot_at = None;
            self.want_snapshot(now, out);
        }
        if self.ensemble.is_some() {
            self.trim_history(now, out);
            self.stream_when_caught_up(now, out);
        }
    }

    fn commit(&mut self, now: Now, committed: InFlight, out: &mut Vec<Output>) {
        let InFlight { mut record, mut reply } = committed;
        if reply == Reply::Nobody {
            reply = self.forwarded_reply(&mut record);
        }
        let mut events = Vec::new();
        let has_watches = self.watches.count() > 0;
        let (watches, fired) = (&mut self.watches, &mut self.stats.fired);
        let (connections, auth) = (&mut self.connections, &self.options.prep.auth);
        let outcome = self.database.apply(&record, &mut |event: Event<'_>| {
            if !has_watches {
                return;
            }
            let watchers = watches.fire(event.kind, event.path);
            fired.add(event.kind, watchers.len());
            for cnx in watchers {
                let Some(connection) = connection_in(connections, cnx) else { continue };
                if connection.phase == Phase::Closing {
                    continue;
                }
                if !auth.allows(event.acl, zk_wire::Perms::READ, &connection.ids) {
                    continue;
                }
                let before = connection.out.len();
                let notification = WatcherEvent { event: event.kind, path: event.path };
                write_event(&mut connection.out, notification, event.zxid);
                connection.stats.sent += 1;
                events.push((cnx, connection.out.len() - before));
            }
        });
        for (cnx, size) in events {
            self.stats.on_notification(size);
            self.flush(cnx, out);
        }
        self.stats.commits += 1;
        let ended = match record.txn {
            Txn::CloseSession { .. } => self.sessions.remove(record.header.session),
            _ => None,
        };
        match reply {
            Reply::Nobody => {
                if let Some(Owner::Connection(holder)) = ended.and_then(|session| session.owner) {
                    self.close(holder, out);
                }
            }
            Reply::Session { cnx, read_only, received } => {
                let took = now.mono.since(received);
                self.stats.latency.add(took);
                self.stats.update_latency.add(took);
                if let Some(connection) = self.connection_mut(cnx) {
                    connection.on_session_made(took, record.header.zxid);
                }
                self.establish(now, cnx, record.header.session, read_only, out);
            }
            Reply::Request(asked) => self.reply(now, asked, &record, &outcome, out),
        }
    }

    fn reply(
        &mut self,
        now: Now,
        asked: Asked,
        record: &TxnRecord,
        outcome: &Outcome,
        out: &mut Vec<Output>,
    ) {
        let took = now.mono.since(asked.received);
        self.stats.latency.add(took);
        self.stats.update_latency.add(took);
        let Some(connection) = self.connection_mut(asked.cnx) else { return };
        let Some(Waiting::Write) = connection.waiting.pop_front() else { return };
        let before = connection.out.len();
        write_reply(&mut connection.out, asked, record, outcome);
        let size = connection.out.len() - before;
        connection.on_reply(now.mono, asked, record.header.zxid);
        self.stats.on_response(size);
        if asked.op == Op::CloseSession {
            self.flush(asked.cnx, out);
            return self.close(asked.cnx, out);
        }
        self.drain_waiting(now, asked.cnx, out);
    }

    /// Answers what waited behind the write that was just answered.
    pub(super) fn drain_waiting(&mut self, now: Now, cnx: ConnectionId, out: &mut Vec<Output>) {
        loop {
            let Some(connection) = self.connection_mut(cnx) else { return };
            match connection.waiting.pop_front_if(|next| !matches!(next, Waiting::Write)) {
                None | Some(Waiting::Write) => break,
                Some(Waiting::Ready { frame, is_last }) => {
                    connection.out.extend_from_slice(&frame);
                    connection.stats.sent += 1;
                    self.stats.on_response(frame.len());
                    if is_last {
                        self.flush(cnx, out);
                        return self.close(cnx, out);
                    }
                }
                Some(Waiting::Read { frame, ids, received }) => {
                    let Phase::Established(session) = connection.phase else { return };
                    let mut d = Decoder::new(&frame);
                    let header = RequestHeader::decode(&mut d).expect("it was read before");
                    let op = Op::from_code(header.op).expect("it was known before");
                    let asked = Asked { cnx, xid: header.xid, op, received };
                    self.answer(now, asked, session, d.rest(), Some(&ids));
                }
            }
        }
        self.flush(cnx, out);
    }
}

/// The reply to a write whose txn is applied.
fn write_reply(out: &mut Vec<u8>, asked: Asked, record: &TxnRecord, outcome: &Outcome) {
    let start = begin_frame(out);
    let mut e = Encoder::new(out);
    let err = if let Outcome::Error(code) = outcome { *code } else { 0 };
    ReplyHeader { xid: asked.xid, zxid: record.header.zxid, err }.encode(&mut e);
    match (&record.txn, outcome) {
        (Txn::Multi(parts), Outcome::Multi(outcomes)) => {
            for (part, outcome) in parts.iter().zip(outcomes) {
                write_part(&mut e, part, outcome);
            }
            write_multi_end(&mut e);
        }
        (Txn::Create(create), Outcome::Stat(stat)) => {
            e.text(&create.path);
            if asked.op != Op::Create {
                stat.encode(&mut e);
            }
        }
        (Txn::SetData { data, reconfig: true, .. }, Outcome::Stat(stat)) => {
            e.buffer(data.as_deref());
            stat.encode(&mut e);
        }
        (_, Outcome::Stat(stat)) => stat.encode(&mut e),
        _ => {}
    }
    end_frame(out, start);
}

fn write_part(e: &mut Encoder<'_>, part: &Txn, outcome: &Outcome) {
    let result = |e: &mut Encoder<'_>, op: Op| {
        e.int(op.code()).boolean(false).int(0);
    };
    match (part, outcome) {
        (_, Outcome::Error(code)) => {
            write_multi_error(e, *code);
        }
        (Txn::Create(create), Outcome::Stat(stat)) => {
            let is_plain = create.kind == CreateKind::Create;
            result(e, if is_plain { Op::Create } else { Op::Create2 });
            e.text(&create.path);
            if !is_plain {
                stat.encode(e);
            }
        }
        (Txn::SetData { .. }, Outcome::Stat(stat)) => {
            result(e, Op::SetData);
            stat.encode(e);
        }
        (Txn::Check { .. }, _) => result(e, Op::Check),
        _ => result(e, Op::Delete),
    }
}
