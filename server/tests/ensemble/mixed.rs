//! Ours and Java's in one ensemble: the leader of either kind is killed, or asked to end, under load.

use crate::ensemble::Ensemble;
use crate::load::Load;
use crate::server::{Config, Kind};
use crate::tools::require;

/// The members of a mixed ensemble and the number of its first leader.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mix {
    pub(crate) kinds: fn() -> [Kind; 3],
    pub(crate) leader: usize,
}

pub(crate) const ONE_OF_OURS_LEADS: Mix = Mix { kinds: || [JAVA, ours(), JAVA], leader: 2 };
pub(crate) const ONE_OF_OURS_FOLLOWS: Mix = Mix { kinds: || [JAVA, JAVA, ours()], leader: 2 };
pub(crate) const TWO_OF_OURS_LEAD: Mix = Mix { kinds: || [ours(), ours(), JAVA], leader: 2 };
pub(crate) const TWO_OF_OURS_FOLLOW: Mix = Mix { kinds: || [ours(), JAVA, ours()], leader: 2 };

const JAVA: Kind = Kind::Java;

fn ours() -> Kind {
    Kind::under_test()
}

impl Mix {
    /// Starts it, if Java is installed.
    pub(crate) fn start(self, config: &Config) -> Option<Ensemble> {
        let has_java = require(&["java", "zookeeper-java", "slf4j"]);
        has_java.then(|| Ensemble::led_by(self.leader, &(self.kinds)(), config))
    }
}

/// How a leader comes to its end.
#[derive(Clone, Copy, Debug)]
enum End {
    Killed,
    Asked,
}

fn check(mix: Mix, end: End) {
    let Some(mut ensemble) = mix.start(&Config::default()) else { return };
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(100);
    match end {
        End::Killed => ensemble[mix.leader].kill9(),
        End::Asked => drop(ensemble[mix.leader].sigterm()),
    }
    load.await_more(50);
    ensemble[mix.leader].start();
    ensemble.await_leader();
    load.await_more(50);
    load.stop().check(&ensemble);
}

#[test]
fn one_of_ours_leads_two_of_javas_and_is_killed() {
    check(ONE_OF_OURS_LEADS, End::Killed);
}

#[test]
fn one_of_ours_leads_two_of_javas_and_is_asked_to_end() {
    check(ONE_OF_OURS_LEADS, End::Asked);
}

#[test]
fn java_leads_one_of_ours_and_one_of_its_own_and_is_killed() {
    check(ONE_OF_OURS_FOLLOWS, End::Killed);
}

#[test]
fn java_leads_one_of_ours_and_one_of_its_own_and_is_asked_to_end() {
    check(ONE_OF_OURS_FOLLOWS, End::Asked);
}

#[test]
fn one_of_ours_leads_another_and_one_of_javas_and_is_killed() {
    check(TWO_OF_OURS_LEAD, End::Killed);
}

#[test]
fn one_of_ours_leads_another_and_one_of_javas_and_is_asked_to_end() {
    check(TWO_OF_OURS_LEAD, End::Asked);
}

#[test]
fn java_leads_two_of_ours_and_is_killed() {
    check(TWO_OF_OURS_FOLLOW, End::Killed);
}

#[test]
fn java_leads_two_of_ours_and_is_asked_to_end() {
    check(TWO_OF_OURS_FOLLOW, End::Asked);
}
