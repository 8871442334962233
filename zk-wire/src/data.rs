//! The records that requests, txns and files share: ACL, Id, Stat. Java: jute module `data`.

use crate::{DecodeError, Decoder, Encoder};

/// The permission bits of an ACL entry. Java: `ZooDefs.Perms`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Perms(pub i32);

impl Perms {
    /// Read data and list children.
    pub const READ: Self = Self(1);
    /// Set data.
    pub const WRITE: Self = Self(2);
    /// Create children.
    pub const CREATE: Self = Self(4);
    /// Delete children.
    pub const DELETE: Self = Self(8);
    /// Set the ACL.
    pub const ADMIN: Self = Self(16);
    /// All of them.
    pub const ALL: Self = Self(31);

    /// Whether the two have a bit in common: one of several wanted rights is enough.
    pub fn meets(self, wanted: Self) -> bool {
        self.0 & wanted.0 != 0
    }

    /// Both sets of bits.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }
}

/// Who: a scheme and an id within it. Either can be null on the wire.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id {
    /// `world`, `auth`, `digest`, `ip`, `sasl`, `x509`, `super` …
    pub scheme: Option<String>,
    /// The scheme's own form.
    pub id: Option<String>,
}

impl Id {
    /// An id with both fields present.
    pub fn new(scheme: &str, id: &str) -> Self {
        Self { scheme: Some(scheme.to_owned()), id: Some(id.to_owned()) }
    }

    /// Reads one id.
    ///
    /// # Errors
    /// The bytes end early or hold an impossible length.
    pub fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { scheme: decoder.text()?.map(Into::into), id: decoder.text()?.map(Into::into) })
    }

    /// Writes one id.
    pub fn encode(&self, encoder: &mut Encoder<'_>) {
        encoder.text_or_null(self.scheme.as_deref()).text_or_null(self.id.as_deref());
    }
}

/// One entry of a node's access list.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Acl {
    /// What is allowed.
    pub perms: Perms,
    /// To whom.
    pub id: Id,
}

impl Acl {
    /// Everything to everybody. Java: `ZooDefs.Ids.OPEN_ACL_UNSAFE`.
    pub fn open() -> Self {
        Self { perms: Perms::ALL, id: Id::new("world", "anyone") }
    }

    /// Reading to everybody. Java: `ZooDefs.Ids.READ_ACL_UNSAFE`.
    pub fn world_readable() -> Self {
        Self { perms: Perms::READ, id: Id::new("world", "anyone") }
    }

    /// Reads one entry.
    ///
    /// # Errors
    /// The bytes end early or hold an impossible length.
    pub fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { perms: Perms(decoder.int()?), id: Id::decode(decoder)? })
    }

    /// Writes one entry.
    pub fn encode(&self, encoder: &mut Encoder<'_>) {
        encoder.int(self.perms.0);
        self.id.encode(encoder);
    }

    /// Writes a list with its count.
    pub fn encode_list(acl: &[Self], encoder: &mut Encoder<'_>) {
        encoder.count(acl.len());
        for entry in acl {
            entry.encode(encoder);
        }
    }
}

/// A node's metadata as clients see it. Java: `Stat`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the protocol's own, in wire order")]
pub struct Stat {
    pub czxid: i64,
    pub mzxid: i64,
    pub ctime: i64,
    pub mtime: i64,
    pub version: i32,
    pub cversion: i32,
    pub aversion: i32,
    pub ephemeral_owner: i64,
    pub data_length: i32,
    pub num_children: i32,
    pub pzxid: i64,
}

impl Stat {
    /// Reads a stat.
    ///
    /// # Errors
    /// The bytes end early.
    pub fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            czxid: decoder.long()?,
            mzxid: decoder.long()?,
            ctime: decoder.long()?,
            mtime: decoder.long()?,
            version: decoder.int()?,
            cversion: decoder.int()?,
            aversion: decoder.int()?,
            ephemeral_owner: decoder.long()?,
            data_length: decoder.int()?,
            num_children: decoder.int()?,
            pzxid: decoder.long()?,
        })
    }

    /// Writes the 68 bytes.
    pub fn encode(&self, encoder: &mut Encoder<'_>) {
        let mut bytes = [0; 68];
        bytes[..8].copy_from_slice(&self.czxid.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.mzxid.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.ctime.to_be_bytes());
        bytes[24..32].copy_from_slice(&self.mtime.to_be_bytes());
        bytes[32..36].copy_from_slice(&self.version.to_be_bytes());
        bytes[36..40].copy_from_slice(&self.cversion.to_be_bytes());
        bytes[40..44].copy_from_slice(&self.aversion.to_be_bytes());
        bytes[44..52].copy_from_slice(&self.ephemeral_owner.to_be_bytes());
        bytes[52..56].copy_from_slice(&self.data_length.to_be_bytes());
        bytes[56..60].copy_from_slice(&self.num_children.to_be_bytes());
        bytes[60..].copy_from_slice(&self.pzxid.to_be_bytes());
        encoder.raw(&bytes);
    }
}

/// A node's metadata as files hold it. Java: `StatPersisted`.
///
/// `cversion` counts creates only; `ephemeral_owner` is the raw value with container and TTL marks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[allow(missing_docs, reason = "the fields are the format's own, in wire order")]
pub struct StatPersisted {
    pub czxid: i64,
    pub mzxid: i64,
    pub ctime: i64,
    pub mtime: i64,
    pub version: i32,
    pub cversion: i32,
    pub aversion: i32,
    pub ephemeral_owner: i64,
    pub pzxid: i64,
}

impl StatPersisted {
    /// Reads a persisted stat.
    ///
    /// # Errors
    /// The bytes end early.
    pub fn decode(decoder: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self {
            czxid: decoder.long()?,
            mzxid: decoder.long()?,
            ctime: decoder.long()?,
            mtime: decoder.long()?,
            version: decoder.int()?,
            cversion: decoder.int()?,
            aversion: decoder.int()?,
            ephemeral_owner: decoder.long()?,
            pzxid: decoder.long()?,
        })
    }

    /// Writes the 60 bytes in file order.
    pub fn encode(&self, encoder: &mut Encoder<'_>) {
        encoder
            .long(self.czxid)
            .long(self.mzxid)
            .long(self.ctime)
            .long(self.mtime)
            .int(self.version)
            .int(self.cversion)
            .int(self.aversion)
            .long(self.ephemeral_owner)
            .long(self.pzxid);
    }

    /// The 60 bytes in the order of the node digest (pzxid third).
    pub fn digest_bytes(&self) -> [u8; 60] {
        let mut bytes = [0; 60];
        bytes[..8].copy_from_slice(&self.czxid.to_be_bytes());
        bytes[8..16].copy_from_slice(&self.mzxid.to_be_bytes());
        bytes[16..24].copy_from_slice(&self.pzxid.to_be_bytes());
        bytes[24..32].copy_from_slice(&self.ctime.to_be_bytes());
        bytes[32..40].copy_from_slice(&self.mtime.to_be_bytes());
        bytes[40..44].copy_from_slice(&self.version.to_be_bytes());
        bytes[44..48].copy_from_slice(&self.cversion.to_be_bytes());
        bytes[48..52].copy_from_slice(&self.aversion.to_be_bytes());
        bytes[52..].copy_from_slice(&self.ephemeral_owner.to_be_bytes());
        bytes
    }
}
