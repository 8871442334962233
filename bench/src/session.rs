//! A blocking client session, one request at a time: for preparation, and to see when a server serves.

use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};
use std::time::Duration;

use zk_wire::{
    Acl, ConnectRequest, ConnectResponse, Decoder, Encoder, Op, ReplyHeader, RequestHeader,
    SessionId, Xid, Zxid, begin_frame, end_frame,
};

use crate::error::Error;

/// What a client shows to come back to its session.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Identity {
    id: SessionId,
    passwd: [u8; 16],
}

impl Identity {
    /// Of a client that has no session yet.
    pub(crate) const NEW: Self = Self { id: SessionId(0), passwd: [0; 16] };
}

/// A session with the server on a local port.
#[derive(Debug)]
pub(crate) struct Session {
    stream: TcpStream,
    port: u16,
    next_xid: i32,
}

impl Session {
    /// Connects and waits for the session.
    pub(crate) fn open(port: u16) -> Result<Self, Error> {
        Self::open_within(port, SILENCE_MAX)
    }

    /// Connects, and gives up if the server takes longer than `patience` to answer.
    pub(crate) fn open_within(port: u16, patience: Duration) -> Result<Self, Error> {
        let mut identity = Identity::NEW;
        Self::attach(port, patience, &mut identity, Zxid::ZERO)
    }

    /// Connects as a client that has `seen` this much, and takes up or begins its session.
    pub(crate) fn attach(
        port: u16,
        patience: Duration,
        identity: &mut Identity,
        seen: Zxid,
    ) -> Result<Self, Error> {
        let set = |stream: &TcpStream, limit| {
            stream
                .set_read_timeout(Some(limit))
                .map_err(Error::connection("set options of a connection to", port))
        };
        let stream = connect(port)?;
        set(&stream, patience)?;
        let mut session = Self { stream, port, next_xid: 1 };
        session.handshake(identity, seen)?;
        set(&session.stream, SILENCE_MAX)?;
        Ok(session)
    }

