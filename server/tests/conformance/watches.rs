//! What each kind of watch is told, in which order, and what is told to nobody.

use zk_wire::Acl;

use crate::client::{Client, LONG};
use crate::request::{
    Request, acl, add_watch, auth, check_watches, close_session, create, create_acl, create_as,
    create_with, delete, exists, get_children, get_children2, get_data, multi, ping,
    remove_watches, set_acl, set_data,
};
use crate::scene::{Scene, on_both};

/// Changes that one client makes, each with the events that another must see.
type Story<'a> = [(Request, &'a [&'a str])];

/// Tells a story; each event must come before the writer's next step.
#[track_caller]
fn check(scene: &Scene<'_>, watches: &[Request], story: &Story<'_>) {
    let (mut watcher, mut writer) = (scene.client(), scene.client());
    for watch in watches {
        watcher.call(watch);
    }
    tell(&mut watcher, &mut writer, story);
}

#[track_caller]
fn tell(watcher: &mut Client, writer: &mut Client, story: &Story<'_>) {
    for (change, events) in story {
        writer.ok(change);
        assert_eq!(watcher.events(), *events, "after {change:?}");
    }
}

fn set(path: &str) -> Request {
    set_data(path, &b"new"[..], -1)
}

fn a_watch_set_thrice_fires_once_and_before_the_reply(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create("~/w"));
    client.check(&[
        (get_data("~/w", true), 0),
        (get_data("~/w", true), 0),
        (exists("~/w", true), 0),
    ]);
    let zxid = client.ok(&set("~/w")).zxid.0;
    let event = (scene.v8_v9(-1, zxid), "3 ~/w".to_owned());
    assert_eq!(client.arrived_with_zxids(), [event]);
    client.ok(&set("~/w"));
    assert_eq!(client.events(), [""; 0]);
}

fn only_an_exists_watch_waits_for_a_node(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.check(&[
        (get_data("~/none", true), -101),
        (get_children("~/none", true), -101),
        (get_children2("~/none", true), -101),
        (exists("~/w", true), -101),
    ]);
    client.ok(&create("~/none"));
    assert_eq!(client.events(), [""; 0]);
    client.ok(&create("~/w"));
    assert_eq!(client.arrived(), ["1 ~/w"]);
    client.ok(&set("~/w"));
    assert_eq!(client.events(), [""; 0]);
}

fn a_child_watch_sees_children_and_the_end(scene: &Scene<'_>) {
    scene.client().ok(&create("~/w"));
    check(
        scene,
        &[get_children("~/w", true)],
        &[
            (set("~/w"), &[]),
            (create("~/w/a"), &["4 ~/w"]),
            (delete("~/w/a", -1), &[]),
            (set_acl("~/w", Some(&[Acl::open()]), -1), &[]),
        ],
    );
    check(scene, &[get_children2("~/w", true)], &[(delete("~/w", -1), &["2 ~/w"])]);
}

fn a_deleted_node_is_told_once_and_before_its_parent(scene: &Scene<'_>) {
    scene.client().ok(&create("~/w"));
    check(
        scene,
        &[get_data("~/w", true), get_children("~/w", true), get_children("~", true)],
        &[(delete("~/w", -1), &["2 ~/w", "4 ~"]), (create("~/w"), &[])],
    );
}

fn nobody_is_told_of_an_acl(scene: &Scene<'_>) {
    let open = [Acl::open()];
    check(
        scene,
        &[get_data("~", true), get_children("~", true), add_watch("~", 0), add_watch("~", 1)],
        &[(set_acl("~", Some(&open), -1), &[])],
    );
}

fn a_persistent_watch_tells_of_a_node_and_its_children(scene: &Scene<'_>) {
    check(
        scene,
        &[add_watch("~/w", 0)],
        &[
            (create("~/w"), &["1 ~/w"]),
            (set("~/w"), &["3 ~/w"]),
            (create("~/w/a"), &["4 ~/w"]),
            (set("~/w/a"), &[]),
            (delete("~/w/a", -1), &["4 ~/w"]),
            (delete("~/w", -1), &["2 ~/w"]),
            (create("~/w"), &["1 ~/w"]),
        ],
    );
}

