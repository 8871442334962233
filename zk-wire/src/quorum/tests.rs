//! Packets of the quorum port as servers wrote them, and what is refused.

use super::*;
use crate::EnsembleId;

const DATA_LEN_MAX: usize = 1024;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// A server's bytes are this packet, byte by byte and with others behind it, and are written alike.
fn check(hex: &str, name: &str, packet: QuorumPacket<'_>) {
    let mut bytes = bytes(hex);
    let mut written = Vec::new();
    packet.encode(&mut written);
    assert_eq!(written, bytes, "{name}");
    assert_eq!(packet.name(), name);
    let len = bytes.len();
    for end in 0..len {
        assert_eq!(QuorumPacket::decode(&bytes[..end], DATA_LEN_MAX), Ok(None), "{name} {end}");
    }
    bytes.extend([0; 3]);
    assert_eq!(QuorumPacket::decode(&bytes, DATA_LEN_MAX), Ok(Some((packet, len))));
}

fn check_error(hex: &str, error: &str) {
    let bytes = bytes(hex);
    let found = QuorumPacket::decode(&bytes, DATA_LEN_MAX).unwrap_err();
    assert_eq!(found.to_string(), error);
}

/// Bytes of 3.8.0 servers on loopback, with no txn, configuration or ids in them.
#[test]
fn the_handshake_of_3_8_is_read_and_written_alike() {
    let info = LearnerInfo {
        sid: Some(ServerId(1)),
        protocol: 0x10000,
        config_version: 0,
        takes_hand_over: false,
        naming: None,
    };
    check(
        "0000000b 0000000000000000 00000014 0000000000000001 00010000 0000000000000000 ffffffff",
        "FOLLOWERINFO",
        QuorumPacket::FollowerInfo { zxid: Zxid(0), info },
    );
    let info = LearnerInfo { sid: Some(ServerId(4)), config_version: 0x1_0000_0000, ..info };
    check(
        "00000010 0000000000000000 00000014 0000000000000004 00010000 0000000100000000 ffffffff",
        "OBSERVERINFO",
        QuorumPacket::ObserverInfo { zxid: Zxid(0), info },
    );
    let epoch = Zxid::new(Epoch(1), 0);
    check(
        "00000011 0000000100000000 00000004 00010000 ffffffff",
        "LEADERINFO",
        QuorumPacket::LeaderInfo { zxid: epoch, protocol: LearnerInfo::PROTOCOL },
    );
    check(
        "00000012 0000000000000000 00000004 00000000 ffffffff",
        "ACKEPOCH",
        QuorumPacket::AckEpoch { zxid: Zxid(0), epoch: Some(Epoch(0)) },
    );
    check(
        "00000012 0000000100000004 00000004 ffffffff ffffffff",
        "ACKEPOCH",
        QuorumPacket::AckEpoch { zxid: Zxid(0x1_0000_0004), epoch: None },
    );
    check(
        "0000000d 0000000100000008 ffffffff ffffffff",
        "DIFF",
        QuorumPacket::Diff { zxid: Zxid(0x1_0000_0008) },
    );
    check(
        "0000000e 000000010000000c ffffffff ffffffff",
        "TRUNC",
        QuorumPacket::Trunc { zxid: Zxid(0x1_0000_000c) },
    );
    check(
        "0000000f 000000010000000a ffffffff ffffffff",
        "SNAP",
        QuorumPacket::Snap { zxid: Zxid(0x1_0000_000a) },
    );
    check("00000003 0000000100000000 ffffffff ffffffff", "ACK", QuorumPacket::Ack { zxid: epoch });
    check("0000000c ffffffffffffffff ffffffff ffffffff", "UPTODATE", QuorumPacket::UpToDate);
}

#[test]
fn the_packets_of_a_running_3_8_ensemble_are_read_and_written_alike() {
    let session = SessionId(0x0400_002b_bf11_0000);
    check(
        "00000004 0000000100000001 ffffffff ffffffff",
        "COMMIT",
        QuorumPacket::Commit { zxid: Zxid(0x1_0000_0001) },
    );
    check(
        "00000005 0000000100000000 ffffffff ffffffff",
        "PING",
        QuorumPacket::Ping { zxid: Zxid(0x1_0000_0000), touched: None },
    );
    check(
        "00000005 0000000100000000 00000000 ffffffff",
        "PING",
        QuorumPacket::Ping { zxid: Zxid(0x1_0000_0000), touched: Some(Vec::new()) },
    );
    let touched = Some(vec![(SessionId(0x0100_0018_85d7_0000), 10_000)]);
    check(
        "00000005 0000000100000001 0000000c 0100001885d70000 00002710 ffffffff",
        "PING",
        QuorumPacket::Ping { zxid: Zxid(0x1_0000_0001), touched },
    );
    check(
        "00000006 ffffffffffffffff 0000000c 0400002bbf110000 00001f40 ffffffff",
        "REVALIDATE",
        QuorumPacket::Revalidate { session, timeout_ms: 8_000 },
    );
    check(
        "00000006 ffffffffffffffff 00000009 0400002bbf110000 01 ffffffff",
        "REVALIDATE",
        QuorumPacket::Revalidated { session, is_valid: true },
    );
    check("00000007 0000000000000000 ffffffff ffffffff", "SYNC", QuorumPacket::Sync);
    check(
        "00000009 0000000100000004 00000008 0000000000000003 ffffffff",
        "COMMITANDACTIVATE",
        QuorumPacket::CommitAndActivate { zxid: Zxid(0x1_0000_0004), leader: ServerId(3) },
    );
}

