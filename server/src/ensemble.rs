//! The way to the other members: what the core says goes out here, what they say comes in.
//!
//! Two kinds of sockets: votes go over the election port, everything else over links to and from the
//! quorum port; observers may have a way of their own to it. Nothing here decides who leads or what is committed.
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
pub(crate) mod log_reading;
pub(crate) mod members;
mod observer_port;
mod resolver;
mod security;
pub(crate) mod snapshot_stream;
#[cfg(test)]
mod tests;
pub(crate) mod waiting;

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::{Rc, Weak};
use std::time::Duration;

use tokio::net::TcpListener;
use tracing::{error, info};
use zk_config::{Config, PeerAddress, Role};
use zk_core::{Input, LinkId, Members, RoleName};
use zk_wire::ServerId;

use crate::error::Error;
use crate::settings::me;
use crate::shell::Shell;
use config_files::{ConfigFiles, last_seen};
use dialer::{Dialer, Endpoint};
use election_port::{ElectionOptions, ElectionPort};
use links::{LinkOptions, Links};
use listening::{Listening, OwnPort};
use observer_port::ObserverPort;
use resolver::Names;

/// Where members are, by number.
type Endpoints = BTreeMap<ServerId, Vec<Endpoint>>;

/// Where the others are.
#[derive(Clone, Debug, Default)]
pub(crate) struct Places {
    /// The quorum ports of all members.
    quorum: Endpoints,
    /// The ports on which voters take observers, if this is one that is to go there; in the order in which it
    /// tries them, so that not all go to the same.
    masters: Vec<(ServerId, Vec<Endpoint>)>,
}

impl Places {
    /// As member `me` sees a configuration; observers go to `master_port` if it is set.
    fn of(members: &zk_config::Ensemble, me: ServerId, master_port: Option<u16>) -> Self {
        let quorum = quorum_ports(members);
        let is_observer = |id: &ServerId| {
            let server = members.servers.iter().find(|(known, _)| known.0 == id.0);
            server.is_some_and(|(_, server)| server.role == Role::Observer)
        };
        let mut masters = Vec::new();
        if let Some(port) = master_port.filter(|_| is_observer(&me)) {
            masters.extend(endpoints(members, |_| port));
            masters.retain(|(id, _)| !is_observer(id));
            let first = me.0.unsigned_abs() % masters.len().max(1) as u64;
            masters.rotate_left(usize::try_from(first).expect("it is one of them"));
        }
        Self { quorum, masters }
    }

    /// And where another configuration has them.
    fn add(&mut self, more: Self) {
        add(&mut self.quorum, more.quorum);
        let new = |(id, _): &(ServerId, _)| self.masters.iter().all(|(known, _)| known != id);
        let new: Vec<_> = more.masters.into_iter().filter(new).collect();
        self.masters.extend(new);
    }
}

