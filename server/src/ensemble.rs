//! The way to the other members: what the core says goes out here, what they say comes in.
//!
//! Two kinds of sockets: votes go over the election port, everything else over links to and from the
//! quorum port. Nothing here decides who leads or what is committed.
//!
//! Invariants
//! - The core is fed by tasks only, never from inside a call that it caused; a task holds no borrow then.
//! - Whatever a stranger can open or fill has a limit.
//!
//! Java: `QuorumCnxManager`, and the sockets of `Leader`, `Learner` and `LearnerHandler`.

mod complaints;
pub(crate) mod config_files;
mod dialer;
mod election_port;
mod links;
mod listening;
pub(crate) mod members;
mod resolver;
mod security;
pub(crate) mod snapshot_stream;
#[cfg(test)]
mod tests;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::task::{AbortHandle, spawn_local};
use tracing::info;
use zk_config::{Config, PeerAddress};
use zk_core::{Input, LinkId};
use zk_wire::ServerId;

use crate::error::Error;
use crate::settings::me;
use crate::shell::Shell;
use dialer::{Dialer, Endpoint};
use election_port::{ElectionOptions, ElectionPort};
use links::{LinkOptions, Links};
use listening::{OwnPort, accept};
use resolver::Names;

/// What the sockets talk to.
pub(crate) trait Core {
    /// Tells it something.
    fn feed(&self, input: Input<'_>);
    /// Whether it takes bytes of a link.
    fn may_read(&self, link: LinkId) -> bool;
}

impl Core for RefCell<Shell> {
    fn feed(&self, input: Input<'_>) {
        let mut shell = self.borrow_mut();
        let now = shell.clock.now();
        shell.step(now, input, None);
    }

    fn may_read(&self, link: LinkId) -> bool {
        self.borrow().peer.may_read_link(link)
    }
}

/// The ports that other members connect to, opened and not yet served.
#[derive(Debug)]
pub(crate) struct Ports {
    election: Vec<TcpListener>,
    quorum: Vec<TcpListener>,
}

impl Ports {
    /// Listens for the other members. Names that mean nothing yet do not keep it waiting.
    pub(crate) async fn open(config: &Config) -> Result<Self, Error> {
        let (quorum, names) = (&config.quorum, Names::of_system());
        info!("Starting quorum peer, myid={}", me(config));
        let open = async |service, port: fn(&PeerAddress) -> u16| {
            let own = OwnPort {
                me: me(config),
                service,
                endpoints: endpoints(config, port).remove(&me(config)).unwrap_or_default(),
                on_all_addresses: quorum.listen_on_all_ips,
                attempts: quorum.election.port_bind_attempts,
            };
            own.open(&names).await
        };
        Ok(Self {
            election: open("election", |address| address.election_port).await?,
            quorum: open("quorum", |address| address.quorum_port).await?,
        })
    }
}

/// The sockets between this member and the others.
pub(crate) struct Ensemble {
    election: Rc<ElectionPort>,
    links: Rc<Links>,
    listening: Vec<AbortHandle>,
}

impl Ensemble {
    /// Lets the other members in, and makes the core able to reach them.
    pub(crate) fn start(config: &Config, ports: Ports, core: Weak<dyn Core>) -> Self {
        let quorum = &config.quorum;
        let keep_alive = quorum.election.tcp_keep_alive;
        let dialer = Rc::new(Dialer {
            names: Names::of_system(),
            connect_timeout: quorum.election.connect_timeout,
            keep_alive,
        });
        let options = ElectionOptions {
            me: me(config),
            members: endpoints(config, |address| address.election_port),
            multi_address: quorum.multi_address.enabled,
            introduction_time: quorum.election.read_timeout,
        };
        let election = ElectionPort::new(core.clone(), dialer.clone(), options);
        let options = LinkOptions {
            members: endpoints(config, |address| address.quorum_port),
            dial_time: Duration::from_millis(config.tick_time_ms.into()) * quorum.connect_limit,
            dial_pause: quorum.leader_connect_delay,
            security_time: quorum.election.read_timeout,
        };
        let links = Links::new(core, dialer, options);
        let mut listening = Vec::new();
        for listener in ports.election {
            let port = election.clone();
            let take = move |stream, remote| port.introduce(stream, remote);
            listening.push(spawn_local(accept(listener, keep_alive, take)).abort_handle());
        }
        for listener in ports.quorum {
            let links = links.clone();
            let take = move |stream, remote| links.accept(stream, remote);
            listening.push(spawn_local(accept(listener, keep_alive, take)).abort_handle());
        }
        Self { election, links, listening }
    }

    /// Lets nobody in any more.
    pub(crate) fn stop_listening(&self) {
        for task in &self.listening {
            task.abort();
        }
    }

    /// Votes.
    pub(crate) fn election(&self) -> &Rc<ElectionPort> {
        &self.election
    }

    /// Everything else.
    pub(crate) fn links(&self) -> &Rc<Links> {
        &self.links
    }
}

/// Where the members are, by number.
fn endpoints(
    config: &Config,
    port: impl Fn(&PeerAddress) -> u16,
) -> BTreeMap<ServerId, Vec<Endpoint>> {
    let servers = config.quorum.ensemble.servers.iter();
    let endpoint =
        |address: &PeerAddress| Endpoint { host: address.host.clone(), port: port(address) };
    servers
        .map(|(id, server)| (ServerId(id.0), server.addresses.iter().map(endpoint).collect()))
        .collect()
}
