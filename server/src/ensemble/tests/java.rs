//! The election port against the one of a Java server.

use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use tempfile::TempDir;
use zk_wire::{Notification, PeerState, Zxid};

use super::*;

/// Member 2 of three, in Java. It ends with the test, however that ends.
struct Java {
    guard: Child,
    _folder: TempDir,
}

impl Java {
    fn start(election_ports: &[(i64, u16)]) -> Self {
        let folder = TempDir::new().unwrap();
        let path = |name: &str| folder.path().join(name).display().to_string();
        let mut zoo_cfg = format!(
            "tickTime=2000\ninitLimit=10\nsyncLimit=5\nclientPort={}\nadmin.enableServer=false\n\
             dataDir={}\n",
            free_port(),
            path("data"),
        );
        for (id, election_port) in election_ports {
            zoo_cfg += &format!("server.{id}=127.0.0.1:{}:{election_port}\n", free_port());
        }
        fs::create_dir(path("data")).unwrap();
        fs::write(path("data/myid"), "2\n").unwrap();
        fs::write(path("zoo.cfg"), zoo_cfg).unwrap();
        let guard = Command::new("sh")
            .args(["-c", "\"$@\" >/dev/null 2>&1 & read -r end; kill -9 $!", "guard", "java"])
            .args(["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp", CLASS_PATH])
            .args(["org.apache.zookeeper.server.quorum.QuorumPeerMain", &path("zoo.cfg")])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .unwrap();
        Self { guard, _folder: folder }
    }
}

impl Drop for Java {
    fn drop(&mut self) {
        // Waiting closes the pipe first.
        self.guard.wait().unwrap();
    }
}

/// A port that is free now.
fn free_port() -> u16 {
    let listener = std::net::TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    listener.local_addr().unwrap().port()
}

/// Waits for a message of the Java server and says what it votes.
async fn vote(core: &Recorder) -> (PeerState, ServerId, Zxid, i64) {
    let payload = core
        .until("the Java server votes", || {
            let mut votes = core.votes.borrow_mut();
            (!votes.is_empty()).then(|| votes.remove(0))
        })
        .await;
    let vote = Notification::decode(&payload).unwrap();
    (vote.state, vote.leader, vote.zxid, vote.round)
}

#[test]
fn a_java_server_votes_whether_its_number_is_smaller_or_larger() {
    if !Path::new(CLASS_PATH.split_once(':').unwrap().0).exists() {
        return eprintln!("skipped: zookeeper-java is not installed");
    }
    run(async {
        let ((listener_1, address_1), (listener_3, address_3)) =
            (listener().await, listener().await);
        let java = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
        let members = [(1, address_1), (2, java), (3, address_3)];
        let ports: Vec<_> = members.iter().map(|(id, address)| (*id, address.port())).collect();
        let endpoints =
            members.iter().map(|(id, address)| (ServerId(*id), vec![endpoint(*address)]));
        let endpoints: BTreeMap<_, _> = endpoints.collect();
        let start = |me: i64, listener: TcpListener| {
            let core = Recorder::new();
            let options = ElectionOptions {
                me: ServerId(me),
                multi_address: false,
                introduction_time: LIMIT,
            };
            let port = ElectionPort::new(core.as_core(), dialer(), options, endpoints.clone());
            let taker = port.clone();
            let take = move |stream, remote| taker.introduce(stream, remote);
            spawn_local(accept(listener, false, take));
            (port, core)
        };
        let ((port_1, core_1), (port_3, core_3)) = (start(1, listener_1), start(3, listener_3));
        let _java = Java::start(&ports);
        // It says hello to both and is the one that connects to the smaller number.
        for core in [&core_1, &core_3] {
            core.hears("2 is there").await;
            assert_eq!(vote(core).await, (PeerState::Looking, ServerId(2), Zxid(0), 1));
        }
        // A vote for a larger number is one that it follows, and tells everybody.
        let config = None;
        let better = Notification {
            state: PeerState::Looking,
            leader: ServerId(3),
            zxid: Zxid(0),
            round: 1,
            epoch: zk_wire::Epoch(0),
            version: Notification::VERSION,
            config,
        };
        port_3.notify(ServerId(2), better.encode());
        let is_convinced = async |core: &Recorder| while vote(core).await.1 != ServerId(3) {};
        is_convinced(&core_1).await;
        is_convinced(&core_3).await;
        port_1.notify(ServerId(2), better.encode());
    });
}

const CLASS_PATH: &str = "/usr/share/java/zookeeper.jar:/usr/share/java/slf4j-simple.jar";
