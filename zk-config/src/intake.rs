//! Sorts what was given, by file and by system property, into rows of the key table.
//!
//! Nothing is parsed here. What has no row is reported, with the key it was probably meant to be.
//!
//! Invariants
//! - The file beats system properties; in the file the last of several lines counts.
//! - `properties` ends up as Java's system properties would, unknown keys included.

use crate::error::{Error, Origin};
use crate::keys::{self, Key, PROPERTY_PREFIX, Source, State};
use crate::properties::Properties;
use crate::reader::{Given, Reader};
use crate::warning::{Caution, Warning};

/// A key without a row, or with the manual's name.
struct Leftovers {
    unknown: Vec<Given>,
    /// The row of the real name, and the setting under the manual's.
    manual: Vec<(&'static str, Given)>,
}

/// Sorts the entries of a file and system properties given besides it.
pub(crate) fn sort(file: &str, entries: &Properties, overrides: &[(String, String)]) -> Reader {
    let mut reader = Reader::new(file);
    let mut left = Leftovers { unknown: Vec::new(), manual: Vec::new() };
    // Of the two spellings that some properties have, the prefixed one comes last and wins.
    let prefixed = |name: &str| name.starts_with(PROPERTY_PREFIX);
    for wanted in [false, true] {
        for (name, value) in overrides.iter().filter(|(name, _)| prefixed(name) == wanted) {
            take_override(&mut reader, &mut left, name.trim(), value.trim());
        }
    }
    for entry in entries.entries() {
        let given = Given {
            key: entry.key.trim().to_owned(),
            text: entry.value.trim().to_owned(),
            at: entries.origin(entry),
        };
        take_entry(&mut reader, &mut left, given);
    }
    settle_leftovers(&mut reader, left);
    reader
}

fn take_override(reader: &mut Reader, left: &mut Leftovers, name: &str, value: &str) {
    reader.properties.insert(name.to_owned(), value.to_owned());
    let at = Origin::file(&format!("-D{name}"));
    let given = |key: &str| Given { key: key.to_owned(), text: value.to_owned(), at: at.clone() };
    let bare = name.strip_prefix(PROPERTY_PREFIX);
    let row = keys::find(bare.unwrap_or(name)).filter(|row| match row.source {
        Source::Bare => bare.is_none(),
        Source::Both => true,
        Source::File | Source::Property => bare.is_some(),
    });
    match (row, bare) {
        // Only properties of the server are ours to judge.
        (None, None) => {}
        (None, Some(_)) => left.unknown.push(given(name)),
        (Some(row), _) if row.source == Source::File => {
            let caution = Caution::FileOnly;
            reader.warnings.push(Warning { at, key: name.to_owned(), caution });
        }
        (Some(row), bare) => take(reader, left, row, given(bare.unwrap_or(name))),
    }
}

fn take_entry(reader: &mut Reader, left: &mut Leftovers, given: Given) {
    let row = keys::find(&given.key);
    let property = match row {
        Some(Key { source: Source::File, .. }) => None,
        Some(Key { source: Source::Bare, .. }) => Some(given.key.clone()),
        // Compat: Java hands these to the metrics provider, known or not.
        None if given.key.starts_with("metricsProvider.") => None,
        Some(_) | None => Some(format!("{PROPERTY_PREFIX}{}", given.key)),
    };
    if let Some(property) = property {
        reader.properties.insert(property, given.text.clone());
    }
    match row {
        Some(row) => take(reader, left, row, given),
        None => left.unknown.push(given),
    }
}

fn take(reader: &mut Reader, left: &mut Leftovers, row: &'static Key, given: Given) {
    if let State::ManualName(real) = row.state {
        let caution = Caution::ManualName { real };
        reader.warnings.push(Warning { at: given.at.clone(), key: given.key.clone(), caution });
        left.manual.push((real, given));
        return;
    }
    let by = given.at.clone();
    if let Some(before) = reader.put(row, given) {
        let caution = Caution::SetAgain { by };
        reader.warnings.push(Warning { at: before.at, key: before.key, caution });
    }
}

fn settle_leftovers(reader: &mut Reader, left: Leftovers) {
    for (name, given) in left.manual {
        let row = keys::find(name).expect("a manual name stands for a key of the table");
        // Where both are given the name that Java reads counts.
        let another_manual_name = reader.given(row.name).is_some_and(|other| other.key != row.name);
        if reader.given(row.name).is_none() || another_manual_name {
            reader.put(row, given);
        }
    }
    let strict = reader.boolean("config.strict");
    for Given { key, at, .. } in left.unknown {
        let hint = keys::nearest(&key).map(|hint| match (at.line, keys::find(&hint)) {
            // It was a system property, and so should be the one it was meant to be.
            (0, Some(row)) => row.property().unwrap_or(hint),
            (_, _) => hint,
        });
        if strict {
            reader.refuse(Error::UnknownKey { at, key, hint });
        } else {
            reader.warnings.push(Warning { at, key, caution: Caution::Unknown { hint } });
        }
    }
}
