//! A whole configuration as typed values, and the ways to get one.
//!
//! [`Config::parse`] takes text, [`Config::read`] takes a path and looks at the files that belong
//! to it. Both find every fault before they give up.
//!
//! Invariants
//! - What `Config` holds is checked: nobody has to look at a range or a default again.
//! - `Debug` prints the report of effective values, which has no secrets.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};

pub use self::admin::{Admin, Audit, LogFormat, LogLevel, Logging, Metrics};
pub use self::auth::{Auth, DigestAlgorithm, Kerberos, Provider};
pub use self::clients::{Clients, CnxnFactory, Limits, Sessions, Whitelist};
pub use self::processing::{Containers, Processing};
pub use self::quorum::{Election, Leader, MultiAddress, Observers, Quorum, QuorumSasl};
use self::sources::Sources;
pub use self::storage::{Compression, Log, Storage};
pub use self::throttle::{ConnectionThrottle, RequestThrottle, SessionWeights, Throttle};
pub use self::tls::{ClientAuth, Store, StoreForm, Tls, TlsParty};
use crate::ensemble::{Listed, VersionLine, version_of_file_name};
use crate::error::{Error, Errors};
use crate::intake;
use crate::member_error::MemberError;
use crate::mode;
use crate::properties::Properties;
pub use crate::reader::Effective;
use crate::reader::Reader;
use crate::warning::Warning;

mod admin;
mod auth;
mod clients;
mod processing;
mod quorum;
mod sources;
mod storage;
mod throttle;
mod tls;

/// Everything that a server is told.
#[derive(Clone, PartialEq)]
pub struct Config {
    /// Whether the server is alone or one of an ensemble.
    pub mode: Mode,
    /// `tickTime`: the base unit of time, in milliseconds.
    pub tick_time_ms: u32,
    /// Ports, four-letter words.
    pub clients: Clients,
    /// Session timeouts.
    pub sessions: Sessions,
    /// What clients may use up.
    pub limits: Limits,
    /// When clients are slowed down.
    pub throttle: Throttle,
    /// Data folders, txn log, snapshots.
    pub storage: Storage,
    /// What is done with requests.
    pub processing: Processing,
    /// Authentication.
    pub auth: Auth,
    /// The ensemble.
    pub quorum: Quorum,
    /// TLS.
    pub tls: Tls,
    /// The admin server.
    pub admin: Admin,
    /// The metrics provider.
    pub metrics: Metrics,
    /// The audit log.
    pub audit: Audit,
    /// The server's log.
    pub logging: Logging,
    /// What Java would hold as system properties: keys of the file with `zookeeper.` before
    /// them, unknown ones included. Values of secret keys are in it, see
    /// [`crate::keys::is_secret`].
    pub properties: BTreeMap<String, String>,
    /// The file it was read from; `None` for a text or no file.
    pub path: Option<PathBuf>,
    /// The text of the file, for the admin server's command of this name; `None` without a file.
    pub initial_configuration: Option<String>,
    effective: Vec<Effective>,
}

/// How a server runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Alone.
    Standalone,
    /// As a member of an ensemble.
    Replicated,
}

/// A text that must not be printed.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct Secret(String);

impl Secret {
    /// The text.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl From<String> for Secret {
    fn from(text: String) -> Self {
        Self(text)
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("***")
    }
}

/// A configuration with what there is to say about it.
#[derive(Debug, Clone, PartialEq)]
pub struct Parsed {
    /// The configuration.
    pub config: Config,
    /// What an operator should read, in the order of files and lines.
    pub warnings: Vec<Warning>,
    /// What is for the debug log.
    pub notes: Vec<Warning>,
}

