//! Whether a start that takes long goes on: the loading thread's disk counts what goes through it, and the tasks
//! beside it look at the count.
//!
//! It stops nothing: what a stall means is for who asks.
//!
//! Invariant: to count is one addition; the thread that loads never waits for who looks.

use std::cell::Cell;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use tokio::time::{MissedTickBehavior, interval_at};
use zk_storage::CountedDisk;

/// How many bytes a start has read and written so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Progress {
    bytes: Arc<AtomicU64>,
    is_over: Arc<AtomicBool>,
}

impl Progress {
    /// The disk that is counted.
    pub(crate) fn on<D>(&self, disk: D) -> CountedDisk<D> {
        CountedDisk::new(disk, self.bytes.clone())
    }

    /// Everything has been read: nothing more is to come, and that is no stall.
    pub(crate) fn end(&self) {
        self.is_over.store(true, Ordering::Relaxed);
    }

    fn bytes(&self) -> u64 {
        self.bytes.load(Ordering::Relaxed)
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
            _ = ticks.tick() => tell(progress.bytes()),
        }
    }
}

/// The count as somebody sees it who looks now and then.
#[derive(Debug)]
pub(crate) struct Lookout {
    progress: Progress,
    /// After so long without a byte it is said.
    limit: Duration,
    /// The last count that was new, and since when.
    last: Cell<(u64, Instant)>,
}

impl Lookout {
    pub(crate) fn new(progress: Progress, limit: Duration, now: Instant) -> Self {
        let last = Cell::new((progress.bytes(), now));
        Self { progress, limit, last }
    }

    /// For how long nothing has been read, if that is too long.
    pub(crate) fn stalled(&self, now: Instant) -> Option<Duration> {
        let (last, since) = self.last.get();
        let bytes = self.progress.bytes();
        if bytes != last {
            self.last.set((bytes, now));
            return None;
        }
        let is_over = self.progress.is_over.load(Ordering::Relaxed);
        Some(now - since).filter(|time| *time >= self.limit && !is_over)
    }
}

#[cfg(test)]
mod tests {
    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    fn step(progress: &Progress) {
        progress.bytes.fetch_add(1, Ordering::Relaxed);
    }

    #[test]
    fn only_what_does_not_go_on_is_stalled() {
        let (progress, start) = (Progress::default(), Instant::now());
        let limit = Duration::from_secs(60);
        let lookout = Lookout::new(progress.clone(), limit, start);
        assert_eq!(lookout.stalled(start + limit / 2), None);
        step(&progress);
        let later = start + limit * 2;
        assert_eq!(lookout.stalled(later), None, "it has gone on since somebody looked");
        assert_eq!(lookout.stalled(later + limit), Some(limit));
        step(&progress);
        assert_eq!(lookout.stalled(later + limit), None);
        assert_eq!(lookout.stalled(later + limit * 2), Some(limit));
        progress.end();
        assert_eq!(lookout.stalled(later + limit * 2), None, "it has read everything");
    }

    #[tokio::test]
    async fn a_long_start_tells_how_far_it_is() {
        let progress = Progress::default();
        let (sender, mut told) = unbounded_channel();
        let part = async {
            assert_eq!(told.recv().await, Some(0));
            step(&progress);
            while told.recv().await != Some(1) {}
            "loaded"
        };
        let tell = |bytes| {
            let _ = sender.send(bytes);
        };
        let outcome = told_during(part, &progress, Duration::from_millis(1), tell).await;
        assert_eq!(outcome, "loaded");
    }
}
