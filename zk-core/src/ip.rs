//! The `ip` scheme: which patterns are valid, and which addresses they match.
//!
//! Java: `IPAuthenticationProvider` of 3.9.4 and later, with IPv6.

use std::net::{IpAddr, Ipv6Addr};

/// Whether `pattern` may stand in an access list: an address, perhaps with `/bits`.
pub(crate) fn is_valid_pattern(pattern: &str) -> bool {
    parse(pattern).is_some()
}

/// Whether `address` (as [`canonical`] writes it) falls under `pattern`.
pub(crate) fn matches(pattern: &str, address: &str) -> bool {
    let address = address.split('%').next().unwrap_or_default();
    let (Some((net, bits)), Ok(address)) = (parse(pattern), address.parse()) else { return false };
    match (net, address) {
        (IpAddr::V4(net), IpAddr::V4(address)) => {
            let mask = u32::MAX.checked_shl(32 - bits).unwrap_or(0);
            u32::from(net) & mask == u32::from(address) & mask
        }
        (IpAddr::V6(net), IpAddr::V6(address)) => {
            let mask = u128::MAX.checked_shl(128 - bits).unwrap_or(0);
            u128::from(net) & mask == u128::from(address) & mask
        }
        _ => false,
    }
}

/// An address as Java writes it: mapped IPv4 as IPv4, IPv6 in eight groups without compression.
pub(crate) fn canonical(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => address.to_string(),
        IpAddr::V6(address) => groups(address),
    }
}

fn groups(address: Ipv6Addr) -> String {
    address.segments().map(|group| format!("{group:x}")).join(":")
}

fn parse(pattern: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match pattern.split_once('/') {
        Some((address, bits)) => (address, Some(bits)),
        None => (pattern, None),
    };
    let address: IpAddr = address.parse().ok()?;
    if address.is_ipv6() && pattern.contains('.') {
        return None;
    }
    let bits_max = if address.is_ipv4() { 32 } else { 128 };
    let bits = match bits {
        Some(bits) => bits.parse().ok().filter(|bits| *bits <= bits_max)?,
        None => bits_max,
    };
    Some((address, bits))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_valid_as_in_java() {
        for pattern in ["127.0.0.1", "10.0.0.0/0", "10.0.0.0/8", "1.2.3.4/32", "::1", "fe80::1/64"]
        {
            assert!(is_valid_pattern(pattern), "{pattern}");
        }
        for pattern in [
            "127.0.0.1/33",
            "127.0.0.1/-1",
            "127.0.0.1/",
            "127.0.0.1/x",
            "1.2.3",
            "1.2.3.256",
            "localhost",
            "::1/129",
            "::ffff:1.2.3.4",
            "",
        ] {
            assert!(!is_valid_pattern(pattern), "{pattern}");
        }
    }

    #[test]
    fn a_pattern_matches_addresses_of_its_family_by_prefix() {
        assert!(matches("10.1.2.3/8", "10.9.9.9"));
        assert!(!matches("10.1.2.3/16", "10.9.9.9"));
        assert!(matches("1.2.3.4/0", "9.9.9.9"));
        assert!(matches("fe80::/16", "fe80:0:0:0:0:0:0:1%eth0"));
        assert!(!matches("::/0", "10.9.9.9"));
    }

    #[test]
    fn addresses_are_written_as_java_writes_them() {
        assert_eq!(canonical("::1".parse().unwrap()), "0:0:0:0:0:0:0:1");
        assert_eq!(canonical("::ffff:10.0.0.1".parse().unwrap()), "10.0.0.1");
    }
}
