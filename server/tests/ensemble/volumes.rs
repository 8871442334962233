//! Volumes that come back empty where that is known to be a loss (`db.autocreate=false`).

use std::time::Duration;

use crate::ensemble::Ensemble;
use crate::load::Load;
use crate::member::Seat;
use crate::server::{Config, Kind};
use crate::tools::require;

/// The second leads, the third is always ours.
fn check(others: Kind) {
    if others == Kind::Java && !require(&["java", "zookeeper-java", "slf4j"]) {
        return;
    }
    let seats = [others, others, Kind::under_test()];
    let seats = seats.map(|kind| Seat { kind, is_observer: false });
    let config = Config::default().property("zookeeper.db.autocreate=false");
    let mut ensemble = Ensemble::new(&seats, &config);
    for member in ensemble.members() {
        member.initialize();
    }
    ensemble.start_led_by(2);
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(50);

    // The others have everything: it comes back.
    ensemble[3].kill9();
    ensemble[3].wipe();
    load.await_more(50);
    ensemble[3].start();
    ensemble.await_level();
    load.await_more(50);

    // Only the leader has everything: without it nobody leads, whoever has more votes.
    ensemble[1].kill9();
    load.await_more(50);
    ensemble[3].kill9();
    ensemble[3].wipe();
    ensemble[2].kill9();
    ensemble[3].start();
    ensemble[1].start();
    ensemble.has_no_leader_for(LONG_ENOUGH_TO_ELECT);
    ensemble[2].start();
    ensemble.await_level();
    load.await_more(50);
    load.stop().check(&ensemble);
}

/// Elections take less than a second.
const LONG_ENOUGH_TO_ELECT: Duration = Duration::from_secs(4);

#[test]
fn an_empty_volume_does_not_vote_among_ours() {
    check(Kind::under_test());
}

#[test]
fn an_empty_volume_does_not_vote_among_javas() {
    check(Kind::Java);
}
