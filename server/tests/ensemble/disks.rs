//! A member whose disk is full ends, and the others go on. It needs root.

use zk_wire::CreateFlags;

use crate::client::Failure;
use crate::ensemble::Ensemble;
use crate::load::Load;
use crate::member::Seat;
use crate::mount::Mount;
use crate::server::{Config, Kind};
use crate::session::Session;

fn check(full: usize) {
    let seats = [Seat { kind: Kind::under_test(), is_observer: false }; 3];
    let config = Config::default().property("zookeeper.preAllocSize=64");
    let mut ensemble = Ensemble::new(&seats, &config);
    let Some(disk) = Mount::new(&ensemble[full].path("data"), "size=4m") else { return };
    ensemble.start_led_by(LEADER);
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(50);

    let mut session = Session::new(&ensemble.addresses(), 0);
    session.create("/bulk", b"", CreateFlags::Persistent).expect("all is well");
    while ensemble[full].is_running() {
        if !session.is_attached() {
            session.attach();
        }
        match session.set("/bulk", &[0; BULK_BYTES]) {
            Ok(()) | Err(Failure::Lost(_)) => {}
            Err(why) => panic!("{why}"),
        }
    }
    let status = ensemble[full].await_end();
    assert!(!status.success(), "a full disk is no orderly end");
    load.await_more(50);
    ensemble.await_leader();

    disk.remount("size=64m");
    ensemble[full].start();
    ensemble.await_leader();
    load.await_more(50);
    let mut account = load.stop();
    account.extra.insert("bulk".to_owned());
    account.check(&ensemble);
    // What is mounted is used by its member.
    drop((ensemble, disk));
}

const LEADER: usize = 2;
const BULK_BYTES: usize = 100_000;

#[test]
fn a_follower_with_a_full_disk_keeps_nobody_from_work() {
    check(3);
}

#[test]
fn a_leader_with_a_full_disk_is_replaced() {
    check(LEADER);
}
