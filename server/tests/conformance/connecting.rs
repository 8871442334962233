//! Framing and the connect handshake.

use zk_wire::{ConnectRequest, Encoder, SessionId, Zxid};

use crate::client::{Client, LONG};
use crate::request::{create_as, exists, get_children, get_data, ping};
use crate::scene::{Scene, on_both};
use crate::wire::{framed, new_session};

fn a_response_has_the_read_only_byte_if_the_request_had_it(scene: &Scene<'_>) {
    for (read_only, length) in [(None, 36), (Some(false), 37), (Some(true), 37)] {
        let request = ConnectRequest { read_only, ..new_session(6000) };
        let mut wire = scene.wire();
        wire.send_frame(&encoded(&request));
        let response = wire.frame().unwrap();
        assert_eq!(response.len(), length, "{read_only:?}");
        assert_eq!(response[..8], [0, 0, 0, 0, 0, 0, 0x17, 0x70]);
        assert_ne!(response[8..16], [0; 8]);
        assert_eq!(response[16..20], [0, 0, 0, 16]);
        assert_eq!(response[36..], [0][..length - 36]);
    }
}

fn odd_connect_requests_are_served(scene: &Scene<'_>) {
    let plain = new_session(6000);
    let with_passwd = |passwd| ConnectRequest { passwd, ..plain.clone() };
    let mut junk = encoded(&plain);
    junk.extend_from_slice(&[0xab; 8]);
    let mut seven = encoded(&plain);
    *seven.last_mut().unwrap() = 7;
    for (what, request) in [
        ("junk behind the record", junk),
        ("readOnly 7", seven),
        ("protocolVersion 5", encoded(&ConnectRequest { protocol_version: 5, ..plain.clone() })),
        ("lastZxidSeen -1", encoded(&ConnectRequest { last_zxid_seen: Zxid(-1), ..plain.clone() })),
        ("passwd null", encoded(&with_passwd(None))),
        ("passwd empty", encoded(&with_passwd(Some(&[])))),
        ("passwd of 8 bytes", encoded(&with_passwd(Some(&[1; 8])))),
        ("passwd of 40 bytes", encoded(&with_passwd(Some(&[1; 40])))),
    ] {
        let mut wire = scene.wire();
        wire.send_frame(&request);
        let response = wire.frame().unwrap_or_else(|| panic!("{what}: closed"));
        assert_eq!((response.len(), &response[..4]), (37, &[0; 4][..]), "{what}");
        wire.send_frame(&[0, 0, 0, 1, 0, 0, 0, 11]);
        assert_eq!(wire.frame().expect(what).len(), 16, "{what}");
    }
}

fn a_timeout_is_kept_within_the_bounds(scene: &Scene<'_>) {
    for (asked, granted) in [
        (-5, 2000),
        (0, 2000),
        (1, 2000),
        (1999, 2000),
        (2000, 2000),
        (5000, 5000),
        (20_001, 20_000),
        (i32::MAX, 20_000),
        (i32::MIN, 2000),
    ] {
        assert_eq!(scene.client_for(asked).timeout_ms, granted, "asked for {asked}");
    }
}

fn the_bounds_of_timeouts_can_be_set(scene: &Scene<'_>) {
    for (asked, granted) in [(100, 500), (600, 600), (99_999, 7000)] {
        assert_eq!(scene.client_for(asked).timeout_ms, granted, "asked for {asked}");
    }
}

fn a_client_from_the_future_is_turned_away(scene: &Scene<'_>) {
    for zxid in [0x7fff_ffff, 1 << 40] {
        let request = ConnectRequest { last_zxid_seen: Zxid(zxid), ..new_session(6000) };
        assert_eq!(scene.wire().connect(&request), None, "lastZxidSeen {zxid:#x}");
    }
}

fn an_unknown_session_is_refused(scene: &Scene<'_>) {
    let right = java_passwd(0x1234_5678);
    for passwd in [[0; 16], right] {
        let mut wire = scene.wire();
        wire.send_frame(&encoded(&ConnectRequest {
            session_id: SessionId(0x1234_5678),
            passwd: Some(&passwd),
            ..new_session(6000)
        }));
        let mut refusal = vec![0; 37];
        refusal[19] = 16;
        assert_eq!(wire.frame(), Some(refusal));
        wire.expect_closed();
    }
}

