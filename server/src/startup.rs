//! From a configuration to a database: directories taken, files read, the first snapshot written.

use std::hash::{BuildHasher as _, RandomState};
use std::path::PathBuf;
use std::time::{Duration, Instant};

use tracing::{error, info, warn};
use zk_config::{Config, Mode, Role};
use zk_core::{Database, DatabaseOptions};
use zk_storage::{
    CountedDisk, DataDirs, Disk, Epochs, NamingFile, RealDisk, RecoverOptions, Recovered,
    SnapshotWriter, Warning, finish_setting_aside, recover, remove_leftovers, set_aside,
};
use zk_wire::{EnsembleId, Epoch, Zxid};

use crate::error::Error;
use crate::progress::Progress;
use crate::settings::{Files, HISTORY_BYTES, database_options, recover_options};

/// What the files gave.
pub(crate) struct Loaded {
    pub(crate) database: Database,
    /// Whether txns were replayed: then a snapshot spares the next start the work.
    pub(crate) wants_snapshot: bool,
    /// How long that took.
    pub(crate) took: Duration,
    /// How many txns were replayed.
    pub(crate) replayed: u64,
    /// Nothing was there although something should have been.
    pub(crate) is_blank: bool,
    /// Held as long as the server runs: no other server may use the directories.
    pub(crate) locks: Vec<<RealDisk as Disk>::Lock>,
}

/// The files that a database is read from, and how they are understood.
#[derive(Clone, Debug)]
pub(crate) struct History<D: Disk> {
    pub(crate) disk: D,
    pub(crate) dirs: DataDirs,
    pub(crate) recover: RecoverOptions,
    pub(crate) database: DatabaseOptions,
    /// How many bytes of replayed txns a member keeps for others.
    pub(crate) keep_bytes: usize,
}

impl History<RealDisk> {
    pub(crate) fn new(config: &Config, files: &Files<RealDisk>, seed: u64) -> Self {
        Self {
            disk: files.disk,
            dirs: files.dirs.clone(),
            recover: recover_options(config),
            database: database_options(config, seed),
            keep_bytes: if config.mode == Mode::Replicated { HISTORY_BYTES } else { 0 },
        }
    }

    /// On a disk that counts.
    fn counted(&self, progress: &Progress) -> History<CountedDisk<RealDisk>> {
        let Self { disk, dirs, recover, database, keep_bytes } = self.clone();
        History { disk: progress.on(disk), dirs, recover, database, keep_bytes }
    }
}

/// Refuses what cannot be done rather than do something else, and says what is left out.
pub(crate) fn check_supported(config: &Config) -> Result<(), Error> {
    if config.mode == Mode::Replicated {
        check_ensemble(config)?;
    }
    if config.admin.enabled {
        info!("this server has no AdminServer yet; admin.enableServer=false silences this line");
    }
    Ok(())
}

/// What a member cannot do without others noticing.
fn check_ensemble(config: &Config) -> Result<(), Error> {
    let remedy = "turn it off on all servers, or run the Java server for now";
    if config.tls.quorum_enabled || config.tls.quorum_port_unification {
        let what = "TLS between servers (sslQuorum, portUnification)";
        return Err(Error::Unsupported { what, remedy });
    }
    if config.quorum.sasl.enabled {
        let what = "SASL between servers (quorum.auth.enableSasl)";
        return Err(Error::Unsupported { what, remedy });
    }
    if config.quorum.oracle_path.is_some() {
        let what = "an oracle (oraclePath)";
        return Err(Error::Unsupported { what, remedy });
    }
    Ok(())
}

/// What a start may do with directories that are not as they ought to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct StartPolicy {
    /// `datadir.autocreate`: make those that are missing.
    autocreate: bool,
    /// Take an empty one without a marker for that of a new server.
    may_be_new: bool,
    /// Put damaged files aside: others have everything.
    may_repair: bool,
}

