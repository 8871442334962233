//! The Docker official image's variables, and the servers and extras as it writes them.
//!
//! Compat: lines, their order and their defaults are those of its script, since people compare files
//! and a later line beats an earlier one. Not so: words are not taken for file names, and a value with
//! line breaks is split at these only, so that a word may hold a blank.

use super::environment::Environment;
use super::family::{Line, text};
use super::zoo_cfg::Draft;

/// Behind `dataDir` and `dataLogDir`.
pub(super) const LINES: &[Line] = &[
    text("tickTime", "ZOO_TICK_TIME", Some("2000")),
    text("initLimit", "ZOO_INIT_LIMIT", Some("5")),
    text("syncLimit", "ZOO_SYNC_LIMIT", Some("2")),
    text("autopurge.snapRetainCount", "ZOO_AUTOPURGE_SNAPRETAINCOUNT", Some("3")),
    text("autopurge.purgeInterval", "ZOO_AUTOPURGE_PURGEINTERVAL", Some("0")),
    text("maxClientCnxns", "ZOO_MAX_CLIENT_CNXNS", Some("60")),
    text("standaloneEnabled", "ZOO_STANDALONE_ENABLED", Some("true")),
    text("admin.enableServer", "ZOO_ADMINSERVER_ENABLED", Some("true")),
];

/// The whitelist stands behind the servers.
const WHITELIST: &str = "ZOO_4LW_COMMANDS_WHITELIST";

pub(super) const OTHERS: &[&str] = &[
    "ZOO_DATA_DIR",
    "ZOO_DATA_LOG_DIR",
    "ZOO_CONF_DIR",
    "ZOO_SERVERS",
    WHITELIST,
    "ZOO_CFG_EXTRA",
    "ZOO_MY_ID",
    "ZOO_LOG4J_PROP",
    "ZOO_LOG_LEVEL",
];

pub(super) const UNNEEDED: &[(&str, &str)] = &[
    ("ZOO_LOG_DIR", "the server logs to its standard output"),
    ("ZOO_LOG_FILE", "the server logs to its standard output"),
    ("ZK_SERVER_HEAP", "memory follows the data, there is no heap to size"),
    ("ZK_CLIENT_HEAP", "there is no heap to size"),
    ("ZOOPIDFILE", "the server is the container's own process"),
    ("ZOO_NOEXEC", "the server is the container's own process"),
    ("ZOO_DATADIR_AUTOCREATE_DISABLE", "give -Dzookeeper.datadir.autocreate=false in JVMFLAGS"),
];

/// What the script writes when nobody says who the servers are.
const ALONE: &str = "server.1=localhost:2888:3888;2181";

/// Servers, whitelist and extras.
pub(super) fn finish(draft: &mut Draft, environment: &Environment) {
    let servers = environment.get("ZOO_SERVERS").unwrap_or(ALONE);
    let called = environment.called("ZOO_SERVERS");
    let mut has_client_port = false;
    for word in words(servers) {
        let (bare, is_joined) = match word.strip_suffix(',') {
            Some(bare) => (bare, true),
            None => (word, word.contains(",server.")),
        };
        if is_joined {
            draft.caution(format!(
                "{called}: servers stand between blanks, not commas; taken anyway"
            ));
        }
        for server in bare.split(",server.").enumerate().map(|(at, part)| match at {
            0 => part.to_owned(),
            _ => format!("server.{part}"),
        }) {
            has_client_port |= server.contains(';');
            draft.raw(environment.source("ZOO_SERVERS"), &server);
        }
    }
    if let Some(whitelist) = environment.get(WHITELIST) {
        draft.line("4lw.commands.whitelist", whitelist, environment.source(WHITELIST));
    }
    let extras = environment.get("ZOO_CFG_EXTRA").unwrap_or_default();
    for word in words(extras) {
        has_client_port |= word.starts_with("clientPort") || word.starts_with("secureClientPort");
        draft.raw(environment.source("ZOO_CFG_EXTRA"), word);
    }
    if !has_client_port {
        let why = "no server has a client port behind a semicolon, so clientPort=2181 is added";
        draft.caution(format!("ZOO_SERVERS: {why}"));
        draft.line("clientPort", "2181", None);
    }
}

/// What a text with line breaks has in its lines, and any other between blanks.
fn words(text: &str) -> Vec<&str> {
    let text = text.trim();
    let words: Vec<_> = match text.contains('\n') {
        true => text.lines().map(str::trim).collect(),
        false => text.split_whitespace().collect(),
    };
    words.into_iter().filter(|word| !word.is_empty()).collect()
}
