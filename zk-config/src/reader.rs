//! Typed access to the settings that were given, with the defaults of the key table.
//!
//! Each group of [`crate::Config`] takes its values from here by the key's name. Faults are
//! collected and a stand-in is handed out, so that one pass finds all of them.
//!
//! Invariants
//! - A key is parsed once, however often it is asked for; so a fault is reported once.
//! - Asking for a name that is not in the table is a bug and panics.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use crate::error::{Error, INT, LONG, Origin, PORT};
use crate::keys::{self, KEYS, Key, Kind, State};
use crate::value::{self, Fault, Value};
use crate::warning::{Caution, Warning};

/// The text of one setting, blanks trimmed, and where it stands.
#[derive(Debug, Clone)]
pub(crate) struct Given {
    /// The key as written, which is another one than the row's for a family.
    pub(crate) key: String,
    pub(crate) text: String,
    pub(crate) at: Origin,
}

/// The settings of one configuration while it is read.
#[derive(Debug)]
pub(crate) struct Reader {
    file: String,
    given: BTreeMap<&'static str, Given>,
    /// Keys of families, by their written name, in the order of the file.
    members: Vec<(&'static Key, Given)>,
    parsed: BTreeMap<&'static str, Option<Value>>,
    /// What counts in place of the text, for the report of effective values.
    settled: BTreeMap<&'static str, String>,
    /// What Java would hold as system properties.
    pub(crate) properties: BTreeMap<String, String>,
    pub(crate) errors: Vec<Error>,
    pub(crate) warnings: Vec<Warning>,
}

/// One line of the effective-value report.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Effective {
    /// The key.
    pub key: String,
    /// Its value; `***` for a secret.
    pub value: String,
    /// Whether nobody set it.
    pub from_default: bool,
}

impl Reader {
    pub(crate) fn new(file: &str) -> Self {
        Self {
            file: file.to_owned(),
            given: BTreeMap::new(),
            members: Vec::new(),
            parsed: BTreeMap::new(),
            settled: BTreeMap::new(),
            properties: BTreeMap::new(),
            errors: Vec::new(),
            warnings: Vec::new(),
        }
    }

    /// Takes a setting; one given before is handed back.
    pub(crate) fn put(&mut self, row: &'static Key, given: Given) -> Option<Given> {
        if !row.is_family() {
            return self.given.insert(row.name, given);
        }
        let before = self.members.iter().position(|(_, other)| other.key == given.key);
        let before = before.map(|index| self.members.remove(index).1);
        self.members.push((row, given));
        before
    }

    /// The setting of a key, `None` if it was not given.
    pub(crate) fn given(&self, name: &'static str) -> Option<&Given> {
        self.given.get(named(name).name)
    }

    /// The members of a family in the order of the file.
    pub(crate) fn family(&self, name: &'static str) -> Vec<Given> {
        let of_family = self.members.iter().filter(|(row, _)| row.name == name);
        of_family.map(|(_, given)| given.clone()).collect()
    }

    /// Where a key stands, or the file if it does not.
    pub(crate) fn origin(&self, name: &'static str) -> Origin {
        self.given(name).map_or_else(|| Origin::file(&self.file), |given| given.at.clone())
    }

    pub(crate) fn refuse(&mut self, error: impl Into<Error>) {
        self.errors.push(error.into());
    }

    pub(crate) fn warn(&mut self, name: &'static str, caution: Caution) {
        let key = self.given(name).map_or(name, |given| &given.key).to_owned();
        self.warnings.push(Warning { at: self.origin(name), key, caution });
    }

    /// Says what counts in place of the text of a key.
    pub(crate) fn settle(&mut self, name: &'static str, value: impl ToString) {
        self.settled.insert(named(name).name, value.to_string());
    }

    /// Says it with a warning, because the text was something else.
    pub(crate) fn replace(&mut self, name: &'static str, used: impl ToString, why: &'static str) {
        let value = self.given(name).map(|given| given.text.clone()).unwrap_or_default();
        self.warn(name, Caution::Replaced { value, used: used.to_string(), why });
        self.settle(name, used);
    }

    /// Warns that the value is taken although it is hardly meant.
    pub(crate) fn odd(&mut self, name: &'static str, why: &'static str) {
        let value = self.given(name).map(|given| given.text.clone()).unwrap_or_default();
        self.warn(name, Caution::Odd { value, why });
    }

    pub(crate) fn boolean(&mut self, name: &'static str) -> bool {
        self.boolean_if_set(name).unwrap_or(false)
    }

    pub(crate) fn boolean_if_set(&mut self, name: &'static str) -> Option<bool> {
        match self.value(name)? {
            Value::Bool(value) => Some(value),
            other @ (Value::Int(_) | Value::Double(_) | Value::Text(_)) => misfit(name, &other),
        }
    }

    /// A number of any kind; 0 where it is missing and has no default.
    pub(crate) fn long(&mut self, name: &'static str) -> i64 {
        self.long_if_set(name).unwrap_or(0)
    }

