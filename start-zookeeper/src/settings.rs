//! The flags' values, typed and checked, all of them before anyone hears of a problem.
//!
//! Pure: no file, host name or environment is looked at.
//!
//! Invariants
//! - [`Settings`] that came without a problem make sense by themselves and together.
//! - Defaults are those that the old script really had, not those that its documentation named.

use std::net::IpAddr;
use std::ops::RangeInclusive;
use std::path::{self, PathBuf};
use std::time::Duration;

use crate::advertised::Advertised;
use crate::flags::Flags;
use crate::problem::{PathFault, Problem};

/// Default of `--data_dir`.
pub const DEFAULT_DATA_DIR: &str = "/var/lib/zookeeper/data";
/// Default of `--data_log_dir`. Compat: the old documentation said `<data_dir>/log`; running
/// servers have their logs here, and looking elsewhere would make them seem empty.
pub const DEFAULT_DATA_LOG_DIR: &str = "/var/lib/zookeeper/log";
/// Default of `--conf_dir`.
pub const DEFAULT_CONF_DIR: &str = "/opt/zookeeper/conf";

/// What the command line asks for.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Voting members.
    pub servers: u32,
    /// Members behind them that do not vote.
    pub observers: u32,
    /// Whether the members change as the set is scaled.
    pub scalable: bool,
    /// Absolute.
    pub data_dir: PathBuf,
    /// Absolute.
    pub data_log_dir: PathBuf,
    /// Absolute.
    pub conf_dir: PathBuf,
    /// `clientPort`.
    pub client_port: u32,
    /// `clientPortAddress`.
    pub client_addr: Option<String>,
    /// What clients from elsewhere are told.
    pub advertised: Option<Advertised>,
    /// Third part of a `server.N` line.
    pub election_port: u32,
    /// Second part of a `server.N` line.
    pub server_port: u32,
    /// Milliseconds.
    pub tick_time: u32,
    /// Ticks.
    pub init_limit: u32,
    /// Ticks.
    pub sync_limit: u32,
    /// `maxClientCnxns`.
    pub max_client_cnxns: u32,
    /// Milliseconds.
    pub min_session_timeout: u32,
    /// Milliseconds.
    pub max_session_timeout: u32,
    /// `autopurge.snapRetainCount`.
    pub snap_retain_count: u32,
    /// Hours.
    pub purge_interval: u32,
    /// For the server and for this program.
    pub log_level: LogLevel,
    /// `--domain`; `Some("")` asks for names without a domain.
    pub domain: Option<String>,
    /// `--name`.
    pub name: Option<String>,
    /// `--ordinal`.
    pub ordinal: Option<u32>,
    /// `--set`, in order.
    pub set: Vec<(String, String)>,
    /// How long names may keep the start waiting.
    pub dns_wait: Duration,
}

/// How much is logged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum LogLevel {
    /// Everything.
    Trace,
    /// For debugging.
    Debug,
    /// What an operator may want to know.
    Info,
    /// What an operator should look at.
    Warn,
    /// What has failed. log4j's FATAL is this too.
    Error,
}

impl LogLevel {
    /// Reads a log4j level in any case.
    pub fn parse(text: &str) -> Option<Self> {
        Some(match text.to_ascii_uppercase().as_str() {
            "TRACE" => Self::Trace,
            "DEBUG" => Self::Debug,
            "INFO" => Self::Info,
            "WARN" => Self::Warn,
            "ERROR" | "FATAL" => Self::Error,
            _ => return None,
        })
    }

