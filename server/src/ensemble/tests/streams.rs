//! Snapshots that a shell takes and sends when its core wants them.

use bytes::Bytes;
use tokio::io::AsyncReadExt as _;
use tokio::net::TcpStream;
use tokio::sync::mpsc::UnboundedReceiver;
use zk_core::{Database, Millis, Now, Output, Peer};
use zk_storage::snapshots;
use zk_wire::{Epoch, Naming, Replica as _, SnapshotStream, Zxid};

use super::*;
use crate::clock::Clock;
use crate::log_thread::Report;
use crate::scratch::{Scratch, create};
use crate::settings::{core_options, database_options};

/// A shell that has links to learners, which its own core knows nothing of.
struct Scene {
    shell: Rc<RefCell<Shell>>,
    core: Rc<Recorder>,
    reports: UnboundedReceiver<Report>,
    address: SocketAddr,
    scratch: Scratch,
}

/// Enough nodes for several slices.
fn database(scratch: &Scratch) -> Database {
    let mut database = scratch.database();
    for n in 1..=3000 {
        database.replay(&create(Zxid::new(Epoch(1), n), &format!("/node-{n}")));
    }
    database.finish_recovery();
    database
}

impl Scene {
    async fn new() -> Self {
        let scratch = Scratch::new();
        let (log, reports) = scratch.start_log(false);
        let now = Now { mono: Millis(5_000), wall_ms: 0 };
        let peer = Peer::new(
            core_options(&scratch.config, 1, None, Naming::Unknown),
            database(&scratch),
            now,
        );
        let shell = Shell::new(peer, Clock::start(), scratch.settings(), log);
        let core = Recorder::new();
        let options = LinkOptions { dial_time: LIMIT, dial_pause: LIMIT, security_time: LIMIT };
        let links = Links::new(core.as_core(), dialer(), options, Places::default());
        let options =
            ElectionOptions { me: ServerId(1), multi_address: false, introduction_time: LIMIT };
        let election = ElectionPort::new(core.as_core(), dialer(), options, BTreeMap::new());
        let ensemble = Ensemble {
            election,
            links: links.clone(),
            me: ServerId(1),
            election_listening: closed_port(),
            quorum_listening: closed_port(),
            observer_listening: None,
            master_port: None,
            kept: Cell::default(),
            files: RefCell::default(),
        };
        shell.borrow_mut().ensemble = Some(ensemble);
        let (listener, address) = listener().await;
        let taker = links.clone();
        spawn_local(accept(listener, false, move |stream, remote| taker.accept(stream, remote)));
        Self { shell, core, reports, address, scratch }
    }

    async fn learner(&self, link: u64) -> TcpStream {
        let stream = TcpStream::connect(self.address).await.unwrap();
        self.core.hears(&format!("link {link} from 127.0.0.1")).await;
        stream
    }

    fn wants(&self, output: Output) {
        self.shell.borrow_mut().carry_out(output, None);
    }

    /// Waits until no snapshot is being taken or sent.
    async fn is_idle(&self) {
        while self.shell.borrow().snapshots.is_busy() {
            tokio::task::yield_now().await;
        }
    }

    /// Does what the driver does until the log says something.
    async fn next_report(&mut self) -> Report {
        loop {
            assert!(self.shell.borrow_mut().send_batch());
            tokio::select! {
                report = self.reports.recv() => return report.unwrap(),
                () = std::future::poll_fn(|cx| self.shell.borrow_mut().poll_driver(cx)) => {}
            }
        }
    }

    /// The zxids of the snapshots on the disk, newest first.
    fn snapshots(&self) -> Vec<Zxid> {
        let files = self.shell.borrow().settings.files.clone();
        let found = snapshots(&files.disk, files.dirs.snap()).unwrap();
        found.into_iter().map(|snapshot| snapshot.zxid).collect()
    }
}

async fn read(stream: &mut TcpStream, len: usize) -> Vec<u8> {
    let mut bytes = vec![0; len];
    timeout(LIMIT, stream.read_exact(&mut bytes)).await.expect("in time").unwrap();
    bytes
}

