//! What the text of a setting means for each [`Kind`], after Java's parsing rules.
//!
//! Invariant: a default of the key table never fails here; a test reads them all.
//!
//! Java: `Integer.parseInt`, `Integer.decode`, `Boolean.parseBoolean` and the ad hoc comparisons
//! of the server.

use crate::keys::Kind;

/// A parsed setting.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Int(i64),
    Bool(bool),
    Double(f64),
    Text(String),
}

/// Why a text has no value of its own.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Java takes the default; an operator should hear of it.
    Fallback,
    NotANumber,
    NotADouble,
    PortOutOfRange(i64),
    NotABoolean,
    NotAllowed,
}

/// The value of `text`, blanks around it trimmed already.
pub(crate) fn parse(kind: Kind, text: &str) -> Result<Value, Fault> {
    let int = |number: Option<i64>, fault| number.map(Value::Int).ok_or(fault);
    match kind {
        Kind::Int => int(decimal_int(text), Fault::NotANumber),
        Kind::Long => int(decimal_long(text), Fault::NotANumber),
        Kind::Port => {
            let number = decimal_int(text).ok_or(Fault::NotANumber)?;
            port(number)
        }
        Kind::LenientPort => port(any_base(text, 32).ok_or(Fault::Fallback)?),
        Kind::Bool => boolean(text).map(Value::Bool).ok_or(Fault::NotABoolean),
        Kind::LenientInt => int(any_base(text, 32), Fault::Fallback),
        Kind::LenientLong => int(any_base(text, 64), Fault::Fallback),
        Kind::LenientDecimal => int(decimal_long(text), Fault::Fallback),
        Kind::LenientBool => Ok(Value::Bool(text.eq_ignore_ascii_case("true"))),
        Kind::OffIfNo => Ok(Value::Bool(text != "no")),
        Kind::OnIfYes => Ok(Value::Bool(text == "yes")),
        Kind::OffIfFalse => Ok(Value::Bool(text != "false")),
        Kind::OnIfTrue => Ok(Value::Bool(text == "true")),
        Kind::Double => double(text).map(Value::Double).ok_or(Fault::NotADouble),
        Kind::LenientDouble => double(text).map(Value::Double).ok_or(Fault::Fallback),
        Kind::OneOf(allowed) => one_of(allowed, text).ok_or(Fault::NotAllowed),
        Kind::LenientOneOf(allowed) => one_of(allowed, text).ok_or(Fault::Fallback),
        Kind::Class(allowed) | Kind::MetricsProvider(allowed) => {
            let known = allowed.contains(&text);
            if known { Ok(Value::Text(text.to_owned())) } else { Err(Fault::NotAllowed) }
        }
        Kind::JavaOnly => Err(Fault::NotAllowed),
        Kind::Text
        | Kind::Path
        | Kind::Words
        | Kind::Provider
        | Kind::Server
        | Kind::Group
        | Kind::Weight => Ok(Value::Text(text.to_owned())),
    }
}

/// Whether Java reads `text` as the opposite of what its writer meant, by every sign.
pub(crate) fn looks_misread(kind: Kind, text: &str) -> bool {
    let meant = match kind {
        Kind::LenientBool | Kind::OnIfTrue => ["true", "false"],
        Kind::OffIfNo | Kind::OnIfYes => ["yes", "no"],
        Kind::OffIfFalse => ["true", "false"],
        _ => return false,
    };
    let plain = match kind {
        Kind::LenientBool => meant.iter().any(|word| text.eq_ignore_ascii_case(word)),
        _ => meant.contains(&text),
    };
    !plain
}

/// A signed 32-bit number in decimal, as `Integer.parseInt` reads it.
pub(crate) fn decimal_int(text: &str) -> Option<i64> {
    decimal_long(text).filter(|number| i32::try_from(*number).is_ok())
}

/// A signed 64-bit number in decimal, as `Long.parseLong` reads it.
pub(crate) fn decimal_long(text: &str) -> Option<i64> {
    // Rust and Java agree: one optional sign, then digits only.
    text.parse().ok()
}

/// A number as `Integer.decode` and `Long.decode` read it: hexadecimal after `0x` or `#`, octal
/// after a leading `0`, decimal otherwise.
fn any_base(text: &str, bits: u32) -> Option<i64> {
    let (sign, digits) = match text.as_bytes().first()? {
        b'-' => ("-", &text[1..]),
        b'+' => ("", &text[1..]),
        _ => ("", text),
    };
    let hexadecimal = ["0x", "0X", "#"].iter().find_map(|mark| digits.strip_prefix(mark));
    let octal = digits.strip_prefix('0').filter(|rest| !rest.is_empty());
    let (digits, radix) = match (hexadecimal, octal) {
        (Some(rest), _) => (rest, 16),
        (None, Some(rest)) => (rest, 8),
        (None, None) => (digits, 10),
    };
    if digits.starts_with(['-', '+']) {
        return None;
    }
    let number = i64::from_str_radix(&format!("{sign}{digits}"), radix).ok()?;
    (bits == 64 || i32::try_from(number).is_ok()).then_some(number)
}

fn port(number: i64) -> Result<Value, Fault> {
    u16::try_from(number)
        .map(|port| Value::Int(port.into()))
        .map_err(|_| Fault::PortOutOfRange(number))
}

