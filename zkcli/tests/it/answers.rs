//! Answers that Java's shell does not give: as JSON, as drawings, as they come.

use serde_json::json;

use crate::server::Server;
use crate::zkcli::{Typed, json, one_shot};

/// A server with a small tree on it.
fn server_with(lines: &str) -> Server {
    let server = Server::ours();
    let mut shell = Typed::start(&["-server", &server.address()]);
    shell.types(lines);
    shell.types("quit\n");
    assert_eq!(shell.end(), Some(0));
    server
}

const TREE: &str = "create /t top\ncreate /t/a 12345\ncreate /t/a/x 123\ncreate /t/b 1\n\
                    create -c /t/c\nset -b /t/b /wA=\n";

#[test]
fn every_answer_is_one_json_value() {
    let server = server_with(TREE);
    let address = server.address();
    let ask = |words: &[&str]| json(&address, words);
    assert_eq!(ask(&["ls", "/t"])["children"], json!(["a", "b", "c"]));
    assert_eq!(ask(&["get", "/t"])["data"], json!("top"));
    assert_eq!(ask(&["get", "/t/b"])["base64"], json!("/wA="));
    assert_eq!(ask(&["get", "/t/c"])["data"], json!(null));
    assert_eq!(ask(&["stat", "/t"])["stat"]["numChildren"], json!(3));
    assert_eq!(ask(&["create", "/t/d"]), json!({ "created": "/t/d" }));
    assert_eq!(ask(&["set", "/t/d", "x"])["stat"]["version"], json!(1));
    assert_eq!(ask(&["delete", "/t/d"]), json!({ "deleted": "/t/d", "count": 1 }));
    let acl = json!([{ "scheme": "world", "id": "anyone", "perms": "cdrwa" }]);
    assert_eq!(ask(&["getAcl", "/t"])["acl"], acl);
    assert_eq!(ask(&["getAllChildrenNumber", "/t"])["count"], json!(4));
    assert_eq!(ask(&["whoami"]), json!(["ip:127.0.0.1"]));
    assert_eq!(ask(&["sync", "/t"]), json!({ "synced": "/t" }));
    assert_eq!(ask(&["setquota", "-n", "2", "/t"])["limits"]["count"], json!(2));
    assert_eq!(ask(&["listquota", "/t"])["used"]["count"], json!(5));
    assert_eq!(ask(&["deleteall", "/t"]), json!({ "deleted": "/t", "count": 5 }));
}

#[test]
fn a_failure_is_a_json_value_too() {
    let server = Server::ours();
    let failed = one_shot(&server.address(), &["--output", "json", "get", "/zookeper"]);
    assert_eq!((failed.code, failed.out.as_str()), (Some(1), ""));
    let told: serde_json::Value = serde_json::from_str(&failed.err).expect("it is JSON");
    let expected = json!({
        "error": "NoNode",
        "message": "Node does not exist: /zookeper",
        "path": "/zookeper",
        "advice": "did you mean /zookeeper?",
    });
    assert_eq!(told, expected);
}

#[test]
fn a_subtree_is_drawn_summed_and_searched() {
    let server = server_with(TREE);
    let answer = |words: &[&str]| {
        let finished = one_shot(&server.address(), words);
        assert_eq!((finished.code, finished.err.as_str()), (Some(0), ""), "{words:?}");
        finished.answer().to_owned()
    };
    assert_eq!(answer(&["tree", "/t"]), "/t\n├── a\n│   └── x\n├── b\n└── c\n");
    assert_eq!(answer(&["tree", "-d", "1", "/t"]), "/t\n├── a … 1\n├── b\n└── c\n");
    assert!(answer(&["tree", "-l", "/t/b"]).starts_with("/t/b  (2 bytes, version 1)\n"));
    let sums = answer(&["du", "/t"]);
    let sums: Vec<Vec<&str>> =
        sums.lines().skip(1).map(|line| line.split_whitespace().collect()).collect();
    let expected = [["2", "8", "/t/a"], ["1", "2", "/t/b"], ["1", "0", "/t/c"], ["5", "13", "/t"]];
    assert_eq!(sums, expected);
    assert_eq!(answer(&["find", "-name", "?", "/t"]), "/t\n/t/a\n/t/a/x\n/t/b\n/t/c\n");
    assert_eq!(answer(&["find", "-data", "123", "-name", "x*", "/"]), "/t/a/x\n");
    assert_eq!(answer(&["find", "-e", "/t"]), "");
    assert_eq!(answer(&["get", "-b", "/t/b"]), "/wA=\n");
}

