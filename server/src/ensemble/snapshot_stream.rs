//! Sending a snapshot to learners while the server goes on: slices of the tree, as fast as the slowest of
//! them takes it.
//!
//! Invariant: slices are taken only from the database that the walk began with.
//!
//! Java: `LearnerHandler`, `SerializeUtils.serializeSnapshot`.

use std::cell::RefCell;
use std::rc::Rc;

use bytes::Bytes;
use tracing::{info, warn};
use zk_core::{Input, LinkId};
use zk_wire::write_snapshot_stream_end;

use super::links::Links;
use crate::shell::Shell;
use crate::snapshot::{WalkId, next_slice};

/// Sends the rest of a snapshot whose beginning is on its way, then tells the core.
pub(crate) async fn send(
    shell: Rc<RefCell<Shell>>,
    to: Rc<Links>,
    walk: WalkId,
    links: Vec<LinkId>,
) {
    loop {
        tokio::task::yield_now().await;
        if !to.has_room(&links).await {
            warn!("no learner is left that takes the snapshot");
            break;
        }
        let Some(slice) = next_slice(&shell, walk) else { break };
        to.stream(&links, Bytes::from(slice.bytes));
        if slice.is_last {
            let mut end = Vec::new();
            write_snapshot_stream_end(&mut end);
            to.end_stream(&links, Bytes::from(end));
            info!("Sent the snapshot");
            break;
        }
    }
    let mut shell = shell.borrow_mut();
    if shell.snapshots.end() {
        // Does nothing after the last slice.
        shell.peer.database_mut().abort_snapshot();
    }
    let now = shell.clock.now();
    shell.step(now, Input::SnapshotStreamed, None);
}
