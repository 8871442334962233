//! Changes and deletes: versions, order of checks, the system's own nodes.

use zk_wire::Acl;

use crate::client::Client;
use crate::config::ALONE;
use crate::request::{
    acl, auth, create, create_acl, create_as, delete, exists, get_acl, get_all_children_number,
    get_children, get_data, get_ephemerals, reconfig, set_acl, set_data,
};
use crate::scene::{Scene, on_both};
use crate::server::{Kind, Server};

fn versions_count_changes_of_data(scene: &Scene<'_>) {
    let mut client = scene.client();
    let created = client.ok(&create("~/a")).zxid.0;
    client.check(&[
        (set_data("~/a", &b"1"[..], 0), 0),
        (set_data("~/a", &b"2"[..], 0), -103),
        (set_data("~/a", &b"2"[..], 2), -103),
        (set_data("~/a", &b"3"[..], 1), 0),
        (set_data("~/a", &b"4"[..], -1), 0),
        (set_data("~/a", &b"4"[..], -2), -103),
    ]);
    let set = client.ok(&set_data("~/a", &b"55"[..], 3));
    let stat = client.stat("~/a");
    assert_eq!(set.stat(), stat);
    assert_eq!((stat.version, stat.data_length), (4, 2));
    assert_eq!((stat.czxid, stat.mzxid, stat.pzxid), (created, set.zxid.0, created));
    assert_eq!(client.ok(&get_data("~/a", false)).data(), Some(b"55".to_vec()));
}

fn aversions_count_changes_of_acls(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create("~/a"));
    let before = client.stat("~/a");
    let open = [Acl::open()];
    client.check(&[
        (set_acl("~/a", Some(&open), 0), 0),
        (set_acl("~/a", Some(&open), 0), -103),
        (set_acl("~/a", Some(&open), 1), 0),
        (set_acl("~/a", Some(&open), -1), 0),
        (set_acl("~/a", Some(&open), 5), -103),
    ]);
    assert_eq!(client.stat("~/a"), zk_wire::Stat { aversion: 3, ..before });
    let reply = client.ok(&set_acl("~/a", Some(&open), 3));
    assert_eq!(reply.stat().aversion, 4);
}

fn the_first_failing_check_of_a_change_decides(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create_acl("~/locked", &[acl(1, "world", "anyone")]));
    let open = [Acl::open()];
    client.check(&[
        (set_data("~/locked", &b""[..], 7), -102),
        (set_acl("~/locked", Some(&open), 7), -102),
        (set_acl("~/missing", Some(&[]), -1), -114),
        (set_acl("~/missing", None, -1), -114),
        (set_acl("~/missing", Some(&open), -1), -101),
        (set_acl("foo", Some(&[]), -1), -8),
        (set_data("~/missing", &b""[..], -1), -101),
    ]);
}

fn the_first_failing_check_of_a_delete_decides(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create("~/a"));
    client.ok(&create("~/a/b"));
    client.ok(&create_acl("~/nothing", &[acl(0, "world", "anyone")]));
    client.ok(&create("~/locked"));
    client.ok(&create("~/locked/child"));
    client.ok(&set_acl("~/locked", Some(&[acl(1 | 2 | 4 | 16, "world", "anyone")]), -1));
    client.check(&[
        (delete("~/a", 3), -103),
        (delete("~/a", 0), -111),
        (delete("~/a", -1), -111),
        (delete("~/a/b", 1), -103),
        (delete("~/a/b", 0), 0),
        (delete("~/a", 0), 0),
        (delete("~/a", 0), -101),
        (delete("~/a/b", 0), -101),
        (delete("~/locked/child", -1), -102),
        (delete("~/locked/missing", -1), -102),
        (delete("~/nothing", -1), 0),
    ]);
}

fn ephemerals_are_found_by_the_prefix_of_their_paths(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create("~/p"));
    for path in ["~/epa", "~/epab", "~/p/e"] {
        client.ok(&create_as(1, path, 1));
    }
    let found = |client: &mut Client, prefix: Option<&str>| {
        let paths = client.ok(&get_ephemerals(prefix)).texts();
        paths.iter().map(|path| client.shorten(path)).collect::<Vec<_>>()
    };
    let all = ["~/epa", "~/epab", "~/p/e"];
    for prefix in [None, Some(""), Some("/"), Some(" ")] {
        assert_eq!(found(&mut client, prefix), all, "{prefix:?}");
    }
    assert_eq!(found(&mut client, Some("~/epa")), all[..2]);
    assert_eq!(found(&mut client, Some("~/p/")), all[2..]);
    assert_eq!(found(&mut client, Some("foo")), [""; 0]);
    assert_eq!(found(&mut scene.client(), None), [""; 0]);
}

