//! Settings of clients: ports, sessions, limits, four-letter words.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::error::Error;
use crate::keys::NETTY_FACTORY;
use crate::reader::Reader;
use crate::warning::Caution;

/// Where and how clients connect.
#[derive(Debug, Clone, PartialEq)]
pub struct Clients {
    /// `clientPort`, or the port of this server's own `server.N` line; `None` listens nowhere, 0
    /// lets the system choose.
    pub port: Option<u16>,
    /// `clientPortAddress`, or the host of this server's own line; `None` is all addresses.
    pub address: Option<String>,
    /// `advertisedClientAddress.enabled`: the client part of a member's line is where its clients connect,
    /// through whatever stands between; what this server opens is `clientPort`, which must be set.
    pub is_advertised: bool,
    /// `secureClientPort`: the TLS port.
    pub secure_port: Option<u16>,
    /// `secureClientPortAddress`; `None` is all addresses.
    pub secure_address: Option<String>,
    /// `clientPortListenBacklog`; `None` is the system's default.
    pub listen_backlog: Option<u32>,
    /// `serverCnxnFactory`: the name only, both serve both ports.
    pub cnxn_factory: CnxnFactory,
    /// `clientTcpKeepAlive`: SO_KEEPALIVE on client sockets.
    pub tcp_keep_alive: bool,
    /// `nio.sessionlessCnxnTimeout`: time a connection has to open a session.
    pub sessionless_timeout: Duration,
    /// `netty.server.outstandingHandshake.limit`: TLS handshakes in flight; `None` is unlimited.
    pub outstanding_handshake_limit: Option<u32>,
    /// `netty.server.earlyDropSecureConnectionHandshakes`: close TLS connections at once while
    /// not serving.
    pub early_drop_secure_handshakes: bool,
    /// `4lw.commands.whitelist`.
    pub four_letter_words: Whitelist,
}

/// The connection layer that the file names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CnxnFactory {
    /// Java's default.
    Nio,
    /// The one that Java needs for TLS.
    Netty,
}

impl Clients {
    pub(super) fn read(r: &mut Reader) -> Self {
        let factory = r.text("serverCnxnFactory");
        let port = client_port(r);
        let is_advertised = r.boolean(ADVERTISED);
        if is_advertised && port.is_none() {
            let (at, value) = (r.origin(ADVERTISED), true.to_string());
            r.refuse(Error::AddressWithoutPort {
                at,
                key: ADVERTISED,
                value,
                port_key: "clientPort",
            });
        }
        Self {
            port,
            is_advertised,
            address: address(r, "clientPortAddress", "clientPort"),
            secure_port: r.port("secureClientPort"),
            secure_address: address(r, "secureClientPortAddress", "secureClientPort"),
            listen_backlog: u32::try_from(r.int("clientPortListenBacklog")).ok(),
            cnxn_factory: match factory.as_str() {
                NETTY_FACTORY => CnxnFactory::Netty,
                _ => CnxnFactory::Nio,
            },
            tcp_keep_alive: r.boolean("clientTcpKeepAlive"),
            sessionless_timeout: r.millis("nio.sessionlessCnxnTimeout"),
            outstanding_handshake_limit: r.limit("netty.server.outstandingHandshake.limit"),
            early_drop_secure_handshakes: r
                .boolean("netty.server.earlyDropSecureConnectionHandshakes"),
            four_letter_words: Whitelist::read(r),
        }
    }
}

const ADVERTISED: &str = "advertisedClientAddress.enabled";

fn client_port(r: &mut Reader) -> Option<u16> {
    let port = r.port("clientPort");
    if port == Some(0) {
        r.odd("clientPort", "the system chooses a port that no client knows");
    }
    port
}

fn address(r: &mut Reader, key: &'static str, port_key: &'static str) -> Option<String> {
    let address = r.filled(key)?;
    if r.given(port_key).is_none() {
        let (at, value) = (r.origin(key), address.clone());
        r.refuse(Error::AddressWithoutPort { at, key, value, port_key });
    }
    Some(address)
}

/// The four-letter words that are answered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Whitelist {
    /// All that exist.
    All,
    /// These; `srvr` is always among them.
    Only(BTreeSet<String>),
}

impl Whitelist {
    fn read(r: &mut Reader) -> Self {
        let words = r.words("4lw.commands.whitelist");
        if r.given("4lw.commands.whitelist").is_some() && words.is_empty() {
            r.odd("4lw.commands.whitelist", "only srvr will be answered");
        }
        if words.iter().any(|word| word == "*") {
            return Self::All;
        }
        let mut words: BTreeSet<String> = words.into_iter().collect();
        // Compat: tools of the Java distribution rely on these two.
        words.insert("srvr".to_owned());
        if r.boolean("readonlymode.enabled") {
            words.insert("isro".to_owned());
        }
        Self::Only(words)
    }

