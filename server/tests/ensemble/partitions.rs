//! Members that do not hear each other, both ways or one way, and members that stand still.
//!
//! Clients reach everybody all the time, so a leader that is alone still takes what they ask for; it must not
//! acknowledge it.

use crate::ensemble::{Ensemble, voters};
use crate::load::Load;
use crate::mixed::{Mix, ONE_OF_OURS_LEADS, TWO_OF_OURS_FOLLOW};
use crate::network::Network;
use crate::server::{Config, Kind};
use crate::tools::require;

/// Which ways are cut; the leader is server.2.
type Cuts = &'static [(usize, usize)];

/// Whether clients are served while ways are cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Service {
    /// By the rest.
    GoesOn,
    /// Perhaps: members can be led to follow somebody whom they cannot reach.
    Unknown,
}

fn check(kinds: &[Kind; 3], cuts: Cuts, service: Service) {
    let Some(network) = Network::new(kinds.len()) else { return };
    let mut ensemble = Ensemble::on(network, &voters(kinds), &Config::default());
    ensemble.start_led_by(LEADER);
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(50);
    for &(from, to) in cuts {
        ensemble.network().cut(from, to);
    }
    match service {
        Service::GoesOn => load.await_more(50),
        Service::Unknown => ensemble.await_end_of_reign(LEADER),
    }
    for &(from, to) in cuts {
        ensemble.network().heal(from, to);
    }
    ensemble.await_leader();
    load.await_more(50);
    load.stop().check(&ensemble);
}

fn ours() -> [Kind; 3] {
    [Kind::under_test(); 3]
}

fn mixed(mix: Mix) -> Option<[Kind; 3]> {
    require(&["java", "zookeeper-java", "slf4j"]).then(mix.kinds)
}

const LEADER: usize = 2;
const LEADER_ALONE: Cuts = &[(2, 1), (1, 2), (2, 3), (3, 2)];
const LEADER_UNHEARD: Cuts = &[(2, 1), (2, 3)];
const LEADER_DEAF: Cuts = &[(1, 2), (3, 2)];
const LEADER_AND_ONE: Cuts = &[(2, 3), (3, 2)];
const FOLLOWER_UNHEARD: Cuts = &[(3, 2), (3, 1)];
const FOLLOWER_DEAF: Cuts = &[(2, 3), (1, 3)];

#[test]
fn a_leader_that_is_alone_is_replaced() {
    check(&ours(), LEADER_ALONE, Service::GoesOn);
}

#[test]
fn a_leader_of_ours_that_is_alone_is_replaced_by_java() {
    if let Some(kinds) = mixed(ONE_OF_OURS_LEADS) {
        check(&kinds, LEADER_ALONE, Service::GoesOn);
    }
}

#[test]
fn a_leader_of_javas_that_is_alone_is_replaced_by_ours() {
    if let Some(kinds) = mixed(TWO_OF_OURS_FOLLOW) {
        check(&kinds, LEADER_ALONE, Service::GoesOn);
    }
}

#[test]
fn a_leader_that_nobody_hears_is_replaced() {
    check(&ours(), LEADER_UNHEARD, Service::GoesOn);
}

#[test]
fn a_leader_that_hears_nobody_gives_up() {
    check(&ours(), LEADER_DEAF, Service::Unknown);
}

#[test]
fn a_leader_that_has_lost_one_follower_goes_on() {
    check(&ours(), LEADER_AND_ONE, Service::GoesOn);
}

#[test]
fn a_follower_that_nobody_hears_keeps_nobody_from_work() {
    check(&ours(), FOLLOWER_UNHEARD, Service::GoesOn);
}

#[test]
fn a_follower_that_hears_nobody_keeps_nobody_from_work() {
    check(&ours(), FOLLOWER_DEAF, Service::GoesOn);
}

/// Lets a member stand still until the others go on without it.
fn check_standstill(is_leader: bool) {
    let mut ensemble = Ensemble::led_by(LEADER, &ours(), &Config::default());
    let sid = if is_leader { LEADER } else { 1 };
    let mut load = Load::start(&ensemble.addresses());
    for _ in 0..2 {
        load.await_more(50);
        ensemble[sid].pause();
        load.await_more(50);
        ensemble.await_leader();
        ensemble[sid].resume();
        ensemble.await_leader();
    }
    load.await_more(50);
    load.stop().check(&ensemble);
}

#[test]
fn a_leader_that_stands_still_is_replaced_and_follows() {
    check_standstill(true);
}

#[test]
fn a_follower_that_stands_still_comes_back() {
    check_standstill(false);
}
