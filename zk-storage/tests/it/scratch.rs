//! What the tests share: directories of any disk, txns, a generator of choices.

use std::fs;
use std::path::{Path, PathBuf};

use crate::model::Model;
use zk_storage::{DataDirs, Disk, Error, MemDisk, RecoverOptions, Recovered, recover};

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
    recover(disk, dirs, &OPTIONS, Model::new)
}
