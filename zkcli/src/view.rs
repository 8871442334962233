//! Data and stats as people and programs read them.
//!
//! Java: `StatPrinter`, and Netty's `ByteBufUtil.prettyHexDump`.

use std::fmt::Write;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde_json::{Value, json};
use zk_wire::Stat;

/// The eleven lines of a stat, without the last line's end.
pub(crate) fn stat(stat: &Stat) -> String {
    format!(
        "cZxid = 0x{:x}\nctime = {}\nmZxid = 0x{:x}\nmtime = {}\npZxid = 0x{:x}\ncversion = {}\n\
         dataVersion = {}\naclVersion = {}\nephemeralOwner = 0x{:x}\ndataLength = {}\n\
         numChildren = {}",
        stat.czxid,
        date(stat.ctime),
        stat.mzxid,
        date(stat.mtime),
        stat.pzxid,
        stat.cversion,
        stat.version,
        stat.aversion,
        stat.ephemeral_owner,
        stat.data_length,
        stat.num_children,
    )
}

/// A stat as programs read it.
pub(crate) fn stat_json(stat: &Stat) -> Value {
    json!({
        "czxid": stat.czxid,
        "mzxid": stat.mzxid,
        "pzxid": stat.pzxid,
        "ctime": stat.ctime,
        "mtime": stat.mtime,
        "version": stat.version,
        "cversion": stat.cversion,
        "aversion": stat.aversion,
        "ephemeralOwner": stat.ephemeral_owner,
        "dataLength": stat.data_length,
        "numChildren": stat.num_children,
    })
}

/// Compat: `Date.toString`, in the zone of this machine.
fn date(ms: i64) -> String {
    date_in(ms, TimeZone::system())
}

fn date_in(ms: i64, zone: TimeZone) -> String {
    match Timestamp::from_millisecond(ms) {
        Ok(time) => time.to_zoned(zone).strftime("%a %b %d %H:%M:%S %Z %Y").to_string(),
        Err(_) => format!("{ms} ms since 1970"),
    }
}

/// Data as text; what is no UTF-8 is replaced, null is called so.
pub(crate) fn text(data: Option<&[u8]>) -> String {
    data.map_or_else(|| "null".to_owned(), |data| String::from_utf8_lossy(data).into_owned())
}

/// Whether data can be shown on a terminal as it is.
pub(crate) fn is_text(data: &[u8]) -> bool {
    let is_shown = |letter: char| !letter.is_control() || "\n\r\t".contains(letter);
    std::str::from_utf8(data).is_ok_and(|text| text.chars().all(is_shown))
}

/// Data in base64.
pub(crate) fn base64(data: &[u8]) -> String {
    BASE64_STANDARD.encode(data)
}

/// The bytes of a base64 text.
pub(crate) fn from_base64(text: &str) -> Option<Vec<u8>> {
    BASE64_STANDARD.decode(text).ok()
}

/// Puts data into a JSON object: `data` if it is text or null, else `base64`.
pub(crate) fn put_data(object: &mut Value, data: Option<&[u8]>) {
    match data.map(|data| (data, std::str::from_utf8(data))) {
        None => object["data"] = Value::Null,
        Some((_, Ok(text))) => object["data"] = json!(text),
        Some((data, Err(_))) => object["base64"] = json!(base64(data)),
    }
}

/// The data that [`put_data`] put; `None` if there is none to be found.
pub(crate) fn take_data(object: &Value) -> Option<Option<Vec<u8>>> {
    match (&object["data"], &object["base64"]) {
        (Value::String(text), Value::Null) => Some(Some(text.clone().into_bytes())),
        (Value::Null, Value::String(text)) => from_base64(text).map(Some),
        (Value::Null, Value::Null) => Some(None),
        _ => None,
    }
}

/// Data as a table of bytes; empty data is an empty text, as in Java.
pub(crate) fn hex(data: &[u8]) -> String {
    if data.is_empty() {
        return String::new();
    }
    let rule = format!("+--------+{}+{}+", "-".repeat(49), "-".repeat(16));
    let mut table = format!(
        "         +{}+\n         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |\n{rule}",
        "-".repeat(49)
    );
    for (row, bytes) in data.chunks(16).enumerate() {
        let digits: String = bytes.iter().map(|byte| format!(" {byte:02x}")).collect();
        let shown = |byte: &u8| if (0x20..0x7f).contains(byte) { char::from(*byte) } else { '.' };
        let letters: String = bytes.iter().map(shown).collect();
        write!(table, "\n|{:08x}|{digits:<48} |{letters:<16}|", row * 16)
            .expect("a string takes everything");
    }
    format!("{table}\n{rule}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_are_shown_as_netty_does() {
        let expected = "\
         +-------------------------------------------------+
         |  0  1  2  3  4  5  6  7  8  9  a  b  c  d  e  f |
+--------+-------------------------------------------------+----------------+
|00000000| 68 65 6c 6c 6f                                  |hello           |
+--------+-------------------------------------------------+----------------+";
        let shown = hex(b"hello");
        assert_eq!(shown.trim_start(), expected.trim_start());
        assert!(
            hex(&[0xff; 17]).contains("\n|00000010| ff                                       ")
        );
        assert_eq!(hex(b""), "");
    }

    #[test]
    fn a_date_is_in_the_zone_of_the_machine() {
        assert_eq!(date_in(1_795_332_513_000, TimeZone::UTC), "Sun Nov 22 07:28:33 UTC 2026");
        let zone = TimeZone::get("Europe/Berlin").unwrap_or(TimeZone::UTC);
        let shown = date_in(0, zone);
        assert!(
            ["Thu Jan 01 01:00:00 CET 1970", "Thu Jan 01 00:00:00 UTC 1970"]
                .contains(&shown.as_str()),
            "{shown}"
        );
    }

    #[test]
    fn json_holds_data_of_any_kind() {
        for data in [None, Some(&b"text"[..]), Some(b""), Some(b"\xff\x00")] {
            let mut object = json!({});
            put_data(&mut object, data);
            assert_eq!(take_data(&object), Some(data.map(<[u8]>::to_vec)));
        }
        assert_eq!(take_data(&json!({ "base64": "?" })), None);
        assert!(is_text("a\té\n".as_bytes()) && !is_text(b"\x1b[2J") && !is_text(b"\xff"));
    }
}