    fn handshake(&mut self, identity: &mut Identity, seen: Zxid) -> Result<(), Error> {
        let mut frame = Vec::new();
        let start = begin_frame(&mut frame);
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: seen,
            timeout_ms: TIMEOUT_MS,
            session_id: identity.id,
            passwd: Some(&identity.passwd),
            read_only: Some(false),
        };
        request.encode(&mut Encoder::new(&mut frame));
        end_frame(&mut frame, start);
        self.send(&frame)?;
        let response = ConnectResponse::decode(&self.receive()?)?;
        if response.session_id == SessionId(0) {
            return Err(Error::SessionRefused { port: self.port });
        }
        *identity = Identity { id: response.session_id, passwd: response.passwd };
        Ok(())
    }

    /// Creates a persistent node that is open to all.
    pub(crate) fn create(&mut self, path: &str, data: &[u8]) -> Result<(), Error> {
        self.call(Op::Create, |e| {
            e.text(path).buffer(Some(data));
            Acl::encode_list(&[Acl::open()], e);
            e.int(0);
        })
        .map(drop)
    }

    /// Sets a node's data, whatever its version, and doesn't wait for the reply.
    pub(crate) fn send_set(&mut self, path: &str, data: &[u8]) -> Result<(), Error> {
        self.request(Op::SetData, |e| {
            e.text(path).buffer(Some(data)).int(-1);
        })
    }

    /// Asks for the names of a node's children.
    pub(crate) fn list_children(&mut self, path: &str) -> Result<(), Error> {
        self.call(Op::GetChildren, |e| {
            e.text(path).boolean(false);
        })
        .map(drop)
    }

    /// Leaves a one-shot watch on a node's data.
    pub(crate) fn watch_data(&mut self, path: &str) -> Result<(), Error> {
        self.call(Op::GetData, |e| {
            e.text(path).boolean(true);
        })
        .map(drop)
    }

    /// Waits for the event of a watch.
    pub(crate) fn expect_event(&mut self) -> Result<(), Error> {
        let event = self.receive()?;
        check_reply(&event, Xid::NOTIFICATION.0).map(drop)
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Ends the session, so that no expiry disturbs a later figure.
    pub(crate) fn close(mut self) -> Result<(), Error> {
        self.call(Op::CloseSession, |_| {}).map(drop)
    }

    /// Gives the connection to a load generator, with the xid that comes next.
    pub(crate) fn into_stream(self) -> (TcpStream, i32) {
        (self.stream, self.next_xid)
    }

    /// Takes a connection back whose requests are all answered.
    pub(crate) fn from_stream(stream: TcpStream, port: u16, next_xid: i32) -> Self {
        Self { stream, port, next_xid }
    }

    fn call(&mut self, op: Op, body: impl FnOnce(&mut Encoder<'_>)) -> Result<Zxid, Error> {
        self.request(op, body)?;
        self.expect_reply()
    }

    fn request(&mut self, op: Op, body: impl FnOnce(&mut Encoder<'_>)) -> Result<(), Error> {
        let mut frame = Vec::new();
        let start = begin_frame(&mut frame);
        let mut encoder = Encoder::new(&mut frame);
        RequestHeader { xid: Xid(self.next_xid), op: op.code() }.encode(&mut encoder);
        self.next_xid += 1;
        body(&mut encoder);
        end_frame(&mut frame, start);
        self.send(&frame)
    }

    /// Waits for the reply to the last request; gives the zxid of its txn.
    pub(crate) fn expect_reply(&mut self) -> Result<Zxid, Error> {
        let reply = self.receive()?;
        check_reply(&reply, self.next_xid - 1)
    }

    fn send(&mut self, frame: &[u8]) -> Result<(), Error> {
        self.stream.write_all(frame).map_err(Error::connection("write to", self.port))
    }

    fn receive(&mut self) -> Result<Vec<u8>, Error> {
        let mut length = [0; 4];
        let mut read = |bytes: &mut [u8]| {
            self.stream.read_exact(bytes).map_err(Error::connection("read from", self.port))
        };
        read(&mut length)?;
        let length = usize::try_from(i32::from_be_bytes(length)).unwrap_or(0).min(REPLY_MAX);
        let mut frame = vec![0; length];
        read(&mut frame)?;
        Ok(frame)
    }
}

/// A connection to a local port that sends without delay.
pub(crate) fn connect(port: u16) -> Result<TcpStream, Error> {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let stream = TcpStream::connect(address).map_err(Error::connection("connect to", port))?;
    stream.set_nodelay(true).map_err(Error::connection("set options of a connection to", port))?;
    Ok(stream)
}

/// Checks that a reply is to `xid` and says that it went well; gives its zxid.
pub(crate) fn check_reply(frame: &[u8], xid: i32) -> Result<Zxid, Error> {
    let header = ReplyHeader::decode(&mut Decoder::new(frame))?;
    if header.xid != Xid(xid) {
        return Err(Error::Order { expected: xid, got: header.xid.0 });
    }
    if header.err != 0 {
        return Err(Error::Refused { xid, code: header.err });
    }
    Ok(header.zxid)
}

/// How long a server may say nothing before a run is given up.
pub(crate) const SILENCE_MAX: Duration = Duration::from_secs(60);

/// The longest reply of any workload is far below.
pub(crate) const REPLY_MAX: usize = 4 << 20;

const TIMEOUT_MS: i32 = 30_000;

#[cfg(test)]
mod tests {
    use super::*;
    use zk_wire::ErrorCode;

    fn reply(xid: i32, err: i32) -> Vec<u8> {
        let mut bytes = Vec::new();
        ReplyHeader { xid: Xid(xid), zxid: Zxid(7), err }.encode(&mut Encoder::new(&mut bytes));
        bytes
    }

    #[test]
    fn a_reply_must_be_the_expected_one_and_good() {
        assert_eq!(check_reply(&reply(3, 0), 3).unwrap(), Zxid(7));
        let errors = [
            (reply(4, 0), "expected the reply to request 3, got the one to 4"),
            (reply(3, ErrorCode::NoNode.code()), "request 3 failed with error code -101"),
            (vec![0; 5], "malformed reply: record ends 7 bytes early at offset 4"),
        ];
        for (bytes, text) in errors {
            assert_eq!(check_reply(&bytes, 3).unwrap_err().to_string(), text);
        }
    }
}
