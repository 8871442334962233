//! Bytes that no client would send: they end their own connection at most, and harm nobody else.
//!
//! Everything random comes from a fixed seed, so that a failure repeats.

use std::net::Shutdown;

use zk_wire::{Acl, Encoder};

use crate::client::Client;
use crate::request::{
    Request, add_watch, auth, create, create_as, create_ttl, delete, exists, get_acl, get_children,
    get_data, multi, multi_read, reconfig, sasl, set_acl, set_data, set_watches2, sync, who_am_i,
};
use crate::scene::{Scene, on_both};
use crate::wire::{framed, new_session};

/// xorshift64*: enough to vary bytes.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let high = self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33;
        usize::try_from(high).expect("31 bits") % sides
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        let byte = |n: usize| u8::try_from(n).expect("below 256");
        (0..length).map(|_| byte(self.roll(256))).collect()
    }

    /// Changes, cuts or repeats some of the bytes.
    fn spoil(&mut self, bytes: &mut Vec<u8>) {
        const NASTY: [u8; 7] = [0, 1, 0x7f, 0x80, 0xff, 0x2f, 0xfe];
        for _ in 0..=self.roll(4) {
            let at = self.roll(bytes.len().max(1));
            match self.roll(4) {
                0 => bytes.truncate(at),
                1 => {
                    let again = bytes[at.min(bytes.len())..].to_vec();
                    bytes.extend(again.into_iter().take(64));
                }
                _ if at < bytes.len() => bytes[at] = NASTY[self.roll(NASTY.len())],
                _ => bytes.push(NASTY[self.roll(NASTY.len())]),
            }
        }
    }
}

fn garbage_before_the_handshake_harms_nobody(scene: &Scene<'_>) {
    let mut witness = scene.client();
    let mut dice = Dice(0x5eed_0001);
    for round in 0..150 {
        let mut wire = scene.wire();
        let length = dice.roll(200);
        let garbage = dice.bytes(length);
        match round % 3 {
            0 => wire.send(&garbage),
            1 => wire.send_frame(&garbage),
            _ => {
                let mut request = Vec::new();
                new_session(6000).encode(&mut Encoder::new(&mut request));
                dice.spoil(&mut request);
                wire.send_frame(&request);
            }
        }
        // Half of them stay open to the end of the round, the other half hang up.
        if round % 2 == 0 {
            wire.shutdown(Shutdown::Both);
        }
        if round % 10 == 0 {
            witness.ok(&get_data("~", false));
        }
    }
    witness.ok(&set_data("~", &b"alive"[..], -1));
    scene.client().ok(&get_data("~", false));
}

fn spoiled_requests_harm_nobody(scene: &Scene<'_>) {
    let mut witness = scene.client();
    let mut dice = Dice(0x5eed_0002);
    let requests = all_kinds();
    for _ in 0..40 {
        let mut client = scene.client();
        for _ in 0..20 {
            let request = &requests[dice.roll(requests.len())];
            let mut body = request.encode(&scene.root);
            dice.spoil(&mut body);
            let op = if dice.roll(20) == 0 { 200 } else { request.op };
            client.send(&Request::raw(op, &body));
        }
        client.send(&exists("~", false));
        drain(&mut client);
        witness.ok(&get_data("~", false));
    }
    witness.ok(&set_data("~", &b"alive"[..], -1));
    scene.client().stat("~");
}

fn garbage_behind_the_handshake_harms_nobody(scene: &Scene<'_>) {
    let mut witness = scene.client();
    let mut dice = Dice(0x5eed_0003);
    for round in 0..60 {
        let mut client = scene.stranger();
        let length = dice.roll(300);
        let garbage = dice.bytes(length);
        let bytes = if round % 2 == 0 { garbage } else { framed(&garbage) };
        client.wire.send(&bytes);
        client.wire.shutdown(Shutdown::Write);
        drain(&mut client);
    }
    witness.ok(&set_data("~", &b"alive"[..], -1));
}

fn a_slow_sender_holds_nobody_up(scene: &Scene<'_>) {
    let mut witness = scene.client();
    let mut slow = scene.client();
    let frame = slow.frame(&set_data("~", &[7; 300][..], -1));
    for byte in &frame {
        slow.wire.send(&[*byte]);
        witness.ok(&get_data("~", false));
    }
    assert_eq!(slow.reply().unwrap().err, 0);
    assert_eq!(witness.stat("~").data_length, 300);
}

fn a_client_that_reads_nothing_holds_nobody_up(scene: &Scene<'_>) {
    let mut witness = scene.client();
    let mut deaf = scene.client();
    witness.ok(&set_data("~", &[7; 100_000][..], -1));
    // 40 MB of answers are more than the sockets hold.
    let requests: Vec<_> = (0..400).map(|_| get_data("~", false)).collect();
    deaf.send_all(&requests);
    for _ in 0..20 {
        witness.ok(&set_data("~", &[8; 10][..], -1));
        witness.ok(&get_data("~", false));
    }
    let mut replies = 0;
    while replies < requests.len() {
        assert_eq!(deaf.reply().expect("nothing is lost").err, 0);
        replies += 1;
    }
}

/// Reads until the server closes, or has answered the last request.
fn drain(client: &mut Client) {
    client.wire.shutdown(Shutdown::Write);
    while client.reply().is_some() {}
}

fn all_kinds() -> Vec<Request> {
    let open = [Acl::open()];
    vec![
        create("~/a"),
        create_as(1, "~/s", 3),
        create_as(15, "~/b", 0),
        create_as(19, "~/c", 4),
        create_ttl("~/t", 5, 1000),
        delete("~/a", -1),
        exists("~", true),
        get_data("~", true),
        set_data("~", &b"data"[..], -1),
        get_acl("~"),
        set_acl("~", Some(&open), -1),
        get_children("~", true),
        sync("~"),
        multi(&[create("~/m"), set_data("~", &b"x"[..], -1), delete("~/m", -1)]),
        multi_read(&[get_data("~", false), get_children("~", false)]),
        reconfig(Some("server.1=a:1:2"), None, None, -1),
        auth("digest", &b"a:b"[..]),
        sasl(Some(b"token")),
        set_watches2(0, [&["~"], &["~/x"], &["~"], &["~"], &["~"]]),
        add_watch("~", 1),
        who_am_i(),
    ]
}

on_both! {
    PLAIN:
        garbage_before_the_handshake_harms_nobody,
        spoiled_requests_harm_nobody,
        garbage_behind_the_handshake_harms_nobody,
        a_slow_sender_holds_nobody_up,
        a_client_that_reads_nothing_holds_nobody_up;
}