impl Config {
    /// Parses the text of a zoo.cfg; `file` is its name in messages.
    ///
    /// `overrides` are system properties such as `zookeeper.snapCount` or `jute.maxbuffer`; a
    /// line of the file beats them. No other file is looked at: `quorum.my_id` stays unknown, and
    /// with a `dynamicConfigFile` the members do too, and `mode` is taken to be replicated.
    ///
    /// # Errors
    /// Every fault of the text and the properties.
    pub fn parse(
        file: &str,
        text: &[u8],
        overrides: &[(String, String)],
    ) -> Result<Parsed, Errors> {
        assemble(Sources::new(file, text, overrides))
    }

    /// Reads a zoo.cfg and the files that belong to it: `dynamicConfigFile`, its successor
    /// `<file>.dynamic.next`, and `myid` in `dataDir`.
    ///
    /// # Errors
    /// Every fault of the files and the properties.
    pub fn read(path: &Path, overrides: &[(String, String)]) -> Result<Parsed, Errors> {
        let file = path.display().to_string();
        let text = sources::read_config(path)?;
        let mut sources = Sources::new(&file, &text, overrides);
        sources.read_neighbours(path);
        assemble(sources)
    }

    /// A standalone server on client port 2181, for who has no file.
    pub fn embedded_default(data_dir: &Path) -> Self {
        let file = "embedded default";
        let data_dir = data_dir.display().to_string();
        let data_dir = if data_dir.is_empty() { "." } else { &data_dir };
        let pairs = [("dataDir", data_dir), ("clientPort", "2181")];
        let properties = Properties::from_pairs(file, &pairs);
        let sources = Sources { properties, text: None, ..Sources::new(file, b"", &[]) };
        assemble(sources).expect("the embedded default has no faults").config
    }

    /// Every key that was set or has a default, with the value that counts; secrets are `***`.
    ///
    /// The report is of what was read: changing a field afterwards does not change it.
    pub fn effective(&self) -> Vec<Effective> {
        self.effective.clone()
    }
}

impl fmt::Debug for Config {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let entries = self.effective.iter().map(|line| (&line.key, &line.value));
        f.debug_map().entry(&"mode", &self.mode).entries(entries).finish()
    }
}

fn assemble(sources: Sources<'_>) -> Result<Parsed, Errors> {
    let (reader, config) = typed(sources);
    finish(reader, config)
}

/// Reads every group of settings; faults and warnings are left in the reader.
fn typed(sources: Sources<'_>) -> (Reader, Config) {
    let mut r = intake::sort(sources.file, &sources.properties, sources.overrides);
    r.errors.splice(..0, sources.errors);
    let tick_time_ms = tick_time(&mut r);
    let mut clients = Clients::read(&mut r);
    let sessions = Sessions::read(&mut r, tick_time_ms);
    let mut quorum = Quorum::read(&mut r, tick_time_ms.unwrap_or(0));
    let members = members(&mut r, &quorum, sources.dynamic);
    quorum.my_id = mode::read_my_id(&mut r, &sources.my_id);
    let mode = match members {
        // The dynamic file was not read: who names one wants an ensemble.
        None => Mode::Replicated,
        Some(mut listed) => {
            r.errors.append(&mut listed.errors);
            r.warnings.append(&mut listed.warnings);
            let mode = mode::decide(&mut r, &listed, quorum.standalone_enabled);
            if mode == Mode::Replicated {
                mode::check_replicated(&mut r, &quorum, &listed, &sources.my_id);
            }
            mode::settle_client_address(&mut r, &mut clients, mode, quorum.my_id, &mut listed);
            mode::settle_peer_type(&mut r, &mut quorum, mode, &listed);
            quorum.ensemble = listed.ensemble;
            warn_without_client_port(&mut r, &clients, &quorum);
            mode
        }
    };
    if let Some((file, text)) = sources.next {
        let multi_address = quorum.multi_address.enabled;
        let mut listed = Listed::parse(&file, &text, multi_address, VersionLine::Taken);
        r.errors.append(&mut listed.errors);
        quorum.last_seen = Some(listed.ensemble);
    }
    let config = Config {
        mode,
        tick_time_ms: tick_time_ms.unwrap_or(0),
        sessions,
        limits: Limits::read(&mut r),
        throttle: Throttle::read(&mut r),
        storage: Storage::read(&mut r),
        processing: Processing::read(&mut r),
        auth: Auth::read(&mut r, clients.secure_port),
        clients,
        quorum,
        tls: Tls::read(&mut r),
        admin: Admin::read(&mut r),
        metrics: Metrics::read(&mut r),
        audit: Audit::read(&mut r),
        logging: Logging::read(&mut r),
        properties: std::mem::take(&mut r.properties),
        path: sources.path,
        initial_configuration: sources.text,
        effective: Vec::new(),
    };
    (r, config)
}

