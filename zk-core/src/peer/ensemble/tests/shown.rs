//! What members show of their ensemble.

use super::*;
use crate::MemberStats;

#[test]
fn a_leader_shows_its_learners_and_its_proposals() {
    let mut cluster = Cluster::new(3);
    cluster.run();
    let client = cluster.connect(1);
    cluster.create(client, "/a");
    cluster.run();
    let reign = cluster.peer(3).reign(cluster.now().mono).expect("it leads");
    let shown = (reign.learners.len(), reign.synced_followers, reign.synced_non_voting_followers);
    assert_eq!(shown, (2, 2, 0));
    assert!(reign.age_ms > 0 && reign.synced_observers == 0 && reign.pending_syncs == 0);
    let MemberStats { looked, elections, unavailable, proposed, .. } = member(&cluster, 3);
    assert_eq!((looked, elections.count, unavailable.count, proposed), (1, 1, 1, 2));
}

#[test]
fn a_follower_shows_its_leader_and_what_came_from_it() {
    let mut cluster = Cluster::new(3);
    cluster.run();
    let client = cluster.connect(2);
    cluster.create(client, "/a");
    cluster.run();
    let follower = cluster.peer(1);
    assert_eq!((follower.reign(cluster.now().mono), follower.leader()), (None, Some(ServerId(3))));
    let stats = member(&cluster, 1);
    assert_eq!((stats.proposals_received, stats.commits_received, stats.proposed), (2, 2, 0));
    assert_eq!((stats.follower_syncs.count, stats.leader_unavailable.count), (1, 0));
    assert_eq!(follower.session_count(), 1);
}

#[test]
fn a_new_reign_begins_with_its_epoch_and_without_proposals() {
    let mut cluster = Cluster::new(3);
    cluster.run();
    let client = cluster.connect(1);
    cluster.create(client, "/a");
    cluster.stop(3);
    cluster.run();
    let leader = cluster.peer(2);
    assert_eq!(leader.shown_zxid(), Zxid::new(Epoch(2), 0));
    assert_eq!(leader.database().last_zxid(), Zxid::new(Epoch(1), 2));
    let MemberStats { unavailable, proposal_sizes, .. } = member(&cluster, 2);
    assert_eq!((unavailable.count, proposal_sizes.count), (2, 0));
}

fn member(cluster: &Cluster, sid: i64) -> MemberStats {
    cluster.peer(sid).stats().member
}
