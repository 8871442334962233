//! Chapter 7.3: what is done with requests.

use super::Key;
use super::Kind::{Class, Double, LenientBool, LenientInt, LenientLong, OffIfNo, OnIfYes, Text};
use super::State::{Honoured, NoEffect, NotYet};

const WATCH_MANAGERS: &[&str] = &[
    "org.apache.zookeeper.server.watch.WatchManager",
    "org.apache.zookeeper.server.watch.WatchManagerOptimized",
];

pub(super) const KEYS: &[Key] = super::rows! { "7.3":
    ("leaderServes", Property, OffIfNo, P2, Honoured, "yes",
        "a leader takes clients");
    ("skipACL", Property, OnIfYes, P2, Honoured, "no",
        "check no ACL at all");
    ("enableEagerACLCheck", Property, LenientBool, P3, NotYet, "false",
        "check write ACLs before a request is sent to the leader");
    ("enforceQuota", Property, LenientBool, P2, Honoured, "false",
        "hard quotas refuse writes");
    ("extendedTypesEnabled", Property, LenientBool, P1, Honoured, "false",
        "TTL nodes");
    ("emulate353TTLNodes", Property, LenientBool, P3, NotYet, "false",
        "TTLs are encoded as in 3.5.3");
    ("znode.container.checkIntervalMs", Bare, LenientInt, P2, Honoured, "60000",
        "ms between searches for empty containers and expired TTL nodes");
    ("znode.container.maxPerMinute", Bare, LenientInt, P3, Honoured, "10000",
        "containers and TTL nodes deleted in a minute");
    ("znode.container.maxNeverUsedIntervalMs", Bare, LenientLong, P3, Honoured, "0",
        "ms after which a container that never had a child goes too; 0 is never");
    ("watchManagerName", Property, Class(WATCH_MANAGERS), P3, NoEffect,
        "org.apache.zookeeper.server.watch.WatchManager",
        "table of watches; both names are taken and do the same");
    ("watcherCleanThreadsNum", Property, LenientInt, P3, NoEffect, "2",
        "threads that remove dead watches");
    ("watcherCleanThreshold", Property, LenientInt, P3, NoEffect, "1000",
        "dead watches that are removed together");
    ("watcherCleanIntervalInSeconds", Property, LenientInt, P3, NoEffect, "600",
        "seconds between removals of dead watches");
    ("maxInProcessingDeadWatchers", Property, LenientInt, P3, NoEffect, "-1",
        "dead watches waiting to be removed");
    ("bitHashCacheSize", Property, LenientInt, P3, NoEffect, "10",
        "entries of a cache of the table of watches");
    ("commitProcessor.numWorkerThreads", Property, LenientInt, P3, NoEffect, "",
        "threads that answer reads");
    ("commitProcessor.maxReadBatchSize", Property, LenientInt, P3, NoEffect, "-1",
        "reads before a commit is looked for");
    ("commitProcessor.maxCommitBatchSize", Property, LenientInt, P3, NoEffect, "1",
        "commits before a read is looked for");
    ("commitProcessor.shutdownTimeout", Property, LenientLong, P3, NoEffect, "5000",
        "ms the read threads have to stop");
    ("pathStats.enabled", Property, LenientBool, P3, NotYet, "false",
        "log which paths are used most");
    ("pathStats.slotCapacity", Property, LenientInt, P3, NotYet, "60",
        "slots of the path statistics");
    ("pathStats.slotDuration", Property, LenientInt, P3, NotYet, "15",
        "seconds of a slot");
    ("pathStats.maxDepth", Property, LenientInt, P3, NotYet, "6",
        "levels of a path that count");
    ("pathStats.sampleRate", Property, Double, P3, NotYet, "0.1",
        "share of requests that are counted");
    ("pathStats.initialDelay", Property, LenientInt, P3, NotYet, "5",
        "minutes until the first report");
    ("pathStats.delay", Property, LenientInt, P3, NotYet, "5",
        "minutes between reports");
    ("pathStats.topPathMax", Property, LenientInt, P3, NotYet, "20",
        "paths of a report");
    ("messageTracker.Enabled", Property, LenientBool, P3, NotYet, "false",
        "keep the last quorum packets to log them when a peer is lost");
    ("messageTracker.BufferSize", Property, LenientInt, P3, NotYet, "10",
        "packets that are kept");
    ("audit.enable", Property, LenientBool, P2, NotYet, "false",
        "audit log");
    ("audit.impl.class", Property, Text, P3, NotYet,
        "org.apache.zookeeper.audit.Slf4jAuditLogger",
        "where the audit log goes");
};
