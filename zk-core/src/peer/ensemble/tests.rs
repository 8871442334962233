//! Whole ensembles on perfect disks and wires: what roles do together. Faults are the simulator's.

mod cluster;
mod naming;
mod reconfig;
mod shown;

use zk_wire::{Op, ServerId, Zxid};

use super::*;
use cluster::Cluster;

#[test]
fn three_fresh_servers_elect_the_highest_and_serve() {
    let mut cluster = Cluster::new(3);
    cluster.run();
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 FOLLOWING 3 LEADING");
    for sid in 1..=3 {
        assert!(cluster.peer(sid).is_serving());
        let tree = cluster.peer(sid).database().tree();
        let config = tree.node(tree.lookup("/zookeeper/config").unwrap());
        assert_eq!(config.data, Some(&b"version=0"[..]));
        assert_eq!((config.stat.version, config.stat.mzxid), (-1, 0));
    }
}

#[test]
fn a_write_through_a_follower_is_read_everywhere() {
    let mut cluster = Cluster::new(3);
    cluster.run();
    let client = cluster.connect(1);
    assert_eq!(cluster.create(client, "/a"), 0);
    for sid in 1..=3 {
        assert!(cluster.has(sid, "/a"), "server.{sid}");
    }
    assert_eq!(cluster.create(client, "/a"), -110);
    let other = cluster.connect(3);
    assert_eq!(cluster.create(other, "/a/b"), 0);
    assert!(cluster.has(1, "/a/b"));
    assert_eq!(cluster.sync(client), 0);
}

#[test]
fn the_next_leader_has_what_was_acknowledged() {
    let mut cluster = Cluster::new(3);
    cluster.run();
    let client = cluster.connect(1);
    cluster.create(client, "/a");
    cluster.stop(3);
    cluster.run();
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 LEADING 3 down");
    assert!(cluster.has(1, "/a") && cluster.has(2, "/a"));
    let client = cluster.connect(1);
    assert_eq!(cluster.create(client, "/b"), 0);
    assert_eq!(cluster.peer(1).database().last_zxid().epoch(), Epoch(2));
}

#[test]
fn a_server_that_was_away_gets_what_it_lacks() {
    for keep in [500, 1] {
        let mut cluster = Cluster::keeping(3, keep);
        cluster.run();
        cluster.stop(1);
        let client = cluster.connect(2);
        for path in ["/a", "/b", "/c"] {
            assert_eq!(cluster.create(client, path), 0);
        }
        cluster.start(1);
        cluster.run();
        assert_eq!(cluster.roles(), "1 FOLLOWING 2 FOLLOWING 3 LEADING");
        assert!(cluster.has(1, "/c"), "{keep} txns are kept");
        let digests = (1..=3).map(|sid| cluster.peer(sid).database().tree().digest());
        let digests: BTreeSet<u64> = digests.collect();
        assert_eq!(digests.len(), 1);
    }
}

/// Members that keep one txn in memory; ten are missing to one of them.
fn with_a_laggard() -> Cluster {
    let mut cluster = Cluster::keeping(3, 1);
    cluster.run();
    let client = cluster.connect(2);
    assert_eq!(cluster.create(client, "/a"), 0);
    cluster.stop(1);
    for n in 0..10 {
        assert_eq!(cluster.create(client, &format!("/a/{n}")), 0);
    }
    cluster
}

#[test]
fn a_server_that_lacks_more_than_memory_has_gets_it_from_the_log() {
    let mut cluster = with_a_laggard();
    cluster.start(1);
    cluster.run();
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 FOLLOWING 3 LEADING");
    assert!(cluster.has(1, "/a/9"));
    assert_eq!(cluster.read_again(), 9);
    let client = cluster.connect(1);
    assert_eq!(cluster.create(client, "/b"), 0);
    assert!((1..=3).all(|sid| cluster.has(sid, "/b")));
}

#[test]
fn a_server_gets_a_snapshot_where_the_log_is_purged() {
    let mut cluster = with_a_laggard();
    cluster.purge(3);
    cluster.start(1);
    cluster.run();
    assert!(cluster.has(1, "/a/9") && cluster.peer(1).is_serving());
    assert_eq!(cluster.read_again(), 0);
}

#[test]
fn a_session_moves_between_servers_and_ends_for_all() {
    let mut cluster = Cluster::new(3);
    cluster.run();
    let client = cluster.connect(1);
    let session = cluster.session(client);
    let moved = cluster.reconnect(client, 2);
    assert_eq!(cluster.session(moved), session);
    assert_eq!(cluster.create(moved, "/a"), 0);
    cluster.ask(moved, Op::CloseSession, &[]);
    for sid in 1..=3 {
        assert!(!cluster.peer(sid).database().sessions().contains_key(&session), "server.{sid}");
    }
    let late = cluster.reconnect(moved, 3);
    assert_eq!(cluster.session(late), SessionId(0));
}

