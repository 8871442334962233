//! Java `.properties` text as ordered entries with their line numbers.
//!
//! It knows the syntax only: what a key means is decided elsewhere. Values keep their trailing
//! blanks, as in Java; callers trim.
//!
//! Invariants
//! - Any bytes are taken; the one possible fault is a malformed `\u` escape.
//! - Work and memory grow with the text and with nothing else.
//!
//! Compat: Java reads ISO-8859-1. Text that is valid UTF-8 is read as UTF-8 here, so that a path
//! with other letters works as written; everything else is ISO-8859-1. A byte order mark is
//! dropped, where Java would make it part of the first key.
//!
//! Java: `java.util.Properties.load`.

use crate::error::{Error, Errors, Origin};

/// The entries of one file in the order they stand there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Properties {
    file: String,
    entries: Vec<Entry>,
}

/// One key with its value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The key, escapes resolved.
    pub key: String,
    /// The value, escapes resolved and continuation lines joined; empty for a key alone.
    pub value: String,
    /// The line of the file on which the entry begins, from 1; 0 if it stands in no file.
    pub line: u32,
    /// The line on which it ends.
    pub(crate) last_line: u32,
}

impl Properties {
    /// Parses the bytes of `file`, whose name is for messages only.
    ///
    /// # Errors
    /// One [`Error::Escape`] for each malformed `\u` escape.
    pub fn parse(file: &str, text: &[u8]) -> Result<Self, Errors> {
        let mut errors = Vec::new();
        let properties = Self::parse_what_can_be(file, text, &mut errors);
        if errors.is_empty() { Ok(properties) } else { Err(Errors(errors)) }
    }

    /// The same, leaving out the malformed entries and going on behind them.
    pub(crate) fn parse_what_can_be(file: &str, text: &[u8], errors: &mut Vec<Error>) -> Self {
        let text = decoded(text);
        let mut entries = Vec::new();
        for LogicalLine { line, last_line, content } in logical_lines(&text) {
            let (key, value) = key_and_value(&content);
            match (unescaped(key), unescaped(value)) {
                (Some(key), Some(value)) => {
                    entries.push(Entry { key, value, line, last_line });
                }
                (None, _) | (_, None) => errors.push(Error::Escape {
                    at: Origin { file: file.to_owned(), line },
                    key: key.to_owned(),
                }),
            }
        }
        Self { file: file.to_owned(), entries }
    }

    /// Entries that stand in no file, under a name for messages.
    pub(crate) fn from_pairs(name: &str, pairs: &[(&str, &str)]) -> Self {
        let entry = |(key, value): &(&str, &str)| Entry {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            line: 0,
            last_line: 0,
        };
        Self { file: name.to_owned(), entries: pairs.iter().map(entry).collect() }
    }

    /// Every entry in the order of the file, duplicates included.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// The entry that counts for `key`: the last one.
    pub fn lookup(&self, key: &str) -> Option<&Entry> {
        self.entries.iter().rev().find(|entry| entry.key == key)
    }

    /// Where `entry` stands.
    pub fn origin(&self, entry: &Entry) -> Origin {
        Origin { file: self.file.clone(), line: entry.line }
    }
}

/// Text as UTF-8 where it is that, as ISO-8859-1 otherwise.
pub(crate) fn decoded(text: &[u8]) -> String {
    match std::str::from_utf8(text) {
        Ok(utf8) => utf8.strip_prefix('\u{feff}').unwrap_or(utf8).to_owned(),
        Err(_) => text.iter().copied().map(char::from).collect(),
    }
}

/// A line that carries an entry, continuations joined.
struct LogicalLine {
    line: u32,
    last_line: u32,
    content: String,
}

