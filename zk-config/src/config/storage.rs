//! Settings of the data folders, the txn log, snapshots and purging.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::error::Error;
use crate::reader::Reader;
use crate::warning::Caution;

/// Where data lives and how it is written.
#[derive(Debug, Clone, PartialEq)]
pub struct Storage {
    /// `dataDir`: holds `myid` and, in `version-2`, snapshots and epoch files.
    pub data_dir: PathBuf,
    /// `dataLogDir`: holds the txn log in `version-2`; `dataDir` if not set.
    pub data_log_dir: PathBuf,
    /// `datadir.autocreate`: create folders that are missing.
    pub data_dir_autocreate: bool,
    /// `db.autocreate`: an empty data folder is a new member, not a loss.
    pub db_autocreate: bool,
    /// `recovery.selfRepair`: a member puts damaged files aside and syncs anew.
    pub self_repair: bool,
    /// `loading.stallLimit`: a start that reads nothing for so long is not alive any more.
    pub loading_stall_limit: Duration,
    /// `joinGuard.enabled`: an empty member votes once all others have said what they have.
    pub join_guard: bool,
    /// `snapshot.trust.empty`: a log without a snapshot is complete.
    pub snapshot_trust_empty: bool,
    /// `recovery.dropDamagedTail`: what follows damage in the newest log is dropped.
    pub drop_damaged_tail: bool,
    /// `snapshot.compression.method`.
    pub compression: Compression,
    /// `serializeLastProcessedZxid.enabled`: snapshots hold the last zxid they cover.
    pub serialize_last_processed_zxid: bool,
    /// `digest.enabled`: keep a digest of the tree.
    pub digest_enabled: bool,
    /// `closeSessionTxn.enabled`: a closeSession txn lists the ephemerals it removes.
    pub close_session_txn_enabled: bool,
    /// The txn log.
    pub log: Log,
    /// `snapCount`: txns after which, give or take half, a snapshot is taken; at least 2.
    pub snap_count: u32,
    /// `snapSizeLimitInKb` in bytes of txns; `None` is off.
    pub snap_size_limit_bytes: Option<u64>,
    /// `snapshotSizeFactor`: share of the snapshot's size up to which a learner is sent the log
    /// from disk; `None` is never, 0 is always.
    pub snapshot_size_factor: Option<f64>,
    /// `commitLogCount`: committed txns kept in memory for learners.
    pub commit_log_count: u32,
    /// `autopurge.snapRetainCount`: snapshots kept by a purge; at least 3.
    pub snap_retain_count: u32,
    /// `autopurge.purgeInterval`, the first purge being at start; `None` never purges.
    pub purge_interval: Option<Duration>,
}

/// How the txn log is written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Log {
    /// `preAllocSize` in bytes: the steps in which a file is extended; `None` is off.
    pub pre_alloc_bytes: Option<u64>,
    /// `txnLogSizeLimitInKb` in bytes of a file; `None` is off.
    pub size_limit_bytes: Option<u64>,
    /// `forceSync`: sync before a txn is acknowledged.
    pub force_sync: bool,
    /// `fsync.warningthresholdms`: time of a sync that is warned about.
    pub fsync_warning_threshold: Duration,
    /// `flushDelay`: time a sync may be put off.
    pub flush_delay: Duration,
    /// `maxWriteQueuePollTime`: time without a txn after which it is not put off longer.
    pub write_queue_poll_time: Duration,
    /// `maxBatchSize`: txns after which it is not put off longer; `None` is unlimited.
    pub max_batch_size: Option<u32>,
}

/// How snapshots are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Compression {
    /// Not at all.
    None,
    /// As `.gz` files.
    Gzip,
    /// As `.snappy` files.
    Snappy,
}

impl Storage {
    pub(super) fn read(r: &mut Reader) -> Self {
        let data_dir = directory(r, "dataDir");
        if data_dir.is_none() {
            r.refuse(Error::NotSet {
                at: r.origin("dataDir"),
                key: "dataDir",
                remedy: "add a line such as dataDir=/var/lib/zookeeper",
            });
        }
        let data_dir = data_dir.unwrap_or_default();
        let data_log_dir = directory(r, "dataLogDir").unwrap_or_else(|| {
            r.settle("dataLogDir", data_dir.display());
            data_dir.clone()
        });
        let compression = r.text("snapshot.compression.method");
        let factor =
            r.double_at_most("snapshotSizeFactor", 1.0, "at most the size of the snapshot");
        Self {
            data_dir,
            data_log_dir,
            data_dir_autocreate: r.boolean("datadir.autocreate"),
            db_autocreate: r.boolean("db.autocreate"),
            self_repair: r.boolean("recovery.selfRepair"),
            join_guard: r.boolean("joinGuard.enabled"),
            loading_stall_limit: r.millis("loading.stallLimit"),
            snapshot_trust_empty: r.boolean("snapshot.trust.empty"),
            drop_damaged_tail: r.boolean("recovery.dropDamagedTail"),
            compression: match compression.as_str() {
                "gz" => Compression::Gzip,
                "snappy" => Compression::Snappy,
                _ => Compression::None,
            },
            serialize_last_processed_zxid: r.boolean("serializeLastProcessedZxid.enabled"),
            digest_enabled: r.boolean("digest.enabled"),
            close_session_txn_enabled: r.boolean("closeSessionTxn.enabled"),
            log: Log::read(r),
            snap_count: r.at_least("snapCount", 2, "SnapCount should be 2 or more"),
            snap_size_limit_bytes: r.kib("snapSizeLimitInKb"),
            snapshot_size_factor: (factor >= 0.0).then_some(factor),
            commit_log_count: r.at_least("commitLogCount", 500, "the least that is kept"),
            snap_retain_count: r.at_least("autopurge.snapRetainCount", 3, "the least that is kept"),
            purge_interval: r
                .limit("autopurge.purgeInterval")
                .map(|hours| Duration::from_secs(u64::from(hours) * 60 * 60)),
        }
    }
}

impl Log {
    fn read(r: &mut Reader) -> Self {
        let flush_delay = r.millis("flushDelay");
        let poll_time = r.millis_unless_negative("maxWriteQueuePollTime");
        Self {
            pre_alloc_bytes: r.kib("preAllocSize"),
            size_limit_bytes: r.kib("txnLogSizeLimitInKb"),
            force_sync: r.boolean("forceSync"),
            fsync_warning_threshold: r.millis("fsync.warningthresholdms"),
            flush_delay,
            write_queue_poll_time: poll_time.unwrap_or(flush_delay / 3),
            max_batch_size: r.limit("maxBatchSize"),
        }
    }
}

fn directory(r: &mut Reader, key: &'static str) -> Option<PathBuf> {
    let path = r.path(key)?;
    if !path.is_absolute() && !path.starts_with(Path::new(".")) {
        r.warn(key, Caution::RelativePath { path: path.display().to_string() });
    }
    Some(path)
}
