//! Who a connection is, what an ACL may say, and what it shows of itself.

use zk_wire::Acl;

use crate::request::{
    CREATE, Request, acl, add_watch, auth, close_session, create, create_acl, create_with, delete,
    exists, get_acl, get_all_children_number, get_children, get_children2, get_data, ping, sasl,
    set_acl, set_data, sync, who_am_i,
};
use crate::scene::{Scene, on_both};

const U1: &str = "u1:fpT/y03U+EjItKZOSLGvjnJlyng=";
const SUPER: &str = "super:D/InIHSb7yEEbrWz8b9l71RjZJU=";

fn an_auth_is_answered_under_its_own_xid(scene: &Scene<'_>) {
    let mut client = scene.stranger();
    for (xid, request) in [
        (-4, auth("digest", &b"a:b"[..])),
        (77, auth("digest", &b"a:b"[..])),
        (-4, auth("digest", &b"nocolon"[..])),
        (-4, auth("digest", &b""[..])),
        (-4, auth("ip", &b"whatever"[..])),
        (3, auth("ip", None)),
    ] {
        let frame = client.frame_as(xid, &request);
        client.wire.send(&frame);
        client.reply().unwrap().expect_bare(xid, 0, 0);
    }
    client.ok(&ping());
}

fn a_failed_auth_closes(scene: &Scene<'_>) {
    for request in [
        auth("digest", None),
        auth("bogus", &b"a:b"[..]),
        auth(None, &b"a:b"[..]),
        auth("world", &b"anyone"[..]),
        auth("super", &b""[..]),
        auth("auth", &b""[..]),
        auth("sasl", &b""[..]),
        auth("", &b""[..]),
    ] {
        fails_to_auth(scene, &request);
    }
}

#[track_caller]
fn fails_to_auth(scene: &Scene<'_>, request: &Request) {
    let mut client = scene.stranger();
    let frame = client.frame_as(-4, request);
    client.wire.send(&frame);
    client.reply().unwrap_or_else(|| panic!("{request:?}: closed")).expect_bare(-4, 0, -115);
    client.expect_closed();
}

fn an_identity_holds_for_the_very_next_request(scene: &Scene<'_>) {
    let mut client = scene.client();
    let mut frames = client.frame(&auth("digest", &b"u1:p1"[..]));
    frames.extend(client.frame(&create_acl("~/a", &[acl(31, "auth", "")])));
    client.wire.send(&frames);
    assert_eq!((client.reply().unwrap().err, client.reply().unwrap().err), (0, 0));
    assert_eq!(client.ok(&get_acl("~/a")).acl(), [format!("31 digest:{U1}")]);
}

fn who_one_is(scene: &Scene<'_>) {
    let mut client = scene.stranger();
    let mut check = |data: Option<&[u8]>, expected: &[&str]| {
        if let Some(data) = data {
            client.ok(&auth("digest", data));
        }
        assert_eq!(client.ok(&who_am_i()).identities(), expected);
    };
    check(None, &["ip:127.0.0.1"]);
    check(Some(b"a:b"), &["digest:a", "ip:127.0.0.1"]);
    check(Some(b"a:b"), &["digest:a", "ip:127.0.0.1"]);
    check(Some(b"super:test"), &["digest:a", "digest:super", "ip:127.0.0.1", "super:"]);
}

fn auth_stands_for_who_is_authenticated(scene: &Scene<'_>) {
    let mut client = scene.client();
    let mine = [acl(31, "auth", "")];
    client.check(&[(create_acl("~/a", &mine), -114), (set_acl("~", Some(&mine), -1), -114)]);
    client.ok(&auth("digest", &b"u1:p1"[..]));
    client.ok(&create_acl("~/one", &[acl(1, "auth", "ignored")]));
    assert_eq!(client.ok(&get_acl("~/one")).acl(), ["1 digest:u1:x"]);
    client.ok(&auth("digest", &b"super:test"[..]));
    client.ok(&create_acl("~/two", &mine));
    let mut entries = client.ok(&get_acl("~/two")).acl();
    entries.sort_unstable();
    assert_eq!(entries, [format!("31 digest:{SUPER}"), format!("31 digest:{U1}")]);
}

fn auth_expands_once_an_entry(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&auth("digest", &b"u1:p1"[..]));
    client.check(&[
        (create_acl("~/null", &[acl(31, "auth", None)]), 0),
        (create_acl("~/twice", &[acl(31, "auth", None), acl(31, "auth", None)]), -5),
        (create_acl("~/both", &[acl(1, "auth", None), acl(16, "auth", None)]), 0),
        (create_acl("~/same", &[acl(31, "auth", ""), acl(31, "digest", U1)]), 0),
        (create_acl("~/bad", &[acl(31, "auth", ""), acl(31, "digest", "bad")]), -114),
    ]);
    let mine = format!("31 digest:{U1}");
    assert_eq!(client.ok(&get_acl("~/same")).acl(), [mine.clone(), mine]);
    assert_eq!(
        client.ok(&get_acl("~/both")).acl(),
        [format!("1 digest:{U1}"), format!("16 digest:{U1}")]
    );
}

