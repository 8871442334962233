//! The observer port, and how observers find it, against plain sockets.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::*;

const ME: ServerId = ServerId(1);
const LEADER: ServerId = ServerId(3);

struct Scene {
    core: Rc<Recorder>,
    /// The leader's quorum port.
    leader: TcpListener,
    /// The observer port of server.1.
    address: SocketAddr,
}

impl Scene {
    async fn new() -> Self {
        let core = Recorder::new();
        let (leader, at) = listener().await;
        let quorum = BTreeMap::from([(LEADER, vec![endpoint(at)])]);
        let links = links(&core, Places { quorum, ..Places::default() });
        let port = ObserverPort::new(core.as_core(), links, ME);
        let (listener, address) = listener().await;
        spawn_local(accept(listener, false, move |stream, remote| port.accept(stream, remote)));
        Self { core, leader, address }
    }
}

fn links(core: &Rc<Recorder>, places: Places) -> Rc<Links> {
    let dial_pause = Duration::from_millis(10);
    let options = LinkOptions { dial_time: LIMIT, dial_pause, security_time: LIMIT };
    Links::new(core.as_core(), dialer(), options, places)
}

async fn read(stream: &mut TcpStream, expected: &[u8]) {
    let mut bytes = vec![0; expected.len()];
    timeout(LIMIT, stream.read_exact(&mut bytes)).await.expect("in time").unwrap();
    assert_eq!(bytes, expected);
}

async fn ends(stream: &mut TcpStream) {
    let mut rest = Vec::new();
    timeout(LIMIT, stream.read_to_end(&mut rest)).await.expect("in time").unwrap();
    assert_eq!(rest, b"");
}

#[test]
fn an_observer_of_a_follower_speaks_with_the_leader() {
    run(async {
        let scene = Scene::new().await;
        scene.core.leader.set(Some(LEADER));
        let mut observer = TcpStream::connect(scene.address).await.unwrap();
        observer.write_all(b"OBSERVERINFO").await.unwrap();
        let (mut leader, _) = scene.leader.accept().await.unwrap();
        read(&mut leader, b"OBSERVERINFO").await;
        leader.write_all(b"LEADERINFO").await.unwrap();
        read(&mut observer, b"LEADERINFO").await;
        drop(leader);
        ends(&mut observer).await;
        assert!(scene.core.heard.borrow().is_empty(), "it is nothing to this member");
    });
}

#[test]
fn an_observer_of_the_leader_itself_has_a_link_to_it() {
    run(async {
        let scene = Scene::new().await;
        scene.core.leader.set(Some(ME));
        let _observer = TcpStream::connect(scene.address).await.unwrap();
        scene.core.hears("link 1 from 127.0.0.1").await;
    });
}

#[test]
fn an_observer_that_comes_before_there_is_a_leader_is_sent_away() {
    run(async {
        let scene = Scene::new().await;
        let mut observer = TcpStream::connect(scene.address).await.unwrap();
        ends(&mut observer).await;
    });
}

#[test]
fn an_observer_tries_the_voters_in_turn() {
    run(async {
        let core = Recorder::new();
        let (first, at_first) = listener().await;
        let (gone, at_gone) = listener().await;
        drop(gone);
        let (third, at_third) = listener().await;
        let places = [(1, at_first), (2, at_gone), (3, at_third)];
        let masters = places.map(|(id, at)| (ServerId(id), vec![endpoint(at)])).to_vec();
        let links = links(&core, Places { masters, ..Places::default() });
        for (link, expected, listener) in [(1, 1, &first), (2, 3, &third), (3, 1, &first)] {
            links.dial(LEADER);
            listener.accept().await.unwrap();
            core.hears(&format!("link {link} to the leader")).await;
            assert_eq!(links.master(), Some(ServerId(expected)));
        }
    });
}