    pub(crate) fn long_if_set(&mut self, name: &'static str) -> Option<i64> {
        match self.value(name)? {
            Value::Int(value) => Some(value),
            other @ (Value::Bool(_) | Value::Double(_) | Value::Text(_)) => misfit(name, &other),
        }
    }

    /// A number of 32 bits.
    pub(crate) fn int(&mut self, name: &'static str) -> i32 {
        i32::try_from(self.long(name)).expect("a key that is read as 32 bits is parsed as such")
    }

    /// A number of 32 bits that means the same as 0 when it is negative.
    pub(crate) fn count(&mut self, name: &'static str) -> u32 {
        u32::try_from(self.int(name).max(0)).expect("it is not negative")
    }

    /// A limit of 32 bits; `None` for 0 and below, which stand for "no limit".
    pub(crate) fn limit(&mut self, name: &'static str) -> Option<u32> {
        Some(self.count(name)).filter(|limit| *limit > 0)
    }

    /// A number that is raised to `min`, with a warning.
    pub(crate) fn at_least(&mut self, name: &'static str, min: u32, why: &'static str) -> u32 {
        let value = self.long(name);
        if value < i64::from(min) {
            self.replace(name, min, why);
            return min;
        }
        u32::try_from(value).unwrap_or(u32::MAX)
    }

    /// A number that gives way to the default, with a warning, when it is below `min`.
    pub(crate) fn at_least_or_default(
        &mut self,
        name: &'static str,
        min: u32,
        why: &'static str,
    ) -> u32 {
        let value = self.long(name);
        if value >= i64::from(min) {
            return u32::try_from(value).unwrap_or(u32::MAX);
        }
        let row = named(name);
        self.replace(name, row.default, why);
        match default(row) {
            Some(Value::Int(value)) => u32::try_from(value).unwrap_or(u32::MAX),
            other => panic!("{name} needs a number as default, not {other:?}"),
        }
    }

    /// A size in KiB as bytes; `None` for 0 and below, which stand for "off".
    pub(crate) fn kib(&mut self, name: &'static str) -> Option<u64> {
        let kib = u64::try_from(self.long(name)).ok().filter(|kib| *kib > 0)?;
        Some(kib.saturating_mul(1024))
    }

    pub(crate) fn double(&mut self, name: &'static str) -> f64 {
        match self.value(name) {
            Some(Value::Double(value)) => value,
            None => 0.0,
            Some(other @ (Value::Int(_) | Value::Bool(_) | Value::Text(_))) => misfit(name, &other),
        }
    }

    /// A fraction that gives way to the default, with a warning, when it is above `max`.
    pub(crate) fn double_at_most(
        &mut self,
        name: &'static str,
        max: f64,
        why: &'static str,
    ) -> f64 {
        let value = self.double(name);
        if value <= max {
            return value;
        }
        let row = named(name);
        self.replace(name, row.default, why);
        match default(row) {
            Some(Value::Double(value)) => value,
            other => panic!("{name} needs a fraction as default, not {other:?}"),
        }
    }

    /// A time in milliseconds; negative is none.
    pub(crate) fn millis(&mut self, name: &'static str) -> Duration {
        self.millis_unless_negative(name).unwrap_or(Duration::ZERO)
    }

    /// A time in milliseconds; `None` if it is negative or not set.
    pub(crate) fn millis_unless_negative(&mut self, name: &'static str) -> Option<Duration> {
        let millis = self.long_if_set(name)?;
        u64::try_from(millis).ok().map(Duration::from_millis)
    }

    pub(crate) fn port(&mut self, name: &'static str) -> Option<u16> {
        let port = self.long_if_set(name)?;
        Some(u16::try_from(port).expect("a key that is read as a port is parsed as such"))
    }

    /// A text; empty where it is missing and has no default.
    pub(crate) fn text(&mut self, name: &'static str) -> String {
        self.text_if_set(name).unwrap_or_default()
    }

    pub(crate) fn text_if_set(&mut self, name: &'static str) -> Option<String> {
        match self.value(name)? {
            Value::Text(value) => Some(value),
            other @ (Value::Int(_) | Value::Bool(_) | Value::Double(_)) => misfit(name, &other),
        }
    }

    /// A text that is not empty.
    pub(crate) fn filled(&mut self, name: &'static str) -> Option<String> {
        self.text_if_set(name).filter(|text| !text.is_empty())
    }

    pub(crate) fn path(&mut self, name: &'static str) -> Option<PathBuf> {
        self.filled(name).map(PathBuf::from)
    }

    /// Words separated by commas, blanks around them trimmed.
    pub(crate) fn words(&mut self, name: &'static str) -> Vec<String> {
        let text = self.text(name);
        let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    }

    fn value(&mut self, name: &'static str) -> Option<Value> {
        if let Some(value) = self.parsed.get(name) {
            return value.clone();
        }
        let row = named(name);
        let value = match self.given.get(row.name).cloned() {
            None => default(row),
            Some(given) => match value::parse(row.kind, &given.text) {
                Ok(value) => {
                    self.remark(row, &given, &value);
                    Some(value)
                }
                Err(fault) => {
                    self.fault(row, &given, fault);
                    default(row)
                }
            },
        };
        self.parsed.insert(row.name, value.clone());
        value
    }

