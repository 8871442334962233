//! Subtrees on the move: what is exported, imported or copied is the same as before.

use std::fmt::Write;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use tempfile::TempDir;

use crate::deadline::await_until;
use crate::server::{Kind, Server};
use crate::tools::require;
use crate::zkcli::{BINARY, Finished, one_shot, run};

fn ok(server: &Server, words: &[&str]) -> Finished {
    let finished = one_shot(&server.address(), words);
    assert_eq!(finished.code, Some(0), "{words:?}: {}", finished.err);
    finished
}

fn scratch() -> TempDir {
    let folder = TempDir::with_prefix_in("moves-", env!("CARGO_TARGET_TMPDIR"));
    folder.expect("the build folder is writable")
}

fn text(path: &Path) -> &str {
    path.to_str().expect("scratch paths are text")
}

const NODES: &str = "create /s top\ncreate /s/null\ncreate /s/empty ''\ncreate /s/binary x\n\
                     set -b /s/binary AP8KDQB7\ncreate '/s/with blank' \"it's\"\ncreate /s/é ü\n\
                     create /s/deep x\ncreate /s/deep/er y world:anyone:r,ip:127.0.0.1:cdrwa\n\
                     create /s/deep/er/est z\ncreate -e /s/session x\n";

#[test]
fn an_export_is_imported_as_it_was() {
    let server = Server::ours();
    let folder = scratch();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let mut shell = Command::new(BINARY);
    assert_eq!(run(shell.args(["-server", &server.address()]), NODES).code, Some(0));
    let exported = ok(&server, &["export", "-o", text(&first), "/s"]);
    assert!(exported.err.starts_with("1 nodes with all below them were not written: ephemeral"));
    let imported = ok(&server, &["import", "-i", text(&first), "/copy"]);
    assert_eq!(imported.answer(), "9 nodes created, 0 changed\n");
    ok(&server, &["export", "-o", text(&second), "/copy"]);
    let content = fs::read_to_string(&first).expect("it was written");
    assert_eq!(content, fs::read_to_string(&second).expect("it was written"));
    assert_eq!(content.lines().count(), 9);
    // Once more is refused, or changes what is there.
    let refused = one_shot(&server.address(), &["import", "-i", text(&first), "/copy"]);
    assert_eq!((refused.code, refused.err.as_str()), (Some(1), "Node already exists: /copy\n"));
    let again = ok(&server, &["import", "-f", "-i", text(&first), "/copy"]);
    assert_eq!(again.answer(), "0 nodes created, 9 changed\n");
}

#[test]
fn an_export_goes_from_javas_server_to_ours() {
    if !require(&["java", "zookeeper-java", "slf4j"]) {
        return;
    }
    let (java, ours) = (Server::new(Kind::Java, ""), Server::ours());
    let mut shell = Command::new(BINARY);
    assert_eq!(run(shell.args(["-server", &java.address()]), NODES).code, Some(0));
    let stream = ok(&java, &["--output", "json", "export", "/s"]).out;
    let mut shell = Command::new(BINARY);
    shell.args(["--output", "json", "-server", &ours.address(), "import", "/s"]);
    assert_eq!(run(&mut shell, &stream).out, "{\"changed\":0,\"created\":9}\n");
    assert_eq!(ok(&ours, &["--output", "json", "export", "/s"]).out, stream);
}

#[test]
fn a_hundred_thousand_nodes_are_the_same_after_a_round_trip() {
    let server = Server::ours();
    let folder = scratch();
    let (first, second) = (folder.path().join("first"), folder.path().join("second"));
    let mut lines = String::from("{\"data\":null,\"path\":\"/\"}\n");
    for group in 0..100 {
        writeln!(lines, "{{\"data\":\"group\",\"path\":\"/g{group:03}\"}}")
            .expect("it is a string");
        for node in 0..999 {
            let data = "x".repeat(node % 50);
            writeln!(lines, "{{\"data\":\"{data}\",\"path\":\"/g{group:03}/n{node:04}\"}}")
                .expect("it is a string");
        }
    }
    fs::write(&first, &lines).expect("the scratch folder is writable");
    let imported = ok(&server, &["import", "-i", text(&first), "/big"]);
    assert_eq!(imported.answer(), "100001 nodes created, 0 changed\n");
    ok(&server, &["export", "-o", text(&second), "/big"]);
    let exported = fs::read_to_string(&second).expect("it was written");
    assert!(exported == lines, "what came out is not what went in");
    ok(&server, &["deleteall", "/big"]);
    assert_eq!(ok(&server, &["ls", "/"]).answer(), "[zookeeper]\n");
}

#[test]
fn a_ttl_that_a_line_names_is_given_to_the_node() {
    let settings = "extendedTypesEnabled=true\nznode.container.checkIntervalMs=100";
    let server = Server::new(Kind::Ours, settings);
    let mut shell = Command::new(BINARY);
    shell.args(["-server", &server.address(), "import", "/"]);
    let line = "{\"path\":\"/brief\",\"data\":\"x\",\"ttl_ms\":1}\n";
    assert_eq!(run(&mut shell, line).answer(), "1 nodes created, 0 changed\n");
    await_until("the node goes", Duration::from_secs(30), || {
        (ok(&server, &["ls", "/"]).answer() == "[zookeeper]\n").then_some(())
    });
}

#[test]
fn a_subtree_is_copied_but_never_into_itself() {
    let server = Server::ours();
    let mut shell = Command::new(BINARY);
    assert_eq!(run(shell.args(["-server", &server.address()]), NODES).code, Some(0));
    assert_eq!(ok(&server, &["cp", "/s", "/t"]).answer(), "9 nodes created, 0 changed\n");
    let of = |path: &str| ok(&server, &["--output", "json", "export", path]).out;
    assert_eq!(of("/s"), of("/t"));
    for target in ["/s", "/s/deep/copy"] {
        let refused = one_shot(&server.address(), &["cp", "/s", target]);
        assert_eq!(refused.code, Some(1));
        assert!(refused.err.contains("a copy would never end"), "{}", refused.err);
    }
    ok(&server, &["set", "/s/deep", "new"]);
    assert_eq!(ok(&server, &["cp", "-f", "/s", "/t"]).answer(), "0 nodes created, 9 changed\n");
    assert_eq!(of("/s"), of("/t"));
}

#[test]
fn an_import_that_cannot_be_names_file_and_line() {
    let server = Server::ours();
    let folder = scratch();
    let file = folder.path().join("broken");
    fs::write(&file, "{\"path\":\"/\"}\n\n{\"path\":\"/a\",\"data\":7}\n").expect("it is writable");
    let good = folder.path().join("good");
    fs::write(&good, "{\"path\":\"/\"}\n").expect("it is writable");
    let name = text(&file);
    for (words, expected) in [
        (&["import", "-i", name, "/x"][..], format!("{name}:3: `data` is no text")),
        (&["import", "-i", "/nowhere", "/x"], "/nowhere: No such file".to_owned()),
        (&["export", "-o", "/nowhere/x", "/"], "/nowhere/x.partial: No such file".to_owned()),
        (&["import", "-i", text(&good), "/a/b"], "Node does not exist: /a/b".to_owned()),
    ] {
        let failed = one_shot(&server.address(), words);
        assert_eq!(failed.code, Some(1), "{words:?}");
        assert!(failed.err.starts_with(&expected), "{words:?}: {}", failed.err);
    }
}
