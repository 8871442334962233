//! The tools that these tests use beside Rust, and whether this machine has them.
//!
//! The table is that of the server's tests, which `cargo xtask test` reads too.

use std::path::Path;

/// Whether all `tools` are installed. If not, says what to install, and the test is to return.
///
/// # Panics
/// A tool is missing and `CI=true`.
pub(crate) fn require(tools: &[&str]) -> bool {
    let missing: Vec<_> = tools.iter().filter_map(|tool| lacking(tool)).collect();
    if !missing.is_empty() {
        let why = format!("missing {}", missing.join(", "));
        assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "CI skips no test: {why}");
        eprintln!("skipped: {why}");
    }
    missing.is_empty()
}

/// The tool and its packages if it is not installed.
fn lacking(tool: &str) -> Option<String> {
    let line = TABLE.lines().find(|line| line.split_whitespace().next() == Some(tool));
    let words: Vec<_> = line.expect("the tool is in tools.txt").split_whitespace().collect();
    let [_, proof, packages @ ..] = words.as_slice() else {
        panic!("tools.txt has no proof for {tool}");
    };
    let is_installed = if proof.starts_with('/') {
        Path::new(proof).exists()
    } else {
        let path = std::env::var_os("PATH").unwrap_or_default();
        std::env::split_paths(&path).any(|folder| folder.join(proof).is_file())
    };
    (!is_installed).then(|| format!("{tool} (Debian: {})", packages.join(" ")))
}

const TABLE: &str = include_str!("../../../server/tests/it/tools.txt");
