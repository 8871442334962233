//! A member comes back, and is brought up to date by DIFF from memory or from the log, by SNAP, or by TRUNC of what
//! only it has.

use std::fs;
use std::time::Duration;

use zk_wire::Op;

use crate::client::NewNode;
use crate::deadline::await_until;
use crate::ensemble::Ensemble;
use crate::load::Load;
use crate::member::Member;
use crate::mixed::{
    Mix, ONE_OF_OURS_FOLLOWS, ONE_OF_OURS_LEADS, TWO_OF_OURS_FOLLOW, TWO_OF_OURS_LEAD,
};
use crate::server::{Config, Kind};
use crate::session::Session;
use crate::sync::Sync;

/// Starts a member, waits until it serves, and sees how it was brought up to date.
fn rejoin(ensemble: &mut Ensemble, sid: usize, wanted: Sync) {
    let mark = ensemble[sid].mark();
    ensemble[sid].start();
    let leader = ensemble.await_leader();
    let (how, kinds) = (
        Sync::all(&ensemble[sid].log_since(mark)).last(),
        (ensemble[sid].kind(), ensemble[leader].kind()),
    );
    assert_eq!(
        how,
        Some(wanted),
        "server.{sid}, {:?}, of leader server.{leader}, {:?}",
        kinds.0,
        kinds.1
    );
    println!("{:?} had a {wanted:?} of {:?}", kinds.0, kinds.1);
}

/// A follower comes back after a short and after a long absence.
fn check_follower(mut ensemble: Ensemble, leader: usize) {
    let other_kind = |sid: &usize| ensemble[*sid].kind() != ensemble[leader].kind();
    let followers = ensemble.others(leader);
    let follower = followers.iter().copied().find(other_kind).unwrap_or(followers[0]);
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(50);
    let mut account = load.stop();

    ensemble[follower].kill9();
    account.write(20);
    rejoin(&mut ensemble, follower, Sync::Diff);
    account.check(&ensemble);

    ensemble[follower].kill9();
    account.write_bulk(ensemble[leader].address());
    let mut load = Load::resume(account);
    rejoin(&mut ensemble, follower, Sync::Snap);
    load.await_more(50);
    let mut account = load.stop();
    account.check(&ensemble);

    // What came by snapshot is on its disk too.
    ensemble[follower].kill9();
    account.write(20);
    rejoin(&mut ensemble, follower, Sync::Diff);
    account.check(&ensemble);
}

/// A follower comes back that lacks more than its leader has in memory, and less than that has on disk.
fn check_by_log(mut ensemble: Ensemble, leader: usize) {
    let follower = ensemble.others(leader)[0];
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(50);
    let mut account = load.stop();

    ensemble[follower].kill9();
    account.write_bulk(ensemble[leader].address());
    let mark = ensemble[leader].mark();
    let mut load = Load::resume(account);
    rejoin(&mut ensemble, follower, Sync::Diff);
    if ensemble[leader].kind() == Kind::under_test() {
        let log = ensemble[leader].log_since(mark);
        assert!(log.contains("Read the log for a learner"), "it was no DIFF from memory: {log}");
    }
    load.await_more(50);
    let mut account = load.stop();
    account.check(&ensemble);

    // What came is on its disk too.
    ensemble[follower].kill9();
    account.write(20);
    rejoin(&mut ensemble, follower, Sync::Diff);
    account.check(&ensemble);
}

/// A leader comes back with a proposal that nobody else has: to a leader that has committed nothing yet, or
/// to one that has.
fn check_leader(mut ensemble: Ensemble, leader: usize, wanted: Sync) {
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(50);
    let mut account = load.stop();
    let followers = ensemble.others(leader);
    propose_in_vain(&mut ensemble, leader);
    for sid in followers {
        ensemble[sid].start();
    }
    ensemble.await_leader();
    if wanted != Sync::Trunc {
        account.write(5);
    }
    rejoin(&mut ensemble, leader, wanted);
    account.check(&ensemble);
    let mut load = Load::resume(account);
    load.await_more(50);
    load.stop().check(&ensemble);
}

/// Leaves a proposal in the log of the leader alone, and everybody dead.
fn propose_in_vain(ensemble: &mut Ensemble, leader: usize) {
    let followers = ensemble.others(leader);
    let mut session = Session::new(&[ensemble[leader].address()], 0);
    for &sid in &followers {
        ensemble[sid].pause();
    }
    let node = NewNode::new(format!("/{IN_VAIN}"), None);
    session.send(Op::Create, |encoder| node.encode(encoder)).expect("the leader serves");
    await_until("the leader has logged its proposal", Duration::from_secs(2), || {
        has_logged(&ensemble[leader], IN_VAIN).then_some(())
    });
    for sid in followers {
        ensemble[sid].kill9();
    }
    ensemble[leader].kill9();
}

