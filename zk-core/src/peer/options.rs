//! What a peer is told once, at its start.

use super::ContainerOptions;
use crate::prep::PrepOptions;
use crate::schedule::{SnapshotOptions, TokenOptions};
use crate::zab::EnsembleOptions;

/// Everything that a peer is told once, at its start.
#[derive(Clone, Debug)]
pub struct Options {
    /// Seed of hash tables and jitter.
    pub seed: u64,
    /// The high byte of session ids: `myid`, 1 standalone.
    pub server_id: u8,
    /// `tickTime`, in ms.
    pub tick_ms: u64,
    /// `minSessionTimeout`, in ms.
    pub session_timeout_min_ms: u64,
    /// `maxSessionTimeout`, in ms.
    pub session_timeout_max_ms: u64,
    /// What may be written.
    pub prep: PrepOptions,
    /// `zookeeper.globalOutstandingLimit`: above so many writes on the way, clients that have some
    /// outstanding are not read.
    pub outstanding_limit: usize,
    /// Above so many bytes that a client does not take, it is not read.
    pub output_soft_max: usize,
    /// Above so many bytes that a client does not take, its connection is closed.
    pub output_hard_max: usize,
    /// `zookeeper.nio.sessionlessCnxnTimeout`, in ms.
    pub sessionless_timeout_ms: u64,
    /// The reaper of container and TTL nodes.
    pub containers: ContainerOptions,
    /// When to take snapshots.
    pub snapshots: SnapshotOptions,
    /// How fast connects may come.
    pub connect_tokens: TokenOptions,
    /// Its place in an ensemble; `None` runs it alone.
    pub ensemble: Option<EnsembleOptions>,
}