    /// Whether `word` is answered.
    pub fn allows(&self, word: &str) -> bool {
        match self {
            Self::All => true,
            Self::Only(words) => words.contains(word),
        }
    }
}

/// Limits of session timeouts, and local sessions.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sessions {
    /// `minSessionTimeout` in milliseconds.
    pub min_timeout_ms: u32,
    /// `maxSessionTimeout` in milliseconds.
    pub max_timeout_ms: u32,
    /// `localSessionsEnabled`: sessions live on their own server only.
    pub local_enabled: bool,
    /// `localSessionsUpgradingEnabled`: an ephemeral makes a local session global.
    pub local_upgrading_enabled: bool,
}

impl Sessions {
    /// Without a tick, whose fault was reported, the limits are whatever is set.
    pub(super) fn read(r: &mut Reader, tick_time_ms: Option<u32>) -> Self {
        let (min_key, max_key) = ("minSessionTimeout", "maxSessionTimeout");
        let ticks =
            |count, otherwise| tick_time_ms.map_or(otherwise, |tick| count * i64::from(tick));
        let min = session_limit(r, min_key, ticks(2, 0));
        let max = session_limit(r, max_key, ticks(20, i64::MAX));
        if min > max {
            let set = |key| r.given(key).is_some();
            let key = if set(max_key) && !set(min_key) { max_key } else { min_key };
            let at = r.origin(key);
            r.refuse(Error::SessionTimeouts { at, key, min, max });
        }
        let millis = |limit: i64| u32::try_from(limit.max(0)).unwrap_or(u32::MAX);
        Self {
            min_timeout_ms: millis(min),
            max_timeout_ms: millis(max),
            local_enabled: r.boolean("localSessionsEnabled"),
            local_upgrading_enabled: r.boolean("localSessionsUpgradingEnabled"),
        }
    }
}

fn session_limit(r: &mut Reader, key: &'static str, default: i64) -> i64 {
    match r.long(key) {
        -1 => {
            r.settle(key, default);
            default
        }
        limit => limit,
    }
}

/// What clients may use up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Limits {
    /// `maxClientCnxns`: connections of one client address; `None` is unlimited.
    pub max_client_cnxns: Option<u32>,
    /// `maxCnxns`: client connections in all; `None` is unlimited.
    pub max_cnxns: Option<u32>,
    /// `globalOutstandingLimit`: requests in flight.
    pub global_outstanding_limit: u32,
    /// `jute.maxbuffer`: bytes of the largest packet.
    pub jute_maxbuffer: u32,
    /// `jute.maxbuffer.extrasize`: bytes that records from log and peers may have on top.
    pub jute_maxbuffer_extrasize: u32,
    /// `largeRequestMaxBytes`: bytes of large requests in flight.
    pub large_request_max_bytes: u32,
    /// `largeRequestThreshold`: bytes above which a request is large; `None` is never.
    pub large_request_threshold: Option<u32>,
}

impl Limits {
    pub(super) fn read(r: &mut Reader) -> Self {
        if r.int("maxClientCnxns") < 0 {
            r.odd("maxClientCnxns", "a negative number is unlimited; write 0");
        }
        if r.int("maxCnxns") < 0 {
            r.replace("maxCnxns", 0, "0 is unlimited");
        }
        // Compat: Java starts with such a value and then refuses every packet.
        let jute_maxbuffer = r.at_least_or_default("jute.maxbuffer", 1, "no packet would fit");
        if r.long_if_set("jute.maxbuffer.extrasize").is_none() {
            r.settle("jute.maxbuffer.extrasize", jute_maxbuffer);
        }
        let extrasize = r.long_if_set("jute.maxbuffer.extrasize").unwrap_or(jute_maxbuffer.into());
        Self {
            max_client_cnxns: r.limit("maxClientCnxns"),
            max_cnxns: r.limit("maxCnxns"),
            global_outstanding_limit: r.count("globalOutstandingLimit"),
            jute_maxbuffer,
            // Compat: Java has this lower limit.
            jute_maxbuffer_extrasize: u32::try_from(extrasize.max(1024)).unwrap_or(u32::MAX),
            large_request_max_bytes: r.at_least_or_default(
                "largeRequestMaxBytes",
                1,
                "no large request would fit",
            ),
            large_request_threshold: r.limit("largeRequestThreshold"),
        }
    }
}

/// Says that no client can connect, if so.
pub(super) fn warn_without_port(r: &mut Reader, clients: &Clients) {
    if clients.port.is_none() {
        r.warn("clientPort", Caution::NoClientPort);
    }
}
