//! The records around requests: connect, headers, notifications. Java: jute module `proto`.

use std::borrow::Cow;

use crate::{DecodeError, Decoder, Encoder, ErrorCode, SessionId, WatchEventType, Xid, Zxid};

/// The first frame of a client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectRequest<'a> {
    /// 0; ignored by servers.
    pub protocol_version: i32,
    /// The highest zxid the client has seen.
    pub last_zxid_seen: Zxid,
    /// The session timeout it asks for, in ms.
    pub timeout_ms: i32,
    /// 0 for a new session.
    pub session_id: SessionId,
    /// The password of the session it comes back to.
    pub passwd: Option<&'a [u8]>,
    /// Whether a read-only server will do; `None` when the client is too old to say.
    pub read_only: Option<bool>,
}

impl<'a> ConnectRequest<'a> {
    /// Reads a connect request with or without its `readOnly` byte.
    ///
    /// # Errors
    /// The bytes end early.
    pub fn decode(frame: &'a [u8]) -> Result<Self, DecodeError> {
        let mut d = Decoder::new(frame);
        Ok(Self {
            protocol_version: d.int()?,
            last_zxid_seen: Zxid(d.long()?),
            timeout_ms: d.int()?,
            session_id: SessionId(d.long()?),
            passwd: d.buffer()?,
            read_only: if d.rest().is_empty() { None } else { Some(d.boolean()?) },
        })
    }

    /// Writes the request.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.int(self.protocol_version)
            .long(self.last_zxid_seen.0)
            .int(self.timeout_ms)
            .long(self.session_id.0)
            .buffer(self.passwd);
        if let Some(read_only) = self.read_only {
            e.boolean(read_only);
        }
    }
}

/// The server's first frame.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConnectResponse {
    /// The timeout granted, in ms; 0 when the session is refused.
    pub timeout_ms: i32,
    /// 0 when the session is refused.
    pub session_id: SessionId,
    /// Always 16 bytes: old C clients read a fixed length.
    pub passwd: [u8; 16],
    /// Written if and only if the request had it, for the same clients.
    pub read_only: Option<bool>,
}

impl ConnectResponse {
    /// Reads a response.
    ///
    /// # Errors
    /// The bytes end early, or the password is not 16 bytes long.
    pub fn decode(frame: &[u8]) -> Result<Self, DecodeError> {
        let mut d = Decoder::new(frame);
        d.int()?;
        Ok(Self {
            timeout_ms: d.int()?,
            session_id: SessionId(d.long()?),
            passwd: d
                .buffer()?
                .and_then(|bytes| bytes.try_into().ok())
                .ok_or(DecodeError::Value { field: "passwd", value: -1 })?,
            read_only: if d.rest().is_empty() { None } else { Some(d.boolean()?) },
        })
    }

    /// Writes the response.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.int(0).int(self.timeout_ms).long(self.session_id.0).buffer(Some(&self.passwd));
        if let Some(read_only) = self.read_only {
            e.boolean(read_only);
        }
    }
}

/// What stands before each request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RequestHeader {
    /// Echoed in the reply.
    pub xid: Xid,
    /// An op code, perhaps of no op.
    pub op: i32,
}

impl RequestHeader {
    /// Reads a header.
    ///
    /// # Errors
    /// The bytes end early.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { xid: Xid(d.int()?), op: d.int()? })
    }

    /// Writes the header.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        e.int(self.xid.0).int(self.op);
    }
}

/// What stands before each reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ReplyHeader {
    /// The request's.
    pub xid: Xid,
    /// The txn's for a write, the last applied for a read.
    pub zxid: Zxid,
    /// 0, or an [`ErrorCode`].
    pub err: i32,
}

impl ReplyHeader {
    /// The header of a reply that succeeded.
    pub fn ok(xid: Xid, zxid: Zxid) -> Self {
        Self { xid, zxid, err: 0 }
    }

    /// The header of a reply that failed; no body follows.
    pub fn error(xid: Xid, zxid: Zxid, code: ErrorCode) -> Self {
        Self { xid, zxid, err: code.code() }
    }

