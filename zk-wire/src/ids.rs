//! The numbers that name things: transaction ids, epochs, sessions, requests.

use std::fmt;

/// A transaction id: epoch in the high half, counter in the low half. Java: `ZxidUtils`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Zxid(pub i64);

impl Zxid {
    /// The zxid of an empty database.
    pub const ZERO: Self = Self(0);

    /// Of a server that does not know what it had: its database was lost.
    pub const UNKNOWN: Self = Self(-1);

    /// The zxid `counter` of `epoch`.
    pub fn new(epoch: Epoch, counter: u32) -> Self {
        Self(i64::from(epoch.0) << 32 | i64::from(counter))
    }

    /// The epoch in the high half.
    pub fn epoch(self) -> Epoch {
        Epoch(i32::try_from(self.0 >> 32).expect("a shifted i64 fits an i32"))
    }

    /// The counter in the low half.
    pub fn counter(self) -> u32 {
        u32::try_from(self.0 & 0xffff_ffff).expect("masked to 32 bits")
    }

    /// The zxid after this one; it wraps into the next epoch only by arithmetic, never by design.
    #[must_use]
    pub fn next(self) -> Self {
        Self(self.0.wrapping_add(1))
    }
}

impl fmt::Display for Zxid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:x}", self.0)
    }
}

/// The reign of one leader; a standalone server stays in epoch 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Epoch(pub i32);

impl fmt::Display for Epoch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// The number of a member of an ensemble: the N of `server.N`, the content of `myid`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub i64);

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A session's id: the server that made it in the high byte, a clock and a counter below.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(pub i64);

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "0x{:x}", self.0)
    }
}

/// A client's number of a request; echoed in the reply, never interpreted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Xid(pub i32);

impl Xid {
    /// Of a watch notification.
    pub const NOTIFICATION: Self = Self(-1);
    /// Of every ping reply, whatever the ping carried.
    pub const PING: Self = Self(-2);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zxid_is_an_epoch_and_a_counter() {
        let zxid = Zxid::new(Epoch(2), 0xffff_fffe);
        assert_eq!(zxid, Zxid(0x2_ffff_fffe));
        assert_eq!((zxid.epoch(), zxid.counter()), (Epoch(2), 0xffff_fffe));
        assert_eq!(zxid.next().to_string(), "0x2ffffffff");
        assert_eq!((Zxid(-1).epoch(), Zxid(-1).counter()), (Epoch(-1), u32::MAX));
    }
}
