//! Rules for the manifests: what must stand twice is the same, and what stands there is used.
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

/// A dependency that no member takes is gone from the root manifest; the rooms themselves may stand
/// there before another room uses them.
pub(super) fn dependencies_are_used(repository: &Repository) -> Vec<Finding> {
    let Some(root) = repository.file("Cargo.toml") else {
        return vec![Finding::new("Cargo.toml", 1, "is missing")];
    };
    let members: Vec<_> =
        repository.files.iter().filter(|file| file.path.ends_with("/Cargo.toml")).collect();
    let is_used = |name: &str| {
        let short = format!("{name}.workspace = true");
        let long = format!("{name} = {{ workspace = true");
        members
            .iter()
            .any(|member| member.text.lines().any(|line| line == short || line.starts_with(&long)))
    };
    let section = root
        .lines()
        .skip_while(|(_, line)| *line != "[workspace.dependencies]")
        .skip(1)
        .take_while(|(_, line)| !line.starts_with('['));
    section
        .filter(|(_, line)| !line.starts_with('#') && !line.contains("path = "))
        .filter_map(|(number, line)| Some((number, line.split_once(" = ")?.0)))
        .filter(|(_, name)| !is_used(name))
        .map(|(number, name)| {
            Finding::new("Cargo.toml", number, format!("no member uses the dependency `{name}`"))
        })
        .collect()
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

    #[test]
    fn a_dependency_that_no_member_takes_is_found() {
        let root = "[workspace.dependencies]\n# why\na = \"1\"\nb = \"1\"\nc = { version = \"1\" }\n\
                    room = { path = \"room\" }\n\
                    \n[profile.dev]\npanic = \"abort\"\n";
        let member =
            "[dependencies]\na.workspace = true\nc = { workspace = true, features = [] }\n";
        assert_eq!(
            check(dependencies_are_used, &[("Cargo.toml", root), ("m/Cargo.toml", member)]),
            ["Cargo.toml:4: no member uses the dependency `b`"]
        );
    }
}
