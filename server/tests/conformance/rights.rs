//! Which right on which node each op wants: every op with each right alone, with none, with all.

use zk_wire::Acl;

use crate::client::Client;
use crate::request::{
    CREATE, CREATE_CONTAINER, CREATE2, Request, acl, auth, check_version, create, create_as,
    delete, exists, get_acl, get_all_children_number, get_children, get_children2, get_data, multi,
    multi_read, set_acl, set_data,
};
use crate::scene::{Scene, on_both};

const READ: i32 = 1;
const WRITE: i32 = 2;
const CREATE_RIGHT: i32 = 4;
const DELETE: i32 = 8;
const ADMIN: i32 = 16;

/// Rights that a node can have: each alone, none, all, all but each, bits that mean nothing.
fn all_rights() -> Vec<i32> {
    let single = [READ, WRITE, CREATE_RIGHT, DELETE, ADMIN];
    let mut rights = vec![0, 31, 32, i32::MIN];
    rights.extend(single);
    rights.extend(single.map(|right| 31 & !right));
    rights
}

/// An op on `~/n` or its child, and the rights of which `~/n` must give one.
fn ops(scene: &Scene<'_>) -> Vec<(Request, i32)> {
    let open = [Acl::open()];
    vec![
        (get_data("~/n", false), READ),
        (get_children("~/n", false), READ),
        (get_children2("~/n", false), READ),
        (get_all_children_number("~/n"), READ),
        (exists("~/n", false), scene.v8_v9(-1, READ)),
        (get_acl("~/n"), READ | ADMIN),
        (multi(&[check_version("~/n", -1)]), READ),
        (multi_read(&[get_data("~/n", false)]), READ),
        (multi_read(&[get_children("~/n", false)]), READ),
        (set_data("~/n", None, -1), WRITE),
        (multi(&[set_data("~/n", None, -1)]), WRITE),
        (set_acl("~/n", Some(&open), 1000), ADMIN),
        (create_as(CREATE, "~/n/s", 2), CREATE_RIGHT),
        (create_as(CREATE, "~/n/e", 3), CREATE_RIGHT),
        (create_as(CREATE2, "~/n/s", 2), CREATE_RIGHT),
        (create_as(CREATE_CONTAINER, "~/n/c", 2), CREATE_RIGHT),
        (multi(&[create_as(CREATE, "~/n/s", 2)]), CREATE_RIGHT),
        (delete("~/n/child", 1000), DELETE),
        (delete("~/n/missing", -1), DELETE),
        (multi(&[delete("~/n/child", 1000)]), DELETE),
        (delete("~/n", 1000), -1),
        (get_data("~/n/child", false), -1),
        (set_data("~/n/child", None, -1), -1),
    ]
}

fn each_op_wants_its_own_right(scene: &Scene<'_>) {
    let mut admin = scene.client();
    admin.ok(&auth("digest", &b"super:test"[..]));
    admin.ok(&create("~/n"));
    admin.ok(&create("~/n/child"));
    let mut client = scene.client();
    let ops = ops(scene);
    for rights in all_rights() {
        // One entry of many gives the rights; the others match nobody here.
        let entries = [
            acl(31, "digest", "some:one"),
            acl(rights, "ip", "127.0.0.1"),
            acl(31, "ip", "10.0.0.0/8"),
        ];
        admin.ok(&set_acl("~/n", Some(&entries), -1));
        for (op, wanted) in &ops {
            let denied = is_denied(&mut client, op, scene);
            let expected = *wanted != -1 && rights & wanted == 0;
            assert_eq!(denied, expected, "{op:?} with rights {rights} of {wanted}");
        }
    }
}

fn the_superuser_wants_no_right(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&auth("digest", &b"super:test"[..]));
    client.ok(&create("~/n"));
    client.ok(&create("~/n/child"));
    client.ok(&set_acl("~/n", Some(&[acl(0, "world", "anyone")]), -1));
    for (op, _) in ops(scene) {
        assert!(!is_denied(&mut client, &op, scene), "{op:?}");
    }
}

/// Whether permission is denied, by the reply itself or inside a multi.
fn is_denied(client: &mut Client, op: &Request, scene: &Scene<'_>) -> bool {
    let reply = client.call(op);
    let is_multi = [multi(&[]).op, multi_read(&[]).op].contains(&op.op);
    match is_multi {
        true => reply.lines(&scene.root) == ["error -102"],
        false => reply.err == -102,
    }
}

on_both! {
    PLAIN: each_op_wants_its_own_right, the_superuser_wants_no_right;
}
