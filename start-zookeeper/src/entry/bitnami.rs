//! Bitnami's variables, and servers in its form, `host:port:port[:observer][::id]`.
//!
//! Compat: its defaults, so that a volume gets the server that it had. A list of one server is a
//! standalone server, as it is there.

use super::environment::Environment;
use super::family::{Line, text, yes_no};
use super::problem::EntryProblem;
use super::zoo_cfg::Draft;

/// Behind `dataDir`, and `dataLogDir` where it is asked for.
pub(super) const LINES: &[Line] = &[
    text("tickTime", "ZOO_TICK_TIME", Some("2000")),
    text("initLimit", "ZOO_INIT_LIMIT", Some("10")),
    text("syncLimit", "ZOO_SYNC_LIMIT", Some("5")),
    text("preAllocSize", "ZOO_PRE_ALLOC_SIZE", Some("65536")),
    text("snapCount", "ZOO_SNAPCOUNT", Some("100000")),
    text("clientPort", "ZOO_PORT_NUMBER", Some("2181")),
    text("maxCnxns", "ZOO_MAX_CNXNS", Some("0")),
    text("maxClientCnxns", "ZOO_MAX_CLIENT_CNXNS", Some("60")),
    yes_no("reconfigEnabled", "ZOO_RECONFIG_ENABLED", "no"),
    yes_no("quorumListenOnAllIPs", "ZOO_LISTEN_ALLIPS_ENABLED", "no"),
    text("autopurge.purgeInterval", "ZOO_AUTOPURGE_INTERVAL", Some("0")),
    text("autopurge.snapRetainCount", "ZOO_AUTOPURGE_RETAIN_COUNT", Some("3")),
    text("4lw.commands.whitelist", "ZOO_4LW_COMMANDS_WHITELIST", Some("srvr, mntr")),
    text("maxSessionTimeout", "ZOO_MAX_SESSION_TIMEOUT", Some("40000")),
    text("admin.serverAddress", "ZOO_ADMIN_SERVER_ADDRESS", Some("127.0.0.1")),
    text("admin.serverPort", "ZOO_ADMIN_SERVER_PORT_NUMBER", Some("8080")),
    yes_no("admin.enableServer", "ZOO_ENABLE_ADMIN_SERVER", "no"),
    text("peerType", "ZOO_PEER_TYPE", None),
];

pub(super) const OTHERS: &[&str] = &[
    "ZOO_DATA_DIR",
    "ZOO_DATA_LOG_DIR",
    "ZOO_CONF_DIR",
    "ZOO_SERVERS",
    "ZOO_SERVER_ID",
    "ZOO_LOG_LEVEL",
    "ZOO_ENABLE_PROMETHEUS_METRICS",
    "ZOO_PROMETHEUS_METRICS_PORT_NUMBER",
    "ZOO_ENABLE_AUTH",
    "ZOO_ENABLE_QUORUM_AUTH",
    "ZOO_CLIENT_USER",
    "ZOO_CLIENT_PASSWORD",
    "ZOO_SERVER_USERS",
    "ZOO_SERVER_PASSWORDS",
    "ZOO_QUORUM_LEARNER_USER",
    "ZOO_QUORUM_LEARNER_PASSWORD",
    "ZOO_QUORUM_SERVER_USERS",
    "ZOO_QUORUM_SERVER_PASSWORDS",
    "ZOO_TLS_CLIENT_ENABLE",
    "ZOO_TLS_PORT_NUMBER",
    "ZOO_TLS_CLIENT_AUTH",
    "ZOO_TLS_CLIENT_KEYSTORE_FILE",
    "ZOO_TLS_CLIENT_KEYSTORE_TYPE",
    "ZOO_TLS_CLIENT_KEYSTORE_PASSWORD",
    "ZOO_TLS_CLIENT_TRUSTSTORE_FILE",
    "ZOO_TLS_CLIENT_TRUSTSTORE_TYPE",
    "ZOO_TLS_CLIENT_TRUSTSTORE_PASSWORD",
    "ZOO_TLS_QUORUM_ENABLE",
    "ZOO_TLS_QUORUM_CLIENT_AUTH",
    "ZOO_TLS_QUORUM_KEYSTORE_FILE",
    "ZOO_TLS_QUORUM_KEYSTORE_TYPE",
    "ZOO_TLS_QUORUM_KEYSTORE_PASSWORD",
    "ZOO_TLS_QUORUM_TRUSTSTORE_FILE",
    "ZOO_TLS_QUORUM_TRUSTSTORE_TYPE",
    "ZOO_TLS_QUORUM_TRUSTSTORE_PASSWORD",
];

pub(super) const UNNEEDED: &[(&str, &str)] = &[
    ("ZOO_HEAP_SIZE", "memory follows the data, there is no heap to size"),
    ("ZOO_LOG_DIR", "the server logs to its standard output"),
    ("ZOO_HC_TIMEOUT", "zookeeper-ready has a --timeout of its own"),
    ("ZOO_FIPS_MODE", "there is no such mode here"),
    ("ALLOW_ANONYMOUS_LOGIN", "it asks for what is so anyway"),
    ("ALLOW_EMPTY_PASSWORD", "it asks for what is so anyway"),
];

/// Any key: `ZOO_CFG_a_b` is `a.b`. One name of this form is the official image's.
pub(super) fn key_of(variable: &str) -> Option<String> {
    let key = variable.strip_prefix("ZOO_CFG_")?;
    let is_key = !key.is_empty() && key != "EXTRA" && !key.ends_with("_FILE");
    is_key.then(|| key.replace('_', "."))
}

