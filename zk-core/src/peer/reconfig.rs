//! A member's configuration changes: proposed, then committed; what that means for its role.
//!
//! Invariants
//! - The shell is told of a configuration before the txn that makes it is logged.
//! - Versions only increase, but for what was proposed and then given up.
//! - What a member counts with is in its log, or came with NEWLEADER.
//!
//! Java: `QuorumPeer.processReconfig`, `QuorumPeer.setLastSeenQuorumVerifier`, the checks of
//! `PrepRequestProcessor` for a reconfig.

use tracing::{info, warn};
use zk_wire::{ErrorCode, Notification, ServerId, Zxid};

use super::ensemble::Role;
use super::{Now, Output, Peer};
use crate::database::Database;
use crate::quorum::{Members, MembersChange};
use crate::zab::{Activation, EnsembleOptions, GiveUp};

impl Peer {
    /// The members that a request makes of the present ones.
    pub(super) fn changed_members(
        &self,
        request: &MembersChange<'_>,
        config_id: i64,
    ) -> Result<Members, ErrorCode> {
        let ensemble = self.ensemble.as_ref().ok_or(ErrorCode::Unimplemented)?;
        let options = &ensemble.options;
        let Role::Leading(leader) = &ensemble.role else { return Err(ErrorCode::Unimplemented) };
        let grammar = options.reconfig.as_ref().ok_or(ErrorCode::ReconfigDisabled)?;
        if options.proposed.is_some() {
            return Err(ErrorCode::ReconfigInProgress);
        }
        if config_id != -1 && config_id != options.members.version() {
            return Err(ErrorCode::BadVersion);
        }
        let members = grammar.changed(&options.members, request).map_err(|why| {
            warn!("a reconfig request is refused: {why}");
            ErrorCode::BadArguments
        })?;
        if leader.has_synced(&members) { Ok(members) } else { Err(ErrorCode::NewConfigNoQuorum) }
    }

    /// A configuration is proposed, or none is any more: the text is of one that holds then.
    pub(super) fn on_members_proposed(&mut self, text: &str, out: &mut Vec<Output>) {
        let Some(ensemble) = &mut self.ensemble else { return };
        let options = &mut ensemble.options;
        let proposed = readable(options, text);
        let proposed = proposed.filter(|members| members.version() > options.members.version());
        if proposed != options.proposed {
            options.proposed = proposed;
            out.push(Output::KeepMembers);
        }
    }

    /// A configuration is committed. Whether the role goes on.
    pub(super) fn activate(
        &mut self,
        now: Now,
        activation: &Activation,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some((before, leader)) = self.take_members(&activation.text, out) else { return true };
        let Some(ensemble) = &mut self.ensemble else { return true };
        let options = &ensemble.options;
        let members = &options.members;
        let version = members.version();
        if !activation.is_txn {
            self.database.show_config(members.text(), version, now.wall_ms);
        }
        let me = options.me;
        let is_other_role = before.is_observer(me) != members.is_observer(me);
        let is_replaced = match activation.leader {
            Some(next) => next != leader,
            None => !members.is_voter(leader) || members.place(leader) != before.place(leader),
        };
        if !is_other_role && !is_replaced {
            return true;
        }
        ensemble.heir = activation.leader.filter(|next| members.is_voter(*next));
        self.leave_role(now, &GiveUp::Reconfigured { version }, out);
        false
    }

    /// Makes a later configuration the one that holds. Gives the one before, and who leads at the moment.
    fn take_members(&mut self, text: &str, out: &mut Vec<Output>) -> Option<(Members, ServerId)> {
        let ensemble = self.ensemble.as_mut()?;
        let options = &mut ensemble.options;
        let members = readable(options, text)?;
        let version = members.version();
        if version <= options.members.version() {
            return None;
        }
        info!(
            "configuration {version:x} holds from now on: {}",
            members.text().replace('\n', ", ")
        );
        let before = std::mem::replace(&mut options.members, members);
        options.proposed.take_if(|proposed| proposed.version() <= version);
        out.push(Output::KeepMembers);
        let leader = match &ensemble.role {
            Role::Learning(learner) => learner.leader(),
            Role::Leaving | Role::Looking | Role::Leading(_) => options.me,
        };
        Some((before, leader))
    }

    /// While it looks for a leader, it takes a later configuration from any member that it knows: that of
    /// its files may be from long ago. Whether it did.
    pub(super) fn adopt_members(
        &mut self,
        now: Now,
        from: ServerId,
        notification: &Notification<'_>,
        out: &mut Vec<Output>,
    ) -> bool {
        let Some(ensemble) = &self.ensemble else { return false };
        let members = &ensemble.options.members;
        let is_known = members.is_voter(from) || members.is_observer(from);
        let is_looking = matches!(ensemble.role, Role::Looking);
        let Some(config) = notification.config.filter(|_| is_known && is_looking) else {
            return false;
        };
        if config == members.text().as_bytes() {
            return false;
        }
        let Ok(text) = std::str::from_utf8(config) else { return false };
        if self.take_members(text, out).is_none() {
            return false;
        }
        if let Some(ensemble) = &self.ensemble {
            let members = &ensemble.options.members;
            self.database.show_config(members.text(), members.version(), now.wall_ms);
        }
        true
    }
}

/// What counts as proposed at a start. A txn must be in the log for that, whatever the files say: they are
/// written before it, and nobody was told of it. The first version of a configuration is no txn.
pub(super) fn proposed_at_start(database: &Database, options: &EnsembleOptions) -> Option<Members> {
    let is_later = |members: &Members| members.version() > options.members.version();
    let text = database.config().and_then(|data| std::str::from_utf8(data).ok());
    let text = text.filter(|text| !text.is_empty());
    let logged = text.and_then(|text| readable(options, text)).filter(is_later);
    let is_first = |members: &&Members| Zxid(members.version()).counter() == 0;
    logged.or_else(|| options.proposed.as_ref().filter(is_first).cloned())
}

/// What a text says; `None` where configurations do not change.
fn readable(options: &EnsembleOptions, text: &str) -> Option<Members> {
    let grammar = options.reconfig.as_ref()?;
    let members = grammar.members(text);
    members.inspect_err(|why| warn!("a configuration is passed over: {why}")).ok()
}
