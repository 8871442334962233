//! `--advertised_client_address`: where clients from elsewhere connect, an address for each member.
//!
//! It is what `server.N` lines say of clients, and what clients read in `/zookeeper/config`. Pure: nobody looks
//! whether something is there.

use std::net::IpAddr;

use crate::problem::Problem;
use crate::settings::is_dns_name;

/// Addresses by ordinal.
#[derive(Clone, Debug, PartialEq)]
pub struct Advertised(Vec<String>);

impl Advertised {
    /// Reads `zk-{ordinal}.example.org:2181`, for as many ordinals as there may be of which the first `members` are
    /// sure to come, or one address a member with commas between.
    ///
    /// # Errors
    /// A member would have none, or something that is no `host:port`.
    pub fn parse(text: &str, members: u32, ordinals: u32) -> Result<Self, Problem> {
        let refused = |fault| Err(Problem::Advertised { value: text.to_owned(), fault });
        let is_pattern = text.contains(ORDINAL);
        let mut addresses: Vec<_> = if is_pattern {
            (0..ordinals).map(|ordinal| text.replace(ORDINAL, &ordinal.to_string())).collect()
        } else {
            text.split(',').map(|word| word.trim().to_owned()).collect()
        };
        let wanted = if is_pattern { members } else { ordinals };
        let good = addresses.iter().take_while(|address| is_address(address)).count();
        if let Some(bad) = addresses.get(good).filter(|_| !is_pattern || good < index(wanted)) {
            return refused(format!("\"{}\" is no address", bad.escape_debug()));
        }
        addresses.truncate(good);
        if !is_pattern && good != index(wanted) {
            return refused(format!("these are {good} addresses for {wanted} members"));
        }
        Ok(Self(addresses))
    }

    /// That of one member.
    pub fn of(&self, ordinal: u32) -> Option<&str> {
        self.0.get(index(ordinal)).map(String::as_str)
    }
}

fn index(ordinal: u32) -> usize {
    ordinal.try_into().unwrap_or(usize::MAX)
}

/// What a `server.N` line can hold behind the semicolon.
fn is_address(text: &str) -> bool {
    let Some((host, port)) = text.rsplit_once(':') else { return false };
    let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let is_host = match bracketed {
        Some(address) => address.parse::<IpAddr>().is_ok_and(|address| address.is_ipv6()),
        None => is_dns_name(host),
    };
    is_host && port.parse::<u16>().is_ok_and(|port| port > 0)
}

/// Stands for a member's ordinal, also in a port.
const ORDINAL: &str = "{ordinal}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_form_for_all_members_or_an_address_for_each() {
        for (text, last) in [
            ("zk-{ordinal}.example.org:2181", "zk-2.example.org:2181"),
            ("node.example.org:3218{ordinal}", "node.example.org:32182"),
            ("a:1, b:2,192.0.2.7:3", "192.0.2.7:3"),
            ("a:1,b:2,[2001:db8::7]:3", "[2001:db8::7]:3"),
        ] {
            let advertised = Advertised::parse(text, 3, 3).expect(text);
            assert_eq!((advertised.of(2), advertised.of(3)), (Some(last), None), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_is_allowed() {
        for (text, fault) in [
            ("", "\"\" is no address"),
            ("a:1", "these are 1 addresses for 3 members"),
            ("a:1,b:2,c:3,d:4", "these are 4 addresses for 3 members"),
            ("a,b,c", "\"a\" is no address"),
            ("a:1,b:0,c:2", "\"b:0\" is no address"),
            ("a:1,b:2,2001:db8::7:3", "\"2001:db8::7:3\" is no address"),
            ("zk-{ordinal}", "\"zk-0\" is no address"),
            ("a:6553{ordinal}0", "\"a:655300\" is no address"),
        ] {
            let problem = Advertised::parse(text, 3, 3).expect_err(text).to_string();
            let expected = format!(
                "--advertised_client_address={text}: {fault}: give host:port with {{ordinal}} in it, such as "
            );
            assert!(problem.starts_with(&expected), "{problem}");
        }
    }

    #[test]
    fn of_a_set_that_may_grow_those_that_have_no_port_tell_none() {
        let advertised =
            Advertised::parse("host:3218{ordinal}", 3, 255).expect("three are sure to come");
        assert_eq!(advertised.of(9), Some("host:32189"));
        assert_eq!(advertised.of(10), None, "there is no port 321810");
    }
}
