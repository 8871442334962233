//! Requests as a client writes them, also those that no client library would.
//!
//! A text that starts with `~` stands below the test's own node: `~/a` becomes `/t17/a` when the
//! request is encoded. The encoding is the tests' own down to jute's primitives.

use zk_wire::{Acl, Encoder, Id, Perms};

/// An op and the fields of its record.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) op: i32,
    fields: Vec<Field>,
}

#[derive(Clone, Debug)]
enum Field {
    Text(Option<String>),
    Buffer(Option<Vec<u8>>),
    Int(i32),
    Long(i64),
    Boolean(bool),
    Raw(Vec<u8>),
}

/// Java's null, where a path is asked for.
pub(crate) const NULL: Option<&str> = None;

pub(crate) const CREATE: i32 = 1;
pub(crate) const CREATE2: i32 = 15;
pub(crate) const CREATE_CONTAINER: i32 = 19;
pub(crate) const CREATE_TTL: i32 = 21;

impl Request {
    /// A request of any op with any body.
    pub(crate) fn raw(op: i32, body: &[u8]) -> Self {
        Self { op, fields: vec![Field::Raw(body.to_vec())] }
    }

    /// The body, with `root` in the place of `~`.
    pub(crate) fn encode(&self, root: &str) -> Vec<u8> {
        let mut out = Vec::new();
        let mut e = Encoder::new(&mut out);
        for field in &self.fields {
            match field {
                Field::Text(Some(text)) => match text.strip_prefix('~') {
                    Some(below) => e.text(&format!("{root}{below}")),
                    None => e.text(text),
                },
                Field::Text(None) => e.int(-1),
                Field::Buffer(bytes) => e.buffer(bytes.as_deref()),
                Field::Int(value) => e.int(*value),
                Field::Long(value) => e.long(*value),
                Field::Boolean(value) => e.boolean(*value),
                Field::Raw(bytes) => e.raw(bytes),
            };
        }
        out
    }

    fn new(op: i32) -> Self {
        Self { op, fields: Vec::new() }
    }

    fn with(mut self, field: Field) -> Self {
        self.fields.push(field);
        self
    }

    fn text<'a>(self, text: impl Into<Option<&'a str>>) -> Self {
        self.with(Field::Text(text.into().map(str::to_owned)))
    }

    fn texts(self, texts: Option<&[&str]>) -> Self {
        let Some(texts) = texts else { return self.int(-1) };
        let counted = self.int(i32::try_from(texts.len()).expect("a few texts"));
        texts.iter().fold(counted, |request, text| request.text(*text))
    }

    fn buffer(self, bytes: Option<&[u8]>) -> Self {
        self.with(Field::Buffer(bytes.map(<[u8]>::to_vec)))
    }

    fn int(self, value: i32) -> Self {
        self.with(Field::Int(value))
    }

    fn acl(self, acl: Option<&[Acl]>) -> Self {
        let Some(acl) = acl else { return self.int(-1) };
        let counted = self.int(i32::try_from(acl.len()).expect("a few entries"));
        acl.iter().fold(counted, |request, entry| {
            request.int(entry.perms.0).text(entry.id.scheme.as_deref()).text(entry.id.id.as_deref())
        })
    }
}

/// An entry of an ACL; scheme and id may be null.
pub(crate) fn acl<'a>(
    perms: i32,
    scheme: impl Into<Option<&'a str>>,
    id: impl Into<Option<&'a str>>,
) -> Acl {
    let owned = |text: Option<&str>| text.map(str::to_owned);
    Acl { perms: Perms(perms), id: Id { scheme: owned(scheme.into()), id: owned(id.into()) } }
}

/// A create of any op, with every field.
pub(crate) fn create_with<'a>(
    op: i32,
    path: impl Into<Option<&'a str>>,
    data: Option<&[u8]>,
    acl: Option<&[Acl]>,
    flags: i32,
) -> Request {
    Request::new(op).text(path).buffer(data).acl(acl).int(flags)
}

/// A create of any op but createTTL, open to all and without data.
pub(crate) fn create_as<'a>(op: i32, path: impl Into<Option<&'a str>>, flags: i32) -> Request {
    create_with(op, path, Some(b""), Some(&[Acl::open()]), flags)
}

/// A persistent node, open to all and without data.
pub(crate) fn create<'a>(path: impl Into<Option<&'a str>>) -> Request {
    create_as(CREATE, path, 0)
}

/// A persistent node with an ACL.
pub(crate) fn create_acl(path: &str, acl: &[Acl]) -> Request {
    create_with(CREATE, path, Some(b""), Some(acl), 0)
}

/// A persistent node with data.
pub(crate) fn create_data(path: &str, data: &[u8]) -> Request {
    create_with(CREATE, path, Some(data), Some(&[Acl::open()]), 0)
}

/// createTTL, open to all and without data.
pub(crate) fn create_ttl(path: &str, flags: i32, ttl_ms: i64) -> Request {
    create_as(CREATE_TTL, path, flags).with(Field::Long(ttl_ms))
}