#[test]
fn changes_are_followed_as_they_come() {
    let server = server_with("create /w old\n");
    let address = server.address();
    let watch = Typed::start(&["-server", &address, "watch", "-n", "4", "/w"]);
    watch.prints("watching /w and all below it");
    for (words, expected) in [
        (&["create", "/w/a", "one"][..], "NodeCreated /w/a (version 0) one"),
        (&["set", "/w/a", "two"], "NodeDataChanged /w/a (version 1) two"),
        (&["set", "-b", "/w", "/wA="], "NodeDataChanged /w (version 1) 2 bytes, base64 /wA="),
        (&["delete", "/w/a"], "NodeDeleted /w/a"),
    ] {
        assert_eq!(one_shot(&address, words).code, Some(0), "{words:?}");
        watch.prints(expected);
    }
    assert_eq!(watch.end(), Some(0));
}

#[test]
fn a_watch_has_the_credentials_of_the_shell() {
    let server = Server::ours();
    let mut shell = Typed::start(&["-server", &server.address()]);
    shell.types("addauth digest u:p\ncreate /own x auth::cdrwa\ngetAcl /own\n");
    shell.prints("'digest,'u:");
    shell.types("watch -n 1 /own\n");
    shell.prints("watching /own");
    let mut other = Typed::start(&["-server", &server.address()]);
    other.types("addauth digest u:p\nset /own seen\nquit\n");
    shell.prints("NodeDataChanged /own (version 1) seen");
    shell.types("quit\n");
    assert_eq!((other.end(), shell.end()), (Some(0), Some(0)));
}

#[test]
fn a_reader_that_goes_early_ends_the_command_in_silence() {
    let server = server_with(TREE);
    let line = format!("{} -server {} ls -R / | head -1", crate::zkcli::BINARY, server.address());
    let output = std::process::Command::new("sh").args(["-c", &line]).output();
    let output = output.expect("a shell starts");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
}

#[test]
fn an_ephemeral_node_outlives_the_command_that_made_it() {
    let server = Server::ours();
    let address = server.address();
    let made = one_shot(&address, &["-timeout", "40000", "create", "-e", "/mine"]);
    assert_eq!((made.code, made.err.as_str()), (Some(0), "Created /mine\n"));
    assert_eq!(one_shot(&address, &["ls", "/"]).answer(), "[mine, zookeeper]\n");
    // A session that is ended takes its node along.
    let mut shell = Typed::start(&["-server", &address]);
    shell.types("create -e /other\nquit\n");
    assert_eq!(shell.end(), Some(0));
    assert_eq!(one_shot(&address, &["ls", "/"]).answer(), "[mine, zookeeper]\n");
}

#[test]
fn a_chroot_is_the_root_of_all_paths() {
    let server = server_with("create /app x\ncreate /app/a y\n");
    let chroot = format!("{}/app", server.address());
    assert_eq!(one_shot(&chroot, &["ls", "-R", "/"]).answer(), "/\n/a\n");
    assert_eq!(one_shot(&chroot, &["create", "-s", "/n"]).err, "Created /n0000000001\n");
    let mut shell = Typed::start(&["-server", &chroot]);
    shell.types("get -w /a\nset /a z\n");
    shell.prints("type:NodeDataChanged path:/a ");
    shell.types("removewatches /a\n");
    shell.prints("KeeperErrorCode = No such watcher for /a");
    shell.types("close\nquit\n");
    assert_eq!(shell.end(), Some(0));
    assert_eq!(one_shot(&server.address(), &["get", "/app/a"]).answer(), "z\n");
}

#[test]
fn the_name_in_java_is_answered_to() {
    let folder = tempfile::TempDir::with_prefix_in("name-", env!("CARGO_TARGET_TMPDIR"));
    let folder = folder.expect("the build folder is writable");
    let link = folder.path().join("zkCli.sh");
    std::os::unix::fs::symlink(crate::zkcli::BINARY, &link).expect("the folder is writable");
    let server = Server::ours();
    let mut command = std::process::Command::new(link);
    command.args(["-server", &server.address(), "get", "/zookeeper"]);
    let finished = crate::zkcli::run(&mut command, "");
    assert_eq!((finished.code, finished.answer()), (Some(0), "\n"));
}
