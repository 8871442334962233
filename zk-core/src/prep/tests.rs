//! Which error wins, op by op, and what is left of txns that fail: tables over one small tree.

use std::borrow::Cow;

use zk_wire::{CheckRequest, CreateKind, CreateTxn, Op, Perms};

use super::*;
use crate::database::DatabaseOptions;

const ME: SessionId = SessionId(0x0100_0000_0000_0001);

/// A committed tree: `/a` of version 1 with a child, `/e` ephemeral, `/r` that may only be read,
/// `/none` that nobody may touch, `/q` that is full, in nodes and in bytes.
struct Bench {
    database: Database,
    prep: Prep,
}

impl Bench {
    fn new() -> Self {
        let options = PrepOptions {
            auth: AuthOptions::default(),
            extended_types: false,
            enforce_quota: true,
            reconfig: false,
            digest: true,
            txn_size_max: 1 << 20,
        };
        let database =
            Database::new(DatabaseOptions { seed: 1, extended_types: false, digest: true });
        let mut bench = Self { prep: Prep::new(options, &database, 1), database };
        for (path, data, perms) in [
            ("/a", "", 31),
            ("/a/child", "", 31),
            ("/r", "", 1),
            ("/none", "", 0),
            ("/q", "12345", 31),
            ("/q/child", "", 31),
            ("/zookeeper/quota/q", "", 31),
            ("/zookeeper/quota/q/zookeeper_limits", "countHardLimit=2,byteHardLimit=5", 31),
            ("/zookeeper/quota/q/zookeeper_stats", "", 31),
        ] {
            let acl = Some(vec![Acl { perms: Perms(perms), ..Acl::open() }]);
            let request = CreateRequest { data: Some(data.as_bytes()), acl, ..create(path) };
            bench.commit(&Write::Create(&request));
        }
        bench.commit(&Write::Create(&CreateRequest { flags: 1, ..create("/e") }));
        bench.commit(&set("/a", "", -1));
        bench
    }

    fn prepare(&mut self, write: &Write<'_>) -> TxnRecord {
        let asker = Asker { session: ME, cxid: Xid(1), ids: &[] };
        self.prep.prepare(&self.database, asker, write, 5).record
    }

    /// Prepares and applies.
    fn commit(&mut self, write: &Write<'_>) {
        let record = self.prepare(write);
        assert!(!matches!(record.txn, Txn::Error { .. }), "{write:?}");
        self.database.apply(&record, &mut |_| ());
        self.prep.applied(record.header.zxid, &self.database);
        assert_eq!(self.database.digest_mismatches(), 0, "{write:?}");
    }
}

fn create(path: &str) -> CreateRequest<'_> {
    CreateRequest {
        op: Op::Create,
        path: Some(Cow::Borrowed(path)),
        data: Some(b""),
        acl: Some(vec![Acl::open()]),
        flags: 0,
        ttl_ms: -1,
    }
}

fn set<'a>(path: &'a str, data: &'a str, version: i32) -> Write<'a> {
    Write::SetData { path: Some(path), data: Some(data.as_bytes()), version }
}

fn delete(path: &str, version: i32) -> Write<'_> {
    Write::Delete { path: Some(path), version }
}

/// The write fails with this code, and leaves nothing; as a part of a multi it fails alike.
fn check(write: &Write<'_>, expected: ErrorCode) {
    let mut bench = Bench::new();
    let record = bench.prepare(write);
    assert_eq!(record.txn, error(expected), "{write:?}");
    assert_eq!(record.digest, None, "errors have no digest");
    if let Some(part) = part_of(write) {
        let record = bench.prepare(&Write::Multi(&[part]));
        assert_eq!(record.txn, Txn::Multi(vec![error(expected)]), "{write:?}");
    }
    let before = bench.database.tree().digest();
    let empty = bench.prepare(&Write::Multi(&[]));
    assert_eq!(empty.digest, Some(TxnDigest::current(before)), "{write:?}");
}

fn part_of<'a>(write: &Write<'a>) -> Option<MultiOp<'a>> {
    match write {
        Write::Create(request) if (0..4).contains(&request.flags) && request.acl.is_some() => {
            (request.ttl_ms == -1).then(|| MultiOp::Create((*request).clone()))
        }
        Write::Delete { path, version } => {
            Some(MultiOp::Delete { path: path.map(Cow::Borrowed), version: *version })
        }
        Write::SetData { path, data, version } => {
            Some(MultiOp::SetData { path: path.map(Cow::Borrowed), data: *data, version: *version })
        }
        _ => None,
    }
}

