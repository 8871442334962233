//! Snapshots: slices of the tree between writes, and a writer that may lag behind or fail.

use std::collections::VecDeque;

use zk_core::Database;
use zk_storage::{DataDirs, Error, MemDisk, SnapshotWriter};
use zk_wire::{SnapshotDigest, Zxid};

use super::{COMPRESSION, Process};
use crate::scene::{Mutation, Scene, Work};

/// A snapshot that is being taken.
pub(super) struct Snapshot {
    zxid: Zxid,
    digest: SnapshotDigest,
    writer: Option<SnapshotWriter<MemDisk>>,
    /// Taken from the tree, not written yet.
    slices: VecDeque<Vec<u8>>,
    has_all: bool,
}

/// Writes the first snapshot of a directory.
pub(super) fn write_now(
    disk: &MemDisk,
    dirs: &DataDirs,
    database: &mut Database,
) -> Result<(), Error> {
    let (zxid, digest, head) = database.begin_snapshot();
    let mut writer = SnapshotWriter::begin(disk.clone(), dirs.snap(), zxid, COMPRESSION)?;
    writer.write(&head)?;
    while let Some(slice) = database.snapshot_slice(u32::MAX) {
        writer.write(&slice.bytes)?;
    }
    writer.finish(digest, zxid).map(drop)
}

impl Process {
    /// Begins a snapshot of this moment, unless the tree is being walked already.
    pub(super) fn take_snapshot(&mut self, scene: &mut Scene) {
        if self.peer.database().tree().is_snapshotting() {
            return;
        }
        let (zxid, digest, head) = self.peer.database_mut().begin_snapshot();
        let id = self.snapshots_begun;
        self.snapshots_begun += 1;
        let slices = VecDeque::from([head]);
        let snapshot = Snapshot { zxid, digest, writer: None, slices, has_all: false };
        self.snapshots.insert(id, snapshot);
        scene.note(|| format!("snapshot of {:x} begins", zxid.0), &[2]);
        self.wake(scene, 0, Work::Snapshot(id));
    }

    /// A snapshot goes on: a slice from the tree, or one to the disk. One that fails is dropped; the
    /// log has everything.
    pub(crate) fn on_snapshot(&mut self, scene: &mut Scene, id: u64) {
        let Some(mut snapshot) = self.snapshots.remove(&id) else { return };
        let takes = !snapshot.has_all && (snapshot.slices.is_empty() || scene.random.chance(500));
        if takes {
            let slice = self.peer.database_mut().snapshot_slice(scene.knobs.slice_nodes);
            let asks_on = scene.mutation == Some(Mutation::SliceUntilNone);
            snapshot.has_all = slice.as_ref().is_none_or(|slice| slice.is_last && !asks_on);
            snapshot.slices.extend(slice.map(|slice| slice.bytes));
        } else {
            match self.write_slice(scene, &mut snapshot) {
                Ok(false) => {}
                Ok(true) => return scene.note(|| "snapshot is done".to_owned(), &[3]),
                Err(error) => {
                    if !snapshot.has_all {
                        self.peer.database_mut().abort_snapshot();
                    }
                    return scene.note(|| format!("no snapshot: {error}"), &[4]);
                }
            }
        }
        self.snapshots.insert(id, snapshot);
        let us = scene.delay(scene.knobs.flush_us);
        self.wake(scene, us, Work::Snapshot(id));
    }

    /// Writes the next slice; true when the file is there.
    fn write_slice(&self, scene: &Scene, snapshot: &mut Snapshot) -> Result<bool, Error> {
        let mut writer = match snapshot.writer.take() {
            Some(writer) => writer,
            None => {
                let zxid = match scene.mutation {
                    Some(Mutation::MislabelSnapshot) => snapshot.zxid.next(),
                    _ => snapshot.zxid,
                };
                SnapshotWriter::begin(self.disk.clone(), self.dirs.snap(), zxid, COMPRESSION)?
            }
        };
        if let Some(bytes) = snapshot.slices.pop_front() {
            writer.write(&bytes)?;
        }
        if snapshot.has_all && snapshot.slices.is_empty() {
            return writer.finish(snapshot.digest, snapshot.zxid).map(|_| true);
        }
        snapshot.writer = Some(writer);
        Ok(false)
    }
}
