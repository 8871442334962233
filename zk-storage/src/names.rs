//! File names carry zxids: `log.<first zxid>`, `snapshot.<last zxid>[.gz|.snappy]`.
//!
//! Parsed as Java does (`Util.getZxidFromName`): only the second dot component counts, so `log.5.bak`
//! is a log. Our own unfinished files start with a dot, which no Java listing takes.

use std::path::{Path, PathBuf};

use zk_wire::Zxid;

use crate::disk::Disk;
use crate::error::{Error, IoContext};

pub(crate) const LOG_PREFIX: &str = "log";
pub(crate) const SNAPSHOT_PREFIX: &str = "snapshot";
/// A log that has no record, hence no zxid and no name yet.
pub(crate) const BLANK_LOG: &str = ".log.blank.tmp";

/// How a snapshot's bytes are packed. Java: `zookeeper.snapshot.compression.method`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Compression {
    /// As they are.
    #[default]
    Plain,
    /// One gzip member.
    Gz,
    /// The framing of xerial's snappy-java, which is not the official one.
    Snappy,
}

impl Compression {
    /// What follows the zxid in the name.
    pub fn suffix(self) -> &'static str {
        match self {
            Self::Plain => "",
            Self::Gz => ".gz",
            Self::Snappy => ".snappy",
        }
    }

    fn of_name(name: &str) -> Self {
        let last = name.rsplit('.').next().unwrap_or_default();
        if last.eq_ignore_ascii_case("gz") {
            Self::Gz
        } else if last.eq_ignore_ascii_case("snappy") {
            Self::Snappy
        } else {
            Self::Plain
        }
    }
}

/// A file whose name says that it is a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogFile {
    /// The first txn in it, says its name.
    pub zxid: Zxid,
    /// Where it is.
    pub path: PathBuf,
}

/// A file whose name says that it is a snapshot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SnapshotFile {
    /// The last txn in it, says its name.
    pub zxid: Zxid,
    /// Where it is.
    pub path: PathBuf,
    /// How it is packed.
    pub compression: Compression,
}

/// The logs of a directory, oldest first.
///
/// # Errors
/// The directory cannot be read.
pub fn logs<D: Disk>(disk: &D, dir: &Path) -> Result<Vec<LogFile>, Error> {
    let named = named(disk, dir, LOG_PREFIX)?;
    Ok(named.into_iter().map(|(zxid, name)| LogFile { zxid, path: dir.join(name) }).collect())
}

/// The snapshots of a directory, newest first, also unfinished and damaged ones.
///
/// # Errors
/// The directory cannot be read.
pub fn snapshots<D: Disk>(disk: &D, dir: &Path) -> Result<Vec<SnapshotFile>, Error> {
    let to_file = |(zxid, name): (Zxid, String)| SnapshotFile {
        zxid,
        path: dir.join(&name),
        compression: Compression::of_name(&name),
    };
    Ok(named(disk, dir, SNAPSHOT_PREFIX)?.into_iter().rev().map(to_file).collect())
}

/// The names of a kind with their zxids, sorted by these.
fn named<D: Disk>(disk: &D, dir: &Path, prefix: &str) -> Result<Vec<(Zxid, String)>, Error> {
    let names = disk.list(dir).context(disk, "list", dir)?;
    let mut named: Vec<_> =
        names.into_iter().filter_map(|name| Some((zxid_of_name(&name, prefix)?, name))).collect();
    named.sort_unstable();
    Ok(named)
}

/// The zxid in a name of this kind; none that is negative is ever written.
pub(crate) fn zxid_of_name(name: &str, prefix: &str) -> Option<Zxid> {
    let mut parts = name.split('.');
    if parts.next() != Some(prefix) {
        return None;
    }
    let zxid = i64::from_str_radix(parts.next()?, 16).ok()?;
    (zxid >= 0).then_some(Zxid(zxid))
}

pub(crate) fn log_name(zxid: Zxid) -> String {
    format!("{LOG_PREFIX}.{:x}", zxid.0)
}

pub(crate) fn snapshot_name(zxid: Zxid, compression: Compression) -> String {
    format!("{SNAPSHOT_PREFIX}.{:x}{}", zxid.0, compression.suffix())
}

/// The name of a snapshot that is still being written.
pub(crate) fn unfinished_snapshot_name(zxid: Zxid) -> String {
    format!(".{SNAPSHOT_PREFIX}.{:x}.tmp", zxid.0)
}

/// Whether the name is one that only an unfinished file of ours has.
pub(crate) fn is_leftover(name: &str) -> bool {
    (name.starts_with(".log.") || name.starts_with(".snapshot.")) && name.ends_with(".tmp")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_parsed_as_java_does() {
        for (name, prefix, zxid) in [
            ("log.1fffffffc", LOG_PREFIX, Some(0x1_ffff_fffc)),
            ("log.5.bak", LOG_PREFIX, Some(5)),
            ("log.FF", LOG_PREFIX, Some(255)),
            ("log.old", LOG_PREFIX, None),
            ("log.", LOG_PREFIX, None),
            ("log", LOG_PREFIX, None),
            (BLANK_LOG, LOG_PREFIX, None),
            ("snapshot.5.tmp", SNAPSHOT_PREFIX, Some(5)),
            ("snapshot.ffffffffffffffff", SNAPSHOT_PREFIX, None),
            ("snapshot.zzz", SNAPSHOT_PREFIX, None),
            (".snapshot.5.tmp", SNAPSHOT_PREFIX, None),
        ] {
            assert_eq!(zxid_of_name(name, prefix), zxid.map(Zxid), "{name}");
        }
    }

    #[test]
    fn the_last_component_of_a_name_says_how_a_snapshot_is_packed() {
        for (name, compression) in [
            ("snapshot.5", Compression::Plain),
            ("snapshot.5.GZ", Compression::Gz),
            ("snapshot.5.snappy", Compression::Snappy),
            ("snapshot.5.gz.tmp", Compression::Plain),
        ] {
            assert_eq!(Compression::of_name(name), compression, "{name}");
        }
    }

    #[test]
    fn leftovers_are_only_our_own_unfinished_files() {
        assert!(is_leftover(BLANK_LOG) && is_leftover(&unfinished_snapshot_name(Zxid(5))));
        assert!(!is_leftover("snapshot.5.tmp") && !is_leftover("currentEpoch.tmp"));
    }

    #[test]
    fn written_names_are_lower_case_hex_without_padding() {
        assert_eq!(log_name(Zxid(0x1_0000_00AB)), "log.1000000ab");
        assert_eq!(snapshot_name(Zxid(0), Compression::Gz), "snapshot.0.gz");
    }
}