fn a_recursive_watch_tells_of_all_below_but_not_of_children(scene: &Scene<'_>) {
    check(
        scene,
        &[add_watch("~/w", 1)],
        &[
            (create("~/w"), &["1 ~/w"]),
            (set("~/w"), &["3 ~/w"]),
            (create("~/w/a"), &["1 ~/w/a"]),
            (set("~/w/a"), &["3 ~/w/a"]),
            (create("~/w/a/b"), &["1 ~/w/a/b"]),
            (delete("~/w/a/b", -1), &["2 ~/w/a/b"]),
            (delete("~/w/a", -1), &["2 ~/w/a"]),
            (delete("~/w", -1), &["2 ~/w"]),
            (create("~/wide"), &[]),
        ],
    );
}

fn add_watch_takes_any_path_but_only_two_modes(scene: &Scene<'_>) {
    let mut client = scene.client();
    for path in ["foo", "", "/a//b", "~/none"] {
        for mode in [0, 1] {
            assert_eq!(client.ok(&add_watch(path, mode)).body, [0; 4]);
        }
    }
    client.check(&[2, -1, 7].map(|mode| (add_watch("~", mode), -5)));
}

fn several_modes_on_one_path(scene: &Scene<'_>) {
    scene.client().ok(&create("~/w"));
    let watches = [
        add_watch("~/w", 0),
        add_watch("~/w", 1),
        get_data("~/w", true),
        get_children("~/w", true),
    ];
    check(
        scene,
        &watches,
        &[
            (set("~/w"), &["3 ~/w"]),
            (set("~/w"), scene.v8_v9(&[], &["3 ~/w"])),
            (create("~/w/a"), scene.v8_v9(&["4 ~/w"], &["1 ~/w/a", "4 ~/w"])),
            (set("~/w/a"), scene.v8_v9(&[], &["3 ~/w/a"])),
        ],
    );
}

fn watches_are_removed_by_their_kind(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create("~/w"));
    let newer = scene.v8_v9(-5, -121);
    for (kind, err) in
        [(1, -121), (2, -121), (3, -121), (4, newer), (5, newer), (0, -5), (6, -5), (-1, -5)]
    {
        client.check(&[(remove_watches("~/w", kind), err), (check_watches("~/w", kind), err)]);
    }
    client.ok(&get_data("~/w", true));
    client.check(&[
        (check_watches("~/w", 2), 0),
        (check_watches("~/w", 3), 0),
        (check_watches("~/w", 1), -121),
        (check_watches("~", 3), -121),
    ]);
    let others = scene.v8_v9(0, -121);
    scene.client().check(&[
        (check_watches("~/w", 2), others),
        (check_watches("~/w", 3), others),
        (remove_watches("~/w", 3), -121),
    ]);
    client.check(&[
        (remove_watches("~/w", 1), -121),
        (remove_watches("~/w", 2), 0),
        (remove_watches("~/w", 2), -121),
    ]);
    client.ok(&set("~/w"));
    assert_eq!(client.events(), [""; 0]);
}

fn a_removal_of_any_takes_every_kind(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create("~/w"));
    for watch in [get_data("~/w", true), get_children("~/w", true), add_watch("~/w", 0)] {
        client.ok(&watch);
    }
    assert_eq!(client.ok(&remove_watches("~/w", 3)).body, [0; 0]);
    for change in [set("~/w"), create("~/w/a"), delete("~/w/a", -1), delete("~/w", -1)] {
        client.ok(&change);
    }
    assert_eq!(client.events(), [""; 0]);
}

fn events_of_a_multi_come_in_its_order_and_before_its_reply(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create("~/w"));
    for watch in [exists("~/w/a", true), get_children("~/w", true), get_data("~/w", true)] {
        client.call(&watch);
    }
    client.ok(&multi(&[create("~/w/a"), set("~/w"), create("~/w/b")]));
    assert_eq!(client.arrived(), ["1 ~/w/a", "4 ~/w", "3 ~/w"]);
}

fn a_failed_write_tells_nobody(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&get_data("~", true));
    client.ok(&get_children("~", true));
    client.ok(&multi(&[create("~/a"), set("~"), delete("~/missing", -1)]));
    client.check(&[(set_data("~", None, 9), -103), (create("~"), -110)]);
    assert_eq!(client.events(), [""; 0]);
}

