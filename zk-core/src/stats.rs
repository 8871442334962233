//! What a server counts of its own work. Java: `ServerStats`.

/// Minimum, mean and maximum of how long requests took, in ms.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Latency {
    /// The shortest; 0 before the first.
    pub min_ms: u64,
    /// The longest.
    pub max_ms: u64,
    /// The last.
    pub last_ms: u64,
    /// The sum.
    pub total_ms: u64,
    /// How many.
    pub count: u64,
}

impl Latency {
    /// One more request took so long.
    pub fn add(&mut self, ms: u64) {
        self.min_ms = if self.count == 0 { ms } else { self.min_ms.min(ms) };
        self.max_ms = self.max_ms.max(ms);
        self.last_ms = ms;
        self.total_ms += ms;
        self.count += 1;
    }
}

/// Counters since start or the last reset.
#[derive(Clone, Copy, Debug, Default)]
pub struct Stats {
    /// Frames from clients, four-letter words included.
    pub packets_received: u64,
    /// Frames to clients.
    pub packets_sent: u64,
    /// How long requests took.
    pub latency: Latency,
    /// How long reads took.
    pub read_latency: Latency,
    /// How long writes took.
    pub update_latency: Latency,
    /// Connect requests.
    pub connection_requests: u64,
    /// Connects that the throttle refused.
    pub connection_rejected: u64,
    /// Connects that came back to a session.
    pub connection_revalidated: u64,
    /// Connections that ended.
    pub connection_drops: u64,
    /// Sessions that expired.
    pub sessions_expired: u64,
    /// Connections that never opened a session.
    pub sessionless_expired: u64,
    /// Auth packets that failed.
    pub auth_failed: u64,
    /// Bytes of requests.
    pub bytes_received: u64,
    /// Bytes of replies.
    pub response_bytes: u64,
    /// Bytes of notifications.
    pub watch_bytes: u64,
    /// Size of the last reply; `None` before the first.
    pub last_response_size: Option<usize>,
    /// Size of the smallest reply.
    pub min_response_size: Option<usize>,
    /// Size of the largest reply.
    pub max_response_size: Option<usize>,
    /// Txns applied.
    pub commits: u64,
}

impl Stats {
    /// A reply of so many bytes is written.
    pub(crate) fn on_response(&mut self, size: usize) {
        self.packets_sent += 1;
        self.response_bytes += u64::try_from(size).expect("sizes fit 64 bits");
        self.last_response_size = Some(size);
        self.min_response_size = Some(self.min_response_size.map_or(size, |min| min.min(size)));
        self.max_response_size = Some(self.max_response_size.map_or(size, |max| max.max(size)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_latency_knows_its_extremes() {
        let mut latency = Latency::default();
        for ms in [3, 9, 1] {
            latency.add(ms);
        }
        assert_eq!((latency.min_ms, latency.max_ms, latency.total_ms), (1, 9, 13));
    }
}
