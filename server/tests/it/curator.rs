//! Curator's recipes on Debian's jars: locks, a leader latch, a cache, a counter, a transaction.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use crate::program::{clients, run};
use crate::server::{Config, Server};
use crate::tools::require;

#[test]
fn curator_recipes_keep_their_promises() {
    if !require(&["java", "javac", "zookeeper-java", "slf4j", "curator"]) {
        return;
    }
    let classes = Path::new(env!("CARGO_TARGET_TMPDIR")).join("curator");
    let mut compile = Command::new("javac");
    compile.args(["-cp", CLASS_PATH, "-d"]).arg(&classes).arg(clients("curator/Recipes.java"));
    run(&mut compile, Duration::from_secs(120)).or_fail("javac");

    let server = Server::under_test(&Config::default());
    let mut recipes = Command::new("java");
    recipes.args(["-XX:TieredStopAtLevel=1", "-cp"]);
    recipes.arg(format!("{CLASS_PATH}:{}", classes.display()));
    recipes.arg("Recipes").arg(server.address().to_string());
    let finished = run(&mut recipes, Duration::from_secs(240)).or_fail("the recipes");
    assert!(finished.out.ends_with("done\n"), "{}\n{}", finished.out, finished.err);
}

const CLASS_PATH: &str = "/usr/share/java/curator-recipes.jar:/usr/share/java/curator-framework.jar:\
                          /usr/share/java/curator-client.jar:/usr/share/java/guava.jar:\
                          /usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar";
