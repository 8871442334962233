//! What a server still knows after it was killed and started again.

use std::time::{Duration, Instant};

use crate::client::{Client, LONG};
use crate::config::EXTENDED;
use crate::request::{
    CREATE, CREATE_CONTAINER, Request, acl, auth, create, create_acl, create_as, create_data,
    create_ttl, create_with, delete, exists, get_acl, get_data, multi, set_acl, set_data,
};
use crate::scene::Scene;
use crate::server::{Kind, Server};

/// Prepares something on a server, kills it, and looks at what the next one has.
fn check<T>(before: fn(&Scene<'_>) -> T, after: fn(&Scene<'_>, T)) {
    for kind in [Kind::Java, Kind::Ours] {
        if kind.is_installed() {
            let root = "/r".to_owned();
            let server = Server::start(kind, &EXTENDED);
            let kept = before(&Scene { server: &server, root: root.clone() });
            let server = server.restart();
            after(&Scene { server: &server, root }, kept);
        }
    }
}

#[test]
fn sessions_and_ephemerals_last_until_their_timeout() {
    check(
        |scene| {
            let (mut lost, mut kept) = (scene.client_for(4000), scene.client());
            lost.ok(&create_as(1, "~/lost", 1));
            kept.ok(&create_as(1, "~/kept", 1));
            (Instant::now(), kept.zxid(), kept)
        },
        |scene, (killed, zxid, kept)| {
            let served = Instant::now();
            let mut kept = kept.reattach_at(scene.server.address, LONG).expect("it is remembered");
            assert!(kept.zxid() >= zxid);
            assert_eq!(kept.stat("~/kept").ephemeral_owner, kept.id);
            // On a busy machine the start alone can take as long as the timeout.
            if kept.call(&exists("~/lost", true)).err == 0 {
                assert_eq!(kept.event(), "2 ~/lost");
            }
            let (since_killed, since_served) = (killed.elapsed(), served.elapsed());
            let kind = scene.server.kind;
            assert!(since_killed >= Duration::from_secs(4), "{kind:?}: after {since_killed:?}");
            assert!(since_served < Duration::from_secs(7), "{kind:?}: only {since_served:?}");
            kept.close();
            scene.client().check(&[(exists("~/kept", false), -101)]);
        },
    );
}

#[test]
fn every_node_is_as_it_was() {
    check(
        |scene| {
            let mut client = scene.client();
            for change in changes() {
                client.ok(&change);
            }
            (client.zxid(), nodes(&mut client))
        },
        |scene, (zxid, before)| {
            let mut client = scene.stranger();
            assert!(client.zxid() > zxid, "the new session took a zxid behind all others");
            for (now, before) in nodes(&mut client).iter().zip(&before) {
                assert_eq!(now, before, "on {:?}", scene.server.kind);
            }
            // What is counted goes on from where it was.
            assert_eq!(client.created(&create_as(CREATE, "~/s", 2)), "~/s0000000009");
            client.ok(&create("~/q/later"));
            let stats = "/zookeeper/quota/r/q/zookeeper_stats";
            let counted = client.ok(&get_data(stats, false)).data();
            assert_eq!(counted, Some(b"count=3,bytes=7".to_vec()));
            client.check(&[
                (set_acl("~/acl", Some(&[acl(31, "world", "anyone")]), 0), -103),
                (set_data("~/set", None, 1), -103),
                (set_data("~/set", None, 2), 0),
            ]);
        },
    );
}

fn changes() -> Vec<Request> {
    let lists = [acl(31, "world", "anyone"), acl(1, "ip", "10.0.0.0/8"), acl(16, "digest", "a:b")];
    vec![
        auth("digest", &b"u1:p1"[..]),
        create_with(CREATE, "~/null", None, Some(&lists[..1]), 0),
        create_data("~/set", b"first"),
        set_data("~/set", &b"second"[..], 0),
        set_data("~/set", &[0xff; 3000][..], 1),
        create_acl("~/mine", &[acl(31, "auth", "")]),
        create_acl("~/acl", &lists),
        set_acl("~/acl", Some(&lists[..2]), 0),
        create("~/gone"),
        delete("~/gone", -1),
        create_as(CREATE_CONTAINER, "~/container", 4),
        create_ttl("~/ttl", 5, 0xff_ffff_ffff),
        multi(&[create("~/m"), create("~/m/child"), set_data("~/m", &b"m"[..], 0)]),
        multi(&[create("~/failed"), delete("~/missing", -1)]),
        create("/zookeeper/quota/r"),
        create("/zookeeper/quota/r/q"),
        create_data("/zookeeper/quota/r/q/zookeeper_limits", b"count=100,bytes=-1"),
        create_data("/zookeeper/quota/r/q/zookeeper_stats", b"count=0,bytes=0"),
    ]
    .into_iter()
    .chain([create_data("~/q", b"123"), create_data("~/q/a", b"4567")])
    .collect()
}

/// Data, metadata and ACL of every node that the changes touch; what is not there is its code.
fn nodes(client: &mut Client) -> Vec<String> {
    client.ok(&auth("digest", &b"super:test"[..]));
    let paths = [
        "/",
        "~",
        "~/null",
        "~/set",
        "~/mine",
        "~/acl",
        "~/gone",
        "~/container",
        "~/ttl",
        "~/m",
        "~/m/child",
        "~/failed",
        "~/q",
        "~/q/a",
        "/zookeeper",
        "/zookeeper/quota",
        "/zookeeper/config",
        "/zookeeper/quota/r/q/zookeeper_stats",
    ];
    let mut lines = Vec::new();
    for path in paths {
        let (data, acl) = (client.call(&get_data(path, false)), client.call(&get_acl(path)));
        lines.push(match data.err {
            0 => format!("{path} {:?} {:?} {:?}", data.data(), data.stat(), acl.acl()),
            err => format!("{path} {err}"),
        });
    }
    lines
}