/// Servers, metrics, TLS and the keys that were given one by one.
pub(super) fn finish(draft: &mut Draft, environment: &Environment) {
    servers(draft, environment);
    for name in ["ZOO_ENABLE_AUTH", "ZOO_ENABLE_QUORUM_AUTH"] {
        if draft.asks_for(environment, name) {
            draft.problem(EntryProblem::Sasl { variable: environment.called(name) });
        }
    }
    if draft.asks_for(environment, "ZOO_ENABLE_PROMETHEUS_METRICS") {
        let asks = environment.source("ZOO_ENABLE_PROMETHEUS_METRICS");
        draft.line("metricsProvider.className", PROMETHEUS, asks);
        let name = "ZOO_PROMETHEUS_METRICS_PORT_NUMBER";
        let port = environment.get(name).unwrap_or("7000");
        draft.line("metricsProvider.httpPort", port, environment.source(name));
    }
    tls(draft, environment);
    let names: Vec<String> = environment.names().map(str::to_owned).collect();
    for name in names {
        if let (Some(key), Some(value)) = (key_of(&name), environment.get(&name)) {
            draft.line(&key, value, environment.source(&name));
        }
    }
}

/// Compat: a listed server without an id has its place in the list, from 1; with `::id` in any of
/// them, all must have one.
fn servers(draft: &mut Draft, environment: &Environment) {
    let called = environment.called("ZOO_SERVERS");
    let list = environment.get("ZOO_SERVERS").unwrap_or_default();
    let words: Vec<_> =
        list.split([';', ',', ' ', '\n', '\t']).filter(|word| !word.is_empty()).collect();
    if words.len() < 2 {
        return;
    }
    let has_ids = list.contains("::");
    let port = environment.get("ZOO_PORT_NUMBER").unwrap_or("2181").to_owned();
    for (at, word) in words.iter().enumerate() {
        let (server, id) = match word.rsplit_once("::").filter(|_| has_ids) {
            Some((server, id)) => (server, id.parse().ok()),
            None => (*word, (!has_ids).then_some(at + 1)),
        };
        match id.filter(|_| server.contains(':')) {
            Some(id) => {
                draft.line(&format!("server.{id}"), &format!("{server};{port}"), Some(&called));
            }
            None => draft.problem(EntryProblem::Server {
                variable: called.clone(),
                word: (*word).to_owned(),
                example: if has_ids { "zk1:2888:3888::1" } else { "zk1:2888:3888" },
            }),
        }
    }
}

fn tls(draft: &mut Draft, environment: &Environment) {
    if draft.asks_for(environment, "ZOO_TLS_CLIENT_ENABLE") {
        // The port for everyone is closed, as there.
        draft.remove("clientPort");
        for (key, name, default) in TLS_CLIENT {
            let value = environment.get(name).or(*default);
            if let Some(value) = value {
                draft.line(key, value, environment.source(name));
            }
        }
    }
    if draft.asks_for(environment, "ZOO_TLS_QUORUM_ENABLE") {
        draft.line("sslQuorum", "true", environment.source("ZOO_TLS_QUORUM_ENABLE"));
        for (key, name, default) in TLS_QUORUM {
            let value = environment.get(name).or(*default);
            if let Some(value) = value {
                draft.line(key, value, environment.source(name));
            }
        }
    }
}

const PROMETHEUS: &str = "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";

type TlsLine = (&'static str, &'static str, Option<&'static str>);

const TLS_CLIENT: &[TlsLine] = &[
    ("secureClientPort", "ZOO_TLS_PORT_NUMBER", Some("3181")),
    ("ssl.clientAuth", "ZOO_TLS_CLIENT_AUTH", Some("need")),
    ("ssl.keyStore.location", "ZOO_TLS_CLIENT_KEYSTORE_FILE", None),
    ("ssl.keyStore.type", "ZOO_TLS_CLIENT_KEYSTORE_TYPE", None),
    ("ssl.keyStore.password", "ZOO_TLS_CLIENT_KEYSTORE_PASSWORD", None),
    ("ssl.trustStore.location", "ZOO_TLS_CLIENT_TRUSTSTORE_FILE", None),
    ("ssl.trustStore.type", "ZOO_TLS_CLIENT_TRUSTSTORE_TYPE", None),
    ("ssl.trustStore.password", "ZOO_TLS_CLIENT_TRUSTSTORE_PASSWORD", None),
];

const TLS_QUORUM: &[TlsLine] = &[
    ("ssl.quorum.clientAuth", "ZOO_TLS_QUORUM_CLIENT_AUTH", Some("need")),
    ("ssl.quorum.keyStore.location", "ZOO_TLS_QUORUM_KEYSTORE_FILE", None),
    ("ssl.quorum.keyStore.type", "ZOO_TLS_QUORUM_KEYSTORE_TYPE", None),
    ("ssl.quorum.keyStore.password", "ZOO_TLS_QUORUM_KEYSTORE_PASSWORD", None),
    ("ssl.quorum.trustStore.location", "ZOO_TLS_QUORUM_TRUSTSTORE_FILE", None),
    ("ssl.quorum.trustStore.type", "ZOO_TLS_QUORUM_TRUSTSTORE_TYPE", None),
    ("ssl.quorum.trustStore.password", "ZOO_TLS_QUORUM_TRUSTSTORE_PASSWORD", None),
];
