//! Sessions end when their clients fall silent, and only then, wherever these are connected: learners tell
//! their leader whom they have heard.

use std::thread::park_timeout;
use std::time::{Duration, Instant};

use zk_wire::CreateFlags;

use crate::deadline::await_until;
use crate::ensemble::Ensemble;
use crate::mixed::{ONE_OF_OURS_FOLLOWS, ONE_OF_OURS_LEADS};
use crate::server::{Config, Kind};
use crate::session::Session;

/// On each member one client falls silent and another does not.
fn check(ensemble: &Ensemble) {
    let open = |name: &str| -> Vec<(String, Session)> {
        let session = |(number, address)| {
            let mut session = Session::with_timeout(&[address], 0, TIMEOUT_MS);
            let node = format!("/{name}-{number}");
            session.create(&node, b"", CreateFlags::Ephemeral).expect("all is well");
            (node, session)
        };
        (1..).zip(ensemble.addresses()).map(session).collect()
    };
    let silent = open("silent");
    let mut talking = open("talking");
    let begin = Instant::now();
    await_until("who is silent is gone, long ago", LIMIT, || {
        // These clients talk so often, and no more.
        park_timeout(PING_EVERY);
        let mut is_over = begin.elapsed() >= LONG;
        for (node, session) in &mut talking {
            let ping = session.ping();
            ping.unwrap_or_else(|why| panic!("the session of {node}: {why}"));
            session.get(node).unwrap_or_else(|why| panic!("{node}: {why}"));
            is_over &= silent.iter().all(|(node, _)| session.get(node).is_err());
        }
        is_over.then_some(())
    });
}

const TIMEOUT_MS: i32 = 2000;
const PING_EVERY: Duration = Duration::from_millis(300);
/// So long that a leader which hears nothing of a session has ended it.
const LONG: Duration = Duration::from_secs(6);
const LIMIT: Duration = Duration::from_secs(20);

#[test]
fn ours_end_the_sessions_of_silent_clients_only() {
    check(&Ensemble::led_by(3, &[Kind::under_test(); 3], &Config::default()));
}

#[test]
fn ours_end_the_sessions_of_javas_silent_clients_only() {
    if let Some(ensemble) = ONE_OF_OURS_LEADS.start(&Config::default()) {
        check(&ensemble);
    }
}

#[test]
fn java_ends_the_sessions_of_silent_clients_of_ours_only() {
    if let Some(ensemble) = ONE_OF_OURS_FOLLOWS.start(&Config::default()) {
        check(&ensemble);
    }
}
