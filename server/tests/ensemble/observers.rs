//! A member without a vote: it serves like the others, and the others do not need it.

use crate::ensemble::Ensemble;
use crate::load::Load;
use crate::member::{Role, Seat};
use crate::network::Network;
use crate::server::{Config, Kind};
use crate::tools::require;

fn check(voter: Kind, observer: Kind) {
    if [voter, observer].contains(&Kind::Java) && !require(&["java", "zookeeper-java", "slf4j"]) {
        return;
    }
    let mut ensemble = Ensemble::new(&seats(voter, observer), &Config::default());
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

/// An observer that knows the voters by their port for observers only, which all have on hosts of their own.
fn check_by_masters(voter: Kind, observer: Kind) {
    if [voter, observer].contains(&Kind::Java) && !require(&["java", "zookeeper-java", "slf4j"]) {
        return;
    }
    let Some(network) = Network::new(OBSERVER) else { return };
    let seats = seats(voter, observer);
    let config = Config::default().setting("observerMasterPort=2191");
    let mut ensemble = Ensemble::on(network, &seats, &config);
    ensemble.start_led_by(3);
    assert_eq!(ensemble[OBSERVER].role(), Some(Role::Observer));
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(50);
    // Whoever it came by: each of them is gone once, the leader last.
    for sid in 1..=3 {
        ensemble[sid].kill9();
        ensemble.await_leader();
        load.await_more(50);
        ensemble[sid].start();
        ensemble.await_leader();
        load.await_more(50);
    }
    load.stop().check(&ensemble);
}

/// Three voters, and one who has no vote.
fn seats(voter: Kind, observer: Kind) -> Vec<Seat> {
    let mut seats = vec![Seat { kind: voter, is_observer: false }; 3];
    seats.push(Seat { kind: observer, is_observer: true });
    seats
}

const OBSERVER: usize = 4;

#[test]
fn java_observes_ours_by_the_port_for_observers() {
    check_by_masters(Kind::under_test(), Kind::Java);
}

#[test]
fn ours_observes_java_by_the_port_for_observers() {
    check_by_masters(Kind::Java, Kind::under_test());
}

#[test]
fn ours_observes_ours_by_the_port_for_observers() {
    check_by_masters(Kind::under_test(), Kind::under_test());
}

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
