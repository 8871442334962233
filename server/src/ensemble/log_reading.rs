//! Reading a part of the log for a learner, on a thread of its own and no faster than the learner takes it.
//!
//! Whatever goes wrong with the log here, the learner gets a snapshot instead and appending goes on.
//!
//! Java: `LearnerHandler.syncFollower`, `FileTxnSnapLog.readTxnLog`.

use std::cell::RefCell;
use std::rc::Rc;
use std::thread;
use std::time::Instant;

use bytes::Bytes;
use tokio::sync::mpsc::{Sender, channel};
use tracing::{info, warn};
use zk_core::{Input, LinkId};
use zk_storage::{Disk, Error, LogRange, Wanted};
use zk_wire::Zxid;

use super::links::Links;
use crate::settings::{Files, recover_options};
use crate::shell::Shell;

/// What a thread reads, bit by bit.
type Txns = Vec<(Zxid, Bytes)>;

/// Reads what one learner lacks and tells the core.
pub(crate) async fn send(shell: Rc<RefCell<Shell>>, to: Rc<Links>, link: LinkId, wanted: Wanted) {
    let (parts, mut incoming) = channel(PARTS_AHEAD);
    let begin = Instant::now();
    let (files, length_max) = {
        let settings = &shell.borrow().settings;
        (settings.files.clone(), recover_options(&settings.config).length_max)
    };
    let reading = move || {
        if let Err(error) = read(&files, length_max, wanted, &parts) {
            warn!("the log cannot be read for a learner: {error}");
        }
    };
    if let Err(error) = thread::Builder::new().name("log reader".to_owned()).spawn(reading) {
        warn!("no thread to read the log for a learner: {error}");
    }
    loop {
        let part = incoming.recv().await;
        // The thread ends with the way to here.
        if !to.has_room(&[link]).await {
            return;
        }
        let mut shell = shell.borrow_mut();
        let now = shell.clock.now();
        let Some(txns) = part else {
            let Wanted { above, until, .. } = wanted;
            info!("the log does not do for what a learner lacks, {above} to {until}");
            return shell.step(now, Input::LogUnfit { link }, None);
        };
        let is_last = txns.last().is_some_and(|(zxid, _)| *zxid == wanted.until);
        shell.step(now, Input::LogRead { link, txns: &txns }, None);
        if is_last {
            info!("Read the log for a learner in {} ms", begin.elapsed().as_millis());
            return;
        }
    }
}

/// Hands over all of it, or as much as is there, until nobody takes more.
fn read<D: Disk>(
    files: &Files<D>,
    length_max: usize,
    wanted: Wanted,
    parts: &Sender<Txns>,
) -> Result<(), Error> {
    let range = LogRange::open(&files.disk, files.dirs.log(), wanted, length_max)?;
    let Some(mut range) = range else { return Ok(()) };
    while !range.is_over()
        && let Some(txns) = range.read(PART_LEN)?
        && parts.blocking_send(txns).is_ok()
    {}
    Ok(())
}

/// About so many bytes are handed over at once: what the event loop sends without others having to wait.
const PART_LEN: usize = 256 << 10;
/// So many parts may wait.
const PARTS_AHEAD: usize = 4;
