//! The words' answers on a shell without sockets. That they are Java's is seen in `tests/words`.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::rc::Rc;

use expect_test::{Expect, expect};
use tempfile::TempDir;
use tokio::sync::mpsc::unbounded_channel;
use zk_config::Config;
use zk_config::config::Whitelist;
use zk_core::{Database, Input, Millis, Peer};
use zk_storage::{NamingFile, TxnLog};
use zk_wire::{Acl, ConnectRequest, Encoder, Naming, Op, SessionId, Zxid};

use super::*;
use crate::clock::Clock;
use crate::log_thread::{LogFiles, LogThread, WriterOptions};
use crate::settings::{Settings, core_options, database_options, log_options};
use crate::startup::History;

const NOW: Now = Now { mono: Millis(5_000), wall_ms: 1_795_330_625_000 };

/// A shell whose clients are calls.
struct Scene {
    shell: Rc<RefCell<Shell>>,
    zxid: i64,
    _folder: TempDir,
}

impl Scene {
    fn new(whitelist: Whitelist) -> Self {
        let folder = TempDir::new().unwrap();
        let mut config = Config::embedded_default(folder.path());
        config.clients.four_letter_words = whitelist;
        let settings = Settings::new(&config);
        let log = TxnLog::new(settings.files.disk, &settings.files.dirs, log_options(&config));
        let history = History::new(&config, &settings.files, 1);
        let naming = NamingFile::load(settings.files.disk, &settings.files.dirs).unwrap();
        let files = LogFiles { log, history, epochs: None, naming };
        let options = WriterOptions {
            slow_flush: std::time::Duration::from_secs(1),
            flush_delay: std::time::Duration::ZERO,
            poll_time: std::time::Duration::ZERO,
            batch_max: None,
            file_len_max: None,
        };
        let log = LogThread::start(files, unbounded_channel().0, options).unwrap();
        let database = Database::new(database_options(&config, 1));
        let peer = Peer::new(core_options(&config, 1, None, Naming::Unknown), database, NOW);
        let shell = Shell::new(peer, Clock::start(), settings, log);
        Self { shell, zxid: 0, _folder: folder }
    }

    fn client(&mut self, remote: &str) -> ConnectionId {
        let remote: SocketAddr = remote.parse().unwrap();
        self.shell.borrow_mut().admit(remote).unwrap()
    }

