//! From root to the server's user: the folders first, then the rights.
//!
//! Not called for a container that was started as another user; what that one may write to is
//! looked at with everything else.
//!
//! Invariants
//! - No link is followed, and nothing of what a server does not write is touched.
//! - What has the right owner already costs one look: no walk through the data at every start.

use std::fs;
use std::os::unix::fs::{MetadataExt, lchown};
use std::path::{Path, PathBuf};

use nix::unistd::{Gid, Uid, geteuid, setgid, setgroups, setuid};

use super::problem::EntryProblem;

/// The user of the official, the Kubernetes and Confluent's image.
pub(crate) const USER: u32 = 1000;

/// Whether there are rights to give up.
pub(crate) fn is_root() -> bool {
    geteuid().is_root()
}

/// Makes the folders, gives them to the server's user, and becomes that user.
///
/// `conf` is where a new zoo.cfg goes; a folder that has one is left alone.
pub(crate) fn drop_root(folders: &[PathBuf], conf: Option<&Path>) -> Result<(), EntryProblem> {
    folders.iter().for_each(|folder| provide(folder));
    if let Some(conf) = conf {
        let _ = fs::create_dir_all(conf);
        give(conf);
    }
    let failed = |source| EntryProblem::Drop { uid: USER, gid: USER, source };
    setgroups(&[]).map_err(failed)?;
    setgid(Gid::from_raw(USER)).map_err(failed)?;
    setuid(Uid::from_raw(USER)).map_err(failed)
}

/// The folder and what a server has in it, two levels deep; whatever else is there is not ours.
///
/// What the system refuses (a read-only mount, a share that knows no root) is passed over here: if
/// it matters, the look at the volume that comes later says so, with owner and mode.
fn provide(folder: &Path) {
    let _ = fs::create_dir_all(folder);
    give(folder);
    let of_server = ["myid", "initialize", "version-2"].map(|name| folder.join(name));
    let written = of_server.into_iter().chain(entries(&folder.join("version-2")));
    written.for_each(|path| give(&path));
}

fn give(path: &Path) {
    let owner = path.symlink_metadata().map(|metadata| metadata.uid());
    if owner.is_ok_and(|owner| owner != USER) {
        let _ = lchown(path, Some(USER), None);
    }
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().filter_map(Result::ok);
    entries.map(|entry| entry.path()).collect()
}
