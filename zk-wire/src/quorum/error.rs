//! Why bytes of the quorum port are no packet. The stream has no marks to find the next one: the
//! connection is closed.

use thiserror::Error;

use crate::DecodeError;

/// Bytes that are no packet, with the name of the one that they began as.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
pub enum QuorumPacketError {
    /// The data is too long, or its fields are not in it.
    #[error("data of {packet}: {source}")]
    Data {
        /// The packet's name.
        packet: &'static str,
        /// What is wrong with it.
        source: DecodeError,
    },
    /// The data is null in a packet that has some.
    #[error("{packet} without data")]
    NoData {
        /// The packet's name.
        packet: &'static str,
    },
    /// The data has a length that no version sends.
    #[error("{packet} with {length} bytes of data; it has {expected}")]
    Form {
        /// The packet's name.
        packet: &'static str,
        /// How many came.
        length: usize,
        /// How many there may be.
        expected: &'static str,
    },
    /// The client has too many ids.
    #[error("{packet} with {count} ids, the limit is {limit}")]
    IdsCount {
        /// The packet's name.
        packet: &'static str,
        /// How many it says there are.
        count: u32,
        /// The most allowed.
        limit: u32,
    },
    /// The client's ids are too long together.
    #[error("{packet} with over {limit} bytes of ids")]
    IdsLength {
        /// The packet's name.
        packet: &'static str,
        /// The most allowed.
        limit: usize,
    },
    /// An id cannot be read.
    #[error("ids of {packet}: {source}")]
    Ids {
        /// The packet's name.
        packet: &'static str,
        /// What is wrong with it.
        source: DecodeError,
    },
}
