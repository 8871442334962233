//! A plain client of one session: a request goes out, its reply comes back.
//!
//! It never pings and never reconnects by itself: when the connection is lost, that is a result.

use std::io::{self, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use thiserror::Error;
use zk_wire::{
    Acl, ConnectRequest, ConnectResponse, CreateFlags, DecodeError, Decoder, Encoder, Id, Op,
    Perms, ReplyHeader, RequestHeader, SessionId, Stat, Xid, Zxid, begin_frame, end_frame,
};

/// Why a request has no good reply.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// The connection is gone: whether the request took effect is not known.
    #[error("the connection is lost: {0}")]
    Lost(#[from] io::Error),
    /// The server answered with an error code.
    #[error("the server answered {0}")]
    Code(i32),
    /// The server refused the session.
    #[error("the session is refused")]
    Refused,
}

/// A session on a connection.
pub(crate) struct Client {
    stream: TcpStream,
    session: SessionId,
    passwd: [u8; 16],
    xid: i32,
}

impl Client {
    /// A new session.
    pub(crate) fn connect(address: SocketAddr) -> Result<Self, Failure> {
        Self::open(address, SessionId(0), [0; 16])
    }

    /// The same session on a new connection.
    pub(crate) fn reattach(&self, address: SocketAddr) -> Result<Self, Failure> {
        Self::open(address, self.session, self.passwd)
    }

    fn open(address: SocketAddr, session_id: SessionId, passwd: [u8; 16]) -> Result<Self, Failure> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(REPLY_LIMIT))?;
        let mut client = Self { stream, session: session_id, passwd, xid: 0 };
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: Zxid::ZERO,
            timeout_ms: TIMEOUT_MS,
            session_id,
            passwd: Some(&passwd),
            read_only: Some(false),
        };
        client.send_frame(|encoder| request.encode(encoder))?;
        let response = ConnectResponse::decode(&client.receive_frame()?)
            .expect("a server answers a connect request with its response");
        if response.session_id.0 == 0 {
            return Err(Failure::Refused);
        }
        client.session = response.session_id;
        client.passwd = response.passwd;
        Ok(client)
    }

    /// From now on a reply that takes longer is an error.
    pub(crate) fn wait_at_most(&self, limit: Duration) -> Result<(), Failure> {
        Ok(self.stream.set_read_timeout(Some(limit))?)
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
        if header.err == 0 { Ok(decoder.rest().to_vec()) } else { Err(Failure::Code(header.err)) }
    }

    fn request(&mut self, op: Op, body: impl FnOnce(&mut Encoder<'_>)) -> Result<Vec<u8>, Failure> {
        self.send(op, body)?;
        self.reply()
    }

    /// Proves who this is.
    pub(crate) fn auth(&mut self, scheme: &str, auth: &str) -> Result<(), Failure> {
        self.request(Op::Auth, |e| {
            e.int(0).text(scheme).buffer(Some(auth.as_bytes()));
        })?;
        Ok(())
    }

    /// Creates a node and gives back its path.
    pub(crate) fn create(&mut self, node: &NewNode<'_>) -> Result<String, Failure> {
        let body = self.request(node.op(), |e| node.encode(e))?;
        Ok(text(&mut Decoder::new(&body)))
    }

    /// Sets the data of a node, whatever its version.
    pub(crate) fn set(&mut self, path: &str, data: &[u8]) -> Result<(), Failure> {
        self.request(Op::SetData, |e| encode_set(e, path, data))?;
        Ok(())
    }

    /// Deletes a node, whatever its version.
    pub(crate) fn delete(&mut self, path: &str) -> Result<(), Failure> {
        self.request(Op::Delete, |e| encode_delete(e, path))?;
        Ok(())
    }

    /// Sets the ACL of a node, whatever its version.
    pub(crate) fn set_acl(&mut self, path: &str, acl: &[Acl]) -> Result<(), Failure> {
        self.request(Op::SetAcl, |e| {
            e.text(path);
            Acl::encode_list(acl, e);
            e.int(-1);
        })?;
        Ok(())
    }

    /// A multi of creates, all or nothing.
    pub(crate) fn create_all(&mut self, nodes: &[NewNode<'_>]) -> Result<(), Failure> {
        let body = self.request(Op::Multi, |e| {
            for node in nodes {
                e.int(node.op().code()).boolean(false).int(-1);
                node.encode(e);
            }
            e.int(-1).boolean(true).int(-1);
        })?;
        // A multi that failed answers every op with one; the first stands for all.
        let mut decoder = Decoder::new(&body);
        let (op, _, err) = multi_header(&mut decoder).expect(WHOLE);
        if op == -1 { Err(Failure::Code(err)) } else { Ok(()) }
    }

    /// Data and stat of a node.
    pub(crate) fn get(&mut self, path: &str) -> Result<(Option<Vec<u8>>, Stat), Failure> {
        let body = self.request(Op::GetData, |e| {
            e.text(path).boolean(false);
        })?;
        let mut decoder = Decoder::new(&body);
        let data = decoder.buffer().expect(WHOLE).map(<[u8]>::to_vec);
        Ok((data, Stat::decode(&mut decoder).expect(WHOLE)))
    }

    /// The names of a node's children, sorted.
    pub(crate) fn children(&mut self, path: &str) -> Result<Vec<String>, Failure> {
        let body = self.request(Op::GetChildren, |e| {
            e.text(path).boolean(false);
        })?;
        let names = Decoder::new(&body).texts("children").expect(WHOLE);
        let mut names: Vec<_> = names.into_iter().map(String::from).collect();
        names.sort();
        Ok(names)
    }

    /// The ACL of a node.
    pub(crate) fn acl(&mut self, path: &str) -> Result<Vec<Acl>, Failure> {
        let body = self.request(Op::GetAcl, |e| {
            e.text(path);
        })?;
        let mut decoder = Decoder::new(&body);
        Ok(decoder.vector(Acl::decode).expect(WHOLE).unwrap_or_default())
    }

    fn send_frame(&mut self, body: impl FnOnce(&mut Encoder<'_>)) -> Result<(), Failure> {
        let mut bytes = Vec::new();
        let start = begin_frame(&mut bytes);
        body(&mut Encoder::new(&mut bytes));
        end_frame(&mut bytes, start);
        Ok(self.stream.write_all(&bytes)?)
    }

    fn receive_frame(&mut self) -> Result<Vec<u8>, Failure> {
        let mut length = [0; 4];
        self.stream.read_exact(&mut length)?;
        let length = usize::try_from(i32::from_be_bytes(length)).expect("lengths are positive");
        assert!(length <= FRAME_MAX, "a reply of {length} bytes");
        let mut frame = vec![0; length];
        self.stream.read_exact(&mut frame)?;
        Ok(frame)
    }
}

/// A node to create.
#[derive(Clone)]
pub(crate) struct NewNode<'a> {
    path: String,
    data: Option<&'a [u8]>,
    acl: Vec<Acl>,
    flags: CreateFlags,
}

impl<'a> NewNode<'a> {
    /// A persistent node that is open to all.
    pub(crate) fn new(path: impl Into<String>, data: impl Into<Option<&'a [u8]>>) -> Self {
        let flags = CreateFlags::Persistent;
        Self { path: path.into(), data: data.into(), acl: vec![Acl::open()], flags }
    }

    /// The same with another ACL.
    pub(crate) fn acl(mut self, perms: Perms, scheme: &str, id: &str) -> Self {
        self.acl = vec![Acl { perms, id: Id::new(scheme, id) }, Acl::world_readable()];
        self
    }

    /// The same of another kind; one with a TTL lives for a day.
    pub(crate) fn flags(mut self, flags: CreateFlags) -> Self {
        self.flags = flags;
        self
    }

    /// The op that creates such a node.
    pub(crate) fn op(&self) -> Op {
        match self.flags {
            CreateFlags::Container => Op::CreateContainer,
            flags if flags.is_ttl() => Op::CreateTtl,
            _ => Op::Create,
        }
    }

    /// Writes the record of the create request.
    pub(crate) fn encode(&self, encoder: &mut Encoder<'_>) {
        encoder.text(&self.path).buffer(self.data);
        Acl::encode_list(&self.acl, encoder);
        encoder.int(self.flags as i32);
        if self.flags.is_ttl() {
            encoder.long(TTL_MS);
        }
    }
}

/// Writes the record of a setData request that fits any version.
pub(crate) fn encode_set(encoder: &mut Encoder<'_>, path: &str, data: &[u8]) {
    encoder.text(path).buffer(Some(data)).int(-1);
}

/// Writes the record of a delete request that fits any version.
pub(crate) fn encode_delete(encoder: &mut Encoder<'_>, path: &str) {
    encoder.text(path).int(-1);
}

fn multi_header(decoder: &mut Decoder<'_>) -> Result<(i32, bool, i32), DecodeError> {
    Ok((decoder.int()?, decoder.boolean()?, decoder.int()?))
}

fn text(decoder: &mut Decoder<'_>) -> String {
    decoder.text().expect(WHOLE).expect("a created node has a path").into_owned()
}

const WHOLE: &str = "a reply without error is whole";
const REPLY_LIMIT: Duration = Duration::from_secs(30);
const FRAME_MAX: usize = 16 << 20;
const TTL_MS: i64 = 24 * 60 * 60 * 1000;
const TIMEOUT_MS: i32 = 40_000;
