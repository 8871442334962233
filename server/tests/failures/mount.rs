//! Small file systems in memory, for disks that are full or read-only. They need root.

use std::fs;
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

/// A file system in memory, unmounted when it goes out of sight.
pub(crate) struct Mount(PathBuf);

impl Mount {
    /// Mounts one at `path`; `None`, said aloud, where that cannot be done.
    pub(crate) fn new(path: &Path, options: &str) -> Option<Self> {
        if !is_root() {
            eprintln!("skipped: only root can mount");
            return None;
        }
        fs::create_dir_all(path).unwrap();
        if let Err(why) =
            run(Command::new("mount").args(["-t", "tmpfs", "-o", options, "none"]), path)
        {
            skip_as_root(&format!("cannot mount: {why}"));
            return None;
        }
        Some(Self(path.to_owned()))
    }

    /// Changes its options.
    pub(crate) fn remount(&self, options: &str) {
        run(Command::new("mount").args(["-o", &format!("remount,{options}")]), &self.0).unwrap();
    }
}

impl Drop for Mount {
    fn drop(&mut self) {
        // Lazy: a server of a failed test may still be there.
        if let Err(why) = run(Command::new("umount").arg("--lazy"), &self.0) {
            eprintln!("still mounted: {}: {why}", self.0.display());
        }
    }
}

/// Whether this process may do what only root may.
pub(crate) fn is_root() -> bool {
    fs::metadata("/proc/self").is_ok_and(|own| own.uid() == 0)
}

/// Says that a test is skipped although this is root, for lack of a right or a tool.
///
/// # Panics
/// `CI=true`: there nothing may be skipped.
pub(crate) fn skip_as_root(why: &str) {
    assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "CI skips no test: {why}");
    eprintln!("skipped: {why}");
}

fn run(command: &mut Command, path: &Path) -> Result<(), String> {
    let output = command.arg(path).output().map_err(|error| error.to_string())?;
    let why = || String::from_utf8_lossy(&output.stderr).trim().to_owned();
    if output.status.success() { Ok(()) } else { Err(why()) }
}
