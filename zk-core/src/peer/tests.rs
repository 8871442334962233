//! What a shell may rely on, call by call; what clients see is in the scenarios of `tests/it`.

use std::net::IpAddr;

use zk_wire::{Acl, CreateKind, CreateTxn, Op, Replica, Txn, TxnHeader, Xid};

use super::*;
use crate::auth::AuthOptions;
use crate::database::DatabaseOptions;
use crate::prep::PrepOptions;
use crate::schedule::{SnapshotOptions, TokenOptions};

const A: ConnectionId = ConnectionId::new(0, 0);

pub(super) fn options() -> Options {
    Options {
        seed: 1,
        server_id: 1,
        tick_ms: 1000,
        session_timeout_min_ms: 2000,
        session_timeout_max_ms: 20_000,
        prep: PrepOptions {
            auth: AuthOptions::default(),
            extended_types: false,
            enforce_quota: false,
            reconfig: false,
            digest: true,
            txn_size_max: 1 << 20,
        },
        outstanding_limit: 1000,
        output_soft_max: 1 << 20,
        output_hard_max: 1 << 24,
        sessionless_timeout_ms: 10_000,
        containers: ContainerOptions {
            check_interval_ms: 60_000,
            per_minute_max: 10_000,
            never_used_max_ms: 0,
        },
        snapshots: SnapshotOptions { snap_count: 100_000, size_limit_bytes: None },
        connect_tokens: TokenOptions { tokens: 0, fill_time_ms: 1, fill_count: 1 },
        ensemble: None,
    }
}

struct Shell {
    peer: Peer,
    mono: Millis,
}

impl Shell {
    fn new() -> Self {
        let mono = Millis(100);
        let database =
            Database::new(DatabaseOptions { seed: 1, extended_types: false, digest: true });
        Self { peer: Peer::new(options(), database, Now { mono, wall_ms: 5 }), mono }
    }

    fn step(&mut self, input: Input<'_>) -> Vec<Output> {
        let mut out = Vec::new();
        self.peer.step(Now { mono: self.mono, wall_ms: 5 }, input, &mut out);
        out
    }

    fn connect(&mut self, cnx: ConnectionId) {
        self.step(Input::Connected { cnx, remote: IpAddr::from([127, 0, 0, 1]) });
        let mut request = [0; 44];
        request[14..16].copy_from_slice(&[0x0f, 0xa0]);
        self.step(Input::Frame { cnx, bytes: &request });
    }

    /// A connection with a session and nothing to send.
    fn established() -> Self {
        let mut shell = Self::new();
        shell.connect(A);
        shell.persist(1);
        shell.peer.output(A).unwrap().clear();
        shell
    }

    fn persist(&mut self, zxid: i64) -> Vec<Output> {
        self.step(Input::Persisted { zxid: Zxid(zxid) })
    }

    fn send(&mut self, cnx: ConnectionId, op: Op) -> Vec<Output> {
        let mut bytes = [0; 8];
        bytes[4..].copy_from_slice(&op.code().to_be_bytes());
        self.step(Input::Frame { cnx, bytes: &bytes })
    }
}

#[test]
fn a_flush_is_said_once_until_the_bytes_are_taken() {
    let mut shell = Shell::established();
    assert_eq!(shell.send(A, Op::Ping), [Output::Flush(A)]);
    assert_eq!(shell.send(A, Op::Ping), []);
    assert_eq!(shell.peer.output(A).unwrap().len(), 2 * 20);
    assert_eq!(shell.send(A, Op::Ping), [Output::Flush(A)], "what was left is said again");
    assert_eq!(shell.peer.output(A).unwrap().len(), 3 * 20);
}

#[test]
fn a_persisted_zxid_covers_all_before_it() {
    let mut shell = Shell::established();
    for _ in 0..3 {
        shell.send(A, Op::Multi);
    }
    assert_eq!(shell.peer.outstanding(), 3);
    assert_eq!(shell.persist(1), [], "nothing new");
    assert_eq!(shell.persist(3), [Output::Flush(A)]);
    assert_eq!((shell.peer.outstanding(), shell.peer.last_proposed()), (1, Zxid(4)));
    assert_eq!(shell.peer.database().last_zxid(), Zxid(3));
}

