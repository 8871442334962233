//! `ensemble.id`: a volume of another ensemble is refused, one without an id takes that of its ensemble.

use std::fs;
use std::time::Duration;

use crate::deadline::await_until;
use crate::ensemble::{Ensemble, voters};
use crate::load::Load;
use crate::member::{Mark, Member};
use crate::server::{Config, Kind, copy_folder};
use crate::tools::require;

/// What a member's file says, once the id is settled there.
fn id_of(member: &Member) -> String {
    await_until("the id is settled", LIMIT, || {
        let text = fs::read_to_string(member.path("data/ensemble.id")).ok()?;
        text.strip_suffix('\n').filter(|id| !id.contains('\n')).map(str::to_owned)
    })
}

fn ours() -> Ensemble {
    Ensemble::new(&voters(&[Kind::under_test(); 3]), &Config::default())
}

/// Three members with data and one id.
fn named() -> (Ensemble, String) {
    let mut ensemble = ours();
    ensemble.start_led_by(3);
    let ids = ensemble.members().iter().map(id_of).collect::<Vec<_>>();
    assert!(ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    (ensemble, ids[0].clone())
}

/// Whether a member ends at once, and says what it is and what it was told.
fn check_refused(member: &mut Member, before: Mark, ours: &str, theirs: &str) {
    assert_eq!(member.await_end().code(), Some(20), "{}", member.log_since(before));
    let log = member.log_since(before);
    for part in [
        &format!("this server's data is of ensemble {ours}, as ") as &str,
        "/ensemble.id says, but server.",
        &format!(" are ensemble {theirs}: check that the right volume is mounted"),
        "remove that file and start it again",
    ] {
        assert!(log.contains(part), "{part:?} is missing in\n{log}");
    }
}

#[test]
fn a_volume_of_another_ensemble_is_refused_whoever_has_more() {
    let (mut ensemble, theirs) = named();
    let (other, ours) = named();
    assert_ne!(ours, theirs);
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(50);

    // The others go on without it, and what it has stays.
    ensemble[1].kill9();
    let data = ensemble[1].path("data");
    fs::remove_dir_all(&data).unwrap();
    copy_folder(&other[1].path("data"), &data).unwrap();
    fs::write(data.join("myid"), "1\n").unwrap();
    let before = ensemble[1].mark();
    ensemble[1].start();
    check_refused(&mut ensemble[1], before, &ours, &theirs);
    load.await_more(50);

    // It has a later history than they: the election is its own, and nobody follows it.
    let account = load.stop();
    for sid in 2..=3 {
        ensemble[sid].kill9();
    }
    for file in ["currentEpoch", "acceptedEpoch"] {
        fs::write(data.join("version-2").join(file), "77").unwrap();
    }
    let before = ensemble[1].mark();
    for sid in 1..=3 {
        ensemble[sid].start();
    }
    check_refused(&mut ensemble[1], before, &ours, &theirs);
    ensemble.await_leader_of(&[2, 3]);

    // As the sentence says.
    fs::remove_file(data.join("ensemble.id")).unwrap();
    for file in ["currentEpoch", "acceptedEpoch"] {
        fs::write(data.join("version-2").join(file), "1").unwrap();
    }
    ensemble[1].start();
    assert_eq!(id_of(&ensemble[1]), theirs);
    let mut load = Load::resume(account);
    load.await_more(50);
    load.stop().check(&ensemble);
}

#[test]
fn members_of_before_there_were_ids_get_one_when_all_are_new() {
    let (mut ensemble, _) = named();
    for sid in 1..=3 {
        ensemble[sid].kill9();
        fs::remove_file(ensemble[sid].path("data/ensemble.id")).unwrap();
    }
    // Two are a quorum: the third takes what they have.
    ensemble[1].start();
    ensemble[2].start();
    let id = id_of(&ensemble[1]);
    ensemble[3].start();
    for member in ensemble.members() {
        assert_eq!(id_of(member), id);
    }
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(50);
    load.stop().check(&ensemble);
}

/// Java knows no ids and must not notice.
#[test]
fn among_javas_an_id_is_kept_and_nobody_is_kept_out() {
    if !require(&["java", "zookeeper-java", "slf4j"]) {
        return;
    }
    for leader in [2, 3] {
        let kinds = [Kind::Java, Kind::Java, Kind::under_test()];
        let mut ensemble = Ensemble::new(&voters(&kinds), &Config::default());
        let id = "00112233-4455-4677-8899-aabbccddeeff\n";
        let file = ensemble[3].path("data/ensemble.id");
        fs::create_dir_all(ensemble[3].path("data")).unwrap();
        fs::write(&file, id).unwrap();
        ensemble.start_led_by(leader);
        let mut load = Load::start(&ensemble.addresses());
        load.await_more(50);
        load.stop().check(&ensemble);
        assert_eq!(fs::read_to_string(&file).unwrap(), id);
        assert!(!ensemble[1].path("data/ensemble.id").exists());
    }
}

const LIMIT: Duration = Duration::from_secs(20);
