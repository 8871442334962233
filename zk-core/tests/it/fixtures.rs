//! Directories that real Java servers wrote become exactly the database that those servers had.

use std::fs;
use std::path::{Path, PathBuf};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use zk_core::{Database, DatabaseOptions, NodeId, NodeKind};
use zk_storage::{DataDirs, MemDisk, RecoverOptions, recover};
use zk_wire::{Acl, Id, Perms, SessionId};

const FIXTURES: [&str; 9] = [
    "java-3.8.0/standalone",
    "java-3.8.0/standalone-gz",
    "java-3.8.0/standalone-snappy",
    "java-3.8.0/torn-tail-cut",
    "java-3.8.0/torn-tail-zeros",
    "java-3.8.0/ensemble-multi-epoch/s1",
    "java-3.8.0/ensemble-multi-epoch/s2",
    "java-3.8.0/ensemble-multi-epoch/s3",
    "java-3.9.5/standalone",
];

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../zk-storage/testdata").join(name)
}

/// The database in a golden directory. `is_kept` says which of its files are there.
fn recovered(name: &str, is_kept: impl Fn(&str) -> bool) -> Database {
    let disk = MemDisk::new();
    let dirs = DataDirs::new(Path::new("/data"), Path::new("/data"));
    for entry in fs::read_dir(folder(name).join("data/version-2")).unwrap() {
        let entry = entry.unwrap();
        if is_kept(entry.file_name().to_str().unwrap()) {
            disk.put(&dirs.snap().join(entry.file_name()), &fs::read(entry.path()).unwrap());
        }
    }
    let options = DatabaseOptions { seed: 3, extended_types: true, digest: true };
    let make = || Database::new(options);
    let mut database = recover(&disk, &dirs, &RecoverOptions::default(), make).unwrap().replica;
    database.finish_recovery();
    database
}

fn check(name: &str, database: &Database) {
    let text = fs::read_to_string(folder(name).join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(database.digest_mismatches(), 0, "{name}");
    assert_eq!(database.last_zxid().0, hex(&expected["last_zxid"]), "{name}");
    let digest = hex(&expected["tree_digest_v2"]).cast_unsigned();
    assert_eq!(database.tree().digest(), digest, "{name}");
    let sessions = expected["sessions"].as_array().unwrap().iter();
    let sessions = sessions
        .map(|session| (SessionId(hex(&session["id"])), int(&session["timeout_ms"])))
        .collect();
    assert_eq!(database.sessions(), &sessions, "{name}");
    let nodes = expected["nodes"].as_array().unwrap();
    assert_eq!(database.tree().node_count(), u64::try_from(nodes.len()).unwrap(), "{name}");
    for node in nodes {
        check_node(name, database, node);
    }
}

fn check_node(name: &str, database: &Database, expected: &Value) {
    let path = expected["path"].as_str().unwrap();
    let what = format!("{name} {path}");
    let tree = database.tree();
    let id = tree.lookup(path).unwrap_or_else(|| panic!("{what} is missing"));
    let (node, stat, wanted) = (tree.node(id), tree.stat(id), &expected["stat"]);
    let data = expected["data"].as_str().map(|text| BASE64_STANDARD.decode(text).unwrap());
    assert_eq!(node.data.map(<[u8]>::to_vec), data, "{what}");
    let acl: Vec<Acl> = expected["acl"].as_array().unwrap().iter().map(acl_entry).collect();
    assert_eq!(*tree.acl(node.acl), *acl, "{what}");
    for (field, found) in [
        ("czxid", stat.czxid),
        ("mzxid", stat.mzxid),
        ("pzxid", stat.pzxid),
        ("ephemeralOwner", stat.ephemeral_owner),
    ] {
        assert_eq!(found, hex(&wanted[field]), "{what} {field}");
    }
    for (field, found) in [("ctime", stat.ctime), ("mtime", stat.mtime)] {
        assert_eq!(found, wanted[field].as_i64().unwrap(), "{what} {field}");
    }
    for (field, found) in [
        ("version", stat.version),
        ("cversion", stat.cversion),
        ("aversion", stat.aversion),
        ("dataLength", stat.data_length),
        ("numChildren", stat.num_children),
    ] {
        assert_eq!(found, int(&wanted[field]), "{what} {field}");
    }
    assert_eq!(node.stat.cversion, int(&expected["persisted"]["cversion"]), "{what}");
    assert_eq!(node.stat.ephemeral_owner, hex(&expected["persisted"]["ephemeralOwner"]), "{what}");
    let kind = match expected["kind"].as_str().unwrap() {
        "persistent" => NodeKind::Persistent,
        "ephemeral" => NodeKind::Ephemeral(SessionId(node.stat.ephemeral_owner)),
        "container" => NodeKind::Container,
        "ttl" => NodeKind::Ttl { ttl_ms: expected["ttl_ms"].as_i64().unwrap() },
        kind => panic!("{what}: kind {kind}"),
    };
    assert_eq!(tree.kind(&node.stat), kind, "{what}");
}

fn acl_entry(entry: &Value) -> Acl {
    let id = Id::new(entry["scheme"].as_str().unwrap(), entry["id"].as_str().unwrap());
    Acl { perms: Perms(int(&entry["perms"])), id }
}

fn hex(value: &Value) -> i64 {
    let digits = value.as_str().unwrap().trim_start_matches("0x");
    u64::from_str_radix(digits, 16).unwrap().cast_signed()
}

fn int(value: &Value) -> i32 {
    value.as_i64().unwrap().try_into().unwrap()
}

#[test]
fn every_golden_directory_becomes_what_java_had() {
    for name in FIXTURES {
        check(name, &recovered(name, |_| true));
    }
}

#[test]
fn the_logs_alone_tell_the_same() {
    // A member of an ensemble sets its /zookeeper/config at each start, without a txn.
    for name in FIXTURES.iter().filter(|name| !name.contains("ensemble")) {
        check(name, &recovered(name, |file| !is_later_snapshot(file)));
    }
}

fn is_later_snapshot(file: &str) -> bool {
    let number = file.strip_prefix("snapshot.").map(|rest| rest.split('.').next().unwrap());
    number.is_some_and(|number| number != "0")
}

#[test]
fn the_root_of_a_golden_directory_is_the_root() {
    let database = recovered(FIXTURES[0], |_| true);
    assert_eq!(database.tree().path(NodeId::ROOT), "/");
    assert_eq!(database.tree().node(NodeId::ROOT).data, Some(&b"root data"[..]));
}
