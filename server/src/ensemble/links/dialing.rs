//! Reaching the quorum port of a leader: a few times in a moment, since one that has just won opens its port
//! then, and never longer than its time. One that is not there is left to the next election.
//!
//! An observer that is to leave the leader alone tries the voters in turn, each time from the next one on.
//!
//! Java: `Learner.connectToLeader`, `QuorumPeer.findLearnerMaster`.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};
use zk_core::Input;
use zk_wire::ServerId;

use super::super::Places;
use super::super::dialer::{Endpoint, shown};
use super::{Links, State};

impl Links {
    /// Begins to reach a leader; what was begun before is given up.
    pub(crate) fn dial(self: &Rc<Self>, leader: ServerId) {
        self.stop_dialing();
        let task = spawn_local(self.clone().reach(leader));
        self.state.borrow_mut().dialing = Some(task.abort_handle());
    }

    /// Gives up what `dial` began.
    pub(crate) fn stop_dialing(&self) {
        if let Some(task) = self.state.borrow_mut().dialing.take() {
            task.abort();
        }
    }

    async fn reach(self: Rc<Self>, leader: ServerId) {
        let masters = self.state.borrow().masters(leader);
        let reached = self.connect(leader, &masters).await;
        // From here on nothing waits: the core may end this task only before it hears of the link.
        self.state.borrow_mut().dialing = None;
        let stream = reached.and_then(|(master, stream)| Ok((master, stream.peer_addr()?, stream)));
        match stream {
            Ok((master, remote, stream)) => {
                let link = self.open(remote);
                if master == leader {
                    info!("Connected to leader {leader} at {remote}, link {}", link.0);
                } else {
                    info!("Observing leader {leader} by {master} at {remote}, link {}", link.0);
                }
                self.state.borrow_mut().observed = Some(master);
                self.feed(Input::Dialed { link });
                let links = self.clone();
                spawn_local(async move { links.serve(link, stream).await });
            }
            Err(error) => {
                let places: Vec<_> = masters.into_iter().flat_map(|(_, places)| places).collect();
                let address = shown(&places);
                warn!("Failed connect to leader {leader} at {address} in time: {error}");
                self.feed(Input::DialFailed);
            }
        }
    }

    /// Connects to a leader for somebody else.
    pub(crate) async fn connect_for_another(&self, leader: ServerId) -> io::Result<TcpStream> {
        let places = self.state.borrow().places.quorum.get(&leader).cloned().unwrap_or_default();
        self.dialer.connect_insecure(&places, self.options.dial_time).await
    }

    async fn connect(
        &self,
        leader: ServerId,
        masters: &[(ServerId, Vec<Endpoint>)],
    ) -> io::Result<(ServerId, TcpStream)> {
        let mut turn = masters.iter().cycle();
        let until = Instant::now() + self.options.dial_time;
        let mut tries: u32 = 0;
        let mut pause = PAUSE_MIN;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let Some((master, places)) = turn.next() else {
                return Err(io::ErrorKind::NotFound.into());
            };
            let error = match self.dialer.connect(places, left).await {
                Ok(stream) => return Ok((*master, stream)),
                Err(error) => error,
            };
            tries = tries.saturating_add(1);
            let text =
                format!("leader {leader} is not reached by {master}, tries={tries}: {error}");
            if tries.is_power_of_two() {
                info!("{text}")
            } else {
                debug!("{text}")
            }
            pause = pause.saturating_mul(2).min(self.options.dial_pause);
            if tries >= TRIES_MAX || Instant::now() + pause >= until {
                return Err(error);
            }
            sleep(pause).await;
        }
    }
}

impl State {
    /// Where to go in order to learn from a leader.
    fn masters(&self, leader: ServerId) -> Vec<(ServerId, Vec<Endpoint>)> {
        let Places { quorum, masters } = &self.places;
        if masters.is_empty() {
            return vec![(leader, quorum.get(&leader).cloned().unwrap_or_default())];
        }
        let last = masters.iter().position(|(id, _)| Some(*id) == self.observed);
        let tried = last.map_or(0, |last| last + 1);
        [&masters[tried..], &masters[..tried]].concat()
    }
}

/// How often; with the default pauses that takes most of a second. Java: five times.
const TRIES_MAX: u32 = 10;

/// Half of the first pause.
const PAUSE_MIN: Duration = Duration::from_millis(5);
