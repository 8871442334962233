//! The bytes of the election port: how a member introduces itself, and votes.
//!
//! Decoding takes every form that a peer since 3.4 sends; encoding writes those of 3.8 and 3.9.
//!
//! Java: `QuorumCnxManager.InitialMessage`, `FastLeaderElection.buildMsg`.

use std::fmt;

use thiserror::Error;

use crate::{DecodeError, Decoder, Encoder, Epoch, ServerId, Zxid};

/// What a member says it is doing, as it stands in notifications. Java: `QuorumPeer.ServerState`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PeerState {
    /// It looks for a leader.
    Looking,
    /// It follows one.
    Following,
    /// It leads.
    Leading,
    /// It follows one without a vote.
    Observing,
}

impl PeerState {
    /// Its number on the wire.
    pub fn code(self) -> i32 {
        match self {
            Self::Looking => 0,
            Self::Following => 1,
            Self::Leading => 2,
            Self::Observing => 3,
        }
    }

    /// The state with this number.
    pub fn from_code(code: i32) -> Option<Self> {
        [Self::Looking, Self::Following, Self::Leading, Self::Observing]
            .into_iter()
            .find(|state| state.code() == code)
    }
}

impl fmt::Display for PeerState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Looking => "LOOKING",
            Self::Following => "FOLLOWING",
            Self::Leading => "LEADING",
            Self::Observing => "OBSERVING",
        })
    }
}

/// A vote as it goes from member to member. Java: `FastLeaderElection.Notification`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Notification<'a> {
    /// What the sender is doing.
    pub state: PeerState,
    /// Whom it wants to lead, or who leads it.
    pub leader: ServerId,
    /// The last zxid of that leader.
    pub zxid: Zxid,
    /// The round of the election. Java: `electionEpoch`, the logical clock.
    pub round: i64,
    /// The current epoch of that leader.
    pub epoch: Epoch,
    /// The form it came in: 0 without a version, 1, or 2 with a configuration.
    pub version: i32,
    /// The sender's configuration of the ensemble, as text.
    pub config: Option<&'a [u8]>,
}

impl<'a> Notification<'a> {
    /// The version that is written.
    pub const VERSION: i32 = 2;
    /// The longest payload that is read. Java: `PACKETMAXSIZE`.
    pub const LEN_MAX: usize = 1024 * 512;

    /// Reads a payload, without the length before it.
    ///
    /// # Errors
    /// Too short, or a form that no version sends.
    pub fn decode(bytes: &'a [u8]) -> Result<Self, NotificationError> {
        let len = bytes.len();
        if len < 28 || (29..40).contains(&len) {
            return Err(NotificationError::Length { len });
        }
        let mut d = Decoder::new(bytes);
        let state = d.int()?;
        let state = PeerState::from_code(state).ok_or(NotificationError::State { state })?;
        let (leader, zxid, round) = (ServerId(d.long()?), Zxid(d.long()?), d.long()?);
        let mut notification =
            Self { state, leader, zxid, round, epoch: zxid.epoch(), version: 0, config: None };
        if len == 28 {
            return Ok(notification);
        }
        let epoch = d.long()?;
        notification.epoch = match i32::try_from(epoch) {
            Ok(epoch) => Epoch(epoch),
            Err(_) if epoch == i64::MIN => NO_EPOCH,
            Err(_) => return Err(NotificationError::Epoch { epoch }),
        };
        if len == 40 {
            return Ok(notification);
        }
        notification.version = d.int()?;
        if notification.version >= Self::VERSION {
            notification.config = d.buffer()?;
        }
        Ok(notification)
    }

    /// Writes the payload, without the length before it.
    pub fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(44 + self.config.map_or(0, <[u8]>::len));
        let mut e = Encoder::new(&mut bytes);
        e.int(self.state.code()).long(self.leader.0).long(self.zxid.0).long(self.round);
        let epoch = if self.epoch == NO_EPOCH { i64::MIN } else { self.epoch.0.into() };
        e.long(epoch).int(Self::VERSION);
        e.buffer(Some(self.config.unwrap_or_default()));
        bytes
    }
}

/// A payload that is no notification.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum NotificationError {
    /// No version sends that many bytes.
    #[error("a notification of {len} bytes; 28, 40 or at least 44 are known")]
    Length {
        /// How many.
        len: usize,
    },
    /// A state that is none.
    #[error("state {state} in a notification; 0 to 3 are known")]
    State {
        /// What stands there.
        state: i32,
    },
    /// An epoch that fits in no zxid.
    #[error("peer epoch {epoch} in a notification; a zxid has 32 bits for it")]
    Epoch {
        /// What stands there.
        epoch: i64,
    },
    /// The rest does not add up.
    #[error(transparent)]
    Bytes(#[from] DecodeError),
}