fn ids_are_checked_by_their_scheme(scene: &Scene<'_>) {
    let mut client = scene.client();
    let newer = scene.v8_v9(-114, 0);
    for (scheme, id, err) in [
        ("digest", "a", -114),
        ("digest", "a:", -114),
        ("digest", "a:b:c", -114),
        ("digest", "", -114),
        ("digest", ":", -114),
        ("digest", "a:b", 0),
        ("digest", ":b", 0),
        ("digest", "a:b:", 0),
        ("ip", "127.0.0.1", 0),
        ("ip", "127.0.0.1/0", 0),
        ("ip", "127.0.0.1/8", 0),
        ("ip", "127.0.0.1/32", 0),
        ("ip", "127.0.0.1/33", -114),
        ("ip", "127.0.0.1/-1", -114),
        ("ip", "127.0.0.1/", -114),
        ("ip", "127.0.0.1/x", -114),
        ("ip", "1.2.3", -114),
        ("ip", "1.2.3.4.5", -114),
        ("ip", "1.2.3.256", -114),
        ("ip", "1.2.3.-1", -114),
        ("ip", "localhost", -114),
        ("ip", "", -114),
        ("ip", "::1", newer),
        ("ip", "fe80::1/64", newer),
        ("ip", "2001:db8:0:0:0:0:0:1/128", newer),
        ("ip", "::1/129", -114),
        ("ip", "1::2::3", -114),
        ("ip", "::ffff:1.2.3.4", -114),
        ("ip", "fe80::1%eth0", -114),
        ("world", "anyone", 0),
        ("world", "foo", -114),
        ("world", "", -114),
        ("sasl", "bob", -114),
        ("x509", "CN=a", -114),
        ("super", "", -114),
        ("ensemble", "x", -114),
        ("bogus", "x", -114),
        ("", "", -114),
    ] {
        let entries = [acl(31, scheme, id)];
        assert_eq!(client.call(&create_acl("~/a", &entries)).err, err, "create {scheme}:{id}");
        assert_eq!(
            client.call(&set_acl("~", Some(&entries), 99)).err,
            if err == 0 { -103 } else { err }
        );
        client.call(&delete("~/a", -1));
    }
    client.check(&[
        (create_acl("~/a", &[acl(31, "world", None)]), -5),
        (create_acl("~/a", &[acl(31, None, "anyone")]), -114),
        (create_acl("~/a", &[Acl::open(), acl(31, "bogus", "")]), -114),
        (create_with(CREATE, "~/a", None, None, 0), -114),
        (create_with(CREATE, "~/a", None, Some(&[]), 0), -114),
        (set_acl("~", None, -1), -114),
    ]);
    let negative = [&[0, 0, 0, 2][..], b"/a", &[0; 4], &[0xff, 0xff, 0xff, 0xfe], &[0; 4]].concat();
    assert_eq!(client.call(&Request::raw(CREATE, &negative)).err, -114);
}

fn perms_are_stored_as_they_are(scene: &Scene<'_>) {
    let mut client = scene.client();
    let entries = [
        acl(31, "world", "anyone"),
        acl(0, "world", "anyone"),
        acl(-1, "digest", "a:b"),
        acl(i32::MAX, "ip", "127.0.0.1"),
        acl(31, "world", "anyone"),
        acl(0, "world", "anyone"),
    ];
    client.ok(&create_acl("~/a", &entries));
    assert_eq!(
        client.ok(&get_acl("~/a")).acl(),
        ["31 world:anyone", "0 world:anyone", "-1 digest:a:b", "2147483647 ip:127.0.0.1"]
    );
}

fn an_acl_hides_its_digests_from_who_is_no_admin(scene: &Scene<'_>) {
    let mut client = scene.client();
    let lists =
        |perms| [acl(perms, "world", "anyone"), acl(31, "digest", U1), acl(31, "ip", "1.2.3.4")];
    for (perms, digest) in [(1, "u1:x"), (16, U1), (17, U1)] {
        let path = format!("~/{perms}");
        client.ok(&create_acl(&path, &lists(perms)));
        assert_eq!(
            client.ok(&get_acl(path.as_str())).acl(),
            [
                format!("{perms} world:anyone"),
                format!("31 digest:{digest}"),
                "31 ip:1.2.3.4".to_owned(),
            ]
        );
    }
    client.ok(&create_acl("~/none", &lists(2 | 4 | 8)));
    client.check(&[(get_acl("~/none"), -102)]);
    client.ok(&auth("digest", &b"super:test"[..]));
    assert_eq!(client.ok(&get_acl("~/none")).acl()[1], format!("31 digest:{U1}"));
}

