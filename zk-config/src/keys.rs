//! The one table of settings: every key that the Java server knows, and ours.
//!
//! A row says how a key is spelled, where it may stand, how its text is read, what it is by
//! default and what this server does with it. Parsing, warnings, the effective-value report and
//! the documentation all come from here; no key and no default stands anywhere else.
//!
//! The rows are in the order of the configuration reference, a file for each of its chapters.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::LazyLock;

mod admin;
mod auth;
mod clients;
mod parsed;
mod processing;
mod replication;
mod storage;
mod tls;

use crate::spelling::distance;

pub(crate) use clients::NETTY_FACTORY;
pub(crate) use parsed::{NULL_PROVIDER, PROMETHEUS_PROVIDER};

/// Everything known about one key, or about a family of keys with one beginning.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    /// The spelling in `zoo.cfg`; a family ends in a dot (`server.`) or is `group` or `weight`.
    pub name: &'static str,
    /// Where it may be set.
    pub source: Source,
    /// How its text is read.
    pub kind: Kind,
    /// How often it is met.
    pub priority: Priority,
    /// The text that counts when it is not set; empty for none.
    pub default: &'static str,
    /// What this server does with it.
    pub state: State,
    /// The chapter of the reference that describes it.
    pub section: &'static str,
    /// What it is for.
    pub doc: &'static str,
}

/// Where a key may be set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    /// In the file only: the Java parser stores it and makes no system property of it.
    File,
    /// In the file or as the system property `zookeeper.<name>`.
    Property,
    /// In the file or as the system property `<name>`; Java does not reach it from the file.
    Bare,
    /// In the file or as either system property; the one with prefix wins.
    Both,
}

/// How the text of a value is read. "Lenient" kinds take their default for what they cannot read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Decimal, 32 bits.
    Int,
    /// Decimal, 64 bits.
    Long,
    /// Decimal, 0 to 65535.
    Port,
    /// `true` or `false` in any case.
    Bool,
    /// Decimal, octal or hexadecimal, 32 bits, lenient.
    LenientInt,
    /// Decimal, octal or hexadecimal, 64 bits, lenient.
    LenientLong,
    /// Decimal, 64 bits, lenient.
    LenientDecimal,
    /// As `LenientInt`, but a number must be a port.
    LenientPort,
    /// `true` in any case is true, everything else false.
    LenientBool,
    /// Exactly `no` is false, everything else true.
    OffIfNo,
    /// Exactly `yes` is true, everything else false.
    OnIfYes,
    /// Exactly `false` is false, everything else true.
    OffIfFalse,
    /// Exactly `true` is true, everything else false.
    OnIfTrue,
    /// A number with a fraction.
    Double,
    /// A number with a fraction, lenient.
    LenientDouble,
    /// Any text.
    Text,
    /// A file or folder.
    Path,
    /// Words separated by commas.
    Words,
    /// One of a list, in any case.
    OneOf(&'static [&'static str]),
    /// One of a list, in any case, lenient.
    LenientOneOf(&'static [&'static str]),
    /// A Java class that stands for something that exists here.
    Class(&'static [&'static str]),
    /// The class of a metrics provider.
    MetricsProvider(&'static [&'static str]),
    /// Java code, refused.
    JavaOnly,
    /// Family: the class of an authentication provider.
    Provider,
    /// Family: a member of the ensemble.
    Server,
    /// Family: a group of members.
    Group,
    /// Family: the weight of a member.
    Weight,
}

/// How often a key is met in the field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Priority {
    /// Most deployments set it or live by its default.
    P1,
    /// Common in larger or secured deployments.
    P2,
    /// Rare: tuning, tests, or about Java itself.
    P3,
}

/// What this server does with a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It does what the key says.
    Honoured,
    /// It reads the key; a value other than the default is warned about.
    NotYet,
    /// There is nothing here that the key could tune.
    NoEffect,
    /// The manual's name for the key given here, which is what counts.
    ManualName(&'static str),
}

/// The rows in the order of the reference.
pub const KEYS: &[Key] = &joined::<{ length() }>();

const CHAPTERS: [&[Key]; 8] = [
    parsed::KEYS,
    storage::KEYS,
    clients::KEYS,
    processing::KEYS,
    replication::KEYS,
    auth::KEYS,
    tls::KEYS,
    admin::KEYS,
];

const fn length() -> usize {
    let mut sum = 0;
    let mut chapter = 0;
    while chapter < CHAPTERS.len() {
        sum += CHAPTERS[chapter].len();
        chapter += 1;
    }
    sum
}