fn watches_stay_behind_with_their_connection(scene: &Scene<'_>) {
    let mut first = scene.client();
    first.ok(&get_data("~", true));
    first.ok(&add_watch("~", 1));
    let mut second = first.reattach(LONG).expect("the session lives");
    second.ok(&set("~"));
    assert_eq!(second.events(), [""; 0]);
}

fn the_end_of_a_session_is_one_change(scene: &Scene<'_>) {
    let (mut watcher, mut owner) = (scene.client(), scene.client());
    owner.ok(&create("~/p"));
    for path in ["~/p/e1", "~/p/e2"] {
        owner.ok(&create_as(1, path, 1));
        watcher.ok(&exists(path, true));
    }
    watcher.ok(&get_children("~/p", true));
    let zxid = owner.close().0;
    watcher.ok(&ping());
    let mut events = watcher.arrived_with_zxids();
    let zxids: Vec<_> = events.iter().map(|event| event.0).collect();
    assert_eq!(zxids, [scene.v8_v9(-1, zxid); 3]);
    events.sort_unstable();
    let lines: Vec<_> = events.iter().map(|event| event.1.as_str()).collect();
    assert_eq!(lines, ["2 ~/p/e1", "2 ~/p/e2", "4 ~/p"]);
    let stat = watcher.stat("~/p");
    assert_eq!((stat.cversion, stat.num_children, stat.pzxid), (4, 0, zxid));
}

fn a_closing_client_sees_its_own_ephemerals_go(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create_as(1, "~/e", 1));
    client.ok(&get_children("~", true));
    client.ok(&close_session());
    assert_eq!(client.arrived(), ["4 ~"]);
    client.expect_closed();
}

fn who_may_not_read_a_node_is_not_told(scene: &Scene<'_>) {
    let mut writer = scene.client();
    writer.ok(&auth("digest", &b"w:w"[..]));
    let mine = [acl(31, "auth", "")];
    let open = [Acl::open()];
    let mut watcher = scene.client();
    watcher.call(&exists("~/hidden", true));
    writer.ok(&create_acl("~/hidden", &mine));
    assert_eq!(watcher.events(), [""; 0]);

    // The watch of an event that was held back is used up all the same.
    writer.ok(&set_acl("~/hidden", Some(&open), -1));
    tell(&mut watcher, &mut writer, &[(set("~/hidden"), &[])]);

    watcher.ok(&get_data("~/hidden", true));
    writer.ok(&set_acl("~/hidden", Some(&mine), -1));
    writer.ok(&set("~/hidden"));
    writer.ok(&set_acl("~/hidden", Some(&open), -1));
    tell(&mut watcher, &mut writer, &[(set("~/hidden"), &[])]);

    watcher.ok(&add_watch("~/hidden", 1));
    writer.ok(&set_acl("~/hidden", Some(&mine), -1));
    tell(
        &mut watcher,
        &mut writer,
        &[
            (set("~/hidden"), &[]),
            (create_with(1, "~/hidden/open", None, Some(&open), 0), &["1 ~/hidden/open"]),
            (set("~/hidden/open"), &["3 ~/hidden/open"]),
            (create_with(1, "~/hidden/mine", None, Some(&mine), 0), &[]),
            (delete("~/hidden/mine", -1), &[]),
            (delete("~/hidden/open", -1), &["2 ~/hidden/open"]),
        ],
    );
}

on_both! {
    PLAIN:
        a_watch_set_thrice_fires_once_and_before_the_reply,
        only_an_exists_watch_waits_for_a_node,
        a_child_watch_sees_children_and_the_end,
        a_deleted_node_is_told_once_and_before_its_parent,
        nobody_is_told_of_an_acl,
        a_persistent_watch_tells_of_a_node_and_its_children,
        a_recursive_watch_tells_of_all_below_but_not_of_children,
        add_watch_takes_any_path_but_only_two_modes,
        several_modes_on_one_path,
        watches_are_removed_by_their_kind,
        a_removal_of_any_takes_every_kind,
        events_of_a_multi_come_in_its_order_and_before_its_reply,
        a_failed_write_tells_nobody,
        watches_stay_behind_with_their_connection,
        the_end_of_a_session_is_one_change,
        a_closing_client_sees_its_own_ephemerals_go,
        who_may_not_read_a_node_is_not_told;
}