fn who_may_not_read_learns_nothing(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create_acl("~/a", &[acl(2 | 4 | 8, "world", "anyone")]));
    client.check(&[
        (exists("~/a", false), scene.v8_v9(0, -102)),
        (get_data("~/a", false), -102),
        (get_children("~/a", false), -102),
        (get_children2("~/a", false), -102),
        (get_acl("~/a"), -102),
        (get_all_children_number("~/a"), -102),
        (sync("~/a"), 0),
        (add_watch("~/a", 0), 0),
        (create("~/a/child"), 0),
        (get_data("~/a/child", false), 0),
    ]);
    assert_eq!(client.ok(&set_data("~/a", &b"x"[..], -1)).stat().version, 1);
}

fn an_address_matches_by_its_prefix(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create_acl("~/a", &[acl(0, "world", "anyone"), acl(1, "ip", "127.0.0.0/8")]));
    client.check(&[(get_data("~/a", false), 0), (set_data("~/a", None, -1), -102)]);
    for (id, err) in [
        ("127.0.0.1", 0),
        ("127.0.0.1/32", 0),
        ("127.0.0.2/31", -102),
        ("127.0.0.2/30", 0),
        ("126.0.0.0/7", 0),
        ("128.0.0.0/1", -102),
        ("128.0.0.0/0", 0),
    ] {
        client.ok(&create_acl("~/b", &[acl(1, "ip", id)]));
        assert_eq!(client.call(&get_data("~/b", false)).err, err, "ip:{id}");
        client.ok(&delete("~/b", -1));
    }
}

fn without_acls_their_form_is_still_checked(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.check(&[
        (create_acl("~/a", &[acl(0, "world", "anyone")]), 0),
        (get_data("~/a", false), 0),
        (set_data("~/a", None, -1), 0),
        (get_acl("~/a"), 0),
        (create("~/a/child"), 0),
        (create_acl("~/b", &[]), -114),
        (create_acl("~/b", &[acl(31, "auth", "")]), -114),
        (create_acl("~/b", &[acl(31, "digest", "bad")]), -114),
        (set_data("/zookeeper/config", &b""[..], -1), 0),
    ]);
}

fn who_must_say_who_he_is_and_does_not_is_closed(scene: &Scene<'_>) {
    for request in [ping(), create("/a"), get_data("/", false), close_session(), who_am_i()] {
        let mut client = scene.stranger();
        client.send(&request);
        let reply = client.reply().unwrap_or_else(|| panic!("{request:?}: closed"));
        reply.expect_bare(1, 0, -124);
        client.expect_closed();
    }
    let mut client = scene.stranger();
    client.ok(&auth("digest", &b"a:b"[..]));
    client.check(&[(create("/enforced"), 0), (get_data("/enforced", false), 0), (ping(), 0)]);
}

fn without_the_digest_scheme_nobody_is_one(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.check(&[
        (create_acl("~/a", &[acl(31, "digest", "a:b")]), -114),
        (create_acl("~/a", &[acl(31, "auth", "")]), -114),
        (create("~/a"), 0),
    ]);
    fails_to_auth(scene, &auth("digest", &b"a:b"[..]));
}

fn without_a_sasl_setting_any_token_is_answered(scene: &Scene<'_>) {
    let mut client = scene.stranger();
    for token in [&b""[..], b"token"] {
        let reply = client.ok(&sasl(Some(token)));
        assert_eq!((reply.zxid.0, &reply.body[..]), (0, &[0xff; 4][..]));
    }
}

on_both! {
    PLAIN:
        an_auth_is_answered_under_its_own_xid,
        a_failed_auth_closes,
        an_identity_holds_for_the_very_next_request,
        who_one_is,
        auth_stands_for_who_is_authenticated,
        auth_expands_once_an_entry,
        ids_are_checked_by_their_scheme,
        perms_are_stored_as_they_are,
        an_acl_hides_its_digests_from_who_is_no_admin,
        who_may_not_read_learns_nothing,
        an_address_matches_by_its_prefix,
        without_a_sasl_setting_any_token_is_answered;
    SKIP_ACL: without_acls_their_form_is_still_checked;
    ENFORCED: who_must_say_who_he_is_and_does_not_is_closed;
    NO_DIGEST: without_the_digest_scheme_nobody_is_one;
}
