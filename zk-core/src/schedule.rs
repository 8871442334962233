//! When to roll the log and take a snapshot, and how fast connections may come.
//!
//! Both are plain arithmetic on what they are told; randomness is a sequence from the seed.

use crate::sessions::Millis;

/// Settings of snapshots.
#[derive(Clone, Copy, Debug)]
pub struct SnapshotOptions {
    /// `zookeeper.snapCount`: a snapshot comes after half to all of so many txns.
    pub snap_count: u64,
    /// `zookeeper.snapSizeLimitInKb`: or after half to all of so many bytes of txns; `None` is off.
    pub size_limit_bytes: Option<u64>,
}

/// Decides when a snapshot is due. The jitter keeps the servers of an ensemble apart.
#[derive(Debug)]
pub(crate) struct SnapshotSchedule {
    options: SnapshotOptions,
    random: u64,
    txns: u64,
    bytes: u64,
    txns_due: u64,
    bytes_due: Option<u64>,
}

impl SnapshotSchedule {
    pub(crate) fn new(options: SnapshotOptions, seed: u64) -> Self {
        let mut schedule =
            Self { options, random: seed, txns: 0, bytes: 0, txns_due: 0, bytes_due: None };
        schedule.draw();
        schedule
    }

    /// So many txns are in the log already above its newest snapshot.
    pub(crate) fn on_replayed(&mut self, txns: u64) {
        self.txns += txns;
    }

    /// One more txn is logged; true when it is the one after which to roll and snapshot.
    pub(crate) fn on_txn(&mut self, bytes: usize) -> bool {
        self.txns += 1;
        self.bytes += u64::try_from(bytes).expect("sizes fit 64 bits");
        let is_due =
            self.txns > self.txns_due || self.bytes_due.is_some_and(|due| self.bytes > due);
        if is_due {
            self.draw();
        }
        is_due
    }

    fn draw(&mut self) {
        let half = (self.options.snap_count / 2).max(1);
        self.txns = 0;
        self.bytes = 0;
        self.txns_due = half + self.below(half);
        self.bytes_due = self.options.size_limit_bytes.map(|limit| {
            let half = (limit / 2).max(1);
            half + self.below(half)
        });
    }

    /// SplitMix64: good enough to spread, and the same everywhere.
    fn below(&mut self, n: u64) -> u64 {
        self.random = self.random.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.random;
        z = (z ^ z >> 30).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ z >> 27).wrapping_mul(0x94D0_49BB_1331_11EB);
        (z ^ z >> 31) % n
    }
}

/// Settings of the connection throttle. Java: `BlueThrottle`.
#[derive(Clone, Copy, Debug)]
pub struct TokenOptions {
    /// `connection_throttle_tokens`: how many connects may come at once; 0 is off.
    pub tokens: u64,
    /// `connection_throttle_fill_time`, in ms.
    pub fill_time_ms: u64,
    /// `connection_throttle_fill_count`: how many tokens come back in each fill time.
    pub fill_count: u64,
}

/// A bucket of tokens, one a connect.
#[derive(Debug)]
pub(crate) struct Tokens {
    options: TokenOptions,
    left: u64,
    filled_at: Millis,
}

impl Tokens {
    pub(crate) fn new(options: TokenOptions) -> Self {
        Self { options, left: options.tokens, filled_at: Millis::default() }
    }

    /// Takes a token, if there is one.
    pub(crate) fn take(&mut self, now: Millis) -> bool {
        if self.options.tokens == 0 {
            return true;
        }
        let fill_time = self.options.fill_time_ms.max(1);
        let fills = now.since(self.filled_at) / fill_time;
        if fills > 0 {
            self.filled_at = now;
            let more = fills.saturating_mul(self.options.fill_count);
            self.left = self.left.saturating_add(more).min(self.options.tokens);
        }
        let has_one = self.left > 0;
        self.left = self.left.saturating_sub(1);
        has_one
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_snapshot_comes_after_half_to_all_of_snap_count() {
        for seed in 0..50 {
            let options = SnapshotOptions { snap_count: 100, size_limit_bytes: None };
            let mut schedule = SnapshotSchedule::new(options, seed);
            for _ in 0..20 {
                let txns = 1 + (0..).take_while(|_| !schedule.on_txn(10)).count();
                assert!((51..=100).contains(&txns), "{txns}");
            }
        }
    }

    #[test]
    fn a_snapshot_comes_when_the_log_is_long_enough() {
        let options = SnapshotOptions { snap_count: 1_000_000, size_limit_bytes: Some(1000) };
        let mut schedule = SnapshotSchedule::new(options, 1);
        let txns = 1 + (0..).take_while(|_| !schedule.on_txn(10)).count();
        assert!((51..=100).contains(&txns), "{txns}");
    }

    #[test]
    fn tokens_come_back_with_time() {
        let options = TokenOptions { tokens: 2, fill_time_ms: 2000, fill_count: 1 };
        let mut tokens = Tokens::new(options);
        let now = Millis(5000);
        let taken: Vec<_> = (0..3).map(|_| tokens.take(now)).collect();
        assert_eq!(taken, [true, true, false]);
        assert!(tokens.take(now.after(2300)));
        assert!(!tokens.take(now.after(2400)));
    }
}
