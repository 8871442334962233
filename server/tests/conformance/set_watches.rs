//! setWatches and setWatches2: what a client missed while it was away, and what it watches again.

use crate::client::{Client, LONG};
use crate::request::{
    acl, auth, check_watches, create, create_acl, create_as, create_data, delete, set_data,
    set_watches, set_watches2,
};
use crate::scene::{Scene, on_both, on_ours};

/// Sends a setWatches; gives the events before its reply.
#[track_caller]
fn told(client: &mut Client, zxid: i64, lists: [&[&str]; 3]) -> Vec<String> {
    let reply = client.ok(&set_watches(zxid, lists.map(Some)));
    assert_eq!(reply.body, [0; 0]);
    let events = client.arrived_with_zxids();
    assert!(events.iter().all(|(zxid, _)| *zxid == -1), "no txn stands behind these: {events:?}");
    events.into_iter().map(|(_, line)| line).collect()
}

fn what_was_missed_is_told_and_the_rest_is_watched(scene: &Scene<'_>) {
    let mut client = scene.client();
    for path in ["~/w", "~/y", "~/w/old"] {
        client.ok(&create(path));
    }
    let zxid = client.zxid().0;
    client.ok(&set_data("~/y", &b"new"[..], -1));
    let events = told(
        &mut client,
        zxid,
        [&["~/w", "~/y", "~/nope"], &["~/x", "~/w"], &["~/w", "~", "~/nope2"]],
    );
    assert_eq!(events, ["3 ~/y", "2 ~/nope", "1 ~/w", "2 ~/nope2"]);
    for (change, events) in [
        (set_data("~/w", None, -1), &["3 ~/w"][..]),
        (create("~/x"), &["1 ~/x", "4 ~"]),
        (create("~/w/k"), &["4 ~/w"]),
        (create("~/nope"), &[]),
        (set_data("~/y", None, -1), &[]),
        (set_data("~/w", None, -1), &[]),
    ] {
        client.ok(&change);
        assert_eq!(client.events(), events, "after {change:?}");
    }
}

fn children_that_came_or_went_are_told(scene: &Scene<'_>) {
    let mut client = scene.client();
    for path in ["~/a", "~/b", "~/b/child", "~/c"] {
        client.ok(&create(path));
    }
    let zxid = client.zxid().0;
    client.ok(&create("~/a/new"));
    client.ok(&delete("~/b/child", -1));
    client.ok(&set_data("~/c", None, -1));
    let events = told(&mut client, zxid, [&[], &[], &["~/a", "~/b", "~/c"]]);
    assert_eq!(events, ["4 ~/a", "4 ~/b"]);
}

fn a_node_made_anew_counts_as_changed(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create("~/w"));
    let zxid = client.zxid().0;
    client.ok(&delete("~/w", -1));
    client.ok(&create("~/w"));
    assert_eq!(told(&mut client, zxid, [&["~/w"], &[], &[]]), ["3 ~/w"]);
}

fn null_lists_are_an_error_and_any_xid_is_echoed(scene: &Scene<'_>) {
    let mut client = scene.client();
    let empty: Option<&[&str]> = Some(&[]);
    client.check(&[
        (set_watches(0, [None, None, None]), -5),
        (set_watches(0, [empty, empty, None]), -5),
        (set_watches(0, [empty, empty, empty]), 0),
    ]);
    for xid in [42, -8] {
        let frame = client.frame_as(xid, &set_watches(0, [empty, empty, empty]));
        client.wire.send(&frame);
        let reply = client.reply().unwrap();
        reply.expect_bare(xid, reply.zxid.0, 0);
    }
}

fn persistent_watches_come_back(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create("~/w"));
    client.ok(&set_watches2(0, [&[], &[], &[], &["~/w"], &["~/w"]]));
    for (change, v8, v9) in [
        (set_data("~/w", None, -1), &["3 ~/w"][..], &["3 ~/w"][..]),
        (create("~/w/k"), &["1 ~/w/k"], &["1 ~/w/k", "4 ~/w"]),
        (set_data("~/w/k", None, -1), &["3 ~/w/k"], &["3 ~/w/k"]),
    ] {
        client.ok(&change);
        assert_eq!(client.events(), scene.v8_v9(v8, v9), "after {change:?}");
    }
}

fn what_was_missed_is_told_also_to_who_may_not_read(scene: &Scene<'_>) {
    let mut owner = scene.client();
    owner.ok(&auth("digest", &b"o:o"[..]));
    owner.ok(&create_acl("~/w", &[acl(31, "auth", "")]));
    owner.ok(&create("~/w/child"));
    let events = told(&mut scene.client(), 0, [&["~/w"], &["~/w"], &["~/w"]]);
    assert_eq!(events, ["3 ~/w", "1 ~/w", "4 ~/w"]);
}

fn watches_behind_the_connect_request_are_set(scene: &Scene<'_>) {
    let mut first = scene.client();
    first.ok(&create_data("~/w", b"old"));
    first.ok(&create_as(1, "~/e", 1));
    let zxid = first.zxid().0;
    first.ok(&set_data("~/w", &b"new"[..], -1));
    let mut second = first.reattach(LONG).expect("the session lives");
    assert_eq!(told(&mut second, zxid, [&["~/w", "~/e"], &[], &[]]), ["3 ~/w"]);
    second.ok(&delete("~/e", -1));
    assert_eq!(second.events(), ["2 ~/e"]);
}

fn watches_that_come_back_can_be_checked(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&set_watches2(i64::MAX, [&["~"], &["~/none"], &["~"], &["~/p"], &["~/r"]]));
    client.check(&[
        (check_watches("~", 2), 0),
        (check_watches("~", 1), 0),
        (check_watches("~", 4), -121),
        (check_watches("~/none", 2), 0),
        (check_watches("~/p", 4), 0),
        (check_watches("~/p", 2), -121),
        (check_watches("~/r", 5), 0),
        (check_watches("~/r", 4), -121),
        (check_watches("~/r", 3), 0),
    ]);
}

on_both! {
    PLAIN:
        what_was_missed_is_told_and_the_rest_is_watched,
        children_that_came_or_went_are_told,
        a_node_made_anew_counts_as_changed,
        null_lists_are_an_error_and_any_xid_is_echoed,
        persistent_watches_come_back,
        what_was_missed_is_told_also_to_who_may_not_read,
        watches_behind_the_connect_request_are_set;
}

on_ours! {
    PLAIN: watches_that_come_back_can_be_checked;
}
