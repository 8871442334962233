//! From a configuration to a database: directories taken, files read, the first snapshot written.

use std::time::{Duration, Instant};

use tracing::{info, warn};
use zk_config::config::Metrics;
use zk_config::{Config, Mode};
use zk_core::Database;
use zk_storage::{RealDisk, Recovered, SnapshotWriter, Warning, recover, remove_leftovers};
use zk_wire::Zxid;

use crate::error::Error;
use crate::settings::{Files, database_options, recover_options};

/// What the files gave.
pub(crate) struct Loaded {
    pub(crate) database: Database,
    /// Whether txns were replayed: then a snapshot spares the next start the work.
    pub(crate) wants_snapshot: bool,
    /// How long that took.
    pub(crate) took: Duration,
    /// How many txns were replayed.
    pub(crate) replayed: u64,
    /// Held as long as the server runs: no other server may use the directories.
    pub(crate) locks: Vec<<RealDisk as zk_storage::Disk>::Lock>,
}

/// Refuses what cannot be done rather than do something else, and says what is left out.
pub(crate) fn check_supported(config: &Config) -> Result<(), Error> {
    if config.mode == Mode::Replicated {
        return Err(Error::Unsupported {
            what: "an ensemble (more than one server.N line, or standaloneEnabled=false)",
            remedy: "list one server at most, or run the Java server for now",
        });
    }
    if config.admin.enabled {
        info!("this server has no AdminServer yet; admin.enableServer=false silences this line");
    }
    if matches!(config.metrics, Metrics::Prometheus { .. }) {
        warn!("this server has no Prometheus endpoint yet; the mntr word has the same figures");
    }
    Ok(())
}

/// Takes the directories and loads what is in them.
pub(crate) fn load(config: &Config, files: &Files<RealDisk>, seed: u64) -> Result<Loaded, Error> {
    let begin = Instant::now();
    let locks = files.dirs.take(&files.disk, config.storage.data_dir_autocreate)?;
    for path in remove_leftovers(&files.disk, &files.dirs)? {
        info!("removed what an interrupted write left: {}", path.display());
    }
    let options = database_options(config, seed);
    let make = || Database::new(options);
    let recovered = recover(&files.disk, &files.dirs, &recover_options(config), make)?;
    for warning in &recovered.warnings {
        warn!("{}", worded(warning));
    }
    let Recovered { replica: mut database, snapshot_zxid, replayed, .. } = recovered;
    database.finish_recovery();
    let took = begin.elapsed();
    info!(
        "Snapshot loaded in {} ms, highest zxid is {}, digest is {}",
        took.as_millis(),
        snapshot_zxid.unwrap_or(Zxid::ZERO),
        database.tree().digest()
    );
    info!(
        "{replayed} txns loaded; {} nodes, {} sessions, last zxid {}",
        database.tree().node_count(),
        database.sessions().len(),
        database.last_zxid()
    );
    if snapshot_zxid.is_none() {
        write_now(files, &mut database)?;
    }
    let wants_snapshot = snapshot_zxid.is_some() && replayed > 0;
    Ok(Loaded { database, wants_snapshot, took, replayed, locks })
}

/// What an operator reads about a recovery that was not smooth.
fn worded(warning: &Warning) -> String {
    match warning {
        Warning::SnapshotRejected(error) => format!("{error}; trying the one before"),
        Warning::TornTail { path, offset } => format!(
            "{} ends in an unfinished record at offset {offset}: a crash left it, it was never \
             acknowledged",
            path.display()
        ),
        Warning::HolesCut { path, offset } => format!(
            "{} was cut at offset {offset}: what followed was never synced, nor acknowledged",
            path.display()
        ),
        Warning::DamageCut(error) => format!("{error}; cut off, as allowed"),
        Warning::EmptyLogRemoved { path } => {
            format!("{} had no records and was removed", path.display())
        }
        Warning::OutOfOrder { path, count } => format!(
            "{} has {count} records with a zxid below the one before; all were applied",
            path.display()
        ),
    }
}

/// Writes the first snapshot of a directory before anything is logged: logs without a snapshot would look
/// like a loss to the next start.
fn write_now(files: &Files<RealDisk>, database: &mut Database) -> Result<(), Error> {
    let (zxid, digest, head) = database.begin_snapshot();
    let mut writer = SnapshotWriter::begin(files.disk, files.dirs.snap(), zxid, files.compression)?;
    writer.write(&head)?;
    while let Some(slice) = database.snapshot_slice(u32::MAX) {
        writer.write(&slice.bytes)?;
    }
    let (path, bytes) = writer.finish(digest, zxid)?;
    info!(bytes, "Snapshotting: {zxid} to {}", path.display());
    Ok(())
}
