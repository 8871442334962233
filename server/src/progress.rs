//! Whether a start that takes long goes on: the loading thread counts what it has read, and the tasks beside it
//! look at the count.
//!
//! It stops nothing: what a stall means is for who asks.
//!
//! Invariant: nobody waits for anybody; to count is one addition.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval_at};
use zk_wire::Replica;
use zk_wire::{Acl, ReplicaError, SessionId, SnapshotDigest, StatPersisted, TxnRecord, Zxid};

/// How many nodes and txns a start has read so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress(Arc<AtomicU64>);

impl Progress {
    fn step(&self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }

    fn steps(&self) -> u64 {
        self.0.load(Ordering::Relaxed)
    }
}

/// Waits for `part`, and meanwhile tells now and then how far it is.
pub(crate) async fn told_during<T>(
    part: impl Future<Output = T>,
    progress: &Progress,
    every: Duration,
    mut tell: impl FnMut(u64),
) -> T {
    let mut ticks = interval_at((Instant::now() + every).into(), every);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
    tokio::pin!(part);
    loop {
        tokio::select! {
            done = &mut part => return done,
            _ = ticks.tick() => tell(progress.steps()),
        }
    }
}

/// The count as somebody sees it who looks now and then.
#[derive(Debug)]
pub(crate) struct Watch {
    progress: Progress,
    /// The last count that was new, and since when.
    last: Cell<(u64, Instant)>,
}

impl Watch {
    pub(crate) fn new(progress: Progress, now: Instant) -> Self {
        let last = Cell::new((progress.steps(), now));
        Self { progress, last }
    }

    /// For how long nothing has been read, if that is too long.
    pub(crate) fn stalled(&self, now: Instant) -> Option<Duration> {
        let (last, since) = self.last.get();
        let steps = self.progress.steps();
        if steps != last {
            self.last.set((steps, now));
            return None;
        }
        Some(now - since).filter(|time| *time >= STALL)
    }
}

/// A replica whose filling is counted.
pub(crate) struct Counted<R> {
    pub(crate) replica: R,
    progress: Progress,
}

impl<R> Counted<R> {
    pub(crate) fn new(replica: R, progress: Progress) -> Self {
        Self { replica, progress }
    }
}

impl<R: Replica> Replica for Counted<R> {
    fn restore_session(&mut self, id: SessionId, timeout_ms: i32) {
        self.replica.restore_session(id, timeout_ms);
    }

    fn restore_acl(&mut self, id: i64, acl: Vec<Acl>) {
        self.replica.restore_acl(id, acl);
    }

    fn restore_node(
        &mut self,
        path: &str,
        data: Option<&[u8]>,
        acl: i64,
        stat: &StatPersisted,
    ) -> Result<(), ReplicaError> {
        self.progress.step();
        self.replica.restore_node(path, data, acl, stat)
    }

    fn restored(&mut self, zxid: Zxid, digest: Option<SnapshotDigest>) {
        self.replica.restored(zxid, digest);
    }

    fn replay(&mut self, record: &TxnRecord) {
        self.progress.step();
        self.replica.replay(record);
    }

    fn replayed(&mut self, zxid: Zxid, bytes: &[u8]) {
        self.replica.replayed(zxid, bytes);
    }
}

/// Between two nodes, or two txns, nothing takes so long on a disk that works.
const STALL: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[test]
    fn only_what_does_not_go_on_is_stalled() {
        let progress = Progress::default();
        let start = Instant::now();
        let watch = Watch::new(progress.clone(), start);
        assert_eq!(watch.stalled(start + STALL / 2), None);
        progress.step();
        let later = start + STALL * 2;
        assert_eq!(watch.stalled(later), None, "it has gone on since somebody looked");
        assert_eq!(watch.stalled(later + STALL), Some(STALL));
        progress.step();
        assert_eq!(watch.stalled(later + STALL), None);
    }

    #[tokio::test]
    async fn a_long_start_tells_how_far_it_is() {
        let progress = Progress::default();
        let (sender, mut told) = unbounded_channel();
        let part = async {
            assert_eq!(told.recv().await, Some(0));
            progress.step();
            while told.recv().await != Some(1) {}
            "loaded"
        };
        let tell = |steps| {
            let _ = sender.send(steps);
        };
        let outcome = told_during(part, &progress, Duration::from_millis(1), tell).await;
        assert_eq!(outcome, "loaded");
    }
}
