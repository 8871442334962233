//! From the bytes of a connection to packets: the outer form first, then each packet's data.
//!
//! Fields that a packet does not have are passed over, and so is what follows its last field, as in
//! Java: a later version may write more.

use super::{ForwardedRequest, LearnerInfo, QuorumPacket, QuorumPacketError, code, name_of};
use crate::{DecodeError, Decoder, Epoch, Id, Naming, ServerId, SessionId, Xid, Zxid};

impl<'a> QuorumPacket<'a> {
    /// The most ids that a client may have.
    pub const IDS_MAX: u32 = 16 * 1024;
    /// The longest that they may be together, in bytes of the wire.
    pub const IDS_LEN_MAX: usize = 1024 * 1024;

    /// Reads from the front of what has come: the packet and its length, `None` if more must come.
    ///
    /// A packet is at most `20 + data_len_max + IDS_LEN_MAX` bytes long.
    ///
    /// # Errors
    /// Data longer than `data_len_max`, too many ids, or data that is not the packet's.
    pub fn decode(
        bytes: &'a [u8],
        data_len_max: usize,
    ) -> Result<Option<(Self, usize)>, QuorumPacketError> {
        let mut d = Decoder::with_limit(bytes, data_len_max);
        let (Ok(code), Ok(zxid)) = (d.int(), d.long()) else { return Ok(None) };
        let packet = name_of(code);
        let bytes = match d.buffer() {
            Ok(bytes) => bytes,
            Err(DecodeError::Truncated { .. }) => return Ok(None),
            Err(source) => return Err(QuorumPacketError::Data { packet, source }),
        };
        let Some((ids, ids_len)) = ids(packet, d.rest())? else { return Ok(None) };
        let read = Self::of(code, Zxid(zxid), Data { packet, bytes }, ids)?;
        Ok(Some((read, d.offset() + ids_len)))
    }

    fn of(code: i32, zxid: Zxid, data: Data<'a>, ids: Vec<Id>) -> Result<Self, QuorumPacketError> {
        Ok(match code {
            code::REQUEST => Self::Request(data.request(ids)?),
            code::PROPOSAL => Self::Proposal { zxid, txn: data.bytes()? },
            code::ACK => Self::Ack { zxid },
            code::COMMIT => Self::Commit { zxid },
            code::PING => Self::Ping { zxid, touched: data.touched()? },
            code::REVALIDATE => data.revalidate()?,
            code::SYNC => Self::Sync,
            code::INFORM => Self::Inform { zxid, txn: data.bytes()? },
            code::COMMITANDACTIVATE => {
                let leader = data.fields(|d| Ok(ServerId(d.long()?)))?;
                Self::CommitAndActivate { zxid, leader }
            }
            code::NEWLEADER => Self::NewLeader { zxid, config: data.bytes },
            code::FOLLOWERINFO => Self::FollowerInfo { zxid, info: data.learner_info()? },
            code::OBSERVERINFO => Self::ObserverInfo { zxid, info: data.learner_info()? },
            code::UPTODATE => Self::UpToDate,
            code::DIFF => Self::Diff { zxid },
            code::TRUNC => Self::Trunc { zxid },
            code::SNAP => Self::Snap { zxid },
            code::LEADERINFO => Self::LeaderInfo { zxid, protocol: data.fields(Decoder::int)? },
            code::ACKEPOCH => {
                let epoch = data.fields(Decoder::int)?;
                Self::AckEpoch { zxid, epoch: (epoch != -1).then_some(Epoch(epoch)) }
            }
            code::INFORMANDACTIVATE => {
                let (leader, txn) = data.fields(|d| Ok((ServerId(d.long()?), d.rest())))?;
                Self::InformAndActivate { zxid, leader, txn }
            }
            code::ENSEMBLE => Self::Ensemble { naming: data.fields(Naming::decode)? },
            code::HANDOVER => Self::HandOver { leader: data.fields(|d| Ok(ServerId(d.long()?)))? },
            code => Self::Unknown { code },
        })
    }
}

