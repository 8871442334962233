//! Requests in general: headers, order of replies, zxids, what cannot be decoded.

use zk_wire::Zxid;

use crate::client::LONG;
use crate::request::{
    Request, add_watch, auth, check_version, check_watches, create, create_as, create_ttl, delete,
    delete_container, exists, get_acl, get_all_children_number, get_children, get_data,
    get_ephemerals, multi, multi_read, ping, remove_watches, sasl, set_acl, set_data, set_watches,
    set_watches2, sync,
};
use crate::scene::{Scene, on_both, on_ours};

fn an_unknown_op_is_answered_and_closes(scene: &Scene<'_>) {
    let mut owner = scene.client();
    owner.ok(&create_as(1, "~/e", 1));
    for op in [0, 10, 23, 50, 99, 108, 1000, -1, -12, i32::MIN, i32::MAX] {
        let mut client = owner.reattach(LONG).expect("the session lives on");
        client.send(&Request::raw(op, b""));
        let reply = client.reply().unwrap_or_else(|| panic!("op {op}: closed without a word"));
        reply.expect_bare(1, -1, -6);
        client.expect_closed();
        owner = client;
    }
    let mut last = owner.reattach(LONG).expect("the session lives on");
    assert_eq!(last.stat("~/e").ephemeral_owner, last.id);
}

fn ops_of_the_server_itself_are_unknown(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create("~/a"));
    for request in
        [check_version("~/a", 0), delete_container("~/a"), Request::raw(-10, &[0, 0, 0x20, 0])]
    {
        let mut client = scene.client();
        client.send(&request);
        client.reply().expect("an answer comes first").expect_bare(2, -1, -6);
        client.expect_closed();
    }
    client.stat("~/a");
}

fn a_ping_is_answered_with_its_own_xid(scene: &Scene<'_>) {
    let mut client = scene.stranger();
    for xid in [5, -2, 0, i32::MIN] {
        let frame = client.frame_as(xid, &ping());
        client.wire.send(&frame);
        let reply = client.reply().unwrap();
        reply.expect_bare(-2, reply.zxid.0, 0);
    }
}

fn any_xid_is_echoed(scene: &Scene<'_>) {
    let mut client = scene.client();
    for xid in [0, -99, i32::MAX, 7, 7, 3, -1_000_000] {
        let frame = client.frame_as(xid, &get_children("~", false));
        client.wire.send(&frame);
        let reply = client.reply().unwrap();
        assert_eq!((reply.xid, reply.err), (xid, 0));
    }
}

fn replies_come_in_the_order_of_requests(scene: &Scene<'_>) {
    let mut client = scene.client();
    let mut requests = Vec::new();
    for _ in 0..50 {
        requests.extend([
            set_data("~", &b"x"[..], -1),
            get_data("~", false),
            exists("~/no", false),
        ]);
    }
    requests.push(ping());
    client.send_all(&requests);
    let first = client.reply().unwrap();
    let mut zxid = first.zxid;
    for n in 1..requests.len() {
        let reply = client.reply().unwrap();
        let is_ping = n == requests.len() - 1;
        assert_eq!(reply.xid, if is_ping { -2 } else { first.xid + i32::try_from(n).unwrap() });
        assert!(reply.zxid >= zxid, "zxids go back: {:?} after {zxid:?}", reply.zxid);
        zxid = reply.zxid;
    }
}

fn a_request_sees_what_its_client_did_before(scene: &Scene<'_>) {
    let mut client = scene.client();
    let codes = client.codes(&[
        create("~/a"),
        create("~/a/b"),
        create("~/a"),
        delete("~/a", -1),
        exists("~/a/b", false),
        delete("~/a/b", 0),
        delete("~/a", 0),
        exists("~/a", false),
        set_data("~/a", None, -1),
        create_as(1, "~/e", 1),
        create("~/e/child"),
        delete("~/e", -1),
        create("~/e"),
        create("~/e/child"),
    ]);
    assert_eq!(codes, [0, 0, -110, -111, 0, 0, 0, -101, -101, 0, -108, 0, 0, 0]);
    client.send_all(&[set_data("~", &b"1"[..], -1), get_data("~", false), set_data("~", None, -1)]);
    let replies = [client.reply(), client.reply(), client.reply()].map(Option::unwrap);
    assert_eq!(replies[1].data(), Some(b"1".to_vec()));
    assert_eq!(replies[1].stat(), replies[0].stat());
}

