//! Bytes between servers: cut into packets, each to the part that it is for.
//!
//! What cannot be understood yet stays in the link's inbox, so a packet that is half there has no effect.
//!
//! Java: `LearnerHandler.run`, `Follower.processPacket`, `Observer.processPacket`.

use std::net::IpAddr;

use tracing::{debug, warn};
use zk_wire::{QuorumPacket, SnapshotStream, Zxid};

use super::ensemble::{Link, Role};
use super::{Now, Output, Peer};
use crate::database::Database;
use crate::zab::{Act, GiveUp, LinkId};

/// What one packet of an inbox led to.
enum Taken {
    /// So many bytes were used.
    Bytes(usize),
    /// More must come first, or the disk must answer.
    Nothing,
}

impl Peer {
    pub(super) fn on_link_opened(
        &mut self,
        now: Now,
        link: LinkId,
        remote: IpAddr,
        out: &mut Vec<Output>,
    ) {
        let Some(ensemble) = &mut self.ensemble else { return out.push(Output::CloseLink(link)) };
        match &mut ensemble.role {
            // It decided earlier: it waits until this server has decided too.
            Role::Leaving | Role::Looking => {}
            Role::Leading(leader) => leader.on_opened(now.mono, link),
            Role::Learning(_) => {
                debug!("{remote} takes this server for the leader, which it is not");
                return out.push(Output::CloseLink(link));
            }
        }
        ensemble.links.insert(link, Link::default());
    }

    pub(super) fn on_dialed(&mut self, now: Now, link: LinkId, out: &mut Vec<Output>) {
        let Some(ensemble) = &mut self.ensemble else { return };
        let is_wanted =
            matches!(&ensemble.role, Role::Learning(learner) if learner.link().is_none());
        if !is_wanted {
            return out.push(Output::CloseLink(link));
        }
        ensemble.links.insert(link, Link::default());
        self.learn(now, out, |learner, _, acts| learner.on_dialed(now.mono, link, acts));
    }

    pub(super) fn on_dial_failed(&mut self, now: Now, out: &mut Vec<Output>) {
        self.learn(now, out, |learner, _, acts| {
            if learner.link().is_none() {
                acts.push(Act::GiveUp(GiveUp::NotReached));
            }
        });
    }

    pub(super) fn on_link_closed(&mut self, now: Now, link: LinkId, out: &mut Vec<Output>) {
        let Some(ensemble) = &mut self.ensemble else { return };
        if ensemble.links.remove(&link).is_none() {
            return;
        }
        self.lead(now, out, |leader, ensemble, acts| {
            leader.on_link_ended(ensemble.options, link, acts);
        });
        self.learn(now, out, |_, _, acts| acts.push(Act::GiveUp(GiveUp::LinkEnded)));
    }

    /// Whether bytes of this link may be fed now. After a no, `Output::ResumeLink` follows, or it ends.
    pub fn may_read_link(&self, link: LinkId) -> bool {
        let Some(ensemble) = &self.ensemble else { return false };
        let Some(inbox_len) = ensemble.links.get(&link).map(|link| link.inbox.len()) else {
            return false;
        };
        match &ensemble.role {
            // Nobody has introduced himself yet.
            Role::Leaving | Role::Looking => inbox_len <= GREETING_LEN_MAX,
            Role::Leading(leader) if leader.sid(link).is_none() => inbox_len <= GREETING_LEN_MAX,
            Role::Leading(_) => inbox_len <= self.link_len_max(),
            // Its disk is behind: what comes must wait where it is. While it is synchronized nothing is acked.
            Role::Learning(learner) if learner.is_live() && learner.unacked() > UNACKED_MAX => {
                false
            }
            Role::Learning(_) => inbox_len <= self.link_len_max(),
        }
    }

    /// The longest packet, in bytes.
    fn link_len_max(&self) -> usize {
        self.options.prep.txn_size_max + PACKET_SLACK
    }

