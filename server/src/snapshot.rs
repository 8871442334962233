//! Taking a snapshot while the server goes on: slices of the tree from the event loop, written by a thread.
//!
//! A failed snapshot is an error in the log and nothing else: the txn log has everything. A snapshot gets
//! its name only when it is whole and on the disk.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::thread;
use std::time::Instant;

use tokio::sync::mpsc::{Receiver, channel};
use tokio::sync::oneshot;
use tracing::{error, info};
use zk_storage::{Compression, Disk, Error, SnapshotWriter};
use zk_wire::{SnapshotDigest, Zxid};

use crate::clock::millis;
use crate::shell::Shell;

/// How many nodes are visited before other tasks get their turn: well below a millisecond.
const NODES_A_SLICE: u32 = 512;
/// How many slices may wait for the disk.
const SLICES_AHEAD: usize = 16;

/// What the thread needs.
struct Job<D: Disk> {
    disk: D,
    dir: PathBuf,
    compression: Compression,
    zxid: Zxid,
    digest: SnapshotDigest,
}

/// Walks the tree that `Database::begin_snapshot` has marked and has it written.
pub(crate) async fn write(
    shell: Rc<RefCell<Shell>>,
    zxid: Zxid,
    digest: SnapshotDigest,
    head: Vec<u8>,
) {
    let begin = Instant::now();
    let job = {
        let shell = shell.borrow();
        let files = &shell.settings.files;
        let (disk, compression) = (files.disk, files.compression);
        Job { disk, dir: files.dirs.snap().to_owned(), compression, zxid, digest }
    };
    info!("Snapshotting: {zxid} to {}", job.dir.display());
    let (slices, incoming) = channel(SLICES_AHEAD);
    let (report, outcome) = oneshot::channel();
    let thread = thread::Builder::new().name("snapshot".to_owned()).spawn(move || {
        // Nobody waits for the outcome only when the process ends.
        let _ = report.send(job.run(incoming));
    });
    if let Err(error) = thread {
        error!(%error, "no thread for a snapshot; the txn log keeps growing until the next one");
        shell.borrow_mut().peer.database_mut().abort_snapshot();
        return;
    }
    let (mut bytes, mut is_last) = (head, false);
    while bytes.is_empty() || slices.send(bytes).await.is_ok() {
        // After the last slice the tree may be walked for the next snapshot: its slices are not ours.
        if is_last {
            break;
        }
        tokio::task::yield_now().await;
        let slice = shell.borrow_mut().peer.database_mut().snapshot_slice(NODES_A_SLICE);
        let slice = slice.expect("a snapshot runs until its last slice");
        (bytes, is_last) = (slice.bytes, slice.is_last);
    }
    if !is_last {
        shell.borrow_mut().peer.database_mut().abort_snapshot();
    }
    drop(slices);
    match outcome.await {
        Ok(Ok((path, bytes))) => {
            let took = millis(begin.elapsed());
            shell.borrow_mut().counts.snapshots.add(took);
            info!(bytes, "Snapshot taken in {took} ms: {}", path.display());
        }
        Ok(Err(error)) => {
            error!(%error, "snapshot not taken; the txn log keeps growing until the next one");
        }
        Err(_) => error!("the thread of a snapshot ended without a word"),
    }
}

impl<D: Disk> Job<D> {
    fn run(self, mut slices: Receiver<Vec<u8>>) -> Result<(PathBuf, u64), Error> {
        let mut writer = SnapshotWriter::begin(self.disk, &self.dir, self.zxid, self.compression)?;
        while let Some(bytes) = slices.blocking_recv() {
            writer.write(&bytes)?;
        }
        writer.finish(self.digest, self.zxid)
    }
}
