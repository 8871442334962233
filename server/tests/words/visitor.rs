//! A client that does the same on every server, and asks words there.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use zk_wire::{Acl, Encoder, Op};

use crate::wire::{Wire, new_session};

/// What a server answers to a word.
pub(crate) fn word(address: SocketAddr, word: &[u8]) -> String {
    let mut wire = Wire::open(address);
    wire.send(word);
    wire.text()
}

/// What a server answers to `mntr`, by name.
pub(crate) fn metrics(address: SocketAddr) -> BTreeMap<String, String> {
    let answer = word(address, b"mntr");
    let pairs = answer.lines().map(|line| line.split_once('\t').expect("name and value"));
    pairs.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
}

/// A client with a session, and with nodes and watches below a name of its own.
pub(crate) struct Visitor {
    client: Wire,
    xid: i32,
}

impl Visitor {
    /// Opens a session and does some of everything.
    pub(crate) fn new(address: SocketAddr, name: &str) -> Self {
        let mut visitor = Self { client: Wire::open(address), xid: 0 };
        visitor.client.connect(&new_session(30_000)).expect("a session is given");
        let own = format!("/{name}");
        visitor.create(&own, 0);
        visitor.create(&format!("{own}/e"), 1);
        visitor.call(Op::GetData, |e| {
            e.text(&own).boolean(true);
        });
        visitor.call(Op::Exists, |e| {
            e.text(&format!("/no-{name}")).boolean(true);
        });
        visitor.call(Op::GetChildren2, |e| {
            e.text(&own).boolean(true);
        });
        visitor.create(&format!("{own}/f"), 0);
        visitor.client.frame().expect("the reply comes behind the notification");
        visitor
    }

    /// Waits until its server has everything that was written anywhere.
    pub(crate) fn sync(&mut self) {
        self.call(Op::Sync, |e| {
            e.text("/");
        });
    }

    fn create(&mut self, path: &str, flags: i32) {
        self.call(Op::Create, |e| {
            e.text(path).buffer(Some(b"data")).count(1);
            Acl::open().encode(e);
            e.int(flags);
        });
    }

    fn call(&mut self, op: Op, write: impl FnOnce(&mut Encoder<'_>)) {
        self.xid += 1;
        let mut body = Vec::new();
        let mut e = Encoder::new(&mut body);
        e.int(self.xid).int(op.code());
        write(&mut e);
        self.client.send_frame(&body);
        self.client.frame().expect("a reply or a notification");
    }
}
