//! What a volume holds, as a line of the first screen says it: what a server would start from.
//!
//! It reads names and sizes, and the small files beside them. Nothing here decides anything, so whatever
//! cannot be read is left out: the server will say why.

use std::fmt;
use std::path::Path;

use crate::data_files::{self, DataFile, EPOCHS, Kind};
use crate::volume;

/// Of a data or log directory.
#[derive(Debug)]
pub(crate) struct Contents {
    files: Vec<DataFile>,
    /// The content of each file of an epoch that is there.
    epochs: Vec<(&'static str, String)>,
    ensemble_id: Option<String>,
}

impl Contents {
    pub(crate) fn of(folder: &Path) -> Self {
        let epoch = |name: &&'static str| {
            let what = name.strip_suffix("Epoch").unwrap_or(name);
            Some((what, first_line(&folder.join("version-2").join(name))?))
        };
        Self {
            files: data_files::in_dir(folder),
            epochs: EPOCHS.iter().filter_map(epoch).collect(),
            ensemble_id: first_line(&folder.join("ensemble.id")),
        }
    }
}

/// `None` where it is not what a server would have written.
fn first_line(path: &Path) -> Option<String> {
    let content = volume::content(path).ok()??;
    let line = content.lines().next()?;
    line.bytes().all(|byte| byte.is_ascii_graphic()).then(|| line.to_owned())
}

impl fmt::Display for Contents {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut parts = Vec::new();
        for (what, kind) in [("snapshot", Kind::Snapshot), ("log", Kind::Log)] {
            let zxids = self.files.iter().filter(|file| file.kind == kind).map(|file| file.zxid);
            let count = zxids.clone().count();
            let plural = if count == 1 { "" } else { "s" };
            if let Some(newest) = zxids.max() {
                parts.push(format!("{count} {what}{plural}, the newest {what}.{newest:x}"));
            }
        }
        if !parts.is_empty() {
            let size: u64 = self.files.iter().map(|file| file.size).sum();
            parts.push(format!("{size} bytes"));
        }
        parts.extend(self.epochs.iter().map(|(what, epoch)| format!("{what} epoch {epoch}")));
        parts.extend(self.ensemble_id.iter().map(|id| format!("of ensemble {id}")));
        if parts.is_empty() { f.write_str("empty") } else { f.write_str(&parts.join("; ")) }
    }
}

#[cfg(test)]
mod tests {
    use std::fs;

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
