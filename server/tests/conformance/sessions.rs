//! How sessions end: by their client and by silence.

use std::time::{Duration, Instant};

use crate::client::{Client, LONG};
use crate::deadline::eventually;
use crate::request::{
    Request, auth, close_session, create, create_as, exists, get_data, ping, set_data,
};
use crate::scene::{Scene, on_both};

fn a_closed_session_is_gone_with_its_ephemerals(scene: &Scene<'_>) {
    let mut other = scene.client();
    let mut client = scene.client();
    client.ok(&create_as(1, "~/e", 1));
    let before = client.zxid();
    client.send(&close_session());
    let reply = client.reply().unwrap();
    assert!(reply.zxid > before);
    reply.expect_bare(reply.xid, reply.zxid.0, 0);
    client.expect_closed();
    other.check(&[(exists("~/e", false), -101)]);
    assert!(client.reattach(LONG).is_none());
}

fn what_was_sent_before_the_close_is_answered(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.send_all(&[create("~/a"), get_data("~/a", false), close_session()]);
    for _ in 0..3 {
        assert_eq!(client.reply().unwrap().err, 0);
    }
    client.expect_closed();
}

fn what_was_sent_after_the_close_never_happens(scene: &Scene<'_>) {
    let mut client = scene.client();
    client.send_all(&[
        close_session(),
        get_data("~", false),
        create("~/late"),
        set_data("~", &b"late"[..], -1),
    ]);
    assert_eq!(client.reply().unwrap().err, 0);
    while let Some(reply) = client.reply() {
        // Java knows nothing of the session any more if the close is through already.
        let is_forgotten = scene.is_java() && reply.err == -12;
        assert!(is_forgotten || reply.err == -112, "{}", reply.err);
    }
    let mut other = scene.client();
    other.check(&[(exists("~/late", false), -101)]);
    assert_eq!(other.stat("~").version, 0);
}

fn a_silent_session_expires(scene: &Scene<'_>) {
    let mut watcher = scene.client();
    let mut silent = scene.client_for(2000);
    let mut gone = scene.client_for(2000);
    silent.ok(&create_as(1, "~/silent", 1));
    gone.ok(&create_as(1, "~/gone", 1));
    watcher.ok(&exists("~/silent", true));
    watcher.ok(&exists("~/gone", true));
    let since = Instant::now();
    let again = gone.reattach(2000).expect("the session lives on");
    drop((gone, again));
    let mut events = [watcher.event(), watcher.event()];
    let took = since.elapsed();
    events.sort_unstable();
    assert_eq!(events, ["2 ~/gone", "2 ~/silent"]);
    assert!(took >= Duration::from_millis(1900), "expired after {took:?}");
    assert!(took < Duration::from_secs(6), "expired only after {took:?}");
    silent.expect_closed();
    assert!(silent.reattach(LONG).is_none());
}

fn a_session_that_comes_back_in_time_lives_on(scene: &Scene<'_>) {
    let mut watcher = scene.client();
    let mut client = scene.client_for(2000);
    client.ok(&create_as(1, "~/e", 1));
    let mut control = scene.client_for(2000);
    control.ok(&create_as(1, "~/control", 1));
    watcher.ok(&exists("~/control", true));
    watcher.ok(&exists("~/e", true));
    let mut again = client.reattach(LONG).expect("the session lives on");
    drop((client, control));
    // The control expires when the client would have.
    assert_eq!(watcher.event(), "2 ~/control");
    again.ok(&ping());
    watcher.ok(&get_data("~/e", false));
}

/// Of three sessions of two seconds one pings, one only authenticates, one is silent.
fn an_auth_does_not_keep_a_session(scene: &Scene<'_>) {
    let mut watcher = scene.client();
    let mut pinging = scene.client_for(2000);
    let mut authing = scene.client_for(2000);
    pinging.ok(&create_as(1, "~/pinging", 1));
    authing.ok(&create_as(1, "~/authing", 1));
    let again = |client: &mut Client, request: &Request| {
        client.send(request);
        client.reply().map(|reply| reply.err)
    };
    let expired = eventually(Duration::from_secs(8), || {
        again(&mut authing, &auth("digest", &b"a:b"[..]));
        assert_eq!(again(&mut pinging, &ping()), Some(0));
        (watcher.call(&exists("~/authing", false)).err == -101).then_some(())
    });
    assert!(expired.is_some(), "auth frames kept the session alive");
    watcher.ok(&exists("~/pinging", false));
}

on_both! {
    PLAIN:
        a_closed_session_is_gone_with_its_ephemerals,
        what_was_sent_before_the_close_is_answered,
        what_was_sent_after_the_close_never_happens,
        a_silent_session_expires,
        a_session_that_comes_back_in_time_lives_on,
        an_auth_does_not_keep_a_session;
}
