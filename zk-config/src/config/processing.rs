//! Settings of what is done with requests: ACL checks, quotas, node types, the container reaper.

use std::time::Duration;

use crate::reader::Reader;

/// What is done with requests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Processing {
    /// `leaderServes`: a leader takes clients.
    pub leader_serves: bool,
    /// `skipACL`: no ACL is checked.
    pub skip_acl: bool,
    /// `enableEagerACLCheck`: write ACLs are checked before a request goes to the leader.
    pub eager_acl_check: bool,
    /// `enforceQuota`: hard quotas refuse writes.
    pub enforce_quota: bool,
    /// `extendedTypesEnabled`: TTL nodes can be created.
    pub extended_types_enabled: bool,
    /// `emulate353TTLNodes`: TTLs are encoded as in 3.5.3.
    pub emulate_353_ttl_nodes: bool,
    /// `readonlymode.enabled`: without a quorum, reads are served to clients that asked for that.
    pub read_only_mode_enabled: bool,
    /// Deletion of empty containers and expired TTL nodes.
    pub containers: Containers,
}

/// Deletion of empty containers and expired TTL nodes, by a leader or a standalone server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Containers {
    /// `znode.container.checkIntervalMs`: time between searches; `None` never searches.
    pub check_interval: Option<Duration>,
    /// `znode.container.maxPerMinute`: deletions in a minute; `None` is unlimited.
    pub max_per_minute: Option<u32>,
    /// `znode.container.maxNeverUsedIntervalMs`: age at which a container that never had a child
    /// goes too; `None` is never.
    pub max_never_used: Option<Duration>,
}

impl Processing {
    pub(super) fn read(r: &mut Reader) -> Self {
        Self {
            leader_serves: r.boolean("leaderServes"),
            skip_acl: r.boolean("skipACL"),
            eager_acl_check: r.boolean("enableEagerACLCheck"),
            enforce_quota: r.boolean("enforceQuota"),
            extended_types_enabled: r.boolean("extendedTypesEnabled"),
            emulate_353_ttl_nodes: r.boolean("emulate353TTLNodes"),
            read_only_mode_enabled: r.boolean("readonlymode.enabled"),
            containers: Containers::read(r),
        }
    }
}

impl Containers {
    fn read(r: &mut Reader) -> Self {
        let not_zero = |time: Duration| Some(time).filter(|time| !time.is_zero());
        Self {
            check_interval: not_zero(r.millis("znode.container.checkIntervalMs")),
            max_per_minute: r.limit("znode.container.maxPerMinute"),
            max_never_used: not_zero(r.millis("znode.container.maxNeverUsedIntervalMs")),
        }
    }
}
