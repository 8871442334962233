//! What the tests share: directories of any disk, txns, a generator of choices.

use std::fs;
use std::path::{Path, PathBuf};

use zk_storage::{
    Compression, DataDirs, Disk, Error, LogOptions, MemDisk, RecoverOptions, Recovered,
    SnapshotWriter, TxnLog, recover,
};
use zk_wire::{
    Acl, CreateKind, CreateTxn, Encoder, SessionId, Txn, TxnHeader, TxnRecord, Xid, Zxid,
};

use crate::model::Model;

/// Reads like Java with `maxSessionTimeout` and the like set high: nothing is refused for its size.
pub(crate) const OPTIONS: RecoverOptions =
    RecoverOptions { trust_empty: false, drop_damaged_tail: false, length_max: 2 * 0xf_ffff };

/// The folder of one golden data directory.
pub(crate) fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(name)
}

/// A copy of a golden data directory, at `/data`.
pub(crate) fn fixture_disk(name: &str) -> (MemDisk, DataDirs) {
    let (disk, dirs) = empty_disk();
    let source = fixture(name).join("data/version-2");
    for entry in fs::read_dir(source).unwrap() {
        let entry = entry.unwrap();
        disk.put(&dirs.snap().join(entry.file_name()), &fs::read(entry.path()).unwrap());
    }
    (disk, dirs)
}

/// A disk with an empty data directory, at `/data`.
pub(crate) fn empty_disk() -> (MemDisk, DataDirs) {
    let disk = MemDisk::new();
    let dirs = DataDirs::new(Path::new("/data"), Path::new("/data"));
    disk.create_dirs(dirs.snap()).unwrap();
    (disk, dirs)
}

/// Recovers into a model.
pub(crate) fn recovered(disk: &MemDisk, dirs: &DataDirs) -> Result<Recovered<Model>, Error> {
    recover(disk, dirs, &OPTIONS, Model::default)
}

/// The bytes of a txn that creates `path`.
pub(crate) fn create(zxid: i64, path: &str, data: &[u8]) -> Vec<u8> {
    bytes_of(zxid, create_txn(CreateKind::Create, path, data, false))
}

/// A txn that creates `path` without data.
pub(crate) fn create_as(kind: CreateKind, path: &str, ephemeral: bool) -> Txn {
    create_txn(kind, path, b"", ephemeral)
}

fn create_txn(kind: CreateKind, path: &str, data: &[u8], ephemeral: bool) -> Txn {
    Txn::Create(CreateTxn {
        kind,
        path: path.to_owned(),
        data: Some(data.to_vec()),
        acl: vec![Acl::open()],
        ephemeral,
        parent_cversion: -1,
    })
}

/// The bytes of any txn.
pub(crate) fn bytes_of(zxid: i64, txn: Txn) -> Vec<u8> {
    let header = TxnHeader { session: SessionId(1), cxid: Xid(1), zxid: Zxid(zxid), time_ms: 1 };
    let mut bytes = Vec::new();
    TxnRecord { header, txn, digest: None }.encode(&mut Encoder::new(&mut bytes));
    bytes
}

/// The initial tree of a new database.
pub(crate) fn initial() -> Model {
    let (disk, dirs) = empty_disk();
    recovered(&disk, &dirs).unwrap().replica
}

/// Writes a snapshot of `model`.
pub(crate) fn write_snapshot<D: Disk>(
    disk: &D,
    dirs: &DataDirs,
    model: &Model,
    compression: Compression,
) -> Result<PathBuf, Error> {
    let zxid = model.last_zxid;
    let mut writer = SnapshotWriter::begin(disk.clone(), dirs.snap(), zxid, compression)?;
    for chunk in model.snapshot_body().chunks(1000) {
        writer.write(chunk)?;
    }
    Ok(writer.finish(model.snapshot_digest(), zxid)?.0)
}

/// Appends and commits txns, in one file.
pub(crate) fn write_log<D: Disk>(disk: &D, dirs: &DataDirs, txns: &[Vec<u8>]) {
    let mut log = TxnLog::new(disk.clone(), dirs, LogOptions::new(0, true));
    log.append_batch(txns.iter().map(|txn| (zxid_of(txn), txn.as_slice()))).unwrap();
    log.close().unwrap();
}

pub(crate) fn zxid_of(txn: &[u8]) -> Zxid {
    TxnRecord::decode(txn).unwrap().header.zxid
}

/// A generator of choices from a seed (splitmix64).
pub(crate) struct Choices(pub(crate) u64);

impl Choices {
    pub(crate) fn below(&mut self, n: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^= z >> 31;
        usize::try_from(z % n as u64).unwrap()
    }
}