    /// What there is to say about a value that can be read.
    fn remark(&mut self, row: &'static Key, given: &Given, value: &Value) {
        if value::looks_misread(row.kind, &given.text)
            && let Value::Bool(means) = *value
        {
            self.warn(row.name, Caution::Misread { value: given.text.clone(), means });
        }
        match row.state {
            State::Honoured | State::ManualName(_) => {}
            State::NotYet if default(row).as_ref() == Some(value) => {}
            State::NotYet => self.warn(row.name, Caution::NotYet),
            State::NoEffect => self.warn(row.name, Caution::NoEffect),
        }
    }

    fn fault(&mut self, row: &'static Key, given: &Given, fault: Fault) {
        let Given { key, text: value, at } = given.clone();
        let error = match (fault, row.kind) {
            (Fault::Fallback, _) => {
                self.settle(row.name, row.default);
                self.warn(row.name, Caution::Fallback { value, default: row.default });
                return;
            }
            (Fault::NotANumber, kind) => {
                let allowed = match kind {
                    Kind::Long => LONG,
                    Kind::Port => PORT,
                    _ => INT,
                };
                Error::NotANumber { at, key, value, allowed }
            }
            (Fault::NotADouble, _) => Error::NotADouble { at, key, value },
            (Fault::PortOutOfRange(value), _) => Error::PortOutOfRange { at, key, value },
            (Fault::NotABoolean, _) => Error::NotABoolean { at, key, value },
            (Fault::NotAllowed, Kind::Class(allowed)) => Error::Class { at, key, value, allowed },
            (Fault::NotAllowed, Kind::MetricsProvider(allowed)) => {
                Error::MetricsProvider { at, key, value, allowed }
            }
            (Fault::NotAllowed, Kind::JavaOnly) => Error::JavaOnly { at, key, value },
            (Fault::NotAllowed, Kind::OneOf(_)) if row.name == "peerType" => {
                Error::PeerType { at, value }
            }
            (Fault::NotAllowed, Kind::OneOf(allowed)) => {
                Error::NotAllowed { at, key, value, allowed }
            }
            (Fault::NotAllowed, kind) => unreachable!("{kind:?} has no list of what is allowed"),
        };
        self.errors.push(error);
    }

    /// Parses what nobody asked for, for its faults and warnings.
    pub(crate) fn parse_the_rest(&mut self) {
        let names: Vec<&'static str> = self.given.keys().copied().collect();
        for name in names {
            // Compat: Java hands these to the metrics provider, which may not care.
            if name.starts_with("metricsProvider.") && !self.parsed.contains_key(name) {
                self.odd(name, "metricsProvider.className names no provider that uses it");
            } else {
                self.value(name);
            }
        }
    }

    /// The names of the keys that were asked for.
    #[cfg(test)]
    pub(crate) fn asked(&self) -> Vec<&'static str> {
        self.parsed.keys().copied().collect()
    }

    /// The report of effective values in the order of the table, without the ensemble's members.
    pub(crate) fn effective(&self) -> Vec<Effective> {
        let mut report = Vec::new();
        let is_of_members =
            |row: &&Key| matches!(row.kind, Kind::Server | Kind::Group | Kind::Weight);
        for row in KEYS.iter().filter(|row| !is_of_members(row)) {
            for (_, given) in self.members.iter().filter(|(family, _)| family.name == row.name) {
                report.push(effective(&given.key, &given.text, false));
            }
            let given = self.given.get(row.name);
            let settled = self.settled.get(row.name).map(String::as_str);
            let text = settled.or(given.map(|given| given.text.as_str()));
            let asked = self.parsed.contains_key(row.name) && row.state != State::NoEffect;
            match text {
                Some(text) => report.push(effective(row.name, text, given.is_none())),
                None if asked && !row.default.is_empty() => {
                    report.push(effective(row.name, row.default, true));
                }
                None => {}
            }
        }
        report
    }
}

fn effective(key: &str, value: &str, from_default: bool) -> Effective {
    Effective { key: key.to_owned(), value: redacted(key, value).to_owned(), from_default }
}

/// The value, or `***` if the key's value must not be printed.
pub(crate) fn redacted<'a>(key: &str, value: &'a str) -> &'a str {
    if keys::is_secret(key) { "***" } else { value }
}

fn named(name: &'static str) -> &'static Key {
    keys::named(name).unwrap_or_else(|| panic!("{name} must be a row of the key table"))
}

fn default(row: &Key) -> Option<Value> {
    let set = !row.default.is_empty();
    set.then(|| value::parse(row.kind, row.default).expect("the table's defaults can be read"))
}

fn misfit(name: &str, value: &Value) -> ! {
    panic!("{name} is read as another kind than the table says, it is {value:?}")
}
