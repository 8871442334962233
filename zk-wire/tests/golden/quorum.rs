//! Whole connections of the quorum port, each way: packets, and the database behind a SNAP.

use std::collections::BTreeSet;

use zk_wire::{
    Acl, Encoder, Epoch, ForwardedRequest, Id, QuorumPacket, Replica, ReplicaError, ServerId,
    SessionId, SnapshotDigest, SnapshotStream, StatPersisted, TxnRecord, Xid, Zxid,
    write_snapshot_stream_end,
};

use crate::golden;

/// Java's `jute.maxbuffer`.
const LENGTH_MAX: usize = 0xf_ffff;

/// A part of a connection.
enum Part<'a> {
    Packet(QuorumPacket<'a>),
    Snapshot(&'a [u8], Box<Collected>),
}

/// What a stream gave.
#[derive(Default)]
struct Collected {
    sessions: Vec<(SessionId, i32)>,
    acls: Vec<(i64, Vec<Acl>)>,
    nodes: Vec<Node>,
}

struct Node {
    path: String,
    data: Option<Vec<u8>>,
    acl: i64,
    stat: StatPersisted,
}

impl Replica for Collected {
    fn restore_session(&mut self, id: SessionId, timeout_ms: i32) {
        self.sessions.push((id, timeout_ms));
    }

    fn restore_acl(&mut self, id: i64, acl: Vec<Acl>) {
        self.acls.push((id, acl));
    }

    fn restore_node(
        &mut self,
        path: &str,
        data: Option<&[u8]>,
        acl: i64,
        stat: &StatPersisted,
    ) -> Result<(), ReplicaError> {
        let (path, data) = (path.to_owned(), data.map(<[u8]>::to_vec));
        self.nodes.push(Node { path, data, acl, stat: *stat });
        Ok(())
    }

    fn restored(&mut self, _: Zxid, _: Option<SnapshotDigest>) {
        panic!("the caller does that");
    }

    fn replay(&mut self, _: &TxnRecord) {
        panic!("a stream has no txns");
    }
}

impl Collected {
    fn encode(&self, out: &mut Vec<u8>) {
        let mut e = Encoder::new(out);
        e.count(self.sessions.len());
        for (id, timeout_ms) in &self.sessions {
            e.long(id.0).int(*timeout_ms);
        }
        e.count(self.acls.len());
        for (id, acl) in &self.acls {
            Acl::encode_list(acl, e.long(*id));
        }
        for node in &self.nodes {
            e.text(&node.path).buffer(node.data.as_deref()).long(node.acl);
            node.stat.encode(&mut e);
        }
        write_snapshot_stream_end(out);
    }
}

/// A connection's bytes in their parts.
fn parts(mut bytes: &[u8]) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    while !bytes.is_empty() {
        let (packet, len) = QuorumPacket::decode(bytes, LENGTH_MAX).unwrap().unwrap();
        bytes = &bytes[len..];
        let is_snap = matches!(packet, QuorumPacket::Snap { .. });
        parts.push(Part::Packet(packet));
        if is_snap {
            let mut collected = Box::<Collected>::default();
            let mut stream = SnapshotStream::new(LENGTH_MAX);
            let fed = stream.feed(bytes, collected.as_mut()).unwrap();
            assert!(fed.is_done, "the stream ends where packets follow");
            assert_eq!(stream.nodes(), u64::try_from(collected.nodes.len()).unwrap());
            let (snapshot, rest) = bytes.split_at(fed.consumed);
            bytes = rest;
            parts.push(Part::Snapshot(snapshot, collected));
        }
    }
    parts
}

/// Reads a connection and writes it again.
pub(crate) fn rewrite(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    for part in parts(bytes) {
        match part {
            Part::Packet(packet) => packet.encode(&mut out),
            Part::Snapshot(_, collected) => collected.encode(&mut out),
        }
    }
    out
}

fn connections() -> Vec<Vec<u8>> {
    let files = golden().into_iter().filter(|file| file.record == "quorum_port");
    files.map(|file| file.bytes).collect()
}

fn connection(case: &str) -> Vec<u8> {
    golden().into_iter().find(|file| file.case == case).unwrap().bytes
}

/// Every packet of all connections.
pub(crate) fn packets() -> Vec<Vec<u8>> {
    let mut packets = Vec::new();
    for bytes in connections() {
        for part in parts(&bytes) {
            let Part::Packet(packet) = part else { continue };
            let mut bytes = Vec::new();
            packet.encode(&mut bytes);
            packets.push(bytes);
        }
    }
    packets
}

/// Every database that followed a SNAP.
pub(crate) fn snapshots() -> Vec<Vec<u8>> {
    let mut snapshots = Vec::new();
    for bytes in connections() {
        for part in parts(&bytes) {
            let Part::Snapshot(bytes, _) = part else { continue };
            snapshots.push(bytes.to_vec());
        }
    }
    snapshots
}

/// Names and numbers, a line a packet.
fn story(case: &str) -> Vec<String> {
    let bytes = connection(case);
    let line = |part: &Part<'_>| match part {
        Part::Packet(packet) => match packet {
            QuorumPacket::Proposal { zxid, txn } | QuorumPacket::Inform { zxid, txn } => {
                let record = TxnRecord::decode(txn).unwrap();
                assert_eq!(record.header.zxid, *zxid);
                format!("{} {zxid}", packet.name())
            }
            QuorumPacket::InformAndActivate { zxid, leader, txn } => {
                assert_eq!(TxnRecord::decode(txn).unwrap().header.zxid, *zxid);
                format!("{} {zxid} {leader}", packet.name())
            }
            QuorumPacket::Diff { zxid }
            | QuorumPacket::Snap { zxid }
            | QuorumPacket::Commit { zxid }
            | QuorumPacket::LeaderInfo { zxid, .. }
            | QuorumPacket::NewLeader { zxid, .. } => format!("{} {zxid}", packet.name()),
            packet => packet.name().to_owned(),
        },
        Part::Snapshot(..) => "the database".to_owned(),
    };
    let mut lines: Vec<_> = parts(&bytes).iter().map(line).collect();
    lines.retain(|line| line != "PING");
    lines
}

