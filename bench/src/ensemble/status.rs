//! What a member says about itself: the word `srvr`.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::time::Duration;

use zk_wire::Zxid;

/// A member that serves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Status {
    pub(super) is_leader: bool,
    /// The last txn that it has applied.
    pub(super) zxid: Zxid,
}

impl Status {
    /// Asks the member; `None` while it does not serve.
    pub(super) fn ask(port: u16) -> Option<Self> {
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).ok()?;
        stream.set_read_timeout(Some(ANSWER_MAX)).ok()?;
        stream.write_all(b"srvr").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        Self::parse(&answer)
    }

    fn parse(answer: &str) -> Option<Self> {
        let field = |name| answer.lines().find_map(|line| line.strip_prefix(name));
        let zxid = field("Zxid: 0x")?;
        let zxid = Zxid(i64::from_str_radix(zxid.trim(), 16).ok()?);
        Some(Self { is_leader: field("Mode: ")? == "leader", zxid })
    }
}

/// An answer that takes longer is asked for again.
const ANSWER_MAX: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_member_that_serves_has_a_status() {
        let answer = |mode| {
            format!(
                "Zookeeper version: 3\nReceived: 5\nZxid: 0x10000002a\nMode: {mode}\nNode count: 5\n"
            )
        };
        let zxid = Zxid(0x1_0000_002a);
        for (mode, is_leader) in [("leader", true), ("follower", false)] {
            assert_eq!(Status::parse(&answer(mode)), Some(Status { is_leader, zxid }));
        }
        for answer in ["", "This ZooKeeper instance is not currently serving requests\n"] {
            assert_eq!(Status::parse(answer), None);
        }
    }
}
