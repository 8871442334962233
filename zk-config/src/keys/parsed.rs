//! Chapter 3: the keys that the Java parser stores itself.
//!
//! They are set in the file only and never become system properties.

use super::Key;
use super::Kind::{
    Bool, Group, Int, LenientBool, LenientInt, Long, MetricsProvider, OneOf, Path, Port, Server,
    Text, Weight,
};
use super::State::{Honoured, NoEffect, NotYet};

/// Class of the metrics provider that `mntr` and the admin server print from.
const DEFAULT_PROVIDER: &str = "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider";
/// Class of the metrics provider that keeps nothing.
pub(crate) const NULL_PROVIDER: &str = "org.apache.zookeeper.metrics.impl.NullMetricsProvider";
/// Class of the metrics provider with an HTTP endpoint.
pub(crate) const PROMETHEUS_PROVIDER: &str =
    "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";

const PROVIDERS: &[&str] = &[DEFAULT_PROVIDER, NULL_PROVIDER, PROMETHEUS_PROVIDER];

pub(super) const KEYS: &[Key] = super::rows! { "3":
    // Storage and clients.
    ("dataDir", File, Path, P1, Honoured, "",
        "folder of snapshots, epoch files and myid");
    ("dataLogDir", File, Path, P1, Honoured, "",
        "folder of the txn log; dataDir if not set");
    ("clientPort", File, Port, P1, Honoured, "",
        "plaintext client port; 0 lets the system choose");
    ("clientPortAddress", File, Text, P1, Honoured, "",
        "address the client port is bound to; all if not set");
    ("advertisedClientAddress.enabled", Property, LenientBool, P2, Honoured, "false",
        "clients are told the address behind the ; of a server.N line; clientPort is opened");
    ("secureClientPort", File, Port, P1, NotYet, "",
        "TLS client port");
    ("secureClientPortAddress", File, Text, P2, NotYet, "",
        "address the TLS client port is bound to; all if not set");
    ("maxClientCnxns", File, Int, P1, Honoured, "60",
        "connections of one client address; 0 is unlimited");
    ("clientPortListenBacklog", File, Int, P3, Honoured, "-1",
        "connections the system keeps before they are accepted; -1 is its default");
    ("minSessionTimeout", File, Int, P1, Honoured, "-1",
        "lower limit of session timeouts in ms; -1 is 2 ticks");
    ("maxSessionTimeout", File, Int, P1, Honoured, "-1",
        "upper limit of session timeouts in ms; -1 is 20 ticks");
    ("localSessionsEnabled", File, Bool, P2, Honoured, "false",
        "sessions that only their own server knows");
    ("localSessionsUpgradingEnabled", File, Bool, P2, Honoured, "false",
        "a local session becomes global when it creates an ephemeral");
    // Timing and quorum.
    ("tickTime", File, Int, P1, Honoured, "3000",
        "base unit of time in ms");
    ("initLimit", File, Int, P1, Honoured, "0",
        "ticks a learner has to connect and sync; required in an ensemble");
    ("syncLimit", File, Int, P1, Honoured, "0",
        "ticks of silence after which a learner is dropped; required in an ensemble");
    ("connectToLearnerMasterLimit", File, Int, P3, NotYet, "0",
        "ticks a learner has to connect; 0 is initLimit");
    ("electionAlg", File, Int, P2, Honoured, "3",
        "election algorithm; there is only one left");
    ("peerType", File, OneOf(&["participant", "observer"]), P2, Honoured, "participant",
        "role of this server");
    ("syncEnabled", File, Bool, P3, NotYet, "true",
        "an observer keeps a log and snapshots");
    ("standaloneEnabled", File, Bool, P1, Honoured, "true",
        "one member runs without an ensemble");
    ("quorumListenOnAllIPs", Property, Bool, P1, Honoured, "false",
        "quorum and election ports are bound to all addresses");
    ("observerMasterPort", File, Int, P3, Honoured, "0",
        "port on which a follower takes observers; 0 is none");
    ("quorum.cnxn.threads.size", File, Int, P3, NoEffect, "20",
        "threads that connect to peers");
    ("oraclePath", File, Path, P3, NotYet, "",
        "file that decides whether one of two servers may lead alone");
    // Maintenance.
    ("autopurge.snapRetainCount", File, Int, P1, Honoured, "3",
        "snapshots that are kept, with the logs they need; at least 3");
    ("autopurge.purgeInterval", File, Int, P1, Honoured, "0",
        "hours between purges; 0 never purges");
    ("jvm.pause.monitor", File, Bool, P3, NoEffect, "false",
        "log pauses of the Java machine");
    ("jvm.pause.sleep.time.ms", File, Long, P3, NoEffect, "500",
        "ms between two looks of the pause monitor");
    ("jvm.pause.info-threshold.ms", File, Long, P3, NoEffect, "1000",
        "ms of a pause that is logged");
    ("jvm.pause.warn-threshold.ms", File, Long, P3, NoEffect, "10000",
        "ms of a pause that is warned about");
    // Reconfiguration and membership.
    ("reconfigEnabled", File, Bool, P1, Honoured, "false",
        "the reconfig operation, and writing the dynamic file");
    ("dynamicConfigFile", File, Path, P1, Honoured, "",
        "file of the server, group and weight keys");
    ("server.", File, Server, P1, Honoured, "",
        "a member: host:quorumPort:electionPort[:role][;[host:]clientPort]");
    ("group", File, Group, P3, Honoured, "",
        "group.N=a:b:c, the members of a group of a hierarchical quorum");
    ("weight", File, Weight, P3, Honoured, "",
        "weight.N, the votes of member N in its group; 1 if not set");
    // Multiple addresses. Java reads the first from the system property only.
    ("multiAddress.enabled", Property, LenientBool, P3, Honoured, "false",
        "several addresses a member, separated by |");
    ("multiAddress.reachabilityCheckEnabled", Property, LenientBool, P3, NotYet, "true",
        "probe the addresses before use");
    ("multiAddress.reachabilityCheckTimeoutMs", Property, LenientInt, P3, NotYet, "1000",
        "ms until a probe has failed");
    // TLS and quorum authentication switches.
    ("sslQuorum", File, Bool, P1, NotYet, "false",
        "TLS on quorum and election ports");
    ("portUnification", File, Bool, P2, NotYet, "false",
        "quorum and election ports take both TLS and plaintext");
    ("sslQuorumReloadCertFiles", File, Bool, P2, NotYet, "false",
        "reload the quorum stores when they change");
    ("quorum.auth.enableSasl", File, Bool, P2, NotYet, "false",
        "SASL between servers");
    ("quorum.auth.learnerRequireSasl", File, Bool, P2, NotYet, "false",
        "a learner talks to authenticated servers only");
    ("quorum.auth.serverRequireSasl", File, Bool, P2, NotYet, "false",
        "a server takes authenticated learners only");
    ("quorum.auth.learner.saslLoginContext", File, Text, P3, NotYet, "QuorumLearner",
        "JAAS section of a learner");
    ("quorum.auth.server.saslLoginContext", File, Text, P3, NotYet, "QuorumServer",
        "JAAS section of a server");
    ("quorum.auth.kerberos.servicePrincipal", File, Text, P3, NotYet, "zkquorum/localhost",
        "Kerberos principal; _HOST is the peer's host");
    // Metrics provider.
    ("metricsProvider.className", File, MetricsProvider(PROVIDERS), P1, Honoured,
        "org.apache.zookeeper.metrics.impl.DefaultMetricsProvider",
        "where metrics go");
    ("metricsProvider.httpPort", File, Port, P1, Honoured, "7000",
        "Prometheus: port");
    ("metricsProvider.httpHost", File, Text, P1, Honoured, "0.0.0.0",
        "Prometheus: address the port is bound to");
    ("metricsProvider.exportJvmInfo", File, LenientBool, P2, NotYet, "true",
        "Prometheus: metrics of the process too");
    ("metricsProvider.numWorkerThreads", File, LenientInt, P3, NoEffect, "1",
        "Prometheus: threads that feed summaries");
    ("metricsProvider.maxQueueSize", File, LenientInt, P3, NoEffect, "1000000",
        "Prometheus: samples waiting for those threads");
    ("metricsProvider.workerShutdownTimeoutMs", File, LenientInt, P3, NoEffect, "1000",
        "Prometheus: ms those threads have to stop");
};