fn boolean(text: &str) -> Option<bool> {
    [("true", true), ("false", false)]
        .into_iter()
        .find(|(word, _)| word.eq_ignore_ascii_case(text))
        .map(|(_, value)| value)
}

fn double(text: &str) -> Option<f64> {
    // Java takes a type suffix; it takes infinities too, which no setting can use.
    let digits = text.strip_suffix(['f', 'F', 'd', 'D']).unwrap_or(text);
    digits.parse().ok().filter(|number: &f64| number.is_finite())
}

fn one_of(allowed: &[&str], text: &str) -> Option<Value> {
    let word = allowed.iter().find(|word| word.eq_ignore_ascii_case(text))?;
    Some(Value::Text((*word).to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(kind: Kind, cases: &[(&str, Result<Value, Fault>)]) {
        for (text, expected) in cases {
            assert_eq!(parse(kind, text), *expected, "{kind:?} of {text:?}");
        }
    }

    fn int(number: i64) -> Result<Value, Fault> {
        Ok(Value::Int(number))
    }

    #[test]
    fn strict_numbers_are_decimal_and_nothing_else() {
        let bad = || Err(Fault::NotANumber);
        let cases = [("5", int(5)), ("+5", int(5)), ("-5", int(-5)), ("007", int(7))];
        check(Kind::Int, &cases);
        let cases = ["", "+", "--5", "5 ", "0x10", "5s", "5.0", "2147483648", "abc"];
        check(Kind::Int, &cases.map(|text| (text, bad())));
        check(Kind::Long, &[("2147483648", int(2_147_483_648)), ("9223372036854775808", bad())]);
    }

    #[test]
    fn lenient_numbers_know_hexadecimal_and_octal_and_fall_back() {
        let bad = || Err(Fault::Fallback);
        let cases = [("0x10", 16), ("#ff", 255), ("-0X1", -1), ("010", 8), ("0", 0), ("+9", 9)];
        check(Kind::LenientInt, &cases.map(|(text, number)| (text, int(number))));
        let cases = ["", "lots", "08", "0x", "--1", "0x-1", "#", "2147483648", "1e3", "é"];
        check(Kind::LenientInt, &cases.map(|text| (text, bad())));
        check(Kind::LenientLong, &[("2147483648", int(2_147_483_648))]);
        check(Kind::LenientLong, &[("-9223372036854775808", int(i64::MIN))]);
        check(Kind::LenientDecimal, &[("010", int(10)), ("0x10", bad())]);
    }

    #[test]
    fn ports_have_16_bits() {
        check(Kind::Port, &[("0", int(0)), ("65535", int(65535)), ("x", Err(Fault::NotANumber))]);
        check(Kind::Port, &[("65536", Err(Fault::PortOutOfRange(65536)))]);
        check(Kind::Port, &[("-1", Err(Fault::PortOutOfRange(-1)))]);
        check(Kind::LenientPort, &[("x", Err(Fault::Fallback)), ("0x50", int(80))]);
    }

    #[test]
    fn each_family_of_booleans_has_its_own_words() {
        let families = [
            (Kind::Bool, ["TRUE", "True"], ["FALSE", "False"]),
            (Kind::LenientBool, ["true", "TRUE"], ["yes", "1"]),
            (Kind::OffIfNo, ["yes", "No"], ["no", "no"]),
            (Kind::OnIfYes, ["yes", "yes"], ["Yes", "true"]),
            (Kind::OffIfFalse, ["False", "no"], ["false", "false"]),
            (Kind::OnIfTrue, ["true", "true"], ["True", "yes"]),
        ];
        for (kind, on, off) in families {
            check(kind, &on.map(|text| (text, Ok(Value::Bool(true)))));
            check(kind, &off.map(|text| (text, Ok(Value::Bool(false)))));
        }
        check(Kind::Bool, &[("yes", Err(Fault::NotABoolean)), ("", Err(Fault::NotABoolean))]);
    }

    #[test]
    fn a_boolean_word_of_another_family_looks_misread() {
        let misread = [(Kind::LenientBool, "yes"), (Kind::OffIfFalse, "False")];
        for (kind, text) in misread.into_iter().chain([(Kind::OnIfYes, "true")]) {
            assert!(looks_misread(kind, text), "{kind:?} of {text:?}");
        }
        for (kind, text) in [(Kind::LenientBool, "FALSE"), (Kind::OffIfNo, "no"), (Kind::Int, "x")]
        {
            assert!(!looks_misread(kind, text), "{kind:?} of {text:?}");
        }
    }

    #[test]
    fn doubles_are_finite() {
        check(Kind::Double, &[("0.33", Ok(Value::Double(0.33))), ("1d", Ok(Value::Double(1.0)))]);
        check(Kind::Double, &["", "x", "inf", "NaN"].map(|text| (text, Err(Fault::NotADouble))));
        check(Kind::LenientDouble, &[("x", Err(Fault::Fallback))]);
    }

    #[test]
    fn a_word_of_a_list_is_found_in_any_case_and_a_class_only_as_written() {
        let word = Ok(Value::Text("observer".to_owned()));
        check(Kind::OneOf(&["participant", "observer"]), &[("OBSERVER", word)]);
        check(Kind::OneOf(&["participant"]), &[("voter", Err(Fault::NotAllowed))]);
        check(Kind::LenientOneOf(&["gz"]), &[("zip", Err(Fault::Fallback))]);
        check(Kind::Class(&["A"]), &[("a", Err(Fault::NotAllowed))]);
    }
}