#[test]
fn a_name_of_an_earlier_connection_is_nobodys() {
    let mut shell = Shell::established();
    shell.step(Input::Disconnected { cnx: A });
    let later = ConnectionId::new(0, 1);
    shell.connect(later);
    shell.persist(2);
    assert_eq!(shell.send(A, Op::Ping), []);
    assert!(shell.peer.output(A).is_none() && !shell.peer.may_read(A));
    shell.step(Input::Disconnected { cnx: A });
    assert!(shell.peer.connection(later).is_some());
}

#[test]
fn a_connection_that_goes_while_its_session_is_made_leaves_a_session() {
    let mut shell = Shell::new();
    shell.connect(A);
    shell.step(Input::Disconnected { cnx: A });
    assert_eq!(shell.persist(1), []);
    assert_eq!(shell.peer.session_count(), 1);
    assert_eq!(shell.peer.deadline(), Some(Millis(5000)), "its timeout is 4 s, and a tick's rest");
    shell.mono = Millis(5000);
    assert!(matches!(shell.step(Input::Timeout)[..], [Output::Append { zxid: Zxid(2), .. }]));
    assert_eq!(shell.step(Input::Timeout), [], "it expires once");
    shell.persist(2);
    assert_eq!(shell.peer.session_count(), 0);
    assert!(shell.peer.database().sessions().is_empty());
}

#[test]
fn frames_of_a_connection_that_is_closing_are_not_looked_at() {
    let mut shell = Shell::established();
    assert_eq!(shell.send(A, Op::DeleteContainer), [Output::Flush(A), Output::Close(A)]);
    assert_eq!(shell.send(A, Op::Ping), []);
    assert!(!shell.peer.may_read(A));
    assert_eq!(shell.peer.output(A).unwrap().len(), 20, "its last reply is still there");
}

#[test]
fn a_connection_is_closed_once_whatever_comes_after() {
    let mut shell = Shell::established();
    shell.send(A, Op::Multi);
    shell.send(A, Op::Ping);
    assert_eq!(shell.send(A, Op::DeleteContainer), [], "it waits for its turn");
    assert_eq!(shell.persist(2), [Output::Flush(A), Output::Close(A)]);
    let before = shell.peer.output(A).unwrap().len();
    shell.mono = Millis(9000);
    let expiry = shell.step(Input::Timeout);
    assert!(matches!(expiry[..], [Output::Append { zxid: Zxid(3), .. }]), "{expiry:?}");
    assert_eq!(shell.persist(3), [], "it was closed before");
    assert_eq!(shell.peer.output(A).unwrap().len(), before);
    assert_eq!(shell.peer.session_count(), 0);
}

#[test]
fn nodes_of_a_session_that_nobody_knows_go_by_a_txn() {
    let options = DatabaseOptions { seed: 1, extended_types: false, digest: true };
    let mut database = Database::new(options);
    let header = TxnHeader { session: SessionId(9), cxid: Xid(1), zxid: Zxid(7), time_ms: 5 };
    let create = CreateTxn {
        kind: CreateKind::Create,
        path: "/e".to_owned(),
        data: None,
        acl: vec![Acl::open()],
        ephemeral: true,
        parent_cversion: 1,
    };
    database.replay(&TxnRecord { header, txn: Txn::Create(create), digest: None });
    database.finish_recovery();
    let mono = Millis(100);
    let mut shell =
        Shell { peer: Peer::new(self::options(), database, Now { mono, wall_ms: 5 }), mono };
    shell.mono = shell.peer.deadline().unwrap();
    assert_eq!(shell.mono, Millis(1000), "it has no timeout left");
    assert!(matches!(shell.step(Input::Timeout)[..], [Output::Append { zxid: Zxid(8), .. }]));
    assert!(shell.peer.database().tree().lookup("/e").is_some(), "not before the log has it");
    shell.persist(8);
    assert!(shell.peer.database().tree().lookup("/e").is_none());
}

#[test]
fn who_was_told_not_to_read_is_told_to_go_on() {
    let mut shell = Shell::new();
    shell.connect(A);
    assert!(!shell.peer.may_read(A));
    assert_eq!(shell.persist(1), [Output::Flush(A), Output::Resume(A)]);
    assert!(shell.peer.may_read(A));
}

#[test]
fn reads_behind_one_write_hold_their_client_back_when_they_are_too_many() {
    let mut shell = Shell::established();
    shell.send(A, Op::Multi);
    for _ in 0..options().outstanding_limit {
        assert!(shell.peer.may_read(A));
        shell.send(A, Op::Ping);
    }
    assert!(!shell.peer.may_read(A));
    assert!(shell.persist(2).contains(&Output::Resume(A)));
    assert!(shell.peer.may_read(A));
}
