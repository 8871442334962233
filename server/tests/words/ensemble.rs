//! Members of ensembles: follower, leader and observer, and members that have lost their quorum.

use std::time::Duration;

use crate::deadline::await_until;
use crate::member::{Member, Role, Seat};
use crate::place::{Place, membership};
use crate::server::{Config, Kind};
use crate::shape::shape;
use crate::visitor::{Visitor, word};
use crate::{COUNTED_ALIKE, WORDS, check_metrics, check_words, has_java};

/// A follower, a leader and an observer of one kind.
struct Ensemble {
    members: [Member; 3],
}

impl Ensemble {
    /// Members of which none runs: server.1 and server.2 vote, server.3 observes.
    fn new(kind: Kind) -> Self {
        let places = [1, 2, 3].map(|sid| (sid, Place::on_loopback()));
        let is_observer = [false, false, true];
        let membership = membership(places.iter().map(|(_, place)| place).zip(is_observer));
        let config = Config::default();
        let members = places.map(|(sid, place)| {
            let seat = Seat { kind, is_observer: is_observer[sid - 1] };
            Member::new(sid, seat, &config, place, &membership)
        });
        Self { members }
    }

    /// One member, for which there is no quorum.
    fn begin(&mut self) {
        let [first, ..] = &mut self.members;
        first.start();
        await_until("a member listens", LIMIT, || first.word("ruok"));
    }

    /// All members. With empty logs the larger number wins.
    fn complete(&mut self) {
        for member in &mut self.members[1..] {
            member.start();
        }
        for (member, role) in self.members.iter().zip(ROLES) {
            await_until("a member serves", LIMIT, || member.role().filter(|is| *is == role));
        }
    }

    /// Takes the follower away and waits until the others have noticed.
    fn lose_quorum(&mut self) {
        self.members[0].kill9();
        for member in &self.members[1..] {
            let is_idle = || member.word("isro").filter(|answer| answer == "null");
            await_until("a member serves no longer", LIMIT, is_idle);
        }
    }

    /// A visitor of each member. All see the same tree when the last of them is done.
    fn visit(&self) -> Vec<Visitor> {
        for member in &self.members {
            word(member.address(), b"srst");
        }
        let names = self.members.iter().zip(["follower", "leader", "observer"]);
        let mut visitors: Vec<_> =
            names.map(|(member, name)| Visitor::new(member.address(), name)).collect();
        visitors.iter_mut().for_each(Visitor::sync);
        visitors
    }
}

#[test]
fn members_answer_in_javas_form_whatever_their_role() {
    if !has_java() {
        return;
    }
    let mut ensembles = [Kind::Ours, Kind::Java].map(Ensemble::new);
    ensembles.iter_mut().for_each(Ensemble::begin);
    check_without_quorum(&ensembles, 0);

    ensembles.iter_mut().for_each(Ensemble::complete);
    let both = |index: usize| ensembles.each_ref().map(|e| e.members[index].address());
    for index in 0..ROLES.len() {
        check_metrics(both(index), COUNTED_SINCE_START);
    }
    let _visitors = ensembles.each_ref().map(Ensemble::visit);
    for index in 0..ROLES.len() {
        check_metrics(both(index), COUNTED_ALIKE);
        check_metrics(both(index), COUNTED_BY_MEMBERS);
        check_words(both(index));
    }

    ensembles.iter_mut().for_each(Ensemble::lose_quorum);
    check_without_quorum(&ensembles, 1);
    check_without_quorum(&ensembles, 2);
}

/// Members that do not serve say so in the same words, to the byte.
#[track_caller]
fn check_without_quorum(ensembles: &[Ensemble; 2], index: usize) {
    for asked in WORDS {
        let [ours, java] = ensembles.each_ref().map(|e| word(e.members[index].address(), asked));
        if asked == b"envi" {
            assert_eq!(shape(asked, &ours), shape(asked, &java));
        } else {
            assert_eq!(ours, java, "{}", asked.escape_ascii());
        }
    }
}

const ROLES: [Role; 3] = [Role::Follower, Role::Leader, Role::Observer];

/// What has happened once to each member that serves, and what it is.
const COUNTED_SINCE_START: &[&str] = &[
    "zk_cnt_follower_sync_time",
    "zk_cnt_leader_unavailable_time",
    "zk_cnt_observer_sync_time",
    "zk_cnt_unavailable_time",
    "zk_last_proposal_size",
    "zk_learners",
    "zk_max_proposal_size",
    "zk_min_proposal_size",
    "zk_observer_master_id",
    "zk_peer_state",
    "zk_pending_syncs",
    "zk_quorum_size",
    "zk_server_state",
    "zk_synced_followers",
    "zk_synced_non_voting_followers",
    "zk_synced_observers",
];

/// What visitors of all members have led to.
const COUNTED_BY_MEMBERS: &[&str] = &[
    "zk_last_proposal_size",
    "zk_learner_commit_received_count",
    "zk_learner_proposal_received_count",
    "zk_max_proposal_size",
    "zk_min_proposal_size",
    "zk_proposal_count",
];

const LIMIT: Duration = Duration::from_secs(60);
