//! What a four-letter word's answer says, whatever the server's version.
//!
//! Pure: text in, meaning out.
//!
//! Java: `AbstractFourLetterCommand`, `NopCommand`, `RuokCommand`, `SrvrCommand`, `MonitorCommand`.

/// Whether the server refuses `word` because its whitelist lacks it. `srvr` is never refused.
pub fn is_refusal(word: &str, answer: &str) -> bool {
    let rest = answer.strip_prefix(word);
    rest.is_some_and(|rest| {
        rest.trim_end() == " is not executed because it is not in the whitelist."
    })
}

/// Whether the server listens but is not part of a working ensemble (electing, synchronising,
/// loading its database, shutting down).
pub fn is_not_serving(answer: &str) -> bool {
    answer.trim_end() == "This ZooKeeper instance is not currently serving requests"
}

/// Whether this is what `srvr` says of a server that serves.
pub fn is_server_report(answer: &str) -> bool {
    answer.starts_with("Zookeeper version")
}

/// The role that the `Mode:` line of a `srvr` report names.
pub fn role(report: &str) -> Option<&str> {
    report.lines().find_map(|line| line.strip_prefix("Mode:")).map(str::trim)
}

/// The answer's first line, fit for one line on a terminal.
pub fn excerpt(answer: &str) -> String {
    let line = answer.lines().next().unwrap_or_default();
    let mut excerpt: String = line.chars().take(EXCERPT_CHARS_MAX).collect();
    if excerpt.len() < answer.trim_end().len() {
        excerpt.push_str("...");
    }
    excerpt.escape_debug().to_string()
}

const EXCERPT_CHARS_MAX: usize = 80;

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = "Zookeeper version: 3.9.5\nLatency min/avg/max: 0/0.0/0\nMode: follower\n";

    #[test]
    fn a_refusal_names_the_word_that_was_asked() {
        let refusal = "ruok is not executed because it is not in the whitelist.\n";
        assert!(is_refusal("ruok", refusal));
        assert!(!is_refusal("mntr", refusal));
        assert!(!is_refusal("ruok", "imok"));
    }

    #[test]
    fn the_role_is_what_the_mode_line_says() {
        assert_eq!(role(REPORT), Some("follower"));
        assert_eq!(role("Zookeeper version: 3.9.5\n"), None);
        assert!(is_server_report(REPORT));
    }

    #[test]
    fn a_server_that_does_not_serve_says_so_in_one_line() {
        assert!(is_not_serving("This ZooKeeper instance is not currently serving requests\n"));
        assert!(!is_not_serving(REPORT));
    }

    #[test]
    fn an_excerpt_is_one_printable_line() {
        assert_eq!(excerpt("imok"), "imok");
        assert_eq!(excerpt("\u{1b}[31mred\nmore"), "\\u{1b}[31mred...");
        assert_eq!(excerpt(&"x".repeat(500)).len(), EXCERPT_CHARS_MAX + 3);
    }
}
