//! Settings of what operators look at: admin server, metrics, audit log, log.

use std::time::Duration;

use crate::error::Error;
use crate::keys::{NULL_PROVIDER, PROMETHEUS_PROVIDER};
use crate::reader::Reader;

/// The HTTP server with commands for operators.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Admin {
    /// `admin.enableServer`.
    pub enabled: bool,
    /// `admin.serverPort`.
    pub port: u16,
    /// `admin.serverAddress`: the address the port is bound to.
    pub address: String,
    /// `admin.commandURL`: the path under which the commands are.
    pub command_url: String,
    /// `admin.idleTimeout`: time after which an idle connection is closed; zero is never.
    pub idle_timeout: Duration,
    /// `admin.portUnification`: the port takes HTTP and HTTPS.
    pub port_unification: bool,
    /// `admin.forceHttps`: the port takes HTTPS only.
    pub force_https: bool,
    /// `admin.needClientAuth`: clients must show a certificate.
    pub need_client_auth: bool,
    /// `admin.rateLimiterIntervalInMS`: time between two restores.
    ///
    /// Compat: the snapshot command takes the same number for microseconds.
    pub rate_limiter_interval: Duration,
    /// `admin.snapshot.enabled`.
    pub snapshot_enabled: bool,
    /// `admin.restore.enabled`.
    pub restore_enabled: bool,
    /// `IPAuthenticationProvider.usexforwardedfor`: a client's address is in X-Forwarded-For.
    pub use_x_forwarded_for: bool,
}

impl Admin {
    pub(super) fn read(r: &mut Reader) -> Self {
        Self {
            enabled: r.boolean("admin.enableServer"),
            port: r.port("admin.serverPort").unwrap_or(0),
            address: r.text("admin.serverAddress"),
            command_url: r.text("admin.commandURL"),
            idle_timeout: r.millis("admin.idleTimeout"),
            port_unification: r.boolean("admin.portUnification"),
            force_https: r.boolean("admin.forceHttps"),
            need_client_auth: r.boolean("admin.needClientAuth"),
            rate_limiter_interval: r.millis("admin.rateLimiterIntervalInMS"),
            snapshot_enabled: r.boolean("admin.snapshot.enabled"),
            restore_enabled: r.boolean("admin.restore.enabled"),
            use_x_forwarded_for: r.boolean("IPAuthenticationProvider.usexforwardedfor"),
        }
    }
}

/// `metricsProvider.className`: where metrics go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Metrics {
    /// To `mntr` and the admin server only.
    Default,
    /// Nowhere.
    Null,
    /// To an HTTP endpoint too.
    Prometheus {
        /// `metricsProvider.httpPort`.
        port: u16,
        /// `metricsProvider.httpHost`: the address the port is bound to.
        address: String,
        /// `metricsProvider.exportJvmInfo`: metrics of the process too.
        export_process_info: bool,
    },
}

impl Metrics {
    pub(super) fn read(r: &mut Reader) -> Self {
        match r.text("metricsProvider.className").as_str() {
            PROMETHEUS_PROVIDER => Self::Prometheus {
                port: r.port("metricsProvider.httpPort").unwrap_or(0),
                address: r.text("metricsProvider.httpHost"),
                export_process_info: r.boolean("metricsProvider.exportJvmInfo"),
            },
            NULL_PROVIDER => Self::Null,
            _ => Self::Default,
        }
    }
}

/// The audit log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// `audit.enable`.
    pub enabled: bool,
}

impl Audit {
    const CLASSES: &[&str] = &["org.apache.zookeeper.audit.Slf4jAuditLogger"];

    pub(super) fn read(r: &mut Reader) -> Self {
        let enabled = r.boolean("audit.enable");
        let class = r.text("audit.impl.class");
        // Java loads the class only when it needs it.
        if enabled && !Self::CLASSES.contains(&class.as_str()) {
            r.refuse(Error::Class {
                at: r.origin("audit.impl.class"),
                key: "audit.impl.class".to_owned(),
                value: class,
                allowed: Self::CLASSES,
            });
        }
        Self { enabled }
    }
}

/// The server's own log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Logging {
    /// `console.threshold`.
    pub level: LogLevel,
    /// `log.format`.
    pub format: LogFormat,
}

/// From which level on lines are logged.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogLevel {
    /// Nothing is.
    Off,
    /// `ERROR`, and log4j's `FATAL`.
    Error,
    /// `WARN`.
    Warn,
    /// `INFO`.
    Info,
    /// `DEBUG`.
    Debug,
    /// `TRACE`, and log4j's `ALL`.
    Trace,
}

/// What a line of the log looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Human,
    /// One JSON object a line.
    Json,
}

impl Logging {
    pub(super) fn read(r: &mut Reader) -> Self {
        let level = match r.text("console.threshold").as_str() {
            "OFF" => LogLevel::Off,
            "ERROR" | "FATAL" => LogLevel::Error,
            "WARN" => LogLevel::Warn,
            "DEBUG" => LogLevel::Debug,
            "TRACE" | "ALL" => LogLevel::Trace,
            _ => LogLevel::Info,
        };
        let format = match r.text("log.format").as_str() {
            "json" => LogFormat::Json,
            _ => LogFormat::Human,
        };
        Self { level, format }
    }
}
