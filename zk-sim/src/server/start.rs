//! A server's start: what the disk has becomes a core, as the real shell's start does it.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::sync::Arc;

use zk_core::{
    AuthOptions, ContainerOptions, Database, DatabaseOptions, EnsembleOptions, Grammar, Members,
    Millis, Now, Options, Peer, PrepOptions, RoleName, SnapshotOptions, TokenOptions,
};
use zk_storage::{
    Compression, DataDirs, Epochs, LogOptions, MemDisk, RecoverOptions, Recovered, TxnLog, recover,
    remove_leftovers,
};
use zk_wire::{EnsembleId, Epoch, Zxid};

use super::log::LogThread;
use super::snapshot::{self, Snapshots};
use super::{End, Process, id_of};
use crate::clock::Clock;
use crate::members::{Files, Lines, text_of};
use crate::mutation::Mutation;
use crate::rights;
use crate::scene::Scene;
use crate::violation::Property;

/// What a server runs on.
#[derive(Debug)]
pub(crate) struct Machine {
    pub(crate) node: usize,
    pub(crate) disk: MemDisk,
    pub(crate) dirs: DataDirs,
    /// How often a server was started on it.
    pub(crate) boot: u64,
    /// How far its wall clock is off.
    pub(crate) wall_skew_ms: i64,
    /// What it knows of the members.
    pub(crate) files: Files,
}

impl Process {
    /// Starts a server on what the disk has.
    pub(crate) fn start(scene: &mut Scene, machine: &Machine) -> Result<Self, End> {
        let Machine { node, disk, dirs, boot, wall_skew_ms, files } = machine;
        let node = *node;
        let locks = dirs.take(disk, true)?;
        remove_leftovers(disk, dirs)?;
        let seed = scene.random.next();
        let options =
            DatabaseOptions { seed, extended_types: scene.knobs.extended_types, digest: true };
        let recovered = recovered(scene, machine, options)?;
        let mut database = recovered.replica;
        let is_guarded =
            scene.knobs.quorum.is_guarded && scene.mutation != Some(Mutation::TrustEmptyVolume);
        let is_blank = is_guarded && recovered.snapshot_zxid.is_none();
        if recovered.snapshot_zxid.is_none() && !is_blank {
            snapshot::write_now(disk, dirs, &mut database)?;
        }
        let is_alone = scene.knobs.quorum.is_alone();
        let load = || Epochs::load(disk.clone(), dirs, database.last_zxid());
        let epochs = if is_alone { None } else { Some(load()?) };
        if let Some(epochs) = &epochs {
            scene.checker.on_epochs(node, epochs.accepted(), epochs.current())?;
        }
        let wants_snapshot =
            is_alone && recovered.snapshot_zxid.is_some() && recovered.replayed > 0;
        let log_options = LogOptions { prewrite_max: scene.knobs.prewrite_max, force_sync: true };
        let now = Now { mono: Millis(0), wall_ms: scene.wall_ms(*wall_skew_ms) };
        let mut core = options_of(scene, seed, machine, epochs.as_ref());
        core.ensemble.iter_mut().for_each(|ensemble| ensemble.is_blank = is_blank);
        let epoch = epochs.as_ref().map_or(Epoch(0), Epochs::current);
        let log = TxnLog::new(disk.clone(), dirs, log_options);
        let mut process = Self {
            node,
            boot: *boot,
            clock: Clock::start(scene.now_us, scene.knobs.quorum.rates[node]),
            wall_skew_ms: *wall_skew_ms,
            peer: Peer::new(core, database, now),
            disk: disk.clone(),
            dirs: dirs.clone(),
            log: LogThread::new(log, epochs, options),
            snapshots: Snapshots::default(),
            readings: BTreeMap::new(),
            sockets: BTreeMap::new(),
            places: Vec::new(),
            free: Vec::new(),
            mail: Vec::new(),
            outputs: Vec::new(),
            timer_ms: None,
            spins: 0,
            disk_factor: 1,
            is_stopping: false,
            is_released: false,
            struck_after: None,
            shown: (RoleName::Standalone, true),
            epoch,
            dropped: Zxid::ZERO,
            files: files.clone(),
            _locks: locks,
        };
        scene.checker.observe(node, &process.peer, 0)?;
        if wants_snapshot {
            process.take_snapshot(scene);
        }
        process.set_timer(scene);
        Ok(process)
    }
}