    /// The name that the server takes as `zookeeper.console.threshold`.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

impl Settings {
    /// Checks every flag, then how they go together. The settings are of use without problems
    /// only; with some they serve to look for more.
    pub fn check(flags: &Flags) -> (Self, Vec<Problem>) {
        let mut check = Check::default();
        let servers = check.number("--servers", &flags.servers, 1..=SERVERS_MAX);
        let observers = check.number("--observers", &flags.observers, 0..=SERVERS_MAX - 1);
        let client_port = check.number("--client_port", &flags.client_port, PORTS);
        let election_port = check.number("--election_port", &flags.election_port, PORTS);
        let server_port = check.number("--server_port", &flags.server_port, PORTS);
        let tick_time = check.number("--tick_time", &flags.tick_time, 1..=TICK_TIME_MAX);
        let (min_session_timeout, max_session_timeout) = check.session_timeouts(flags, tick_time);
        check.members(servers, observers, flags.scalable);
        check.ports_differ([
            ("--client_port", client_port),
            ("--election_port", election_port),
            ("--server_port", server_port),
        ]);
        check.heap(flags.heap.as_deref());
        // Whatever is `None` has a problem of its own. One server is what asks for nothing else.
        let settings = Self {
            servers: servers.unwrap_or(1),
            observers: observers.unwrap_or_default(),
            scalable: flags.scalable,
            data_dir: check.folder("--data_dir", &flags.data_dir),
            data_log_dir: check.folder("--data_log_dir", &flags.data_log_dir),
            conf_dir: check.folder("--conf_dir", &flags.conf_dir),
            client_port: client_port.unwrap_or_default(),
            client_addr: check.client_addr(flags.client_addr.as_deref()),
            advertised: None,
            election_port: election_port.unwrap_or_default(),
            server_port: server_port.unwrap_or_default(),
            tick_time: tick_time.unwrap_or_default(),
            init_limit: check.int("--init_limit", &flags.init_limit, 1),
            sync_limit: check.int("--sync_limit", &flags.sync_limit, 1),
            max_client_cnxns: check.int("--max_client_cnxns", &flags.max_client_cnxns, 0),
            min_session_timeout: min_session_timeout.unwrap_or_default(),
            max_session_timeout: max_session_timeout.unwrap_or_default(),
            snap_retain_count: check.int("--snap_retain_count", &flags.snap_retain_count, 0),
            purge_interval: check.int("--purge_interval", &flags.purge_interval, 0),
            log_level: check.log_level(&flags.log_level),
            domain: check.domain(flags.domain.as_deref()),
            name: check.name(flags.name.as_deref()),
            ordinal: check.ordinal(flags.ordinal.as_deref()),
            set: flags.set.iter().filter_map(|text| check.set(text)).collect(),
            dns_wait: check.dns_wait(&flags.dns_wait),
        };
        let settings = check.advertised(settings, flags.advertised_client_address.as_deref());
        (settings, check.problems)
    }

    /// All members, voting or not.
    pub fn members(&self) -> u32 {
        self.servers + self.observers
    }

    /// The first ordinal that no member can have.
    pub fn ordinals(&self) -> u32 {
        if self.scalable { SERVERS_MAX } else { self.members() }
    }

    /// Where zoo.cfg belongs.
    pub fn zoo_cfg(&self) -> PathBuf {
        let folder = if self.scalable { &self.data_dir } else { &self.conf_dir };
        folder.join("zoo.cfg")
    }
}

/// Collects problems while values are read.
#[derive(Default)]
struct Check {
    problems: Vec<Problem>,
}

impl Check {
    fn number(
        &mut self,
        flag: &'static str,
        text: &str,
        range: RangeInclusive<u32>,
    ) -> Option<u32> {
        let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
        let number = text.parse().ok().filter(|number| is_digits && range.contains(number));
        if number.is_none() {
            let (least, most) = range.into_inner();
            self.problems.push(Problem::Number { flag, value: text.to_owned(), least, most });
        }
        number
    }

    /// A number that Java reads into an `int`.
    fn int(&mut self, flag: &'static str, text: &str, least: u32) -> u32 {
        self.number(flag, text, least..=INT_MAX).unwrap_or_default()
    }

    fn session_timeouts(
        &mut self,
        flags: &Flags,
        tick_time: Option<u32>,
    ) -> (Option<u32>, Option<u32>) {
        let mut limit = |flag, text: &Option<String>, ticks: u32| match text {
            Some(text) => self.number(flag, text, 1..=INT_MAX),
            None => tick_time.map(|tick_time| ticks * tick_time),
        };
        let min = limit("--min_session_timeout", &flags.min_session_timeout, 2);
        let max = limit("--max_session_timeout", &flags.max_session_timeout, 20);
        if let (Some(min), Some(max)) = (min, max)
            && min > max
        {
            self.problems.push(Problem::SessionTimeouts { min, max });
        }
        (min, max)
    }

    fn members(&mut self, servers: Option<u32>, observers: Option<u32>, scalable: bool) {
        let (Some(servers), Some(observers)) = (servers, observers) else { return };
        if servers + observers > SERVERS_MAX {
            self.problems.push(Problem::TooManyMembers { members: servers + observers });
        }
        if scalable && servers == 1 {
            self.problems.push(Problem::ScalableOne);
        }
        if scalable && observers > 0 {
            self.problems.push(Problem::ScalableObservers { observers });
        } else if servers == 1 && observers > 0 {
            self.problems.push(Problem::ObserversOfOne { observers });
        }
    }

