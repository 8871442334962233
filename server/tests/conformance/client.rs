//! A client with a session: requests in, replies out, watch events kept in the order they came.
//!
//! It never pings by itself; its session lives as long as the longest timeout allows.

use std::collections::VecDeque;
use std::net::SocketAddr;

use zk_wire::{ConnectRequest, Decoder, SessionId, Zxid};

use crate::reply::{Event, Reply};
use crate::request::{Request, close_session, exists, ping};
use crate::wire::{Wire, framed, new_session};

/// A session on a connection.
pub(crate) struct Client {
    pub(crate) wire: Wire,
    pub(crate) id: i64,
    pub(crate) passwd: [u8; 16],
    pub(crate) timeout_ms: i32,
    address: SocketAddr,
    root: String,
    xid: i32,
    events: VecDeque<Event>,
}

/// The longest timeout that the default bounds grant with a tick of one second.
pub(crate) const LONG: i32 = 20_000;

impl Client {
    /// A new session; `root` is what `~` stands for in its requests.
    pub(crate) fn connect(address: SocketAddr, root: &str, timeout_ms: i32) -> Self {
        Self::open(address, root, &new_session(timeout_ms)).expect("a new session is granted")
    }

    /// The same session on a new connection; `None` when the server refuses it.
    pub(crate) fn reattach(&self, timeout_ms: i32) -> Option<Self> {
        self.reattach_at(self.address, timeout_ms)
    }

    /// The same session on a connection to where the server is by now.
    pub(crate) fn reattach_at(&self, address: SocketAddr, timeout_ms: i32) -> Option<Self> {
        let mut request = new_session(timeout_ms);
        request.session_id = SessionId(self.id);
        request.passwd = Some(&self.passwd);
        Self::open(address, &self.root, &request)
    }

    fn open(address: SocketAddr, root: &str, request: &ConnectRequest<'_>) -> Option<Self> {
        let mut wire = Wire::open(address);
        let response = wire.connect(request).expect("a connect request is answered");
        if response.session_id.0 == 0 {
            assert_eq!((response.timeout_ms, response.passwd), (0, [0; 16]));
            wire.expect_closed();
            return None;
        }
        Some(Self {
            wire,
            id: response.session_id.0,
            passwd: response.passwd,
            timeout_ms: response.timeout_ms,
            address,
            root: root.to_owned(),
            xid: 0,
            events: VecDeque::new(),
        })
    }

    /// A request's frame, its xid being the next one.
    pub(crate) fn frame(&mut self, request: &Request) -> Vec<u8> {
        self.xid += 1;
        self.frame_as(self.xid, request)
    }

    /// A request's frame with an xid of any kind.
    pub(crate) fn frame_as(&self, xid: i32, request: &Request) -> Vec<u8> {
        let header = [xid.to_be_bytes(), request.op.to_be_bytes()].concat();
        framed(&[header, request.encode(&self.root)].concat())
    }

    /// Sends a request and does not wait.
    pub(crate) fn send(&mut self, request: &Request) {
        let frame = self.frame(request);
        self.wire.send(&frame);
    }

    /// Sends requests in one write, and does not wait.
    pub(crate) fn send_all(&mut self, requests: &[Request]) {
        let frames: Vec<_> = requests.iter().flat_map(|request| self.frame(request)).collect();
        self.wire.send(&frames);
    }

    /// The next reply; events before it are kept. `None` when the server closes.
    pub(crate) fn reply(&mut self) -> Option<Reply> {
        loop {
            let frame = self.wire.frame()?;
            match Event::decode(&frame, &self.root) {
                Some(event) => self.events.push_back(event),
                None => return Some(Reply::decode(&frame)),
            }
        }
    }

    /// Sends a request and waits for its reply.
    #[track_caller]
    pub(crate) fn call(&mut self, request: &Request) -> Reply {
        self.send(request);
        let reply =
            self.reply().unwrap_or_else(|| panic!("closed instead of answering {request:?}"));
        assert!(reply.xid == self.xid || reply.xid == -2, "{reply:?} is not to {}", self.xid);
        reply
    }

    /// A request that must succeed.
    #[track_caller]
    pub(crate) fn ok(&mut self, request: &Request) -> Reply {
        let reply = self.call(request);
        assert_eq!(reply.err, 0, "{request:?}");
        reply
    }

    /// Each request must be answered with the code beside it.
    #[track_caller]
    pub(crate) fn check(&mut self, table: &[(Request, i32)]) {
        let codes: Vec<_> = table.iter().map(|(request, _)| self.call(request).err).collect();
        for ((request, expected), code) in table.iter().zip(&codes) {
            assert_eq!(code, expected, "{request:?}, codes of the whole table: {codes:?}");
        }
    }

    /// The codes of a table of requests that are sent at once.
    pub(crate) fn codes(&mut self, requests: &[Request]) -> Vec<i32> {
        self.send_all(requests);
        requests.iter().map(|_| self.reply().expect("every request is answered").err).collect()
    }

    /// The metadata of a node that is there.
    #[track_caller]
    pub(crate) fn stat(&mut self, path: &str) -> zk_wire::Stat {
        self.ok(&exists(path, false)).stat()
    }

    /// The path that a create gave, in the short form.
    #[track_caller]
    pub(crate) fn created(&mut self, request: &Request) -> String {
        let reply = self.ok(request);
        let path = Decoder::new(&reply.body).text().expect("a path").expect("not null");
        self.shorten(&path)
    }

    /// Writes `~` for the test's own node.
    pub(crate) fn shorten(&self, path: &str) -> String {
        shorten(path, &self.root)
    }

    /// The events that came, type and path; a ping's round trip makes sure that none is under way.
    #[track_caller]
    pub(crate) fn events(&mut self) -> Vec<String> {
        self.ok(&ping());
        self.arrived()
    }

    /// The events that came before the last reply.
    pub(crate) fn arrived(&mut self) -> Vec<String> {
        self.events.drain(..).map(|event| format!("{} {}", event.kind, event.path)).collect()
    }

    /// The events that came before the last reply, with their zxids.
    pub(crate) fn arrived_with_zxids(&mut self) -> Vec<(i64, String)> {
        let line = |event: Event| (event.zxid, format!("{} {}", event.kind, event.path));
        self.events.drain(..).map(line).collect()
    }

    /// Waits for the next event.
    pub(crate) fn event(&mut self) -> String {
        while self.events.is_empty() {
            let frame = self.wire.frame().expect("the connection lasts until the event");
            self.events.extend(Event::decode(&frame, &self.root));
        }
        self.arrived().join(", ")
    }

    /// The last zxid that the server has applied.
    #[track_caller]
    pub(crate) fn zxid(&mut self) -> Zxid {
        self.ok(&ping()).zxid
    }

    /// Ends the session in order.
    #[track_caller]
    pub(crate) fn close(mut self) -> Zxid {
        let reply = self.ok(&close_session());
        self.wire.expect_closed();
        reply.zxid
    }

    /// The server closes without having sent another byte.
    #[track_caller]
    pub(crate) fn expect_closed(&mut self) {
        self.wire.expect_closed();
    }
}

/// Writes `~` for `root` in front of a path.
pub(crate) fn shorten(path: &str, root: &str) -> String {
    match path.strip_prefix(root) {
        Some(below) if !root.is_empty() && (below.is_empty() || below.starts_with('/')) => {
            format!("~{below}")
        }
        _ => path.to_owned(),
    }
}
