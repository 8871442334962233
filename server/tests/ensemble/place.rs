//! Where a member listens: an address and three ports.

use std::fmt::Write;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::process::Command;
use std::sync::LazyLock;
use std::sync::atomic::{AtomicU16, Ordering};

/// The address of a member and its ports for clients, learners and votes.
#[derive(Clone, Debug)]
pub(crate) struct Place {
    host: Ipv4Addr,
    client: u16,
    quorum: u16,
    election: u16,
    namespace: Option<String>,
}

impl Place {
    /// Ports of the loopback that are free now.
    pub(crate) fn on_loopback() -> Self {
        let [client, quorum, election] = std::array::from_fn(|_| free_port());
        Self { host: Ipv4Addr::LOCALHOST, client, quorum, election, namespace: None }
    }

    /// The usual ports of a host that is a network namespace.
    pub(crate) fn in_namespace(namespace: String, host: Ipv4Addr) -> Self {
        let (client, quorum, election) = (2181, 2888, 3888);
        Self { host, client, quorum, election, namespace: Some(namespace) }
    }

    /// A command that is to run there.
    pub(crate) fn command(&self, program: &str) -> Command {
        let Some(namespace) = &self.namespace else { return Command::new(program) };
        // It replaces itself by the program.
        let mut command = Command::new("ip");
        command.args(["netns", "exec", namespace, program]);
        command
    }

    /// Its ports for clients, learners and votes.
    pub(crate) fn ports(&self) -> [u16; 3] {
        [self.client, self.quorum, self.election]
    }

    /// Where clients connect.
    pub(crate) fn address(&self) -> SocketAddr {
        SocketAddr::from((self.host, self.client))
    }

    /// The entry of a reconfiguration for the member with this number and role.
    pub(crate) fn entry(&self, sid: usize, role: &str) -> String {
        let Self { host, client, quorum, election, .. } = self;
        format!("server.{sid}={host}:{quorum}:{election}:{role};{host}:{client}")
    }

    /// Another client port.
    pub(crate) fn move_clients(&mut self) {
        self.client = free_port();
    }

    /// The lines of zoo.cfg that only this member has.
    pub(crate) fn own_settings(&self) -> String {
        format!("clientPortAddress={}\nclientPort={}\n", self.host, self.client)
    }
}

/// The lines of zoo.cfg that name the members; the first of them is server.1.
pub(crate) fn membership<'a>(members: impl IntoIterator<Item = (&'a Place, bool)>) -> String {
    let mut lines = String::new();
    for (sid, (place, is_observer)) in (1..).zip(members) {
        let Place { host, quorum, election, .. } = place;
        let role = if is_observer { ":observer" } else { "" };
        writeln!(lines, "server.{sid}={host}:{quorum}:{election}{role}")
            .expect("a string takes everything");
    }
    lines
}

/// A port that is free now, of a range from which the system gives clients none: a client that
/// reconnects to a stopped member must not get that very port as its own. No port is given twice before
/// all others were.
fn free_port() -> u16 {
    // Test binaries that run at the same time begin at different places.
    static NEXT: LazyLock<AtomicU16> = LazyLock::new(|| {
        let start = std::process::id() * 97 % u32::from(PORTS);
        AtomicU16::new(u16::try_from(start).expect("it is below a u16"))
    });
    let port = || PORT_FIRST + NEXT.fetch_add(1, Ordering::Relaxed) % PORTS;
    std::iter::repeat_with(port)
        .take(PORTS.into())
        .find(|&port| TcpListener::bind((Ipv4Addr::LOCALHOST, port)).is_ok())
        .expect("a port of the range is free")
}

const PORT_FIRST: u16 = 24_000;
const PORTS: u16 = 4096;