/// Whether a text stands in one of a member's logs.
fn has_logged(member: &Member, text: &str) -> bool {
    let files = fs::read_dir(member.path("data/version-2")).expect("the folder is there");
    let mut files = files.map(|file| file.expect("it can be listed"));
    files.any(|file| {
        let is_log = file.file_name().to_string_lossy().starts_with("log.");
        let bytes = if is_log { fs::read(file.path()).expect("it is a file") } else { Vec::new() };
        bytes.windows(text.len()).any(|window| window == text.as_bytes())
    })
}

const IN_VAIN: &str = "proposed-in-vain";

/// Small logs, which are quickly searched, and are read for members that lag never, always, or if they are short.
fn config(snapshot_size_factor: &str) -> Config {
    Config::default()
        .property("zookeeper.preAllocSize=64")
        .property(&format!("zookeeper.snapshotSizeFactor={snapshot_size_factor}"))
}

const NEVER: &str = "-1";
const ALWAYS: &str = "0";
const IF_SHORT: &str = "0.33";

fn three_of_ours() -> Ensemble {
    Ensemble::led_by(3, &[Kind::under_test(); 3], &config(IF_SHORT))
}

fn on_mix(mix: Mix, check: impl FnOnce(Ensemble, usize)) {
    if let Some(ensemble) = mix.start(&config(NEVER)) {
        check(ensemble, mix.leader);
    }
}

#[test]
fn a_follower_of_ours_comes_back_to_ours() {
    check_follower(three_of_ours(), 3);
}

#[test]
fn a_follower_of_javas_comes_back_to_the_only_one_of_ours() {
    on_mix(ONE_OF_OURS_LEADS, check_follower);
}

#[test]
fn a_follower_of_javas_comes_back_to_two_of_ours() {
    on_mix(TWO_OF_OURS_LEAD, check_follower);
}

#[test]
fn the_only_follower_of_ours_comes_back_to_java() {
    on_mix(ONE_OF_OURS_FOLLOWS, check_follower);
}

#[test]
fn a_follower_of_two_of_ours_comes_back_to_java() {
    on_mix(TWO_OF_OURS_FOLLOW, check_follower);
}

#[test]
fn ours_gets_from_our_log_what_is_in_no_memory() {
    check_by_log(Ensemble::led_by(3, &[Kind::under_test(); 3], &config(ALWAYS)), 3);
}

#[test]
fn java_gets_from_our_log_what_is_in_no_memory() {
    if let Some(ensemble) = ONE_OF_OURS_LEADS.start(&config(ALWAYS)) {
        check_by_log(ensemble, ONE_OF_OURS_LEADS.leader);
    }
}

#[test]
fn ours_gets_from_javas_log_what_is_in_no_memory() {
    if let Some(ensemble) = TWO_OF_OURS_FOLLOW.start(&config(ALWAYS)) {
        check_by_log(ensemble, TWO_OF_OURS_FOLLOW.leader);
    }
}

#[test]
fn a_leader_of_ours_cuts_its_log_for_ours() {
    check_leader(three_of_ours(), 3, Sync::Trunc);
}

#[test]
fn a_leader_of_ours_cuts_its_log_for_java() {
    on_mix(ONE_OF_OURS_LEADS, |ensemble, leader| check_leader(ensemble, leader, Sync::Trunc));
}

#[test]
fn a_leader_of_ours_cuts_its_log_for_ours_with_java() {
    on_mix(TWO_OF_OURS_LEAD, |ensemble, leader| check_leader(ensemble, leader, Sync::Trunc));
}

#[test]
fn a_leader_of_javas_cuts_its_log_for_the_only_one_of_ours() {
    on_mix(ONE_OF_OURS_FOLLOWS, |ensemble, leader| check_leader(ensemble, leader, Sync::Trunc));
}

#[test]
fn a_leader_of_javas_cuts_its_log_for_two_of_ours() {
    on_mix(TWO_OF_OURS_FOLLOW, |ensemble, leader| check_leader(ensemble, leader, Sync::Trunc));
}

#[test]
fn a_leader_of_ours_gives_up_a_proposal_of_an_old_epoch() {
    check_leader(three_of_ours(), 3, Sync::Snap);
}

#[test]
fn a_leader_of_ours_gives_up_a_proposal_of_an_old_epoch_for_java() {
    on_mix(ONE_OF_OURS_LEADS, |ensemble, leader| check_leader(ensemble, leader, Sync::Snap));
}

#[test]
fn a_leader_of_javas_gives_up_a_proposal_of_an_old_epoch_for_ours() {
    on_mix(TWO_OF_OURS_FOLLOW, |ensemble, leader| check_leader(ensemble, leader, Sync::Snap));
}
