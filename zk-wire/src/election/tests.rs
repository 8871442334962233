//! The election port: captured bytes, old forms, and what is refused.

use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    let digits: Vec<u8> = hex.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    let byte = |pair: &[u8]| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap();
    digits.chunks(2).map(byte).collect()
}

/// Captured from a 3.8.0 server on loopback.
const INITIAL: &str = "ffffffffffff0000 0000000000000003 0000000f 3132372e302e302e313a3231393432";

#[test]
fn an_introduction_of_3_8_is_read_and_written_alike() {
    let bytes = bytes(INITIAL);
    let (message, len) = InitialMessage::decode(&bytes).unwrap().unwrap();
    assert_eq!(message.sender, ServerId(3));
    assert_eq!(message.addresses, [("127.0.0.1".to_owned(), 21942)]);
    assert_eq!(len, bytes.len());
    assert_eq!(message.encode(false), bytes);
}

#[test]
fn an_introduction_may_come_byte_by_byte() {
    let bytes = bytes(INITIAL);
    for end in 0..bytes.len() {
        assert_eq!(InitialMessage::decode(&bytes[..end]), Ok(None), "{end}");
    }
}

#[test]
fn several_addresses_and_ipv6_survive() {
    let addresses = vec![("fe80::1".to_owned(), 3888), ("zk-1.zk".to_owned(), 3889)];
    let message = InitialMessage { sender: ServerId(7), addresses };
    let (read, _) = InitialMessage::decode(&message.encode(true)).unwrap().unwrap();
    assert_eq!(read, message);
}

#[test]
fn a_peer_before_3_5_sends_its_number_only() {
    let (message, len) = InitialMessage::decode(&bytes("0000000000000002")).unwrap().unwrap();
    assert_eq!((message.sender, len), (ServerId(2), 8));
    assert_eq!(message.addresses, []);
}

#[test]
fn introductions_that_no_version_sends_are_refused() {
    let check = |hex: &str, error: &str| {
        let found = InitialMessage::decode(&bytes(hex)).unwrap_err();
        assert_eq!(found.to_string(), error);
    };
    check(
        "ffffffffffff0002 0000000000000003 0000000f",
        "protocol version -65534 on the election port; -65536 and -65535 are known",
    );
    check(
        "ffffffffffff0000 0000000000000003 00000000",
        "addresses of 0 bytes on the election port; 1 to 2048 are allowed",
    );
    check(
        "ffffffffffff0000 0000000000000003 7fffffff",
        "addresses of 2147483647 bytes on the election port; 1 to 2048 are allowed",
    );
    check(
        "ffffffffffff0000 0000000000000003 00000002 6161",
        "\"aa\" on the election port is not a list host:port|host:port",
    );
    check(
        "ffffffffffff0000 0000000000000003 00000002 ffff",
        "addresses on the election port are not UTF-8",
    );
}

/// The head of a notification of 3.8.0 as captured, with a short configuration.
const NOTIFICATION: &str = "00000000 0000000000000003 0000000000000000 0000000000000001 \
                            0000000000000000 00000002 00000006 736572766572";

#[test]
fn a_notification_of_3_8_is_read_and_written_alike() {
    let bytes = bytes(NOTIFICATION);
    let notification = Notification::decode(&bytes).unwrap();
    let expected = Notification {
        state: PeerState::Looking,
        leader: ServerId(3),
        zxid: Zxid(0),
        round: 1,
        epoch: Epoch(0),
        version: 2,
        config: Some(b"server"),
    };
    assert_eq!(notification, expected);
    assert_eq!(notification.encode(), bytes);
}

#[test]
fn an_observer_votes_for_nobody() {
    let notification = Notification {
        state: PeerState::Looking,
        leader: ServerId(i64::MIN),
        zxid: Zxid(i64::MIN),
        round: 1,
        epoch: Epoch(i32::MIN),
        version: 2,
        config: Some(b""),
    };
    let bytes = notification.encode();
    assert_eq!(bytes[28..36], i64::MIN.to_be_bytes());
    assert_eq!(Notification::decode(&bytes).unwrap(), notification);
}

#[test]
fn older_notifications_are_read() {
    let bytes = bytes(
        "00000002 0000000000000003 0000000500000001 0000000000000001 0000000000000006 00000001",
    );
    let short = Notification::decode(&bytes[..28]).unwrap();
    assert_eq!((short.epoch, short.version), (Epoch(5), 0));
    let middle = Notification::decode(&bytes[..40]).unwrap();
    assert_eq!((middle.epoch, middle.version), (Epoch(6), 0));
}

#[test]
fn notifications_of_other_lengths_are_refused() {
    let bytes = bytes(NOTIFICATION);
    for len in (0..28).chain(29..40).chain(41..44).chain(45..bytes.len()) {
        assert!(Notification::decode(&bytes[..len]).is_err(), "{len}");
    }
}

#[test]
fn any_bytes_are_read_or_refused() {
    let mut state = 1_u64;
    for round in 0..20_000 {
        let len = round % 90;
        let bytes: Vec<u8> = (0..len)
            .map(|_| {
                state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                state.to_be_bytes()[0]
            })
            .collect();
        fuzz_election(&bytes);
    }
}
