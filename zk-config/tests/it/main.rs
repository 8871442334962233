//! The crate as its users see it: texts and files in, configurations, warnings and errors out.
//!
//! Each case is data for one of the `check` functions; they alone call the crate.

#![allow(clippy::unwrap_used, reason = "everything here is a test")]

mod bad;
mod files;
mod good;
mod members;

use zk_config::{Config, Parsed};

/// System properties from `name=value` words.
fn properties(words: &str) -> Vec<(String, String)> {
    let split = |word: &str| {
        let (name, value) = word.split_once('=').unwrap();
        (name.to_owned(), value.to_owned())
    };
    words.split_whitespace().map(split).collect()
}

/// The lines of a configuration that nobody objects to, followed by `text`.
fn minimal(text: &str) -> String {
    format!("dataDir=/d\nclientPort=2181\n{text}")
}

fn parsed(text: &str) -> Parsed {
    Config::parse("zoo.cfg", text.as_bytes(), &[]).unwrap_or_else(|errors| panic!("{errors}"))
}

/// Warnings, then notes marked as such, a line each.
fn remarks(parsed: &Parsed) -> String {
    let warnings = parsed.warnings.iter().map(|warning| format!("{warning}\n"));
    let notes = parsed.notes.iter().map(|note| format!("note: {note}\n"));
    warnings.chain(notes).collect()
}