#[test]
fn txns_and_configurations_pass_as_they_are() {
    let zxid = Zxid(7);
    let txn = &[0xab; 3];
    check(
        "00000002 0000000000000007 00000003 ababab ffffffff",
        "PROPOSAL",
        QuorumPacket::Proposal { zxid, txn },
    );
    check(
        "00000008 0000000000000007 00000003 ababab ffffffff",
        "INFORM",
        QuorumPacket::Inform { zxid, txn },
    );
    check(
        "00000013 0000000000000007 0000000b 0000000000000003 ababab ffffffff",
        "INFORMANDACTIVATE",
        QuorumPacket::InformAndActivate { zxid, leader: ServerId(3), txn },
    );
    check(
        "0000000a 0000000000000007 00000003 ababab ffffffff",
        "NEWLEADER",
        QuorumPacket::NewLeader { zxid, config: Some(txn) },
    );
    check(
        "0000000a 0000000000000007 ffffffff ffffffff",
        "NEWLEADER",
        QuorumPacket::NewLeader { zxid, config: None },
    );
}

#[test]
fn a_request_brings_its_client_s_ids() {
    let request = ForwardedRequest {
        session: SessionId(0x0400_002b_bf11_0000),
        cxid: Xid(3),
        op: 9,
        body: b"\0\0\0\x01/",
        ids: vec![Id::new("ip", "::1"), Id { scheme: Some("x".to_owned()), id: None }],
    };
    check(
        "00000001 ffffffffffffffff 00000015 0400002bbf110000 00000003 00000009 00000001 2f \
         00000002 00000002 6970 00000003 3a3a31 00000001 78 ffffffff",
        "REQUEST",
        QuorumPacket::Request(request),
    );
}

#[test]
fn a_session_is_asked_for_by_nobody() {
    let mut request = ForwardedRequest {
        session: SessionId(1),
        cxid: Xid(0),
        op: ForwardedRequest::CREATE_SESSION,
        body: &[0, 0, 0x27, 0x10],
        ids: Vec::new(),
    };
    check(
        "00000001 ffffffffffffffff 00000014 0000000000000001 00000000 fffffff6 00002710 ffffffff",
        "REQUEST",
        QuorumPacket::Request(request.clone()),
    );
    request.op = crate::Op::CloseSession.code();
    request.body = &[];
    check(
        "00000001 ffffffffffffffff 00000010 0000000000000001 00000000 fffffff5 00000000",
        "REQUEST",
        QuorumPacket::Request(request),
    );
}

#[test]
fn older_learners_say_less_about_themselves() {
    let check = |data: &str, info: LearnerInfo| {
        for code in ["0000000b", "00000010"] {
            let bytes = bytes(&format!("{code} 0000000100000000 {data} ffffffff"));
            let (packet, len) = QuorumPacket::decode(&bytes, DATA_LEN_MAX).unwrap().unwrap();
            let (QuorumPacket::FollowerInfo { info: found, .. }
            | QuorumPacket::ObserverInfo { info: found, .. }) = packet
            else {
                panic!("{packet:?}")
            };
            assert_eq!((found, len), (info, bytes.len()));
        }
    };
    let info = LearnerInfo {
        sid: None,
        protocol: 1,
        config_version: 0,
        takes_hand_over: false,
        naming: None,
    };
    check("ffffffff", info);
    let info = LearnerInfo { sid: Some(ServerId(5)), ..info };
    check("00000008 0000000000000005", info);
    let info = LearnerInfo { protocol: 0x10000, ..info };
    check("0000000c 0000000000000005 00010000", info);
    let info = LearnerInfo { config_version: 9, ..info };
    check("00000014 0000000000000005 00010000 0000000000000009", info);
    check("00000016 0000000000000005 00010000 0000000000000009 ffff", info);
}

