//! The id of an ensemble, and how sure a member is of it. Extension: Java's servers know none.
//!
//! A leader proposes an id in its epoch, as it would a txn; once a quorum has stored that, the id is settled
//! and never changes. A later leader finds a proposal that may have been settled with one of its quorum.

use std::fmt;
use std::str::FromStr;

use crate::{DecodeError, Decoder, Encoder, Epoch};

/// Names an ensemble: random, and written like a UUID.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EnsembleId(pub u128);

impl fmt::Display for EnsembleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let hex = format!("{:032x}", self.0);
        let parts = [&hex[..8], &hex[8..12], &hex[12..16], &hex[16..20], &hex[20..]];
        f.write_str(&parts.join("-"))
    }
}

/// A text that names no ensemble.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("an id has 32 hexadecimal digits in groups of 8, 4, 4, 4 and 12")]
pub struct NoEnsembleId;

impl FromStr for EnsembleId {
    type Err = NoEnsembleId;

    fn from_str(text: &str) -> Result<Self, NoEnsembleId> {
        let digits = text.replace('-', "");
        let id = u128::from_str_radix(&digits, 16).map(Self).map_err(|_| NoEnsembleId)?;
        if id.to_string() == text { Ok(id) } else { Err(NoEnsembleId) }
    }
}

/// What a member knows of its ensemble's id.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Naming {
    /// Nothing: its data is older than ids, or new.
    #[default]
    Unknown,
    /// A leader's proposal.
    Proposed {
        /// The id.
        id: EnsembleId,
        /// The leader's epoch.
        epoch: Epoch,
    },
    /// The id, for good.
    Settled(EnsembleId),
}

impl Naming {
    /// How many bytes it has on the wire.
    pub(crate) const LEN: usize = 24;

    /// The id, if it is settled.
    pub fn settled(self) -> Option<EnsembleId> {
        match self {
            Self::Settled(id) => Some(id),
            Self::Unknown | Self::Proposed { .. } => None,
        }
    }

    /// Whether these two are of different ensembles.
    pub fn contradicts(self, other: Self) -> bool {
        self.settled().zip(other.settled()).is_some_and(|(one, other)| one != other)
    }

    pub(crate) fn encode(self, e: &mut Encoder<'_>) {
        let (kind, epoch, id) = match self {
            Self::Unknown => (0, Epoch(0), 0),
            Self::Proposed { id, epoch } => (1, epoch, id.0),
            Self::Settled(id) => (2, Epoch(0), id.0),
        };
        e.int(kind).int(epoch.0).raw(&id.to_be_bytes());
    }

    /// A kind of later versions is none.
    pub(crate) fn decode(d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        let (kind, epoch) = (d.int()?, Epoch(d.int()?));
        let mut half = || d.long().map(|half| u128::from(half.cast_unsigned()));
        let id = EnsembleId(half()? << 64 | half()?);
        Ok(match kind {
            1 => Self::Proposed { id, epoch },
            2 => Self::Settled(id),
            _ => Self::Unknown,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_read_as_it_is_written_and_in_no_other_form() {
        let text = "00112233-4455-6677-8899-aabbccddeeff";
        let id: EnsembleId = text.parse().unwrap();
        assert_eq!(id, EnsembleId(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff));
        assert_eq!(id.to_string(), text);
        for wrong in ["", "0", &text.to_uppercase(), &text.replace('-', ""), &format!("{text}0")] {
            assert_eq!(wrong.parse::<EnsembleId>(), Err(NoEnsembleId), "{wrong}");
        }
    }

    #[test]
    fn only_what_is_settled_contradicts() {
        let [one, other] = [1, 2].map(|id| Naming::Settled(EnsembleId(id)));
        let proposed = Naming::Proposed { id: EnsembleId(3), epoch: Epoch(1) };
        assert!(one.contradicts(other));
        for (ours, theirs) in [(one, one), (one, proposed), (proposed, one), (Naming::Unknown, one)]
        {
            assert!(!ours.contradicts(theirs));
        }
    }
}
