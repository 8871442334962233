//! A network of its own for each ensemble: a namespace and an address for each member, one bridge between
//! them, where what one sends to another can be made to vanish. It needs root.
//!
//! The bridge has a namespace too: on the host it would be behind the firewall that a container engine sets up.
//!
//! A member that is cut off from another has a wrong hardware address for it: what it sends arrives nowhere,
//! and nobody tells it so. Clients are on the bridge and reach everybody.
//!
//! Invariants
//! - Nothing of it outlives the tests, not even when these are killed.

use std::io;
use std::net::Ipv4Addr;
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU8, Ordering};

use crate::mount::is_root;
use crate::place::Place;
use crate::tools::{require, skip};

/// A bridge and the namespaces around it.
pub(crate) struct Network {
    name: String,
    subnet: u8,
    /// Takes everything down when its standard input ends.
    keeper: Child,
}

impl Network {
    /// A network for so many members; `None`, said aloud, where that cannot be had.
    pub(crate) fn new(members: usize) -> Option<Self> {
        if !require(&["ip"]) {
            return None;
        }
        if !is_root() {
            eprintln!("skipped: only root can make network namespaces");
            return None;
        }
        let subnet = free_subnet();
        let name = format!("zk{}-{subnet}", std::process::id());
        let keeper = keeper(&name, members).expect("a shell starts");
        let network = Self { name, subnet, keeper };
        match network.build(members) {
            Ok(()) => Some(network),
            Err(why) => {
                skip(&format!("no network of its own for an ensemble: {why}"));
                None
            }
        }
    }

    fn build(&self, members: usize) -> Result<(), String> {
        let hub = &self.namespace(HUB);
        ip(&["netns", "add", hub])?;
        ip(&["-n", hub, "link", "add", "bridge", "type", "bridge"])?;
        ip(&["-n", hub, "link", "set", "bridge", "up"])?;
        let clients = &self.name;
        ip(&["link", "add", clients, "type", "veth", "peer", "name", "p0", "netns", hub])?;
        ip(&["-n", hub, "link", "set", "p0", "master", "bridge", "up"])?;
        ip(&["address", "add", &format!("198.18.{}.254/24", self.subnet), "dev", clients])?;
        ip(&["link", "set", clients, "up"])?;
        for sid in 1..=members {
            let (namespace, port) = (self.namespace(sid), format!("p{sid}"));
            ip(&["netns", "add", &namespace])?;
            let to_member = ["type", "veth", "peer", "name", CARD, "netns", &namespace];
            ip(&[&["-n", hub, "link", "add", &port], &to_member[..]].concat())?;
            ip(&["-n", hub, "link", "set", &port, "master", "bridge", "up"])?;
            let address = format!("{}/24", self.host(sid));
            ip(&["-n", &namespace, "address", "add", &address, "dev", CARD])?;
            ip(&["-n", &namespace, "link", "set", CARD, "up"])?;
            ip(&["-n", &namespace, "link", "set", "lo", "up"])?;
        }
        Ok(())
    }

    /// Where a member is.
    pub(crate) fn place(&self, sid: usize) -> Place {
        Place::in_namespace(self.namespace(sid), self.host(sid))
    }

    /// Lets everything vanish that one member sends to another; the other way is as before.
    pub(crate) fn cut(&self, from: usize, to: usize) {
        let (namespace, host) = (self.namespace(from), self.host(to).to_string());
        let neighbour = ["neighbour", "replace", &host, "lladdr", NOBODY, "dev", CARD];
        ip(&[&["-n", &namespace], &neighbour[..], &["nud", "permanent"]].concat())
            .expect("a neighbour can be set");
    }

    /// The end of [`Self::cut`].
    pub(crate) fn heal(&self, from: usize, to: usize) {
        let (namespace, host) = (self.namespace(from), self.host(to).to_string());
        ip(&["-n", &namespace, "neighbour", "del", &host, "dev", CARD])
            .expect("a neighbour that was set is there");
    }

    fn namespace(&self, sid: usize) -> String {
        format!("{}n{sid}", self.name)
    }

    fn host(&self, sid: usize) -> Ipv4Addr {
        Ipv4Addr::new(198, 18, self.subnet, u8::try_from(sid).expect("a few members"))
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        drop(self.keeper.stdin.take());
        // One that is gone has nothing left to take down.
        let _ = self.keeper.wait();
    }
}

/// A third number of an address of 198.18.0.0/15, which is for tests like these, that no interface has.
fn free_subnet() -> u8 {
    static NEXT: AtomicU8 = AtomicU8::new(0);
    let start = std::process::id().to_le_bytes()[0];
    let shown = Command::new("ip").args(["-o", "address"]).output().expect("ip was found");
    let used = String::from_utf8_lossy(&shown.stdout).into_owned();
    std::iter::repeat_with(|| start.wrapping_add(NEXT.fetch_add(1, Ordering::Relaxed)))
        .find(|subnet| !used.contains(&format!("198.18.{subnet}.")))
        .expect("it repeats without end")
}

fn keeper(name: &str, members: usize) -> io::Result<Child> {
    Command::new("sh")
        .args(["-c", TAKE_DOWN, "keeper", name, &members.to_string()])
        .stdin(Stdio::piped())
        .spawn()
}

fn ip(arguments: &[&str]) -> Result<(), String> {
    let output = Command::new("ip").args(arguments).output().map_err(|error| error.to_string())?;
    let why = || {
        let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
        format!("ip {}: {said}", arguments.join(" "))
    };
    if output.status.success() { Ok(()) } else { Err(why()) }
}

/// A namespace can outlive its name for minutes, for the sake of connections that nobody has any more.
const TAKE_DOWN: &str = r#"read -r never
for sid in $(seq "$2"); do
    ip -n "$1n0" link del "p$sid" 2>/dev/null
    ip netns del "$1n$sid" 2>/dev/null
done
ip link del "$1" 2>/dev/null
ip netns del "$1n0" 2>/dev/null"#;
/// In whose place the bridge is.
const HUB: usize = 0;
const CARD: &str = "eth0";
/// A hardware address that no interface has.
const NOBODY: &str = "02:00:00:00:00:01";