/// Java reads the first 20 bytes of LearnerInfo and never gets HANDOVER.
#[test]
fn what_java_does_not_know_stands_behind_what_it_reads() {
    let info = LearnerInfo {
        sid: Some(ServerId(5)),
        protocol: LearnerInfo::PROTOCOL,
        config_version: 9,
        takes_hand_over: true,
        naming: None,
    };
    check(
        "0000000b 0000000100000000 00000018 0000000000000005 00010000 0000000000000009 5a4b686f \
         ffffffff",
        "FOLLOWERINFO",
        QuorumPacket::FollowerInfo { zxid: Zxid::new(Epoch(1), 0), info },
    );
    let naming = Naming::Settled(EnsembleId(0x0011_2233_4455_6677_8899_aabb_ccdd_eeff));
    check(
        "0000000b 0000000100000000 00000034 0000000000000005 00010000 0000000000000009 5a4b686f \
         5a4b6964 00000002 00000000 00112233445566778899aabbccddeeff ffffffff",
        "FOLLOWERINFO",
        QuorumPacket::FollowerInfo {
            zxid: Zxid::new(Epoch(1), 0),
            info: LearnerInfo { naming: Some(naming), ..info },
        },
    );
    let naming = Naming::Proposed { id: EnsembleId(3), epoch: Epoch(2) };
    check(
        "00005a4c 0000000000000000 00000018 00000001 00000002 00000000000000000000000000000003 \
         ffffffff",
        "ENSEMBLE",
        QuorumPacket::Ensemble { naming },
    );
    check(
        "00005a4b 0000000000000000 00000008 0000000000000002 ffffffff",
        "HANDOVER",
        QuorumPacket::HandOver { leader: ServerId(2) },
    );
}

#[test]
fn packets_of_unknown_types_are_passed_over_whole() {
    let bytes = bytes("00000014 0000000000000001 00000002 abcd 00000001 00000000 00000001 78");
    let unknown = QuorumPacket::Unknown { code: 20 };
    assert_eq!(unknown.name(), "UNKNOWN");
    for end in 0..bytes.len() {
        assert_eq!(QuorumPacket::decode(&bytes[..end], DATA_LEN_MAX), Ok(None));
    }
    let len = bytes.len();
    assert_eq!(QuorumPacket::decode(&bytes, DATA_LEN_MAX), Ok(Some((unknown, len))));
}

#[test]
fn data_above_the_limit_is_refused_before_it_comes() {
    check_error(
        "00000002 0000000000000007 00000401",
        "data of PROPOSAL: unreasonable length 1025 at offset 12, the limit is 1024",
    );
    check_error(
        "00000063 0000000000000007 fffffffe",
        "data of UNKNOWN: unreasonable length -2 at offset 12, the limit is 1024",
    );
}

#[test]
fn data_that_is_not_the_packet_s_is_refused() {
    check_error("00000002 0000000000000007 ffffffff ffffffff", "PROPOSAL without data");
    check_error("00000006 ffffffffffffffff ffffffff ffffffff", "REVALIDATE without data");
    check_error(
        "00000001 ffffffffffffffff 00000002 0000 ffffffff",
        "data of REQUEST: record ends 6 bytes early at offset 0",
    );
    check_error(
        "00000011 0000000100000000 00000003 000100 ffffffff",
        "data of LEADERINFO: record ends 1 bytes early at offset 0",
    );
    check_error(
        "00000005 0000000100000000 0000000b 0000000000000000000000 ffffffff",
        "PING with 11 bytes of data; it has 12 for each session",
    );
    check_error(
        "00000006 ffffffffffffffff 00000008 0000000000000001 ffffffff",
        "REVALIDATE with 8 bytes of data; it has 12 from a learner and 9 from a leader",
    );
    check_error(
        "0000000b 0000000100000000 00000009 000000000000000100 ffffffff",
        "FOLLOWERINFO with 9 bytes of data; it has 8, 12 or at least 20",
    );
}

#[test]
fn ids_are_bounded_in_number_and_length() {
    const HEADER: &str = "00000001 ffffffffffffffff 00000010 00000000000000010000000000000009";
    check_error(&format!("{HEADER} 00004001"), "REQUEST with 16385 ids, the limit is 16384");
    check_error(
        &format!("{HEADER} 00000001 00100001"),
        "ids of REQUEST: unreasonable length 1048577 at offset 4, the limit is 1048576",
    );
    let mut long = bytes(&format!("{HEADER} 00000001 00100000"));
    long.resize(long.len() + QuorumPacket::IDS_LEN_MAX - 9, b'x');
    assert_eq!(QuorumPacket::decode(&long, DATA_LEN_MAX), Ok(None));
    long.push(b'x');
    let error = QuorumPacket::decode(&long, DATA_LEN_MAX).unwrap_err();
    assert_eq!(error.to_string(), "REQUEST with over 1048576 bytes of ids");
}