    fn ports_differ(&mut self, ports: [(&'static str, Option<u32>); 3]) {
        for (at, (one, port)) in ports.iter().enumerate() {
            for (other, other_port) in &ports[at + 1..] {
                if let Some(port) = port
                    && Some(*port) == *other_port
                {
                    self.problems.push(Problem::SamePort { one, other, port: *port });
                }
            }
        }
    }

    fn heap(&mut self, text: Option<&str>) {
        let Some(text) = text else { return };
        let digits = text.strip_suffix(['k', 'K', 'm', 'M', 'g', 'G']).unwrap_or(text);
        let is_number = digits.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number || !digits.parse::<u64>().is_ok_and(|size| size > 0) {
            self.problems.push(Problem::Heap { value: text.to_owned() });
        }
    }

    /// A folder, made absolute: the server must mean the same one.
    fn folder(&mut self, flag: &'static str, text: &str) -> PathBuf {
        let fault = if text.is_empty() {
            Some(PathFault::Empty)
        } else if text.chars().any(char::is_control) {
            Some(PathFault::Control)
        } else if text.trim() != text {
            Some(PathFault::Blank)
        } else {
            None
        };
        let absolute = path::absolute(text);
        match (fault, absolute) {
            (None, Ok(folder)) => folder,
            (fault, _) => {
                let fault = fault.unwrap_or(PathFault::Relative);
                self.problems.push(Problem::Path { flag, value: text.to_owned(), fault });
                PathBuf::new()
            }
        }
    }

    fn client_addr(&mut self, text: Option<&str>) -> Option<String> {
        let text = text?;
        let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
        if bare.parse::<IpAddr>().is_err() && !is_dns_name(bare) {
            self.problems.push(Problem::ClientAddr { value: text.to_owned() });
        }
        Some(bare.to_owned())
    }

    /// Needs to know how many members there can be.
    fn advertised(&mut self, settings: Settings, text: Option<&str>) -> Settings {
        let Some(text) = text else { return settings };
        if settings.members() == 1 {
            self.problems.push(Problem::AdvertisedOfOne);
            return settings;
        }
        let advertised = Advertised::parse(text, settings.members(), settings.ordinals());
        Settings {
            advertised: advertised.map_err(|problem| self.problems.push(problem)).ok(),
            ..settings
        }
    }

    fn log_level(&mut self, text: &str) -> LogLevel {
        LogLevel::parse(text).unwrap_or_else(|| {
            self.problems.push(Problem::LogLevel { value: text.to_owned() });
            LogLevel::Info
        })
    }

    fn domain(&mut self, text: Option<&str>) -> Option<String> {
        let text = text?;
        let domain = text.strip_suffix('.').unwrap_or(text);
        if !domain.is_empty() && !is_dns_name(domain) {
            self.problems.push(Problem::Domain { value: text.to_owned() });
        }
        Some(domain.to_owned())
    }

    fn name(&mut self, text: Option<&str>) -> Option<String> {
        let text = text?;
        if !is_dns_name(text) || text.contains('.') {
            self.problems.push(Problem::Name { value: text.to_owned() });
        }
        Some(text.to_owned())
    }

    fn ordinal(&mut self, text: Option<&str>) -> Option<u32> {
        self.number("--ordinal", text?, 0..=SERVERS_MAX - 1)
    }

    fn set(&mut self, text: &str) -> Option<(String, String)> {
        let pair = text.split_once('=').map(|(key, value)| (key.trim(), value.trim()));
        let pair = pair.filter(|(key, value)| is_key(key) && !value.chars().any(char::is_control));
        if pair.is_none() {
            self.problems.push(Problem::Set { value: text.to_owned() });
        }
        pair.map(|(key, value)| (key.to_owned(), value.to_owned()))
    }

    fn dns_wait(&mut self, text: &str) -> Duration {
        let seconds = self.number("--dns_wait", text, 0..=DNS_WAIT_SECONDS_MAX);
        Duration::from_secs(seconds.unwrap_or_default().into())
    }
}

/// Letters, digits, dashes and underscores between dots. Underscores are in use, standard or not.
pub(crate) fn is_dns_name(text: &str) -> bool {
    let is_letter = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_';
    let is_label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(is_letter);
    text.len() <= 253 && text.split('.').all(is_label)
}

/// A key that needs no escape in a properties file.
fn is_key(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_graphic() && !b"=:#!\\".contains(&byte))
}

const PORTS: RangeInclusive<u32> = 1..=65535;

/// Server ids are documented as 1 to 255.
const SERVERS_MAX: u32 = 255;

/// Java reads numbers into an `int`.
const INT_MAX: u32 = i32::MAX.unsigned_abs();

/// Twenty ticks, the longest session, are an `int` of milliseconds.
const TICK_TIME_MAX: u32 = INT_MAX / 20;

const DNS_WAIT_SECONDS_MAX: u32 = 3600;

#[cfg(test)]
mod tests;
