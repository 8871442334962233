//! Rules for the manifests: what must stand twice is the same.
//!
//! Reads the few forms of TOML that these files have, line by line.

use super::Finding;
use crate::repository::Repository;

/// A crate's `clippy.toml` replaces the root's, so it must repeat the root's keys.
pub(super) fn clippy_files_repeat_the_root(repository: &Repository) -> Vec<Finding> {
    let Some(root) = repository.file("clippy.toml") else {
        return vec![Finding::new("clippy.toml", 1, "is missing")];
    };
    let keys: Vec<_> = root.text.lines().filter(|line| line.contains('=')).collect();
    let mut findings = Vec::new();
    for file in repository.files.iter().filter(|file| file.path.ends_with("/clippy.toml")) {
        for key in keys.iter().filter(|key| !file.text.lines().any(|line| line == **key)) {
            let why = format!("replaces the root's clippy.toml, so it must repeat `{key}`");
            findings.push(Finding::new(&file.path, 1, why));
        }
    }
    findings
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check;

    #[test]
    fn a_crates_clippy_file_that_forgets_a_root_key_is_found() {
        let files = [
            ("clippy.toml", "lines = 70\nunwrap = true\n"),
            ("good/clippy.toml", "unwrap = true\nlines = 70\nbanned = []\n"),
            ("bad/clippy.toml", "lines = 80\nunwrap = true\n"),
        ];
        assert_eq!(
            check(clippy_files_repeat_the_root, &files),
            ["bad/clippy.toml:1: replaces the root's clippy.toml, so it must repeat `lines = 70`"]
        );
    }
}