/// What the connecting side of an election connection says first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct InitialMessage {
    /// Who connects.
    pub sender: ServerId,
    /// Its election addresses; none from a peer before 3.5.
    pub addresses: Vec<(String, u16)>,
}

impl InitialMessage {
    /// The longest text of addresses. Java: `maxBuffer`.
    pub const ADDRESSES_LEN_MAX: usize = 2048;

    /// Reads from the front of what has come: the message and its length, `None` if more must come.
    ///
    /// # Errors
    /// An unknown version, a bad length, or addresses that cannot be read.
    pub fn decode(bytes: &[u8]) -> Result<Option<(Self, usize)>, InitialMessageError> {
        let Some(first) = long_at(bytes, 0) else { return Ok(None) };
        if first >= 0 {
            return Ok(Some((Self { sender: ServerId(first), addresses: Vec::new() }, 8)));
        }
        if first != V1 && first != V2 {
            return Err(InitialMessageError::Version { version: first });
        }
        let Some(sender) = long_at(bytes, 8) else { return Ok(None) };
        let Some((len, rest)) = bytes.get(16..).and_then(<[u8]>::split_first_chunk) else {
            return Ok(None);
        };
        let len = i32::from_be_bytes(*len);
        let text_len = usize::try_from(len).unwrap_or(0);
        if text_len == 0 || text_len > Self::ADDRESSES_LEN_MAX {
            return Err(InitialMessageError::Length { len });
        }
        let Some(text) = rest.get(..text_len) else { return Ok(None) };
        let text = std::str::from_utf8(text).map_err(|_| InitialMessageError::Text)?;
        let addresses = text.split('|').map(address).collect::<Option<_>>();
        let addresses =
            addresses.ok_or_else(|| InitialMessageError::Address { text: text.to_owned() })?;
        Ok(Some((Self { sender: ServerId(sender), addresses }, 20 + text_len)))
    }

    /// Writes it in the form of 3.5 and later; with `multi_address` in the form that allows several.
    pub fn encode(&self, multi_address: bool) -> Vec<u8> {
        let texts = self.addresses.iter().map(|(host, port)| {
            if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") }
        });
        let texts: Vec<String> =
            if multi_address { texts.collect() } else { texts.take(1).collect() };
        let mut bytes = Vec::new();
        let mut e = Encoder::new(&mut bytes);
        e.long(if multi_address { V2 } else { V1 }).long(self.sender.0);
        e.buffer(Some(texts.join("|").as_bytes()));
        bytes
    }
}

/// An introduction that cannot be read; the connection is closed.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum InitialMessageError {
    /// A version that no server has.
    #[error("protocol version {version} on the election port; -65536 and -65535 are known")]
    Version {
        /// What stands there.
        version: i64,
    },
    /// A text that is empty or too long.
    #[error("addresses of {len} bytes on the election port; 1 to 2048 are allowed")]
    Length {
        /// What stands there.
        len: i32,
    },
    /// Addresses that are not UTF-8.
    #[error("addresses on the election port are not UTF-8")]
    Text,
    /// Addresses that do not have the form host:port.
    #[error("{text:?} on the election port is not a list host:port|host:port")]
    Address {
        /// What stands there.
        text: String,
    },
}

fn long_at(bytes: &[u8], at: usize) -> Option<i64> {
    bytes.get(at..)?.first_chunk().map(|bytes| i64::from_be_bytes(*bytes))
}

fn address(text: &str) -> Option<(String, u16)> {
    let (host, port) = text.rsplit_once(':')?;
    let host = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    if host.is_empty() {
        return None;
    }
    Some((host.to_owned(), port.parse().ok()?))
}

/// The epoch in the vote of an observer, which wants nobody: the smallest long on the wire.
const NO_EPOCH: Epoch = Epoch(i32::MIN);
/// The first long of a connecting peer that sends one address.
const V1: i64 = -65536;
/// The same when it may send several.
const V2: i64 = -65535;

/// Reads any bytes as an introduction and as a vote.
pub fn fuzz_election(bytes: &[u8]) {
    if let Ok(Some((message, len))) = InitialMessage::decode(bytes) {
        assert!(len <= bytes.len(), "no more is taken than was there");
        assert!(message.addresses.len() <= InitialMessage::ADDRESSES_LEN_MAX, "bounded");
    }
    if let Ok(notification) = Notification::decode(bytes) {
        let again = notification.encode();
        let again = Notification::decode(&again).expect("what is written can be read");
        assert_eq!(again.leader, notification.leader, "written and read is the same");
    }
}

#[cfg(test)]
mod tests;
