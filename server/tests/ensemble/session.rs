//! A client's session that lives through the loss of its connections: it goes from member to member.
//!
//! Invariants
//! - No member that is behind what the session has seen takes it.
//! - A session that is refused is lost: nothing here makes a new one in its place.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use zk_wire::{
    ConnectRequest, ConnectResponse, CreateFlags, Decoder, Encoder, Op, ReplyHeader, RequestHeader,
    SessionId, Stat, Xid, Zxid, begin_frame, end_frame,
};

use crate::client::{Failure, NewNode, encode_set};
use crate::deadline::within;

/// A session, connected or not.
pub(crate) struct Session {
    servers: Vec<SocketAddr>,
    at: usize,
    stream: Option<TcpStream>,
    id: SessionId,
    passwd: [u8; 16],
    seen: Zxid,
    xid: i32,
    timeout_ms: i32,
    /// How long it waits for the reply to a write.
    patience: Duration,
}

impl Session {
    /// A new session; it tries the server with index `first` first.
    pub(crate) fn new(servers: &[SocketAddr], first: usize) -> Self {
        Self::with_timeout(servers, first, TIMEOUT_MS)
    }

    /// The same that is lost after so long a silence.
    pub(crate) fn with_timeout(servers: &[SocketAddr], first: usize, timeout_ms: i32) -> Self {
        Self::open_new(servers, first, timeout_ms, REPLY_LIMIT)
    }

    /// A new session at this server alone, which may take its time to answer.
    pub(crate) fn reader(server: SocketAddr) -> Self {
        Self::open_new(&[server], 0, TIMEOUT_MS, READER_PATIENCE)
    }

    fn open_new(servers: &[SocketAddr], first: usize, timeout_ms: i32, patience: Duration) -> Self {
        let mut session = Self {
            servers: servers.to_vec(),
            at: first,
            stream: None,
            id: SessionId(0),
            passwd: [0; 16],
            seen: Zxid::ZERO,
            xid: 0,
            timeout_ms,
            patience,
        };
        session.attach();
        session
    }

    /// Its id.
    pub(crate) fn id(&self) -> SessionId {
        self.id
    }

    /// Whether it has a connection, as far as is known.
    pub(crate) fn is_attached(&self) -> bool {
        self.stream.is_some()
    }

    /// Gives up its connection.
    pub(crate) fn detach(&mut self) {
        self.stream = None;
    }

    /// Connects to one server after the other until one takes the session.
    ///
    /// # Panics
    /// None does for a long time, or the session is refused.
    pub(crate) fn attach(&mut self) {
        let attached = within(ATTACH_LIMIT, || {
            // Whatever comes of it, the next attempt goes elsewhere.
            let server = self.servers[self.at % self.servers.len()];
            self.at += 1;
            match self.open(server) {
                Ok(()) => Some(()),
                Err(Failure::Refused) => panic!("session {} is lost at {server}", self.id),
                Err(Failure::Lost(_) | Failure::Code(_)) => None,
            }
        });
        attached.unwrap_or_else(|| {
            panic!("no server took session {} within {ATTACH_LIMIT:?}", self.id);
        });
    }

