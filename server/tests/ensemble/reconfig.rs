//! Members join, leave and change their roles under load, in ensembles of ours and Java's.

use std::time::Duration;

use crate::client::Failure;
use crate::deadline::await_until;
use crate::ensemble::Ensemble;
use crate::load::Load;
use crate::member::{Role, Seat};
use crate::server::{Config, Kind};
use crate::session::Session;
use crate::tools::require;

fn config() -> Config {
    Config::default().setting("reconfigEnabled=true").property("zookeeper.skipACL=yes")
}

/// Asks one member for other members. Gives the configuration, which is read if the reply was lost: Java's
/// leader closes its connections when it is not to lead any more.
fn reconfig(ensemble: &Ensemble, through: usize, joining: &str, leaving: &str) -> String {
    let before = shown(ensemble, through);
    let mut session = Session::new(&[ensemble[through].address()], 0);
    match session.reconfig(joining, leaving) {
        Ok(text) => text,
        Err(Failure::Lost(_)) => await_until("the configuration changes", LIMIT, || {
            let now = shown(ensemble, through);
            (now != before).then_some(now)
        }),
        Err(why) => panic!("{joining:?} {leaving:?}: {why}"),
    }
}

/// What a member shows in `/zookeeper/config`.
pub(crate) fn shown(ensemble: &Ensemble, sid: usize) -> String {
    let mut session = Session::new(&[ensemble[sid].address()], 0);
    let (data, _) = session.get("/zookeeper/config").expect("it serves");
    String::from_utf8(data).expect("a configuration is text")
}

fn await_shown(ensemble: &Ensemble, text: &str) {
    for member in ensemble.members().iter().filter(|member| member.is_awake()) {
        await_until("a member knows who the members are", LIMIT, || {
            (shown(ensemble, member.sid()) == text).then_some(())
        });
    }
}

pub(crate) fn await_role(ensemble: &Ensemble, sid: usize, role: Role) {
    await_until("the member has its role", LIMIT, || {
        (ensemble[sid].role() == Some(role)).then_some(())
    });
}

/// A fourth member joins, the leader leaves, is a member without a vote, and a voter again.
fn check(kinds: [Kind; 3], leader: usize, joiner: Kind) {
    let has_java = kinds.contains(&Kind::Java) || joiner == Kind::Java;
    if has_java && !require(&["java", "zookeeper-java", "slf4j"]) {
        return;
    }
    let mut ensemble = Ensemble::led_by(leader, &kinds, &config());
    let mut load = Load::start(&ensemble.addresses());
    load.await_more(30);

    let joined = ensemble.join(Seat { kind: joiner, is_observer: false });
    await_role(&ensemble, joined, Role::Follower);
    let text = reconfig(&ensemble, 1, &ensemble[joined].entry("participant"), "");
    assert!(text.contains(&format!("server.{joined}=")), "{text}");
    await_shown(&ensemble, &text);
    load.await_more(30);

    let text = reconfig(&ensemble, joined, "", &leader.to_string());
    assert!(!text.contains(&format!("server.{leader}=")), "{text}");
    await_shown(&ensemble, &text);
    assert_ne!(ensemble.await_leader(), leader);
    load.await_more(30);

    // It starts with what its own files say by now.
    ensemble[joined].kill9();
    ensemble[joined].start();
    ensemble.await_level();
    await_shown(&ensemble, &text);

    let text = reconfig(&ensemble, joined, &ensemble[leader].entry("observer"), "");
    await_shown(&ensemble, &text);
    await_role(&ensemble, leader, Role::Observer);
    let shown = ensemble[leader].word("conf").expect("it serves");
    assert!(shown.contains("\npeerType=1\n"), "{shown}");
    load.await_more(30);
    let text = reconfig(&ensemble, joined, &ensemble[leader].entry("participant"), "");
    await_shown(&ensemble, &text);
    await_role(&ensemble, leader, Role::Follower);
    ensemble.await_level();
    load.await_more(30);
    load.stop().check(&ensemble);
}

const LIMIT: Duration = Duration::from_secs(40);
const JAVA: Kind = Kind::Java;

fn ours() -> Kind {
    Kind::under_test()
}

#[test]
fn ours_are_joined_by_ours() {
    check([ours(); 3], 2, ours());
}

#[test]
fn ours_are_joined_by_java() {
    check([ours(); 3], 2, JAVA);
}

#[test]
fn two_of_javas_led_by_ours_are_joined_by_ours() {
    check([JAVA, ours(), JAVA], 2, ours());
}

#[test]
fn two_of_ours_led_by_java_are_joined_by_ours() {
    check([ours(), JAVA, ours()], 2, ours());
}

/// The client port moves; who is connected stays connected.
#[test]
fn clients_find_a_member_at_its_new_port() {
    let mut ensemble = Ensemble::led_by(2, &[ours(); 3], &config());
    let mut stays = Session::new(&[ensemble[1].address()], 0);
    let old = ensemble[1].address();
    ensemble[1].move_clients();
    let text = reconfig(&ensemble, 2, &ensemble[1].entry("participant"), "");
    await_shown(&ensemble, &text);
    stays.ping().expect("a connection that is open stays");
    await_until("nobody listens at the old port", LIMIT, || {
        std::net::TcpStream::connect(old).is_err().then_some(())
    });
    ensemble[1].kill9();
    ensemble[1].start();
    ensemble.await_level();
    assert_eq!(shown(&ensemble, 1), text);
}

#[test]
fn clients_may_be_told_an_address_that_nobody_opens() {
    let config = config().setting("advertisedClientAddress.enabled=true");
    let mut ensemble = Ensemble::led_by(2, &[ours(); 3], &config);
    let inner = ensemble[1].entry("participant");
    let (server, _) = inner.split_once(';').expect("clients have a part of their own");
    let text = reconfig(&ensemble, 2, &format!("{server};zk-1.example.org:32181"), "");
    assert!(text.contains(";zk-1.example.org:32181\n"), "{text}");
    await_shown(&ensemble, &text);
    ensemble[1].kill9();
    ensemble[1].start();
    ensemble.await_level();
    assert_eq!(shown(&ensemble, 1), text);
    // Members ask each other where they are, not where clients are.
    let told = ensemble[2].word("memb").expect("it serves");
    let host = ensemble[1].address().ip();
    assert!(told.contains(&format!("member\t1\tparticipant\t{host}\t")), "{told}");
}
