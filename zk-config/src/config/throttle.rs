//! Settings that slow clients down: stalled requests and the token bucket of new connections.

use std::time::Duration;

use crate::reader::Reader;

/// When new requests and connections have to wait or are refused.
#[derive(Debug, Clone, PartialEq)]
pub struct Throttle {
    /// Stalling of requests.
    pub requests: RequestThrottle,
    /// The token bucket of new connections.
    pub connections: ConnectionThrottle,
    /// `throttled_op_wait_time`: waiting time after which a request is refused; `None` is off.
    pub throttled_op_wait: Option<Duration>,
}

/// Stalling of requests before they are worked on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestThrottle {
    /// `request_throttle_max_requests`: requests in flight; `None` is off.
    pub max_requests: Option<u32>,
    /// `request_throttle_stall_time`: time a request is stalled before the next look.
    pub stall_time: Duration,
    /// `request_throttle_drop_stale`: stale requests are dropped.
    pub drop_stale: bool,
    /// `request_stale_connection_check`: requests of a closed connection are stale.
    pub stale_connection_check: bool,
    /// `request_stale_latency_check`: requests older than the session timeout are stale.
    pub stale_latency_check: bool,
    /// `request_throttler.shutdownTimeout`: time for stalled requests at the end.
    pub shutdown_timeout: Duration,
}

/// The token bucket of new connections.
#[derive(Debug, Clone, PartialEq)]
pub struct ConnectionThrottle {
    /// `connection_throttle_tokens`: size of the bucket; `None` is off.
    pub tokens: Option<u32>,
    /// `connection_throttle_fill_time`: time after which it is filled up.
    pub fill_time: Duration,
    /// `connection_throttle_fill_count`: tokens it is then given.
    pub fill_count: u32,
    /// `connection_throttle_freeze_time`: time between changes of the drop probability; `None`
    /// never drops by chance.
    pub freeze_time: Option<Duration>,
    /// `connection_throttle_drop_increase`.
    pub drop_increase: f64,
    /// `connection_throttle_drop_decrease`.
    pub drop_decrease: f64,
    /// `connection_throttle_decrease_ratio`.
    pub decrease_ratio: f64,
    /// The tokens of a session by its kind; `None` if all cost one.
    pub weights: Option<SessionWeights>,
}

/// `connection_throttle_weight_enabled` and the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SessionWeights {
    /// `connection_throttle_global_session_weight`.
    pub global: u32,
    /// `connection_throttle_local_session_weight`.
    pub local: u32,
    /// `connection_throttle_renew_session_weight`.
    pub renew: u32,
}

impl Throttle {
    pub(super) fn read(r: &mut Reader) -> Self {
        let wait = r.millis("throttled_op_wait_time");
        Self {
            requests: RequestThrottle::read(r),
            connections: ConnectionThrottle::read(r),
            throttled_op_wait: Some(wait).filter(|wait| !wait.is_zero()),
        }
    }
}

impl RequestThrottle {
    fn read(r: &mut Reader) -> Self {
        Self {
            max_requests: r.limit("request_throttle_max_requests"),
            stall_time: r.millis("request_throttle_stall_time"),
            drop_stale: r.boolean("request_throttle_drop_stale"),
            stale_connection_check: r.boolean("request_stale_connection_check"),
            stale_latency_check: r.boolean("request_stale_latency_check"),
            shutdown_timeout: r.millis("request_throttler.shutdownTimeout"),
        }
    }
}

impl ConnectionThrottle {
    fn read(r: &mut Reader) -> Self {
        let weights = SessionWeights::read(r);
        Self {
            tokens: r.limit("connection_throttle_tokens"),
            fill_time: r.millis("connection_throttle_fill_time"),
            fill_count: r.count("connection_throttle_fill_count"),
            freeze_time: r.millis_unless_negative("connection_throttle_freeze_time"),
            drop_increase: r.double("connection_throttle_drop_increase"),
            drop_decrease: r.double("connection_throttle_drop_decrease"),
            decrease_ratio: r.double("connection_throttle_decrease_ratio"),
            weights: r.boolean("connection_throttle_weight_enabled").then_some(weights),
        }
    }
}

impl SessionWeights {
    fn read(r: &mut Reader) -> Self {
        let why = "a session costs at least one token";
        let local = r.at_least_or_default("connection_throttle_local_session_weight", 1, why);
        let mut at_least_local = |key| {
            let weight = r.at_least_or_default(key, 1, why);
            if weight < local {
                r.replace(key, local, "no session costs less than a local one");
            }
            weight.max(local)
        };
        Self {
            global: at_least_local("connection_throttle_global_session_weight"),
            renew: at_least_local("connection_throttle_renew_session_weight"),
            local,
        }
    }
}
