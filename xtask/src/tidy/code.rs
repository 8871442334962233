//! Rust source as the walls see it: without comments, literals and tests, and its paths spelled out.
//!
//! This is no parser: it knows just enough to tell `use std::{fs, net}` from a sentence about it.

use std::iter::Peekable;
use std::str::Chars;

/// A path that the code names, such as `std::fs::File`, and the line where its last part stands.
#[derive(Debug, PartialEq)]
pub(super) struct NamedPath {
    pub(super) line: usize,
    pub(super) path: String,
}

impl NamedPath {
    /// Whether this names `wanted` or something inside it.
    pub(super) fn is_in(&self, wanted: &str) -> bool {
        let rest = self.path.strip_prefix(wanted);
        rest.is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
    }
}

/// Every path that `source` names outside its tests, groups of `use` spelled out.
pub(super) fn paths(source: &str) -> Vec<NamedPath> {
    let code = blank(without_tests(source));
    let mut found = Vec::new();
    // One entry for each open brace: the path before it if it opens a group, else nothing.
    let mut groups: Vec<String> = Vec::new();
    let (mut line, mut path) = (1, String::new());
    let mut chars = code.chars().peekable();
    while let Some(char) = chars.next() {
        match char {
            '\n' => line += 1,
            ':' if chars.next_if_eq(&':').is_some() => path.push_str("::"),
            '{' => {
                let is_group = path.ends_with("::");
                groups.push(if is_group { prefixed(&groups, &path) } else { String::new() });
                path.clear();
            }
            _ if is_identifier(char) => {
                if !path.ends_with("::") {
                    path.clear();
                }
                path.push(char);
                while let Some(next) = chars.next_if(|next| is_identifier(*next)) {
                    path.push(next);
                }
                if !continues(&mut chars) {
                    found.push(NamedPath { line, path: prefixed(&groups, &path) });
                    path.clear();
                }
            }
            '}' => {
                groups.pop();
                path.clear();
            }
            _ if char.is_whitespace() => {}
            _ => path.clear(),
        }
    }
    found
}

/// Whether `::` follows, so that the path goes on.
fn continues(chars: &mut Peekable<Chars<'_>>) -> bool {
    let mut ahead = chars.clone().skip_while(|char| char.is_whitespace());
    ahead.next() == Some(':') && ahead.next() == Some(':')
}

fn prefixed(groups: &[String], path: &str) -> String {
    groups.last().map_or_else(|| path.to_owned(), |prefix| format!("{prefix}{path}"))
}

fn is_identifier(char: char) -> bool {
    char.is_alphanumeric() || char == '_'
}

/// Tests stand last in a file; what they use is their own business.
fn without_tests(source: &str) -> &str {
    source.split_once("#[cfg(test)]\nmod ").map_or(source, |(code, _)| code)
}

/// `source` with comments and literals replaced by blanks; lines stay where they are.
fn blank(source: &str) -> String {
    let mut code = String::with_capacity(source.len());
    let mut rest = source;
    while let Some(char) = rest.chars().next() {
        let length = literal_length(rest, code.chars().next_back());
        if length == 0 {
            code.push(char);
            rest = &rest[char.len_utf8()..];
            continue;
        }
        let (literal, behind) = rest.split_at(length);
        code.extend(literal.chars().map(|char| if char == '\n' { '\n' } else { ' ' }));
        rest = behind;
    }
    code
}

/// The bytes that the comment or literal at the start of `text` takes; 0 if there is none.
fn literal_length(text: &str, before: Option<char>) -> usize {
    if text.starts_with("//") {
        return text.find('\n').unwrap_or(text.len());
    }
    if let Some(comment) = text.strip_prefix("/*") {
        return comment.find("*/").map_or(text.len(), |end| end + 4);
    }
    if let Some(string) = text.strip_prefix('"') {
        return quoted_length(string, '"').map_or(text.len(), |length| length + 1);
    }
    if let Some(char) = text.strip_prefix('\'') {
        // A lifetime has no closing quote after its first character.
        let is_char = char.starts_with('\\') || char.chars().nth(1) == Some('\'');
        return if is_char { quoted_length(char, '\'').map_or(0, |length| length + 1) } else { 0 };
    }
    let Some(raw) = text.strip_prefix('r').filter(|_| !before.is_some_and(is_identifier)) else {
        return 0;
    };
    let hashes = raw.len() - raw.trim_start_matches('#').len();
    if !raw[hashes..].starts_with('"') {
        return 0;
    }
    let end = format!("\"{}", "#".repeat(hashes));
    let body = &raw[hashes + 1..];
    body.find(&end).map_or(text.len(), |at| hashes + 2 + at + end.len())
}

/// The bytes up to and with the closing `quote`.
fn quoted_length(text: &str, quote: char) -> Option<usize> {
    let mut is_escaped = false;
    for (at, char) in text.char_indices() {
        if char == quote && !is_escaped {
            return Some(at + 1);
        }
        is_escaped = char == '\\' && !is_escaped;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, expected: &[&str]) {
        let found: Vec<_> = paths(source)
            .into_iter()
            .map(|named| format!("{} {}", named.line, named.path))
            .collect();
        for path in expected {
            assert!(found.iter().any(|named| named == path), "{path} is not in {found:?}");
        }
    }

    #[test]
    fn a_group_is_spelled_out() {
        let source = "use std::{\n    fs::{self, File},\n    net,\n};\nuse crate::tree::Tree;\n";
        check(source, &["2 std::fs::self", "2 std::fs::File", "3 std::net", "5 crate::tree::Tree"]);
    }

    #[test]
    fn a_path_inside_code_is_seen() {
        check(
            "fn f() {\n    let t = std::time::Instant::now();\n}\n",
            &["2 std::time::Instant::now"],
        );
        check(
            "fn f(m: &'a std :: collections :: HashMap<u8, u8>) {}",
            &["1 std::collections::HashMap"],
        );
    }

    #[test]
    fn comments_literals_and_tests_are_not_code() {
        let source = concat!(
            "//! std::fs\n/* std::net */ fn f() { g(\"std::thread \\\" std::fs\", 'x', '\"'); }\n",
            "const R: &str = r#\"std::fs \" std::net\"#;\n",
            "#[cfg(test)]\nmod tests {\n    use std::fs;\n}\n",
        );
        let outside: Vec<_> =
            paths(source).into_iter().filter(|named| named.path.starts_with("std")).collect();
        assert_eq!(outside, []);
    }

    #[test]
    fn a_path_is_in_its_module_but_not_in_a_namesake() {
        let named = NamedPath { line: 1, path: "std::fs::File".to_owned() };
        assert!(named.is_in("std::fs") && named.is_in("std::fs::File"));
        assert!(!named.is_in("std::f") && !named.is_in("std::fs::FileType"));
    }
}
