//! Chapters 7.7 and 7.9: the admin server, names that are no server settings, and ours.

use super::Key;
use super::Kind::{
    Int, LenientBool, LenientInt, LenientOneOf, LenientPort, OffIfFalse, Path, Text,
};
use super::State::{Honoured, NoEffect, NotYet};

/// Words of the log level, as Java's logging libraries spell them.
const LEVELS: &[&str] = &["TRACE", "ALL", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "OFF"];

pub(super) const KEYS: &[Key] = super::rows! { "7.7":
    ("admin.enableServer", Property, OffIfFalse, P1, Honoured, "true",
        "HTTP server with commands for operators");
    ("admin.serverPort", Property, LenientPort, P1, NotYet, "8080",
        "its port");
    ("admin.serverAddress", Property, Text, P1, NotYet, "0.0.0.0",
        "address the port is bound to");
    ("admin.commandURL", Property, Text, P1, NotYet, "/commands",
        "path under which the commands are");
    ("admin.idleTimeout", Property, LenientInt, P3, NotYet, "30000",
        "ms after which an idle connection is closed");
    ("admin.httpVersion", Property, LenientInt, P3, NoEffect, "11",
        "HTTP version under TLS");
    ("admin.portUnification", Property, LenientBool, P2, NotYet, "false",
        "the port takes both HTTP and HTTPS");
    ("admin.forceHttps", Property, LenientBool, P2, NotYet, "false",
        "the port takes HTTPS only");
    ("admin.needClientAuth", Property, LenientBool, P2, NotYet, "false",
        "clients must show a certificate");
    ("admin.rateLimiterIntervalInMS", Property, Int, P2, NotYet, "300000",
        "ms between two restores; snapshot takes the number for microseconds");
    ("admin.snapshot.enabled", Property, LenientBool, P2, NotYet, "true",
        "the command snapshot");
    ("admin.restore.enabled", Property, LenientBool, P2, NotYet, "true",
        "the command restore");
    // Logging.
    ("console.threshold", Property, LenientOneOf(LEVELS), P2, Honoured, "INFO",
        "log level");
    ("log.format", Property, LenientOneOf(&["human", "json"]), P3, Honoured, "human",
        "ours: log lines for people or for machines");
    ("log.dir", Property, Path, P3, NoEffect, "", "folder of Java's log files");
    ("log.file", Property, Text, P3, NoEffect, "", "name of Java's log files");
    ("log.threshold", Property, Text, P3, NoEffect, "", "level of Java's log files");
    ("root.logger", Property, Text, P3, NoEffect, "", "level and outputs of Java's log");
    ("jmx.log4j.disable", Property, LenientBool, P3, NoEffect, "false", "log4j by JMX");
    ("jmx.log4j.mbean", Property, Text, P3, NoEffect, "", "log4j by JMX");
    // Ours.
    ("config.strict", Property, LenientBool, P3, Honoured, "false",
        "ours: an unknown key is an error");
    // Client settings that are met in servers' files.
    ("clientCnxnSocket", Property, Text, P3, NoEffect, "", "Java client: connection layer");
    ("client.secure", Property, LenientBool, P3, NoEffect, "false", "Java client: TLS");
    ("sasl.client", Property, LenientBool, P3, NoEffect, "true", "Java client: SASL");
    ("sasl.clientconfig", Property, Text, P3, NoEffect, "", "Java client: JAAS section");
    ("sasl.client.username", Property, Text, P3, NoEffect, "", "Java client: Kerberos user");
    ("sasl.client.canonicalize.hostname", Property, LenientBool, P3, NoEffect, "true",
        "Java client: Kerberos host");
    ("server.principal", Property, Text, P3, NoEffect, "", "Java client: Kerberos server");
    ("request.timeout", Property, LenientInt, P3, NoEffect, "0", "Java client: ms of a request");
    ("disableAutoWatchReset", Property, LenientBool, P3, NoEffect, "false",
        "Java client: watches after a reconnect");
};
