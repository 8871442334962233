//! Streams whole and in pieces, and what is refused.

use super::*;

const LENGTH_MAX: usize = 256;

/// What a replica was given, one line a call.
#[derive(Default)]
struct Lines(Vec<String>);

impl Replica for Lines {
    fn restore_session(&mut self, id: SessionId, timeout_ms: i32) {
        self.0.push(format!("session {id} {timeout_ms}"));
    }

    fn restore_acl(&mut self, id: i64, acl: Vec<Acl>) {
        self.0.push(format!("acl {id} of {}", acl.len()));
    }

    fn restore_node(
        &mut self,
        path: &str,
        data: Option<&[u8]>,
        acl: i64,
        stat: &StatPersisted,
    ) -> Result<(), ReplicaError> {
        if path.starts_with("/orphan/") {
            return Err(ReplicaError::NoParent { path: path.to_owned() });
        }
        self.0.push(format!("node {path:?} {data:?} {acl} {}", stat.czxid));
        Ok(())
    }

    fn restored(&mut self, _: Zxid, _: Option<SnapshotDigest>) {
        panic!("the caller does that");
    }

    fn replay(&mut self, _: &TxnRecord) {
        panic!("a stream has no txns");
    }
}

fn node(out: &mut Vec<u8>, path: &str, data: Option<&[u8]>) {
    let mut e = Encoder::new(out);
    e.text(path).buffer(data).long(1);
    StatPersisted { czxid: 7, ..StatPersisted::default() }.encode(&mut e);
}

/// Sessions, ACLs and nodes, without an end.
fn body() -> Vec<u8> {
    let mut out = Vec::new();
    let mut e = Encoder::new(&mut out);
    e.int(2).long(0x10).int(4000).long(0x11).int(5000);
    e.int(1).long(1);
    Acl::encode_list(&[Acl::open()], &mut e);
    node(&mut out, "", None);
    node(&mut out, "/a", Some(b"4"));
    out
}

const GIVEN: [&str; 5] = [
    "session 0x10 4000",
    "session 0x11 5000",
    "acl 1 of 1",
    "node \"\" None 1 7",
    "node \"/a\" Some([52]) 1 7",
];

fn check_error(bytes: &[u8], error: &str) {
    let mut stream = SnapshotStream::new(LENGTH_MAX);
    let found = stream.feed(bytes, &mut Lines::default()).unwrap_err();
    assert_eq!(found.to_string(), error);
}

#[test]
fn a_stream_is_taken_up_to_its_signature_and_no_further() {
    let mut bytes = body();
    write_snapshot_stream_end(&mut bytes);
    let len = bytes.len();
    bytes.extend([0, 0, 0, 10]);
    let (mut stream, mut lines) = (SnapshotStream::new(LENGTH_MAX), Lines::default());
    let fed = stream.feed(&bytes, &mut lines);
    assert_eq!(fed, Ok(Fed { consumed: len, is_done: true }));
    assert_eq!((lines.0, stream.nodes()), (GIVEN.map(str::to_owned).to_vec(), 2));
    let fed = stream.feed(&bytes[len..], &mut Lines::default());
    assert_eq!(fed, Ok(Fed { consumed: 0, is_done: true }));
}

#[test]
fn a_stream_may_come_byte_by_byte() {
    let mut bytes = body();
    write_snapshot_stream_end(&mut bytes);
    let (mut stream, mut lines) = (SnapshotStream::new(LENGTH_MAX), Lines::default());
    let mut buffered = Vec::new();
    for (at, byte) in bytes.iter().enumerate() {
        buffered.push(*byte);
        let fed = stream.feed(&buffered, &mut lines).unwrap();
        buffered.drain(..fed.consumed);
        assert_eq!(fed.is_done, at + 1 == bytes.len());
    }
    assert_eq!(buffered, []);
    assert_eq!(lines.0, GIVEN);
}

#[test]
fn an_empty_database_has_an_end_as_well() {
    let mut bytes = vec![0; 8];
    write_snapshot_stream_end(&mut bytes);
    let mut stream = SnapshotStream::new(LENGTH_MAX);
    let fed = stream.feed(&bytes, &mut Lines::default());
    assert_eq!(fed, Ok(Fed { consumed: bytes.len(), is_done: true }));
}

#[test]
fn negative_counts_are_nothing() {
    let mut stream = SnapshotStream::new(LENGTH_MAX);
    let fed = stream.feed(&[0xff; 8], &mut Lines::default());
    assert_eq!(fed, Ok(Fed { consumed: 8, is_done: false }));
}

#[test]
fn a_wrong_signature_is_refused_at_its_first_wrong_byte() {
    let mut bytes = body();
    Encoder::new(&mut bytes).text("/").raw(&[0, 0, 0, 11]);
    check_error(&bytes, "snapshot stream: no signature \"BenWasHere\" behind the tree");
    let end = bytes.len() - 1;
    bytes.truncate(end);
    bytes.extend(b"\x0aBenIs");
    check_error(&bytes, "snapshot stream: no signature \"BenWasHere\" behind the tree");
}

#[test]
fn a_node_without_its_parent_ends_the_stream() {
    let mut bytes = body();
    node(&mut bytes, "/orphan/child", None);
    check_error(&bytes, "snapshot stream: node /orphan/child comes before its parent");
}

#[test]
fn items_above_the_limits_are_refused_and_not_waited_for() {
    let mut bytes = body();
    let at = bytes.len();
    Encoder::new(&mut bytes).text("/b").int(257);
    check_error(&bytes, "snapshot stream: unreasonable length 257 at offset 6, the limit is 256");
    bytes.truncate(at);
    Encoder::new(&mut bytes).int(-1);
    check_error(&bytes, "snapshot stream: path cannot be -1");

    let mut bytes = Vec::new();
    let mut e = Encoder::new(&mut bytes);
    e.int(0).int(1).long(1);
    Acl::encode_list(&vec![Acl::open(); 28], &mut e);
    check_error(&bytes, "snapshot stream: an item exceeds 640 bytes");
}

#[test]
fn a_node_as_long_as_the_limit_is_taken() {
    let mut bytes = body();
    node(&mut bytes, &format!("/{}", "x".repeat(LENGTH_MAX - 1)), Some(&[1; LENGTH_MAX]));
    let mut stream = SnapshotStream::new(LENGTH_MAX);
    let fed = stream.feed(&bytes, &mut Lines::default());
    assert_eq!(fed, Ok(Fed { consumed: bytes.len(), is_done: false }));
    assert_eq!(stream.nodes(), 3);
}