    /// Lets a client send a frame, and the log have what follows of it.
    fn send(&mut self, cnx: ConnectionId, txns: i64, write: impl FnOnce(&mut Encoder<'_>)) {
        let mut bytes = Vec::new();
        write(&mut Encoder::new(&mut bytes));
        self.zxid += txns;
        let zxid = Zxid(self.zxid);
        let mut shell = self.shell.borrow_mut();
        shell.step(NOW, Input::Frame { cnx, bytes: &bytes }, None);
        shell.step(NOW, Input::Persisted { zxid }, None);
        if let Some(out) = shell.peer.output(cnx) {
            out.clear();
        }
    }

    fn open_session(&mut self, cnx: ConnectionId) {
        let request = ConnectRequest {
            protocol_version: 0,
            last_zxid_seen: Zxid(0),
            timeout_ms: 30_000,
            session_id: SessionId(0),
            passwd: Some(&[0; 16]),
            read_only: Some(false),
        };
        self.send(cnx, 1, |e| request.encode(e));
    }

    fn watch(&mut self, cnx: ConnectionId, path: &str) {
        self.send(cnx, 0, |e| {
            e.int(2).int(Op::Exists.code()).text(path).boolean(true);
        });
    }

    fn create_ephemeral(&mut self, cnx: ConnectionId, path: &str) {
        self.send(cnx, 1, |e| {
            e.int(1).int(Op::Create.code()).text(path).buffer(Some(b"data")).count(1);
            Acl::open().encode(e);
            e.int(1);
        });
    }

    fn ask(&mut self, cnx: ConnectionId, word: Word, rest: &[u8]) -> Option<String> {
        answer(&mut self.shell.borrow_mut(), cnx, word, rest).map(|text| text.text)
    }
}

/// A server with a session that owns a node and watches two, and a connection that asks `word`.
fn check(word: Word, expect: &Expect) {
    let mut scene = Scene::new(Whitelist::All);
    let (client, asking) = (scene.client("127.0.0.1:59046"), scene.client("[2001:db8::7]:59062"));
    scene.open_session(client);
    scene.watch(client, "/none");
    scene.create_ephemeral(client, "/app");
    scene.watch(client, "/app");
    let answer = match word {
        Word::Dump => dump::dump(&scene.shell.borrow(), NOW),
        word => scene.ask(asking, word, b"").unwrap(),
    };
    // The name comes first, for a list in which all lines are indented would lose that.
    let answer = format!("{}:\n{}", word.name(), answer.replace(VERSION, "VERSION"));
    expect.assert_eq(&answer);
}

#[test]
fn connections_are_listed_with_and_without_their_sessions() {
    check(
        Word::Stat,
        &expect![[r#"
            stat:
            Zookeeper version: VERSION
            Clients:
             /127.0.0.1:59046[1](queued=0,recved=4,sent=4)
             /[2001:db8:0:0:0:0:0:7]:59062[0](queued=0,recved=1,sent=0)

            Latency min/avg/max: 0/0.0/0
            Received: 5
            Sent: 4
            Connections: 2
            Outstanding: 0
            Zxid: 0x2
            Mode: standalone
            Node count: 6
        "#]],
    );
    check(
        Word::Cons,
        &expect![[r#"
            cons:
             /127.0.0.1:59046[1](queued=0,recved=4,sent=4,sid=0x1a2020b4de80000,lop=EXIS,est=1795330625000,to=30000,lcxid=0x2,lzxid=0x2,lresp=5000,llat=0,minlat=0,avglat=0,maxlat=0)
             /[2001:db8:0:0:0:0:0:7]:59062[0](queued=0,recved=1,sent=0)

        "#]],
    );
}

#[test]
fn a_server_says_how_it_is() {
    check(
        Word::Srvr,
        &expect![[r#"
            srvr:
            Zookeeper version: VERSION
            Latency min/avg/max: 0/0.0/0
            Received: 5
            Sent: 4
            Connections: 2
            Outstanding: 0
            Zxid: 0x2
            Mode: standalone
            Node count: 6
        "#]],
    );
}

#[test]
fn a_dump_shows_what_ends_when_and_who_owns_what() {
    check(
        Word::Dump,
        &expect![[r#"
            dump:
            SessionTracker dump:
            Session Sets (1)/(1):
            1 expire at Sun Nov 22 06:57:36 UTC 2026:
            	0x1a2020b4de80000
            ephemeral nodes dump:
            Sessions with Ephemerals (1):
            0x1a2020b4de80000:
            	/app
            Connections dump:
            Connections Sets (2)/(2):
            1 expire at Sun Nov 22 06:57:20 UTC 2026:
            	ip: /[2001:db8:0:0:0:0:0:7]:59062 sessionId: 0x0
            1 expire at Sun Nov 22 06:57:40 UTC 2026:
            	ip: /127.0.0.1:59046 sessionId: 0x1a2020b4de80000
        "#]],
    );
}

#[test]
fn watches_are_shown_by_path_and_by_session() {
    check(
        Word::Wchs,
        &expect![[r#"
            wchs:
            1 connections watching 2 paths
            Total watches:2
        "#]],
    );
    check(
        Word::Wchc,
        &expect![[r#"
            wchc:
            0x1a2020b4de80000
            	/app
            	/none

        "#]],
    );
}

#[test]
fn the_trace_mask_is_kept_and_needs_eight_bytes() {
    let mut scene = Scene::new(Whitelist::All);
    let cnx = scene.client("127.0.0.1:1");
    assert_eq!(scene.ask(cnx, Word::Gtmk, b"").as_deref(), Some("306"));
    assert_eq!(scene.ask(cnx, Word::Stmk, b"1234567"), None);
    let mask = 7_i64.to_be_bytes();
    assert_eq!(scene.ask(cnx, Word::Stmk, &mask).as_deref(), Some("7"));
    assert_eq!(scene.ask(cnx, Word::Gtmk, b"").as_deref(), Some("7"));
}

#[test]
fn a_reset_begins_all_counts_anew() {
    let mut scene = Scene::new(Whitelist::All);
    let cnx = scene.client("127.0.0.1:1");
    scene.open_session(cnx);
    scene.ask(cnx, Word::Srst, b"").unwrap();
    let shell = scene.shell.borrow();
    let stats = shell.peer.stats();
    assert_eq!((stats.packets_received, stats.packets_sent, stats.latency.count), (0, 1, 0));
}

#[test]
fn a_connection_starts_anew_without_forgetting_who_it_is() {
    let mut scene = Scene::new(Whitelist::All);
    let cnx = scene.client("127.0.0.1:1");
    scene.open_session(cnx);
    scene.ask(cnx, Word::Crst, b"").unwrap();
    let answer = scene.ask(cnx, Word::Cons, b"").unwrap();
    assert!(
        answer.contains(",lop=NA,est=1795330625000,to=30000,lzxid=0xffffffffffffffff,lresp=0,")
    );
}

#[test]
fn a_word_that_is_not_on_the_whitelist_is_refused_by_name() {
    let mut scene = Scene::new(Whitelist::Only(["srvr".to_owned()].into()));
    let cnx = scene.client("127.0.0.1:1");
    for (bytes, name) in [(*b"mntr", "mntr"), ([0xff, 0xf4, 0xff, 0xfd], "telnet close")] {
        let word = Word::find(bytes).unwrap();
        let refusal = format!("{name} is not executed because it is not in the whitelist.\n");
        assert_eq!(scene.ask(cnx, word, b""), Some(refusal));
    }
    assert!(scene.ask(cnx, Word::Srvr, b"").unwrap().starts_with("Zookeeper version: 3.9.5-"));
}

#[test]
fn the_members_are_told_on_this_machine_and_elsewhere_if_the_whitelist_says_so() {
    for (whitelist, remote, is_told) in [
        (Whitelist::Only(["srvr".to_owned()].into()), "127.0.0.1:1", true),
        (Whitelist::Only(["srvr".to_owned()].into()), "[::ffff:127.0.0.1]:1", true),
        (Whitelist::Only(["srvr".to_owned()].into()), "10.0.0.1:1", false),
        (Whitelist::Only(["memb".to_owned()].into()), "10.0.0.1:1", true),
    ] {
        let mut scene = Scene::new(whitelist);
        let cnx = scene.client(remote);
        let answer = scene.ask(cnx, Word::Memb, b"").unwrap();
        assert_eq!(answer == "role\tSTANDALONE\n", is_told, "{remote}: {answer}");
    }
}

#[test]
fn digests_are_listed_every_128_txns() {
    let mut scene = Scene::new(Whitelist::All);
    let (cnx, asking) = (scene.client("127.0.0.1:1"), scene.client("127.0.0.1:2"));
    scene.open_session(cnx);
    assert_eq!(scene.ask(asking, Word::Hash, b"").as_deref(), Some(""));
    for n in 2..=256 {
        scene.create_ephemeral(cnx, &format!("/n{n}"));
    }
    let digest = scene.shell.borrow().peer.database().tree().digest().cast_signed();
    let answer = scene.ask(asking, Word::Hash, b"").unwrap();
    assert!(answer.starts_with("80: ") && answer.ends_with(&format!("\n100: {digest}\n")));
}
