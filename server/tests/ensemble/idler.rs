//! A session that only says that it lives: nothing may happen to it, nor to its ephemeral node.

use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::park_timeout;
use std::time::Duration;

use zk_wire::CreateFlags;

use crate::client::Failure;
use crate::session::Session;

/// An idle session.
pub(crate) struct Idler {
    node: String,
    session: Session,
}

impl Idler {
    /// A new session with an ephemeral node.
    pub(crate) fn new(mut session: Session, number: usize) -> Self {
        let node = format!("/idler-{number}");
        let created = session.create(&node, b"", CreateFlags::Ephemeral);
        created.expect("a load begins while all is well");
        Self { node, session }
    }

    /// Its node.
    pub(crate) fn node(&self) -> &str {
        &self.node
    }

    /// Its session.
    pub(crate) fn session(&mut self) -> &mut Session {
        &mut self.session
    }

    /// Pings through all losses of its connection until told to stop.
    ///
    /// # Panics
    /// The session is lost.
    pub(crate) fn run(&mut self, is_over: &AtomicBool) {
        loop {
            if !self.session.is_attached() {
                self.session.attach();
            }
            match self.session.ping() {
                Ok(()) if is_over.load(Ordering::Relaxed) => return,
                // That it is idle in between is what this session is for.
                Ok(()) => park_timeout(PING_EVERY),
                Err(Failure::Lost(_)) => {}
                Err(why) => panic!("{}: {why}", self.node),
            }
        }
    }
}

const PING_EVERY: Duration = Duration::from_millis(500);
