//! Volumes that come back empty where that is known to be a loss (`db.autocreate=false`), or may be one
//! (`joinGuard.enabled=true` with it), and those that come back damaged.

use std::cell::RefCell;
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use crate::ensemble::Ensemble;
use crate::load::Load;
use crate::member::{Member, Seat};
use crate::server::{Config, Kind};
use crate::tools::require;

/// The second leads, the third is always ours; `None`, said aloud, without Java.
fn ensemble(others: Kind, config: &Config) -> Option<Ensemble> {
    if others == Kind::Java && !require(&["java", "zookeeper-java", "slf4j"]) {
        return None;
    }
    let seats = [others, others, Kind::under_test()];
    let seats = seats.map(|kind| Seat { kind, is_observer: false });
    Some(Ensemble::new(&seats, config))
}

/// The third loses what it has, once while the others have everything and once while only the leader has.
fn check_losses(ensemble: &mut Ensemble, lose: impl Fn(&Member)) {
    ensemble.start_led_by(2);
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(50);
    ensemble[3].kill9();
    lose(&ensemble[3]);
    load.await_more(50);
    ensemble[3].start();
    ensemble.await_level();
    load.await_more(50);

    // Without the leader nobody leads, whoever has more votes.
    ensemble[1].kill9();
    load.await_more(50);
    ensemble[3].kill9();
    lose(&ensemble[3]);
    ensemble[2].kill9();
    ensemble[3].start();
    ensemble[1].start();
    ensemble.has_no_leader_for(LONG_ENOUGH_TO_ELECT);
    ensemble[2].start();
    ensemble.await_level();
    load.await_more(50);
    load.stop().check(ensemble);
}

fn check_empty(others: Kind) {
    let config = Config::default().property("zookeeper.db.autocreate=false");
    let Some(mut ensemble) = ensemble(others, &config) else { return };
    for member in ensemble.members() {
        member.initialize();
    }
    check_losses(&mut ensemble, Member::wipe);
}

/// As `start-zookeeper` guards an ensemble, which Java's members begin by their marker.
fn guarded(kinds: [Kind; 3]) -> Ensemble {
    let seats = kinds.map(|kind| Seat { kind, is_observer: false });
    let config = Config::default().property("zookeeper.db.autocreate=false");
    let ensemble = Ensemble::new(&seats, &config.property("zookeeper.joinGuard.enabled=true"));
    for (member, kind) in ensemble.members().iter().zip(kinds) {
        if kind == Kind::Java {
            member.initialize();
        }
    }
    ensemble
}

/// Two empty members are a quorum, and wait all the same: one comes that has everything.
#[test]
fn one_that_has_everything_wins_over_two_empty_ones() {
    let mut ensemble = guarded([Kind::under_test(); 3]);
    // Nothing is known of the third.
    ensemble[1].start();
    ensemble[2].start();
    ensemble.has_no_leader_for(LONG_ENOUGH_TO_ELECT);
    ensemble[3].start();
    ensemble.await_leader();
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(50);
    let mut account = load.stop();
    account.check(&ensemble);

    for sid in 1..=3 {
        ensemble[sid].kill9();
    }
    for sid in 2..=3 {
        ensemble[sid].wipe();
        ensemble[sid].start();
    }
    ensemble.has_no_leader_for(LONG_ENOUGH_TO_ELECT);
    ensemble[1].start();
    assert_eq!(ensemble.await_leader(), 1);
    account.check(&ensemble);
    let mut load = Load::resume(account);
    load.await_more(50);
    load.stop().check(&ensemble);
}

/// A member of ours that is replaced with an empty volume helps Java's to elect once it has heard both.
#[test]
fn an_empty_volume_among_javas_votes_when_all_have_been_heard() {
    if !require(&["java", "zookeeper-java", "slf4j"]) {
        return;
    }
    let mut ensemble = guarded([Kind::Java, Kind::Java, Kind::under_test()]);
    for sid in 1..=3 {
        ensemble[sid].start();
    }
    ensemble.await_leader();
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(50);
    ensemble[3].kill9();
    ensemble[3].wipe();
    ensemble[3].start();
    ensemble.await_level();
    load.await_more(50);
    load.stop().check(&ensemble);
}

/// The checksum of the first record in its newest log is not what it was.
fn damage(member: &Member) -> PathBuf {
    let files = fs::read_dir(member.path("data/version-2")).expect("the folder is there");
    let logs = files.map(|file| file.expect("it can be listed").path());
    let logs = logs.filter(|path| path.to_string_lossy().contains("/log."));
    let newest = logs.max_by_key(|path| fs::metadata(path).and_then(|m| m.modified()).ok());
    let newest = newest.expect("a member logs");
    let mut bytes = fs::read(&newest).expect("it is a file");
    bytes[20] ^= 0xff;
    fs::write(&newest, bytes).expect("it is a file");
    newest
}

/// A member puts its damaged files aside, and has no vote until it has everything again.
fn check_damaged(others: Kind) {
    let Some(mut ensemble) = ensemble(others, &Config::default()) else { return };
    let damaged = RefCell::new(Vec::new());
    check_losses(&mut ensemble, |member| damaged.borrow_mut().push(damage(member)));
    for (n, path) in (1..).zip(damaged.take()) {
        let name = path.file_name().expect("it has one");
        let aside = ensemble[3].path(&format!("data/damaged-{n}")).join(name);
        assert!(aside.exists() && !path.exists(), "{} is moved", path.display());
    }
    assert!(ensemble[3].log().contains(" is damaged at offset "));
}

#[test]
fn a_damaged_member_of_ours_syncs_anew() {
    check_damaged(Kind::under_test());
}

/// A marker that somebody has left there speaks of nothing that was there.
#[test]
fn a_damaged_member_with_a_marker_does_not_vote_either() {
    let Some(mut ensemble) = ensemble(Kind::under_test(), &Config::default()) else { return };
    check_losses(&mut ensemble, |member| {
        damage(member);
        member.initialize();
    });
}

#[test]
fn a_damaged_member_among_javas_syncs_anew() {
    check_damaged(Kind::Java);
}

/// Three damaged ones are no new ensemble: their files are aside, and people must decide.
#[test]
fn damaged_members_alone_begin_nothing_new() {
    let mut ensemble = guarded([Kind::under_test(); 3]);
    for sid in 1..=3 {
        ensemble[sid].start();
    }
    ensemble.await_leader();
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(50);
    load.stop();
    for sid in 1..=3 {
        ensemble[sid].kill9();
    }
    for sid in 1..=3 {
        damage(&ensemble[sid]);
        ensemble[sid].start();
    }
    ensemble.has_no_leader_for(LONG_ENOUGH_TO_ELECT);
}

/// Elections take less than a second.
const LONG_ENOUGH_TO_ELECT: Duration = Duration::from_secs(4);

#[test]
fn an_empty_volume_does_not_vote_among_ours() {
    check_empty(Kind::under_test());
}

#[test]
fn an_empty_volume_does_not_vote_among_javas() {
    check_empty(Kind::Java);
}
