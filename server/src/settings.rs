//! From the configuration to what each part of the server is told.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use zk_config::Config;
use zk_config::config::{Compression as ConfigCompression, Whitelist};
use zk_core::{
    AuthOptions, ContainerOptions, DatabaseOptions, EnsembleOptions, Grammar, Options, PrepOptions,
    SnapshotOptions, TokenOptions,
};
use zk_storage::{Compression, DataDirs, Disk, Epochs, LogOptions, RealDisk, RecoverOptions};
use zk_wire::{Naming, ServerId};

use crate::clock::millis;
use crate::ensemble::config_files::last_seen;
use crate::ensemble::members::{self, ConfigGrammar};
use crate::startup::fresh_id;

/// What the event loop looks at while it runs.
pub(crate) struct Settings {
    /// The longest frame of a client, in bytes.
    pub(crate) frame_length_max: usize,
    pub(crate) limits: ConnectionLimits,
    pub(crate) large_requests: LargeRequests,
    pub(crate) whitelist: Whitelist,
    pub(crate) files: Files<RealDisk>,
    pub(crate) config: Config,
    /// The client port that is listened on, which may have been chosen by the system.
    pub(crate) client_port: Option<u16>,
}

/// How many connections there may be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConnectionLimits {
    /// `maxClientCnxns`.
    pub(crate) per_address: Option<u32>,
    /// `maxCnxns`.
    pub(crate) total: Option<u32>,
}

/// How much memory large requests may take together.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LargeRequests {
    /// Above so many bytes a request is large; `None`: none is.
    pub(crate) threshold: Option<u64>,
    /// So many bytes of them may be on the way.
    pub(crate) bytes_max: u64,
}

/// Where the files are and how they are written.
#[derive(Clone, Debug)]
pub(crate) struct Files<D: Disk> {
    pub(crate) disk: D,
    pub(crate) dirs: DataDirs,
    pub(crate) compression: Compression,
}

impl<D: Disk> Files<D> {
    /// The file of the ensemble's id.
    pub(crate) fn naming_path(&self) -> PathBuf {
        zk_storage::naming_path(&self.dirs)
    }
}

impl Settings {
    pub(crate) fn new(config: &Config) -> Self {
        let limits = &config.limits;
        let storage = &config.storage;
        Self {
            frame_length_max: size(limits.jute_maxbuffer),
            limits: ConnectionLimits {
                per_address: limits.max_client_cnxns,
                total: limits.max_cnxns,
            },
            large_requests: LargeRequests {
                threshold: limits.large_request_threshold.map(u64::from),
                bytes_max: limits.large_request_max_bytes.into(),
            },
            whitelist: config.clients.four_letter_words.clone(),
            files: Files {
                disk: RealDisk,
                dirs: DataDirs::new(&storage.data_dir, &storage.data_log_dir),
                compression: match storage.compression {
                    ConfigCompression::None => Compression::Plain,
                    ConfigCompression::Gzip => Compression::Gz,
                    ConfigCompression::Snappy => Compression::Snappy,
                },
            },
            config: config.clone(),
            client_port: config.clients.port,
        }
    }
}

/// The longest field, record or txn that is read back from files.
fn stored_length_max(config: &Config) -> usize {
    size(config.limits.jute_maxbuffer).saturating_add(size(config.limits.jute_maxbuffer_extrasize))
}

/// How files are recovered.
pub(crate) fn recover_options(config: &Config) -> RecoverOptions {
    RecoverOptions {
        trust_empty: config.storage.snapshot_trust_empty,
        drop_damaged_tail: config.storage.drop_damaged_tail,
        length_max: stored_length_max(config),
    }
}

/// How the log is written.
pub(crate) fn log_options(config: &Config) -> LogOptions {
    let kib = config.storage.log.pre_alloc_bytes.unwrap_or(0) / 1024;
    LogOptions::new(i64::try_from(kib).unwrap_or(i64::MAX), config.storage.log.force_sync)
}

/// How the database understands what is stored.
pub(crate) fn database_options(config: &Config, seed: u64) -> DatabaseOptions {
    DatabaseOptions {
        seed,
        extended_types: config.processing.extended_types_enabled,
        digest: config.storage.digest_enabled,
    }
}

