//! The port on which followers take observers too: here they are passed on to the leader, byte by byte.
//!
//! An observer that is configured for it knows no other port. It gets from the leader what it would get from a
//! follower; only the leader's load is not shared. Nothing that is passed on is looked at: the leader's
//! quorum port judges it.
//!
//! Invariant: an observer that comes while there is no leader is sent away, so that it tries another voter.
//!
//! Java: `ObserverMaster`.

use std::cell::Cell;
use std::io;
use std::net::SocketAddr;
use std::rc::{Rc, Weak};

use tokio::io::copy_bidirectional;
use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tracing::{debug, info, warn};
use zk_wire::ServerId;

use super::Core;
use super::links::Links;

/// Takes observers to where the leader is.
pub(crate) struct ObserverPort {
    core: Weak<dyn Core>,
    links: Rc<Links>,
    me: ServerId,
    /// How many are being passed on.
    passed_on: Cell<usize>,
}

impl ObserverPort {
    pub(crate) fn new(core: Weak<dyn Core>, links: Rc<Links>, me: ServerId) -> Rc<Self> {
        Rc::new(Self { core, links, me, passed_on: Cell::new(0) })
    }

    /// An observer, or somebody else, has connected.
    pub(crate) fn accept(self: &Rc<Self>, stream: TcpStream, remote: SocketAddr) {
        let Some(leader) = self.core.upgrade().and_then(|core| core.leader()) else {
            debug!("{remote} wants to observe, but there is no leader yet");
            return;
        };
        if leader == self.me {
            return self.links.accept(stream, remote);
        }
        if self.passed_on.get() >= PASSED_ON_MAX {
            warn!("{PASSED_ON_MAX} observers are passed on to the leader; {remote} is refused");
            return;
        }
        self.passed_on.set(self.passed_on.get() + 1);
        let port = self.clone();
        spawn_local(async move {
            info!("observer {remote} is passed on to leader {leader}");
            match port.pass_on(stream, leader).await {
                Ok(()) => info!("observer {remote} is gone"),
                Err(error) => info!("observer {remote} is gone: {error}"),
            }
            port.passed_on.set(port.passed_on.get() - 1);
        });
    }

    async fn pass_on(&self, mut observer: TcpStream, leader: ServerId) -> io::Result<()> {
        let mut to = self.links.connect_for_another(leader).await?;
        copy_bidirectional(&mut observer, &mut to).await?;
        Ok(())
    }
}

/// More than an ensemble can have observers.
const PASSED_ON_MAX: usize = 255;
