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
    /// Reads `zk-{ordinal}.example.org:2181`, for as many members as there can be, or one address a member with
    /// commas between.
    ///
    /// # Errors
    /// Some of them are no `host:port`, or there are fewer or more than members.
    pub fn parse(text: &str, ordinals: u32) -> Result<Self, Problem> {
        let refused = || Problem::Advertised { value: text.to_owned() };
        let addresses: Vec<_> = if text.contains(ORDINAL) {
            (0..ordinals).map(|ordinal| text.replace(ORDINAL, &ordinal.to_string())).collect()
        } else {
            text.split(',').map(|word| word.trim().to_owned()).collect()
        };
        let is_complete = u32::try_from(addresses.len()) == Ok(ordinals);
        let is_good = is_complete && addresses.iter().all(|address| is_address(address));
        if is_good { Ok(Self(addresses)) } else { Err(refused()) }
    }

    /// That of one member.
    pub fn of(&self, ordinal: u32) -> Option<&str> {
        self.0.get(usize::try_from(ordinal).ok()?).map(String::as_str)
    }
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
            let advertised = Advertised::parse(text, 3).expect(text);
            assert_eq!((advertised.of(2), advertised.of(3)), (Some(last), None), "{text}");
        }
    }

    #[test]
    fn anything_else_is_refused_with_what_is_allowed() {
        for text in [
            "",
            "a:1",
            "a:1,b:2",
            "a:1,b:2,c:3,d:4",
            "a,b,c",
            "a:0,b:1,c:2",
            "a:1,b:2,2001:db8::7:3",
            "zk-{ordinal}",
        ] {
            let problem = Advertised::parse(text, 3).expect_err(text).to_string();
            let allowed = ": give host:port with {ordinal} in it, such as zk-{ordinal}.example.org:2181, or one";
            assert!(
                problem.starts_with(&format!("--advertised_client_address={text}{allowed}")),
                "{problem}"
            );
        }
        assert!(Advertised::parse("host:6553{ordinal}", 5).is_ok());
        assert!(Advertised::parse("host:6553{ordinal}", 7).is_err(), "there is no port 65536");
    }
}
