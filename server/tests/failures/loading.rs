//! While a server loads: its port is open, words are answered, a signal ends it at once.
//!
//! A log with many txns takes it some time. Each test sees that what it asked was asked meanwhile.

use std::io::Write as _;
use std::net::{TcpListener, TcpStream};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use zk_storage::{DataDirs, LogOptions, RealDisk, TxnLog};
use zk_wire::{
    Acl, CreateKind, CreateTxn, Encoder, SessionId, Txn, TxnHeader, TxnRecord, Xid, Zxid,
};
use zookeeper_ready::probe::{is_live, is_ok, is_ready};
use zookeeper_ready::{Conversation, NotReady, Target};

use crate::client::Client;
use crate::deadline::await_until;
use crate::process::{Running, Scratch, listing, word};

/// A server's directory with a log of `TXNS` txns and no snapshot of them.
fn slow_to_load(settings: &str) -> Scratch {
    let scratch = Scratch::new(settings);
    scratch.serve().stop();
    let data = scratch.path("data");
    let mut log = TxnLog::new(RealDisk, &DataDirs::new(&data, &data), LogOptions::new(0, false));
    let mut bytes = Vec::new();
    for number in 0..TXNS {
        let txn = if number == 0 {
            let acl = vec![Acl::open()];
            let (path, data) = (PATH.to_owned(), None);
            let kind = CreateKind::Create;
            Txn::Create(CreateTxn { kind, path, data, acl, ephemeral: false, parent_cversion: -1 })
        } else {
            let data = Some(number.to_string().into_bytes());
            Txn::SetData { path: PATH.to_owned(), data, version: number, reconfig: false }
        };
        let zxid = Zxid(i64::from(number) + 1);
        let header = TxnHeader { session: SessionId(1), cxid: Xid(number), zxid, time_ms: 1 };
        bytes.clear();
        TxnRecord { header, txn, digest: None }.encode(&mut Encoder::new(&mut bytes));
        log.append(zxid, &bytes).unwrap();
    }
    log.commit().unwrap();
    log.close().unwrap();
    scratch
}

/// A server on it whose port is open.
fn loading(scratch: &Scratch) -> Running {
    let mut server = scratch.spawn(scratch.command(&[]));
    server.await_port();
    server
}

/// Whether nothing that was done before this was done too late.
fn is_loading(server: &mut Running) -> bool {
    server.is_running() && !server.stdout().contains(LOADED)
}

type Question = fn(&Conversation) -> Result<(), NotReady>;
const READY: Question = |conversation| is_ready(conversation, false);

/// What the probe says.
fn probed(scratch: &Scratch, ask: Question) -> Result<(), NotReady> {
    let host = Some(scratch.address().ip().to_string());
    let target = Target { host, port: scratch.address().port(), timeout: Duration::from_secs(5) };
    ask(&Conversation::new(target))
}

#[test]
fn a_server_that_loads_answers_words_and_serves_when_it_has_loaded() {
    let scratch = slow_to_load("4lw.commands.whitelist=ruok, mntr, isro, gtmk, stmk, hash\n");
    let mut server = loading(&scratch);
    let address = scratch.address();
    let not_serving = "This ZooKeeper instance is not currently serving requests";
    for (asked, answer) in [
        (&b"ruok"[..], "imok".to_owned()),
        (b"ruok\n", "imok".to_owned()),
        (b"srvr", format!("{not_serving}\n")),
        (b"mntr", format!("{not_serving}\n")),
        (b"hash", not_serving.to_owned()),
        (b"isro", "null".to_owned()),
        (b"stat", "stat is not executed because it is not in the whitelist.\n".to_owned()),
        (b"stmk\0\0\0\0\0\0\0\x07", "7".to_owned()),
    ] {
        assert_eq!(word(address, asked).unwrap(), answer);
    }
    probed(&scratch, is_ok).unwrap();
    probed(&scratch, is_live).unwrap();
    assert!(matches!(probed(&scratch, READY), Err(NotReady::NotServing)));
    // In pieces, as a slow network brings it.
    let mut pieces = TcpStream::connect(address).unwrap();
    pieces.set_nodelay(true).unwrap();
    pieces.write_all(b"ru").unwrap();
    assert!(Client::connect(address).is_err(), "a session is sent elsewhere");
    assert!(is_loading(&mut server), "the log is too short for this machine");
    server.await_line(LOADED);
    let mut client = Client::connect(address).unwrap();
    assert_eq!(client.get(PATH).unwrap().0, Some((TXNS - 1).to_string().into_bytes()));
    assert_eq!(word(address, b"gtmk").unwrap(), "7", "what was set before holds");
    probed(&scratch, READY).unwrap();
    server.stop();
}

#[test]
fn a_signal_ends_a_server_that_loads_at_once_and_the_next_start_has_everything() {
    let scratch = slow_to_load("");
    let before = listing(&scratch.files());
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let mut server = loading(&scratch);
        assert!(is_loading(&mut server), "the log is too short for this machine");
        kill(server.id(), signal).unwrap();
        let outcome = server.outcome();
        outcome.check(0, &[]);
        assert!(!outcome.stdout.contains(LOADED), "it did not wait for the end of the loading");
        assert!(outcome.stdout.contains(&format!("{signal}: ending before")), "{}", outcome.stdout);
        assert!(outcome.took < Duration::from_secs(1), "{:?} until the end", outcome.took);
        assert_eq!(listing(&scratch.files()), before);
    }
    let mut server = loading(&scratch);
    server.await_line(LOADED);
    let mut client = Client::connect(scratch.address()).unwrap();
    assert_eq!(client.get(PATH).unwrap().0, Some((TXNS - 1).to_string().into_bytes()));
    server.stop();
}

#[test]
fn a_server_whose_loading_does_not_go_on_is_alive_no_more() {
    let scratch = Scratch::new("loading.stallLimit=1000\n");
    scratch.serve().stop();
    // Nobody writes to it: to read it takes for ever, as on a disk that hangs.
    let log = scratch.path("data").join("version-2/log.ffff");
    mkfifo(&log, Mode::S_IRWXU).unwrap();
    let server = loading(&scratch);
    let why =
        await_until("it is not alive", Duration::from_secs(60), || probed(&scratch, is_live).err());
    assert!(matches!(why, NotReady::Stalled { .. }), "{why}");
    assert!(
        why.to_string().starts_with("server is starting, and loading has not gone on for 1"),
        "{why}"
    );
    probed(&scratch, is_ok).unwrap();
    server.stop().check(0, &[]);
}

#[test]
fn a_client_port_in_use_is_told_before_anything_is_read() {
    let scratch = slow_to_load("");
    let _other = TcpListener::bind(scratch.address()).unwrap();
    let outcome = scratch.run(scratch.command(&[]));
    outcome.check(1, &["cannot listen on client port ", "set another clientPort"]);
    assert!(!outcome.stdout.contains(LOADED), "{}", outcome.stdout);
}

const TXNS: i32 = 2_500_000;
const PATH: &str = "/counter";
const LOADED: &str = "txns loaded; ";
