//! Which paths each op takes, and that both servers judge a corpus of odd ones alike.

use std::collections::BTreeMap;

use zk_wire::Acl;

use crate::config::PLAIN;
use crate::request::{
    NULL, Request, add_watch, auth, check_watches, create, create_as, delete, exists, get_acl,
    get_all_children_number, get_children, get_children2, get_data, get_ephemerals, multi,
    remove_watches, set_acl, set_data, sync,
};
use crate::scene::{Scene, on_both};
use crate::server::{Kind, Server};

fn a_create_refuses_names_that_no_node_may_have(scene: &Scene<'_>) {
    let mut client = scene.client();
    let bad = [
        "",
        "foo",
        "//",
        "~/a\0b",
        "~/a\u{1}",
        "~/a\u{1f}",
        "~/a\u{7f}",
        "~/\u{80}",
        "~/\u{9f}",
        "~/\u{e000}",
        "~/\u{f8ff}",
        "~/\u{fff0}",
        "~/\u{fffe}",
        "~/\u{1f600}",
        "~/.",
        "~/..",
        "~/",
    ];
    client.check(&bad.map(|path| (create(path), -8)));
    let good =
        ["~/é", "~/\u{d7ff}", "~/\u{f900}", "~/\u{ffef}", "~/...", "~/.a", "~/a.", "~/ ", "~/~"];
    client.check(&good.map(|path| (create(path), 0)));
    client.check(&[
        (create("/"), -110),
        (create("~/a/"), -101),
        (create("~//b"), -101),
        (create("~/missing//b"), -101),
        (create("~/./a"), -101),
        (create("~/../a"), -101),
        (create("~/missing/.."), -101),
    ]);
}

fn a_delete_refuses_the_servers_own_nodes_to_everybody(scene: &Scene<'_>) {
    let mut client = scene.stranger();
    for _ in 0..2 {
        let refused =
            ["", "foo", "/", "/zookeeper", "/zookeeper/quota", "/zookeeper/config", "/a\0b"];
        client.check(&refused.map(|path| (delete(path, -1), -8)));
        let missing = ["//", "/zookeeper/", "/./zookeeper", "/\u{1}", "/missing/.."];
        client.check(&missing.map(|path| (delete(path, -1), -101)));
        client.ok(&auth("digest", &b"super:test"[..]));
    }
}

fn a_change_wants_a_whole_path(scene: &Scene<'_>) {
    let mut client = scene.stranger();
    let open = [Acl::open()];
    for path in ["", "foo", "//", "/zookeeper/", "/a\0b", "/a/../b", "/\u{7f}"] {
        client.check(&[(set_data(path, &b""[..], -1), -8), (set_acl(path, Some(&open), -1), -8)]);
    }
}

fn a_read_takes_paths_literally(scene: &Scene<'_>) {
    let mut client = scene.stranger();
    let reads = |path| {
        [
            exists(path, false),
            get_data(path, false),
            get_acl(path),
            get_children(path, false),
            get_children2(path, false),
            get_all_children_number(path),
        ]
    };
    client.check(&reads("").map(|read| (read, 0)));
    for path in ["foo", "//", "/zookeeper/", "/./zookeeper", "/zookeeper//quota", "/\u{1}"] {
        client.check(&reads(path).map(|read| (read, -101)));
    }
    client.check(&[(exists("/a\0b", false), -8), (get_data("/a\0b", false), -101)]);
}

fn a_sync_echoes_whatever_it_is_given(scene: &Scene<'_>) {
    let mut client = scene.stranger();
    for path in [Some("foo"), Some(""), Some("/a\0b"), Some("//"), Some("/missing"), None] {
        assert_eq!(client.ok(&sync(path)).text().as_deref(), path);
    }
}

fn a_null_path_has_each_ops_own_code(scene: &Scene<'_>) {
    let mut client = scene.stranger();
    client.check(&[
        (create(NULL), -5),
        (delete(NULL, -1), -5),
        (exists(NULL, false), -5),
        (get_data(NULL, false), -5),
        (get_acl(NULL), -5),
        (get_children(NULL, false), -5),
        (get_children2(NULL, false), -5),
        (get_all_children_number(NULL), -5),
        (set_data(NULL, &b""[..], -1), -8),
        (set_acl(NULL, Some(&[Acl::open()]), -1), -8),
        (get_ephemerals(NULL), 0),
        (add_watch(NULL, 0), 0),
        (check_watches(NULL, 1), scene.v8_v9(-5, -121)),
        (remove_watches(NULL, 1), scene.v8_v9(-5, -121)),
    ]);
}

on_both! {
    PLAIN:
        a_create_refuses_names_that_no_node_may_have,
        a_delete_refuses_the_servers_own_nodes_to_everybody,
        a_change_wants_a_whole_path,
        a_read_takes_paths_literally,
        a_sync_echoes_whatever_it_is_given,
        a_null_path_has_each_ops_own_code;
}

/// Every path of the corpus, judged by every op that takes one.
#[test]
fn both_servers_give_the_same_verdict_on_every_path() {
    if !Kind::Java.is_installed() {
        return;
    }
    let corpus = corpus();
    let mut verdicts = BTreeMap::new();
    for kind in [Kind::Java, Kind::Ours] {
        Server::shared(kind, &PLAIN, |server| {
            // The same node on both: what a path's meaning depends on is the same.
            let scene = Scene { server, root: "/corpus".to_owned() };
            let mut client = scene.client();
            client.ok(&create("~/a"));
            let found = corpus.iter().map(|path| client.codes(&asked(path))).collect::<Vec<_>>();
            verdicts.insert(kind, found);
        });
    }
    let differ = |n: &usize| verdicts[&Kind::Ours][*n] != verdicts[&Kind::Java][*n];
    let differing: Vec<_> = (0..corpus.len())
        .filter(differ)
        .map(|n| (&corpus[n], &verdicts[&Kind::Java][n], &verdicts[&Kind::Ours][n]))
        .collect();
    assert!(differing.is_empty(), "path, codes of Java, codes of ours: {differing:#?}");
}

fn asked(path: &str) -> [Request; 11] {
    [
        exists(path, false),
        get_data(path, false),
        get_children(path, false),
        get_acl(path),
        set_data(path, &b""[..], 1000),
        set_acl(path, Some(&[Acl::open()]), 1000),
        delete(path, 1000),
        create(path),
        create_as(1, path, 2),
        multi(&[delete(path, 1000)]),
        delete(path, -1),
    ]
}

/// Short sequences of the pieces that paths go wrong with, below a node, the root and nothing.
fn corpus() -> Vec<String> {
    const PIECES: [&str; 14] = [
        "/",
        ".",
        "a",
        "..",
        "\0",
        "\u{1f}",
        "\u{7f}",
        "\u{a0}",
        "é",
        "\u{d7ff}",
        "\u{e000}",
        "\u{f900}",
        "\u{fff0}",
        "\u{10000}",
    ];
    let mut corpus = Vec::new();
    for first in PIECES {
        for second in PIECES {
            corpus.push(format!("~/a/{first}{second}"));
            corpus.push(format!("~{first}{second}"));
            for third in ["/", ".", "a"] {
                corpus.push(format!("~/{first}{second}{third}"));
                corpus.push(format!("{first}{second}{third}"));
            }
        }
    }
    // Nodes below the root would stay for other tests to trip over.
    corpus.retain(|path| !(path.starts_with('/') && path.matches('/').count() == 1));
    corpus
}
