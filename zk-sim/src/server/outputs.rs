//! What the core wants to be done, carried out or handed on.

use bytes::Bytes;
use zk_core::{LinkId, Output, RoleName};
use zk_storage::Wanted;
use zk_wire::{Epoch, QuorumPacket, SessionId};

use super::log::{Command, shown};
use super::{End, Process, node_of};
use crate::checker::Issued;
use crate::event::Work;
use crate::mutation::Mutation;
use crate::scene::Scene;
use crate::wire::WireId;

/// What goes to other servers.
#[derive(Debug)]
pub(crate) enum Mail {
    Vote {
        to: usize,
        payload: Vec<u8>,
    },
    CallAll,
    Dial {
        leader: usize,
    },
    StopDialing,
    Packets {
        link: LinkId,
        bytes: Bytes,
    },
    /// A part of a snapshot.
    Slice {
        link: LinkId,
        bytes: Bytes,
        is_last: bool,
    },
    Close(LinkId),
    Resume(LinkId),
    /// The answer to a learner that asked about a session: the oracle wants to know.
    Revalidated {
        link: LinkId,
        session: SessionId,
        is_valid: bool,
    },
}

impl Process {
    pub(super) fn carry_out(
        &mut self,
        scene: &mut Scene,
        output: Output,
        issued: Issued,
        current: Option<WireId>,
    ) -> Result<(), End> {
        match output {
            Output::Append { zxid, bytes } => {
                let node = self.node;
                let what = || format!("{node} appends {:x} {}", zxid.0, shown(&bytes));
                scene.note(what, zxid.0.cast_unsigned());
                scene.checker.on_append(self.node, zxid.0, &bytes, issued)?;
                self.log(scene, Command::Append { zxid, bytes });
            }
            Output::Roll => self.log(scene, Command::Roll),
            Output::TakeSnapshot => self.take_snapshot(scene),
            Output::Flush(cnx) | Output::Resume(cnx) => {
                let wire = self.wire_of(cnx);
                if current != Some(wire) {
                    let us = scene.delay(50);
                    self.wake(scene, us, Work::Socket(wire));
                }
            }
            Output::Close(cnx) => {
                let wire = self.wire_of(cnx);
                self.sockets.get_mut(&wire).expect("the core closes open ones").is_closing = true;
                let us = scene.delay(50);
                self.wake(scene, us, Work::Socket(wire));
            }
            Output::Stopped => self.is_released = true,
            Output::StoreEpochs { accepted, current } => {
                self.on_epoch(scene, accepted, current)?;
                self.log(scene, Command::StoreEpochs { accepted, current });
            }
            Output::StoreNaming(naming) => self.log(scene, Command::StoreNaming(naming)),
            Output::Foreign { ours, theirs, .. } => {
                panic!("one ensemble has two ids: {ours} and {theirs}")
            }
            Output::KeepMembers => self.keep_members(scene)?,
            Output::Truncate { zxid } => {
                scene.checker.on_log_cut(self.node, zxid);
                self.log(scene, Command::Truncate { zxid });
            }
            Output::Reload => self.log(scene, Command::Reload),
            Output::AbortSnapshot => self.abort_snapshot(scene),
            Output::ReadLog { link, above, until, bytes_max } => {
                self.read_log(scene, link, Wanted { above, until, bytes_max });
            }
            Output::StreamSnapshot { links } => self.stream_snapshot(scene, links),
            Output::Notify { to, payload } => {
                self.mail.push(Mail::Vote { to: node_of(to), payload });
            }
            Output::ConnectPeers => self.mail.push(Mail::CallAll),
            Output::Dial { leader } => self.mail.push(Mail::Dial { leader: node_of(leader) }),
            Output::StopDialing => self.mail.push(Mail::StopDialing),
            Output::Send { link, bytes } => self.send(scene, link, bytes)?,
            Output::CloseLink(link) => self.mail.push(Mail::Close(link)),
            Output::ResumeLink(link) => self.mail.push(Mail::Resume(link)),
        }
        Ok(())
    }

    /// Both configurations are written before anything else happens.
    fn keep_members(&mut self, scene: &mut Scene) -> Result<(), End> {
        let Some(members) = self.peer.members() else { return Ok(()) };
        let mut files = self.files.borrow_mut();
        let before = files.members.as_ref().map_or(0, zk_core::Members::version);
        let (node, text) = (self.node, members.text());
        scene.note(|| format!("{node} has members {text:?}"), 22);
        scene.checker.on_members(node, before, text)?;
        files.members = Some(members.clone());
        files.proposed = self.peer.proposed_members().cloned();
        Ok(())
    }

    /// The oracle must know when an epoch begins, before anybody goes by it.
    fn on_epoch(&mut self, scene: &mut Scene, accepted: Epoch, current: Epoch) -> Result<(), End> {
        let node = self.node;
        scene.note(|| format!("{node} stores epochs {accepted} {current}"), 20);
        let is_new = std::mem::replace(&mut self.epoch, current) != current;
        match self.peer.role() {
            RoleName::Leading if is_new => scene.checker.on_reign(node, current)?,
            RoleName::Following | RoleName::Observing => {
                scene.checker.on_following(node, current);
            }
            RoleName::Leading | RoleName::Looking | RoleName::Standalone => {}
        }
        Ok(())
    }

    fn send(&mut self, scene: &mut Scene, link: LinkId, bytes: Bytes) -> Result<(), End> {
        let node = self.node;
        let mut kept = Vec::with_capacity(bytes.len());
        let mut rest = &bytes[..];
        while let Ok(Some((packet, len))) = QuorumPacket::decode(rest, usize::MAX) {
            let (whole, later) = rest.split_at(len);
            rest = later;
            if self.is_dropped(scene, &packet) {
                continue;
            }
            let name = packet.name();
            let length = u64::try_from(len).expect("packets are small");
            scene.note(|| format!("{node} sends {name} over {}", link.0), link.0 << 32 | length);
            if let QuorumPacket::Revalidated { session, is_valid } = packet {
                scene.checker.on_judged(node, session, is_valid)?;
                self.mail.push(Mail::Revalidated { link, session, is_valid });
            }
            kept.extend_from_slice(whole);
        }
        assert!(rest.is_empty(), "a core sends whole packets");
        if !kept.is_empty() {
            self.mail.push(Mail::Packets { link, bytes: kept.into() });
        }
        Ok(())
    }

    /// Whether a broken server leaves this packet out.
    fn is_dropped(&mut self, scene: &mut Scene, packet: &QuorumPacket<'_>) -> bool {
        match (scene.mutation, packet) {
            (Some(Mutation::DropCommit), QuorumPacket::Commit { .. }) => scene.random.chance(50),
            // What is sent live is above everything that was applied.
            (Some(Mutation::DropDiffTxn), QuorumPacket::Proposal { zxid, .. })
                if *zxid <= self.peer.database().last_zxid() && scene.random.chance(200) =>
            {
                self.dropped = *zxid;
                true
            }
            (Some(Mutation::DropDiffTxn), QuorumPacket::Commit { zxid }) => *zxid == self.dropped,
            _ => false,
        }
    }
}