/// What the core is told; a member of an ensemble has epochs.
pub(crate) fn core_options(
    config: &Config,
    seed: u64,
    epochs: Option<&Epochs<RealDisk>>,
    naming: Naming,
) -> Options {
    let processing = &config.processing;
    let containers = &processing.containers;
    let throttle = &config.throttle.connections;
    let never = Duration::from_secs(u64::from(u32::MAX));
    Options {
        seed,
        server_id: epochs.map_or(1, |_| low_byte(me(config))),
        tick_ms: config.tick_time_ms.into(),
        session_timeout_min_ms: config.sessions.min_timeout_ms.into(),
        session_timeout_max_ms: u64::from(config.sessions.max_timeout_ms).min(INT_MAX),
        prep: PrepOptions {
            auth: auth_options(config),
            extended_types: processing.extended_types_enabled,
            enforce_quota: processing.enforce_quota,
            reconfig: config.quorum.reconfig_enabled,
            digest: config.storage.digest_enabled,
            txn_size_max: stored_length_max(config),
        },
        outstanding_limit: size(config.limits.global_outstanding_limit),
        output_soft_max: size(config.limits.jute_maxbuffer).max(OUTPUT_SOFT),
        output_hard_max: OUTPUT_HARD,
        sessionless_timeout_ms: millis(config.clients.sessionless_timeout),
        containers: ContainerOptions {
            check_interval_ms: millis(containers.check_interval.unwrap_or(never)),
            per_minute_max: containers.max_per_minute.map_or(u64::MAX, u64::from),
            never_used_max_ms: containers.max_never_used.map_or(0, millis),
        },
        snapshots: SnapshotOptions {
            snap_count: config.storage.snap_count.into(),
            size_limit_bytes: config.storage.snap_size_limit_bytes,
        },
        connect_tokens: TokenOptions {
            tokens: throttle.tokens.unwrap_or(0).into(),
            fill_time_ms: millis(throttle.fill_time),
            fill_count: throttle.fill_count.into(),
        },
        ensemble: epochs.map(|epochs| ensemble_options(config, epochs, naming)),
    }
}

/// What a member is told.
fn ensemble_options(config: &Config, epochs: &Epochs<RealDisk>, naming: Naming) -> EnsembleOptions {
    let quorum = &config.quorum;
    EnsembleOptions {
        me: me(config),
        members: members::of(&quorum.ensemble),
        proposed: last_seen(config).map(members::of),
        naming,
        fresh_id: fresh_id(),
        is_blank: false,
        may_found: config.storage.join_guard,
        current_epoch: epochs.current(),
        accepted_epoch: epochs.accepted(),
        init_limit: quorum.init_limit,
        sync_limit: quorum.sync_limit,
        election_interval_min_ms: millis(quorum.election.min_notification_interval),
        election_interval_max_ms: millis(quorum.election.max_notification_interval),
        commit_log_count: size(config.storage.commit_log_count),
        commit_log_bytes: HISTORY_BYTES,
        log_permille: config.storage.snapshot_size_factor.map(permille),
        force_snapshot_sync: quorum.leader.force_snapshot_sync,
        leader_serves: config.processing.leader_serves,
        read_only: config.processing.read_only_mode_enabled,
        local_sessions: config.sessions.local_enabled,
        local_upgrading: config.sessions.local_upgrading_enabled,
        reconfig: grammar(config),
    }
}

/// A share of at most 1, in thousandths. Compat: 0 is no limit.
#[expect(clippy::cast_possible_truncation, reason = "it is at most 1000")]
fn permille(share: f64) -> u32 {
    if share == 0.0 { u32::MAX } else { (share * 1000.0).ceil() as u32 }
}

/// How configurations are read, where they may change.
fn grammar(config: &Config) -> Option<Arc<dyn Grammar>> {
    let quorum = &config.quorum;
    let grammar = ConfigGrammar {
        multi_address: quorum.multi_address.enabled,
        standalone_enabled: quorum.standalone_enabled,
    };
    quorum.reconfig_enabled.then(|| Arc::new(grammar) as Arc<dyn Grammar>)
}

/// The number of this member.
pub(crate) fn me(config: &Config) -> ServerId {
    let id = config.quorum.my_id.expect("a member whose myid is missing was refused");
    ServerId(id.0)
}

/// Java shifts the number into the high byte of its sessions' ids and lets the rest fall off.
fn low_byte(id: ServerId) -> u8 {
    id.0.to_be_bytes()[7]
}

/// How many bytes of txns a member keeps at least for others that lag.
pub(crate) const HISTORY_BYTES: usize = 16 << 20;
/// Above so many bytes that a client does not take, it is not read.
const OUTPUT_SOFT: usize = 4 << 20;
/// Above so many bytes that a client does not take, it is cut off: notifications cannot be dropped.
const OUTPUT_HARD: usize = 256 << 20;
const INT_MAX: u64 = 0x7fff_ffff;

fn auth_options(config: &Config) -> AuthOptions {
    AuthOptions {
        skip_acl: config.processing.skip_acl,
        super_digest: config.auth.super_digest.as_ref().map(|secret| secret.reveal().to_owned()),
        digest_disabled: !config.auth.digest_enabled,
        enforced_schemes: config.auth.enforced_schemes.clone(),
    }
}

fn size(n: u32) -> usize {
    usize::try_from(n).expect("addresses have at least 32 bits")
}
