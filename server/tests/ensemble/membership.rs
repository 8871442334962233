//! Servers that become voters by themselves (`autoJoin.enabled=true`), and members that leave for good when a file
//! says so, under load. Nobody gives them a right to it, and no end without the file is taken for one for good.

use std::fs;
use std::time::Duration;

use crate::deadline::{await_until, within};
use crate::ensemble::Ensemble;
use crate::load::Load;
use crate::member::{Role, Seat};
use crate::reconfig::{await_role, shown};
use crate::server::{Config, Kind};
use crate::session::Session;
use crate::tools::require;

const JAVA: Kind = Kind::Java;

fn ours() -> Kind {
    Kind::under_test()
}

/// Two join at once, one ends and comes back, and both leave again.
fn check(kinds: [Kind; 3], leader: usize) -> Option<(Ensemble, Load)> {
    if kinds.contains(&JAVA) && !require(&["java", "zookeeper-java", "slf4j"]) {
        return None;
    }
    let config = Config::default()
        .setting("reconfigEnabled=true")
        .property("zookeeper.autoJoin.enabled=true");
    let mut ensemble = Ensemble::led_by(leader, &kinds, &config);
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(30);

    let seat = Seat { kind: ours(), is_observer: true };
    let joined = [ensemble.join(seat), ensemble.join(seat)];
    for sid in joined {
        await_role(&ensemble, sid, Role::Follower);
        await_voters(&ensemble, sid, &[1, 2, 3, 4, 5]);
    }
    load.await_more(30);

    assert!(ensemble[4].sigterm().success());
    load.await_more(30);
    await_voters(&ensemble, 5, &[1, 2, 3, 4, 5]);
    ensemble[4].start();
    ensemble.await_level();
    await_role(&ensemble, 4, Role::Follower);

    leave(&mut ensemble, 5);
    await_voters(&ensemble, 1, &[1, 2, 3, 4]);
    load.await_more(30);
    Some((ensemble, load))
}

fn leave(ensemble: &mut Ensemble, sid: usize) {
    let file = ensemble[sid].path("data/leave");
    fs::write(&file, "").expect("the folder is ours");
    assert!(ensemble[sid].sigterm().success());
    assert!(!file.exists(), "{}", ensemble[sid].log());
}

fn await_voters(ensemble: &Ensemble, through: usize, voters: &[usize]) {
    let is_voter =
        |text: &str, sid: usize| text.contains(&ensemble[sid].place().entry(sid, "participant"));
    await_until("the voters are these", LIMIT, || {
        let text = shown(ensemble, through);
        let all = 1..=ensemble.members().len();
        all.into_iter()
            .all(|sid| voters.contains(&sid) == is_voter_line(&text, sid, is_voter))
            .then_some(())
    });
}

/// The first members have no client's address in their lines.
fn is_voter_line(text: &str, sid: usize, has_entry: impl Fn(&str, usize) -> bool) -> bool {
    let line = text.lines().find(|line| line.starts_with(&format!("server.{sid}=")));
    line.is_some_and(|line| line.contains(":participant") && (sid <= 3 || has_entry(text, sid)))
}

#[test]
fn ours_grow_and_shrink_and_the_leader_may_leave_too() {
    let Some((mut ensemble, load)) = check([ours(); 3], 2) else { return };
    let leader = ensemble.await_leader();
    leave(&mut ensemble, leader);
    let rest: Vec<_> = (1..=4).filter(|sid| *sid != leader).collect();
    let next = ensemble.await_leader_of(&rest);
    await_voters(&ensemble, next, &rest);
    load.stop().check(&ensemble);
}

#[test]
fn those_led_by_java_grow_and_shrink() {
    let Some((ensemble, load)) = check([ours(), JAVA, ours()], 2) else { return };
    load.stop().check(&ensemble);
}

/// Whoever is taken out by hand stays out as long as it runs.
#[test]
fn one_that_was_taken_out_does_not_come_back_by_itself() {
    let config = Config::default()
        .setting("reconfigEnabled=true")
        .property("zookeeper.autoJoin.enabled=true")
        .property("zookeeper.skipACL=yes");
    let mut ensemble = Ensemble::led_by(3, &[ours(); 3], &config);
    let sid = ensemble.join(Seat { kind: ours(), is_observer: true });
    await_voters(&ensemble, 1, &[1, 2, 3, 4]);
    let mut session = Session::new(&[ensemble[1].address()], 0);
    let log = ensemble[sid].mark();
    session.reconfig("", "4").expect("it is a member");
    await_until("it knows that it is none", LIMIT, || {
        ensemble[sid].log_since(log).contains("holds from now on").then_some(())
    });
    // Some times as long as it waits between two attempts.
    let is_back =
        within(Duration::from_secs(2), || shown(&ensemble, 1).contains("server.4=").then_some(()));
    assert!(is_back.is_none(), "{}", ensemble[sid].log());
}

const LIMIT: Duration = Duration::from_secs(40);
