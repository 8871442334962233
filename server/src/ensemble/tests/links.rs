//! Links against plain sockets.

use bytes::Bytes;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

struct Scene {
    links: Rc<Links>,
    core: Rc<Recorder>,
    address: SocketAddr,
}

impl Scene {
    async fn new(leader: Option<SocketAddr>, dial_time: Duration) -> Self {
        let core = Recorder::new();
        let members = leader.map(|address| (ServerId(3), vec![endpoint(address)]));
        let options =
            LinkOptions { dial_time, dial_pause: Duration::from_millis(10), security_time: LIMIT };
        let places = Places { quorum: members.into_iter().collect(), ..Places::default() };
        let links = Links::new(core.as_core(), dialer(), options, places);
        let (listener, address) = listener().await;
        let taker = links.clone();
        spawn_local(accept(listener, false, move |stream, remote| taker.accept(stream, remote)));
        Self { links, core, address }
    }

    async fn peer(&self) -> TcpStream {
        TcpStream::connect(self.address).await.unwrap()
    }

    /// Waits until a link has brought these bytes.
    async fn hears_bytes(&self, link: LinkId, expected: &[u8]) {
        let has_come = || {
            let bytes = self.core.bytes.borrow();
            (bytes.get(&link).is_some_and(|bytes| bytes == expected)).then_some(())
        };
        self.core.until("the bytes come", has_come).await;
    }
}

async fn read(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    timeout(LIMIT, stream.read_exact(&mut bytes)).await.expect("in time").unwrap();
    bytes
}

const ONE: LinkId = LinkId(1);

#[test]
fn what_is_sent_arrives_in_order_and_a_closed_link_is_told_once() {
    run(async {
        let scene = Scene::new(None, LIMIT).await;
        let mut peer = scene.peer().await;
        scene.core.hears("link 1 from 127.0.0.1").await;
        peer.write_all(b"hello").await.unwrap();
        scene.hears_bytes(ONE, b"hello").await;
        let mut expected = Vec::new();
        for n in 0..1000_u32 {
            let bytes = Bytes::copy_from_slice(&n.to_be_bytes());
            expected.extend_from_slice(&bytes);
            scene.links.send(ONE, bytes);
        }
        scene.links.close(ONE);
        scene.links.send(ONE, Bytes::from_static(b"too late"));
        let mut bytes = Vec::new();
        timeout(LIMIT, peer.read_to_end(&mut bytes)).await.expect("in time").unwrap();
        assert_eq!(bytes, expected);
        scene.core.hears("link 1 is gone").await;
        scene.links.send(ONE, Bytes::from_static(b"nobody"));
        scene.links.close(ONE);
        assert!(scene.core.heard.borrow().is_empty());
    });
}

#[test]
fn a_peer_that_goes_is_told_and_names_are_not_used_again() {
    run(async {
        let scene = Scene::new(None, LIMIT).await;
        let peer = scene.peer().await;
        scene.core.hears("link 1 from 127.0.0.1").await;
        drop(peer);
        scene.core.hears("link 1 is gone").await;
        let _peer = scene.peer().await;
        scene.core.hears("link 2 from 127.0.0.1").await;
    });
}

#[test]
fn a_link_is_not_read_while_the_core_says_no() {
    run(async {
        let scene = Scene::new(None, LIMIT).await;
        scene.core.may_read.set(false);
        let mut peer = scene.peer().await;
        scene.core.hears("link 1 from 127.0.0.1").await;
        peer.write_all(b"wait").await.unwrap();
        // What is sent the other way does not depend on it, and gives the bytes time to come.
        scene.links.send(ONE, Bytes::from_static(b"a"));
        assert_eq!(read(&mut peer, 1).await, b"a");
        assert!(scene.core.bytes.borrow().is_empty());
        scene.core.may_read.set(true);
        scene.links.resume(ONE);
        scene.hears_bytes(ONE, b"wait").await;
    });
}

