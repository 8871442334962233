//! What the nodes below `/zookeeper/quota` hold: limits, or what is used of them.
//!
//! Java: `StatsTrack`, whose text is kept to the byte; old servers read it.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value;

/// Numbers by their names; -1 is no limit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Limits(BTreeMap<String, i64>);

impl Limits {
    /// No limit of any kind.
    pub(crate) fn none() -> Self {
        let keys = ["count", "bytes", "countHardLimit", "byteHardLimit"];
        Self(keys.into_iter().map(|key| (key.to_owned(), -1)).collect())
    }

    /// Nothing used.
    pub(crate) fn unused() -> Self {
        Self([("count".to_owned(), 0), ("bytes".to_owned(), 0)].into())
    }

    /// Reads `count=1,bytes=2=;countHardLimit=3`; what is no pair with a number is left out.
    pub(crate) fn parse(text: &[u8]) -> Self {
        let text = String::from_utf8_lossy(text);
        let pair = |pair: &str| {
            let mut parts = pair.split('=');
            let (key, value) = (parts.next()?, parts.next()?);
            Some((key.to_owned(), value.parse().ok()?))
        };
        Self(text.split([',', ';']).filter_map(pair).collect())
    }

    pub(crate) fn set(&mut self, key: &str, value: i64) {
        self.0.insert(key.to_owned(), value);
    }

    /// Takes over what is a limit there.
    pub(crate) fn take_from(&mut self, other: &Self) {
        for (key, value) in other.0.iter().filter(|(_, value)| **value > -1) {
            self.0.insert(key.clone(), *value);
        }
    }

    fn of(&self, key: &str) -> i64 {
        self.0.get(key).copied().unwrap_or(-1)
    }

    /// What is to be said of limits that are passed already.
    pub(crate) fn warnings(&self, used: &Self) -> Vec<String> {
        let (count, bytes) = (used.of("count"), used.of("bytes"));
        let is_passed = |key, used| (0..used).contains(&self.of(key));
        let mut lines = Vec::new();
        if is_passed("count", count) || is_passed("countHardLimit", count) {
            lines.push(format!(
                "[Warning]: the count quota you create is less than the existing count:{count}"
            ));
        }
        if is_passed("bytes", bytes) || is_passed("byteHardLimit", bytes) {
            lines.push(format!(
                "[Warning]: the bytes quota you create is less than the existing bytes:{bytes}"
            ));
        }
        lines
    }

    /// The numbers as programs read them.
    pub(crate) fn json(&self) -> Value {
        self.0.iter().map(|(key, value)| (key.clone(), Value::from(*value))).collect()
    }
}

impl fmt::Display for Limits {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "count={},bytes={}", self.of("count"), self.of("bytes"))?;
        let others = self.0.iter().filter(|(key, _)| !["count", "bytes"].contains(&key.as_str()));
        for (at, (key, value)) in others.enumerate() {
            // Compat: the equals sign makes old servers pass over what follows.
            write!(f, "{};{key}={value}", if at == 0 { "=" } else { "" })?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_text_is_javas() {
        let text = "count=3,bytes=-1=;byteHardLimit=100;countHardLimit=2";
        assert_eq!(Limits::parse(text.as_bytes()).to_string(), text);
        assert_eq!(Limits::parse(b"count=3,bytes=5").to_string(), "count=3,bytes=5");
        assert_eq!(Limits::parse(b"rubbish").to_string(), "count=-1,bytes=-1");
        assert_eq!(Limits::unused().to_string(), "count=0,bytes=0");
    }

    #[test]
    fn a_limit_below_what_is_used_is_warned_of() {
        let mut limits = Limits::none();
        limits.set("count", 3);
        limits.set("byteHardLimit", 0);
        let used = Limits::parse(b"count=6,bytes=18");
        let lines = limits.warnings(&used);
        assert_eq!(lines.len(), 2, "{lines:?}");
        assert!(lines[0].ends_with("existing count:6") && lines[1].ends_with("bytes:18"));
        limits.set("count", 6);
        limits.set("byteHardLimit", -1);
        assert_eq!(limits.warnings(&used), [""; 0]);
    }
}
