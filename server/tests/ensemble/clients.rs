//! What clients of other languages build on an ensemble: kazoo's test-suite, Curator's recipes.

use std::time::Duration;

use zk_wire::CreateFlags;

use crate::client::Failure;
use crate::curator_program::command;
use crate::deadline::await_until;
use crate::ensemble::Ensemble;
use crate::kazoo_suite;
use crate::place::Place;
use crate::program::run;
use crate::server::{Config, Kind};
use crate::session::Session;

#[test]
fn kazoo_passes_its_own_tests_on_three_members() {
    let ports = [(); 3].map(|()| Place::on_loopback().ports());
    kazoo_suite::passes(&ports, "deselected_together.txt");
}

#[test]
fn curator_recipes_live_through_the_loss_of_leaders() {
    let Some(mut recipes) = command("Failover") else { return };
    let mut ensemble = Ensemble::led_by(3, &[Kind::under_test(); 3], &Config::default());
    let addresses: Vec<_> = ensemble.addresses().iter().map(ToString::to_string).collect();
    recipes.arg(addresses.join(","));
    let finished = std::thread::scope(|scope| {
        let program = scope.spawn(|| run(&mut recipes, RECIPES_LIMIT));
        let mut session = Session::new(&ensemble.addresses(), 0);
        await_until("the recipes are ready", RECIPES_LIMIT, || {
            let is_ready = session.get("/ready").is_ok();
            (is_ready || program.is_finished()).then_some(())
        });
        for _ in 0..2 {
            let leader = ensemble.await_leader();
            ensemble[leader].kill9();
            ensemble.await_leader();
            ensemble[leader].start();
        }
        ensemble.await_leader();
        await_until("the recipes may go on", RECIPES_LIMIT, || {
            if !session.is_attached() {
                session.attach();
            }
            match session.create("/go", b"", CreateFlags::Persistent) {
                Err(Failure::Lost(_)) => None,
                // It may have been there since before the connection was lost.
                Ok(()) | Err(Failure::Code(_) | Failure::Refused) => Some(()),
            }
        });
        program.join().expect("the program ended in time")
    });
    let finished = finished.or_fail("the recipes");
    print!("{}", finished.out);
    assert!(finished.out.ends_with("done\n"), "{}\n{}", finished.out, finished.err);
}

const RECIPES_LIMIT: Duration = Duration::from_secs(120);