fn logical_lines(text: &str) -> Vec<LogicalLine> {
    let mut lines = Vec::new();
    let mut open: Option<LogicalLine> = None;
    for (index, natural) in natural_lines(text).enumerate() {
        let natural = natural.trim_start_matches(is_blank);
        let begins = open.as_ref().is_none_or(|open| open.content.is_empty());
        if begins && (natural.is_empty() || natural.starts_with(['#', '!'])) {
            open = None;
            continue;
        }
        let line = u32::try_from(index).map_or(u32::MAX, |index| index.saturating_add(1));
        let begun = || LogicalLine { line, last_line: line, content: String::new() };
        let logical = open.get_or_insert_with(begun);
        logical.last_line = line;
        let backslashes = natural.len() - natural.trim_end_matches('\\').len();
        if backslashes % 2 == 1 {
            logical.content.push_str(&natural[..natural.len() - 1]);
        } else {
            logical.content.push_str(natural);
            lines.extend(open.take());
        }
    }
    lines.extend(open);
    lines.retain(|logical| !logical.content.is_empty());
    lines
}

/// Splits at `\n`, `\r` and `\r\n`.
fn natural_lines(text: &str) -> impl Iterator<Item = &str> {
    let mut rest = Some(text);
    std::iter::from_fn(move || {
        let text = rest?;
        let Some(end) = text.find(['\n', '\r']) else {
            rest = None;
            return Some(text);
        };
        let ending = if text[end..].starts_with("\r\n") { 2 } else { 1 };
        rest = Some(&text[end + ending..]);
        Some(&text[..end])
    })
}

fn is_blank(c: char) -> bool {
    matches!(c, ' ' | '\t' | '\u{c}')
}

/// Splits a logical line at its separator.
fn key_and_value(content: &str) -> (&str, &str) {
    let mut escaped = false;
    let key_end = content
        .find(|c: char| {
            let ends = !escaped && (is_blank(c) || matches!(c, '=' | ':'));
            escaped = !escaped && c == '\\';
            ends
        })
        .unwrap_or(content.len());
    let (key, rest) = content.split_at(key_end);
    let rest = rest.trim_start_matches(is_blank);
    (key, rest.strip_prefix(['=', ':']).unwrap_or(rest).trim_start_matches(is_blank))
}

/// Resolves the escapes; `None` where `\u` is not followed by four hex digits.
fn unescaped(text: &str) -> Option<String> {
    // Java's characters are UTF-16: two escapes may be the halves of one character.
    let mut units: Vec<u16> = Vec::with_capacity(text.len());
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        if c != '\\' {
            units.extend_from_slice(c.encode_utf16(&mut [0; 2]));
            continue;
        }
        let resolved = match chars.next() {
            Some('t') => '\t',
            Some('n') => '\n',
            Some('r') => '\r',
            Some('f') => '\u{c}',
            Some('u') => {
                units.push(hex_unit(&mut chars)?);
                continue;
            }
            Some(other) => other,
            None => break,
        };
        units.extend_from_slice(resolved.encode_utf16(&mut [0; 2]));
    }
    Some(String::from_utf16_lossy(&units))
}

