//! Snapshots: slices of the tree between writes; to a file whose writer may lag behind or fail, or to
//! learners.
//!
//! Invariants
//! - The tree is walked once at a time. Each walk that the core asked for is answered once.

use std::collections::{BTreeMap, VecDeque};

use bytes::Bytes;
use zk_core::{Database, Input, LinkId};
use zk_storage::{DataDirs, Error, MemDisk, SnapshotWriter};
use zk_wire::{SnapshotDigest, Zxid, write_snapshot_stream_end};

use super::start::COMPRESSION;
use super::{End, Mail, Process};
use crate::event::Work;
use crate::mutation::Mutation;
use crate::scene::Scene;
use crate::tally::Operation;

/// The snapshots that are under way.
#[derive(Default)]
pub(super) struct Snapshots {
    by_number: BTreeMap<u64, Snapshot>,
    begun: u64,
}

/// A snapshot that is being taken.
struct Snapshot {
    zxid: Zxid,
    digest: SnapshotDigest,
    /// Taken from the tree, not given on yet.
    slices: VecDeque<Vec<u8>>,
    has_all: bool,
    /// The tree that it walked is gone.
    is_aborted: bool,
    to: Target,
}

/// Where a snapshot goes.
enum Target {
    File(Option<Box<SnapshotWriter<MemDisk>>>),
    Learners(Vec<LinkId>),
}

impl Snapshots {
    pub(super) fn is_quiet(&self) -> bool {
        self.by_number.is_empty()
    }

    /// Whether a file may still get its name.
    pub(super) fn is_writing(&self) -> bool {
        self.by_number.values().any(|snapshot| matches!(snapshot.to, Target::File(_)))
    }
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
        if !self.peer.database().tree().is_snapshotting() {
            self.begin_walk(scene, Target::File(None));
        }
    }

    /// Begins to send a snapshot of this moment to learners.
    pub(super) fn stream_snapshot(&mut self, scene: &mut Scene, links: Vec<LinkId>) {
        self.begin_walk(scene, Target::Learners(links));
    }

    fn begin_walk(&mut self, scene: &mut Scene, to: Target) {
        let (zxid, digest, head) = self.peer.database_mut().begin_snapshot();
        let number = self.snapshots.begun;
        self.snapshots.begun += 1;
        let slices = VecDeque::from([head]);
        let snapshot = Snapshot { zxid, digest, slices, has_all: false, is_aborted: false, to };
        self.snapshots.by_number.insert(number, snapshot);
        let node = self.node;
        scene.note(|| format!("{node} begins a snapshot of {:x}", zxid.0), 2);
        scene.tally.count(Operation::Snapshot);
        self.wake(scene, 0, Work::Snapshot(number));
    }

    /// The tree that is walked is gone: learners that wait for the rest of it are given up.
    pub(super) fn abort_snapshot(&mut self, scene: &mut Scene) {
        let node = self.node;
        scene.note(|| format!("{node} aborts its snapshot"), 17);
        self.peer.database_mut().abort_snapshot();
        for snapshot in self.snapshots.by_number.values_mut() {
            if !snapshot.has_all {
                snapshot.is_aborted = true;
                if let Target::Learners(links) = &snapshot.to {
                    self.mail.extend(links.iter().copied().map(Mail::Close));
                }
            }
        }
    }

    /// A snapshot goes on: a slice from the tree, or one to where it goes. One that fails is dropped;
    /// the log has everything.
    pub(crate) fn on_snapshot(&mut self, scene: &mut Scene, number: u64) -> Result<(), End> {
        let Some(mut snapshot) = self.snapshots.by_number.remove(&number) else { return Ok(()) };
        let takes = !snapshot.has_all
            && !snapshot.is_aborted
            && (snapshot.slices.is_empty() || scene.random.chance(500));
        if takes {
            let slice = self.peer.database_mut().snapshot_slice(scene.knobs.slice_nodes);
            let asks_on = scene.mutation == Some(Mutation::SliceUntilNone);
            snapshot.has_all = slice.as_ref().is_none_or(|slice| slice.is_last && !asks_on);
            snapshot.slices.extend(slice.map(|slice| slice.bytes));
        } else if self.give_on(scene, &mut snapshot)? {
            return Ok(());
        }
        self.snapshots.by_number.insert(number, snapshot);
        let us = self.disk_us(scene);
        self.wake(scene, us, Work::Snapshot(number));
        Ok(())
    }

    /// Gives a slice to where it goes; true when that was all.
    fn give_on(&mut self, scene: &mut Scene, snapshot: &mut Snapshot) -> Result<bool, End> {
        let is_durable = match &snapshot.to {
            Target::Learners(_) => return self.give_to_learners(scene, snapshot),
            Target::File(_) if snapshot.is_aborted => false,
            Target::File(_) => match self.write_slice(scene, snapshot) {
                Ok(false) => return Ok(false),
                Ok(true) => true,
                Err(error) => {
                    if !snapshot.has_all {
                        self.peer.database_mut().abort_snapshot();
                    }
                    scene.note(|| format!("no snapshot: {error}"), 4);
                    false
                }
            },
        };
        let node = self.node;
        scene.note(|| format!("{node} ends its snapshot, on disk: {is_durable}"), 3);
        if is_durable {
            scene.checker.on_durable(self.node, snapshot.zxid);
        }
        snapshot.to = Target::File(None);
        self.wake(scene, 0, Work::SendBatch);
        self.step(scene, Input::SnapshotTaken { is_durable }, None)?;
        Ok(true)
    }

    /// Writes the next slice; true when the file is there.
    fn write_slice(&self, scene: &Scene, snapshot: &mut Snapshot) -> Result<bool, Error> {
        let Target::File(writer) = &mut snapshot.to else { return Ok(true) };
        let mut open = match writer.take() {
            Some(writer) => *writer,
            None => {
                let zxid = match scene.mutation {
                    Some(Mutation::MislabelSnapshot) => snapshot.zxid.next(),
                    _ => snapshot.zxid,
                };
                SnapshotWriter::begin(self.disk.clone(), self.dirs.snap(), zxid, COMPRESSION)?
            }
        };
        if let Some(bytes) = snapshot.slices.pop_front() {
            open.write(&bytes)?;
        }
        if snapshot.has_all && snapshot.slices.is_empty() {
            return open.finish(snapshot.digest, snapshot.zxid).map(|_| true);
        }
        *writer = Some(Box::new(open));
        Ok(false)
    }

    fn give_to_learners(
        &mut self,
        scene: &mut Scene,
        snapshot: &mut Snapshot,
    ) -> Result<bool, End> {
        let Target::Learners(links) = &snapshot.to else { return Ok(true) };
        let mut bytes = snapshot.slices.pop_front().unwrap_or_default();
        let is_last = snapshot.has_all && snapshot.slices.is_empty();
        if is_last {
            write_snapshot_stream_end(&mut bytes);
        }
        let bytes = Bytes::from(bytes);
        if !snapshot.is_aborted {
            let slice = |link: &LinkId| Mail::Slice { link: *link, bytes: bytes.clone(), is_last };
            self.mail.extend(links.iter().map(slice));
        }
        let is_over = is_last || snapshot.is_aborted;
        if is_over {
            self.step(scene, Input::SnapshotStreamed, None)?;
        }
        Ok(is_over)
    }
}
