//! What a volume holds, as a line of the first screen says it: what a server would start from.
//!
//! It reads names and sizes, and the small files beside them. Nothing here decides anything, so whatever
//! cannot be read is left out: the server will say why.

use std::fmt;
use std::fs;
use std::path::Path;

use crate::volume;

/// Of a data or log directory.
#[derive(Debug, Default)]
pub(crate) struct Contents {
    snapshots: Files,
    logs: Files,
    /// Of all files of the server, in bytes.
    size: u64,
    /// The content of each file of that kind that is there.
    epochs: Vec<(&'static str, String)>,
    ensemble_id: Option<String>,
}

/// How many, and the zxid in the name of the newest: it has all txns before it.
#[derive(Debug, Default)]
struct Files {
    count: usize,
    newest: u64,
}

impl Contents {
    pub(crate) fn of(folder: &Path) -> Self {
        let mut contents = Self::default();
        let version_2 = folder.join("version-2");
        for entry in fs::read_dir(&version_2).into_iter().flatten().flatten() {
            let name = entry.file_name();
            let name = name.to_string_lossy();
            if let Some(zxid) = zxid(&name, "snapshot.") {
                contents.snapshots.add(zxid);
            } else if let Some(zxid) = zxid(&name, "log.") {
                contents.logs.add(zxid);
            } else {
                continue;
            }
            contents.size += entry.metadata().map_or(0, |metadata| metadata.len());
        }
        let epoch =
            |(what, name): &(&'static str, &str)| Some((*what, first_line(&version_2.join(name))?));
        contents.epochs = EPOCHS.iter().filter_map(epoch).collect();
        contents.ensemble_id = first_line(&folder.join("ensemble.id"));
        contents
    }
}

impl Files {
    fn add(&mut self, zxid: u64) {
        self.count += 1;
        self.newest = self.newest.max(zxid);
    }
}

/// `None` where it is not what a server would have written.
fn first_line(path: &Path) -> Option<String> {
    let content = volume::content(path).ok()??;
    let line = content.lines().next()?;
    line.bytes().all(|byte| byte.is_ascii_graphic()).then(|| line.to_owned())
}

/// A suffix that says how it is compressed may follow.
fn zxid(name: &str, kind: &str) -> Option<u64> {
    u64::from_str_radix(name.strip_prefix(kind)?.split('.').next()?, 16).ok()
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (kind, files) in [("snapshot", &self.snapshots), ("log", &self.logs)] {
            let plural = if files.count == 1 { "" } else { "s" };
            if files.count > 0 {
                parts.push(format!(
                    "{} {kind}{plural}, the newest {kind}.{:x}",
                    files.count, files.newest
                ));
            }
        }
        if !parts.is_empty() {
            parts.push(format!("{} bytes", self.size));
        }
        parts.extend(self.epochs.iter().map(|(what, epoch)| format!("{what} epoch {epoch}")));
        parts.extend(self.ensemble_id.iter().map(|id| format!("of ensemble {id}")));
        if parts.is_empty() { f.write_str("empty") } else { f.write_str(&parts.join("; ")) }
    }
}

const EPOCHS: [(&str, &str); 2] = [("current", "currentEpoch"), ("accepted", "acceptedEpoch")];

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(files: &[(&str, &str)]) -> String {
        let folder = tempfile::tempdir().expect("a scratch folder");
        fs::create_dir(folder.path().join("version-2")).expect("ours");
        for (name, content) in files {
            fs::write(folder.path().join(name), content).expect("ours");
        }
        Contents::of(folder.path()).to_string()
    }

    #[test]
    fn what_is_no_file_of_a_server_is_nothing() {
        assert_eq!(Contents::of(Path::new("/nowhere")).to_string(), "empty");
        assert_eq!(
            shown(&[("myid", "1\n"), ("version-2/log.x", ""), ("version-2/snapshot", "")]),
            "empty"
        );
    }

    #[test]
    fn files_epochs_and_the_ensemble_are_named() {
        let files = [
            ("version-2/snapshot.0", "12345"),
            ("version-2/snapshot.2000000ab.gz", "123"),
            ("version-2/log.200000001", "1234567"),
            ("version-2/currentEpoch", "2"),
            ("version-2/acceptedEpoch", "3\n"),
            ("ensemble.id", "0d1b5a4e-0000-4000-8000-000000000001\nproposed in epoch 2\n"),
        ];
        assert_eq!(
            shown(&files),
            "2 snapshots, the newest snapshot.2000000ab; 1 log, the newest log.200000001; \
             15 bytes; current epoch 2; accepted epoch 3; of ensemble 0d1b5a4e-0000-4000-8000-000000000001"
        );
    }
}
