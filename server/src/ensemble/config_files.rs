//! The files that keep the members over a restart, beside the static file, `zoo.cfg` say.
//!
//! - `zoo.cfg.bak`: the static file as it was while members stood in it.
//! - `zoo.cfg.dynamic.next`: members that were proposed and not activated yet.
//! - `zoo.cfg.dynamic.<version>`: members that were activated; `dynamicConfigFile` in the static
//!   file names the last of these, and the older ones stay.
//!
//! Nothing is written without `reconfigEnabled`, so that a directory may be read-only then. A write
//! that fails is told and harms nothing that was there; no decision of the ensemble waits for one.
//!
//! Invariants
//! - No file is ever seen half written.
//! - The static file names a dynamic file only after that is durable.
//! - Proposed members are there until they, or later ones, are in the static file.
//!
//! Java: `QuorumPeer.setLastSeenQuorumVerifier`, `QuorumPeer.setQuorumVerifier`,
//! `QuorumPeerConfig.backupOldConfig`, `writeDynamicConfig`, `editStaticConfig`.

use std::fs::{self, OpenOptions, Permissions};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;
use zk_config::static_file::with_dynamic_file;
use zk_config::{Config, Ensemble, Errors, Mode, ServerId};
use zk_storage::{Disk, RealDisk};

/// The files of one server.
#[derive(Debug)]
pub(crate) struct ConfigFiles {
    static_file: PathBuf,
    me: ServerId,
    /// What the members' lines say of clients is what clients are told; `clientPort` is what is opened.
    is_advertised: bool,
    /// Members stood in the static file when the server started.
    is_static: bool,
    /// The version in the file of proposed members, if it is there.
    proposed: Option<i64>,
}

/// Why the members are not kept.
#[derive(Debug, Error)]
pub(crate) enum ConfigFilesError {
    /// The file system refused.
    #[error(
        "cannot {operation} {}: {source}; the server goes on, but after a restart it may know only \
         earlier members: let it write in {}",
        .path.display(), directory(.path).display()
    )]
    Io {
        /// What was tried.
        operation: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the operating system said.
        source: io::Error,
    },
    /// The text is no configuration.
    #[error("members are not kept in files, they cannot be read: {0}")]
    Text(#[from] Errors),
}

impl ConfigFiles {
    /// The files of a member that may be reconfigured; others have none.
    pub(crate) fn of(config: &Config) -> Option<Self> {
        let quorum = &config.quorum;
        if config.mode == Mode::Standalone || !quorum.reconfig_enabled {
            return None;
        }
        Some(Self {
            static_file: config.path.clone()?,
            me: quorum.my_id?,
            is_advertised: config.clients.is_advertised,
            is_static: quorum.dynamic_config_file.is_none(),
            proposed: quorum.last_seen.as_ref().map(|ensemble| ensemble.version),
        })
    }

    /// Keeps a copy of a static file that has members, before anything in it changes.
    ///
    /// # Errors
    /// The copy cannot be made.
    pub(crate) fn back_up(&self) -> Result<(), ConfigFilesError> {
        if !self.is_static {
            return Ok(());
        }
        let (text, permissions) = self.read_static()?;
        replace(&with_suffix(&self.static_file, ".bak"), &text, Some(permissions))
    }

    /// Keeps members that were proposed.
    ///
    /// # Errors
    /// The text makes no sense or cannot be written.
    pub(crate) fn proposed(&mut self, text: &str) -> Result<(), ConfigFilesError> {
        let ensemble = parse(text)?;
        self.proposed = Some(ensemble.version);
        let text = ensemble.text();
        let mut lines: Vec<&str> = text.lines().collect();
        lines.sort_unstable();
        replace(&self.next(), lines.join("\n").as_bytes(), None)
    }

    /// What was proposed is void: another leader never had it.
    ///
    /// # Errors
    /// The file cannot be removed.
    pub(crate) fn withdrawn(&mut self) -> Result<(), ConfigFilesError> {
        if self.proposed.take().is_some() { remove(&self.next()) } else { Ok(()) }
    }

