//! Quotas: what is counted, and what a hard limit refuses.

use crate::client::Client;
use crate::request::{create, create_as, create_data, delete, exists, get_data, multi, set_data};
use crate::scene::{Scene, on_both, on_ours};

/// The node of a quota on `below`, a path below the test's own node.
fn quota(scene: &Scene<'_>, below: &str, name: &str) -> String {
    format!("/zookeeper/quota{}{below}/zookeeper_{name}", scene.root)
}

/// Sets a quota on `below` with these limits, as the command line tools do.
fn set_quota(client: &mut Client, scene: &Scene<'_>, below: &str, limits: &str) {
    let limits_path = quota(scene, below, "limits");
    for (at, _) in limits_path.match_indices('/').skip(3) {
        let err = client.call(&create(&limits_path[..at])).err;
        assert!(err == 0 || err == -110, "{err}");
    }
    client.ok(&create_data(&limits_path, limits.as_bytes()));
    client.ok(&create_data(&quota(scene, below, "stats"), b"count=0,bytes=0"));
}

fn stats(client: &mut Client, scene: &Scene<'_>, below: &str) -> String {
    let reply = client.ok(&get_data(quota(scene, below, "stats").as_str(), false));
    String::from_utf8(reply.data().unwrap()).unwrap()
}

fn a_subtree_is_counted_without_a_trace(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create_data("~/q", b"1234"));
    client.ok(&create_data("~/q/a", b"567"));
    set_quota(&mut client, scene, "/q", "count=-1,bytes=-1");
    assert_eq!(stats(&mut client, scene, "/q"), "count=2,bytes=7");
    let path = quota(scene, "/q", "stats");
    let before = client.stat(&path);
    client.ok(&exists(path.as_str(), true));
    for (change, counted) in [
        (create_data("~/q/b", b"xx"), "count=3,bytes=9"),
        (create_as(1, "~/q/e", 1), "count=4,bytes=9"),
        (set_data("~/q/a", &b"1234567"[..], -1), "count=4,bytes=13"),
        (set_data("~/q/a", None, -1), "count=4,bytes=6"),
        (delete("~/q/b", -1), "count=3,bytes=4"),
        (multi(&[create("~/q/c"), create_data("~/q/c/d", b"9")]), "count=5,bytes=5"),
        (create_data("~/qother", b"12345"), "count=5,bytes=5"),
    ] {
        client.ok(&change);
        assert_eq!(stats(&mut client, scene, "/q"), counted, "after {change:?}");
    }
    let after = client.stat(&path);
    assert_eq!(
        (after.version, after.mzxid, after.mtime),
        (before.version, before.mzxid, before.mtime)
    );
    assert_eq!(client.events(), [""; 0]);
    client.ok(&delete(quota(scene, "/q", "limits").as_str(), -1));
    client.ok(&create("~/q/later"));
    assert_eq!(stats(&mut client, scene, "/q"), "count=5,bytes=5", "nobody counts any more");
}

fn without_enforcement_no_limit_refuses(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create("~/q"));
    set_quota(&mut client, scene, "/q", "count=1,bytes=1=;byteHardLimit=1;countHardLimit=1");
    client.check(&[(create_data("~/q/a", b"12345"), 0), (set_data("~/q", &b"12345"[..], -1), 0)]);
    assert_eq!(stats(&mut client, scene, "/q"), "count=2,bytes=10");
}

fn a_hard_limit_refuses(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create_data("~/q", b"0123456789"));
    set_quota(&mut client, scene, "/q", "count=-1,bytes=-1=;byteHardLimit=20;countHardLimit=4");
    client.check(&[
        (create("~/q/a"), 0),
        (create("~/q/a/b"), 0),
        (create("~/q/c"), 0),
        (create("~/q/d"), -125),
        (create_as(1, "~/q/d", 2), -125),
        (create("~/q/a"), -110),
        (create("~/q/missing/x"), -101),
        (set_data("~/q/a", &[7; 10][..], -1), 0),
        (set_data("~/q/c", &[7; 1][..], -1), -125),
        (set_data("~/q/c", &[7; 1][..], 99), -125),
        (set_data("~/q/a", &[8; 10][..], -1), 0),
        (set_data("~/q/a", &[8; 10][..], 99), -103),
        (delete("~/q/c", -1), 0),
        (create_data("~/q/d", b"1"), -125),
        (create("~/q/d"), 0),
    ]);
    let results = client.ok(&multi(&[create("~/x"), create("~/q/e")])).lines(&scene.root);
    assert_eq!(results, ["error 0", "error -125"]);
    client.ok(&delete(quota(scene, "/q", "limits").as_str(), -1));
    client.check(&[(create("~/q/e"), 0)]);
}