impl StartPolicy {
    pub(crate) fn of(config: &Config) -> Self {
        let (storage, quorum) = (&config.storage, &config.quorum);
        let is_alone = config.mode == Mode::Standalone;
        let is_other_voter =
            |id: &zk_config::ServerId, role| Some(*id) != quorum.my_id && role == Role::Participant;
        let servers = quorum.ensemble.servers.iter();
        let others = servers.filter(|(id, server)| is_other_voter(id, server.role)).count();
        Self {
            autocreate: storage.data_dir_autocreate,
            may_be_new: is_alone || (storage.db_autocreate && !storage.join_guard),
            may_repair: !is_alone && storage.self_repair && others >= OTHERS_MIN,
        }
    }
}

/// A quorum of three without this one.
const OTHERS_MIN: usize = 2;

/// Takes the directories and loads what is in them. An empty directory that is none of a new server stays
/// without a snapshot: it is one whose content was lost.
pub(crate) fn load(
    files: &Files<RealDisk>,
    history: &History<RealDisk>,
    policy: StartPolicy,
    progress: &Progress,
) -> Result<Loaded, Error> {
    let begin = Instant::now();
    let locks = files.dirs.take(&files.disk, policy.autocreate)?;
    for path in remove_leftovers(&files.disk, &files.dirs)? {
        info!("removed what an interrupted write left: {}", path.display());
    }
    let is_marked = markers(&files.disk, &files.dirs).next().is_some();
    if is_marked {
        info!("{MARKER} file found, an empty database will not block voting participation");
    }
    let stored_epoch = Epochs::stored_current(&files.disk, &files.dirs)?;
    let has_followed = stored_epoch.is_some_and(|epoch| epoch > Epoch(0));
    let may_repair = policy.may_repair && has_followed;
    let (recovered, is_aside) = recovered_or_empty(files, &history.counted(progress), may_repair)?;
    let Recovered { replica: mut database, snapshot_zxid, replayed, .. } = recovered;
    let is_empty = snapshot_zxid.is_none() && replayed == 0;
    // Whatever the marker says, what was put aside was there.
    let is_new = is_marked && !is_aside;
    let is_blank = is_empty && !is_new && (has_followed || !policy.may_be_new);
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
    if is_blank {
        warn!(
            "{} is empty and perhaps ought not to be (currentEpoch, db.autocreate, joinGuard.enabled): this \
             server has no vote until it has followed a leader or all other voters have said what they have; \
             if it is new and they cannot, create {} (zkServer-initialize.sh does) and start it again at once",
            files.dirs.snap().display(),
            files.dirs.log().with_file_name(MARKER).display()
        );
    } else if snapshot_zxid.is_none() {
        write_now(files, &mut database)?;
    }
    // A start that is cut off before this finds the marker again.
    for path in markers(&files.disk, &files.dirs) {
        files.disk.remove(&path).map_err(|source| Error::Marker { path, source })?;
    }
    let wants_snapshot = snapshot_zxid.is_some() && replayed > 0;
    Ok(Loaded { database, wants_snapshot, took, replayed, is_blank, locks })
}

/// What the files have, or nothing once damaged ones are put aside; and whether that was so.
fn recovered_or_empty(
    files: &Files<RealDisk>,
    history: &History<CountedDisk<RealDisk>>,
    may_repair: bool,
) -> Result<(Recovered<Database>, bool), Error> {
    let places = finish_setting_aside(&files.disk, &files.dirs)?;
    if !places.is_empty() {
        warn!("the start before did not finish: damaged files are in {}", shown(&places));
    }
    match recovered(history) {
        Err(error) if may_repair && error.is_damage() => {
            error!("{error}");
            let places = set_aside(&files.disk, &files.dirs)?;
            warn!(
                "this server puts its files aside and syncs from the others (recovery.selfRepair): they are in \
                 {}; remove them when it is in the quorum again",
                shown(&places)
            );
            Ok((recovered(history)?, true))
        }
        recovered => Ok((recovered?, !places.is_empty())),
    }
}

fn shown(places: &[PathBuf]) -> String {
    let places: Vec<_> = places.iter().map(|place| place.display().to_string()).collect();
    places.join(" and ")
}

