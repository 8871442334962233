//! Creates of every kind: modes, names, order of checks, stats, and the nodes that go by themselves.

use std::time::Duration;

use zk_wire::Acl;

use crate::client::Client;
use crate::deadline::eventually;
use crate::request::{
    CREATE, CREATE_CONTAINER, CREATE2, Request, acl, add_watch, create, create_acl, create_as,
    create_data, create_ttl, create_with, delete, exists, get_children, get_data, multi, set_acl,
    set_data,
};
use crate::scene::{Scene, on_both, on_ours};

fn the_flags_of_a_create_are_checked(scene: &Scene<'_>) {
    flags_give(scene, -6);
}

fn without_a_ttl_field_ttl_flags_are_bad(scene: &Scene<'_>) {
    flags_give(scene, -8);
}

fn flags_give(scene: &Scene<'_>, ttl_flags: i32) {
    let mut client = scene.client();
    for op in [CREATE, CREATE2, CREATE_CONTAINER] {
        for (flags, err) in [
            (0, 0),
            (1, 0),
            (2, 0),
            (3, 0),
            (4, 0),
            (5, ttl_flags),
            (6, ttl_flags),
            (7, -8),
            (-1, -8),
            (100, -8),
        ] {
            let path = format!("~/{op}-{flags}");
            client.check(&[(create_as(op, path.as_str(), flags), err)]);
        }
    }
    client.check(&[(create_as(CREATE, "bad", 7), -8)]);
}

fn ttl_nodes_are_unknown_unless_enabled(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.check(&[
        (create_ttl("~/a", 5, 1000), -6),
        (create_ttl("~/a", 5, -1), -6),
        (create_ttl("~/a", 6, 1000), -6),
        (create_ttl("~/a", 0, 0), -8),
        (create_ttl("~/a", 0, 5), -8),
        (exists("~/a", false), -101),
    ]);
}

fn a_ttl_has_its_bounds(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.check(&[
        (create_ttl("~/a", 5, 100_000), 0),
        (create_ttl("~/b", 5, 0xff_ffff_ffff), 0),
        (create_ttl("~/c", 5, 0), -8),
        (create_ttl("~/c", 5, -1), -8),
        (create_ttl("~/c", 5, 0x100_0000_0000), -8),
        (create_ttl("~/c", 5, i64::MAX), -8),
        (create_ttl("~/c", 0, 1000), -8),
        (create_ttl("~/c", 1, 1000), -8),
        (create_ttl("~/c", 4, 1000), -8),
        (create_ttl("~/c", 7, 1000), -8),
    ]);
    assert_eq!(client.created(&create_ttl("~/s", 6, 100_000)), "~/s0000000002");
    assert_eq!(client.stat("~/a").ephemeral_owner, 0);
    client.check(&[(create("~/a/child"), 0)]);
}

/// The original dies of this request, and again at each start.
fn a_ttl_create_without_ttl_is_refused(scene: &Scene<'_>) {
    let mut client = scene.client();
    for flags in [0, 1, 2, 3, 4] {
        client.check(&[(create_ttl("~/a", flags, -1), -8), (create_ttl("~/a", flags, -9), -8)]);
    }
    client.check(&[(exists("~/a", false), -101)]);
}

fn a_create_answers_with_a_path_and_perhaps_a_stat(scene: &Scene<'_>) {
    let mut client = scene.client();
    for (op, flags, stat) in [
        (CREATE, 0, false),
        (CREATE, 4, false),
        (CREATE2, 0, true),
        (CREATE2, 1, true),
        (CREATE_CONTAINER, 4, true),
        (CREATE_CONTAINER, 0, true),
    ] {
        let path = format!("~/{op}-{flags}");
        let reply = client.ok(&create_as(op, path.as_str(), flags));
        let full = reply.text().unwrap();
        assert_eq!(client.shorten(&full), path);
        assert_eq!(reply.body.len(), 4 + full.len() + if stat { 68 } else { 0 }, "{path}");
        if stat {
            assert_eq!(reply.stat(), client.stat(&path));
        }
    }
}

fn a_ttl_create_answers_with_a_stat(scene: &Scene<'_>) {
    let mut client = scene.client();
    let reply = client.ok(&create_ttl("~/a", 5, 100_000));
    assert_eq!(reply.stat(), client.stat("~/a"));
}