fn an_auth_among_requests_leaves_their_order_alone(scene: &Scene<'_>) {
    let mut client = scene.client();
    let mut frames = Vec::new();
    for n in 0..200 {
        frames.extend(client.frame(&set_data("~", &b"x"[..], -1)));
        if n == 100 {
            frames.extend(client.frame_as(-4, &auth("digest", &b"a:b"[..])));
        }
    }
    client.wire.send(&frames);
    let xids: Vec<i32> = (0..201).map(|_| client.reply().unwrap().xid).collect();
    let ordinary: Vec<i32> = xids.iter().copied().filter(|xid| *xid != -4).collect();
    assert_eq!(ordinary.len(), 200);
    assert!(ordinary.is_sorted(), "{xids:?}");
}

fn a_cut_record_is_an_error_and_no_more(scene: &Scene<'_>) {
    let mut client = scene.client();
    let whole = [
        create("~/a"),
        create_ttl("~/a", 0, -7),
        get_data("~", false),
        set_data("~", &b"data"[..], -1),
        exists("~", false),
        get_children("~", true),
        multi(&[create("~/m"), set_data("~", &b""[..], -1)]),
        multi_read(&[get_data("~", false)]),
        delete("~/a", -1),
        get_acl("~"),
        set_acl("~", Some(&[zk_wire::Acl::open()]), -1),
        sync("~"),
        add_watch("~", 0),
        remove_watches("~", 1),
        check_watches("~", 1),
        set_watches(0, [Some(&["~"]), Some(&[]), Some(&[])]),
        set_watches2(0, [&["~"], &[], &[], &[], &["~"]]),
        get_ephemerals("~"),
        get_all_children_number("~"),
    ];
    for request in &whole {
        let body = request.encode(&scene.root);
        for end in [0, 3, body.len() / 2, body.len() - 1] {
            let cut = Request::raw(request.op, &body[..end]);
            let reply = client.call(&cut);
            assert_eq!((reply.err, reply.body.len()), (-5, 0), "{end} bytes of {request:?}");
        }
    }
    client.check(&[(exists("~/a", false), -101), (exists("~/m", false), -101)]);
}

fn a_cut_auth_or_a_sasl_without_token_closes(scene: &Scene<'_>) {
    for request in [Request::raw(100, &[0; 6]), Request::raw(100, b""), sasl(None)] {
        let mut client = scene.stranger();
        client.send(&request);
        client.expect_closed();
    }
}

fn a_text_longer_than_its_record_is_an_error(scene: &Scene<'_>) {
    let mut client = scene.client();
    for length in [100, -2, i32::MIN, i32::MAX] {
        let body = [&i32::to_be_bytes(length)[..], b"/x\0"].concat();
        assert_eq!(client.call(&Request::raw(4, &body)).err, -5, "length {length}");
    }
}

fn a_huge_count_is_an_error(scene: &Scene<'_>) {
    let mut client = scene.client();
    for count in [i32::MAX, 0x00ff_ffff] {
        let create = [&[0, 0, 0, 2][..], b"/x", &[0; 4], &count.to_be_bytes()].concat();
        let watches = [&[0; 8][..], &count.to_be_bytes()].concat();
        for request in [Request::raw(1, &create), Request::raw(101, &watches)] {
            assert_eq!(client.call(&request).err, -5, "{request:?}");
        }
    }
}

