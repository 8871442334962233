//! A connection between a client and a server: two streams of bytes, as TCP promises them and no more.
//!
//! Bytes arrive in their order, in pieces of any size, late, or not at all once the connection is cut.

use std::collections::VecDeque;

/// Names a connection of a client for the whole run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct WireId(pub(crate) u64);

/// One connection.
#[derive(Debug, Default)]
pub(crate) struct Wire {
    /// Which server it leads to.
    pub(crate) node: usize,
    /// From the client to the server, and back.
    pub(crate) up: Stream,
    pub(crate) down: Stream,
    /// Which ends have let go.
    pub(crate) client_is_gone: bool,
    pub(crate) server_is_gone: bool,
    /// What is written from now on goes nowhere.
    pub(crate) is_cut: bool,
    /// Neither side is told that the other is gone.
    pub(crate) is_mute: bool,
}

/// One direction.
#[derive(Debug, Default)]
pub(crate) struct Stream {
    bytes: VecDeque<u8>,
    /// Whether an arrival is on its way.
    pub(crate) is_moving: bool,
}

impl Stream {
    pub(crate) fn push(&mut self, bytes: &[u8]) {
        self.bytes.extend(bytes);
    }

    pub(crate) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// The next bytes to arrive.
    pub(crate) fn take(&mut self, n: usize) -> Vec<u8> {
        self.bytes.drain(..n).collect()
    }

    /// Only the next `n` bytes will still arrive.
    pub(crate) fn cut(&mut self, n: usize) {
        self.bytes.truncate(n);
    }
}
