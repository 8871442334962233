//! A Go program on Debian's Go client: create, get, update with the version, a watch event.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::program::{clients, run};
use crate::server::{Config, Server};
use crate::tools::require;

#[test]
fn a_go_program_creates_updates_and_sees_the_change() {
    if !require(&["go", "go-zookeeper"]) {
        return;
    }
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("go");
    let program = built.join("client");
    let mut build = Command::new("go");
    build.args(["build", "-o"]).arg(&program).arg(clients("go/main.go"));
    // Debian's packages of Go sources are a GOPATH, not modules.
    build.envs([("GO111MODULE", "off"), ("GOPATH", "/usr/share/gocode"), ("GOFLAGS", "")]);
    build.env("GOCACHE", built.join("cache"));
    run(&mut build, Duration::from_secs(300)).or_fail("go build");

    let server = Server::under_test(&Config::default());
    let mut client = Command::new(&program);
    client.arg(server.address().to_string());
    let finished = run(&mut client, Duration::from_secs(120)).or_fail("the Go program");
    assert!(finished.out.ends_with("done\n"), "{}", finished.out);
}