fn a_new_node_has_a_stat_of_its_create(scene: &Scene<'_>) {
    let mut client = scene.client();
    let reply = client.ok(&create_with(CREATE2, "~/e", Some(b"12345"), Some(&[Acl::open()]), 1));
    let (stat, zxid) = (reply.stat(), reply.zxid.0);
    assert_eq!((stat.czxid, stat.mzxid, stat.pzxid), (zxid, zxid, zxid));
    assert_eq!((stat.version, stat.cversion, stat.aversion), (0, 0, 0));
    assert_eq!((stat.ctime, stat.data_length, stat.num_children), (stat.mtime, 5, 0));
    assert_eq!(stat.ephemeral_owner, client.id);
    client.ok(&create_as(CREATE_CONTAINER, "~/c", 4));
    assert_eq!(client.stat("~/c").ephemeral_owner, 0);
}

fn an_ephemeral_has_no_children(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create_as(CREATE, "~/e", 1));
    client.ok(&create_as(CREATE_CONTAINER, "~/c", 4));
    client.check(&[
        (create("~/e/child"), -108),
        (create_as(CREATE, "~/e/child", 2), -108),
        (create("~/c/child"), 0),
        (create_as(CREATE, "~/c/e", 1), 0),
    ]);
}

fn the_op_and_not_the_flags_decides_what_a_container_is(scene: &Scene<'_>) {
    let mut creator = scene.client();
    let path = creator.created(&create_as(CREATE_CONTAINER, "~/c", 1));
    let sequential = creator.created(&create_as(CREATE_CONTAINER, "~/s", 3));
    assert_eq!((path.as_str(), sequential.as_str()), ("~/c", "~/s0000000001"));
    creator.close();
    assert_eq!(scene.client().stat("~/c").ephemeral_owner, 0);
}

fn a_sequential_name_ends_with_the_count_of_creates(scene: &Scene<'_>) {
    let mut client = scene.client();
    for (path, flags, name) in [
        ("~/", 2, "~/0000000000"),
        ("~/a", 3, "~/a0000000001"),
        ("~/plain", 0, "~/plain"),
        ("~/", 2, "~/0000000003"),
    ] {
        assert_eq!(client.created(&create_as(CREATE, path, flags)), name);
    }
    client.check(&[
        (create("~/"), -8),
        (create("~/plain"), -110),
        (create_as(CREATE, "~/x\0", 2), -8),
        (delete("~/plain", -1), 0),
        (multi(&[create_as(CREATE, "~/m", 2), delete("~/missing", -1)]), 0),
    ]);
    assert_eq!(client.created(&create_as(CREATE2, "~/s-", 2)), "~/s-0000000004");
}

fn a_parents_cversion_counts_creates_and_deletes(scene: &Scene<'_>) {
    let mut client = scene.client();
    let parent = |client: &mut Client| {
        let stat = client.stat("~");
        (stat.version, stat.cversion, stat.num_children)
    };
    let mut check = |request: Request, expected: (i32, i32, i32)| {
        client.ok(&request);
        assert_eq!(parent(&mut client), expected, "after {request:?}");
    };
    check(create("~/a"), (0, 1, 1));
    check(create("~/b"), (0, 2, 2));
    check(delete("~/a", -1), (0, 3, 1));
    check(create_as(CREATE, "~/s", 2), (0, 4, 2));
    check(set_data("~/b", &b"x"[..], -1), (0, 4, 2));
    check(set_data("~", &b"x"[..], -1), (1, 4, 2));
    check(set_acl("~", Some(&[Acl::open()]), -1), (1, 4, 2));
    check(delete("~/b", -1), (1, 5, 1));
    check(delete("~/s0000000002", -1), (1, 6, 0));
    check(create_as(CREATE, "~/s", 2), (1, 7, 1));
}

fn null_and_empty_data_are_different(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create_with(CREATE, "~/null", None, Some(&[Acl::open()]), 0));
    client.ok(&create_data("~/empty", b""));
    for (path, data) in [("~/null", None), ("~/empty", Some(vec![]))] {
        let reply = client.ok(&get_data(path, false));
        assert_eq!((reply.data(), reply.stat().data_length), (data, 0), "{path}");
    }
    client.ok(&set_data("~/empty", None, -1));
    assert_eq!(client.ok(&get_data("~/empty", false)).data(), None);
}

