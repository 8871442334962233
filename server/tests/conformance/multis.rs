//! multi and multiRead.

use zk_wire::Acl;

use crate::reply::MULTI_END;
use crate::request::{
    CREATE_CONTAINER, CREATE2, Request, acl, check_version, create, create_acl, create_as,
    create_data, create_ttl, create_with, delete, delete_container, exists, get_children, get_data,
    multi, multi_read, set_acl, set_data, unterminated,
};
use crate::scene::{Scene, on_both};

/// Sends a multi and compares its results, a line each.
#[track_caller]
fn check(scene: &Scene<'_>, ops: &[Request], results: &[&str]) {
    let mut client = scene.client();
    assert_eq!(client.ok(&multi(ops)).lines(&scene.root), results);
}

fn an_empty_multi_is_answered_with_its_end(scene: &Scene<'_>) {
    let mut client = scene.client();
    assert_eq!(client.ok(&multi(&[])).body, MULTI_END);
    assert_eq!(client.ok(&multi_read(&[])).body, MULTI_END);
}

fn each_op_of_a_multi_has_its_result(scene: &Scene<'_>) {
    let mut client = scene.client();
    let reply = client.ok(&multi(&[
        create_data("~/a", b"1"),
        create_as(CREATE2, "~/b", 0),
        set_data("~/a", &b"22"[..], 0),
        check_version("~/a", 1),
        delete("~/b", 0),
    ]));
    let results = reply.results(&scene.root);
    let lines: Vec<_> = results.iter().map(|result| result.line.as_str()).collect();
    assert_eq!(lines, ["1 ~/a", scene.v8_v9("1 ~/b", "15 ~/b"), "5", "13", "2"]);
    let set = results[2].stat.unwrap();
    assert_eq!((set.czxid, set.mzxid, set.version), (reply.zxid.0, reply.zxid.0, 1));
    if let Some(created) = results[1].stat {
        assert_eq!((created.czxid, created.version), (reply.zxid.0, 0));
    }
    assert_eq!(client.stat("~/a"), set);
}

fn an_early_result_does_not_show_later_changes(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create("~/a"));
    let reply = client.ok(&multi(&[
        set_data("~/a", &b"1"[..], -1),
        set_data("~/a", &b"22"[..], -1),
        create("~/a/b"),
    ]));
    let stats: Vec<_> =
        reply.results(&scene.root).iter().filter_map(|result| result.stat).collect();
    assert_eq!((stats[0].version, stats[0].data_length, stats[0].num_children), (1, 1, 0));
    assert_eq!((stats[1].version, stats[1].data_length, stats[1].num_children), (2, 2, 0));
    assert_eq!(stats[0].mtime, stats[1].mtime);
}

fn one_failing_op_undoes_them_all(scene: &Scene<'_>) {
    scene.client().ok(&create("~/there"));
    let bad = || set_data("~/there", &b""[..], 9);
    check(
        scene,
        &[create("~/a"), bad(), create("~/b"), delete("~/there", -1)],
        &["error 0", "error -103", "error -2", "error -2"],
    );
    check(scene, &[bad(), create("~/a")], &["error -103", "error -2"]);
    check(scene, &[create("~/a"), bad()], &["error 0", "error -103"]);
    check(scene, &[create("~/a"), create("~/a")], &["error 0", "error -110"]);
    check(
        scene,
        &[delete("~/there", -1), set_data("~/there", None, 0)],
        &["error 0", "error -101"],
    );
    scene.client().check(&[
        (exists("~/a", false), -101),
        (exists("~/b", false), -101),
        (exists("~/there", false), 0),
    ]);
}

fn a_later_op_sees_what_an_earlier_one_did(scene: &Scene<'_>) {
    check(
        scene,
        &[
            create("~/a"),
            create("~/a/b"),
            check_version("~/a/b", 0),
            delete("~/a/b", 0),
            delete("~/a", 0),
        ],
        &["1 ~/a", "1 ~/a/b", "13", "2", "2"],
    );
    check(
        scene,
        &[create("~/a"), create("~/a/b"), delete("~/a", 0)],
        &["error 0", "error 0", "error -111"],
    );
}

fn a_failed_multi_gives_its_sequence_numbers_back(scene: &Scene<'_>) {
    let sequential = |path: &str| create_as(1, path, 2);
    check(scene, &[sequential("~/s"), sequential("~/s")], &["1 ~/s0000000000", "1 ~/s0000000001"]);
    check(scene, &[sequential("~/s"), delete("~/missing", -1)], &["error 0", "error -101"]);
    check(scene, &[sequential("~/s")], &["1 ~/s0000000002"]);
}

fn what_may_not_stand_in_a_multi_fails_it_whole(scene: &Scene<'_>) {
    let mut client = scene.client();
    for op in [
        exists("~", false),
        set_acl("~", Some(&[Acl::open()]), -1),
        delete_container("~"),
        get_data("~", false),
        get_children("~", false),
        create_as(1, "~/t", 5),
        create_as(CREATE2, "~/t", 6),
        create_as(CREATE_CONTAINER, "~/t", 5),
        multi(&[create("~/t")]),
        Request::raw(999, b""),
    ] {
        for ops in [vec![op.clone()], vec![create("~/a"), op.clone()], vec![op, create("~/a")]] {
            let reply = client.call(&multi(&ops));
            assert_eq!((reply.err, reply.body.len()), (-5, 0), "{ops:?}");
        }
    }
    client.check(&[(exists("~/a", false), -101)]);
}