fn a_soft_limit_never_refuses(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create("~/q"));
    set_quota(&mut client, scene, "/q", "count=1,bytes=1");
    client.check(&[(create_data("~/q/a", b"12345"), 0), (create("~/q/b"), 0)]);
}

fn zero_is_a_limit_and_the_deepest_quota_counts(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create("~/q"));
    set_quota(&mut client, scene, "/q", "count=-1,bytes=-1=;countHardLimit=0");
    client.check(&[(create("~/q/a"), -125), (create("~/other"), 0)]);
    set_quota(&mut client, scene, "/later", "count=-1,bytes=-1=;countHardLimit=2");
    assert_eq!(stats(&mut client, scene, "/later"), "count=0,bytes=0");
    client.check(&[(create("~/later"), 0), (create("~/later/a"), 0), (create("~/later/b"), -125)]);
    assert_eq!(stats(&mut client, scene, "/later"), "count=2,bytes=0");
}

fn a_shrink_that_stays_above_the_limit_is_refused(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create_data("~/q", &[7; 100]));
    set_quota(&mut client, scene, "/q", "count=-1,bytes=-1=;byteHardLimit=60");
    client.check(&[
        (set_data("~/q", &[7; 90][..], -1), -125),
        (set_data("~/q", &[7; 100][..], -1), 0),
        (set_data("~/q", &[7; 60][..], -1), 0),
        (set_data("~/q", &[7; 61][..], -1), -125),
    ]);
}

/// Inputs that end the original, which then cannot start again.
fn odd_quota_nodes_do_no_harm(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.ok(&create("~/q"));
    set_quota(&mut client, scene, "/q", "count=-1,bytes=-1");
    let stats_path = quota(scene, "/q", "stats");
    for data in [Some(&b"garbage"[..]), None, Some(b""), Some(b"count=x,bytes="), Some(&[0xff; 9])]
    {
        client.ok(&set_data(stats_path.as_str(), data, -1));
        client.check(&[
            (create("~/q/a"), 0),
            (set_data("~/q/a", &b"123"[..], -1), 0),
            (delete("~/q/a", -1), 0),
        ]);
    }
    client.check(&[
        (set_data(quota(scene, "/q", "limits").as_str(), &b"garbage"[..], -1), 0),
        (create("~/q/a"), 0),
        (create_data("/zookeeper/quota/zookeeper_limits", b"count=1,bytes=1"), 0),
        (create("~/b"), 0),
        (delete("/zookeeper/quota/zookeeper_limits", -1), 0),
        (create("/zookeeper/zookeeper_limits"), 0),
        (delete("/zookeeper/zookeeper_limits", -1), 0),
        (create("/zookeeperish"), 0),
        (create("/zookeeperish/zookeeper_limits"), 0),
        (delete("/zookeeperish/zookeeper_limits", -1), 0),
        (delete("/zookeeperish", -1), 0),
        (create("/zookeeper/quota/zookeeper_stats"), 0),
        (create("~/c"), 0),
        (delete("/zookeeper/quota/zookeeper_stats", -1), 0),
    ]);
    scene.client().stat("~/c");
}

on_both! {
    PLAIN: a_subtree_is_counted_without_a_trace, without_enforcement_no_limit_refuses;
    QUOTA:
        a_hard_limit_refuses,
        a_soft_limit_never_refuses,
        zero_is_a_limit_and_the_deepest_quota_counts,
        a_shrink_that_stays_above_the_limit_is_refused;
}

on_ours! {
    PLAIN: odd_quota_nodes_do_no_harm;
}
