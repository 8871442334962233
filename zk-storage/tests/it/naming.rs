//! The file `ensemble.id`: what may stand in it, and what it outlives.

use zk_storage::{Crash, MemDisk, NamingFile, naming_path, set_aside};
use zk_wire::{EnsembleId, Epoch, Naming};

use crate::scratch::empty_disk;

/// What is read of a file with this text.
fn named(text: &str) -> Result<Naming, String> {
    let (disk, dirs) = empty_disk();
    disk.put(&naming_path(&dirs), text.as_bytes());
    let file = NamingFile::load(disk, &dirs).map_err(|error| error.to_string())?;
    Ok(file.naming())
}

#[test]
fn it_holds_an_id_or_is_refused() {
    let id = EnsembleId(0x0011_2233_4455_4677_8899_aabb_ccdd_eeff);
    let proposed = Naming::Proposed { id, epoch: Epoch(3) };
    assert_eq!(named(&format!("{id}\n")), Ok(Naming::Settled(id)));
    assert_eq!(named(&id.to_string()), Ok(Naming::Settled(id)), "as a person writes it");
    assert_eq!(named(&format!("{id}\nproposed in epoch 3\n")), Ok(proposed));
    for garbage in ["", "\n", "00112233", &format!("{id}\nproposed\n")] {
        let error = named(garbage).unwrap_err();
        assert!(error.starts_with("/data/ensemble.id holds no ensemble id; restore it"), "{error}");
    }
}

#[test]
fn it_outlives_a_crash_and_files_that_are_put_aside() {
    let (disk, dirs) = empty_disk();
    let read = |disk: &MemDisk| NamingFile::load(disk.clone(), &dirs).unwrap().naming();
    assert_eq!(read(&disk), Naming::Unknown);
    let id = EnsembleId(7);
    for naming in [Naming::Proposed { id, epoch: Epoch(3) }, Naming::Settled(id)] {
        NamingFile::load(disk.clone(), &dirs).unwrap().write(naming).unwrap();
        let after = disk.fork();
        after.crash(Crash::LoseAll, &mut |_| 0);
        assert_eq!(read(&after), naming);
    }
    disk.put(&dirs.snap().join("snapshot.0"), b"damaged");
    set_aside(&disk, &dirs).unwrap();
    assert_eq!(read(&disk), Naming::Settled(id));
}
