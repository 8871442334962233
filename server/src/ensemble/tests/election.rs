//! The election port against others of its kind, and against peers that do as they please.

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use zk_wire::InitialMessage;

use super::*;

/// An election port of a member, and its core.
struct Member {
    port: Rc<ElectionPort>,
    core: Rc<Recorder>,
    address: SocketAddr,
}

/// Ports of members, of which only those with a listener run.
struct Scene {
    members: BTreeMap<ServerId, Vec<Endpoint>>,
    introduction_time: Duration,
}

impl Scene {
    fn new(addresses: &[(i64, SocketAddr)]) -> Self {
        let members =
            addresses.iter().map(|(id, address)| (ServerId(*id), vec![endpoint(*address)]));
        Self { members: members.collect(), introduction_time: LIMIT }
    }

    fn start(&self, me: i64, listener: TcpListener) -> Member {
        let core = Recorder::new();
        let options = ElectionOptions {
            me: ServerId(me),
            multi_address: false,
            introduction_time: self.introduction_time,
        };
        let port = ElectionPort::new(core.as_core(), dialer(), options, self.members.clone());
        let address = listener.local_addr().unwrap();
        let taker = port.clone();
        spawn_local(accept(listener, false, move |stream, remote| taker.introduce(stream, remote)));
        Member { port, core, address }
    }
}

impl Member {
    fn says(&self, to: i64, text: &str) {
        self.port.notify(ServerId(to), text.into());
    }
}

/// A member with number 2 and nobody else that runs.
async fn alone() -> Member {
    let ((listener, address), (_, gone)) = (listener().await, listener().await);
    Scene::new(&[(1, gone), (2, address), (3, gone)]).start(2, listener)
}

/// Connects and says `bytes`.
async fn caller(member: &Member, bytes: &[u8]) -> TcpStream {
    let mut stream = TcpStream::connect(member.address).await.unwrap();
    stream.write_all(bytes).await.unwrap();
    stream
}

fn introduction(sender: i64, address: SocketAddr) -> Vec<u8> {
    let addresses = vec![(address.ip().to_string(), address.port())];
    InitialMessage { sender: ServerId(sender), addresses }.encode(false)
}

fn frame(text: &str) -> Vec<u8> {
    let mut bytes = u32::try_from(text.len()).unwrap().to_be_bytes().to_vec();
    bytes.extend_from_slice(text.as_bytes());
    bytes
}

async fn read_frame(stream: &mut TcpStream) -> String {
    let len = timeout(LIMIT, stream.read_u32()).await.unwrap().unwrap();
    let mut bytes = vec![0; usize::try_from(len).unwrap()];
    stream.read_exact(&mut bytes).await.unwrap();
    String::from_utf8(bytes).unwrap()
}

pub(super) async fn read_introduction(stream: &mut TcpStream) -> (ServerId, SocketAddr) {
    let mut bytes = Vec::new();
    loop {
        if let Some((message, len)) = InitialMessage::decode(&bytes).unwrap() {
            assert_eq!(len, bytes.len(), "nothing is said before it was called back");
            let (host, port) = &message.addresses[0];
            return (message.sender, format!("{host}:{port}").parse().unwrap());
        }
        assert_ne!(timeout(LIMIT, stream.read_buf(&mut bytes)).await.unwrap().unwrap(), 0);
    }
}

/// Waits until the peer has closed a connection without a word.
async fn is_closed(mut stream: TcpStream) {
    let mut rest = Vec::new();
    // A reset says so too.
    let _ = timeout(LIMIT, stream.read_to_end(&mut rest)).await.expect("it is closed in time");
    assert_eq!(rest, b"");
}