    /// Makes these members the ones of the next start.
    ///
    /// # Errors
    /// The text makes no sense, or a file cannot be written: then what was proposed is still kept.
    pub(crate) fn activated(&mut self, text: &str) -> Result<(), ConfigFilesError> {
        let ensemble = parse(text)?;
        let suffix = format!(".dynamic.{:x}", ensemble.version);
        let dynamic = with_suffix(&self.static_file, &suffix);
        replace(&dynamic, ensemble.to_string().as_bytes(), None)?;
        let own = ensemble.servers.get(&self.me);
        let keeps_client_port = self.is_advertised || own.is_none_or(|own| own.client.is_none());
        self.point_static_to(&dynamic, keeps_client_port)?;
        if self.proposed.take_if(|version| *version <= ensemble.version).is_some() {
            remove(&self.next())?;
        }
        Ok(())
    }

    /// Compat: as in Java, a link in place of the static file becomes a file.
    fn point_static_to(
        &self,
        dynamic: &Path,
        keeps_client_port: bool,
    ) -> Result<(), ConfigFilesError> {
        let named = fs::canonicalize(dynamic).and_then(|path| {
            path.into_os_string().into_string().map_err(|_| io::ErrorKind::InvalidFilename.into())
        });
        let named = named.map_err(failed("find", dynamic))?;
        let (text, permissions) = self.read_static()?;
        let text = with_dynamic_file(&text, &named, keeps_client_port);
        replace(&self.static_file, &text, Some(permissions))
    }

    /// The static file, and who may read it: there may be passwords in it.
    fn read_static(&self) -> Result<(Vec<u8>, Permissions), ConfigFilesError> {
        let path = &self.static_file;
        let text = fs::read(path).map_err(failed("read", path))?;
        let metadata = fs::metadata(path).map_err(failed("read", path))?;
        Ok((text, metadata.permissions()))
    }

    fn next(&self) -> PathBuf {
        with_suffix(&self.static_file, ".dynamic.next")
    }
}

/// The members that were proposed before the server stopped, if they are later than those that it
/// starts with, and may change at all.
pub(crate) fn last_seen(config: &Config) -> Option<&Ensemble> {
    let quorum = &config.quorum;
    let last_seen = quorum.last_seen.as_ref().filter(|_| quorum.reconfig_enabled);
    last_seen.filter(|last_seen| last_seen.version > quorum.ensemble.version)
}

/// Several addresses were allowed or refused when the text was taken.
fn parse(text: &str) -> Result<Ensemble, ConfigFilesError> {
    Ok(Ensemble::parse("configuration", text.as_bytes(), true)?)
}

/// Writes a file as a whole and makes it durable.
fn replace(
    path: &Path,
    content: &[u8],
    permissions: Option<Permissions>,
) -> Result<(), ConfigFilesError> {
    let unfinished = with_suffix(path, ".tmp");
    let write = || {
        let mut file =
            OpenOptions::new().write(true).create(true).truncate(true).open(&unfinished)?;
        if let Some(permissions) = permissions {
            file.set_permissions(permissions)?;
        }
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        RealDisk.sync_dir(directory(path))
    };
    write().map_err(|error| {
        // It may not be there, or be what cannot be removed either.
        let _ = fs::remove_file(&unfinished);
        failed("write", path)(error)
    })
}

fn remove(path: &Path) -> Result<(), ConfigFilesError> {
    let removed = match fs::remove_file(path) {
        // It could not be written, or someone has tidied up.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        result => result.and_then(|()| RealDisk.sync_dir(directory(path))),
    };
    removed.map_err(failed("remove", path))
}

fn failed(operation: &'static str, path: &Path) -> impl FnOnce(io::Error) -> ConfigFilesError {
    let path = path.to_owned();
    move |source| ConfigFilesError::Io { operation, path, source }
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(suffix);
    name.into()
}

/// The directory of a file; of a bare name it is the working directory.
fn directory(path: &Path) -> &Path {
    match path.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent,
        Some(_) | None => Path::new("."),
    }
}

#[cfg(test)]
mod tests;
