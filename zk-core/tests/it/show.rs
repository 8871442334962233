//! What a server sent, in words.

use std::fmt::Write as _;

use zk_wire::{Acl, Decoder, ErrorCode, Op, Stat};

/// What stands in the answers of one server: the moment 0, and its sessions' names.
pub(crate) struct Shower<'a> {
    pub(crate) start_ms: i64,
    pub(crate) name_of: &'a dyn Fn(i64) -> String,
}

const ERRORS: &[ErrorCode] = &[
    ErrorCode::RuntimeInconsistency,
    ErrorCode::MarshallingError,
    ErrorCode::Unimplemented,
    ErrorCode::BadArguments,
    ErrorCode::NoNode,
    ErrorCode::NoAuth,
    ErrorCode::BadVersion,
    ErrorCode::NoChildrenForEphemerals,
    ErrorCode::NodeExists,
    ErrorCode::NotEmpty,
    ErrorCode::SessionExpired,
    ErrorCode::InvalidAcl,
    ErrorCode::AuthFailed,
    ErrorCode::NoWatcher,
    ErrorCode::ReconfigDisabled,
    ErrorCode::SessionClosedRequireSaslAuth,
    ErrorCode::QuotaExceeded,
];

/// A code and its name.
pub(crate) fn error(code: i32) -> String {
    match ERRORS.iter().find(|known| known.code() == code) {
        Some(known) => format!("{} {code}", known.name()),
        None if code == 0 => "ok".to_owned(),
        None => format!("error {code}"),
    }
}

/// The body of a notification.
pub(crate) fn event(d: &mut Decoder<'_>) -> String {
    let kind = match d.int().unwrap() {
        1 => "NodeCreated",
        2 => "NodeDeleted",
        3 => "NodeDataChanged",
        4 => "NodeChildrenChanged",
        kind => panic!("event type {kind}"),
    };
    assert_eq!(d.int().unwrap(), 3, "the state is always SyncConnected");
    let path = d.text().unwrap().unwrap();
    assert!(d.rest().is_empty(), "nothing follows a notification");
    format!("{kind} {path}")
}

impl Shower<'_> {
    /// The record of a reply without error.
    pub(crate) fn body(&self, op: i32, d: &mut Decoder<'_>) -> String {
        let Some(op) = Op::from_code(op) else { panic!("op {op} cannot succeed") };
        let text = match op {
            Op::Create | Op::Sync => text(d),
            Op::Create2 | Op::CreateContainer | Op::CreateTtl => {
                format!("{} {}", text(d), self.stat(d))
            }
            Op::Exists | Op::SetData | Op::SetAcl => self.stat(d),
            Op::GetData => format!("{} {}", data(d), self.stat(d)),
            Op::GetAcl => format!("{} {}", acl(d), self.stat(d)),
            Op::GetChildren | Op::GetEphemerals => texts(d),
            Op::GetChildren2 => format!("{} {}", texts(d), self.stat(d)),
            Op::GetAllChildrenNumber | Op::AddWatch => d.int().unwrap().to_string(),
            Op::Multi | Op::MultiRead => self.results(d),
            Op::Sasl => data(d),
            Op::WhoAmI => who(d),
            _ => String::new(),
        };
        assert!(d.rest().is_empty(), "nothing follows the record of {op:?}");
        text
    }

    fn results(&self, d: &mut Decoder<'_>) -> String {
        let mut results = Vec::new();
        loop {
            let (kind, done, err) = (d.int().unwrap(), d.boolean().unwrap(), d.int().unwrap());
            if done {
                assert_eq!((kind, err), (-1, -1), "so ends every multi");
                return format!("[{}]", results.join("; "));
            }
            results.push(match kind {
                -1 => {
                    assert_eq!(d.int().unwrap(), err, "the code stands there twice");
                    error(err)
                }
                1 => format!("create {}", text(d)),
                15 => format!("create2 {} {}", text(d), self.stat(d)),
                2 => "delete".to_owned(),
                5 => format!("setData {}", self.stat(d)),
                13 => "check".to_owned(),
                4 => format!("getData {} {}", data(d), self.stat(d)),
                8 => format!("getChildren {}", texts(d)),
                kind => panic!("result type {kind}"),
            });
        }
    }

    /// Zxids of creation, data and children, the three versions, and what else is not 0.
    fn stat(&self, d: &mut Decoder<'_>) -> String {
        let stat = Stat::decode(d).unwrap();
        let mut text = format!(
            "c={} m={} p={} v={}/{}/{}",
            stat.czxid, stat.mzxid, stat.pzxid, stat.version, stat.cversion, stat.aversion
        );
        if stat.ctime != 0 && stat.mtime != stat.ctime {
            write!(text, " mtime=+{}", stat.mtime - self.start_ms).unwrap();
        }
        if stat.data_length != 0 {
            write!(text, " length={}", stat.data_length).unwrap();
        }
        if stat.num_children != 0 {
            write!(text, " children={}", stat.num_children).unwrap();
        }
        if stat.ephemeral_owner != 0 {
            write!(text, " owner={}", (self.name_of)(stat.ephemeral_owner)).unwrap();
        }
        text
    }
}

/// Bytes that are no UTF-8 are shown as they are: surrogates are sent one by one.
fn text(d: &mut Decoder<'_>) -> String {
    match d.buffer().unwrap().map(|bytes| (bytes, str::from_utf8(bytes))) {
        None => "null".to_owned(),
        Some((_, Ok(text))) => text.escape_debug().to_string(),
        Some((bytes, Err(_))) => bytes.escape_ascii().to_string(),
    }
}

fn data(d: &mut Decoder<'_>) -> String {
    match d.buffer().unwrap() {
        Some(bytes) => format!("'{}'", bytes.escape_ascii()),
        None => "null".to_owned(),
    }
}

/// In order: servers may give them in any.
fn texts(d: &mut Decoder<'_>) -> String {
    let mut names = d.texts("names").unwrap();
    names.sort();
    format!("[{}]", names.join(" "))
}

fn acl(d: &mut Decoder<'_>) -> String {
    let entries = d.vector(Acl::decode).unwrap().unwrap();
    let entries: Vec<String> = entries
        .iter()
        .map(|acl| {
            let bits = acl.perms.0;
            let letters = "rwcda".chars().enumerate().filter(|(bit, _)| bits >> bit & 1 == 1);
            let perms = match bits {
                1..=31 => letters.map(|(_, letter)| letter).collect(),
                bits => bits.to_string(),
            };
            let (scheme, id) = (acl.id.scheme.as_deref(), acl.id.id.as_deref());
            format!("{}:{}:{perms}", scheme.unwrap(), id.unwrap())
        })
        .collect();
    format!("[{}]", entries.join(" "))
}

fn who(d: &mut Decoder<'_>) -> String {
    let ids = d.vector(|d| Ok((text(d), text(d)))).unwrap().unwrap();
    let ids: Vec<String> = ids.iter().map(|(scheme, user)| format!("{scheme}:{user}")).collect();
    format!("[{}]", ids.join(" "))
}
