//! Counters at their ends: the servers start on a txn log that no client could have brought about
//! in reasonable time.

use std::fs;

use zk_wire::{
    Acl, CreateKind, CreateTxn, Encoder, FileHeader, RECORD_END, SessionId, Txn, TxnHeader,
    TxnRecord, Xid, Zxid,
};

use crate::config::PREPARED;
use crate::request::{create, create_as, delete, set_data};
use crate::scene::Scene;
use crate::server::{Kind, Server};

/// Runs a test on servers of both kinds that start from a log of these txns.
fn check(txns: &[Txn], test: fn(&Scene<'_>)) {
    for kind in [Kind::Java, Kind::Ours] {
        if kind.is_installed() {
            let server = Server::start_on(kind, &PREPARED, |version_2| {
                fs::write(version_2.join("log.1"), log(txns)).expect("the folder is writable");
            });
            test(&Scene { server: &server, root: "/p".to_owned() });
        }
    }
}

fn created(path: &str, parent_cversion: i32) -> Txn {
    Txn::Create(CreateTxn {
        kind: CreateKind::Create,
        path: path.to_owned(),
        data: Some(Vec::new()),
        acl: vec![Acl::open()],
        ephemeral: false,
        parent_cversion,
    })
}

#[test]
fn the_counter_of_creates_ends_at_the_largest_int() {
    check(&[created("/p", 1), created("/p/a", i32::MAX - 2)], |scene| {
        let mut client = scene.client();
        for suffix in ["2147483645", "2147483646", "2147483647"] {
            let name = client.created(&create_as(1, "~/s-", 2));
            assert_eq!(name, format!("~/s-{suffix}"));
        }
        client.check(&[(create_as(1, "~/s-", 2), -110), (create_as(1, "~/s-", 2), -110)]);
        assert_eq!(client.created(&create_as(1, "~/other-", 2)), "~/other-2147483647");
        client.check(&[(create_as(1, "~/other-", 2), -110), (create("~/plain"), 0)]);
        client.check(&[(delete("~/s-2147483647", -1), 0), (create_as(1, "~/s-", 2), 0)]);
    });
}

#[test]
fn a_version_goes_on_behind_the_largest_int() {
    let path = "/p".to_owned();
    let set = Txn::SetData { path, data: None, version: i32::MAX, reconfig: false };
    check(&[created("/p", 1), set], |scene| {
        let mut client = scene.client();
        assert_eq!(client.stat("~").version, i32::MAX);
        client.check(&[(set_data("~", None, i32::MAX - 1), -103)]);
        assert_eq!(client.ok(&set_data("~", None, i32::MAX)).stat().version, i32::MIN);
        assert_eq!(client.ok(&set_data("~", None, i32::MIN)).stat().version, i32::MIN + 1);
    });
}

#[test]
fn at_version_minus_one_any_version_is_expected() {
    let path = "/p".to_owned();
    let set = Txn::SetData { path, data: None, version: -1, reconfig: false };
    check(&[created("/p", 1), set], |scene| {
        let mut client = scene.client();
        client.check(&[(set_data("~", None, 5), -103), (set_data("~", None, -1), 0)]);
        assert_eq!(client.stat("~").version, 0);
    });
}

/// A txn log as a server writes it: header, then each record behind its checksum and length.
fn log(txns: &[Txn]) -> Vec<u8> {
    let mut out = Vec::new();
    FileHeader::LOG.encode(&mut Encoder::new(&mut out));
    for (zxid, txn) in (1..).zip(txns) {
        let header = TxnHeader {
            session: SessionId(0),
            cxid: Xid(0),
            zxid: Zxid(zxid),
            time_ms: 1_700_000_000_000,
        };
        let mut record = Vec::new();
        let txn = TxnRecord { header, txn: txn.clone(), digest: None };
        txn.encode(&mut Encoder::new(&mut record));
        let mut e = Encoder::new(&mut out);
        e.long(i64::from(adler32(&record))).buffer(Some(&record)).raw(&[RECORD_END]);
    }
    // Preallocated space, without which the last record would be taken for a torn one.
    out.resize(out.len() + 1024, 0);
    out
}

fn adler32(bytes: &[u8]) -> u32 {
    let step = |(a, b): (u32, u32), byte: &u8| {
        let a = (a + u32::from(*byte)) % 65_521;
        (a, (b + a) % 65_521)
    };
    let (a, b) = bytes.iter().fold((1, 0), step);
    b << 16 | a
}
