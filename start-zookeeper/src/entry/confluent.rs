//! The variables of Confluent's cp-zookeeper, and servers between semicolons.
//!
//! Compat: it writes a line only for a variable that is set. Not so: without a client port it does
//! not start; here that is 2181.

use super::environment::Environment;
use super::family::{Line, text};
use super::zoo_cfg::Draft;

/// Behind `dataDir` and `dataLogDir`.
pub(super) const LINES: &[Line] = &[
    text("clientPort", "ZOOKEEPER_CLIENT_PORT", None),
    text("tickTime", "ZOOKEEPER_TICK_TIME", None),
    text("globalOutstandingLimit", "ZOOKEEPER_GLOBAL_OUTSTANDING_LIMIT", None),
    text("preAllocSize", "ZOOKEEPER_PRE_ALLOC_SIZE", None),
    text("snapCount", "ZOOKEEPER_SNAP_COUNT", None),
    text("maxClientCnxns", "ZOOKEEPER_MAX_CLIENT_CNXNS", None),
    text("clientPortAddress", "ZOOKEEPER_CLIENT_PORT_ADDRESS", None),
    text("minSessionTimeout", "ZOOKEEPER_MIN_SESSION_TIMEOUT", None),
    text("maxSessionTimeout", "ZOOKEEPER_MAX_SESSION_TIMEOUT", None),
    text("fsync.warningthresholdms", "ZOOKEEPER_FSYNC_WARNING_THRESHOLDMS", None),
    text("autopurge.snapRetainCount", "ZOOKEEPER_AUTOPURGE_SNAP_RETAIN_COUNT", None),
    text("autopurge.purgeInterval", "ZOOKEEPER_AUTOPURGE_PURGE_INTERVAL", None),
    text("syncEnabled", "ZOOKEEPER_SYNC_ENABLED", None),
    text("electionAlg", "ZOOKEEPER_ELECTION_ALG", None),
    text("initLimit", "ZOOKEEPER_INIT_LIMIT", None),
    text("leaderServes", "ZOOKEEPER_LEADER_SERVES", None),
    text("syncLimit", "ZOOKEEPER_SYNC_LIMIT", None),
    text("cnxTimeout", "ZOOKEEPER_CNX_TIMEOUT", None),
    text("forceSync", "ZOOKEEPER_FORCE_SYNC", None),
    text("jute.maxbuffer", "ZOOKEEPER_JUTE_MAX_BUFFER", None),
    text("skipACL", "ZOOKEEPER_SKIP_ACL", None),
    text("quorumListenOnAllIPs", "ZOOKEEPER_QUORUM_LISTEN_ON_ALL_IPS", None),
    text("secureClientPort", "ZOOKEEPER_SECURE_CLIENT_PORT", None),
    text("tcpKeepAlive", "ZOOKEEPER_TCP_KEEP_ALIVE", None),
    text("4lw.commands.whitelist", "ZOOKEEPER_4LW_COMMANDS_WHITELIST", None),
    text(
        "X509AuthenticationProvider.superUser",
        "ZOOKEEPER_X509_AUTHENTICATION_PROVIDER_SUPER_USER",
        None,
    ),
    text("ssl.authProvider", "ZOOKEEPER_SSL_AUTH_PROVIDER", None),
    text("ssl.clientAuth", "ZOOKEEPER_SSL_CLIENT_AUTH", None),
    text("ssl.keyStore.location", "ZOOKEEPER_SSL_KEYSTORE_LOCATION", None),
    text("ssl.keyStore.password", "ZOOKEEPER_SSL_KEYSTORE_PASSWORD", None),
    text("ssl.keyStore.type", "ZOOKEEPER_SSL_KEYSTORE_TYPE", None),
    text("ssl.trustStore.location", "ZOOKEEPER_SSL_TRUSTSTORE_LOCATION", None),
    text("ssl.trustStore.password", "ZOOKEEPER_SSL_TRUSTSTORE_PASSWORD", None),
    text("ssl.trustStore.type", "ZOOKEEPER_SSL_TRUSTSTORE_TYPE", None),
    text("ssl.enabledProtocols", "ZOOKEEPER_SSL_ENABLED_PROTOCOLS", None),
    text("ssl.ciphersuites", "ZOOKEEPER_SSL_CIPHER_SUITES", None),
    text("ssl.hostnameVerification", "ZOOKEEPER_SSL_HOSTNAME_VERIFICATION", None),
    text("ssl.crl", "ZOOKEEPER_SSL_CRL", None),
    text("ssl.ocsp", "ZOOKEEPER_SSL_OCPS", None),
    text("sslQuorum", "ZOOKEEPER_SSL_QUORUM", None),
    text("ssl.quorum.clientAuth", "ZOOKEEPER_SSL_QUORUM_CLIENT_AUTH", None),
    text("ssl.quorum.keyStore.location", "ZOOKEEPER_SSL_QUORUM_KEYSTORE_LOCATION", None),
    text("ssl.quorum.keyStore.password", "ZOOKEEPER_SSL_QUORUM_KEYSTORE_PASSWORD", None),
    text("ssl.quorum.keyStore.type", "ZOOKEEPER_SSL_QUORUM_KEYSTORE_TYPE", None),
    text("ssl.quorum.trustStore.location", "ZOOKEEPER_SSL_QUORUM_TRUSTSTORE_LOCATION", None),
    text("ssl.quorum.trustStore.password", "ZOOKEEPER_SSL_QUORUM_TRUSTSTORE_PASSWORD", None),
    text("ssl.quorum.trustStore.type", "ZOOKEEPER_SSL_QUORUM_TRUSTSTORE_TYPE", None),
    text("ssl.quorum.enabledProtocols", "ZOOKEEPER_SSL_QUORUM_ENABLED_PROTOCOLS", None),
    text("ssl.quorum.ciphersuites", "ZOOKEEPER_SSL_QUORUM_CIPHER_SUITES", None),
    text("ssl.quorum.hostnameVerification", "ZOOKEEPER_SSL_QUORUM_HOSTNAME_VERIFICATION", None),
    text("ssl.quorum.crl", "ZOOKEEPER_SSL_QUORUM_CRL", None),
    text("ssl.quorum.ocsp", "ZOOKEEPER_SSL_QUORUM_OCPS", None),
    text("serverCnxnFactory", "ZOOKEEPER_SERVER_CNXN_FACTORY", None),
    text("authProvider.x509", "ZOOKEEPER_AUTH_PROVIDER_X509", None),
    text("authProvider.sasl", "ZOOKEEPER_AUTH_PROVIDER_SASL", None),
    text("client.portUnification", "ZOOKEEPER_CLIENT_PORT_UNIFICATION", None),
    text("admin.enableServer", "ZOOKEEPER_ADMIN_ENABLE_SERVER", None),
    text("admin.serverAddress", "ZOOKEEPER_ADMIN_SERVER_ADDRESS", None),
    text("admin.serverPort", "ZOOKEEPER_ADMIN_SERVER_PORT", None),
    text("admin.idleTimeout", "ZOOKEEPER_ADMIN_IDLE_TIMEOUT", None),
    text("admin.commandURL", "ZOOKEEPER_ADMIN_COMMAND_URL", None),
];