fn what_follows_a_record_is_ignored(scene: &Scene<'_>) {
    let mut client = scene.client();
    let mut body = get_data("~", true).encode(&scene.root);
    *body.last_mut().unwrap() = 2;
    client.ok(&Request::raw(4, &body));
    body.extend_from_slice(&[7; 4]);
    client.ok(&Request::raw(4, &body));
    client.ok(&set_data("~", &b"x"[..], -1));
    assert_eq!(client.arrived(), ["3 ~"]);
}

fn a_failed_write_takes_a_zxid(scene: &Scene<'_>) {
    let mut client = scene.client();
    let n = client.ok(&create("~/a")).zxid.0;
    let mut check = |request: Request, zxid: i64, err: i32| {
        let reply = client.call(&request);
        reply.expect_bare(reply.xid, zxid, err);
    };
    check(create("~/a"), n + 1, -110);
    check(exists("~/missing", false), n + 1, -101);
    check(set_data("~/a", &b""[..], 9), n + 2, -103);
    check(ping(), n + 2, 0);
    assert_eq!(client.ok(&exists("~/a", false)).zxid, Zxid(n + 2));
}

fn a_write_that_cannot_be_decoded_takes_no_zxid(scene: &Scene<'_>) {
    let mut client = scene.client();
    let n = client.ok(&create("~/a")).zxid.0;
    let cut = client.call(&Request::raw(1, b"\0\0"));
    assert_eq!((cut.err, cut.zxid.0), (-5, scene.v8_v9(n + 1, n)));
    assert_eq!(client.ok(&create("~/b")).zxid.0, scene.v8_v9(n + 2, n + 1));
    let multi = client.call(&Request::raw(14, b"\0\0"));
    assert_eq!((multi.err, multi.zxid.0), (-5, scene.v8_v9(n + 3, n + 2)));
}

fn whole_requests_are_executed_though_the_client_is_gone(scene: &Scene<'_>) {
    let mut gone = scene.client();
    let creates: Vec<_> = (0..20).map(|n| create(format!("~/{n}").as_str())).collect();
    gone.send_all(&creates);
    gone.reply().expect("the first create is answered");
    drop(gone);
    // The rest may be lost with the connection; what was answered is there.
    scene.client().stat("~/0");
}

fn a_string_outside_the_bmp_is_echoed_in_surrogates(scene: &Scene<'_>) {
    let mut client = scene.stranger();
    for (sent, echoed) in [
        (&b"\xf0\x9f\x98\x80"[..], &b"\xed\xa0\xbd\xed\xb8\x80"[..]),
        (b"/a\xff\xfe", b"/a\xef\xbf\xbd\xef\xbf\xbd"),
        (b"/a\0b", b"/a\0b"),
        (b"", b""),
        (b"/\xc3\xa9", b"/\xc3\xa9"),
        (b"/\xe2\x82", b"/\xef\xbf\xbd"),
        (b"/\xc0\xaf", b"/\xef\xbf\xbd\xef\xbf\xbd"),
        (
            b"/\xf8\x88\x80\x80\x80x",
            b"/\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdx",
        ),
    ] {
        let counted =
            |bytes: &[u8]| [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
        let reply = client.ok(&Request::raw(9, &counted(sent)));
        assert_eq!(reply.body, counted(echoed), "{sent:x?}");
    }
}

on_both! {
    PLAIN:
        an_unknown_op_is_answered_and_closes,
        a_ping_is_answered_with_its_own_xid,
        any_xid_is_echoed,
        replies_come_in_the_order_of_requests,
        a_request_sees_what_its_client_did_before,
        an_auth_among_requests_leaves_their_order_alone,
        a_cut_record_is_an_error_and_no_more,
        a_cut_auth_or_a_sasl_without_token_closes,
        a_text_longer_than_its_record_is_an_error,
        a_huge_count_is_an_error,
        what_follows_a_record_is_ignored,
        whole_requests_are_executed_though_the_client_is_gone,
        a_string_outside_the_bmp_is_echoed_in_surrogates;
    ALONE: a_failed_write_takes_a_zxid, a_write_that_cannot_be_decoded_takes_no_zxid;
}

on_ours! {
    PLAIN: ops_of_the_server_itself_are_unknown;
}
