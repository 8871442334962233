//! Reaching the quorum port of a leader, again and again until its time is over.
//!
//! Java: `Learner.connectToLeader`.

use std::io;
use std::rc::Rc;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::spawn_local;
use tokio::time::{Instant, sleep};
use tracing::{debug, info, warn};
use zk_core::Input;
use zk_wire::ServerId;

use super::super::dialer::{Endpoint, shown};
use super::Links;

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
        let endpoints = self.state.borrow().members.get(&leader).cloned().unwrap_or_default();
        let reached = self.connect(leader, &endpoints).await;
        // From here on nothing waits: the core may end this task only before it hears of the link.
        self.state.borrow_mut().dialing = None;
        let stream = reached.and_then(|stream| Ok((stream.peer_addr()?, stream)));
        match stream {
            Ok((remote, stream)) => {
                let link = self.open(remote);
                info!("Connected to leader {leader} at {remote}, link {}", link.0);
                self.feed(Input::Dialed { link });
                let links = self.clone();
                spawn_local(async move { links.serve(link, stream).await });
            }
            Err(error) => {
                let address = shown(&endpoints);
                warn!("Failed connect to leader {leader} at {address} in time: {error}");
                self.feed(Input::DialFailed);
            }
        }
    }

    async fn connect(&self, leader: ServerId, endpoints: &[Endpoint]) -> io::Result<TcpStream> {
        let until = Instant::now() + self.options.dial_time;
        let mut tries: u32 = 0;
        let mut pause = PAUSE_MIN;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            let error = match self.dialer.connect(endpoints, left).await {
                Ok(stream) => return Ok(stream),
                Err(error) => error,
            };
            tries = tries.saturating_add(1);
            let text = format!("leader {leader} is not reached, tries={tries}: {error}");
            if tries.is_power_of_two() {
                info!("{text}")
            } else {
                debug!("{text}")
            }
            pause = pause.saturating_mul(2).min(self.options.dial_pause);
            if Instant::now() + pause >= until {
                return Err(error);
            }
            sleep(pause).await;
        }
    }
}

/// Half of the first pause: a leader that has just won opens its port in a moment.
const PAUSE_MIN: Duration = Duration::from_millis(5);