pub(super) const OTHERS: &[&str] = &[
    "ZOOKEEPER_SERVER_ID",
    "ZOOKEEPER_SERVERS",
    "ZOOKEEPER_GROUPS",
    "ZOOKEEPER_WEIGHTS",
    "ZOOKEEPER_LOG4J_ROOT_LOGLEVEL",
];

pub(super) const UNNEEDED: &[(&str, &str)] = &[
    ("ZOOKEEPER_LOG4J_LOGGERS", "the level is that of ZOOKEEPER_LOG4J_ROOT_LOGLEVEL"),
    ("ZOOKEEPER_TOOLS_LOG4J_LOGLEVEL", "the tools have no log"),
    ("ZOOKEEPER_TRACE_FILE", "the server logs to its standard output"),
    ("ZOOKEEPER_CLIENT_CNXN_SOCKET", "it is a client's"),
    ("ZOOKEEPER_SERVER_CNXN_SOCKET", "there is one kind of socket here"),
    ("ZOOKEEPER_SSL_CONTEXT_SUPPLIER_CLASS", "there are no Java classes here"),
    ("ZOOKEEPER_SSL_QUORUM_CONTEXT_SUPPLIER_CLASS", "there are no Java classes here"),
    ("ZOOKEEPER_SSL_HANDSHAKE_DETECTION_TIMEOUT_MILLIS", "nothing has to be detected here"),
    ("ZOOKEEPER_SSL_QUORUM_HANDSHAKE_DETECTION_TIMEOUT_MILLIS", "nothing has to be detected here"),
];

/// Servers, groups and weights, and what its script adds for an ensemble.
pub(super) fn finish(draft: &mut Draft, environment: &Environment) {
    let is_set = |name: &str| environment.get(name).is_some();
    if !is_set("ZOOKEEPER_CLIENT_PORT") && !is_set("ZOOKEEPER_SECURE_CLIENT_PORT") {
        draft.caution("ZOOKEEPER_CLIENT_PORT is not set: clientPort=2181 is taken".to_owned());
        draft.line("clientPort", "2181", None);
    }
    if is_set("ZOOKEEPER_SERVERS") {
        for (key, name, value) in [
            ("initLimit", "ZOOKEEPER_INIT_LIMIT", "10"),
            ("syncLimit", "ZOOKEEPER_SYNC_LIMIT", "5"),
        ] {
            if !is_set(name) {
                draft.line(key, value, None);
            }
        }
    }
    for (prefix, name) in [
        ("server", "ZOOKEEPER_SERVERS"),
        ("group", "ZOOKEEPER_GROUPS"),
        ("weight", "ZOOKEEPER_WEIGHTS"),
    ] {
        let called = environment.called(name);
        let items = environment.get(name).unwrap_or_default().split(';').map(str::trim);
        for (at, item) in items.filter(|item| !item.is_empty()).enumerate() {
            draft.line(&format!("{prefix}.{}", at + 1), item, Some(&called));
        }
    }
}
