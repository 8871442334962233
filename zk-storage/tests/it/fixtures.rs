//! Directories that real Java servers wrote are recovered to exactly what those servers had.

use std::fs;
use std::path::Path;

use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use serde_json::Value;
use zk_storage::{
    Compression, DataDirs, Disk, LogReader, RealDisk, SnapshotFile, SnapshotReader, logs, recover,
    snapshots,
};
use zk_wire::{Acl, Encoder, Id, Perms, SessionId, TxnRecord};

use crate::model::{Model, Node};
use crate::scratch::{OPTIONS, fixture, fixture_disk, recovered, write_snapshot};

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

/// The model has what Java said it had.
fn check_expected(name: &str, model: &Model) {
    let text = fs::read_to_string(fixture(name).join("expected.json")).unwrap();
    let expected: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(model.last_zxid.0, hex(&expected["last_zxid"]), "{name}");
    assert_eq!(model.digest().cast_signed(), hex(&expected["tree_digest_v2"]), "{name}");
    let sessions = expected["sessions"].as_array().unwrap().iter();
    let sessions = sessions
        .map(|session| (SessionId(hex(&session["id"])), int(&session["timeout_ms"])))
        .collect();
    assert_eq!(model.sessions, sessions, "{name}");
    let nodes = expected["nodes"].as_array().unwrap();
    assert_eq!(model.nodes.len(), nodes.len(), "{name}");
    for expected in nodes {
        let path = expected["path"].as_str().unwrap();
        // These are local to each server, and change when it starts.
        if !path.starts_with("/zookeeper/") {
            let key = if path == "/" { "" } else { path };
            let children = i32::try_from(model.children(key)).unwrap();
            check_node(&format!("{name} {path}"), expected, &model.nodes[key], children);
        }
    }
}

fn check_node(what: &str, expected: &Value, node: &Node, children: i32) {
    let data = expected["data"].as_str().map(|text| BASE64_STANDARD.decode(text).unwrap());
    assert_eq!(node.data, data, "{what}");
    let acl: Vec<Acl> = expected["acl"].as_array().unwrap().iter().map(acl_entry).collect();
    assert_eq!(node.acl, acl, "{what}");
    let (stat, wanted) = (&node.stat, &expected["stat"]);
    for (field, value) in [("czxid", stat.czxid), ("mzxid", stat.mzxid), ("pzxid", stat.pzxid)] {
        assert_eq!(value, hex(&wanted[field]), "{what} {field}");
    }
    assert_eq!(stat.ctime, wanted["ctime"].as_i64().unwrap(), "{what}");
    assert_eq!(stat.mtime, wanted["mtime"].as_i64().unwrap(), "{what}");
    assert_eq!(stat.version, int(&wanted["version"]), "{what}");
    assert_eq!(stat.aversion, int(&wanted["aversion"]), "{what}");
    assert_eq!(2 * stat.cversion - children, int(&wanted["cversion"]), "{what}");
    assert_eq!(stat.ephemeral_owner, hex(&expected["persisted"]["ephemeralOwner"]), "{what}");
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
fn every_golden_directory_recovers_to_what_java_had() {
    for name in FIXTURES {
        let (disk, dirs) = fixture_disk(name);
        let recovered = recovered(&disk, &dirs).unwrap();
        check_expected(name, &recovered.replica);
        assert_eq!(recovered.last_zxid, recovered.replica.last_zxid);
        let (compared, wrong) = recovered.replica.digests;
        assert!(compared > 0 && wrong == 0, "{name}: {wrong} of {compared} digests differ");
        let is_torn = name.contains("torn");
        assert_eq!(recovered.warnings.len(), usize::from(is_torn), "{name}");
    }
}

#[test]
fn the_oldest_snapshot_and_all_logs_give_the_same() {
    for name in FIXTURES {
        let (disk, dirs) = fixture_disk(name);
        let all = snapshots(&disk, dirs.snap()).unwrap();
        for newer in &all[..all.len() - 1] {
            disk.remove(&newer.path).unwrap();
        }
        let recovered = recovered(&disk, &dirs).unwrap();
        check_expected(name, &recovered.replica);
        assert_eq!(recovered.replica.digests.1, 0, "{name}");
    }
}

#[test]
fn every_golden_record_is_encoded_to_the_same_bytes() {
    let mut count = 0;
    for name in FIXTURES {
        let (disk, dirs) = fixture_disk(name);
        for file in logs(&disk, dirs.log()).unwrap() {
            let mut reader = LogReader::open(&disk, &file.path, OPTIONS.length_max).unwrap();
            let mut first = None;
            while let Some(record) = reader.read().unwrap() {
                first.get_or_insert(record.zxid);
                let mut bytes = Vec::new();
                TxnRecord::decode(record.txn).unwrap().encode(&mut Encoder::new(&mut bytes));
                assert_eq!(bytes, record.txn, "{name} {}", record.zxid);
                count += 1;
            }
            assert_eq!(first, Some(file.zxid), "a log is named by its first txn");
        }
    }
    assert!(count > 700, "{count}");
}

#[test]
fn a_snapshot_written_in_any_packing_is_read_back_the_same() {
    for name in FIXTURES {
        let (disk, dirs) = fixture_disk(name);
        let model = recovered(&disk, &dirs).unwrap().replica;
        for compression in [Compression::Plain, Compression::Gz, Compression::Snappy] {
            let zxid = model.last_zxid;
            let path = write_snapshot(&disk, &dirs, &model, compression).unwrap();
            let file = SnapshotFile { zxid, path, compression };
            let mut copy = Model::default();
            let summary =
                SnapshotReader::read(&disk, &file, OPTIONS.length_max, &mut copy).unwrap();
            copy.assert_is(&model, name);
            assert_eq!(copy.digests, (1, 0));
            assert_eq!(summary.last_zxid, Some(zxid));
            assert_eq!(summary.nodes, model.nodes.len() as u64);
        }
    }
}

#[test]
fn a_real_disk_gives_the_same_as_one_in_memory() {
    let name = "java-3.9.5/standalone";
    let (disk, dirs) = fixture_disk(name);
    let data = fixture(name).join("data");
    let real = recover(&RealDisk, &DataDirs::new(&data, &data), &OPTIONS, Model::default).unwrap();
    let in_memory = recovered(&disk, &dirs).unwrap();
    real.replica.assert_is(&in_memory.replica, name);
    let missing = snapshots(&RealDisk, Path::new("/no/such/directory")).unwrap_err();
    assert!(missing.to_string().contains("list /no/such/directory"), "{missing}");
}
