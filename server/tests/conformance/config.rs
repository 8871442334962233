//! The configurations that the assertions are about, each a few settings beside the common ones.
//!
//! Settings stand in zoo.cfg; properties are given as `-D<name>=<value>`.

/// What a server is started with.
pub(crate) struct Config {
    /// Tests that name the same configuration share a server.
    pub(crate) name: &'static str,
    /// Lines of zoo.cfg.
    pub(crate) settings: &'static [&'static str],
    /// System properties.
    pub(crate) properties: &'static [&'static str],
}

/// Lines of every zoo.cfg.
pub(crate) const SETTINGS: &str = "tickTime=1000\nclientPortAddress=127.0.0.1\n";

/// Properties of every server. The super password is `super:test`.
pub(crate) const PROPERTIES: &[&str] = &[
    "zookeeper.admin.enableServer=false",
    "zookeeper.forceSync=no",
    "zookeeper.preAllocSize=64",
    "zookeeper.DigestAuthenticationProvider.superDigest=super:D/InIHSb7yEEbrWz8b9l71RjZJU=",
];

const MANY: &str = "maxClientCnxns=0";
const ALL_WORDS: &str = "4lw.commands.whitelist=*";

const fn config(
    name: &'static str,
    settings: &'static [&'static str],
    properties: &'static [&'static str],
) -> Config {
    Config { name, settings, properties }
}

/// Nothing but the common settings, and every four-letter word.
pub(crate) static PLAIN: Config = config("plain", &[MANY, ALL_WORDS], &[]);
/// For tests that count: they run one after another.
pub(crate) static ALONE: Config = config("alone", &[MANY, ALL_WORDS], &[]);
/// The whitelist as it is when nobody sets it.
pub(crate) static FEW_WORDS: Config = config("few words", &[MANY], &[]);
/// Short bounds of session timeouts.
pub(crate) static TIMEOUTS: Config =
    config("timeouts", &[MANY, "minSessionTimeout=500", "maxSessionTimeout=7000"], &[]);
/// TTL nodes, a reaper in a hurry, and little patience with connections that say nothing.
pub(crate) static EXTENDED: Config = config(
    "extended",
    &[MANY],
    &[
        "zookeeper.extendedTypesEnabled=true",
        "zookeeper.nio.sessionlessCnxnTimeout=1000",
        "znode.container.checkIntervalMs=500",
    ],
);
/// Frames of 4096 bytes at most.
pub(crate) static SMALL_FRAMES: Config = config("small frames", &[MANY], &["jute.maxbuffer=4096"]);
/// Permissions are not looked at.
pub(crate) static SKIP_ACL: Config = config("skip acl", &[MANY], &["zookeeper.skipACL=yes"]);
/// Hard quotas reject.
pub(crate) static QUOTA: Config = config("quota", &[MANY], &["zookeeper.enforceQuota=true"]);
/// Clients must say who they are.
pub(crate) static ENFORCED: Config = config(
    "enforced",
    &[MANY],
    &["zookeeper.enforce.auth.enabled=true", "zookeeper.enforce.auth.schemes=digest"],
);
/// No digest scheme.
pub(crate) static NO_DIGEST: Config =
    config("no digest", &[MANY], &["zookeeper.DigestAuthenticationProvider.enabled=false"]);
/// Two connections an address.
pub(crate) static TWO_PER_CLIENT: Config = config("two per client", &["maxClientCnxns=2"], &[]);
/// Two connections in all.
pub(crate) static TWO_IN_ALL: Config = config("two in all", &[MANY], &["zookeeper.maxCnxns=2"]);
/// Large requests are few.
pub(crate) static LARGE_REQUESTS: Config = config(
    "large requests",
    &[MANY],
    &["zookeeper.largeRequestThreshold=1000", "zookeeper.largeRequestMaxBytes=2000"],
);
/// Connects take tokens that come back slowly.
pub(crate) static CONNECT_TOKENS: Config = config(
    "connect tokens",
    &[MANY],
    &["zookeeper.connection_throttle_tokens=2", "zookeeper.connection_throttle_fill_time=2000"],
);
/// One request at a time, and none waits for long.
pub(crate) static THROTTLED: Config = config(
    "throttled",
    &[MANY],
    &["zookeeper.request_throttle_max_requests=1", "zookeeper.throttled_op_wait_time=1"],
);
/// Reconfig is allowed as far as a standalone server can.
pub(crate) static RECONFIG: Config = config("reconfig", &[MANY, "reconfigEnabled=true"], &[]);
/// Hardly any request may be under way.
pub(crate) static ONE_OUTSTANDING: Config =
    config("one outstanding", &[MANY], &["zookeeper.globalOutstandingLimit=1"]);
/// A log without a snapshot is accepted.
pub(crate) static PREPARED: Config =
    config("prepared", &[MANY], &["zookeeper.snapshot.trust.empty=true"]);