#[test]
fn the_leader_expires_the_sessions_of_its_followers() {
    let mut cluster = Cluster::new(3);
    cluster.run();
    let silent = cluster.connect(1);
    let session = cluster.session(silent);
    cluster.pass(3000);
    assert!(cluster.peer(1).database().sessions().contains_key(&session));
    cluster.ask(silent, Op::Ping, &[]);
    cluster.pass(3000);
    assert!(cluster.peer(1).database().sessions().contains_key(&session));
    cluster.pass(5000);
    assert!(!cluster.peer(1).database().sessions().contains_key(&session));
}

#[test]
fn a_leader_without_followers_gives_up() {
    let mut cluster = Cluster::new(3);
    cluster.run();
    cluster.stop(1);
    cluster.stop(2);
    cluster.pass(4000);
    assert_eq!(cluster.roles(), "1 down 2 down 3 LOOKING");
    assert!(!cluster.peer(3).is_serving());
    cluster.start(1);
    cluster.run();
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 down 3 LEADING");
    assert_eq!(cluster.peer(3).database().last_zxid(), Zxid::ZERO);
}

/// An attempt to lead that came to nothing left a promise behind. With the leader of an earlier epoch its
/// server could never follow again, and tried thousands of times a second.
#[test]
fn a_voter_that_promised_more_makes_all_move_to_a_later_epoch() {
    let mut cluster = Cluster::new(3);
    cluster.run();
    cluster.stop(1);
    cluster.promise(1, 7);
    cluster.start(1);
    cluster.run();
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 FOLLOWING 3 LEADING");
    let client = cluster.connect(1);
    assert_eq!(cluster.create(client, "/a"), 0);
    assert_eq!(cluster.peer(2).database().last_zxid().epoch(), Epoch(8));
}

#[test]
fn a_leader_that_leaves_is_followed_by_the_one_it_named_at_once() {
    let mut cluster = Cluster::new(3);
    cluster.run();
    let client = cluster.connect(1);
    cluster.create(client, "/a");
    cluster.terminate(3);
    cluster.pass(0);
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 LEADING 3 down");
    assert!(cluster.peer(1).is_serving() && cluster.peer(2).is_serving());
    assert!(cluster.has(1, "/a") && cluster.has(2, "/a"));
    cluster.start(3);
    cluster.run();
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 LEADING 3 FOLLOWING");
}

#[test]
fn a_member_alone_serves_reads_until_it_finds_a_leader() {
    let mut cluster = Cluster::new(3);
    cluster.run();
    let client = cluster.connect(1);
    cluster.create(client, "/a");
    cluster.stop(2);
    cluster.stop(3);
    cluster.pass(1500);
    assert!(!cluster.peer(1).is_read_only());
    cluster.pass(1000);
    assert!(cluster.peer(1).is_read_only() && !cluster.peer(1).is_serving());
    let reader = cluster.connect_read_only(1);
    assert_ne!(cluster.session(reader), SessionId(0));
    assert_eq!(cluster.exists(reader, "/a"), 0);
    assert_eq!(cluster.create(reader, "/b"), -119);
    assert_eq!(cluster.sync(reader), -119);
    assert_eq!(cluster.exists(reader, "/b"), -101);
    assert_eq!(cluster.ask(reader, Op::CloseSession, &[]), 0);
    cluster.start(2);
    cluster.run();
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 LEADING 3 down");
    assert!(!cluster.peer(1).is_read_only());
    assert_eq!(cluster.peer(1).database().sessions().len(), 1);
    let client = cluster.connect(1);
    assert_eq!(cluster.create(client, "/b"), 0);
}

/// It had no role and looked for none, but its deadline stayed where it was: the shell woke it for ever.
#[test]
fn a_member_that_ends_wants_nothing_more_when_its_leader_goes_first() {
    let mut cluster = Cluster::new(3);
    cluster.run();
    cluster.linger(1);
    cluster.terminate(1);
    cluster.stop(3);
    cluster.pass(10);
    assert_eq!(cluster.peer(1).deadline(), None);
}

#[test]
fn a_local_session_writes_without_a_txn_of_its_own() {
    let mut cluster = Cluster::with_local_sessions(3, false);
    cluster.run();
    for server in [1, 3] {
        let client = cluster.connect(server);
        let session = cluster.session(client);
        assert_eq!(cluster.create(client, &format!("/{server}")), 0);
        assert_eq!(cluster.create_ephemeral(client, "/e"), -120);
        assert!(cluster.peer(2).database().sessions().is_empty());
        let again = cluster.reconnect(client, server);
        assert_eq!(cluster.session(again), session);
        let elsewhere = cluster.reconnect(again, 2);
        assert_eq!(cluster.session(elsewhere), SessionId(0));
        assert_eq!(cluster.ask(again, Op::CloseSession, &[]), 0);
        let late = cluster.reconnect(again, server);
        assert_eq!(cluster.session(late), SessionId(0));
    }
}