    pub(super) fn on_link_bytes(
        &mut self,
        now: Now,
        link: LinkId,
        bytes: &[u8],
        out: &mut Vec<Output>,
    ) {
        let Some(ensemble) = &mut self.ensemble else { return };
        let Some(to) = ensemble.links.get_mut(&link) else { return };
        to.inbox.extend_from_slice(bytes);
        if let Role::Learning(learner) = &mut ensemble.role {
            learner.heard(now.mono);
        }
        self.read_link(now, link, out);
    }

    /// Takes what is whole from a link's inbox.
    pub(super) fn read_link(&mut self, now: Now, link: LinkId, out: &mut Vec<Output>) {
        let Some(mut inbox) = self.inbox(link).map(std::mem::take) else { return };
        let mut used = 0;
        while let Taken::Bytes(len) = self.take(now, link, &inbox[used..], out) {
            used += len;
            if self.inbox(link).is_none() {
                return;
            }
        }
        inbox.drain(..used);
        if let Some(place) = self.inbox(link) {
            *place = inbox;
        }
    }

    fn inbox(&mut self, link: LinkId) -> Option<&mut Vec<u8>> {
        Some(&mut self.ensemble.as_mut()?.links.get_mut(&link)?.inbox)
    }

    /// After the disk answered a learner: what waited is taken, and more may come.
    pub(super) fn resume_leader_link(&mut self, now: Now, out: &mut Vec<Output>) {
        let Some(ensemble) = &self.ensemble else { return };
        let Role::Learning(learner) = &ensemble.role else { return };
        if let Some(link) = learner.link()
            && !learner.is_paused()
        {
            self.read_link(now, link, out);
            out.push(Output::ResumeLink(link));
        }
    }

    fn take(&mut self, now: Now, link: LinkId, bytes: &[u8], out: &mut Vec<Output>) -> Taken {
        let Some(ensemble) = &self.ensemble else { return Taken::Nothing };
        if bytes.is_empty() {
            return Taken::Nothing;
        }
        let len_max = match &ensemble.role {
            Role::Leaving | Role::Looking => return Taken::Nothing,
            Role::Learning(learner) if learner.is_paused() => return Taken::Nothing,
            Role::Learning(learner) if learner.is_loading() => {
                return self.load(now, link, bytes, out);
            }
            Role::Leading(leader) if leader.sid(link).is_none() => GREETING_LEN_MAX,
            Role::Learning(_) | Role::Leading(_) => self.link_len_max(),
        };
        match QuorumPacket::decode(bytes, len_max) {
            Ok(None) => Taken::Nothing,
            Ok(Some((packet, len))) => {
                self.on_packet(now, link, &packet, out);
                Taken::Bytes(len)
            }
            Err(error) => {
                self.refuse_link(now, link, "a packet", &error.to_string(), out);
                Taken::Nothing
            }
        }
    }

    /// A peer that says what cannot be understood is let go.
    fn refuse_link(
        &mut self,
        now: Now,
        link: LinkId,
        what: &'static str,
        error: &str,
        out: &mut Vec<Output>,
    ) {
        self.lead(now, out, |leader, _, acts| {
            let sid =
                leader.sid(link).map_or("a stranger".to_owned(), |sid| format!("server.{sid}"));
            warn!("closing the connection of {sid}: {what} cannot be read: {error}");
            leader.close(link, acts);
        });
        let error = error.to_owned();
        self.learn(now, out, |_, _, acts| {
            acts.push(Act::GiveUp(GiveUp::Unreadable { what, error }));
        });
    }