fn a_wrong_password_is_refused_and_drops_the_owners_connection(scene: &Scene<'_>) {
    let mut owner = scene.client();
    owner.ok(&create_as(1, "~/e", 1));
    let mut wire = scene.wire();
    let response = wire.connect(&ConnectRequest {
        session_id: SessionId(owner.id),
        passwd: Some(&[9; 16]),
        ..new_session(6000)
    });
    assert_eq!(response.unwrap().session_id, SessionId(0));
    wire.expect_closed();
    owner.expect_closed();
    let mut again = owner.reattach(LONG).expect("the session lives on");
    assert_eq!(again.stat("~/e").ephemeral_owner, owner.id);
}

fn a_session_comes_back_on_another_connection(scene: &Scene<'_>) {
    let mut first = scene.client();
    let mut second = first.reattach(9000).expect("the session lives");
    assert_eq!((second.id, second.passwd, second.timeout_ms), (first.id, first.passwd, 9000));
    first.expect_closed();
    second.ok(&ping());
}

fn a_password_follows_from_the_id_as_in_java(scene: &Scene<'_>) {
    for _ in 0..5 {
        let client = scene.stranger();
        assert_eq!(client.passwd, java_passwd(client.id), "session {:#x}", client.id);
    }
}

fn ids_of_sessions_count_up_from_the_servers_own(scene: &Scene<'_>) {
    // A server of its own: other tests' sessions would stand between.
    let ids: Vec<i64> = (0..4).map(|_| scene.stranger().id).collect();
    assert!(ids.windows(2).all(|pair| pair[1] == pair[0] + 1), "{ids:x?}");
    assert!(ids.iter().all(|id| id >> 56 == 1), "{ids:x?}");
}

fn what_is_no_connect_request_is_closed(scene: &Scene<'_>) {
    let whole = encoded(&new_session(6000));
    for (what, bytes) in [
        ("a request cut after timeOut", framed(&whole[..16])),
        ("a request cut in its password", framed(&whole[..30])),
        ("an empty frame", vec![0; 4]),
        ("length -1", vec![0xff; 4]),
        ("a length above the limit", vec![0, 0x10, 0, 0]),
        ("HTTP", b"GET / HTTP/1.1\r\n\r\n".to_vec()),
        ("unknown letters", b"xxxx".to_vec()),
        ("a word in capitals", b"RUOK".to_vec()),
    ] {
        let mut wire = scene.wire();
        wire.send(&bytes);
        assert_eq!(wire.frame(), None, "{what}");
    }
}

fn after_the_handshake_a_bad_length_closes(scene: &Scene<'_>) {
    for bytes in [[0, 0x10, 0, 0], [0xff; 4], [0; 4], *b"ruok"] {
        let mut client = scene.stranger();
        client.wire.send(&bytes);
        assert_eq!(client.wire.frame(), None, "{bytes:x?}");
    }
    let mut client = scene.stranger();
    client.wire.send(&framed(&[0, 0, 0, 1]));
    client.expect_closed();
}

fn a_frame_of_the_whole_limit_is_read(scene: &Scene<'_>) {
    let mut client = scene.client();
    let mut frame = client.frame(&exists("~", false));
    frame.resize(4 + 0xf_ffff, 0);
    frame[..4].copy_from_slice(&[0, 0x0f, 0xff, 0xff]);
    client.wire.send(&frame);
    assert_eq!(client.reply().unwrap().err, 0);
}

fn a_smaller_limit_holds_for_requests_only(scene: &Scene<'_>) {
    let mut client = scene.client();
    for _ in 0..30 {
        client.ok(&create_as(1, format!("~/{}", "n".repeat(140)).as_str(), 2));
    }
    let reply = client.ok(&get_children("~", false));
    assert!(reply.body.len() > 4500, "{}", reply.body.len());

    let padded = |client: &mut Client, length: usize| {
        let mut frame = client.frame(&exists("~", false));
        frame.resize(4 + length, 0);
        frame[..4].copy_from_slice(&u32::try_from(length).unwrap().to_be_bytes());
        client.wire.send(&frame);
        client.reply().map(|reply| reply.err)
    };
    assert_eq!(padded(&mut client, 4096), Some(0));
    assert_eq!(padded(&mut client, 4097), None);
}

