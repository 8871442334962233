//! A configuration that changes while sockets are open.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::election::read_introduction;
use super::*;

fn members(addresses: &[(i64, SocketAddr)]) -> BTreeMap<ServerId, Vec<Endpoint>> {
    addresses.iter().map(|(id, address)| (ServerId(*id), vec![endpoint(*address)])).collect()
}

/// The election port of server.9, which dials everybody.
fn port_of_nine(members: BTreeMap<ServerId, Vec<Endpoint>>) -> (Rc<ElectionPort>, Rc<Recorder>) {
    let core = Recorder::new();
    let options =
        ElectionOptions { me: ServerId(9), multi_address: false, introduction_time: LIMIT };
    (ElectionPort::new(core.as_core(), dialer(), options, members), core)
}

async fn accepted(listener: &TcpListener) -> TcpStream {
    timeout(LIMIT, listener.accept()).await.expect("it is dialed in time").unwrap().0
}

async fn is_over(stream: &mut TcpStream) {
    let mut bytes = Vec::new();
    timeout(LIMIT, stream.read_to_end(&mut bytes)).await.expect("it ends in time").unwrap();
}

#[test]
fn votes_go_where_a_member_is_by_now() {
    run(async {
        let (old, old_address) = listener().await;
        let (new, new_address) = listener().await;
        let (stays, stays_address) = listener().await;
        let (leaves, leaves_address) = listener().await;
        let all = [(1, old_address), (2, stays_address), (3, leaves_address)];
        let (port, core) = port_of_nine(members(&all));
        port.connect_all();
        let mut moved = accepted(&old).await;
        let mut kept = accepted(&stays).await;
        let mut removed = accepted(&leaves).await;
        for peer in 1..=3 {
            core.until("all are there", || {
                let line = format!("{peer} is there");
                core.heard.borrow().contains(&line).then_some(())
            })
            .await;
        }

        port.set_members(members(&[(1, new_address), (2, stays_address)]));
        is_over(&mut moved).await;
        is_over(&mut removed).await;
        port.notify(ServerId(1), b"to one".to_vec());
        let mut now = accepted(&new).await;
        now.write_all(&[0, 0, 0, 4]).await.unwrap();
        now.write_all(b"vote").await.unwrap();
        core.hears("1: vote").await;
        // A connection that has no reason to end is the same as before.
        kept.write_all(&[0, 0, 0, 4]).await.unwrap();
        kept.write_all(b"here").await.unwrap();
        core.hears("2: here").await;
        port.notify(ServerId(3), b"to nobody".to_vec());
        port.connect_all();
        port.notify(ServerId(2), b"to two".to_vec());
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"to two") {
            assert_ne!(timeout(LIMIT, kept.read_buf(&mut bytes)).await.unwrap().unwrap(), 0);
        }
        let dialed = timeout(Duration::ZERO, leaves.accept()).await;
        assert!(dialed.is_err(), "who has left is not dialed");
    });
}

/// It must still find a leader, to follow without a vote.
#[test]
fn who_is_no_member_any_more_says_where_it_was() {
    run(async {
        let (one, one_address) = listener().await;
        let (_, own_address) = listener().await;
        let (port, _core) = port_of_nine(members(&[(1, one_address), (9, own_address)]));
        port.set_members(members(&[(1, one_address)]));
        port.connect_all();
        let mut stream = accepted(&one).await;
        let (sender, address) = read_introduction(&mut stream).await;
        assert_eq!((sender, address), (ServerId(9), own_address));
    });
}

#[test]
fn a_leader_is_dialed_where_it_is_by_now() {
    run(async {
        let (_, old_address) = listener().await;
        let (new, new_address) = listener().await;
        let core = Recorder::new();
        let options = LinkOptions {
            dial_time: LIMIT,
            dial_pause: Duration::from_millis(10),
            security_time: LIMIT,
        };
        let place = |address| Places { quorum: members(&[(3, address)]), ..Places::default() };
        let links = Links::new(core.as_core(), dialer(), options, place(old_address));
        links.set_places(place(new_address));
        links.dial(ServerId(3));
        let _stream = accepted(&new).await;
        core.hears("link 1 to the leader").await;
    });
}

#[test]
fn an_own_port_moves_and_stays_when_it_cannot() {
    run(async {
        let closed = closed_port();
        let (free, first) = listener().await;
        drop(free);
        closed.move_to(vec![endpoint(first)]);
        await_listening(first, true).await;

        let (taken, taken_address) = listener().await;
        closed.move_to(vec![endpoint(taken_address)]);
        let _ = accepted_by_nobody_else(&taken).await;
        await_listening(first, true).await;

        drop(taken);
        let (free, second) = listener().await;
        drop(free);
        closed.move_to(vec![endpoint(second)]);
        await_listening(second, true).await;
        await_listening(first, false).await;
    });
}

async fn accepted_by_nobody_else(listener: &TcpListener) -> TcpStream {
    let address = listener.local_addr().unwrap();
    let (stream, accepted) = tokio::join!(TcpStream::connect(address), listener.accept());
    accepted.unwrap();
    stream.unwrap()
}

async fn await_listening(address: SocketAddr, expected: bool) {
    let waiting = async {
        while TcpStream::connect(address).await.is_ok() != expected {
            tokio::task::yield_now().await;
        }
    };
    timeout(LIMIT, waiting).await.unwrap_or_else(|_| panic!("{address}: not {expected} in time"));
}
