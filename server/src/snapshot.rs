//! Taking a snapshot while the server goes on: slices of the tree from the event loop, written by a thread.
//!
//! A failed snapshot is an error in the log and nothing else: the txn log has everything. A snapshot gets
//! its name only when it is whole and on the disk.
//!
//! Invariants
//! - The tree is walked once at a time, for a file or for learners.
//! - Slices are taken only from the database that the walk began with.
//! - The log's files are not cut or read again while a snapshot may still get its name.
//! - Whoever asked for a snapshot gets one answer, also when it is dropped.

use std::cell::RefCell;
use std::path::PathBuf;
use std::rc::Rc;
use std::thread;
use std::time::Instant;

use tokio::sync::mpsc::{Receiver, Sender, channel};
use tokio::sync::oneshot;
use tracing::{error, info};
use zk_core::{Input, LinkId, SnapshotSlice};
use zk_storage::{Compression, Disk, Error, SnapshotWriter};
use zk_wire::{SnapshotDigest, Zxid};

use crate::clock::millis;
use crate::shell::Shell;

/// How many nodes are visited before other tasks get their turn: well below a millisecond.
const NODES_A_SLICE: u32 = 512;
/// How many slices may wait for the disk.
const SLICES_AHEAD: usize = 16;

/// Names a walk over the tree; no name comes twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct WalkId(u64);

/// What a walk is for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Purpose {
    File,
    /// Learners.
    Stream {
        links: Vec<LinkId>,
    },
}

/// The snapshot that is not over yet.
#[derive(Debug, Default)]
pub(crate) struct Snapshots {
    running: Option<Running>,
    walks: u64,
}

#[derive(Debug)]
struct Running {
    walk: WalkId,
    purpose: Purpose,
    /// Its database is gone; who walks has yet to notice.
    is_dropped: bool,
}

impl Snapshots {
    pub(crate) fn is_busy(&self) -> bool {
        self.running.is_some()
    }

    /// Whether a snapshot may still get its name.
    pub(crate) fn is_writing(&self) -> bool {
        self.running.as_ref().is_some_and(|running| running.purpose == Purpose::File)
    }

    /// Names the walk that begins now; there must be none.
    pub(crate) fn begin(&mut self, purpose: Purpose) -> WalkId {
        assert!(!self.is_busy(), "the tree is walked once at a time");
        self.walks += 1;
        let walk = WalkId(self.walks);
        self.running = Some(Running { walk, purpose, is_dropped: false });
        walk
    }

    fn is_current(&self, walk: WalkId) -> bool {
        self.running.as_ref().is_some_and(|running| running.walk == walk && !running.is_dropped)
    }

    /// Drops what is running: no more slices are taken. Gives what it was for.
    pub(crate) fn drop_running(&mut self) -> Option<&Purpose> {
        let running = self.running.as_mut()?;
        running.is_dropped = true;
        Some(&running.purpose)
    }

    /// What was running is over; gives whether it was not dropped before.
    pub(crate) fn end(&mut self) -> bool {
        self.running.take().is_some_and(|running| !running.is_dropped)
    }
}

/// The next part of a walk; `None` if it was dropped.
pub(crate) fn next_slice(shell: &Rc<RefCell<Shell>>, walk: WalkId) -> Option<SnapshotSlice> {
    let mut shell = shell.borrow_mut();
    if !shell.snapshots.is_current(walk) {
        return None;
    }
    let slice = shell.peer.database_mut().snapshot_slice(NODES_A_SLICE);
    Some(slice.expect("a snapshot runs until its last slice"))
}

/// A moment of the database, and what was written of it when the walk began.
pub(crate) struct Beginning {
    pub(crate) zxid: Zxid,
    pub(crate) digest: SnapshotDigest,
    pub(crate) head: Vec<u8>,
}

/// Has the tree written that `Database::begin_snapshot` has marked, and tells the core if it asked.
pub(crate) async fn write(
    shell: Rc<RefCell<Shell>>,
    walk: WalkId,
    beginning: Beginning,
    is_asked: bool,
) {
    let is_durable = write_file(&shell, walk, beginning).await;
    let mut shell = shell.borrow_mut();
    shell.snapshots.end();
    // Commands for the log may wait for this.
    shell.wake_driver();
    if is_asked {
        let now = shell.clock.now();
        shell.step(now, Input::SnapshotTaken { is_durable }, None);
    }
}

/// Whether the file is there, and on the disk.
async fn write_file(shell: &Rc<RefCell<Shell>>, walk: WalkId, beginning: Beginning) -> bool {
    let begin = Instant::now();
    let Beginning { zxid, digest, head } = beginning;
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
        abort(shell, walk);
        return false;
    }
    if hand_over(shell, walk, slices, head).await.is_none() {
        abort(shell, walk);
    }
    match outcome.await {
        Ok(Ok(Some((path, bytes)))) => {
            let took = millis(begin.elapsed());
            shell.borrow_mut().counts.snapshots.add(took);
            info!(bytes, "Snapshot taken in {took} ms: {}", path.display());
            return true;
        }
        Ok(Ok(None)) => info!("Snapshot of {zxid} dropped: its database is gone"),
        Ok(Err(error)) => {
            error!(%error, "snapshot not taken; the txn log keeps growing until the next one");
        }
        Err(_) => error!("the thread of a snapshot ended without a word"),
    }
    false
}

/// Gives the thread all pieces; `None` if it does not take them or the walk is dropped.
async fn hand_over(
    shell: &Rc<RefCell<Shell>>,
    walk: WalkId,
    pieces: Sender<Piece>,
    head: Vec<u8>,
) -> Option<()> {
    pieces.send(Piece::Bytes(head)).await.ok()?;
    loop {
        tokio::task::yield_now().await;
        let slice = next_slice(shell, walk)?;
        pieces.send(Piece::Bytes(slice.bytes)).await.ok()?;
        if slice.is_last {
            return pieces.send(Piece::End).await.ok();
        }
    }
}

/// Lets the tree forget the walk, unless it walks for somebody else by now.
fn abort(shell: &Rc<RefCell<Shell>>, walk: WalkId) {
    let mut shell = shell.borrow_mut();
    if shell.snapshots.is_current(walk) {
        shell.peer.database_mut().abort_snapshot();
    }
}

/// What the thread gets.
enum Piece {
    Bytes(Vec<u8>),
    /// All of it was there.
    End,
}

/// What the thread needs.
struct Job<D: Disk> {
    disk: D,
    dir: PathBuf,
    compression: Compression,
    zxid: Zxid,
    digest: SnapshotDigest,
}

impl<D: Disk> Job<D> {
    /// Writes until the end; `None` if it never comes.
    fn run(self, mut pieces: Receiver<Piece>) -> Result<Option<(PathBuf, u64)>, Error> {
        let mut writer = SnapshotWriter::begin(self.disk, &self.dir, self.zxid, self.compression)?;
        while let Some(piece) = pieces.blocking_recv() {
            match piece {
                Piece::Bytes(bytes) => writer.write(&bytes)?,
                Piece::End => return writer.finish(self.digest, self.zxid).map(Some),
            }
        }
        Ok(None)
    }
}