fn requests_may_follow_the_connect_request_at_once(scene: &Scene<'_>) {
    let mut wire = scene.wire();
    let mut bytes = framed(&encoded(&new_session(6000)));
    bytes.extend(framed(&[0xff, 0xff, 0xff, 0xfe, 0, 0, 0, 11]));
    wire.send(&bytes);
    assert_eq!(wire.frame().unwrap().len(), 37);
    let pong = wire.frame().unwrap();
    assert_eq!((&pong[..4], &pong[12..]), (&[0xff, 0xff, 0xff, 0xfe][..], &[0; 4][..]));
}

fn frames_may_come_byte_by_byte(scene: &Scene<'_>) {
    let mut wire = scene.wire();
    let mut bytes = framed(&encoded(&new_session(6000)));
    bytes.extend(framed(&[0, 0, 0, 1, 0, 0, 0, 11]));
    for byte in bytes {
        wire.send(&[byte]);
    }
    assert_eq!(wire.frame().unwrap().len(), 37);
    assert_eq!(wire.frame().unwrap().len(), 16);
}

fn a_second_connect_request_is_an_unknown_op(scene: &Scene<'_>) {
    let mut client = scene.stranger();
    client.wire.send_frame(&encoded(&new_session(6000)));
    client.reply().unwrap().expect_bare(0, -1, -6);
    client.expect_closed();
}

fn a_half_open_connection_holds_nobody_up(scene: &Scene<'_>) {
    let mut half = scene.wire();
    half.send(&[0, 0, 0, 45, 0, 0]);
    let mut body = scene.client();
    let frame = body.frame(&get_data("~", false));
    body.wire.send(&frame[..frame.len() - 1]);

    scene.client().ok(&get_data("~", false));
    body.wire.send(&frame[frame.len() - 1..]);
    assert_eq!(body.reply().unwrap().err, 0);
}

fn a_silent_connection_is_dropped(scene: &Scene<'_>) {
    let (mut silent, mut half) = (scene.wire(), scene.wire());
    half.send(&[0, 0, 0, 45, 0, 0]);
    let mut client = scene.client();
    silent.expect_closed();
    half.expect_closed();
    client.ok(&ping());
}

fn encoded(request: &ConnectRequest<'_>) -> Vec<u8> {
    let mut body = Vec::new();
    request.encode(&mut Encoder::new(&mut body));
    body
}

/// `java.util.Random(id ^ 0xB3415C00).nextBytes(16)`.
fn java_passwd(id: i64) -> [u8; 16] {
    const MASK: u64 = (1 << 48) - 1;
    let mut state = ((id ^ 0xB341_5C00).cast_unsigned() ^ 0x5_DEEC_E66D) & MASK;
    let mut passwd = [0; 16];
    for word in passwd.chunks_exact_mut(4) {
        state = state.wrapping_mul(0x5_DEEC_E66D).wrapping_add(0xB) & MASK;
        let [.., a, b, c, d] = (state >> 16).to_be_bytes();
        word.copy_from_slice(&[d, c, b, a]);
    }
    passwd
}

on_both! {
    PLAIN:
        a_response_has_the_read_only_byte_if_the_request_had_it,
        odd_connect_requests_are_served,
        a_timeout_is_kept_within_the_bounds,
        a_client_from_the_future_is_turned_away,
        an_unknown_session_is_refused,
        a_wrong_password_is_refused_and_drops_the_owners_connection,
        a_session_comes_back_on_another_connection,
        a_password_follows_from_the_id_as_in_java,
        what_is_no_connect_request_is_closed,
        after_the_handshake_a_bad_length_closes,
        a_frame_of_the_whole_limit_is_read,
        requests_may_follow_the_connect_request_at_once,
        frames_may_come_byte_by_byte,
        a_second_connect_request_is_an_unknown_op,
        a_half_open_connection_holds_nobody_up;
    TIMEOUTS: the_bounds_of_timeouts_can_be_set;
    SMALL_FRAMES: a_smaller_limit_holds_for_requests_only;
    ALONE: ids_of_sessions_count_up_from_the_servers_own;
    EXTENDED: a_silent_connection_is_dropped;
}