#[test]
fn a_local_session_becomes_the_ensembles_with_its_first_ephemeral() {
    let mut cluster = Cluster::with_local_sessions(3, true);
    cluster.run();
    for server in [1, 3] {
        let client = cluster.connect(server);
        let session = cluster.session(client);
        assert_eq!(cluster.create_ephemeral(client, "/e"), 0);
        assert!(cluster.peer(2).database().sessions().contains_key(&session));
        let moved = cluster.reconnect(client, 2);
        assert_eq!(cluster.session(moved), session);
        cluster.ask(moved, Op::CloseSession, &[]);
        assert!(!cluster.has(1, "/e"));
    }
}

/// The leader's disk was behind those of its quorum, and so was its tree. As a snapshot it took a learner
/// back behind txns that the learner had acked; with the leader gone they were lost.
#[test]
fn a_leader_whose_disk_lags_streams_no_less_than_is_committed() {
    let mut cluster = Cluster::keeping(3, 0);
    cluster.run();
    let client = cluster.connect(2);
    cluster.hold_disk(3);
    assert_eq!(cluster.create(client, "/a"), 0);
    assert_eq!(cluster.create(client, "/b"), 0);
    assert!(!cluster.has(3, "/a"));
    cluster.stop(1);
    cluster.wipe(1);
    cluster.start(1);
    cluster.pass(500);
    assert!(!cluster.peer(1).is_serving());
    cluster.release_disk();
    cluster.pass(500);
    assert!(cluster.peer(1).is_serving());
    assert!(cluster.has(1, "/a") && cluster.has(1, "/b"));
}

/// Nothing of a DIFF is acked before UPTODATE, and a long one stopped being read half way.
#[test]
fn a_learner_reads_a_diff_of_any_length() {
    let mut cluster = Cluster::keeping(3, 100_000);
    cluster.run();
    let client = cluster.connect(2);
    cluster.stop(1);
    for _ in 0..60_000 {
        cluster.create(client, "/a");
    }
    cluster.start(1);
    cluster.watch_reading(1);
    cluster.run();
    assert!(cluster.peer(1).is_serving());
}

#[test]
fn a_leader_of_itself_alone_leads() {
    let mut cluster = Cluster::new(1);
    cluster.run();
    assert_eq!(cluster.roles(), "1 LEADING");
    let client = cluster.connect(1);
    assert_eq!(cluster.create(client, "/a"), 0);
    assert_eq!(cluster.peer(1).options().ensemble.as_ref().unwrap().me, ServerId(1));
}

/// A server whose volume was lost would elect another such, or a server that was away, with nothing.
#[test]
fn a_server_that_lost_its_database_has_no_vote_until_it_has_followed() {
    let mut cluster = Cluster::new(3);
    cluster.run();
    cluster.stop(1);
    let client = cluster.connect(2);
    cluster.create(client, "/a");
    // What server.2 acknowledged with server.3 is nowhere but on server.3.
    cluster.stop(3);
    cluster.stop(2);
    cluster.blank(2);
    cluster.start(2);
    cluster.start(1);
    cluster.pass(30_000);
    assert_eq!(cluster.roles(), "1 LOOKING 2 LOOKING 3 down");
    cluster.start(3);
    cluster.run();
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 FOLLOWING 3 LEADING");
    assert!(cluster.has(1, "/a") && cluster.has(2, "/a"));
    // From now on it counts like any other.
    cluster.stop(3);
    cluster.run();
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 LEADING 3 down");
}

#[test]
fn servers_that_are_all_empty_begin_a_new_ensemble_once_all_are_there() {
    let mut cluster = Cluster::guarded(3);
    cluster.start(1);
    cluster.start(3);
    cluster.pass(60_000);
    assert_eq!(cluster.roles(), "1 LOOKING 2 down 3 LOOKING");
    cluster.start(2);
    cluster.run();
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 FOLLOWING 3 LEADING");
    let client = cluster.connect(1);
    assert_eq!(cluster.create(client, "/a"), 0);
}

/// One server becomes three: the two new ones outvoted it elsewhere, and everything was gone.
#[test]
fn two_empty_servers_join_the_one_that_has_everything() {
    let mut cluster = Cluster::guarded(3);
    for sid in 1..=3 {
        cluster.start(sid);
    }
    cluster.run();
    let client = cluster.connect(1);
    assert_eq!(cluster.create(client, "/a"), 0);
    for sid in 1..=3 {
        cluster.stop(sid);
    }
    cluster.blank(2);
    cluster.blank(3);
    cluster.start(2);
    cluster.start(3);
    cluster.pass(60_000);
    assert_eq!(cluster.roles(), "1 down 2 LOOKING 3 LOOKING");
    cluster.start(1);
    cluster.run();
    assert_eq!(cluster.roles(), "1 LEADING 2 FOLLOWING 3 FOLLOWING");
    assert!((1..=3).all(|sid| cluster.has(sid, "/a")));
}
