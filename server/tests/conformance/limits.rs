//! Limits on connections and requests: who is turned away, and that he may come back.

use std::time::Duration;

use crate::client::Client;
use crate::deadline::eventually;
use crate::request::{Request, create, create_data, exists, get_data, ping, set_data};
use crate::scene::{Scene, on_both};
use crate::wire::new_session;

fn a_low_limit_of_outstanding_requests_loses_none(scene: &Scene<'_>) {
    let mut clients: Vec<_> = (0..3).map(|_| scene.client()).collect();
    let requests: Vec<_> =
        (0..100).flat_map(|_| [set_data("~", None, -1), get_data("~", false)]).collect();
    for client in &mut clients {
        client.send_all(&requests);
    }
    for client in &mut clients {
        for _ in &requests {
            assert_eq!(client.reply().expect("every request is answered").err, 0);
        }
    }
    assert_eq!(scene.client().stat("~").version, 300);
}

fn a_third_connection_is_closed(scene: &Scene<'_>) {
    let third = |scene: &Scene<'_>| scene.wire().connect(&new_session(6000));
    // The connection that asked whether the server is up may still be counted for a moment.
    let mut held = Vec::new();
    let filled = eventually(Duration::from_secs(10), || {
        let mut wire = scene.wire();
        if wire.connect(&new_session(6000)).is_some() {
            held.push(wire);
        }
        (held.len() == 2).then_some(())
    });
    assert!(filled.is_some(), "two connections are allowed");
    assert_eq!(third(scene), None);
    assert_eq!(scene.server.word("srvr"), "");
    held.pop();
    let again = eventually(Duration::from_secs(10), || third(scene));
    assert!(again.is_some(), "the place of a closed connection is free");
}

fn a_connect_without_a_token_is_closed(scene: &Scene<'_>) {
    let connects =
        |n: usize| (0..n).filter(|_| scene.wire().connect(&new_session(6000)).is_some()).count();
    assert_eq!(connects(4), 2);
    let refilled = eventually(Duration::from_secs(10), || (connects(1) == 1).then_some(()));
    assert!(refilled.is_some(), "a token comes back");
}

fn large_requests_are_few(scene: &Scene<'_>) {
    let mut client = scene.client();
    client
        .check(&[(create_data("~/small", &[7; 500]), 0), (create_data("~/large", &[7; 1500]), 0)]);
    client.send(&create_data("~/larger", &[7; 3000]));
    client.expect_closed();
    scene.client().check(&[(exists("~/larger", false), -101), (create_data("~/l", &[7; 1500]), 0)]);
}

fn a_request_that_waits_too_long_is_not_executed(scene: &Scene<'_>) {
    let mut client = scene.stranger();
    assert_eq!(served(&mut client, &create("~")), 0);
    let mut requests = Vec::new();
    for n in 0..100 {
        let path = format!("~/{n}");
        requests.extend([create(path.as_str()), get_data("~", false), set_data("~", None, -1)]);
    }
    requests.push(ping());
    client.send_all(&requests);
    let mut replies: Vec<_> = requests.iter().map(|_| client.reply().expect("a reply")).collect();
    let pong = replies.pop().expect("the ping was the last");
    assert_eq!((pong.xid, pong.err), (-2, 0));
    assert!(replies.is_sorted_by_key(|reply| reply.xid));
    for (n, reply) in replies.iter().enumerate() {
        assert!(reply.err == 0 || (reply.err == -127 && reply.body.is_empty()), "{reply:?}");
        // Only what was answered with 0 has happened.
        if n % 30 == 0 {
            let expected = if reply.err == 0 { 0 } else { -101 };
            let path = format!("~/{}", n / 3);
            assert_eq!(served(&mut client, &exists(path.as_str(), false)), expected, "{path}");
        }
    }
}

/// The code of a request that is sent again until it did not wait too long.
fn served(client: &mut Client, request: &Request) -> i32 {
    let code = eventually(Duration::from_secs(10), || {
        let err = client.call(request).err;
        (err != -127).then_some(err)
    });
    code.expect("a request alone is served in the end")
}

on_both! {
    TWO_PER_CLIENT: a_third_connection_is_closed;
    TWO_IN_ALL: a_third_connection_is_closed_too;
    CONNECT_TOKENS: a_connect_without_a_token_is_closed;
    LARGE_REQUESTS: large_requests_are_few;
    ONE_OUTSTANDING: a_low_limit_of_outstanding_requests_loses_none;
    THROTTLED: a_request_that_waits_too_long_is_not_executed;
}

fn a_third_connection_is_closed_too(scene: &Scene<'_>) {
    a_third_connection_is_closed(scene);
}
