//! Which ensemble a server's data is of: ids are found, kept, and compared.

use zk_wire::{EnsembleId, Epoch, Naming};

use super::cluster::Cluster;

fn proposed(id: u128, epoch: i32) -> Naming {
    Naming::Proposed { id: EnsembleId(id), epoch: Epoch(epoch) }
}

const OURS: Naming = Naming::Settled(EnsembleId(7));
const THEIRS: Naming = Naming::Settled(EnsembleId(8));

/// Three servers of ensemble 7 with a node; the third is down.
fn two_of_three() -> Cluster {
    let mut cluster = Cluster::new(3);
    for sid in 1..=3 {
        cluster.set_naming(sid, OURS);
    }
    cluster.run();
    let client = cluster.connect(1);
    assert_eq!(cluster.create(client, "/a"), 0);
    cluster.stop(3);
    cluster.run();
    cluster
}

#[test]
fn an_ensemble_without_an_id_gets_one_for_good() {
    let mut cluster = Cluster::new(3);
    cluster.run();
    let first = cluster.naming(1);
    assert!(first.settled().is_some(), "{first:?}");
    for round in 0..3 {
        for sid in 1..=3 {
            assert_eq!(cluster.naming(sid), first, "server.{sid}, round {round}");
        }
        cluster.stop(3 - round);
        cluster.run();
        cluster.start(3 - round);
        cluster.run();
    }
}

#[test]
fn a_member_without_an_id_takes_that_of_its_ensemble() {
    let mut cluster = two_of_three();
    cluster.wipe(3);
    cluster.set_naming(3, Naming::Unknown);
    cluster.start(3);
    cluster.run();
    assert_eq!(cluster.naming(3), OURS);
    assert!(cluster.has(3, "/a"));
}

/// A leader without an id takes the one that a follower has.
#[test]
fn an_id_that_one_member_has_becomes_that_of_all() {
    for named in 1..=3 {
        let mut cluster = Cluster::new(3);
        cluster.set_naming(named, OURS);
        cluster.run();
        let all = (1..=3).map(|sid| cluster.naming(sid));
        assert_eq!(all.collect::<Vec<_>>(), [OURS; 3], "server.{named}");
    }
}

/// The leader that proposed it died: the next one must not find another.
#[test]
fn a_proposal_that_may_be_settled_stays() {
    let mut cluster = Cluster::new(3);
    for (sid, naming) in [(1, proposed(5, 2)), (2, proposed(5, 2)), (3, proposed(4, 1))] {
        cluster.promise(sid, 2);
        cluster.follow_epoch(sid, 2);
        cluster.set_naming(sid, naming);
    }
    cluster.run();
    for sid in 1..=3 {
        assert_eq!(cluster.naming(sid), Naming::Settled(EnsembleId(5)), "server.{sid}");
    }
}

#[test]
fn a_stranger_is_told_and_ends_with_what_it_has() {
    let mut cluster = two_of_three();
    cluster.set_naming(3, THEIRS);
    let before = cluster.log_len(3);
    cluster.start(3);
    cluster.run();
    assert!(cluster.is_foreign(3));
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 LEADING 3 down");
    assert_eq!((cluster.naming(3), cluster.log_len(3)), (THEIRS, before));
}

/// It has the later history, and wins each election as long as it takes part.
#[test]
fn a_stranger_that_is_elected_ends_and_nobody_follows_it() {
    let mut cluster = two_of_three();
    cluster.stop(1);
    cluster.stop(2);
    cluster.run();
    cluster.set_naming(3, THEIRS);
    cluster.promise(3, 9);
    cluster.follow_epoch(3, 9);
    for sid in 1..=3 {
        cluster.start(sid);
    }
    cluster.pass(60_000);
    assert!(cluster.is_foreign(3));
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 LEADING 3 down");
    assert!(cluster.has(1, "/a") && cluster.has(2, "/a"));
    assert_eq!((cluster.naming(1), cluster.naming(2)), (OURS, OURS));
}

/// With one of each kind and no third, nobody knows who is the stranger: nobody leads, nobody ends.
#[test]
fn without_a_quorum_of_either_nobody_is_the_stranger() {
    let mut cluster = two_of_three();
    cluster.stop(2);
    cluster.set_naming(3, THEIRS);
    cluster.start(3);
    cluster.pass(60_000);
    assert!(!cluster.is_foreign(1) && !cluster.is_foreign(3));
    assert!(!cluster.peer(1).is_serving() && !cluster.peer(3).is_serving());
}
