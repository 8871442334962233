//! A client's request as a line of words, and its bytes.
//!
//! `create -e /a data acl=world:anyone:cdrwa flags=1 xid=7`: a verb, switches, settings, and what is
//! left in order. `null` is Java's null, `""` the empty string, `\u{1}` a character, `\s` a space. Text
//! goes out as plain UTF-8, as from clients that are not Java.

use std::collections::BTreeMap;

use zk_core::digest;
use zk_wire::{Acl, Encoder, Id, Op, Perms};

/// A line, taken apart.
#[derive(Debug, Default)]
pub(crate) struct Words {
    pub(crate) verb: String,
    switches: Vec<String>,
    settings: BTreeMap<String, String>,
    rest: Vec<String>,
}

const SETTINGS: &[&str] = &[
    "acl",
    "child",
    "data",
    "exist",
    "flags",
    "from",
    "last",
    "mode",
    "passwd",
    "persistent",
    "recursive",
    "session",
    "timeout",
    "ttl",
    "v",
    "xid",
];

impl Words {
    pub(crate) fn parse(line: &str) -> Self {
        let mut words = line.split_whitespace();
        let mut parsed =
            Self { verb: words.next().unwrap_or_default().to_owned(), ..Self::default() };
        for word in words {
            match word.split_once('=') {
                Some((key, value)) if SETTINGS.contains(&key) => {
                    parsed.settings.insert(key.to_owned(), unescape(value));
                }
                _ if word.len() == 2
                    && word.starts_with('-')
                    && !word.ends_with(char::is_numeric) =>
                {
                    parsed.switches.push(word.to_owned());
                }
                _ => parsed.rest.push(unescape(word)),
            }
        }
        parsed
    }

    pub(crate) fn has(&self, switch: &str) -> bool {
        self.switches.iter().any(|word| word == switch)
    }

    pub(crate) fn setting(&self, key: &str) -> Option<&str> {
        self.settings.get(key).map(String::as_str)
    }

    pub(crate) fn number<T: std::str::FromStr>(&self, key: &str) -> Option<T> {
        self.setting(key).map(|text| text.parse().ok().unwrap_or_else(|| panic!("{key}={text}")))
    }

    /// The `n`th word that is neither switch nor setting; `None` is Java's null.
    pub(crate) fn text(&self, n: usize) -> Option<&str> {
        Some(self.rest.get(n).map_or("", String::as_str)).filter(|text| *text != "null")
    }

    fn texts(&self, key: &str) -> Option<Vec<&str>> {
        match self.setting(key) {
            Some("null") => None,
            Some(paths) => Some(paths.split(',').collect()),
            None => Some(Vec::new()),
        }
    }
}

fn unescape(word: &str) -> String {
    if word == "\"\"" {
        return String::new();
    }
    let mut parts = word.split('\\');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        if let Some(rest) = part.strip_prefix('s') {
            text.push(' ');
            text.push_str(rest);
        } else {
            let (code, rest) = part.strip_prefix("u{").unwrap().split_once('}').unwrap();
            text.push(char::from_u32(u32::from_str_radix(code, 16).unwrap()).unwrap());
            text.push_str(rest);
        }
    }
    text
}

/// Bytes written as pairs of hex digits; `""` are none.
pub(crate) fn hex(digits: &str) -> Vec<u8> {
    let pairs = digits.trim_matches('"').as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap()).collect()
}

/// The op and the record of a request.
pub(crate) fn request(line: &str) -> (i32, Vec<u8>) {
    let words = Words::parse(line);
    let mut body = Vec::new();
    let mut e = Encoder::new(&mut body);
    let op = match words.verb.as_str() {
        "op" => {
            e.raw(&hex(words.text(1).unwrap()));
            return (words.text(0).unwrap().parse().unwrap(), body);
        }
        "multi" | "multiRead" => {
            multi(line, &mut e);
            if words.verb == "multi" { Op::Multi } else { Op::MultiRead }
        }
        _ => write(&words, &mut e).or_else(|| read(&words, &mut e)).unwrap_or_else(|| {
            panic!("no such request: {line}");
        }),
    };
    (op.code(), body)
}

fn multi(line: &str, e: &mut Encoder<'_>) {
    let ops = line.split_once('[').unwrap().1.trim_end().strip_suffix(']').unwrap();
    for op in ops.split(';').map(str::trim).filter(|op| !op.is_empty()) {
        let (code, body) = request(op);
        e.int(code).boolean(false).int(-1).raw(&body);
    }
    e.int(-1).boolean(true).int(-1);
}