/// Looks at what is left, and hands out either the configuration or its faults.
fn finish(mut r: Reader, mut config: Config) -> Result<Parsed, Errors> {
    check_sizes_without_effect(&mut r);
    r.parse_the_rest();
    if !r.errors.is_empty() {
        return Err(Errors(r.errors));
    }
    config.effective = r.effective();
    for line in config.quorum.ensemble.to_string().lines() {
        let (key, value) = line.split_once('=').expect("an ensemble prints lines of key=value");
        let (key, value) = (key.to_owned(), value.to_owned());
        config.effective.push(Effective { key, value, from_default: false });
    }
    let mut warnings = r.warnings;
    warnings.sort_by(|a, b| a.at.cmp(&b.at));
    let (notes, warnings) = warnings.into_iter().partition(|warning| warning.caution.is_note());
    Ok(Parsed { config, warnings, notes })
}

fn tick_time(r: &mut Reader) -> Option<u32> {
    let (at, value) = (r.origin("tickTime"), r.int("tickTime"));
    match u32::try_from(value) {
        Ok(0) => {
            let remedy = "allowed: 1 to 2147483647 milliseconds, such as 2000";
            r.refuse(Error::NotSet { at, key: "tickTime", remedy });
            None
        }
        Ok(tick_time_ms) => Some(tick_time_ms),
        Err(_) => {
            r.refuse(Error::NegativeTickTime { at, value });
            None
        }
    }
}

/// The members, or `None` if they stand in a file that was not read.
fn members(r: &mut Reader, quorum: &Quorum, dynamic: Option<(String, Vec<u8>)>) -> Option<Listed> {
    let mut lines = r.family("server.");
    lines.extend(r.family("group"));
    lines.extend(r.family("weight"));
    let multi_address = quorum.multi_address.enabled;
    let Some(path) = &quorum.dynamic_config_file else {
        let mut listed = Listed::default();
        listed.take(lines, multi_address);
        return Some(listed);
    };
    for line in lines {
        let dynamic = path.display().to_string();
        r.refuse(MemberError::MemberInStaticFile { at: line.at, key: line.key, dynamic });
    }
    let (file, text) = dynamic?;
    let mut listed = Listed::parse(&file, &text, multi_address, VersionLine::Refused);
    listed.ensemble.version = version_of_file_name(&file);
    Some(listed)
}

fn warn_without_client_port(r: &mut Reader, clients: &Clients, quorum: &Quorum) {
    // Without myid it is not known which member's client part is this server's.
    let may_come =
        quorum.my_id.is_none() && quorum.ensemble.servers.values().any(|one| one.client.is_some());
    if !may_come {
        clients::warn_without_port(r, clients);
    }
}

/// Compat: Java checks these although nothing here depends on them.
fn check_sizes_without_effect(r: &mut Reader) {
    for (key, min) in [("intBufferStartingSizeBytes", 32), ("nio.numSelectorThreads", 1)] {
        if let Some(value) = r.long_if_set(key).filter(|value| *value < min) {
            r.refuse(Error::TooSmall { at: r.origin(key), key, value, min });
        }
    }
}

#[cfg(test)]
mod tests;