const fn joined<const N: usize>() -> [Key; N] {
    let mut rows = [CHAPTERS[0][0]; N];
    let (mut chapter, mut row, mut at) = (0, 0, 0);
    while at < N {
        if row == CHAPTERS[chapter].len() {
            (chapter, row) = (chapter + 1, 0);
        }
        rows[at] = CHAPTERS[chapter][row];
        (row, at) = (row + 1, at + 1);
    }
    rows
}

impl Key {
    /// The system property of the key, `None` if Java reads it from the file only.
    pub fn property(&self) -> Option<String> {
        match self.source {
            Source::File => None,
            Source::Property | Source::Both => Some(format!("{PROPERTY_PREFIX}{}", self.name)),
            Source::Bare => Some(self.name.to_owned()),
        }
    }

    /// Whether the row stands for every key that begins with its name.
    pub fn is_family(&self) -> bool {
        self.name.ends_with('.') || matches!(self.kind, Kind::Group | Kind::Weight)
    }
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}

/// What Java puts before the name of a file key to make a system property of it.
pub const PROPERTY_PREFIX: &str = "zookeeper.";

/// The rows by their names; of `superUser` and `superUser.` each is a name of its own.
static BY_NAME: LazyLock<BTreeMap<&'static str, &'static Key>> =
    LazyLock::new(|| KEYS.iter().map(|key| (key.name, key)).collect());

static FAMILIES: LazyLock<Vec<&'static Key>> =
    LazyLock::new(|| KEYS.iter().filter(|key| key.is_family()).collect());

/// The row of a key as it stands in a file, families included.
pub fn find(name: &str) -> Option<&'static Key> {
    let exact = named(name).filter(|key| !key.is_family());
    exact.or_else(|| FAMILIES.iter().copied().find(|key| name.starts_with(key.name)))
}

/// The row with this very name.
pub(crate) fn named(name: &str) -> Option<&'static Key> {
    BY_NAME.get(name).copied()
}

/// The name made of a prefix and a suffix, as it stands in the table.
pub(crate) fn name_of(prefix: &str, suffix: &str) -> &'static str {
    let row = named(&format!("{prefix}{suffix}"));
    row.unwrap_or_else(|| panic!("{prefix}{suffix} must be a row of the key table")).name
}

/// The known key that `unknown` was probably meant to be.
pub fn nearest(unknown: &str) -> Option<String> {
    let bare = unknown.strip_prefix(PROPERTY_PREFIX).unwrap_or(unknown);
    if find(bare).is_some() {
        return Some(bare.to_owned());
    }
    let wanted = squeezed(bare);
    // Under five letters everything resembles everything.
    let limit = (wanted.len() / 5).min(3);
    let closest = |candidates: &mut dyn Iterator<Item = &'static Key>, wanted: &[u8], limit| {
        candidates
            .filter_map(|key| Some((distance(wanted, &squeezed(key.name), limit)?, key.name)))
            .min_by_key(|(distance, _)| *distance)
            .map(|(_, name)| name)
    };
    let mut single = KEYS.iter().filter(|key| !key.is_family());
    if let Some(name) = closest(&mut single, &wanted, limit) {
        return Some(name.to_owned());
    }
    let (family, member) = bare.split_once('.')?;
    let mut families = FAMILIES.iter().copied();
    let name = closest(&mut families, &squeezed(family), 1)?;
    Some(format!("{}.{member}", name.trim_end_matches('.')))
}

/// Whether a value of this key must not be printed.
pub fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    ["password", "superdigest", "secret"].iter().any(|word| name.contains(word))
}

/// A key without what people get wrong most: case, dots, dashes and underscores.
fn squeezed(name: &str) -> Vec<u8> {
    name.bytes()
        .filter(|byte| !matches!(byte, b'.' | b'-' | b'_'))
        .map(|byte| byte.to_ascii_lowercase())
        // A key of any length must not make the comparison slow.
        .take(100)
        .collect()
}

/// Rows as `("name", source, kind, priority, state, "default", "doc");`.
macro_rules! rows {
    ($section:literal: $(($name:literal, $source:ident, $kind:expr, $priority:ident, $state:expr,
        $default:literal, $doc:literal);)*) => {
        &[$($crate::keys::Key {
            name: $name,
            source: $crate::keys::Source::$source,
            kind: $kind,
            priority: $crate::keys::Priority::$priority,
            state: $state,
            default: $default,
            section: $section,
            doc: $doc,
        }),*]
    };
}
use rows;

#[cfg(test)]
mod tests;
