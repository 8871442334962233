//! Replies and watch events as they come off the wire.

use zk_wire::{Acl, Decoder, ReplyHeader, Stat, Zxid};

use crate::client::shorten;

/// A reply's header, and the bytes behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    pub(crate) xid: i32,
    pub(crate) zxid: Zxid,
    pub(crate) err: i32,
    pub(crate) body: Vec<u8>,
}

/// A watch notification.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) zxid: i64,
    pub(crate) kind: i32,
    pub(crate) path: String,
}

/// One result of a multi.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OpResult {
    /// The type and what identifies the result: a path, a code.
    pub(crate) line: String,
    pub(crate) stat: Option<Stat>,
}

/// The end of every multi's results.
pub(crate) const MULTI_END: [u8; 9] = [0xff, 0xff, 0xff, 0xff, 1, 0xff, 0xff, 0xff, 0xff];

impl Reply {
    pub(crate) fn decode(frame: &[u8]) -> Self {
        let mut d = Decoder::new(frame);
        let header = ReplyHeader::decode(&mut d).expect("a reply has a header");
        let body = d.rest().to_vec();
        Self { xid: header.xid.0, zxid: header.zxid, err: header.err, body }
    }

    /// The reply is its header alone.
    #[track_caller]
    pub(crate) fn expect_bare(&self, xid: i32, zxid: i64, err: i32) {
        let bare = Self { xid, zxid: Zxid(zxid), err, body: Vec::new() };
        assert_eq!(*self, bare);
    }

    /// A body that ends with a stat.
    #[track_caller]
    pub(crate) fn stat(&self) -> Stat {
        let at = self.body.len().checked_sub(68).expect("a stat has 68 bytes");
        Stat::decode(&mut Decoder::new(&self.body[at..])).expect("a stat has 68 bytes")
    }

    /// The body of getData.
    #[track_caller]
    pub(crate) fn data(&self) -> Option<Vec<u8>> {
        Decoder::new(&self.body).buffer().expect("a buffer").map(<[u8]>::to_vec)
    }

    /// A body that starts with a string.
    #[track_caller]
    pub(crate) fn text(&self) -> Option<String> {
        Decoder::new(&self.body).text().expect("a string").map(Into::into)
    }

    /// A body that starts with a list of strings, sorted.
    #[track_caller]
    pub(crate) fn texts(&self) -> Vec<String> {
        let texts = Decoder::new(&self.body).texts("paths").expect("a list of strings");
        let mut texts: Vec<String> = texts.into_iter().map(Into::into).collect();
        texts.sort_unstable();
        texts
    }

    /// A body that is an int.
    #[track_caller]
    pub(crate) fn int(&self) -> i32 {
        assert_eq!(self.body.len(), 4);
        Decoder::new(&self.body).int().expect("an int has 4 bytes")
    }

    /// The body of getACL, each entry as `perms scheme:id`.
    #[track_caller]
    pub(crate) fn acl(&self) -> Vec<String> {
        let acl = Decoder::new(&self.body).vector(Acl::decode).expect("an ACL");
        let text = |text: Option<String>| text.unwrap_or_else(|| "null".to_owned());
        let line = |e: Acl| format!("{} {}:{}", e.perms.0, text(e.id.scheme), text(e.id.id));
        acl.expect("not null").into_iter().map(line).collect()
    }

    /// The body of whoAmI, each entry as `scheme:user`, sorted.
    #[track_caller]
    pub(crate) fn identities(&self) -> Vec<String> {
        let pairs = Decoder::new(&self.body).vector(|d| Ok((d.text()?, d.text()?)));
        let line = |(scheme, user): (Option<_>, Option<_>)| {
            format!("{}:{}", scheme.expect("a scheme"), user.expect("a user"))
        };
        let mut lines: Vec<_> =
            pairs.expect("a list of pairs").expect("not null").into_iter().map(line).collect();
        lines.sort_unstable();
        lines
    }

    /// The results of a multi, down to its end.
    #[track_caller]
    pub(crate) fn results(&self, root: &str) -> Vec<OpResult> {
        assert_eq!(self.err, 0, "a multi that was understood has no error of its own");
        let mut d = Decoder::new(&self.body);
        let mut results = Vec::new();
        loop {
            let header = [d.int(), d.boolean().map(i32::from), d.int()];
            let [kind, done, err] = header.map(|field| field.expect("a header of a result"));
            if done != 0 {
                assert_eq!((kind, err, d.rest()), (-1, -1, &[][..]));
                return results;
            }
            results.push(OpResult::decode(kind, err, &mut d, root));
        }
    }

    /// The results of a multi, a line each.
    #[track_caller]
    pub(crate) fn lines(&self, root: &str) -> Vec<String> {
        self.results(root).into_iter().map(|result| result.line).collect()
    }
}

impl OpResult {
    fn decode(kind: i32, err: i32, d: &mut Decoder<'_>, root: &str) -> Self {
        let text =
            |d: &mut Decoder<'_>| shorten(&d.text().expect("a path").expect("not null"), root);
        let stat = |d: &mut Decoder<'_>| Some(Stat::decode(d).expect("a stat"));
        if kind == -1 {
            assert_eq!(d.int(), Ok(err), "header and body of an error agree");
            return Self { line: format!("error {err}"), stat: None };
        }
        assert_eq!(err, 0, "only results of type -1 have an error");
        let (line, stat) = match kind {
            1 => (format!("1 {}", text(d)), None),
            15 => (format!("15 {}", text(d)), stat(d)),
            2 | 13 => (kind.to_string(), None),
            5 => (kind.to_string(), stat(d)),
            4 => {
                let data = d.buffer().expect("data").unwrap_or_default();
                (format!("4 {}", String::from_utf8_lossy(data)), stat(d))
            }
            8 => {
                let mut names = d.texts("children").expect("names");
                names.sort_unstable();
                (format!("8 {}", names.join(",")), None)
            }
            _ => panic!("no result has the type {kind}"),
        };
        Self { line, stat }
    }
}

impl Event {
    /// The event in a frame; `None` if the frame is a reply.
    pub(crate) fn decode(frame: &[u8], root: &str) -> Option<Self> {
        let mut d = Decoder::new(frame);
        let header = ReplyHeader::decode(&mut d).expect("every frame has a header");
        if header.xid.0 != -1 {
            return None;
        }
        let kind = d.int().expect("an event has a type");
        assert_eq!((header.err, d.int()), (0, Ok(3)), "the state is always SyncConnected");
        let path = d.text().expect("an event has a path").expect("not null");
        assert_eq!(d.rest(), [0; 0], "nothing follows the path");
        Some(Self { zxid: header.zxid.0, kind, path: shorten(&path, root) })
    }
}
