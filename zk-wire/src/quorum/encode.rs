//! From packets to the bytes that Java 3.8 and 3.9 write for them.

use super::{ForwardedRequest, LearnerInfo, QuorumPacket};
use crate::{Encoder, Naming, Zxid};

impl QuorumPacket<'_> {
    /// Appends the packet to `out`.
    pub fn encode(&self, out: &mut Vec<u8>) {
        let e = &mut Encoder::new(out);
        e.int(self.code()).long(self.zxid().0);
        self.encode_data(e);
        self.encode_ids(e);
    }

    /// What stands in the packet's zxid field.
    fn zxid(&self) -> Zxid {
        match self {
            Self::Proposal { zxid, .. }
            | Self::Ack { zxid }
            | Self::Commit { zxid }
            | Self::Ping { zxid, .. }
            | Self::Inform { zxid, .. }
            | Self::CommitAndActivate { zxid, .. }
            | Self::NewLeader { zxid, .. }
            | Self::FollowerInfo { zxid, .. }
            | Self::ObserverInfo { zxid, .. }
            | Self::Diff { zxid }
            | Self::Trunc { zxid }
            | Self::Snap { zxid }
            | Self::LeaderInfo { zxid, .. }
            | Self::AckEpoch { zxid, .. }
            | Self::InformAndActivate { zxid, .. } => *zxid,
            Self::Sync | Self::HandOver { .. } | Self::Ensemble { .. } | Self::Unknown { .. } => {
                Zxid::ZERO
            }
            Self::Request(_)
            | Self::Revalidate { .. }
            | Self::Revalidated { .. }
            | Self::UpToDate => Zxid(-1),
        }
    }

    fn encode_data(&self, e: &mut Encoder<'_>) {
        match self {
            Self::Request(ForwardedRequest { session, cxid, op, body, ids: _ }) => {
                e.count(16 + body.len()).long(session.0).int(cxid.0).int(*op).raw(body);
            }
            Self::Proposal { txn, .. } | Self::Inform { txn, .. } => {
                e.buffer(Some(txn));
            }
            Self::Ping { touched: Some(touched), .. } => {
                e.count(12 * touched.len());
                for (session, timeout_ms) in touched {
                    e.long(session.0).int(*timeout_ms);
                }
            }
            Self::Revalidate { session, timeout_ms } => {
                e.count(12).long(session.0).int(*timeout_ms);
            }
            Self::Revalidated { session, is_valid } => {
                e.count(9).long(session.0).boolean(*is_valid);
            }
            Self::CommitAndActivate { leader, .. } => {
                e.count(8).long(leader.0);
            }
            Self::NewLeader { config, .. } => {
                e.buffer(*config);
            }
            Self::FollowerInfo { info, .. } | Self::ObserverInfo { info, .. } => info.encode(e),
            Self::LeaderInfo { protocol, .. } => {
                e.count(4).int(*protocol);
            }
            Self::AckEpoch { epoch, .. } => {
                e.count(4).int(epoch.map_or(-1, |epoch| epoch.0));
            }
            Self::HandOver { leader } => {
                e.count(8).long(leader.0);
            }
            Self::Ensemble { naming } => {
                e.count(Naming::LEN);
                naming.encode(e);
            }
            Self::InformAndActivate { leader, txn, .. } => {
                e.count(8 + txn.len()).long(leader.0).raw(txn);
            }
            Self::Ack { .. }
            | Self::Commit { .. }
            | Self::Ping { touched: None, .. }
            | Self::Sync
            | Self::UpToDate
            | Self::Diff { .. }
            | Self::Trunc { .. }
            | Self::Snap { .. }
            | Self::Unknown { .. } => {
                e.buffer(None);
            }
        }
    }

    /// Compat: Java writes null for all but a client's request, and reads null only in createSession,
    /// before which nobody has said who he is; anywhere else its ACL check fails on it.
    fn encode_ids(&self, e: &mut Encoder<'_>) {
        let Self::Request(ForwardedRequest { op, ids, .. }) = self else {
            e.int(-1);
            return;
        };
        if ids.is_empty() && *op == ForwardedRequest::CREATE_SESSION {
            e.int(-1);
            return;
        }
        e.count(ids.len());
        for id in ids {
            id.encode(e);
        }
    }
}

impl LearnerInfo {
    fn encode(&self, e: &mut Encoder<'_>) {
        match self.sid {
            Some(sid) => {
                let extended = if self.takes_hand_over { 24 } else { 20 };
                e.count(self.naming.map_or(extended, |_| Self::WITH_NAMING));
                e.long(sid.0).int(self.protocol).long(self.config_version);
                if self.takes_hand_over || self.naming.is_some() {
                    e.int(if self.takes_hand_over { Self::HAND_OVER } else { 0 });
                }
                if let Some(naming) = self.naming {
                    e.int(Self::NAMING);
                    naming.encode(e);
                }
            }
            None => {
                e.buffer(None);
            }
        }
    }
}
