//! A line that was typed, taken apart into words.
//!
//! Words are separated by blanks. `'…'` and `"…"` hold blanks; a quote in the middle of a word, or without
//! a partner, is no quote. Java: `MyCommandOptions.parseCommand`.

/// The words of a line, without their quotes.
pub(crate) fn split(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    let mut rest = line.trim_start();
    while let Some(first) = rest.chars().next() {
        let (word, behind) = match first {
            '"' | '\'' => match rest[1..].split_once(first) {
                Some(quoted) => quoted,
                // Compat: a quote without a partner at the start of a word is passed over.
                None => {
                    rest = rest[1..].trim_start();
                    continue;
                }
            },
            _ => rest.split_at(rest.find(char::is_whitespace).unwrap_or(rest.len())),
        };
        words.push(word.to_owned());
        rest = behind.trim_start();
    }
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_split_as_java_splits_them() {
        let cases: &[(&str, &[&str])] = &[
            ("ls /", &["ls", "/"]),
            ("  set /a  'b c' ", &["set", "/a", "b c"]),
            ("set /a \"it's\"", &["set", "/a", "it's"]),
            ("create /w/\"x y", &["create", "/w/\"x", "y"]),
            ("create \"x y", &["create", "x", "y"]),
            ("set /a \"\"", &["set", "/a", ""]),
            ("set /a 'b'c", &["set", "/a", "b", "c"]),
            ("", &[]),
            (" \t", &[]),
        ];
        for (line, expected) in cases {
            assert_eq!(split(line), *expected, "{line:?}");
        }
    }
}
