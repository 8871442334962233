//! The tools of other languages that these tests use, and whether this machine has them.
//!
//! The table is `tools.txt`, which `cargo xtask test` reads too.
//!
//! Invariants
//! - With `CI=true` a missing tool fails the test; on a person's machine it skips the test, aloud.

use std::path::Path;

/// Whether all `tools` are installed. If not, says what to install, and the test is to return.
///
/// # Panics
/// A tool is missing and `CI=true`.
pub(crate) fn require(tools: &[&str]) -> bool {
    let missing: Vec<_> = tools.iter().filter_map(|tool| lacking(tool)).collect();
    if !missing.is_empty() {
        skip(&format!("missing {}", missing.join(", ")));
    }
    missing.is_empty()
}

/// Says that a test is skipped and why.
///
/// # Panics
/// `CI=true`: there nothing may be skipped.
pub(crate) fn skip(why: &str) {
    assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "CI skips no test: {why}");
    eprintln!("skipped: {why}");
}

/// The tool and its packages if it is not installed.
fn lacking(tool: &str) -> Option<String> {
    let line = TABLE.lines().find(|line| line.split_whitespace().next() == Some(tool));
    let words: Vec<_> = line.expect("the tool is in tools.txt").split_whitespace().collect();
    let [_, proof, packages @ ..] = words.as_slice() else {
        panic!("tools.txt has no proof for {tool}");
    };
    (!is_installed(proof)).then(|| format!("{tool} (Debian: {})", packages.join(" ")))
}

fn is_installed(proof: &str) -> bool {
    if proof.starts_with('/') {
        return Path::new(proof).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(proof).is_file())
}

const TABLE: &str = include_str!("tools.txt");