    /// Reads a header.
    ///
    /// # Errors
    /// The bytes end early.
    pub fn decode(d: &mut Decoder<'_>) -> Result<Self, DecodeError> {
        Ok(Self { xid: Xid(d.int()?), zxid: Zxid(d.long()?), err: d.int()? })
    }

    /// Writes the 16 bytes.
    pub fn encode(&self, e: &mut Encoder<'_>) {
        let mut bytes = [0; 16];
        bytes[..4].copy_from_slice(&self.xid.0.to_be_bytes());
        bytes[4..12].copy_from_slice(&self.zxid.0.to_be_bytes());
        bytes[12..].copy_from_slice(&self.err.to_be_bytes());
        e.raw(&bytes);
    }
}

/// The body of a watch notification; its state is always SyncConnected.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct WatcherEvent<'a> {
    /// What happened.
    pub event: WatchEventType,
    /// To which node.
    pub path: &'a str,
}

impl<'a> WatcherEvent<'a> {
    const SYNC_CONNECTED: i32 = 3;

    /// Reads the body that follows a header with [`Xid::NOTIFICATION`]; gives event and path.
    ///
    /// # Errors
    /// The bytes end early, or name an event that servers do not send.
    pub fn decode(d: &mut Decoder<'a>) -> Result<(WatchEventType, Cow<'a, str>), DecodeError> {
        let code = d.int()?;
        let event = WatchEventType::from_code(code)
            .ok_or(DecodeError::Value { field: "type", value: code })?;
        d.int()?;
        Ok((event, d.text()?.ok_or(DecodeError::Value { field: "path", value: -1 })?))
    }

    /// Writes header and body; `zxid` is the txn's, or -1 when no txn caused the event.
    pub fn encode(&self, zxid: Zxid, e: &mut Encoder<'_>) {
        ReplyHeader::ok(Xid::NOTIFICATION, zxid).encode(e);
        e.int(self.event.code()).int(Self::SYNC_CONNECTED).text(self.path);
    }
}

/// Reads any bytes as a connect request; what was read survives being written.
///
/// # Panics
/// Never: that is what fuzzing is to show.
pub fn fuzz_connect_request(bytes: &[u8]) {
    let Ok(request) = ConnectRequest::decode(bytes) else { return };
    let mut again = Vec::new();
    request.encode(&mut Encoder::new(&mut again));
    assert_eq!(ConnectRequest::decode(&again), Ok(request));
}

/// Reads any bytes as a connect response; what was read survives being written.
///
/// # Panics
/// Never: that is what fuzzing is to show.
pub fn fuzz_connect_response(bytes: &[u8]) {
    let Ok(response) = ConnectResponse::decode(bytes) else { return };
    let mut again = Vec::new();
    response.encode(&mut Encoder::new(&mut again));
    assert_eq!(ConnectResponse::decode(&again), Ok(response));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_notification_that_was_written_is_read_again() {
        let mut frame = Vec::new();
        let event = WatcherEvent { event: WatchEventType::NodeDeleted, path: "/a" };
        event.encode(Zxid(7), &mut Encoder::new(&mut frame));
        let mut d = Decoder::new(&frame);
        assert_eq!(ReplyHeader::decode(&mut d), Ok(ReplyHeader::ok(Xid::NOTIFICATION, Zxid(7))));
        let read = WatcherEvent::decode(&mut d);
        assert_eq!(read, Ok((WatchEventType::NodeDeleted, Cow::Borrowed("/a"))));
    }

    #[test]
    fn an_old_connect_request_has_no_read_only_byte() {
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: Zxid(7),
            timeout_ms: 6000,
            session_id: SessionId(0),
            passwd: Some(&[0; 16]),
            read_only: None,
        };
        let mut old = Vec::new();
        request.encode(&mut Encoder::new(&mut old));
        assert_eq!(old.len(), 44);
        assert_eq!(ConnectRequest::decode(&old), Ok(request.clone()));
        old.push(7);
        assert_eq!(ConnectRequest::decode(&old).unwrap().read_only, Some(true));
    }
}