    fn on_packet(
        &mut self,
        now: Now,
        link: LinkId,
        packet: &QuorumPacket<'_>,
        out: &mut Vec<Output>,
    ) {
        let Some(ensemble) = &self.ensemble else { return };
        let (is_leading, is_live) = match &ensemble.role {
            Role::Leaving | Role::Looking => return,
            Role::Leading(leader) => (true, leader.is_live(link)),
            Role::Learning(learner) => (false, learner.is_live()),
        };
        if is_live && !is_leading {
            self.stats.member.on_packet(packet);
        }
        match packet {
            QuorumPacket::Request(request) if is_leading && is_live => {
                self.on_forwarded(now, link, request, out);
            }
            QuorumPacket::Revalidate { session, timeout_ms } if is_leading && is_live => {
                self.on_revalidate(now, link, *session, *timeout_ms, out);
            }
            QuorumPacket::Ping { touched: Some(touched), .. } if is_leading => {
                for (session, _) in touched {
                    // One that is gone meanwhile is gone.
                    let _ = self.sessions.touch(*session, now.mono);
                }
            }
            QuorumPacket::Ping { zxid, .. } if is_live => self.answer_ping(link, *zxid, out),
            QuorumPacket::Revalidated { session, is_valid } if is_live => {
                self.on_revalidated(now, *session, *is_valid, out);
            }
            QuorumPacket::Sync if is_live && !is_leading => self.on_synced(now, out),
            _ => {}
        }
        if is_leading {
            self.lead(now, out, |leader, ensemble, acts| {
                leader.on_packet(now.mono, ensemble.options, ensemble.history, link, packet, acts);
            });
        } else {
            self.learn(now, out, |learner, _, acts| learner.on_packet(now.mono, packet, acts));
        }
    }

    fn answer_ping(&mut self, link: LinkId, zxid: Zxid, out: &mut Vec<Output>) {
        let Some(ensemble) = &mut self.ensemble else { return };
        let touched = std::mem::take(&mut ensemble.touched).into_iter().collect();
        let answer = QuorumPacket::Ping { zxid, touched: Some(touched) };
        out.push(Output::Send { link, bytes: crate::zab::packet(&answer) });
    }

    /// A snapshot of the leader follows: the tree makes way for it.
    pub(super) fn begin_load(&mut self, out: &mut Vec<Output>) {
        self.drop_snapshot(out);
        self.in_flight.clear();
        self.database = Database::for_stream(self.database.options());
        let length_max = self.link_len_max();
        let Some(ensemble) = &mut self.ensemble else { return };
        for link in ensemble.links.values_mut() {
            link.stream = Some(SnapshotStream::new(length_max));
        }
    }

    /// Takes the next part of the leader's snapshot into the tree.
    fn load(&mut self, now: Now, link: LinkId, bytes: &[u8], out: &mut Vec<Output>) -> Taken {
        let Some(ensemble) = &mut self.ensemble else { return Taken::Nothing };
        let stream = ensemble.links.get_mut(&link).and_then(|link| link.stream.as_mut());
        let stream = stream.expect("a snapshot is loaded from a link");
        match stream.feed(bytes, &mut self.database) {
            Ok(fed) => {
                if fed.is_done {
                    self.end_stream(link);
                }
                if fed.consumed == 0 { Taken::Nothing } else { Taken::Bytes(fed.consumed) }
            }
            Err(error) => {
                self.refuse_link(now, link, "the leader's snapshot", &error.to_string(), out);
                Taken::Nothing
            }
        }
    }

    /// The whole snapshot is in the tree; what follows may be in it already.
    fn end_stream(&mut self, link: LinkId) {
        let Some(ensemble) = &mut self.ensemble else { return };
        if let Some(link) = ensemble.links.get_mut(&link) {
            link.stream = None;
        }
        let Role::Learning(learner) = &mut ensemble.role else { return };
        if let Some(zxid) = learner.on_loaded() {
            self.database.end_stream(zxid);
        }
    }

    /// The tree is of one moment: it goes to the disk, and the history begins with it.
    pub(super) fn finish_load(&mut self, now: Now, out: &mut Vec<Output>) {
        self.database.finish_load();
        self.begin_at(self.database.last_zxid());
        out.push(Output::Roll);
        self.want_snapshot(now, out);
    }
}

/// The longest first packet of a learner, in bytes, generously.
const GREETING_LEN_MAX: usize = 1024;
/// How many proposals a follower takes that its disk does not have.
const UNACKED_MAX: usize = 50_000;
/// What a packet has beside a txn, generously: header, configuration, identities; in bytes.
const PACKET_SLACK: usize = 1 << 20;