fn hex_unit(chars: &mut std::str::Chars<'_>) -> Option<u16> {
    let mut unit = 0;
    for _ in 0..4 {
        let digit = chars.next()?.to_digit(16)?;
        unit = unit << 4 | u16::try_from(digit).expect("a hex digit is below 16");
    }
    Some(unit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &[u8], expected: &[(&str, &str, u32)]) {
        let properties = Properties::parse("t.cfg", text).unwrap();
        let entries: Vec<_> = properties
            .entries()
            .iter()
            .map(|entry| (entry.key.as_str(), entry.value.as_str(), entry.line))
            .collect();
        assert_eq!(entries, expected, "{}", text.escape_ascii());
    }

    #[test]
    fn the_first_unescaped_separator_ends_the_key() {
        check(b"tickTime=2000", &[("tickTime", "2000", 1)]);
        check(b"dataDir : /d", &[("dataDir", "/d", 1)]);
        check(b"clientPort 2181", &[("clientPort", "2181", 1)]);
        check(b"  a\t\t=\t b", &[("a", "b", 1)]);
        check(b"a = = b", &[("a", "= b", 1)]);
        check(b"a=b=c:d", &[("a", "b=c:d", 1)]);
        check(b"a\\=b\\:c\\ d=e", &[("a=b:c d", "e", 1)]);
        check(b"=v", &[("", "v", 1)]);
    }

    #[test]
    fn a_key_alone_has_an_empty_value() {
        check(b"clientPort", &[("clientPort", "", 1)]);
        check(b"clientPort=", &[("clientPort", "", 1)]);
        check(b"clientPort =  ", &[("clientPort", "", 1)]);
    }

    #[test]
    fn trailing_blanks_and_comments_belong_to_the_value() {
        check(b"a=b  ", &[("a", "b  ", 1)]);
        check(b"tickTime=2000 # ms", &[("tickTime", "2000 # ms", 1)]);
    }

    #[test]
    fn comments_and_blank_lines_are_passed_over_but_counted() {
        check(
            b"# x\n\n  ! y\n \t\x0c\na=1\r\n#\r\nb=2\rc=3",
            &[("a", "1", 5), ("b", "2", 7), ("c", "3", 8)],
        );
        check(b"# no continuation \\\na=1", &[("a", "1", 2)]);
        check(b"", &[]);
    }

    #[test]
    fn a_line_continues_after_an_odd_number_of_backslashes() {
        check(b"a=b,\\\n   c\nd=e", &[("a", "b,c", 1), ("d", "e", 3)]);
        check(b"a=b\\\\\nc=d", &[("a", "b\\", 1), ("c", "d", 2)]);
        check(b"a=b\\\\\\\r\n c", &[("a", "b\\c", 1)]);
        check(b"a=b\\\n# part of the value", &[("a", "b# part of the value", 1)]);
        check(b"a=b\\\n\nc=d", &[("a", "b", 1), ("c", "d", 3)]);
        check(b"a=b\\", &[("a", "b", 1)]);
        check(b"\\\n\na=b", &[("a", "b", 3)]);
        check(b"\\\n# a comment\na=b", &[("a", "b", 3)]);
    }

    #[test]
    fn escapes_are_resolved_and_unknown_ones_lose_the_backslash() {
        check(b"a=\\t\\n\\r\\f\\\\\\q\\#", &[("a", "\t\n\r\u{c}\\q#", 1)]);
        check(b"a=C:\\\\zk", &[("a", "C:\\zk", 1)]);
        check(b"a=\\u00e9\\uD83D\\uDE00", &[("a", "é😀", 1)]);
        check(b"a=\\uD83D", &[("a", "\u{fffd}", 1)]);
    }

    #[test]
    fn bytes_are_utf_8_where_they_can_be_and_iso_8859_1_otherwise() {
        check("a=é".as_bytes(), &[("a", "é", 1)]);
        check(b"a=\xe9", &[("a", "é", 1)]);
        check(b"\xef\xbb\xbfa=b", &[("a", "b", 1)]);
    }

    #[test]
    fn the_last_of_several_entries_counts() {
        let properties = Properties::parse("t.cfg", b"a=1\nb=2\na=3").unwrap();
        let entry = properties.lookup("a").unwrap();
        assert_eq!((entry.value.as_str(), entry.line), ("3", 3));
        assert_eq!(properties.origin(entry).to_string(), "t.cfg:3");
        assert_eq!(properties.lookup("c"), None);
    }

    #[test]
    fn every_malformed_escape_is_reported() {
        let errors = Properties::parse("t.cfg", b"a=\\u12\nb=1\nc\\uzzzz=1").unwrap_err();
        assert_eq!(
            errors.to_string(),
            "t.cfg:1: a: Malformed \\uxxxx encoding; allowed: \\u and four hex digits, \\\\ for a \
             backslash\n\
             t.cfg:3: c\\uzzzz: Malformed \\uxxxx encoding; allowed: \\u and four hex digits, \
             \\\\ for a backslash"
        );
    }
}
