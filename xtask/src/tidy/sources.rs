//! Rules for each source file by itself: its first line, its length, words it must not have.
//!
//! The words are put together from pieces, so that this file passes its own rules.

use super::Finding;
use crate::repository::{File, Repository};

/// Every Rust file opens with what it is for.
pub(super) fn opens_with_its_purpose(repository: &Repository) -> Vec<Finding> {
    repository
        .rust()
        .filter(|file| !file.text.starts_with("//!"))
        .map(|file| {
            Finding::new(&file.path, 1, "opens without a `//!` comment that says its purpose")
        })
        .collect()
}

/// No source grows past what a person reads in one go.
pub(super) fn is_of_readable_length(repository: &Repository) -> Vec<Finding> {
    sources(repository)
        .filter(|file| file.text.lines().count() > LINES_MAX)
        .map(|file| Finding::new(&file.path, LINES_MAX, "has over 1000 lines: split it"))
        .collect()
}

/// Nothing is left for later, and no test is switched off.
pub(super) fn has_no_banned_words(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in sources(repository) {
        for (number, line) in file.lines() {
            for banned in BANNED_WORDS.iter().filter(|word| has_word(line, word)) {
                findings.push(Finding::new(&file.path, number, format!("has `{banned}`")));
            }
        }
    }
    findings
}

/// Tests wait for a condition under a deadline; a fixed pause is too short or too long.
pub(super) fn awaits_conditions(repository: &Repository) -> Vec<Finding> {
    let is_test = |file: &&File| {
        file.is_below("tests")
            || file.path.ends_with("tests.rs")
            || file.path.starts_with("zk-sim/")
    };
    let mut findings = Vec::new();
    for file in sources(repository).filter(is_test) {
        for (number, line) in file.lines() {
            if line.to_ascii_lowercase().contains(PAUSE) {
                findings.push(Finding::new(
                    &file.path,
                    number,
                    "pauses: await the condition instead",
                ));
            }
        }
    }
    findings
}

/// The repository knows nothing of the machines that it was written on.
pub(super) fn names_no_machine(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in &repository.files {
        for (number, line) in file.lines() {
            for path in MACHINE_PATHS.iter().filter(|path| line.contains(**path)) {
                let why = format!("names `{path}`, a path of one machine");
                findings.push(Finding::new(&file.path, number, why));
            }
        }
    }
    findings
}

fn sources(repository: &Repository) -> impl Iterator<Item = &File> {
    let is_source = |file: &&File| {
        let extension = file.path.rsplit_once('.').map(|(_, extension)| extension);
        extension.is_some_and(|extension| SOURCE_EXTENSIONS.contains(&extension))
    };
    repository.files.iter().filter(is_source)
}

/// Whether `word` stands in `line` with no letter or digit next to its own letters.
fn has_word(line: &str, word: &str) -> bool {
    let joins = |neighbour: Option<char>| {
        neighbour.is_some_and(|char| char.is_alphanumeric() || char == '_')
    };
    line.match_indices(word).any(|(at, _)| {
        let (before, after) = (&line[..at], &line[at + word.len()..]);
        !joins(before.chars().next_back()) && !joins(after.chars().next())
    })
}

const LINES_MAX: usize = 1000;

const SOURCE_EXTENSIONS: &[&str] = &["rs", "py", "go", "java", "sh", "toml", "yaml", "yml"];

const BANNED_WORDS: &[&str] = &[
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("XX", "X"),
    concat!("HA", "CK"),
    concat!("db", "g!"),
    concat!("#[", "ignore"),
];

const PAUSE: &str = concat!("sle", "ep(");

const MACHINE_PATHS: &[&str] = &[
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/."),
    concat!("/tm", "p/target-"),
    concat!("/tm", "p/bash_jobs"),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check;

    #[test]
    fn a_file_without_an_opening_comment_is_found() {
        let files = [("a/src/lib.rs", "//! Good.\n"), ("a/src/bad.rs", "use std::fmt;\n")];
        assert_eq!(
            check(opens_with_its_purpose, &files),
            ["a/src/bad.rs:1: opens without a `//!` comment that says its purpose"]
        );
    }

    #[test]
    fn a_file_of_a_thousand_lines_passes_and_one_more_does_not() {
        let (most, more) = ("x\n".repeat(1000), "x\n".repeat(1001));
        let files = [("most.rs", most.as_str()), ("more.py", &more), ("Cargo.lock", &more)];
        assert_eq!(
            check(is_of_readable_length, &files),
            ["more.py:1000: has over 1000 lines: split it"]
        );
    }

    #[test]
    fn banned_words_are_found_as_words_only() {
        let later = format!("// {}: later\n", BANNED_WORDS[0]);
        let ignored = format!("{} = \"slow\"]\n", BANNED_WORDS[5]);
        let files = [
            ("a.rs", later.as_str()),
            ("b.rs", &ignored),
            ("c.rs", "mktemp_XXXXXX HACKNEYED\n"),
            ("d.md", &later),
        ];
        let findings = check(has_no_banned_words, &files);
        assert_eq!(findings.len(), 2, "{findings:?}");
        assert!(findings[0].starts_with("a.rs:1") && findings[1].starts_with("b.rs:1"));
    }

    #[test]
    fn a_pause_is_found_in_tests_of_every_language() {
        let pause = format!("time.S{}1)\n", &PAUSE[1..]);
        let files = [
            ("server/tests/it/main.rs", pause.as_str()),
            ("server/tests/clients/client.go", &pause),
            ("zk-core/src/tree/tests.rs", &pause),
            ("server/src/main.rs", &pause),
        ];
        assert_eq!(check(awaits_conditions, &files).len(), 3);
    }

    #[test]
    fn a_path_of_one_machine_is_found_in_any_file() {
        let text = format!("see\n{}notes\n", MACHINE_PATHS[0]);
        let findings = check(names_no_machine, &[("README.md", &text)]);
        assert_eq!(findings.len(), 1);
        assert!(findings[0].starts_with("README.md:2: names"));
    }
}
