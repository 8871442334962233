//! Removing old snapshots and logs: at start, then every `autopurge.purgeInterval`.
//!
//! Java: `DatadirCleanupManager`.

use std::thread;
use std::time::Duration;

use tracing::{error, info};
use zk_storage::{Disk, purge};

use crate::settings::Files;

/// Purges until the task is ended; does nothing without an interval.
pub(crate) async fn run<D: Disk>(files: Files<D>, interval: Option<Duration>, retain: usize) {
    info!("autopurge.snapRetainCount set to {retain}");
    let Some(interval) = interval else {
        info!("Purge task is not scheduled.");
        return;
    };
    let mut timer = tokio::time::interval(interval);
    loop {
        timer.tick().await;
        let files = files.clone();
        let thread = thread::Builder::new().name("purge".to_owned()).spawn(move || {
            info!("Purge task started.");
            match purge(&files.disk, &files.dirs, retain) {
                Ok(removed) => {
                    for path in removed {
                        info!("Removing file: {}", path.display());
                    }
                    info!("Purge task completed.");
                }
                Err(error) => error!(%error, "Purge task failed; it will be tried again"),
            }
        });
        if let Err(error) = thread {
            error!(%error, "no thread for the purge task; it will be tried again");
        }
    }
}
