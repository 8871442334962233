//! Ports that nobody listens on.
//!
//! They lie below the range from which the system gives ports to clients: one that knocks at a stopped
//! member again and again would else get that member's own port some day, and talk to itself.
//!
//! Invariants
//! - No port is given twice before all others were.

use std::net::{Ipv4Addr, TcpListener};
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

use crate::error::Error;

/// A port of the loopback that is free now.
pub(crate) fn free() -> Result<u16, Error> {
    // Two runs at the same time begin at different places.
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| {
        let start = std::process::id() * 97 % u32::from(COUNT);
        AtomicU16::new(u16::try_from(start).expect("it is below a u16"))
    });
    std::iter::repeat_with(|| FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % COUNT)
        .take(COUNT.into())
        .find(|port| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok())
        .ok_or(Error::NoPort { first: FIRST, last: FIRST + (COUNT - 1) })
}

const FIRST: u16 = 23_000;
/// A power of two, so that the count may overflow.
const COUNT: u16 = 512;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_free_and_the_next_is_another() {
        let (one, other) = (free().unwrap(), free().unwrap());
        assert_ne!(one, other);
        assert!((FIRST..FIRST + COUNT).contains(&one));
    }
}