pub(crate) fn delete<'a>(path: impl Into<Option<&'a str>>, version: i32) -> Request {
    Request::new(2).text(path).int(version)
}

pub(crate) fn exists<'a>(path: impl Into<Option<&'a str>>, watch: bool) -> Request {
    Request::new(3).text(path).with(Field::Boolean(watch))
}

pub(crate) fn get_data<'a>(path: impl Into<Option<&'a str>>, watch: bool) -> Request {
    Request::new(4).text(path).with(Field::Boolean(watch))
}

pub(crate) fn set_data<'a>(
    path: impl Into<Option<&'a str>>,
    data: impl Into<Option<&'a [u8]>>,
    version: i32,
) -> Request {
    Request::new(5).text(path).buffer(data.into()).int(version)
}

pub(crate) fn get_acl<'a>(path: impl Into<Option<&'a str>>) -> Request {
    Request::new(6).text(path)
}

pub(crate) fn set_acl<'a>(
    path: impl Into<Option<&'a str>>,
    acl: Option<&[Acl]>,
    version: i32,
) -> Request {
    Request::new(7).text(path).acl(acl).int(version)
}

pub(crate) fn get_children<'a>(path: impl Into<Option<&'a str>>, watch: bool) -> Request {
    Request::new(8).text(path).with(Field::Boolean(watch))
}

pub(crate) fn get_children2<'a>(path: impl Into<Option<&'a str>>, watch: bool) -> Request {
    Request::new(12).text(path).with(Field::Boolean(watch))
}

pub(crate) fn sync<'a>(path: impl Into<Option<&'a str>>) -> Request {
    Request::new(9).text(path)
}

pub(crate) fn ping() -> Request {
    Request::new(11)
}

pub(crate) fn check_version<'a>(path: impl Into<Option<&'a str>>, version: i32) -> Request {
    Request::new(13).text(path).int(version)
}

/// A multi with its terminator.
pub(crate) fn multi(ops: &[Request]) -> Request {
    let end = Field::Raw([&[0xff; 4][..], &[1], &[0xff; 4]].concat());
    unterminated(14, ops).with(end)
}

/// A multiRead with its terminator.
pub(crate) fn multi_read(ops: &[Request]) -> Request {
    Request { op: 22, ..multi(ops) }
}

/// The ops of a multi, each behind its header, and no end.
pub(crate) fn unterminated(op: i32, ops: &[Request]) -> Request {
    ops.iter().fold(Request::new(op), |mut request, sub| {
        request = request.int(sub.op).with(Field::Boolean(false)).int(-1);
        request.fields.extend(sub.fields.iter().cloned());
        request
    })
}

pub(crate) fn reconfig(
    joining: Option<&str>,
    leaving: Option<&str>,
    new_members: Option<&str>,
    config_id: i64,
) -> Request {
    let request = Request::new(16).text(joining).text(leaving).text(new_members);
    request.with(Field::Long(config_id))
}

pub(crate) fn check_watches<'a>(path: impl Into<Option<&'a str>>, kind: i32) -> Request {
    Request::new(17).text(path).int(kind)
}

pub(crate) fn remove_watches<'a>(path: impl Into<Option<&'a str>>, kind: i32) -> Request {
    Request::new(18).text(path).int(kind)
}

/// deleteContainer with a jute path, which only the server's own reaper should ever use.
pub(crate) fn delete_container(path: &str) -> Request {
    Request::new(20).text(path)
}

pub(crate) fn auth<'a>(
    scheme: impl Into<Option<&'a str>>,
    data: impl Into<Option<&'a [u8]>>,
) -> Request {
    Request::new(100).int(0).text(scheme).buffer(data.into())
}

/// setWatches: data, exist and child watches; `None` is a null vector.
pub(crate) fn set_watches(relative_zxid: i64, lists: [Option<&[&str]>; 3]) -> Request {
    let request = Request::new(101).with(Field::Long(relative_zxid));
    lists.into_iter().fold(request, Request::texts)
}

/// setWatches2: data, exist, child, persistent and persistent recursive watches.
pub(crate) fn set_watches2(relative_zxid: i64, lists: [&[&str]; 5]) -> Request {
    let request = Request::new(105).with(Field::Long(relative_zxid));
    lists.into_iter().fold(request, |request, list| request.texts(Some(list)))
}

pub(crate) fn sasl(token: Option<&[u8]>) -> Request {
    Request::new(102).buffer(token)
}

pub(crate) fn get_ephemerals<'a>(prefix: impl Into<Option<&'a str>>) -> Request {
    Request::new(103).text(prefix)
}

pub(crate) fn get_all_children_number<'a>(path: impl Into<Option<&'a str>>) -> Request {
    Request::new(104).text(path)
}

pub(crate) fn add_watch<'a>(path: impl Into<Option<&'a str>>, mode: i32) -> Request {
    Request::new(106).text(path).int(mode)
}

pub(crate) fn who_am_i() -> Request {
    Request::new(107)
}

pub(crate) fn close_session() -> Request {
    Request::new(-11)
}