/// What the sockets talk to.
pub(crate) trait Core {
    /// Tells it something.
    fn feed(&self, input: Input<'_>);
    /// Whether it takes bytes of a link.
    fn may_read(&self, link: LinkId) -> bool;
    /// Who leads, this member or the one that it follows, once it serves.
    fn leader(&self) -> Option<ServerId>;
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

    fn leader(&self) -> Option<ServerId> {
        let shell = self.borrow();
        let is_leader = shell.peer.role() == RoleName::Leading;
        let leader = if is_leader { Some(me(&shell.settings.config)) } else { shell.peer.leader() };
        leader.filter(|_| is_leader || shell.peer.is_serving())
    }
}

/// The ports that other members connect to, opened and not yet served.
#[derive(Debug)]
pub(crate) struct Ports {
    election: (OwnPort, Vec<TcpListener>),
    quorum: (OwnPort, Vec<TcpListener>),
    observers: Option<(OwnPort, Vec<TcpListener>)>,
}

impl Ports {
    /// Listens for the other members. Names that mean nothing yet do not keep it waiting.
    pub(crate) async fn open(config: &Config) -> Result<Self, Error> {
        let (quorum, names) = (&config.quorum, Names::of_system());
        info!("Starting quorum peer, myid={}", me(config));
        let members = &quorum.ensemble;
        let open = async |service, mut endpoints: Endpoints| {
            let own = OwnPort {
                me: me(config),
                service,
                endpoints: endpoints.remove(&me(config)).unwrap_or_default(),
                on_all_addresses: quorum.listen_on_all_ips,
                attempts: quorum.election.port_bind_attempts,
            };
            let listeners = own.open(&names).await?;
            Ok::<_, Error>((own, listeners))
        };
        // Compat: only followers take observers; here the leader does, too.
        let is_voter = quorum.peer_type == Role::Participant;
        let observers = match quorum.observers.master_port.filter(|_| is_voter) {
            Some(port) => Some(open("observer master", endpoints(members, |_| port)).await?),
            None => None,
        };
        Ok(Self {
            election: open("election", election_ports(members)).await?,
            quorum: open("quorum", quorum_ports(members)).await?,
            observers,
        })
    }
}

/// The sockets between this member and the others.
pub(crate) struct Ensemble {
    election: Rc<ElectionPort>,
    links: Rc<Links>,
    me: ServerId,
    election_listening: Rc<Listening>,
    quorum_listening: Rc<Listening>,
    observer_listening: Option<Rc<Listening>>,
    /// `observerMasterPort`.
    master_port: Option<u16>,
    /// The versions of what is in the files: what holds, and what is proposed.
    kept: Cell<(i64, Option<i64>)>,
    files: RefCell<Option<ConfigFiles>>,
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
            multi_address: quorum.multi_address.enabled,
            introduction_time: quorum.election.read_timeout,
        };
        let members = election_ports(&quorum.ensemble);
        let election = ElectionPort::new(core.clone(), dialer.clone(), options, members);
        let options = LinkOptions {
            dial_time: Duration::from_millis(config.tick_time_ms.into()) * quorum.connect_limit,
            dial_pause: quorum.leader_connect_delay,
            security_time: quorum.election.read_timeout,
        };
        let master_port = quorum.observers.master_port;
        let places = Places::of(&quorum.ensemble, me(config), master_port);
        let links = Links::new(core.clone(), dialer, options, places);
        let port = election.clone();
        let take = move |stream, remote| port.introduce(stream, remote);
        let election_listening = Listening::start(ports.election, keep_alive, take);
        let accepting = links.clone();
        let take = move |stream, remote| accepting.accept(stream, remote);
        let quorum_listening = Listening::start(ports.quorum, keep_alive, take);
        let observer_listening = ports.observers.map(|ports| {
            let port = ObserverPort::new(core, links.clone(), me(config));
            Listening::start(ports, keep_alive, move |stream, remote| port.accept(stream, remote))
        });
        let files = ConfigFiles::of(config);
        if let Some(Err(error)) = files.as_ref().map(ConfigFiles::back_up) {
            error!("{error}");
        }
        Self {
            election,
            links,
            me: me(config),
            election_listening,
            quorum_listening,
            observer_listening,
            master_port,
            kept: Cell::new((quorum.ensemble.version, last_seen(config).map(|seen| seen.version))),
            files: RefCell::new(files),
        }
    }

    /// Keeps a configuration that holds, and one that is proposed, in files, and goes by them. Gives the one
    /// that holds, with its addresses.
    pub(crate) fn keep_members(
        &self,
        members: &Members,
        proposed: Option<&Members>,
    ) -> Option<zk_config::Ensemble> {
        let versions = (members.version(), proposed.map(Members::version));
        let kept = self.kept.replace(versions);
        if let Some(files) = &mut *self.files.borrow_mut() {
            let proposed = proposed.filter(|_| kept.1 != versions.1);
            let is_void = kept.0 == versions.0 && kept.1.is_some() && versions.1.is_none();
            let steps = [
                proposed.map(|proposed| files.proposed(proposed.text())),
                (kept.0 != versions.0).then(|| files.activated(members.text())),
                is_void.then(|| files.withdrawn()),
            ];
            for error in steps.into_iter().flatten().filter_map(Result::err) {
                error!("{error}");
            }
        }
        let members = members::read(members.text())?;
        let proposed = proposed.and_then(|proposed| members::read(proposed.text()));
        self.follow_members(&members, proposed.as_ref());
        Some(members)
    }

    /// From now on the members are those of a configuration that holds, and those of one that is proposed:
    /// both must be reached for that to be decided. This member listens where it says to be.
    fn follow_members(
        &self,
        members: &zk_config::Ensemble,
        proposed: Option<&zk_config::Ensemble>,
    ) {
        let mut election = election_ports(members);
        let mut places = Places::of(members, self.me, self.master_port);
        let own = |endpoints: &Endpoints| endpoints.get(&self.me).cloned().unwrap_or_default();
        self.election_listening.move_to(own(&election));
        self.quorum_listening.move_to(own(&places.quorum));
        if let (Some(listening), Some(port)) = (&self.observer_listening, self.master_port) {
            listening.move_to(own(&endpoints(members, |_| port)));
        }
        if let Some(proposed) = proposed {
            add(&mut election, election_ports(proposed));
            places.add(Places::of(proposed, self.me, self.master_port));
        }
        self.election.set_members(election);
        self.links.set_places(places);
    }

    /// Lets nobody in any more.
    pub(crate) fn stop_listening(&self) {
        self.election_listening.stop();
        self.quorum_listening.stop();
        if let Some(listening) = &self.observer_listening {
            listening.stop();
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

fn election_ports(members: &zk_config::Ensemble) -> Endpoints {
    endpoints(members, |address| address.election_port)
}

fn quorum_ports(members: &zk_config::Ensemble) -> Endpoints {
    endpoints(members, |address| address.quorum_port)
}

fn endpoints(members: &zk_config::Ensemble, port: impl Fn(&PeerAddress) -> u16) -> Endpoints {
    let endpoint =
        |address: &PeerAddress| Endpoint { host: address.host.clone(), port: port(address) };
    let servers = members.servers.iter();
    servers
        .map(|(id, server)| (ServerId(id.0), server.addresses.iter().map(endpoint).collect()))
        .collect()
}

fn add(endpoints: &mut Endpoints, more: Endpoints) {
    for (id, more) in more {
        let places = endpoints.entry(id).or_default();
        let new: Vec<_> = more.into_iter().filter(|place| !places.contains(place)).collect();
        places.extend(new);
    }
}
