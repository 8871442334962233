//! Data directories with many znodes, written as a server would leave them, without running one.
//!
//! Both servers start from the same bytes, and preparing a million nodes takes a moment.
//!
//! Java: `FileSnap`, `DataTree.serialize`.

use std::fs::File;
use std::io::Write;
use std::path::Path;

use simd_adler32::Adler32;
use zk_wire::{Acl, Encoder, FileHeader, StatPersisted};

use crate::error::Error;
use crate::requests::{DATA, PARENT, path};

/// Writes `folder/data` with one snapshot of `nodes` nodes below the parent of all workloads.
pub(crate) fn write(folder: &Path, nodes: u64) -> Result<(), Error> {
    let folder = folder.join("data/version-2");
    std::fs::create_dir_all(&folder).map_err(Error::file("create", &folder))?;
    let file = folder.join(format!("snapshot.{:x}", last_zxid(nodes)));
    let bytes = snapshot(nodes);
    let mut out = File::create(&file).map_err(Error::file("create", &file))?;
    out.write_all(&bytes).map_err(Error::file("write", &file))?;
    // What the page cache still has to write would otherwise disturb the figure.
    out.sync_all().map_err(Error::file("sync", &file))
}

/// How many snapshots lie in `folder/data`.
pub(crate) fn snapshots(folder: &Path) -> Result<usize, Error> {
    let folder = folder.join("data/version-2");
    let entries = std::fs::read_dir(&folder).map_err(Error::file("list", &folder))?;
    let is_snapshot = |name: &str| name.starts_with("snapshot.") && !name.ends_with(".tmp");
    Ok(entries
        .filter_map(Result::ok)
        .filter(|entry| entry.file_name().to_str().is_some_and(is_snapshot))
        .count())
}

/// The parent's create is zxid 1, each node's the next.
fn last_zxid(nodes: u64) -> i64 {
    1 + i64::try_from(nodes).expect("nodes are counted in millions")
}

fn snapshot(nodes: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut e = Encoder::new(&mut bytes);
    FileHeader::SNAPSHOT.encode(&mut e);
    e.int(0);
    e.int(2);
    for (id, acl) in [(READABLE, Acl::world_readable()), (OPEN, Acl::open())] {
        e.long(id);
        Acl::encode_list(&[acl], &mut e);
    }
    let last = last_zxid(nodes);
    let parent_cversion = i32::try_from(nodes).expect("nodes are counted in millions");
    node(&mut e, "", b"", NO_ACL, &stat(0, 1, 1));
    node(&mut e, PARENT, b"", OPEN, &stat(1, parent_cversion, last));
    for number in 0..nodes {
        let zxid = last_zxid(number) + 1;
        node(&mut e, &path(number), &DATA, OPEN, &stat(zxid, 0, zxid));
    }
    node(&mut e, "/zookeeper", b"", NO_ACL, &stat(0, 0, 0));
    let config = StatPersisted { aversion: -1, ..stat(0, 0, 0) };
    node(&mut e, "/zookeeper/config", b"", READABLE, &config);
    node(&mut e, "/zookeeper/quota", b"", NO_ACL, &stat(0, 0, 0));
    e.text("/");
    let mut adler = Adler32::new();
    adler.write(&bytes);
    Encoder::new(&mut bytes).long(i64::from(adler.finish())).text("/");
    bytes
}

fn node(e: &mut Encoder<'_>, path: &str, data: &[u8], acl: i64, stat: &StatPersisted) {
    e.text(path).buffer(Some(data)).long(acl);
    stat.encode(e);
}

fn stat(czxid: i64, cversion: i32, pzxid: i64) -> StatPersisted {
    let time = if czxid == 0 { 0 } else { 1_700_000_000_000 };
    StatPersisted {
        czxid,
        mzxid: czxid,
        ctime: time,
        mtime: time,
        cversion,
        pzxid,
        ..StatPersisted::default()
    }
}

/// Ids of the snapshot's own ACL table; -1 stands for no entry.
const NO_ACL: i64 = -1;
const READABLE: i64 = 1;
const OPEN: i64 = 2;

#[cfg(test)]
mod tests {
    use super::*;
    use zk_wire::Decoder;

    #[test]
    fn a_snapshot_reads_back_and_ends_with_its_seal() {
        let bytes = snapshot(3);
        let mut d = Decoder::new(&bytes);
        assert_eq!(FileHeader::decode(&mut d), Ok(FileHeader::SNAPSHOT));
        assert_eq!(d.int(), Ok(0));
        for _ in 0..d.int().unwrap() {
            d.long().unwrap();
            d.vector(Acl::decode).unwrap();
        }
        let mut paths = Vec::new();
        loop {
            let path = d.text().unwrap().unwrap().into_owned();
            if path == "/" {
                break;
            }
            d.buffer().unwrap();
            d.long().unwrap();
            StatPersisted::decode(&mut d).unwrap();
            paths.push(path);
        }
        assert_eq!(paths.len(), 8);
        assert_eq!(paths[4], "/bench/n00000000000002");
        let mut adler = Adler32::new();
        adler.write(&bytes[..d.offset()]);
        assert_eq!(d.long(), Ok(i64::from(adler.finish())));
        assert_eq!(d.rest(), b"\0\0\0\x01/");
    }

    #[test]
    fn a_directory_is_named_after_its_last_zxid() {
        let folder = tempfile::tempdir().unwrap();
        write(folder.path(), 15).unwrap();
        assert!(folder.path().join("data/version-2/snapshot.10").is_file());
        std::fs::write(folder.path().join("data/version-2/snapshot.20.tmp"), "").unwrap();
        assert_eq!(snapshots(folder.path()).unwrap(), 1);
    }
}