/// The files that say that an empty directory is that of a new server.
///
/// Compat: the manual puts it into `dataDir`, Java looks for it in `dataLogDir`.
fn markers<D: Disk>(disk: &D, dirs: &DataDirs) -> impl Iterator<Item = PathBuf> {
    let mut paths: Vec<_> = [dirs.snap(), dirs.log()].map(|dir| dir.with_file_name(MARKER)).into();
    paths.dedup();
    paths.into_iter().filter(|path| disk.exists(path).unwrap_or(false))
}

/// A server that has followed a leader is new no more: a marker that was made while it waited would say so
/// of what it loses one day. If it cannot be removed now, the next start does.
pub(crate) fn remove_late_markers<D: Disk>(disk: &D, dirs: &DataDirs) {
    for path in markers(disk, dirs) {
        match disk.remove(&path) {
            Ok(()) => info!("removed {}: this server is not new any more", path.display()),
            Err(error) => warn!("cannot remove {}: {error}", path.display()),
        }
    }
}

const MARKER: &str = "initialize";

/// Loads, or makes, what a member of an ensemble may not forget.
pub(crate) fn load_epochs(
    files: &Files<RealDisk>,
    database: &Database,
) -> Result<Epochs<RealDisk>, Error> {
    let epochs = Epochs::load(files.disk, &files.dirs, database.last_zxid())?;
    info!("current epoch {}, accepted epoch {}", epochs.current(), epochs.accepted());
    Ok(epochs)
}

/// Reads which ensemble the data belongs to.
pub(crate) fn load_naming(files: &Files<RealDisk>) -> Result<NamingFile<RealDisk>, Error> {
    let file = NamingFile::load(files.disk, &files.dirs)?;
    if let Some(id) = file.naming().settled() {
        info!("ensemble id {id}");
    }
    Ok(file)
}

/// A random id, in the form of a version 4 UUID.
pub(crate) fn fresh_id() -> EnsembleId {
    let random = RandomState::new();
    let [high, low] = [0, 1].map(|half| u128::from(random.hash_one(half)));
    let random = high << 64 | low;
    EnsembleId(random & !(0xf << 76) & !(0x3 << 62) | 0x4 << 76 | 0x2 << 62)
}

/// The database as the files have it, ready to serve; says what was not smooth.
pub(crate) fn recovered<D: Disk>(
    history: &History<D>,
) -> Result<Recovered<Database>, zk_storage::Error> {
    let make = || Database::new(history.database).keeping_replayed(history.keep_bytes);
    let mut recovered = recover(&history.disk, &history.dirs, &history.recover, make)?;
    for warning in &recovered.warnings {
        warn!("{}", worded(warning));
    }
    recovered.replica.finish_recovery();
    Ok(recovered)
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

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    /// Whether a start on empty directories, one of which may have the marker, is that of a new server.
    fn starts_as_new(marked: Option<&str>) -> bool {
        let folder = TempDir::new().unwrap();
        let mut config = Config::embedded_default(&folder.path().join("data"));
        config.storage.data_log_dir = folder.path().join("log");
        let marker = marked.map(|dir| folder.path().join(dir).join(MARKER));
        if let Some(marker) = &marker {
            fs::create_dir_all(marker.parent().unwrap()).unwrap();
            fs::write(marker, "").unwrap();
        }
        let files = crate::settings::Settings::new(&config).files;
        let history = History::new(&config, &files, 1);
        let policy = StartPolicy { autocreate: true, may_be_new: false, may_repair: false };
        let loaded = load(&files, &history, policy, &Progress::default()).unwrap();
        assert!(marker.is_none_or(|marker| !marker.exists()), "it counts once");
        let snapshots = zk_storage::snapshots(&files.disk, files.dirs.snap()).unwrap();
        assert_eq!(snapshots.is_empty(), loaded.is_blank, "a loss stays one at the next start");
        !loaded.is_blank
    }

    #[test]
    fn an_empty_directory_is_new_where_a_marker_says_so() {
        assert!(starts_as_new(Some("data")));
        assert!(starts_as_new(Some("log")));
        assert!(!starts_as_new(None));
    }
}
