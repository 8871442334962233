//! Three of ours.

use crate::ensemble::Ensemble;
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