#[test]
fn members_exchange_messages_whoever_speaks_first() {
    run(async {
        for (first, second) in [(1, 2), (2, 1)] {
            let ((one, address_1), (two, address_2)) = (listener().await, listener().await);
            let scene = Scene::new(&[(1, address_1), (2, address_2)]);
            let members = BTreeMap::from([(1, scene.start(1, one)), (2, scene.start(2, two))]);
            let (speaker, hearer) = (&members[&first], &members[&second]);
            speaker.says(second, "vote");
            hearer.core.hears(&format!("{first} is there")).await;
            hearer.core.hears(&format!("{first}: vote")).await;
            hearer.says(first, "answer");
            speaker.core.hears(&format!("{second} is there")).await;
            speaker.core.hears(&format!("{second}: answer")).await;
            speaker.says(second, "again");
            hearer.core.hears(&format!("{first}: again")).await;
        }
    });
}

#[test]
fn a_peer_with_a_smaller_number_is_closed_and_called_back_where_it_says_to_be() {
    run(async {
        let member = alone().await;
        let (listener, address) = listener().await;
        let caller = caller(&member, &introduction(1, address)).await;
        is_closed(caller).await;
        let (mut back, _) = listener.accept().await.unwrap();
        assert_eq!(read_introduction(&mut back).await, (ServerId(2), member.address));
        member.core.hears("1 is there").await;
        back.write_all(&frame("vote")).await.unwrap();
        member.core.hears("1: vote").await;
    });
}

#[test]
fn a_peer_with_a_larger_number_is_only_told_who_calls() {
    run(async {
        let ((listener_2, address_2), (listener_3, address_3)) =
            (listener().await, listener().await);
        let member = Scene::new(&[(2, address_2), (3, address_3)]).start(2, listener_2);
        member.says(3, "vote");
        let (mut hello, _) = listener_3.accept().await.unwrap();
        assert_eq!(read_introduction(&mut hello).await, (ServerId(2), member.address));
        is_closed(hello).await;
        let mut back = caller(&member, &introduction(3, address_3)).await;
        assert_eq!(read_frame(&mut back).await, "vote");
        member.core.hears("3 is there").await;
    });
}

#[test]
fn a_peer_that_is_away_is_tried_until_the_newest_message_is_out() {
    run(async {
        let ((listener_1, address_1), (listener_2, address_2)) =
            (listener().await, listener().await);
        drop(listener_1);
        let scene = Scene::new(&[(1, address_1), (2, address_2)]);
        let member = scene.start(2, listener_2);
        member.says(1, "old");
        member.core.hears("1 is away").await;
        member.says(1, "new");
        member.core.hears("1 is away").await;
        let late = scene.start(1, TcpListener::bind(address_1).await.unwrap());
        late.core.hears("2: new").await;
        assert!(!late.core.heard.borrow().iter().any(|line| line.contains("old")));
    });
}

#[test]
fn wishing_for_all_peers_tells_about_those_that_are_away() {
    run(async {
        let member = alone().await;
        member.port.connect_all();
        for _ in 0..3 {
            // However often it is wished for, attempts come at their pace.
            member.port.connect_all();
        }
        member.core.hears("1 is away").await;
        let away = |line: &&String| line.ends_with("1 is away");
        assert_eq!(member.core.heard.borrow().iter().filter(away).count(), 0);
    });
}

#[test]
fn the_last_message_is_said_again_over_a_new_connection() {
    run(async {
        let member = alone().await;
        let (_listener, address) = listener().await;
        let mut first = caller(&member, &introduction(3, address)).await;
        member.core.hears("3 is there").await;
        member.says(3, "one");
        assert_eq!(read_frame(&mut first).await, "one");
        member.says(3, "two");
        assert_eq!(read_frame(&mut first).await, "two");
        drop(first);
        member.core.hears("3 is away").await;
        let mut second = caller(&member, &introduction(3, address)).await;
        assert_eq!(read_frame(&mut second).await, "two");
        member.core.hears("3 is there").await;
    });
}

#[test]
fn a_new_connection_of_a_peer_takes_the_place_of_its_old_one() {
    run(async {
        let member = alone().await;
        let (_listener, address) = listener().await;
        let first = caller(&member, &introduction(3, address)).await;
        member.core.hears("3 is there").await;
        let mut second = caller(&member, &introduction(3, address)).await;
        member.core.hears("3 is there").await;
        is_closed(first).await;
        second.write_all(&frame("vote")).await.unwrap();
        member.core.hears("3: vote").await;
        assert!(member.core.heard.borrow().is_empty(), "it was never away");
    });
}

