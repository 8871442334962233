//! What a server counts of its own work. Java: `ServerStats`, `ServerMetrics`.

mod member;

use zk_wire::WatchEventType;

use crate::summary::{Distribution, Summary};

pub use member::MemberStats;

/// Counters since start or the last reset.
#[derive(Clone, Debug, Default)]
pub struct Stats {
    /// Frames from clients, four-letter words included.
    pub packets_received: u64,
    /// Frames to clients.
    pub packets_sent: u64,
    /// How long requests took, in ms.
    pub latency: Summary,
    /// How long reads took, in ms.
    pub read_latency: Distribution,
    /// How long writes took, in ms.
    pub update_latency: Distribution,
    /// Connect requests.
    pub connection_requests: u64,
    /// Connects that the throttle refused.
    pub connection_rejected: u64,
    /// Connects that came back to a session.
    pub connection_revalidated: u64,
    /// Connections that ended, and not because this server wanted it.
    pub connection_drops: u64,
    /// Sessions that expired.
    pub sessions_expired: u64,
    /// Connections that never opened a session.
    pub sessionless_expired: u64,
    /// Auth packets that failed.
    pub auth_failed: u64,
    /// Bytes of requests, their lengths included.
    pub bytes_received: u64,
    /// Bytes of replies, without their lengths.
    pub response_bytes: u64,
    /// Bytes of notifications, without their lengths.
    pub watch_bytes: u64,
    /// How many watches fired at once.
    pub fired: Fired,
    /// Size of the last reply; `None` before the first.
    pub last_response_size: Option<usize>,
    /// Size of the smallest reply.
    pub min_response_size: Option<usize>,
    /// Size of the largest reply.
    pub max_response_size: Option<usize>,
    /// Txns applied.
    pub commits: u64,
    /// What it counts as a member of an ensemble.
    pub member: MemberStats,
}

/// Watchers told of one change, by the kind of change; changes that nobody watched do not count.
#[derive(Clone, Copy, Debug, Default)]
pub struct Fired {
    /// A node was created.
    pub created: Summary,
    /// A node was deleted.
    pub deleted: Summary,
    /// A node's data changed.
    pub changed: Summary,
    /// A node's children changed.
    pub children: Summary,
}

impl Fired {
    pub(crate) fn add(&mut self, kind: WatchEventType, watchers: usize) {
        let summary = match kind {
            WatchEventType::NodeCreated => &mut self.created,
            WatchEventType::NodeDeleted => &mut self.deleted,
            WatchEventType::NodeDataChanged => &mut self.changed,
            WatchEventType::NodeChildrenChanged => &mut self.children,
        };
        if watchers > 0 {
            summary.add(to_u64(watchers));
        }
    }
}

impl Stats {
    /// A request of so many bytes came, behind its length.
    pub(crate) fn on_request(&mut self, size: usize) {
        self.packets_received += 1;
        self.bytes_received += to_u64(size + LENGTH);
    }

    /// A reply of so many bytes is written, its length included.
    pub(crate) fn on_response(&mut self, frame: usize) {
        let size = frame.saturating_sub(LENGTH);
        self.packets_sent += 1;
        self.response_bytes += to_u64(size);
        self.last_response_size = Some(size);
        self.min_response_size = Some(self.min_response_size.map_or(size, |min| min.min(size)));
        self.max_response_size = Some(self.max_response_size.map_or(size, |max| max.max(size)));
    }

    /// A notification of so many bytes is written, its length included.
    pub(crate) fn on_notification(&mut self, frame: usize) {
        self.packets_sent += 1;
        self.watch_bytes += to_u64(frame.saturating_sub(LENGTH));
    }

    /// Everything starts anew, as `srst` wants it. Compat: failed authentications stay.
    pub fn reset(&mut self) {
        *self = Self { auth_failed: self.auth_failed, ..Self::default() };
    }
}

/// Bytes of a frame's length.
const LENGTH: usize = 4;

fn to_u64(n: usize) -> u64 {
    u64::try_from(n).expect("sizes fit 64 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_of_replies_are_without_their_lengths() {
        let mut stats = Stats::default();
        stats.on_request(8);
        for frame in [20, 38] {
            stats.on_response(frame);
        }
        assert_eq!((stats.bytes_received, stats.response_bytes), (12, 50));
        let sizes = [stats.min_response_size, stats.last_response_size, stats.max_response_size];
        assert_eq!(sizes, [Some(16), Some(34), Some(34)]);
    }

    #[test]
    fn a_reset_forgets_all_but_failed_authentications() {
        let mut stats = Stats { auth_failed: 2, commits: 9, ..Stats::default() };
        stats.on_notification(33);
        stats.reset();
        assert_eq!((stats.auth_failed, stats.commits, stats.watch_bytes), (2, 0, 0));
    }

    #[test]
    fn changes_that_nobody_watched_do_not_count() {
        let mut fired = Fired::default();
        fired.add(WatchEventType::NodeCreated, 0);
        fired.add(WatchEventType::NodeDataChanged, 3);
        assert_eq!((fired.created.count, fired.changed.total), (0, 3));
    }
}
