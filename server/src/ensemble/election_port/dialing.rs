//! Connecting to a peer: because there is something to say, or because it asked to be called back.
//!
//! Invariants
//! - A place has at most one task that dials by itself and one that calls back.
//! - The introduction goes out in one piece, at once: Java reads it with one call, while nobody else can
//!   connect.
//!
//! Java: `QuorumCnxManager.connectOne`, `startConnection`.

use std::io;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

use tokio::io::AsyncWriteExt as _;
use tokio::net::TcpStream;
use tokio::sync::Notify;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep_until, timeout};
use tracing::{debug, warn};
use zk_core::Input;
use zk_wire::{InitialMessage, ServerId};

use super::super::dialer::{Endpoint, shown};
use super::{ElectionPort, Failures};

impl ElectionPort {
    /// Lets a member be dialed, unless it is connected or being dialed.
    pub(super) fn want_connection(self: &Rc<Self>, peer: ServerId) {
        if !self.is_other_member(peer) {
            return;
        }
        let mut state = self.state.borrow_mut();
        let place = state.places.entry(peer).or_default();
        if place.connection.is_some() || place.dialing.is_some() {
            return;
        }
        let connected = Rc::new(Notify::new());
        place.dialing = Some(connected.clone());
        spawn_local(self.clone().dial(peer, connected));
    }

    /// Makes attempts until there is a connection or nothing to say.
    async fn dial(self: Rc<Self>, peer: ServerId, connected: Rc<Notify>) {
        loop {
            if let Some(until) = self.failures(peer).until {
                tokio::select! {
                    () = sleep_until(until) => {}
                    () = connected.notified() => {}
                }
            }
            // The configuration may have changed meanwhile.
            let endpoints = self.endpoints_of(peer);
            if self.is_connected(peer) || endpoints.is_empty() {
                break;
            }
            let mut attempt = self.attempt(peer, &endpoints).await;
            if attempt.is_ok() && timeout(ANSWER_TIME, connected.notified()).await.is_err() {
                attempt = Err(io::Error::new(io::ErrorKind::TimedOut, "it did not call back"));
            }
            if self.is_connected(peer) {
                break;
            }
            if let Err(error) = attempt {
                self.failed(peer, &endpoints, &error);
            }
            if !self.has_unsent(peer) {
                break;
            }
        }
        if let Some(place) = self.state.borrow_mut().places.get_mut(&peer) {
            place.dialing = None;
        }
    }

    /// Connects once to a peer that has said where it is, or to where it called from: its name may not have
    /// an address here yet, or still its old one.
    pub(super) fn call_back(
        self: &Rc<Self>,
        peer: ServerId,
        heard: Vec<(String, u16)>,
        remote: IpAddr,
    ) {
        let mut state = self.state.borrow_mut();
        let place = state.places.entry(peer).or_default();
        // It would not call if it had one.
        if let Some(old) = place.connection.take() {
            old.changed.notify_one();
        }
        place.failures = Failures::default();
        if place.is_called_back {
            return;
        }
        place.is_called_back = true;
        drop(state);
        let endpoints = self.ways_back(peer, heard, remote);
        let port = self.clone();
        spawn_local(async move {
            let attempt = port.attempt(peer, &endpoints).await;
            {
                let mut state = port.state.borrow_mut();
                if let Some(place) = state.places.get_mut(&peer) {
                    place.is_called_back = false;
                }
                port.forget_stranger(&mut state, peer);
            }
            match attempt {
                Err(error) if !port.is_connected(peer) => port.failed(peer, &endpoints, &error),
                Ok(()) | Err(_) => {}
            }
        });
    }

