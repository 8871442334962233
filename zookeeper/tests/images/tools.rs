//! What these tests need of the machine, and what becomes of them without it.
//!
//! Invariant: with `CI=true` nothing is skipped; on a person's machine a skip says why.

use std::path::Path;
use std::process::{Command, Output};

/// Says that a test is skipped and why.
///
/// # Panics
/// `CI=true`: there nothing may be skipped.
pub(crate) fn skip(why: &str) {
    assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "CI skips no test: {why}");
    eprintln!("skipped: {why}");
}

/// Whether a tool of `tools.txt` is installed; if not, says that the test is skipped.
pub(crate) fn is_there(name: &str) -> bool {
    let missing = missing(&[name]);
    missing.iter().for_each(|tool| skip(&format!("missing {tool}")));
    missing.is_empty()
}

/// Those of these tools of `tools.txt` that are not installed, with their packages.
pub(crate) fn missing(names: &[&str]) -> Vec<String> {
    let lines = TABLE.lines().filter(|line| !line.starts_with('#'));
    let tools = lines.map(|line| line.split_whitespace().collect::<Vec<_>>());
    tools
        .filter(|words| names.contains(&words[0]) && !is_installed(words[1]))
        .map(|words| format!("{} (Debian: {})", words[0], words[2..].join(" ")))
        .collect()
}

/// A program of `tools.txt`, or `None` after saying why the test is skipped.
pub(crate) fn tool(name: &str) -> Option<Command> {
    if is_installed(name) {
        return Some(Command::new(name));
    }
    skip(&format!("{name} is missing, see tools.txt for its package"));
    None
}

fn is_installed(proof: &str) -> bool {
    if proof.starts_with('/') {
        return Path::new(proof).exists();
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(proof).is_file())
}

/// Runs a program to its end.
///
/// # Panics
/// It failed; what it said is in the message.
pub(crate) fn run(command: &mut Command) -> String {
    let output = output(command);
    assert!(
        output.status.success(),
        "{command:?} failed with {}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).trim_end().to_owned()
}

/// Runs a program, however it ends.
pub(crate) fn output(command: &mut Command) -> Output {
    command.output().unwrap_or_else(|error| panic!("{command:?} does not start: {error}"))
}

const TABLE: &str = include_str!("tools.txt");