const LAST: Zxid = Zxid(0x1_0000_0bb8);

#[test]
fn learners_get_the_whole_moment_and_then_what_was_sent_meanwhile() {
    run(async {
        let scene = Scene::new().await;
        let mut learners = [scene.learner(1).await, scene.learner(2).await];
        let links = vec![LinkId(1), LinkId(2)];
        scene.wants(Output::StreamSnapshot { links: links.clone() });
        for link in links {
            scene.wants(Output::Send { link, bytes: Bytes::from_static(b"NEWLEADER") });
        }
        // What happens meanwhile does not show.
        let changed = create(LAST.next(), "/node-1/new");
        scene.shell.borrow_mut().peer.database_mut().replay(&changed);

        let expected = database(&scene.scratch).tree().digest();
        for learner in &mut learners {
            let mut received = Database::new(database_options(&scene.scratch.config, 7));
            let mut stream = SnapshotStream::new(1 << 20);
            let mut bytes = Vec::new();
            loop {
                let fed = stream.feed(&bytes, &mut received).unwrap();
                bytes.drain(..fed.consumed);
                if fed.is_done {
                    break;
                }
                timeout(LIMIT, learner.read_buf(&mut bytes)).await.expect("in time").unwrap();
            }
            received.finish_recovery();
            assert_eq!(received.tree().digest(), expected);
            let left = "NEWLEADER".len() - bytes.len();
            bytes.extend(read(learner, left).await);
            assert_eq!(bytes, b"NEWLEADER");
        }
        scene.is_idle().await;
        assert!(!scene.shell.borrow().peer.database().tree().is_snapshotting());
    });
}

#[test]
fn a_learner_that_goes_does_not_keep_a_snapshot_from_the_others() {
    run(async {
        let scene = Scene::new().await;
        let (gone, mut stays) = (scene.learner(1).await, scene.learner(2).await);
        drop(gone);
        scene.wants(Output::StreamSnapshot { links: vec![LinkId(1), LinkId(2), LinkId(9)] });
        scene.wants(Output::CloseLink(LinkId(2)));
        let mut bytes = Vec::new();
        stays.read_to_end(&mut bytes).await.unwrap();
        scene.is_idle().await;
        assert!(!scene.shell.borrow().peer.database().tree().is_snapshotting());
        // Nor does one that nobody waits for keep back the next.
        scene.wants(Output::TakeSnapshot);
        scene.is_idle().await;
        assert_eq!(scene.snapshots(), [LAST, Zxid(0)]);
    });
}

#[test]
fn a_dropped_snapshot_gets_no_name_and_no_more_of_it_is_sent() {
    run(async {
        let scene = Scene::new().await;
        let mut learner = scene.learner(1).await;
        scene.wants(Output::StreamSnapshot { links: vec![LinkId(1)] });
        scene.wants(Output::AbortSnapshot);
        scene.core.hears("link 1 is gone").await;
        let mut bytes = Vec::new();
        learner.read_to_end(&mut bytes).await.unwrap();
        assert!(!bytes.ends_with(b"BenWasHere"));
        scene.is_idle().await;
        scene.wants(Output::TakeSnapshot);
        scene.wants(Output::AbortSnapshot);
        assert!(!scene.shell.borrow().peer.database().tree().is_snapshotting());
        scene.is_idle().await;
        assert_eq!(scene.snapshots(), [Zxid(0)]);
    });
}

#[test]
fn the_files_are_not_read_again_while_a_snapshot_is_being_written() {
    run(async {
        let mut scene = Scene::new().await;
        scene.wants(Output::TakeSnapshot);
        // A second one does not change that.
        scene.wants(Output::TakeSnapshot);
        scene.wants(Output::Reload);
        let Report::Reloaded { database } = scene.next_report().await else {
            panic!("the log was told one thing")
        };
        assert_eq!(database.last_zxid(), LAST);
    });
}