#[test]
fn of_two_errors_of_a_create_the_earlier_check_wins() {
    use ErrorCode::*;
    let no_acl = |path| CreateRequest { acl: Some(Vec::new()), ..create(path) };
    let flagged = |flags, path| CreateRequest { flags, ..create(path) };
    for (request, expected) in [
        (flagged(7, "foo"), BadArguments),
        (flagged(5, "foo"), Unimplemented),
        (CreateRequest { ttl_ms: 5, ..no_acl("foo") }, BadArguments),
        (CreateRequest { path: None, ..no_acl("") }, MarshallingError),
        (no_acl("foo"), BadArguments),
        (no_acl("/missing/x"), InvalidAcl),
        (no_acl("/a"), InvalidAcl),
        (CreateRequest { acl: None, ..create("/a") }, InvalidAcl),
        (create("/missing/x\u{1}"), NoNode),
        (create("/r/x\u{1}"), NoAuth),
        (create("/r/x"), NoAuth),
        (create("/none/x"), NoAuth),
        (create("/a/"), BadArguments),
        (create("/a//b"), NoNode),
        (create("/"), NodeExists),
        (create("/a"), NodeExists),
        (create("/q/child"), NodeExists),
        (create("/q/missing/x"), NoNode),
        (create("/q/new"), QuotaExceeded),
        (flagged(2, "/q/new"), QuotaExceeded),
        (create("/e/x"), NoChildrenForEphemerals),
        (flagged(1, "/e/x"), NoChildrenForEphemerals),
        (create("/e/x\u{1}"), BadArguments),
    ] {
        check(&Write::Create(&request), expected);
    }
}

#[test]
fn of_two_errors_of_a_delete_the_earlier_check_wins() {
    use ErrorCode::*;
    for (path, version, expected) in [
        ("foo", 9, BadArguments),
        ("/a\0", 9, BadArguments),
        ("/", 9, BadArguments),
        ("/zookeeper", 9, BadArguments),
        ("/missing/x", 9, NoNode),
        ("/r/missing", 9, NoAuth),
        ("/missing", 9, NoNode),
        ("//", -1, NoNode),
        ("/a", 9, BadVersion),
        ("/a", 1, NotEmpty),
        ("/a", -1, NotEmpty),
    ] {
        check(&delete(path, version), expected);
    }
    check(&Write::Delete { path: None, version: 0 }, MarshallingError);
    for (path, expected) in [("/missing", NoNode), ("/a", NotEmpty), ("/e", BadVersion)] {
        check(&Write::DeleteContainer { path }, expected);
    }
}

#[test]
fn of_two_errors_of_a_set_the_earlier_check_wins() {
    use ErrorCode::*;
    for (path, data, version, expected) in [
        ("foo", "", 9, BadArguments),
        ("/a/", "", 9, BadArguments),
        ("/missing", "", 9, NoNode),
        ("/r", "", 9, NoAuth),
        ("/q", "123456", 9, QuotaExceeded),
        ("/q/child", "1", 9, QuotaExceeded),
        ("/q", "54321", 9, BadVersion),
        ("/a", "", 0, BadVersion),
    ] {
        check(&set(path, data, version), expected);
    }
    check(&Write::SetData { path: None, data: None, version: 0 }, BadArguments);
}

#[test]
fn of_two_errors_of_a_setacl_the_earlier_check_wins() {
    use ErrorCode::*;
    let open = [Acl::open()];
    let bad = [Acl { perms: Perms::ALL, id: Id::new("bogus", "x") }];
    let list = |is_valid| if is_valid { &open } else { &bad };
    for (path, is_valid, version, expected) in [
        ("foo", false, 9, BadArguments),
        ("/missing", false, 9, InvalidAcl),
        ("/missing", true, 9, NoNode),
        ("/r", true, 9, NoAuth),
        ("/a", false, 9, InvalidAcl),
        ("/a", true, 9, BadVersion),
    ] {
        let acl = Some(&list(is_valid)[..]);
        check(&Write::SetAcl { path: Some(path), acl, version }, expected);
    }
    check(&Write::SetAcl { path: None, acl: None, version: 0 }, BadArguments);
    check(&Write::SetAcl { path: Some("/a"), acl: None, version: 0 }, InvalidAcl);
}

#[test]
fn of_two_errors_of_a_check_the_earlier_check_wins() {
    use ErrorCode::*;
    for (path, version, expected) in [
        (Some("foo"), 9, BadArguments),
        (None, 9, BadArguments),
        (Some("/missing"), 9, NoNode),
        (Some("/none"), 9, NoAuth),
        (Some("/a"), 9, BadVersion),
    ] {
        let part = MultiOp::Check(CheckRequest { path: path.map(Cow::Borrowed), version });
        let record = Bench::new().prepare(&Write::Multi(&[part]));
        assert_eq!(record.txn, Txn::Multi(vec![error(expected)]), "{path:?}");
    }
}