/// The ids at the front of `bytes` and their length; `None` if more must come.
fn ids(packet: &'static str, bytes: &[u8]) -> Result<Option<(Vec<Id>, usize)>, QuorumPacketError> {
    const COUNT_MAX: u32 = QuorumPacket::IDS_MAX;
    const LEN_MAX: usize = QuorumPacket::IDS_LEN_MAX;
    let bytes = &bytes[..bytes.len().min(LEN_MAX)];
    let mut d = Decoder::with_limit(bytes, LEN_MAX);
    let count = match d.clone().count() {
        Ok(count) => count.unwrap_or(0),
        Err(_) => return Ok(None),
    };
    if count > COUNT_MAX {
        return Err(QuorumPacketError::IdsCount { packet, count, limit: COUNT_MAX });
    }
    match d.vector(Id::decode) {
        Ok(ids) => Ok(Some((ids.unwrap_or_default(), d.offset()))),
        Err(DecodeError::Truncated { .. }) if bytes.len() < LEN_MAX => Ok(None),
        Err(DecodeError::Truncated { .. }) => {
            Err(QuorumPacketError::IdsLength { packet, limit: LEN_MAX })
        }
        Err(source) => Err(QuorumPacketError::Ids { packet, source }),
    }
}

/// The data of a packet.
#[derive(Clone, Copy)]
struct Data<'a> {
    /// The packet's name.
    packet: &'static str,
    bytes: Option<&'a [u8]>,
}

impl<'a> Data<'a> {
    fn bytes(self) -> Result<&'a [u8], QuorumPacketError> {
        self.bytes.ok_or(QuorumPacketError::NoData { packet: self.packet })
    }

    fn fields<T>(
        self,
        read: impl FnOnce(&mut Decoder<'a>) -> Result<T, DecodeError>,
    ) -> Result<T, QuorumPacketError> {
        let packet = self.packet;
        read(&mut Decoder::new(self.bytes()?))
            .map_err(|source| QuorumPacketError::Data { packet, source })
    }

    fn form(self, expected: &'static str) -> QuorumPacketError {
        let length = self.bytes.map_or(0, <[u8]>::len);
        QuorumPacketError::Form { packet: self.packet, length, expected }
    }

    fn request(self, ids: Vec<Id>) -> Result<ForwardedRequest<'a>, QuorumPacketError> {
        self.fields(|d| {
            let (session, cxid, op) = (SessionId(d.long()?), Xid(d.int()?), d.int()?);
            Ok(ForwardedRequest { session, cxid, op, body: d.rest(), ids })
        })
    }

    fn touched(self) -> Result<Option<Vec<(SessionId, i32)>>, QuorumPacketError> {
        let Some(bytes) = self.bytes else { return Ok(None) };
        if !bytes.len().is_multiple_of(12) {
            return Err(self.form("12 for each session"));
        }
        let mut touched = Vec::with_capacity(bytes.len() / 12);
        self.fields(|d| {
            while !d.rest().is_empty() {
                touched.push((SessionId(d.long()?), d.int()?));
            }
            Ok(())
        })?;
        Ok(Some(touched))
    }

    fn revalidate(self) -> Result<QuorumPacket<'a>, QuorumPacketError> {
        match self.bytes()?.len() {
            9 => self.fields(|d| {
                let (session, is_valid) = (SessionId(d.long()?), d.boolean()?);
                Ok(QuorumPacket::Revalidated { session, is_valid })
            }),
            12 => self.fields(|d| {
                let (session, timeout_ms) = (SessionId(d.long()?), d.int()?);
                Ok(QuorumPacket::Revalidate { session, timeout_ms })
            }),
            _ => Err(self.form("12 from a learner and 9 from a leader")),
        }
    }

    /// Compat: peers before 3.5 send the first fields only, or nothing.
    fn learner_info(self) -> Result<LearnerInfo, QuorumPacketError> {
        let mut info = LearnerInfo {
            sid: None,
            protocol: 1,
            config_version: 0,
            takes_hand_over: false,
            naming: None,
        };
        let Some(bytes) = self.bytes else { return Ok(info) };
        if !matches!(bytes.len(), 8 | 12 | 20..) {
            return Err(self.form("8, 12 or at least 20"));
        }
        self.fields(|d| {
            info.sid = Some(ServerId(d.long()?));
            if bytes.len() >= 12 {
                info.protocol = d.int()?;
            }
            if bytes.len() >= 20 {
                info.config_version = d.long()?;
            }
            info.takes_hand_over = bytes.len() >= 24 && d.int()? == LearnerInfo::HAND_OVER;
            if bytes.len() >= LearnerInfo::WITH_NAMING && d.int()? == LearnerInfo::NAMING {
                info.naming = Some(Naming::decode(d)?);
            }
            Ok(info)
        })
    }
}
