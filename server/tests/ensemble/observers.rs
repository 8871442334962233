//! A member without a vote: it serves like the others, and the others do not need it.

use crate::ensemble::Ensemble;
use crate::load::Load;
use crate::member::{Role, Seat};
use crate::server::{Config, Kind};
use crate::tools::require;

fn check(voter: Kind, observer: Kind) {
    if [voter, observer].contains(&Kind::Java) && !require(&["java", "zookeeper-java", "slf4j"]) {
        return;
    }
    let mut seats = vec![Seat { kind: voter, is_observer: false }; 3];
    seats.push(Seat { kind: observer, is_observer: true });
    let mut ensemble = Ensemble::new(&seats, &Config::default());
    ensemble.start_led_by(3);
    assert_eq!(ensemble[OBSERVER].role(), Some(Role::Observer));
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(50);
    ensemble[3].kill9();
    load.await_more(50);
    ensemble[3].start();
    ensemble.await_leader();
    ensemble[OBSERVER].kill9();
    load.await_more(50);
    ensemble[OBSERVER].start();
    ensemble.await_leader();
    load.await_more(50);
    let mut account = load.stop();
    account.check(&ensemble);

    // One voter and the observer are no quorum.
    ensemble[1].kill9();
    ensemble[2].kill9();
    ensemble.await_no_leader();
    ensemble[1].start();
    ensemble[2].start();
    ensemble.await_leader();
    let mut load = Load::resume(account);
    load.await_more(50);
    load.stop().check(&ensemble);
}

const OBSERVER: usize = 4;

#[test]
fn ours_observes_ours() {
    check(Kind::under_test(), Kind::under_test());
}

#[test]
fn ours_observes_java() {
    check(Kind::Java, Kind::under_test());
}

#[test]
fn java_observes_ours() {
    check(Kind::under_test(), Kind::Java);
}
