//! Files that are whole or absent, also when the machine stops in between, and their folders.
//!
//! Invariant: whoever opens the path sees the old content or the new one.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::Path;

use crate::failure::Failure;

/// Replaces `path` by `content`: beside it first, synced, then renamed, and the rename synced.
pub fn write(path: &Path, content: &str) -> Result<(), Failure> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let beside = path.with_file_name(format!(".{name}.new"));
    let result = replace(&beside, path, content.as_bytes());
    if result.is_err() {
        // What is reported is the first error, not that of cleaning up behind it.
        let _ = fs::remove_file(&beside);
    }
    result.map_err(failed("write", path))
}

/// Makes `folder` and what is missing above it. What exists keeps its owner and mode.
///
/// Compat: the old script made them with the shell's umask and tried to give them to its user.
/// Here they belong to whoever runs the server, and others may not read them: snapshots and logs
/// hold all data and the digests of passwords.
pub fn create_folder(folder: &Path) -> Result<(), Failure> {
    let mut builder = DirBuilder::new();
    builder.recursive(true).mode(FOLDER_MODE);
    builder.create(folder).map_err(failed("create directory", folder))
}

fn replace(beside: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    // A leftover of a start that was killed; never followed if it is a link.
    match fs::remove_file(beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(beside)?;
    file.write_all(content)?;
    file.sync_all()?;
    fs::rename(beside, path)?;
    File::open(path.parent().unwrap_or(Path::new("/")))?.sync_all()
}

fn failed(action: &'static str, path: &Path) -> impl FnOnce(io::Error) -> Failure {
    let path = path.to_owned();
    move |source| Failure::Write { action, path, source }
}

/// The group is for volumes whose `fsGroup` stays while the user changes.
const FOLDER_MODE: u32 = 0o750;

/// zoo.cfg may hold a password.
const FILE_MODE: u32 = 0o640;

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_replaced_and_nothing_else_is_left() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let path = folder.path().join("zoo.cfg");
        fs::write(folder.path().join(".zoo.cfg.new"), "left by a crash").expect("written");
        for content in ["one", "two"] {
            write(&path, content).expect("written");
            assert_eq!(fs::read_to_string(&path).expect("read"), content);
        }
        let mode = fs::metadata(&path).expect("exists").permissions().mode() & 0o777;
        assert_eq!(mode & !FILE_MODE, 0, "{mode:o}");
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
    }

    #[test]
    fn a_link_is_replaced_and_not_followed() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let (path, target) = (folder.path().join("zoo.cfg"), folder.path().join("target"));
        fs::write(&target, "mounted").expect("written");
        std::os::unix::fs::symlink(&target, &path).expect("linked");
        write(&path, "new").expect("written");
        assert_eq!(fs::read_to_string(&target).expect("read"), "mounted");
        assert_eq!(fs::read_to_string(&path).expect("read"), "new");
    }

    #[test]
    fn a_failure_names_what_and_where_and_leaves_nothing() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let path = folder.path().join("zoo.cfg");
        fs::create_dir_all(path.join("in-the-way")).expect("made");
        let error = write(&path, "new").expect_err("a folder is no file").to_string();
        assert!(error.starts_with(&format!("cannot write {}", path.display())), "{error}");
        assert_eq!(fs::read_dir(folder.path()).expect("listed").count(), 1);
    }

    #[test]
    fn folders_are_made_for_owner_and_group_and_kept_if_they_exist() {
        let folder = tempfile::tempdir().expect("a scratch folder");
        let path = folder.path().join("data/log");
        create_folder(&path).expect("made");
        create_folder(&path).expect("kept");
        for folder in [&path, path.parent().expect("has a parent")] {
            let mode = fs::metadata(folder).expect("exists").permissions().mode() & 0o777;
            assert_eq!(mode & !FOLDER_MODE, 0, "{mode:o}");
        }
    }
}
