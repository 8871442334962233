//! The members that a server of this volume was told last: its files of a reconfiguration.
//!
//! With `--scalable` zoo.cfg stands beside the data, since the server keeps the members next to it, as
//! `zoo.cfg.dynamic.VERSION`; what the command line says of the members counts until there is one.
//!
//! Only looks; it never changes a file.

use std::fs;
use std::path::{Path, PathBuf};

use zk_config::Ensemble;

use crate::problem::Problem;

/// The newest of the files.
#[derive(Clone, Debug)]
pub struct Kept {
    /// Where it is.
    pub path: PathBuf,
    /// Who the members are.
    pub ensemble: Ensemble,
}

impl Kept {
    /// Looks beside the zoo.cfg of a data directory.
    ///
    /// # Errors
    /// The file cannot be read, or says nothing that makes sense.
    pub fn newest(data_dir: &Path) -> Result<Option<Self>, Problem> {
        // A folder that is not there yet has none; one that cannot be read is found out elsewhere.
        let Ok(entries) = fs::read_dir(data_dir) else { return Ok(None) };
        let version = |name: &str| {
            let suffix = name.strip_prefix("zoo.cfg.dynamic.")?;
            u64::from_str_radix(suffix, 16).ok()
        };
        let files = entries.filter_map(|entry| {
            let name = entry.ok()?.file_name();
            Some((version(name.to_str()?)?, name))
        });
        let Some((_, name)) = files.max() else { return Ok(None) };
        let path = data_dir.join(name);
        let text = fs::read(&path).map_err(Problem::unreadable("--data_dir", &path))?;
        match Ensemble::parse(&path.display().to_string(), &text, true) {
            Ok(ensemble) => Ok(Some(Self { path, ensemble })),
            Err(errors) => {
                Err(Problem::KeptMembers { path, why: errors.to_string().replace('\n', "; ") })
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_highest_version_counts_and_other_files_do_not() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        assert!(Kept::newest(&folder.path().join("none")).expect("no folder").is_none());
        assert!(Kept::newest(folder.path()).expect("an empty folder").is_none());
        for (name, text) in [
            ("zoo.cfg.dynamic.9", "server.1=a:2888:3888:participant"),
            ("zoo.cfg.dynamic.10a", "server.2=b:2888:3888:participant;2181"),
            ("zoo.cfg.dynamic.next", "server.3=c:2888:3888:participant"),
            ("zoo.cfg.dynamic.fff.tmp", "server.4"),
        ] {
            fs::write(folder.path().join(name), text).expect("ours");
        }
        let kept = Kept::newest(folder.path()).expect("readable").expect("there are two");
        assert!(kept.path.ends_with("zoo.cfg.dynamic.10a"), "{kept:?}");
        assert_eq!(kept.ensemble.servers.len(), 1);
        fs::write(folder.path().join("zoo.cfg.dynamic.200"), "server.1=a").expect("ours");
        let problem = Kept::newest(folder.path()).expect_err("it makes no sense").to_string();
        assert!(problem.contains("zoo.cfg.dynamic.200"), "{problem}");
    }
}
