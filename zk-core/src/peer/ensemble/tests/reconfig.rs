//! Members come and go while an ensemble works.

use zk_wire::ErrorCode;

use super::*;
use crate::quorum::plain::Plain;

fn members(cluster: &Cluster, sid: i64) -> String {
    cluster.peer(sid).members().expect("it is a member").text().replace('\n', " ")
}

fn three() -> Cluster {
    let mut cluster = Cluster::reconfigurable(3);
    cluster.run();
    cluster
}

#[test]
fn the_first_reign_gives_the_configuration_its_version() {
    let cluster = three();
    for sid in 1..=3 {
        assert_eq!(
            members(&cluster, sid),
            "server.1=at1:participant server.2=at2:participant server.3=at3:participant \
             version=100000000"
        );
        let tree = cluster.peer(sid).database().tree();
        let config = tree.node(tree.lookup("/zookeeper/config").unwrap());
        assert_eq!((config.stat.version, config.stat.mzxid), (-1, 0x1_0000_0000));
        assert!(cluster.peer(sid).proposed_members().is_none());
    }
}

#[test]
fn a_server_joins_votes_and_leaves() {
    let mut cluster = three();
    cluster.add(4, Plain::voters(1..=4));
    cluster.run();
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 FOLLOWING 3 LEADING 4 FOLLOWING");
    let client = cluster.connect(1);
    assert_eq!(cluster.reconfig(client, "server.4=at4:participant", ""), 0);
    cluster.run();
    for sid in 1..=4 {
        assert!(members(&cluster, sid).contains("server.4=at4:participant"), "server.{sid}");
    }
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 FOLLOWING 3 LEADING 4 FOLLOWING");
    // Three of four are needed by now.
    cluster.stop(1);
    cluster.stop(2);
    cluster.pass(4000);
    assert!(cluster.roles().ends_with("3 LOOKING 4 LOOKING"), "{}", cluster.roles());
    cluster.start(2);
    cluster.run();
    let client = cluster.connect(4);
    assert_eq!(cluster.create(client, "/a"), 0);
    assert_eq!(cluster.reconfig(client, "", "1"), 0);
    cluster.run();
    let client = cluster.connect(2);
    assert_eq!(cluster.create(client, "/b"), 0);
    assert!(!members(&cluster, 2).contains("server.1="));
}

#[test]
fn a_leader_that_leaves_the_members_is_followed_by_another() {
    // Its own client is answered as well.
    for asked in [1, 3] {
        let mut cluster = three();
        let client = cluster.connect(asked);
        assert_eq!(cluster.reconfig(client, "", "3"), 0);
        cluster.run();
        assert_eq!(cluster.roles(), "1 FOLLOWING 2 LEADING 3 FOLLOWING");
        let client = cluster.connect(3);
        assert_eq!(cluster.create(client, "/a"), 0);
        assert!(cluster.has(1, "/a"));
        for sid in 1..=3 {
            assert!(!members(&cluster, sid).contains("server.3="), "server.{sid}");
        }
    }
}

#[test]
fn a_voter_becomes_an_observer_and_a_voter_again() {
    let mut cluster = three();
    let client = cluster.connect(3);
    assert_eq!(cluster.reconfig(client, "server.1=at1:observer", ""), 0);
    cluster.run();
    assert_eq!(cluster.roles(), "1 OBSERVING 2 FOLLOWING 3 LEADING");
    let client = cluster.connect(3);
    assert_eq!(cluster.reconfig(client, "server.1=at1:participant", ""), 0);
    cluster.run();
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 FOLLOWING 3 LEADING");
}

#[test]
fn a_server_that_was_away_learns_who_the_members_are() {
    let mut cluster = three();
    cluster.add(4, Plain::voters(1..=4));
    cluster.run();
    cluster.stop(1);
    let client = cluster.connect(2);
    assert_eq!(cluster.reconfig(client, "server.4=at4:participant", ""), 0);
    cluster.stop(3);
    cluster.start(1);
    cluster.run();
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 FOLLOWING 3 down 4 LEADING");
    assert_eq!(members(&cluster, 1), members(&cluster, 4));
}

#[test]
fn what_cannot_be_is_refused() {
    let mut cluster = three();
    let client = cluster.connect(1);
    let code = |code: ErrorCode| code.code();
    assert_eq!(cluster.reconfig(client, "nonsense", ""), code(ErrorCode::BadArguments));
    assert_eq!(
        cluster.reconfig(client, "server.4=at4:participant,server.5=at5:participant", "1,2"),
        code(ErrorCode::NewConfigNoQuorum)
    );
    assert_eq!(cluster.reconfig_of(client, "1", 5), code(ErrorCode::BadVersion));
    assert_eq!(cluster.reconfig_of(client, "1", 0x1_0000_0000), 0);
}

/// The leader dies between the proposal of a configuration and its commit: whoever has it in its log leaves
/// nobody in doubt.
#[test]
fn the_next_leader_completes_what_was_proposed() {
    let mut cluster = three();
    cluster.add(4, Plain::voters(1..=4));
    cluster.run();
    cluster.stop(1);
    let client = cluster.connect(3);
    cluster.hold_disk(3);
    cluster.reconfig_unheard(client, "server.4=at4:participant");
    assert!(cluster.peer(2).proposed_members().is_some());
    assert!(!members(&cluster, 2).contains("server.4="));
    cluster.stop(3);
    cluster.start(1);
    cluster.run();
    assert_eq!(cluster.roles(), "1 FOLLOWING 2 LEADING 3 down 4 FOLLOWING");
    for sid in [1, 2, 4] {
        assert!(members(&cluster, sid).contains("server.4="), "server.{sid}");
        assert!(cluster.peer(sid).proposed_members().is_none());
    }
}
