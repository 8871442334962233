//! A client of one member that writes one thing after the other, and comes back every millisecond.
//!
//! It keeps its session as real clients do. A lost connection is nothing to it; an error of a write, or a
//! session that is gone, is a failed write.

use std::time::{Duration, Instant};

use zk_wire::Zxid;

use crate::error::Error;
use crate::session::{Identity, SILENCE_MAX, Session};

/// The client.
#[derive(Debug)]
pub(super) struct Writer {
    port: u16,
    identity: Identity,
    session: Option<Session>,
    /// The last txn that it knows of.
    seen: Zxid,
    /// Writes that failed.
    pub(super) failed: u32,
}

impl Writer {
    /// A client that has no connection yet.
    pub(super) fn new(port: u16) -> Self {
        Self { port, identity: Identity::NEW, session: None, seen: Zxid::ZERO, failed: 0 }
    }

    /// Writes until a write succeeded whose zxid will do; gives the moment of its reply.
    pub(super) fn write_until(
        &mut self,
        mut will_do: impl FnMut(Zxid) -> bool,
    ) -> Result<Instant, Error> {
        let mut last_reply = Instant::now();
        loop {
            match self.write(last_reply.elapsed()) {
                Ok(zxid) => {
                    last_reply = Instant::now();
                    if will_do(zxid) {
                        return Ok(last_reply);
                    }
                    continue;
                }
                Err(Error::Refused { .. }) => self.failed += 1,
                Err(Error::SessionRefused { .. }) => {
                    self.failed += 1;
                    self.identity = Identity::NEW;
                }
                Err(_) => {}
            }
            self.session = None;
            if last_reply.elapsed() > SILENCE_MAX {
                return Err(Error::Silence { seconds: SILENCE_MAX.as_secs(), waiting: 1 });
            }
            std::thread::sleep(RETRY);
        }
    }

    /// Writes once; `silent_for`: how long the last reply is ago.
    fn write(&mut self, silent_for: Duration) -> Result<Zxid, Error> {
        let mut session = match self.session.take() {
            Some(session) => session,
            None => {
                // Compat: a connection that comes before Java has its database is never answered.
                let patience = (silent_for / 4).max(PATIENCE_MIN);
                Session::attach(self.port, patience, &mut self.identity, self.seen)?
            }
        };
        session.send_set("/", b"written")?;
        let zxid = session.expect_reply()?;
        self.seen = zxid;
        self.session = Some(session);
        Ok(zxid)
    }

    /// Ends its session, so that no expiry disturbs a later figure.
    pub(super) fn close(self) -> Result<(), Error> {
        self.session.map_or(Ok(()), Session::close)
    }
}

const RETRY: Duration = Duration::from_millis(1);
const PATIENCE_MIN: Duration = Duration::from_millis(50);
