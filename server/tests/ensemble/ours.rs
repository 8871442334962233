//! Three of ours.

use std::time::Duration;

use crate::deadline::await_until;
use crate::ensemble::{Ensemble, voters};
use crate::load::Load;
use crate::server::{Config, Kind};

fn three() -> [Kind; 3] {
    [Kind::under_test(); 3]
}

#[test]
fn five_leaders_killed_one_after_the_other_lose_nothing() {
    let mut ensemble = Ensemble::led_by(3, &three(), &Config::default());
    let mut load = Load::start(&ensemble.addresses());
    for _ in 0..5 {
        load.await_more(100);
        let leader = ensemble.await_leader();
        ensemble[leader].kill9();
        load.await_more(50);
        ensemble[leader].start();
        ensemble.await_leader();
    }
    load.await_more(100);
    load.stop().check(&ensemble);
}

#[test]
fn a_member_alone_says_whom_it_waits_for() {
    let mut ensemble = Ensemble::new(&voters(&three()), &Config::default());
    ensemble[1].start();
    await_until("it says so", Duration::from_secs(20), || {
        let log = ensemble[1].log();
        let line =
            log.lines().find(|line| line.contains("s, not in a quorum: waiting for a leader"))?;
        let (_, others) = line.split_once("; not reached ")?;
        assert!(others.contains("server.2 (127.0.0.1:") && others.contains("server.3 ("), "{line}");
        Some(())
    });
}
