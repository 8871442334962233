//! A static file whose members have moved to a dynamic one.
//!
//! Pure: text in, text out.
//!
//! Invariants
//! - Lines that do not say who the members are stay as they are, to the byte, and in order.
//! - What stays means what it meant, whatever the lines around it were.
//!
//! Compat: Java loses comments and order, and drops every key that begins like one of these, such
//! as `clientPortListenBacklog`.
//!
//! Java: `QuorumPeerConfig.editStaticConfig`.

use std::fmt::Write;

use crate::keys::{self, Kind};
use crate::properties::Properties;

/// The text of a static file without members, and with `dynamicConfigFile` as its last line.
///
/// Without `keeps_client_port`, the client port is left out too: it stands on the server's own
/// line in the dynamic file.
pub fn with_dynamic_file(text: &[u8], dynamic_file: &str, keeps_client_port: bool) -> Vec<u8> {
    let mut malformed = Vec::new();
    // Entries that cannot be read stay.
    let properties = Properties::parse_what_can_be("static file", text, &mut malformed);
    let mut moved = properties
        .entries()
        .iter()
        .filter(|entry| moves(entry.key.trim(), keeps_client_port))
        .map(|entry| entry.line..=entry.last_line)
        .peekable();
    let mut kept = Vec::with_capacity(text.len() + dynamic_file.len());
    for (number, line) in (1..).zip(lines(text)) {
        while moved.next_if(|lines| *lines.end() < number).is_some() {}
        if !moved.peek().is_some_and(|lines| lines.contains(&number)) {
            kept.extend_from_slice(line);
        }
    }
    if kept.last().is_some_and(|last| !is_line_end(last)) {
        kept.push(b'\n');
    }
    let content = kept.iter().rposition(|byte| !is_line_end(byte)).map(|at| kept[at]);
    if content == Some(b'\\') {
        // An empty line ends what would be continued.
        kept.push(b'\n');
    }
    kept.extend_from_slice(format!("dynamicConfigFile={}\n", escaped(dynamic_file)).as_bytes());
    kept
}

/// Whether a key says who the members are or where that is told.
pub(crate) fn moves(key: &str, keeps_client_port: bool) -> bool {
    let is_member = keys::find(key)
        .is_some_and(|row| matches!(row.kind, Kind::Server | Kind::Group | Kind::Weight));
    is_member
        || matches!(key, "peerType" | "dynamicConfigFile")
        || !keeps_client_port && matches!(key, "clientPort" | "clientPortAddress")
}

/// The lines with their ends, counted as [`Properties`] counts them.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        let end = match rest.iter().position(is_line_end) {
            Some(end) if rest[end..].starts_with(b"\r\n") => end + 2,
            Some(end) => end + 1,
            None if rest.is_empty() => return None,
            None => rest.len(),
        };
        let (line, behind) = rest.split_at(end);
        rest = behind;
        Some(line)
    })
}

fn is_line_end(byte: &u8) -> bool {
    matches!(byte, b'\n' | b'\r')
}

/// A path as a value that is read the same in every encoding.
fn escaped(path: &str) -> String {
    let mut value = String::with_capacity(path.len());
    for unit in path.encode_utf16() {
        match u8::try_from(unit) {
            Ok(b'\\') => value.push_str("\\\\"),
            Ok(byte @ b'!'..=b'~') => value.push(char::from(byte)),
            Ok(_) | Err(_) => write!(value, "\\u{unit:04x}").expect("a text takes everything"),
        }
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    const DYNAMIC: &str = "/c/zoo.cfg.dynamic.1";

    fn check(text: &str, keeps_client_port: bool, kept: &str) {
        let outcome = with_dynamic_file(text.as_bytes(), DYNAMIC, keeps_client_port);
        let outcome = String::from_utf8(outcome).unwrap();
        assert_eq!(outcome, format!("{kept}dynamicConfigFile={DYNAMIC}\n"), "{text:?}");
        let entries = Properties::parse_what_can_be("t", outcome.as_bytes(), &mut Vec::new());
        let last = entries.entries().last().unwrap();
        assert_eq!((last.key.as_str(), last.value.as_str()), ("dynamicConfigFile", DYNAMIC));
    }

    #[test]
    fn members_go_and_the_rest_stays_as_it_is() {
        check(
            "# Ours\r\n\n  tickTime = 2000\nserver.1=a:2:3\n# two\nserver.2:b:2:3\nservers=1\n\
             group.1=1\nweight.1 1\npeerType=observer\ndynamicConfigFile=x\ndataDir=/d \\\n  x\n\
             \\u0073erver.3=c:2:3",
            true,
            "# Ours\r\n\n  tickTime = 2000\n# two\nservers=1\ndataDir=/d \\\n  x\n",
        );
        check("", true, "");
        check("server.1=a:2:3", true, "");
    }

    #[test]
    fn the_client_port_goes_when_the_dynamic_file_has_it() {
        let text = "clientPort=2181\nclientPortAddress=h\nsecureClientPort=1\n\
                    clientPortListenBacklog=9\n";
        check(text, true, text);
        check(text, false, "secureClientPort=1\nclientPortListenBacklog=9\n");
    }

    #[test]
    fn lines_that_continue_go_and_stay_together() {
        check(
            "a=1\\\nserver.1=x\nserver.1=\\\n  a:2:\\\r\n3\nb=2\r",
            true,
            "a=1\\\nserver.1=x\nb=2\r",
        );
        check("server.1=a:2:3\\", true, "");
        check("a=1\\", true, "a=1\\\n\n");
        check("a=1\\\n", true, "a=1\\\n\n");
        check("a=1\\\nserver.1=a:2:3\\\n", true, "a=1\\\nserver.1=a:2:3\\\n\n");
        check("a=1\\\n  ", true, "a=1\\\n  \n");
        check("\\\nserver.1=x\n\\\n\nserver.1=y\nb", true, "\\\n\nb\n");
        check("b=\\u12\nserver.1=x", true, "b=\\u12\n");
    }

    #[test]
    fn any_bytes_and_paths_survive() {
        let text = with_dynamic_file(b"server.1=x\nb=\xe9\n", "/ü/ a\\😀\n", true);
        assert_eq!(
            text.escape_ascii().to_string(),
            "b=\\xe9\\ndynamicConfigFile=/\\\\u00fc/\\\\u0020a\\\\\\\\\\\\ud83d\\\\ude00\\\\u000a\\n"
        );
        let entries = Properties::parse("t", &text).unwrap();
        assert_eq!(entries.lookup("dynamicConfigFile").unwrap().value, "/ü/ a\\😀\n");
    }
}