fn the_first_failing_check_of_a_create_decides(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create_acl("~/locked", &[acl(1, "world", "anyone")]));
    client.ok(&create("~/there"));
    let open = [Acl::open()];
    client.check(&[
        (create("~/locked/a"), -102),
        (create("~/locked/\u{1}"), -102),
        (create("~/locked/\0"), -8),
        (create("~/missing/\u{1}"), -101),
        (create_with(CREATE, "~/missing/a", None, Some(&[]), 0), -114),
        (create_with(CREATE, "~/missing/a", None, None, 0), -114),
        (create_with(CREATE, "~/missing/a", None, Some(&open), 0), -101),
        (create_with(CREATE, "~/there", None, Some(&[]), 0), -114),
        (create("~/there/"), -8),
        (create_as(CREATE, "~/there/", 2), 0),
        (create_with(CREATE, "~/\0", None, Some(&[]), 0), -8),
        (create_with(CREATE, "foo", None, Some(&[]), 9), -8),
    ]);
}

fn an_emptied_container_is_reaped(scene: &Scene<'_>) {
    let mut client = scene.client();
    for (path, op, flags) in
        [("~/used", CREATE_CONTAINER, 4), ("~/zero", CREATE_CONTAINER, 0), ("~/one", CREATE, 4)]
    {
        client.ok(&create_as(op, path, flags));
        client.ok(&create(format!("{path}/child").as_str()));
    }
    client.ok(&create_as(CREATE_CONTAINER, "~/never", 4));
    client.ok(&exists("~/used", true));
    client.ok(&exists("~/zero", true));
    for path in ["~/used/child", "~/zero/child", "~/one/child"] {
        client.ok(&delete(path, -1));
    }
    let mut events = vec![client.event(), client.event()];
    events.sort_unstable();
    assert_eq!(events, ["2 ~/used", "2 ~/zero"]);
    assert_eq!(client.ok(&get_children("~", false)).texts(), ["never", "one"]);
}

fn a_ttl_node_goes_when_it_was_left_alone(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create_ttl("~/kept", 5, 1500));
    client.ok(&create("~/kept/child"));
    client.ok(&create_ttl("~/short", 5, 600));
    client.ok(&create_ttl("~/touched", 5, 1500));
    let made = client.stat("~/short").ctime;
    client.ok(&add_watch("~", 1));
    assert_eq!(client.event(), "2 ~/short");
    client.ok(&set_data("~/touched", &b""[..], -1));
    let touched = client.stat("~/touched").mtime;
    assert_eq!((client.event(), client.event()), ("3 ~/touched".into(), "2 ~/touched".into()));

    // The clock of the server itself tells how long the nodes lived at least.
    client.ok(&set_data("~", &b""[..], -1));
    let now = client.stat("~").mtime;
    assert!((600..10_000).contains(&(now - made)), "{}", now - made);
    assert!((1500..10_000).contains(&(now - touched)), "{}", now - touched);

    client.stat("~/kept");
    client.ok(&delete("~/kept/child", -1));
    client.ok(&exists("~/kept", false));
    let gone = eventually(Duration::from_secs(10), || {
        (client.call(&exists("~/kept", false)).err == -101).then_some(())
    });
    assert!(gone.is_some(), "the node outlived its ttl once it had no child");
}

on_both! {
    PLAIN:
        the_flags_of_a_create_are_checked,
        ttl_nodes_are_unknown_unless_enabled,
        a_create_answers_with_a_path_and_perhaps_a_stat,
        a_new_node_has_a_stat_of_its_create,
        an_ephemeral_has_no_children,
        the_op_and_not_the_flags_decides_what_a_container_is,
        a_sequential_name_ends_with_the_count_of_creates,
        a_parents_cversion_counts_creates_and_deletes,
        null_and_empty_data_are_different,
        the_first_failing_check_of_a_create_decides;
    EXTENDED:
        without_a_ttl_field_ttl_flags_are_bad,
        a_ttl_has_its_bounds,
        a_ttl_create_answers_with_a_stat,
        an_emptied_container_is_reaped,
        a_ttl_node_goes_when_it_was_left_alone;
}

on_ours! {
    PLAIN: a_ttl_create_without_ttl_is_refused;
}