fn bad_flags_in_a_multi(scene: &Scene<'_>) {
    let mut client = scene.client();
    let ops = |op: Request| multi(&[create("~/a"), op]);
    for op in [
        create_as(1, "~/b", 9),
        create_as(CREATE2, "~/b", -1),
        create_with(1, "~/b", None, None, 0),
    ] {
        let reply = client.call(&ops(op));
        assert_eq!(reply.err, scene.v8_v9(0, -5));
    }
    let empty = create_with(1, "~/b", None, Some(&[]), 0);
    assert_eq!(client.call(&ops(empty)).lines(&scene.root), ["error 0", "error -114"]);
    client.check(&[(exists("~/a", false), -101)]);
}

fn the_kind_of_a_node_made_in_a_multi(scene: &Scene<'_>) {
    let v9 = |line, v8| scene.v8_v9(v8, line);
    for (op, flags, line) in [
        (1, 4, "15 ~/1-4"),
        (CREATE2, 4, "15 ~/15-4"),
        (CREATE_CONTAINER, 4, "15 ~/19-4"),
        (CREATE_CONTAINER, 0, v9("15 ~/19-0", "1 ~/19-0")),
        (CREATE2, 1, v9("15 ~/15-1", "1 ~/15-1")),
        (1, 1, "1 ~/1-1"),
    ] {
        let path = format!("~/{op}-{flags}");
        check(scene, &[create_as(op, path.as_str(), flags)], &[line]);
    }
    check(scene, &[create_ttl("~/plain", 0, -1)], &["1 ~/plain"]);
    check(scene, &[create_ttl("~/ttl", 5, 1000)], &["error -6"]);
}

fn ttl_nodes_can_be_made_in_a_multi(scene: &Scene<'_>) {
    check(scene, &[create_ttl("~/a", 5, 100_000)], &["15 ~/a"]);
    check(scene, &[create_ttl("~/b", 6, 100_000)], &["15 ~/b0000000001"]);
    check(scene, &[create_ttl("~/c", 5, 0)], &["error -8"]);
    check(scene, &[create_ttl("~/d", 0, 7)], &["1 ~/d"]);
    assert_eq!(scene.client().stat("~/a").ephemeral_owner, 0);
}

fn reads_fail_one_by_one(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create_data("~/a", b"data"));
    client.ok(&create("~/a/b"));
    client.ok(&create_acl("~/locked", &[acl(0, "world", "anyone")]));
    let reply = client.ok(&multi_read(&[
        get_data("~/a", true),
        get_children("~/a", true),
        get_data("~/missing", true),
        get_data("~/locked", false),
        get_children("~/locked", false),
        get_children("~/a", false),
    ]));
    assert_eq!(
        reply.lines(&scene.root),
        ["4 data", "8 b", "error -101", "error -102", "error -102", "8 b"]
    );
    assert_eq!(reply.results(&scene.root)[0].stat, Some(client.stat("~/a")));
    client.ok(&set_data("~/a", &b""[..], -1));
    client.ok(&create("~/a/c"));
    assert_eq!(client.events(), [""; 0], "a multiRead leaves no watch");
}

fn a_write_may_not_stand_in_a_multi_read(scene: &Scene<'_>) {
    let mut client = scene.client();
    let reply = client.call(&multi_read(&[create("~/a")]));
    assert_eq!(reply.err, -5);
    // Clients ignore what follows an error; the original leaves a terminator there.
    assert!(reply.body.is_empty() || reply.body == MULTI_END);
    let reply = client.call(&multi_read(&[get_data("~", false), exists("~", false)]));
    assert_eq!((reply.err, reply.body.len()), (-5, 0));
    client.check(&[(exists("~/a", false), -101)]);
}

fn any_header_that_is_done_ends_a_multi(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.check(&[(unterminated(14, &[create("~/a")]), -5), (exists("~/a", false), -101)]);
    let mut body = unterminated(14, &[create("~/a")]).encode(&scene.root);
    body.extend_from_slice(&[0, 0, 0, 5, 1, 0, 0, 0, 0]);
    client.check(&[(Request::raw(14, &body), 0), (exists("~/a", false), 0)]);
}

fn checks_in_a_multi_have_their_codes(scene: &Scene<'_>) {
    scene.client().ok(&create_acl("~/locked", &[acl(2, "world", "anyone")]));
    for (op, line) in [
        (delete("/zookeeper", -1), "error -8"),
        (create("foo"), "error -8"),
        (check_version("~/missing", -1), "error -101"),
        (check_version("foo", -1), "error -8"),
        (check_version("~/locked", 5), "error -102"),
        (check_version("~", 5), "error -103"),
        (check_version("~", 0), "13"),
        (check_version("~", -1), "13"),
    ] {
        check(scene, &[op], &[line]);
    }
}

on_both! {
    PLAIN:
        an_empty_multi_is_answered_with_its_end,
        each_op_of_a_multi_has_its_result,
        an_early_result_does_not_show_later_changes,
        one_failing_op_undoes_them_all,
        a_later_op_sees_what_an_earlier_one_did,
        a_failed_multi_gives_its_sequence_numbers_back,
        what_may_not_stand_in_a_multi_fails_it_whole,
        bad_flags_in_a_multi,
        the_kind_of_a_node_made_in_a_multi,
        reads_fail_one_by_one,
        a_write_may_not_stand_in_a_multi_read,
        any_header_that_is_done_ends_a_multi,
        checks_in_a_multi_have_their_codes;
    EXTENDED: ttl_nodes_can_be_made_in_a_multi;
}