#[test]
fn what_is_no_introduction_ends_that_connection_and_nothing_else() {
    run(async {
        let member = alone().await;
        let (_listener, address) = listener().await;
        let mut good = caller(&member, &introduction(3, address)).await;
        member.core.hears("3 is there").await;
        let mut endless = introduction(3, address);
        endless.splice(16..20, 4096_i32.to_be_bytes());
        let nobody = |sender: i64| introduction(sender, address);
        for bytes in [
            // The first half is taken for the number of a server, the rest for a message of 1.4 GB.
            b"GET / HTTP/1.1\r\n\r\n".to_vec(),
            vec![0xff; 64],
            endless,
            nobody(2),
            nobody(-7),
            nobody(i64::MAX),
        ] {
            is_closed(caller(&member, &bytes).await).await;
        }
        good.write_all(&frame("vote")).await.unwrap();
        member.core.hears("3: vote").await;
    });
}

#[test]
fn half_an_introduction_is_waited_for_only_so_long() {
    run(async {
        let ((listener_2, address_2), (_, gone)) = (listener().await, listener().await);
        let mut scene = Scene::new(&[(1, gone), (2, address_2)]);
        scene.introduction_time = Duration::from_millis(50);
        let member = scene.start(2, listener_2);
        let bytes = introduction(3, gone);
        is_closed(caller(&member, &bytes[..bytes.len() - 1]).await).await;
        is_closed(caller(&member, b"").await).await;
    });
}

#[test]
fn an_introduction_may_come_in_pieces_and_votes_right_behind_it() {
    run(async {
        let member = alone().await;
        let (_listener, address) = listener().await;
        let bytes = [introduction(3, address), frame("one"), frame("two")].concat();
        let mut stream = TcpStream::connect(member.address).await.unwrap();
        stream.set_nodelay(true).unwrap();
        for byte in bytes {
            stream.write_all(&[byte]).await.unwrap();
            tokio::task::yield_now().await;
        }
        member.core.hears("3: one").await;
        member.core.hears("3: two").await;
    });
}

#[test]
fn silent_callers_do_not_keep_others_out() {
    run(async {
        let member = alone().await;
        let (_listener, address) = listener().await;
        let mut silent = Vec::new();
        for _ in 0..100 {
            silent.push(TcpStream::connect(member.address).await.unwrap());
        }
        let _stream = caller(&member, &introduction(3, address)).await;
        member.core.hears("3 is there").await;
        is_closed(silent.swap_remove(0)).await;
    });
}

#[test]
fn only_a_few_peers_that_are_no_members_are_let_in() {
    run(async {
        let member = alone().await;
        let (_listener, address) = listener().await;
        let mut strangers = Vec::new();
        for id in 100..116 {
            strangers.push(caller(&member, &introduction(id, address)).await);
            member.core.hears(&format!("{id} is there")).await;
        }
        is_closed(caller(&member, &introduction(116, address)).await).await;
        // Members are let in none the less, and strangers again when one has gone.
        let _stream = caller(&member, &introduction(3, address)).await;
        member.core.hears("3 is there").await;
        drop(strangers.pop());
        member.core.hears("115 is away").await;
        let mut stream = caller(&member, &introduction(117, address)).await;
        member.core.hears("117 is there").await;
        member.says(117, "answer");
        assert_eq!(read_frame(&mut stream).await, "answer");
        member.says(115, "nobody");
    });
}

#[test]
fn a_message_of_no_length_or_too_long_ends_its_connection() {
    run(async {
        let member = alone().await;
        let (_listener, address) = listener().await;
        for length in [0, -1, 524_289_i32] {
            let bytes = [introduction(3, address), length.to_be_bytes().to_vec()].concat();
            is_closed(caller(&member, &bytes).await).await;
            member.core.hears("3 is away").await;
        }
    });
}