    /// Where a peer may be: as the configuration says, as it says itself, where it called from.
    fn ways_back(
        &self,
        peer: ServerId,
        heard: Vec<(String, u16)>,
        remote: IpAddr,
    ) -> Vec<Endpoint> {
        let mut ways = self.endpoints_of(peer);
        let ports: Vec<u16> = ways.iter().map(|way| way.port).collect();
        let is_any = |host: &str| host.parse::<IpAddr>().is_ok_and(|ip| ip.is_unspecified());
        let heard = heard.into_iter().take(WAYS_MAX).filter(|(host, _)| !is_any(host));
        let heard = heard.map(|(host, port)| Endpoint { host, port });
        let calls_from = ports.into_iter().map(|port| Endpoint { host: remote.to_string(), port });
        for way in heard.chain(calls_from) {
            if !ways.contains(&way) {
                ways.push(way);
            }
        }
        ways
    }

    /// Connects and introduces this server. To a larger number that is all: it calls back.
    async fn attempt(self: &Rc<Self>, peer: ServerId, endpoints: &[Endpoint]) -> io::Result<()> {
        let me = self.options.me;
        // Before there is a connection: the peer would wait for the introduction.
        let own = self.own_addresses().await;
        let mut stream = self.dialer.connect(endpoints, self.dialer.connect_timeout).await?;
        if self.is_connected(peer) {
            return Ok(());
        }
        let message = InitialMessage { sender: me, addresses: reachable(own, &stream)? };
        stream.write_all(&message.encode(self.options.multi_address)).await?;
        if me > peer {
            let connection = self.adopt(peer);
            spawn_local(self.clone().converse(peer, connection, stream, Vec::new()));
        } else {
            debug!("Have smaller server identifier, so dropping the connection: ({me} --> {peer})");
        }
        Ok(())
    }

    /// The election addresses of this server as a peer can use them, without names where that can be.
    async fn own_addresses(&self) -> Vec<(Option<IpAddr>, u16)> {
        let mut addresses = Vec::new();
        for endpoint in self.endpoints_of(self.options.me) {
            let resolving = self.dialer.names.resolve(&endpoint.host);
            let resolved = timeout(OWN_NAME_TIME, resolving).await.ok().and_then(Result::ok);
            let ip = resolved.and_then(|ips| ips.into_iter().next());
            addresses.push((ip, endpoint.port));
        }
        addresses
    }

    fn failed(&self, peer: ServerId, endpoints: &[Endpoint], error: &io::Error) {
        let count = {
            let mut state = self.state.borrow_mut();
            let Some(place) = state.places.get_mut(&peer) else { return };
            place.failures.add();
            place.failures.count
        };
        let address = shown(endpoints);
        // The first one is news, the hundredth is not.
        if count.is_power_of_two() {
            warn!("Cannot open channel to {peer} at election address {address}: {error}");
        } else {
            debug!("Cannot open channel to {peer} at election address {address}: {error}");
        }
        self.feed(Input::Reachable { peer, is_reachable: false });
    }

    fn failures(&self, peer: ServerId) -> Failures {
        let state = self.state.borrow();
        let mut failures = state.places.get(&peer).map_or_else(Failures::default, |p| p.failures);
        failures.until = failures.until.filter(|until| *until > Instant::now());
        failures
    }

    fn has_unsent(&self, peer: ServerId) -> bool {
        let state = self.state.borrow();
        state.places.get(&peer).is_some_and(|place| place.unsent.is_some())
    }
}

/// What a peer is told: an address that its host cannot use is replaced by the one it is called from.
fn reachable(
    own: Vec<(Option<IpAddr>, u16)>,
    stream: &TcpStream,
) -> io::Result<Vec<(String, u16)>> {
    let local = stream.local_addr()?.ip().to_canonical();
    let usable = |ip: &IpAddr| !ip.is_unspecified() && ip.is_loopback() == local.is_loopback();
    let told =
        own.into_iter().map(|(ip, port)| (ip.filter(usable).unwrap_or(local).to_string(), port));
    Ok(told.collect())
}

/// How long a peer with a larger number may take to call back.
const ANSWER_TIME: Duration = Duration::from_secs(1);
/// How long the own name may hold up an attempt.
const OWN_NAME_TIME: Duration = Duration::from_millis(500);
/// So many of the addresses that a peer names are tried.
const WAYS_MAX: usize = 8;