fn all_descendants_are_counted(scene: &Scene<'_>) {
    let mut client = scene.client();
    for path in ["~/a", "~/a/b", "~/a/b/c", "~/ab"] {
        client.ok(&create(path));
    }
    for (path, count) in [("~", 4), ("~/a", 2), ("~/a/b/c", 0), ("/zookeeper", 2)] {
        assert_eq!(client.ok(&get_all_children_number(path)).int(), count, "{path}");
    }
}

fn anyone_may_use_the_systems_nodes_but_one(scene: &Scene<'_>) {
    let mut client = scene.stranger();
    let config = [
        (get_data("/zookeeper/config", false), 0),
        (set_data("/zookeeper/config", &b"x"[..], -1), -102),
        (create("/zookeeper/config/a"), -102),
    ];
    client.check(&config);
    client.check(&[
        (create("/zookeeper/foo"), 0),
        (delete("/zookeeper/foo", -1), 0),
        (set_data("/zookeeper", &b""[..], -1), 0),
        (set_data("/zookeeper/quota", &b""[..], -1), 0),
        (set_data("/", &b""[..], -1), 0),
        (create("/"), -110),
        (create("/zookeeper"), -110),
    ]);
    assert_eq!(client.ok(&get_acl("/zookeeper/config")).acl(), ["1 world:anyone"]);
    for path in ["/", "/zookeeper", "/zookeeper/quota"] {
        assert_eq!(client.ok(&get_acl(path)).acl(), ["31 world:anyone"], "{path}");
    }
    client.ok(&auth("digest", &b"super:test"[..]));
    client.check(&[
        (set_data("/zookeeper/config", &b"x"[..], -1), 0),
        (set_data("/zookeeper/config", &b""[..], -1), 0),
    ]);
}

fn a_reconfig_is_refused(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.check(&[
        (reconfig(Some("server.9=foo"), None, None, -1), -123),
        (reconfig(None, Some("99"), None, 5), -123),
    ]);
}

fn a_standalone_server_cannot_be_reconfigured(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.check(&[
        (reconfig(Some("server.9=foo"), None, None, -1), -6),
        (reconfig(None, Some("99"), None, 5), -6),
        (get_data("~", false), 0),
    ]);
}

on_both! {
    PLAIN:
        versions_count_changes_of_data,
        aversions_count_changes_of_acls,
        the_first_failing_check_of_a_change_decides,
        the_first_failing_check_of_a_delete_decides,
        ephemerals_are_found_by_the_prefix_of_their_paths,
        all_descendants_are_counted,
        a_reconfig_is_refused;
    ALONE: anyone_may_use_the_systems_nodes_but_one;
    RECONFIG: a_standalone_server_cannot_be_reconfigured;
}

#[test]
fn a_fresh_tree_holds_the_systems_nodes() {
    for kind in [Kind::Java, Kind::Ours] {
        if !kind.is_installed() {
            continue;
        }
        let server = Server::start(kind, &ALONE);
        let mut client = Scene::bare(&server).stranger();
        assert_eq!(client.ok(&get_children("/", false)).texts(), ["zookeeper"]);
        assert_eq!(client.ok(&get_children("/zookeeper", false)).texts(), ["config", "quota"]);
        assert_eq!(client.ok(&get_all_children_number("/")).int(), 3);
        for (path, cversion, aversion, children) in [
            ("/", -1, 0, 1),
            ("/zookeeper", -2, 0, 2),
            ("/zookeeper/quota", 0, 0, 0),
            ("/zookeeper/config", 0, -1, 0),
        ] {
            let expected = zk_wire::Stat {
                cversion,
                aversion,
                num_children: children,
                ..zk_wire::Stat::default()
            };
            assert_eq!(client.stat(path), expected, "{path} on {kind:?}");
            assert_eq!(client.ok(&get_data(path, false)).data(), Some(vec![]), "{path}");
        }
        client.check(&[(exists("", false), 0)]);
        assert_eq!(client.zxid().0, 1, "the session took the first zxid");
    }
}