    fn open(&mut self, server: SocketAddr) -> Result<(), Failure> {
        let stream = TcpStream::connect_timeout(&server, CONNECT_LIMIT)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(self.patience))?;
        stream.set_write_timeout(Some(self.patience))?;
        self.stream = Some(stream);
        let passwd = self.passwd;
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: self.seen,
            timeout_ms: self.timeout_ms,
            session_id: self.id,
            passwd: Some(&passwd),
            read_only: Some(false),
        };
        self.send_frame(|encoder| request.encode(encoder))?;
        let response = ConnectResponse::decode(&self.receive_frame()?)
            .expect("a server answers a connect request with its response");
        if response.session_id.0 == 0 {
            return Err(Failure::Refused);
        }
        (self.id, self.passwd) = (response.session_id, response.passwd);
        Ok(())
    }

    /// Sends a request without waiting for its reply, which [`Self::reply`] is to take.
    pub(crate) fn send(
        &mut self,
        op: Op,
        body: impl FnOnce(&mut Encoder<'_>),
    ) -> Result<(), Failure> {
        self.xid += 1;
        let header = RequestHeader { xid: Xid(self.xid), op: op.code() };
        self.send_frame(|encoder| {
            header.encode(encoder);
            body(encoder);
        })
    }

    /// The next reply: what follows its header.
    pub(crate) fn reply(&mut self) -> Result<Vec<u8>, Failure> {
        let frame = self.receive_frame()?;
        let mut decoder = Decoder::new(&frame);
        let header = ReplyHeader::decode(&mut decoder).expect("a reply has a header");
        self.seen = self.seen.max(header.zxid);
        if header.err == 0 { Ok(decoder.rest().to_vec()) } else { Err(Failure::Code(header.err)) }
    }

    fn request(&mut self, op: Op, body: impl FnOnce(&mut Encoder<'_>)) -> Result<Vec<u8>, Failure> {
        self.send(op, body)?;
        self.reply()
    }

    /// A request that may be asked twice. Compat: a member of Java's can leave a read unanswered until the
    /// next txn wakes it; a new session is one.
    fn read(&mut self, op: Op, body: impl Fn(&mut Encoder<'_>)) -> Result<Vec<u8>, Failure> {
        let server = self.connection()?.peer_addr()?;
        self.connection()?.set_read_timeout(Some(REPLY_LIMIT))?;
        match self.request(op, &body) {
            Err(Failure::Lost(error)) if error.kind() == io::ErrorKind::WouldBlock => {
                drop(Self::reader(server));
                self.attach();
                self.request(op, &body)
            }
            result => {
                if let Some(stream) = &self.stream {
                    stream.set_read_timeout(Some(self.patience))?;
                }
                result
            }
        }
    }

    /// Says that it lives, and hears the same of the server.
    pub(crate) fn ping(&mut self) -> Result<(), Failure> {
        self.send_frame(|encoder| {
            RequestHeader { xid: Xid(PING_XID), op: Op::Ping.code() }.encode(encoder);
        })?;
        self.reply().map(drop)
    }

    /// Creates a node that is open to all.
    pub(crate) fn create(
        &mut self,
        path: &str,
        data: &[u8],
        flags: CreateFlags,
    ) -> Result<(), Failure> {
        let node = NewNode::new(path, data).flags(flags);
        self.request(node.op(), |encoder| node.encode(encoder)).map(drop)
    }

    /// Sets the data of a node, whatever its version.
    pub(crate) fn set(&mut self, path: &str, data: &[u8]) -> Result<(), Failure> {
        self.request(Op::SetData, |encoder| encode_set(encoder, path, data)).map(drop)
    }

    /// Data and stat of a node.
    pub(crate) fn get(&mut self, path: &str) -> Result<(Vec<u8>, Stat), Failure> {
        let body = self.read(Op::GetData, |encoder| {
            encoder.text(path).boolean(false);
        })?;
        let mut decoder = Decoder::new(&body);
        let data = decoder.buffer().expect(WHOLE).unwrap_or_default().to_vec();
        Ok((data, Stat::decode(&mut decoder).expect(WHOLE)))
    }

    /// Changes who the members are; gives the configuration that holds then.
    pub(crate) fn reconfig(&mut self, joining: &str, leaving: &str) -> Result<String, Failure> {
        let body = self.request(Op::Reconfig, |encoder| {
            for text in [joining, leaving] {
                encoder.text_or_null(Some(text).filter(|text| !text.is_empty()));
            }
            encoder.text_or_null(None).long(-1);
        })?;
        let data = Decoder::new(&body).buffer().expect(WHOLE).unwrap_or_default();
        Ok(String::from_utf8(data.to_vec()).expect("a configuration is text"))
    }

    /// The names of a node's children.
    pub(crate) fn children(&mut self, path: &str) -> Result<Vec<String>, Failure> {
        let body = self.read(Op::GetChildren, |encoder| {
            encoder.text(path).boolean(false);
        })?;
        let names = Decoder::new(&body).texts("children").expect(WHOLE);
        Ok(names.into_iter().map(String::from).collect())
    }

    fn send_frame(&mut self, body: impl FnOnce(&mut Encoder<'_>)) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        let start = begin_frame(&mut bytes);
        body(&mut Encoder::new(&mut bytes));
        end_frame(&mut bytes, start);
        let result = self.connection()?.write_all(&bytes);
        self.noting_loss(result)
    }

    fn receive_frame(&mut self) -> Result<Vec<u8>, Failure> {
        let connection = self.connection()?;
        let mut length = [0; 4];
        let result = connection.read_exact(&mut length).and_then(|()| {
            let length = i32::from_be_bytes(length);
            let length = usize::try_from(length).ok().filter(|length| *length <= FRAME_MAX);
            let mut frame = vec![0; length.expect("a server sends no such frame")];
            connection.read_exact(&mut frame)?;
            Ok(frame)
        });
        self.noting_loss(result)
    }

    fn connection(&mut self) -> Result<&mut TcpStream, Failure> {
        let none = || Failure::Lost(io::Error::from(io::ErrorKind::NotConnected));
        self.stream.as_mut().ok_or_else(none)
    }

    fn noting_loss<T>(&mut self, result: io::Result<T>) -> Result<T, Failure> {
        if result.is_err() {
            self.detach();
        }
        Ok(result?)
    }
}

const WHOLE: &str = "a reply without error is whole";
/// Long enough for an election among Java servers on a busy machine.
const TIMEOUT_MS: i32 = 30_000;
const ATTACH_LIMIT: Duration = Duration::from_secs(30);
const CONNECT_LIMIT: Duration = Duration::from_secs(1);
/// A server that is silent for so long is given up.
const REPLY_LIMIT: Duration = Duration::from_secs(3);
const READER_PATIENCE: Duration = Duration::from_secs(20);
const FRAME_MAX: usize = 16 << 20;
const PING_XID: i32 = -2;