#[test]
fn packets_of_every_type_but_trunc_are_among_the_golden_files() {
    let packets = packets();
    let name = |bytes: &Vec<u8>| QuorumPacket::decode(bytes, LENGTH_MAX).unwrap().unwrap().0.name();
    let names: BTreeSet<_> = packets.iter().map(name).collect();
    assert!(!names.contains("UNKNOWN"));
    assert_eq!(names.len(), 18, "{names:?}");
}

#[test]
fn packets_come_whole_or_not_at_all() {
    for bytes in packets() {
        for end in 0..bytes.len() {
            assert_eq!(QuorumPacket::decode(&bytes[..end], LENGTH_MAX), Ok(None));
        }
    }
}

#[test]
fn a_rejoining_observer_gets_what_it_lacks() {
    assert_eq!(
        story("rejoining_observer_receives"),
        [
            "LEADERINFO 0x100000000",
            "DIFF 0x10000000a",
            "PROPOSAL 0x10000000a",
            "COMMIT 0x10000000a",
            "NEWLEADER 0x100000000",
            "UPTODATE",
        ]
    );
}

#[test]
fn a_wiped_observer_gets_the_database() {
    assert_eq!(
        story("wiped_observer_receives"),
        [
            "LEADERINFO 0x100000000",
            "SNAP 0x10000000a",
            "the database",
            "NEWLEADER 0x100000000",
            "UPTODATE",
            "INFORM 0x10000000b",
            "INFORMANDACTIVATE 0x10000000c 2",
        ]
    );
    let bytes = connection("wiped_observer_receives");
    let parts = parts(&bytes);
    let Some(Part::Snapshot(_, database)) = parts.get(2) else { panic!("no database") };
    let owner = database.nodes.iter().find(|node| node.path == "/e").unwrap().stat.ephemeral_owner;
    assert_eq!(database.sessions, [(SessionId(owner), 8000)]);
    let paths: Vec<_> = database.nodes.iter().map(|node| node.path.as_str()).collect();
    let zookeeper = ["/zookeeper", "/zookeeper/config", "/zookeeper/quota"];
    assert!(zookeeper.iter().all(|path| paths.contains(path)), "{paths:?}");
    assert!(["/a", "/ü", "/while-away"].iter().all(|path| paths.contains(path)), "{paths:?}");
    assert_eq!(paths.first(), Some(&""));
}

#[test]
fn a_follower_brings_the_requests_of_its_clients() {
    let bytes = connection("follower_sends");
    let mut requests = Vec::new();
    for part in parts(&bytes) {
        if let Part::Packet(QuorumPacket::Request(request)) = part {
            let is_create = request.op == ForwardedRequest::CREATE_SESSION;
            assert_eq!(request.ids.is_empty(), is_create, "only createSession has no ids");
            requests.push((request.op, request.cxid));
        }
    }
    let ops = [-10, 1, 1, 9, 5, 2, 14, -11, 1, 5, 16];
    let cxids = [0, 1, 2, 3, 1, 2, 3, 4, 4, 5, 6].map(Xid);
    assert_eq!(requests, ops.into_iter().zip(cxids).collect::<Vec<_>>());
}

#[test]
fn a_request_brings_all_ids_of_its_client() {
    let bytes = connection("new_observer_sends");
    let parts = parts(&bytes);
    let request = parts.iter().find_map(|part| match part {
        Part::Packet(QuorumPacket::Request(request)) if request.op == 1 => Some(request),
        Part::Packet(_) | Part::Snapshot(..) => None,
    });
    let mut ids = request.unwrap().ids.clone();
    ids.sort();
    assert_eq!(
        ids,
        [Id::new("digest", "user:5w9W4eL3797Y4Wq8AcKUPPk8ha4="), Id::new("ip", "127.0.0.1")]
    );
}

#[test]
fn a_learner_acknowledges_an_epoch_once() {
    let epoch = |case: &str| {
        let bytes = connection(case);
        parts(&bytes).into_iter().find_map(|part| match part {
            Part::Packet(QuorumPacket::AckEpoch { epoch, .. }) => Some(epoch),
            Part::Packet(_) | Part::Snapshot(..) => None,
        })
    };
    assert_eq!(epoch("new_observer_sends"), Some(Some(Epoch(0))));
    assert_eq!(epoch("rejoining_observer_sends"), Some(None));
}

#[test]
fn learners_say_who_they_are() {
    for (case, sid, accepted) in [
        ("follower_sends", 1, Zxid(0)),
        ("new_observer_sends", 3, Zxid(0)),
        ("rejoining_observer_sends", 3, Zxid::new(Epoch(1), 0)),
    ] {
        let bytes = connection(case);
        let (first, _) = QuorumPacket::decode(&bytes, LENGTH_MAX).unwrap().unwrap();
        let (QuorumPacket::FollowerInfo { zxid, info } | QuorumPacket::ObserverInfo { zxid, info }) =
            first
        else {
            panic!("{case}: {first:?}")
        };
        assert_eq!((info.sid, zxid), (Some(ServerId(sid)), accepted), "{case}");
    }
}