/// What the disk has, held against what the oracle knows.
fn recovered(
    scene: &mut Scene,
    machine: &Machine,
    options: DatabaseOptions,
) -> Result<Recovered<Database>, End> {
    let Machine { node, disk, dirs, .. } = machine;
    let keep = scene.knobs.quorum.commit_log_bytes;
    let make = || Database::new(options).keeping_replayed(keep);
    let mut recovered = recover(disk, dirs, &RecoverOptions::default(), make)?;
    let database = &mut recovered.replica;
    database.finish_recovery();
    if database.digest_mismatches() > 0 {
        let (snapshot, warnings) = (recovered.snapshot_zxid, recovered.warnings);
        let what = format!("{node} replays txns above {snapshot:?}: {warnings:?}");
        return Err(Property::Digest.broken(what).into());
    }
    scene.checker.on_recovered(*node, database)?;
    Ok(recovered)
}

fn options_of(
    scene: &Scene,
    seed: u64,
    machine: &Machine,
    epochs: Option<&Epochs<MemDisk>>,
) -> Options {
    let (knobs, node) = (&scene.knobs, machine.node);
    Options {
        seed,
        server_id: u8::try_from(node + 1).expect("there are few servers"),
        tick_ms: knobs.tick_ms,
        session_timeout_min_ms: knobs.session_timeout_min_ms,
        session_timeout_max_ms: knobs.session_timeout_max_ms,
        prep: PrepOptions {
            auth: AuthOptions {
                super_digest: Some(rights::SUPER.1.to_owned()),
                ..AuthOptions::default()
            },
            extended_types: knobs.extended_types,
            enforce_quota: false,
            reconfig: knobs.quorum.is_reconfigurable,
            digest: true,
            txn_size_max: knobs.txn_size_max,
        },
        outstanding_limit: knobs.outstanding_limit,
        output_soft_max: knobs.output_soft_max,
        output_hard_max: knobs.output_hard_max,
        sessionless_timeout_ms: 10_000,
        containers: ContainerOptions {
            check_interval_ms: knobs.reap_interval_ms,
            per_minute_max: 1_000_000,
            never_used_max_ms: knobs.never_used_max_ms,
        },
        snapshots: SnapshotOptions {
            snap_count: knobs.snap_count,
            size_limit_bytes: knobs.snap_size_bytes,
        },
        connect_tokens: TokenOptions { tokens: 0, fill_time_ms: 1, fill_count: 1 },
        ensemble: epochs.map(|epochs| ensemble_of(scene, seed, machine, epochs)),
    }
}

fn ensemble_of(
    scene: &Scene,
    seed: u64,
    machine: &Machine,
    epochs: &Epochs<MemDisk>,
) -> EnsembleOptions {
    let quorum = &scene.knobs.quorum;
    let always = scene.mutation == Some(Mutation::CountFirstVoters);
    let always = always.then(|| (0..quorum.voters).map(id_of).collect());
    let grammar: Arc<dyn Grammar> = Arc::new(Lines { always });
    let kept = machine.files.borrow().clone();
    let voters = (0..quorum.voters).map(id_of);
    let observers = (quorum.voters..quorum.nodes()).map(id_of);
    let (groups, weights) = (BTreeMap::<i64, BTreeSet<_>>::new(), BTreeMap::new());
    let text = text_of(quorum.voters, quorum.nodes());
    let first = Members::new(voters, observers, groups, weights, 0, text);
    EnsembleOptions {
        me: id_of(machine.node),
        members: kept.members.unwrap_or(first),
        proposed: kept.proposed,
        naming: kept.naming,
        fresh_id: EnsembleId(seed.into()),
        is_blank: false,
        may_found: quorum.is_guarded,
        current_epoch: epochs.current(),
        accepted_epoch: epochs.accepted(),
        init_limit: quorum.init_limit,
        sync_limit: quorum.sync_limit,
        election_interval_min_ms: quorum.election_interval_min_ms,
        election_interval_max_ms: quorum.election_interval_max_ms,
        commit_log_count: quorum.commit_log_count,
        commit_log_bytes: quorum.commit_log_bytes,
        log_permille: quorum.log_permille,
        force_snapshot_sync: quorum.force_snapshot_sync,
        leader_serves: true,
        read_only: false,
        local_sessions: false,
        local_upgrading: false,
        reconfig: quorum.is_reconfigurable.then_some(grammar),
    }
}

/// Where all clients come from.
pub(super) fn remote() -> IpAddr {
    rights::ADDRESS.parse().expect("it is an address")
}

/// How snapshots are packed: the packing has tests of its own.
pub(super) const COMPRESSION: Compression = Compression::Plain;
