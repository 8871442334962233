//! Sessions at work on an ensemble, each on a thread of its own, until all are told to stop.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{JoinHandle, spawn};
use std::time::Duration;

use crate::account::Account;
use crate::deadline::await_until;
use crate::idler::Idler;
use crate::session::Session;
use crate::writer::Writer;

/// Writers and idlers at work.
pub(crate) struct Load {
    is_over: Arc<AtomicBool>,
    writers: Vec<(JoinHandle<Writer>, Arc<AtomicU64>)>,
    idlers: Vec<JoinHandle<Idler>>,
    extra: BTreeSet<String>,
}

impl Load {
    /// New sessions, spread over the servers.
    pub(crate) fn start(servers: &[SocketAddr]) -> Self {
        let session = |number| Session::new(servers, number);
        let writers = (0..WRITERS).map(|number| Writer::new(session(number), number)).collect();
        let idlers = (0..IDLERS).map(|number| Idler::new(session(number), number)).collect();
        Self::resume(Account::new(writers, idlers))
    }

    /// Lets sessions go on that were stopped.
    pub(crate) fn resume(account: Account) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let write = |mut writer: Writer| {
            let is_over = is_over.clone();
            let acknowledged = Arc::new(AtomicU64::new(writer.counts().0));
            let counted = acknowledged.clone();
            let thread = spawn(move || {
                writer.run(|acknowledged| {
                    counted.store(acknowledged, Ordering::Relaxed);
                    is_over.load(Ordering::Relaxed)
                });
                writer
            });
            (thread, acknowledged)
        };
        let idle = |mut idler: Idler| {
            let is_over = is_over.clone();
            spawn(move || {
                idler.run(&is_over);
                idler
            })
        };
        let writers = account.writers.into_iter().map(write).collect();
        let idlers = account.idlers.into_iter().map(idle).collect();
        Self { is_over, writers, idlers, extra: account.extra }
    }

    /// Waits until each writer has had so many more writes acknowledged: the service is there for all.
    ///
    /// # Panics
    /// That takes too long, or a session found something wrong.
    pub(crate) fn await_more(&mut self, count: u64) {
        let counts = || self.writers.iter().map(|(_, count)| count.load(Ordering::Relaxed));
        let wanted: Vec<_> = counts().map(|now| now + count).collect();
        let is_reached = await_until("every writer has had writes acknowledged", LIMIT, || {
            let is_reached = counts().zip(&wanted).all(|(now, wanted)| now >= *wanted);
            (is_reached || self.has_ended()).then_some(is_reached)
        });
        if !is_reached {
            self.join();
        }
    }

    /// How many writes were acknowledged by now.
    pub(crate) fn acknowledged(&self) -> u64 {
        self.writers.iter().map(|(_, count)| count.load(Ordering::Relaxed)).sum()
    }

    /// Stops all sessions without ending them; the outcome of every write is known then.
    ///
    /// # Panics
    /// A session found something wrong.
    pub(crate) fn stop(mut self) -> Account {
        self.join()
    }

    fn has_ended(&self) -> bool {
        self.writers.iter().any(|(thread, _)| thread.is_finished())
            || self.idlers.iter().any(JoinHandle::is_finished)
    }

    fn join(&mut self) -> Account {
        self.is_over.store(true, Ordering::Relaxed);
        let writers: Vec<_> = self.writers.drain(..).map(|(thread, _)| thread.join()).collect();
        for idler in &self.idlers {
            idler.thread().unpark();
        }
        let idlers: Vec<_> = self.idlers.drain(..).map(JoinHandle::join).collect();
        let whole = "what a session found wrong is printed above";
        let writers = writers.into_iter().map(|writer| writer.expect(whole)).collect();
        let idlers = idlers.into_iter().map(|idler| idler.expect(whole)).collect();
        Account { writers, idlers, extra: std::mem::take(&mut self.extra) }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
    }
}

const WRITERS: usize = 4;
const IDLERS: usize = 2;
const LIMIT: Duration = Duration::from_secs(45);