#[test]
fn what_cannot_be_is_refused_before_anything_is_looked_at() {
    check(&Write::Reconfig(Err(ErrorCode::BadVersion)), ErrorCode::ReconfigDisabled);
    check(&Write::Refused(ErrorCode::MarshallingError), ErrorCode::MarshallingError);
    let malformed = [
        CreateRequest { flags: 9, ..create("/x") },
        CreateRequest { flags: 5, ..create("/x") },
        CreateRequest { acl: None, ..create("/x") },
    ];
    for request in malformed {
        let parts = [MultiOp::Delete { path: None, version: 0 }, MultiOp::Create(request)];
        check(&Write::Multi(&parts), ErrorCode::MarshallingError);
    }
}

#[test]
fn a_create_by_op_21_with_plain_flags_is_refused_unless_in_a_multi() {
    let request = CreateRequest { op: Op::CreateTtl, ..create("/x") };
    check(&Write::Create(&CreateRequest { ttl_ms: 0, ..request.clone() }), ErrorCode::BadArguments);
    let mut bench = Bench::new();
    assert_eq!(bench.prepare(&Write::Create(&request)).txn, error(ErrorCode::BadArguments));
    let Txn::Multi(parts) = bench.prepare(&Write::Multi(&[MultiOp::Create(request)])).txn else {
        panic!("a multi gives a multi");
    };
    assert!(
        matches!(&parts[..], [Txn::Create(CreateTxn { kind: CreateKind::Create, .. })]),
        "{parts:?}"
    );
}

#[test]
fn versions_wrap_around_and_minus_one_still_means_any() {
    let mut bench = Bench::new();
    for (stored, expected, next) in [(i32::MAX, i32::MAX, i32::MIN), (-2, -2, -1), (-1, -1, 0)] {
        let path = "/a".to_owned();
        let mut record = bench.prepare(&set("/a", "", -1));
        record.txn = Txn::SetData { path, data: None, version: stored, reconfig: false };
        record.digest = None;
        bench.database.apply(&record, &mut |_| ());
        bench.prep.applied(record.header.zxid, &bench.database);
        let Txn::SetData { version, .. } = bench.prepare(&set("/a", "", expected)).txn else {
            panic!("version {expected} matches {stored}");
        };
        assert_eq!(version, next);
        bench.prep.applied(Zxid(i64::MAX), &bench.database);
    }
}

#[test]
fn a_failing_multi_leaves_the_txns_before_it_outstanding() {
    let mut bench = Bench::new();
    let first = bench.prepare(&set("/a", "x", 1));
    let parts = [part_of(&set("/a", "y", 2)).unwrap(), part_of(&delete("/missing", 0)).unwrap()];
    let failed = bench.prepare(&Write::Multi(&parts));
    let Txn::Multi(parts) = &failed.txn else { panic!("a multi gives a multi") };
    assert!(matches!(parts[0], Txn::SetData { version: 3, .. }), "its body is kept, as in Java");
    let third = bench.prepare(&set("/a", "z", 2));
    assert!(matches!(third.txn, Txn::SetData { version: 3, .. }), "{third:?}");
    for record in [first, failed, third] {
        bench.database.apply(&record, &mut |_| ());
        bench.prep.applied(record.header.zxid, &bench.database);
    }
    assert_eq!(bench.database.digest_mismatches(), 0);
}

#[test]
fn changes_that_are_applied_leave_nothing_outstanding() {
    let mut bench = Bench::new();
    let other = SessionId(2);
    let ephemeral = CreateRequest { flags: 1, ..create("/x") };
    let mut last = Zxid::ZERO;
    for (session, write) in [
        (ME, Write::Create(&ephemeral)),
        (ME, delete("/x", -1)),
        (other, Write::Create(&ephemeral)),
        (ME, delete("/x", -1)),
        (ME, Write::Create(&ephemeral)),
        (ME, delete("/x", -1)),
    ] {
        let asker = Asker { session, cxid: Xid(1), ids: &[] };
        let record = bench.prep.prepare(&bench.database, asker, &write, 5).record;
        bench.database.apply(&record, &mut |_| ());
        last = record.header.zxid;
    }
    assert!(!bench.prep.outstanding.is_empty());
    bench.prep.applied(last, &bench.database);
    assert!(bench.prep.outstanding.is_empty());
}

#[test]
fn a_session_that_closes_takes_what_is_outstanding_with_it() {
    let mut bench = Bench::new();
    bench.prepare(&Write::Create(&CreateRequest { flags: 1, ..create("/new") }));
    bench.prepare(&delete("/e", -1));
    let closed = bench.prepare(&Write::CloseSession);
    assert_eq!(closed.txn, Txn::CloseSession { paths: Some(vec!["/new".to_owned()]) });
    let again = bench.prepare(&Write::CloseSession);
    assert_eq!(again.txn, Txn::CloseSession { paths: Some(Vec::new()) });
}