#[test]
fn what_is_sent_while_a_snapshot_goes_out_follows_behind_it() {
    run(async {
        let scene = Scene::new(None, LIMIT).await;
        let mut peers = [scene.peer().await, scene.peer().await];
        scene.core.hears("link 2 from 127.0.0.1").await;
        let both = [ONE, LinkId(2)];
        scene.links.send(ONE, Bytes::from_static(b"before "));
        scene.links.begin_stream(&both, Bytes::from_static(b"head "));
        scene.links.send(ONE, Bytes::from_static(b"behind"));
        scene.links.stream(&both, Bytes::from_static(b"slice "));
        assert!(scene.links.has_room(&both).await);
        scene.links.end_stream(&both, Bytes::from_static(b"end "));
        scene.links.send(LinkId(2), Bytes::from_static(b"later"));
        assert_eq!(read(&mut peers[0], 28).await, b"before head slice end behind");
        assert_eq!(read(&mut peers[1], 20).await, b"head slice end later");
        scene.links.begin_stream(&both[..1], Bytes::new());
        scene.links.break_stream(&both[..1]);
        scene.core.hears("link 1 is gone").await;
        assert!(!scene.links.has_room(&both[..1]).await);
    });
}

#[test]
fn a_snapshot_waits_for_a_peer_that_takes_nothing() {
    run(async {
        let scene = Scene::new(None, LIMIT).await;
        let mut peer = scene.peer().await;
        scene.core.hears("link 1 from 127.0.0.1").await;
        let slice = Bytes::from(vec![7; 64 << 20]);
        scene.links.begin_stream(&[ONE], slice.clone());
        let is_full = timeout(Duration::from_millis(50), scene.links.has_room(&[ONE])).await;
        assert!(is_full.is_err(), "the peer has taken nothing, and the system has no such buffers");
        let reading = async { assert!(read(&mut peer, 64 << 20).await == slice) };
        let (has_room, ()) = tokio::join!(scene.links.has_room(&[ONE]), reading);
        assert!(has_room);
    });
}

#[test]
fn a_leader_is_tried_until_it_is_there() {
    run(async {
        let (leader, address) = listener().await;
        drop(leader);
        let scene = Scene::new(Some(address), LIMIT).await;
        scene.links.dial(ServerId(3));
        let leader = TcpListener::bind(address).await.unwrap();
        let (mut stream, _) = timeout(LIMIT, leader.accept()).await.expect("in time").unwrap();
        scene.core.hears("link 1 to the leader").await;
        scene.links.send(ONE, Bytes::from_static(b"FOLLOWERINFO"));
        assert_eq!(read(&mut stream, 12).await, b"FOLLOWERINFO");
        scene.links.stop_dialing();
        stream.write_all(b"LEADERINFO").await.unwrap();
        scene.hears_bytes(ONE, b"LEADERINFO").await;
    });
}

#[test]
fn a_leader_that_is_not_there_in_time_is_given_up() {
    run(async {
        let (leader, address) = listener().await;
        drop(leader);
        let scene = Scene::new(Some(address), Duration::from_millis(60)).await;
        scene.links.dial(ServerId(3));
        scene.core.hears("no link to the leader").await;
        scene.links.dial(ServerId(99));
        scene.core.hears("no link to the leader").await;
        scene.links.dial(ServerId(3));
        scene.links.stop_dialing();
        let _peer = scene.peer().await;
        scene.core.hears("link 1 from 127.0.0.1").await;
        assert!(scene.core.heard.borrow().is_empty(), "it was stopped");
    });
}

/// It named itself and died: whoever waits for it until initLimit keeps the others from electing another.
#[test]
fn a_leader_that_is_not_there_is_given_up_long_before_its_time() {
    run(async {
        let (leader, address) = listener().await;
        drop(leader);
        let scene = Scene::new(Some(address), LIMIT * 10).await;
        scene.links.dial(ServerId(3));
        scene.core.hears("no link to the leader").await;
    });
}

#[test]
fn more_peers_than_any_ensemble_has_are_refused() {
    run(async {
        let scene = Scene::new(None, LIMIT).await;
        let mut peers = Vec::new();
        for n in 1..=255 {
            peers.push(scene.peer().await);
            scene.core.hears(&format!("link {n} from 127.0.0.1")).await;
        }
        let mut refused = scene.peer().await;
        assert_eq!(timeout(LIMIT, refused.read(&mut [0])).await.expect("in time").unwrap(), 0);
        drop(peers.swap_remove(6));
        scene.core.hears("link 7 is gone").await;
        let _peer = scene.peer().await;
        scene.core.hears("link 256 from 127.0.0.1").await;
    });
}
