//! Chapters 7.2 and 7.8: client connections, throttling, four-letter words.

use super::Key;
use super::Kind::{Class, Double, LenientBool, LenientInt, LenientLong, Words};
use super::State::{Honoured, ManualName, NoEffect, NotYet};

/// The default connection layer; here a name only.
const NIO_FACTORY: &str = "org.apache.zookeeper.server.NIOServerCnxnFactory";
/// The connection layer that Java needs for TLS; here a name only.
pub(crate) const NETTY_FACTORY: &str = "org.apache.zookeeper.server.NettyServerCnxnFactory";

pub(super) const KEYS: &[Key] = super::rows! { "7.2":
    ("serverCnxnFactory", Property, Class(&[NIO_FACTORY, NETTY_FACTORY]), P1, Honoured,
        "org.apache.zookeeper.server.NIOServerCnxnFactory",
        "connection layer of Java; both names are taken and do the same");
    ("maxCnxns", Property, LenientInt, P2, Honoured, "0",
        "client connections in all; 0 is unlimited");
    ("globalOutstandingLimit", Property, LenientInt, P1, Honoured, "1000",
        "requests in flight above which busy connections are not read");
    ("clientTcpKeepAlive", Property, LenientBool, P2, Honoured, "false",
        "SO_KEEPALIVE on client sockets");
    ("nio.sessionlessCnxnTimeout", Property, LenientInt, P2, Honoured, "10000",
        "ms after which a connection without a session is closed");
    ("nio.numSelectorThreads", Property, LenientInt, P3, NoEffect, "",
        "threads that wait for sockets");
    ("nio.numWorkerThreads", Property, LenientInt, P3, NoEffect, "",
        "threads that read and write sockets");
    ("nio.directBufferBytes", Property, LenientInt, P3, NoEffect, "65536",
        "bytes of a write buffer");
    ("nio.shutdownTimeout", Property, LenientLong, P3, NoEffect, "5000",
        "ms the socket threads have to stop");
    ("intBufferStartingSizeBytes", Property, LenientInt, P3, NoEffect, "1024",
        "bytes of a buffer for requests; at least 32");
    ("netty.advancedFlowControl.enabled", Property, LenientBool, P3, NoEffect, "false",
        "stop reading while requests wait");
    ("netty.server.outstandingHandshake.limit", Property, LenientInt, P2, NotYet, "-1",
        "TLS handshakes in flight; -1 is unlimited");
    ("netty.server.earlyDropSecureConnectionHandshakes", Property, LenientBool, P3, NotYet, "false",
        "close TLS connections at once while not serving");
    ("maxResponseCacheSize", Property, LenientInt, P3, NoEffect, "400",
        "answers to getData kept in their wire form");
    ("maxGetChildrenResponseCacheSize", Property, LenientInt, P3, NoEffect, "400",
        "answers to getChildren kept in their wire form");
    ("largeRequestMaxBytes", Property, LenientInt, P3, NotYet, "104857600",
        "bytes of large requests in flight");
    ("largeRequestThreshold", Property, LenientInt, P3, NotYet, "-1",
        "bytes above which a request is large; -1 is never");
    ("request_throttle_max_requests", Property, LenientInt, P3, NotYet, "0",
        "requests in flight above which new ones are stalled; 0 is off");
    ("request_throttle_stall_time", Property, LenientInt, P3, NotYet, "100",
        "ms a request is stalled at a time");
    ("request_throttle_drop_stale", Property, LenientBool, P3, NotYet, "true",
        "drop requests that are stale before they are worked on");
    ("request_stale_connection_check", Property, LenientBool, P3, NotYet, "true",
        "requests of a closed connection are stale");
    ("request_stale_latency_check", Property, LenientBool, P3, NotYet, "false",
        "requests older than the session timeout are stale");
    ("request_throttler.shutdownTimeout", Property, LenientInt, P3, NotYet, "10000",
        "ms in which stalled requests are still worked on at the end");
    ("throttled_op_wait_time", Property, LenientInt, P3, NotYet, "0",
        "ms of waiting after which a request is refused; 0 is off");
    ("connection_throttle_tokens", Property, LenientInt, P3, NotYet, "0",
        "tokens for new connections; 0 is off");
    ("connection_throttle_fill_time", Property, LenientInt, P3, NotYet, "1",
        "ms after which tokens are added");
    ("connection_throttle_fill_count", Property, LenientInt, P3, NotYet, "1",
        "tokens that are added");
    ("connection_throttle_freeze_time", Property, LenientInt, P3, NotYet, "-1",
        "ms between changes of the drop probability; -1 never drops");
    ("connection_throttle_drop_increase", Property, Double, P3, NotYet, "0.02",
        "step by which the drop probability grows");
    ("connection_throttle_drop_decrease", Property, Double, P3, NotYet, "0.002",
        "step by which the drop probability shrinks");
    ("connection_throttle_decrease_ratio", Property, Double, P3, NotYet, "0",
        "share of used tokens below which the drop probability shrinks");
    ("connection_throttle_weight_enabled", Property, LenientBool, P3, NotYet, "false",
        "kinds of sessions cost different numbers of tokens");
    ("connection_throttle_global_session_weight", Property, LenientInt, P3, NotYet, "3",
        "tokens of a global session");
    ("connection_throttle_local_session_weight", Property, LenientInt, P3, NotYet, "1",
        "tokens of a local session");
    ("connection_throttle_renew_session_weight", Property, LenientInt, P3, NotYet, "2",
        "tokens of a session that reconnects");
    ("4lw.commands.whitelist", Property, Words, P1, Honoured, "",
        "four-letter words that are answered, * for all; srvr always is");
    // Names that the manual prints and nothing reads.
    ("connectionMaxTokens", Property, LenientInt, P3,
        ManualName("connection_throttle_tokens"), "", "see there");
    ("connectionTokenFillTime", Property, LenientInt, P3,
        ManualName("connection_throttle_fill_time"), "", "see there");
    ("connectionTokenFillCount", Property, LenientInt, P3,
        ManualName("connection_throttle_fill_count"), "", "see there");
    ("connectionFreezeTime", Property, LenientInt, P3,
        ManualName("connection_throttle_freeze_time"), "", "see there");
    ("connectionDropIncrease", Property, Double, P3,
        ManualName("connection_throttle_drop_increase"), "", "see there");
    ("connectionDropDecrease", Property, Double, P3,
        ManualName("connection_throttle_drop_decrease"), "", "see there");
    ("connectionDecreaseRatio", Property, Double, P3,
        ManualName("connection_throttle_decrease_ratio"), "", "see there");
    ("requestThrottleLimit", Property, LenientInt, P3,
        ManualName("request_throttle_max_requests"), "", "see there");
    ("requestThrottleStallTime", Property, LenientInt, P3,
        ManualName("request_throttle_stall_time"), "", "see there");
    ("requestThrottleDropStale", Property, LenientBool, P3,
        ManualName("request_throttle_drop_stale"), "", "see there");
    ("requestStaleLatencyCheck", Property, LenientBool, P3,
        ManualName("request_stale_latency_check"), "", "see there");
    ("requestStaleConnectionCheck", Property, LenientBool, P3,
        ManualName("request_stale_connection_check"), "", "see there");
    ("throttledOpWaitTime", Property, LenientInt, P3,
        ManualName("throttled_op_wait_time"), "", "see there");
    ("advancedFlowControlEnabled", Property, LenientBool, P3,
        ManualName("netty.advancedFlowControl.enabled"), "", "see there");
    ("outstandingHandshake.limit", Property, LenientInt, P3,
        ManualName("netty.server.outstandingHandshake.limit"), "", "see there");
};
