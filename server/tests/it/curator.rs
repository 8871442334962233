//! Curator's recipes on Debian's jars: locks, a leader latch, a cache, a counter, a transaction.

use std::time::Duration;

use crate::curator_program::command;
use crate::program::run;
use crate::server::{Config, Server};

#[test]
fn curator_recipes_keep_their_promises() {
    let Some(mut recipes) = command("Recipes") else { return };
    let server = Server::under_test(&Config::default());
    recipes.arg(server.address().to_string());
    let finished = run(&mut recipes, Duration::from_secs(240)).or_fail("the recipes");
    assert!(finished.out.ends_with("done\n"), "{}\n{}", finished.out, finished.err);
}
