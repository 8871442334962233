//! One member after the other is replaced under load, on its own data directory: by the other kind and
//! back, or by itself.

use crate::ensemble::Ensemble;
use crate::load::Load;
use crate::server::{Config, Kind};
use crate::tools::require;

/// Starts three of the first kind, then replaces them by each kind that follows.
fn check(kinds: &[Kind]) {
    let (first, next) = kinds.split_first().expect("there is a first kind");
    let mut ensemble = Ensemble::led_by(2, &[*first; 3], &Config::default());
    let mut load = Load::start(&ensemble.addresses());
    for kind in next {
        // The leader is the second: leaders change in the middle, and again.
        for sid in [1, 2, 3] {
            load.await_more(30);
            let status = ensemble[sid].sigterm();
            println!("server.{sid}, {:?}, ended: {status}", ensemble[sid].kind());
            ensemble[sid].start_as(*kind);
            ensemble.await_level();
        }
    }
    load.await_more(50);
    load.stop().check(&ensemble);
}

#[test]
fn java_is_replaced_by_ours_and_ours_by_java() {
    if require(&["java", "zookeeper-java", "slf4j"]) {
        check(&[Kind::Java, Kind::under_test(), Kind::Java]);
    }
}

#[test]
fn ours_are_restarted_one_after_the_other() {
    check(&[Kind::under_test(); 4]);
}