fn write(words: &Words, e: &mut Encoder<'_>) -> Option<Op> {
    let path = words.text(0);
    let version = words.number("v").unwrap_or(-1);
    Some(match words.verb.as_str() {
        "create" => create(Op::Create, words, e),
        "create2" => create(Op::Create2, words, e),
        "createContainer" => create(Op::CreateContainer, words, e),
        "createTTL" => create(Op::CreateTtl, words, e),
        "delete" => {
            e.buffer(path.map(str::as_bytes)).int(version);
            Op::Delete
        }
        "set" => {
            e.buffer(path.map(str::as_bytes)).buffer(words.text(1).map(str::as_bytes)).int(version);
            Op::SetData
        }
        "setAcl" => {
            e.buffer(path.map(str::as_bytes));
            acl(words, e);
            e.int(version);
            Op::SetAcl
        }
        "check" => {
            e.buffer(path.map(str::as_bytes)).int(version);
            Op::Check
        }
        "reconfig" => {
            e.buffer(path.map(str::as_bytes)).text_or_null(None).text_or_null(None).long(-1);
            Op::Reconfig
        }
        "close" => Op::CloseSession,
        _ => return None,
    })
}

fn create(op: Op, words: &Words, e: &mut Encoder<'_>) -> Op {
    let plain = match op {
        Op::CreateContainer => 4,
        Op::CreateTtl => 5 + i32::from(words.has("-s")),
        _ => i32::from(words.has("-e")) + 2 * i32::from(words.has("-s")),
    };
    e.buffer(words.text(0).map(str::as_bytes)).buffer(words.text(1).map(str::as_bytes));
    acl(words, e);
    e.int(words.number("flags").unwrap_or(plain));
    if op == Op::CreateTtl {
        e.long(words.number("ttl").unwrap());
    }
    op
}

fn acl(words: &Words, e: &mut Encoder<'_>) {
    match words.setting("acl") {
        None => Acl::encode_list(&[Acl::open()], e),
        Some("null") => {
            e.int(-1);
        }
        Some("none") => Acl::encode_list(&[], e),
        Some(entries) => {
            Acl::encode_list(&entries.split(',').map(acl_entry).collect::<Vec<_>>(), e);
        }
    }
}

/// `scheme:id:perms`; the scheme `user` stands for digest, and its id for a user's credentials.
fn acl_entry(entry: &str) -> Acl {
    let (scheme, rest) = entry.split_once(':').unwrap();
    let (id, perms) = rest.rsplit_once(':').unwrap();
    let perms = perms.parse().unwrap_or_else(|_| {
        perms.chars().fold(0, |perms, letter| perms | 1 << "rwcda".find(letter).unwrap())
    });
    let id = match (scheme, id) {
        (_, "null") => Id { scheme: Some(scheme.into()), id: None },
        ("null", id) => Id { scheme: None, id: Some(id.into()) },
        ("user", credentials) => Id::new("digest", &digest(credentials)),
        (scheme, id) => Id::new(scheme, id),
    };
    Acl { perms: Perms(perms), id }
}

fn read(words: &Words, e: &mut Encoder<'_>) -> Option<Op> {
    let path = words.text(0);
    let watched = |e: &mut Encoder<'_>, op| {
        e.buffer(path.map(str::as_bytes)).boolean(words.has("-w"));
        op
    };
    let with_path = |e: &mut Encoder<'_>, op| {
        e.buffer(path.map(str::as_bytes));
        op
    };
    let with_number = |e: &mut Encoder<'_>, op| {
        e.buffer(path.map(str::as_bytes)).int(words.text(1).unwrap().parse().unwrap());
        op
    };
    Some(match words.verb.as_str() {
        "exists" => watched(e, Op::Exists),
        "get" => watched(e, Op::GetData),
        "ls" => watched(e, Op::GetChildren),
        "ls2" => watched(e, Op::GetChildren2),
        "getAcl" => with_path(e, Op::GetAcl),
        "sync" => with_path(e, Op::Sync),
        "getEphemerals" => with_path(e, Op::GetEphemerals),
        "getAllChildrenNumber" => with_path(e, Op::GetAllChildrenNumber),
        "addWatch" => with_number(e, Op::AddWatch),
        "checkWatches" => with_number(e, Op::CheckWatches),
        "removeWatches" => with_number(e, Op::RemoveWatches),
        "ping" => Op::Ping,
        "whoAmI" => Op::WhoAmI,
        "auth" => {
            let credentials = words.text(1).map(str::as_bytes);
            e.int(0).text_or_null(path).buffer(credentials);
            Op::Auth
        }
        "sasl" => {
            e.buffer(path.map(str::as_bytes));
            Op::Sasl
        }
        "setWatches" | "setWatches2" => set_watches(words, e),
        _ => return None,
    })
}

fn set_watches(words: &Words, e: &mut Encoder<'_>) -> Op {
    e.long(words.text(0).unwrap().parse().unwrap());
    let lists: &[&str] = match words.verb.as_str() {
        "setWatches" => &["data", "exist", "child"],
        _ => &["data", "exist", "child", "persistent", "recursive"],
    };
    for list in lists {
        let Some(paths) = words.texts(list) else {
            e.int(-1);
            continue;
        };
        e.count(paths.len());
        for path in paths {
            e.text(path);
        }
    }
    if lists.len() == 3 { Op::SetWatches } else { Op::SetWatches2 }
}
