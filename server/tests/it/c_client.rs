//! The C client, `libzookeeper_mt`: a whole session with watches, ephemerals and a multi.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::program::{clients, run};
use crate::server::{Config, Server};
use crate::tools::require;

#[test]
fn the_c_client_works_through_a_session() {
    if !require(&["cc", "c-client"]) {
        return;
    }
    let built = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c");
    fs::create_dir_all(&built).expect("the build folder is writable");
    let program = built.join("session");
    let mut compile = Command::new("cc");
    // Without THREADED the header hides the calls that wait for their reply.
    compile.args(["-Wall", "-Werror", "-DTHREADED", "-o"]).arg(&program);
    compile.arg(clients("c/session.c")).args(["-lzookeeper_mt", "-lpthread"]);
    run(&mut compile, Duration::from_secs(120)).or_fail("cc");

    let server = Server::under_test(&Config::default());
    let mut session = Command::new(&program);
    session.arg(server.address().to_string());
    let finished = run(&mut session, Duration::from_secs(120)).or_fail("the C client");
    assert!(finished.out.ends_with("done\n"), "{}", finished.out);
}
