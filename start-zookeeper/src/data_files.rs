//! The files that a server leaves in a directory's `version-2`, by their names: all who look at a volume go by
//! these.
//!
//! It opens none of them. What cannot be listed has none here: the server will say why.
//!
//! Java: `Util.getZxidFromName`.

use std::fs;
use std::path::Path;

/// What a file is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Snapshot,
    Log,
}

/// One of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DataFile {
    pub(crate) kind: Kind,
    /// In its name: the last txn that a snapshot is sure to have, the first of a log.
    pub(crate) zxid: u64,
    /// In bytes.
    pub(crate) size: u64,
}

/// Snapshots and logs of a data or log directory, in no order.
pub(crate) fn in_dir(dir: &Path) -> Vec<DataFile> {
    let entries = fs::read_dir(dir.join("version-2")).into_iter().flatten().flatten();
    let file = |entry: fs::DirEntry| {
        let (kind, zxid) = parse(entry.file_name().to_str()?)?;
        Some(DataFile { kind, zxid, size: entry.metadata().map_or(0, |metadata| metadata.len()) })
    };
    entries.filter_map(file).collect()
}

/// The newest of a kind.
pub(crate) fn newest(dir: &Path, kind: Kind) -> Option<DataFile> {
    in_dir(dir).into_iter().filter(|file| file.kind == kind).max_by_key(|file| file.zxid)
}

/// Whether a server has run there: it has left a snapshot, a log or an epoch.
pub(crate) fn is_used(dir: &Path) -> bool {
    let has = |name: &&str| dir.join("version-2").join(name).exists();
    EPOCHS.iter().any(|name| has(name)) || !in_dir(dir).is_empty()
}

/// A suffix that says how it is compressed may follow.
fn parse(name: &str) -> Option<(Kind, u64)> {
    let (prefix, rest) = name.split_once('.')?;
    let kind = match prefix {
        "snapshot" => Kind::Snapshot,
        "log" => Kind::Log,
        _ => return None,
    };
    Some((kind, u64::from_str_radix(rest.split('.').next()?, 16).ok()?))
}

/// The files of the epochs that it has followed, and promised to follow.
pub(crate) const EPOCHS: [&str; 2] = ["currentEpoch", "acceptedEpoch"];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_known_by_their_names() {
        let dir = tempfile::tempdir().expect("a scratch folder");
        assert_eq!((newest(dir.path(), Kind::Log), is_used(dir.path())), (None, false));
        fs::create_dir(dir.path().join("version-2")).expect("ours");
        let write = |name: &str, size| {
            fs::write(dir.path().join("version-2").join(name), vec![0; size]).expect("ours");
        };
        for name in ["log.x", "snapshot", "snapshot.tmp", "log"] {
            write(name, 11);
        }
        assert!(in_dir(dir.path()).is_empty() && !is_used(dir.path()));
        for (name, size) in [("snapshot.9", 7), ("snapshot.a.gz", 5), ("log.ff", 9)] {
            write(name, size);
        }
        let snapshot = DataFile { kind: Kind::Snapshot, zxid: 0xa, size: 5 };
        assert_eq!(newest(dir.path(), Kind::Snapshot), Some(snapshot), "whatever its size");
        let log = DataFile { kind: Kind::Log, zxid: 0xff, size: 9 };
        assert_eq!(newest(dir.path(), Kind::Log), Some(log));
        assert!(is_used(dir.path()));
    }

    #[test]
    fn an_epoch_alone_is_of_a_server_that_has_run() {
        let dir = tempfile::tempdir().expect("a scratch folder");
        fs::create_dir(dir.path().join("version-2")).expect("ours");
        fs::write(dir.path().join("version-2/acceptedEpoch"), "1").expect("ours");
        assert!(is_used(dir.path()));
    }
}
