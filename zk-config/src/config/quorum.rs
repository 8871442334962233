//! Settings of the ensemble: members, limits in ticks, election, quorum authentication.

use std::path::PathBuf;
use std::time::Duration;

use crate::ensemble::Ensemble;
use crate::error::Error;
use crate::reader::Reader;
use crate::server_spec::{Role, ServerId};

/// This server's place in the ensemble, and how the ensemble works.
#[derive(Debug, Clone, PartialEq)]
pub struct Quorum {
    /// The number in `myid`; `None` if the file was not looked for or does not exist.
    pub my_id: Option<ServerId>,
    /// The role of this server: of its own line, else `peerType`.
    pub peer_type: Role,
    /// The members, from the static file or from `dynamicConfigFile`.
    pub ensemble: Ensemble,
    /// The members of `<file>.dynamic.next`: proposed, and not yet committed when the server
    /// stopped.
    pub last_seen: Option<Ensemble>,
    /// `dynamicConfigFile`.
    pub dynamic_config_file: Option<PathBuf>,
    /// `initLimit`: ticks a learner has to connect and sync.
    pub init_limit: u32,
    /// `syncLimit`: ticks of silence after which a learner is dropped.
    pub sync_limit: u32,
    /// `connectToLearnerMasterLimit`: ticks a learner has to connect; `initLimit` if not set.
    pub connect_limit: u32,
    /// `standaloneEnabled`: one member runs without an ensemble.
    pub standalone_enabled: bool,
    /// `reconfigEnabled`: the reconfig operation, and writing the dynamic file.
    pub reconfig_enabled: bool,
    /// `autoJoin.enabled`: a server that does not vote has itself made a voter once it serves.
    pub auto_join: bool,
    /// `quorumListenOnAllIPs`: quorum and election ports are bound to all addresses.
    pub listen_on_all_ips: bool,
    /// `oraclePath`: decides whether one of two servers may lead alone.
    pub oracle_path: Option<PathBuf>,
    /// `multiAddress.*`.
    pub multi_address: MultiAddress,
    /// Election connections and waits.
    pub election: Election,
    /// What a leader does for its learners.
    pub leader: Leader,
    /// What observers do, and what followers do for them.
    pub observers: Observers,
    /// `leaderConnectDelayDuringRetryMs`: time between attempts to reach the leader.
    pub leader_connect_delay: Duration,
    /// `quorum.auth.*`.
    pub sasl: QuorumSasl,
}

/// Several addresses a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiAddress {
    /// `multiAddress.enabled`.
    pub enabled: bool,
    /// `multiAddress.reachabilityCheckEnabled`: addresses are probed before use.
    pub reachability_check_enabled: bool,
    /// `multiAddress.reachabilityCheckTimeoutMs`.
    pub reachability_check_timeout: Duration,
}

/// Election connections and waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Election {
    /// `cnxTimeout`: time to connect.
    pub connect_timeout: Duration,
    /// `quorumCnxnTimeoutMs`: time of silence that ends a connection; `syncLimit` if not set.
    pub read_timeout: Duration,
    /// `electionPortBindRetry`: attempts to bind the port; `None` is for ever.
    pub port_bind_attempts: Option<u32>,
    /// `tcpKeepAlive`: SO_KEEPALIVE.
    pub tcp_keep_alive: bool,
    /// `fastleader.minNotificationInterval`: the first wait for votes.
    pub min_notification_interval: Duration,
    /// `fastleader.maxNotificationInterval`: the longest wait for votes.
    pub max_notification_interval: Duration,
}

/// What a leader does for its learners.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leader {
    /// `leader.maxConcurrentSnapSyncs`: learners sent a snapshot at a time.
    pub max_concurrent_snap_syncs: Option<u32>,
    /// `leader.maxConcurrentDiffSyncs`: learners sent a diff at a time.
    pub max_concurrent_diff_syncs: Option<u32>,
    /// `leader.maxTimeToWaitForEpoch`: `None` is `initLimit`.
    pub max_time_to_wait_for_epoch: Option<Duration>,
    /// `forceSnapshotSync`: learners are always sent a snapshot.
    pub force_snapshot_sync: bool,
}

/// What observers do, and what followers do for them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observers {
    /// `syncEnabled`, `observer.syncEnabled`: an observer keeps a log and snapshots.
    pub sync_enabled: bool,
    /// `observer.reconnectDelayMs`: upper limit of the wait before a reconnect.
    pub reconnect_delay: Duration,
    /// `observer.election.DelayMs`: wait before an observer looks for a leader.
    pub election_delay: Duration,
    /// `observerMasterPort`: the port on which followers take observers.
    pub master_port: Option<u16>,
    /// `observerMaster.sizeLimit`: bytes of packets a follower keeps for them.
    pub master_size_limit_bytes: u32,
}

/// SASL between servers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuorumSasl {
    /// `quorum.auth.enableSasl`.
    pub enabled: bool,
    /// `quorum.auth.learnerRequireSasl`.
    pub learner_required: bool,
    /// `quorum.auth.serverRequireSasl`.
    pub server_required: bool,
    /// `quorum.auth.learner.saslLoginContext`.
    pub learner_login_context: String,
    /// `quorum.auth.server.saslLoginContext`.
    pub server_login_context: String,
    /// `quorum.auth.kerberos.servicePrincipal`.
    pub service_principal: String,
}

impl Quorum {
    /// Everything but who the members are.
    pub(super) fn read(r: &mut Reader, tick_time_ms: u32) -> Self {
        check_election_alg(r);
        let init_limit = ticks(r, "initLimit");
        let sync_limit = ticks(r, "syncLimit");
        let connect_limit = r.limit("connectToLearnerMasterLimit").unwrap_or(init_limit);
        let peer_type = r.text("peerType").parse().unwrap_or(Role::Participant);
        Self {
            my_id: None,
            peer_type,
            ensemble: Ensemble::default(),
            last_seen: None,
            dynamic_config_file: r.path("dynamicConfigFile"),
            init_limit,
            sync_limit,
            connect_limit,
            standalone_enabled: r.boolean("standaloneEnabled"),
            reconfig_enabled: r.boolean("reconfigEnabled"),
            auto_join: r.boolean("autoJoin.enabled"),
            listen_on_all_ips: r.boolean("quorumListenOnAllIPs"),
            oracle_path: r.path("oraclePath"),
            multi_address: MultiAddress {
                enabled: r.boolean("multiAddress.enabled"),
                reachability_check_enabled: r.boolean("multiAddress.reachabilityCheckEnabled"),
                reachability_check_timeout: r.millis("multiAddress.reachabilityCheckTimeoutMs"),
            },
            election: Election::read(r, Duration::from_millis(tick_time_ms.into()) * sync_limit),
            leader: Leader {
                max_concurrent_snap_syncs: r.limit("leader.maxConcurrentSnapSyncs"),
                max_concurrent_diff_syncs: r.limit("leader.maxConcurrentDiffSyncs"),
                max_time_to_wait_for_epoch: r
                    .millis_unless_negative("leader.maxTimeToWaitForEpoch"),
                force_snapshot_sync: r.boolean("forceSnapshotSync"),
            },
            observers: Observers::read(r),
            leader_connect_delay: r.millis("leaderConnectDelayDuringRetryMs"),
            sasl: QuorumSasl::read(r),
        }
    }
}

fn ticks(r: &mut Reader, key: &'static str) -> u32 {
    if r.int(key) < 0 {
        r.odd(key, "a negative number of ticks is over at once");
    }
    r.count(key)
}

fn check_election_alg(r: &mut Reader) {
    let value = r.int("electionAlg");
    if value != 3 {
        r.refuse(Error::ElectionAlg { at: r.origin("electionAlg"), value });
    }
}

impl Election {
    fn read(r: &mut Reader, sync_limit: Duration) -> Self {
        let attempts =
            r.at_least_or_default("electionPortBindRetry", 0, "0 is for ever, less is nothing");
        Self {
            connect_timeout: r.millis("cnxTimeout"),
            read_timeout: r.millis_unless_negative("quorumCnxnTimeoutMs").unwrap_or(sync_limit),
            port_bind_attempts: Some(attempts).filter(|attempts| *attempts > 0),
            tcp_keep_alive: r.boolean("tcpKeepAlive"),
            min_notification_interval: r.millis("fastleader.minNotificationInterval"),
            max_notification_interval: r.millis("fastleader.maxNotificationInterval"),
        }
    }
}

impl Observers {
    fn read(r: &mut Reader) -> Self {
        let sync_enabled = r.boolean("syncEnabled");
        Self {
            sync_enabled: r.boolean_if_set("observer.syncEnabled").unwrap_or(sync_enabled),
            reconnect_delay: r.millis("observer.reconnectDelayMs"),
            election_delay: r.millis("observer.election.DelayMs"),
            master_port: master_port(r),
            master_size_limit_bytes: r.count("observerMaster.sizeLimit"),
        }
    }
}

fn master_port(r: &mut Reader) -> Option<u16> {
    let key = "observerMasterPort";
    let port = r.limit(key)?;
    let checked = u16::try_from(port);
    if checked.is_err() {
        let (at, key, value) = (r.origin(key), key.to_owned(), port.into());
        r.refuse(Error::PortOutOfRange { at, key, value });
    }
    checked.ok()
}

impl QuorumSasl {
    fn read(r: &mut Reader) -> Self {
        let enabled = "quorum.auth.enableSasl";
        let learner = "quorum.auth.learnerRequireSasl";
        let server = "quorum.auth.serverRequireSasl";
        for (key, needed) in [(learner, enabled), (server, enabled), (server, learner)] {
            if r.boolean(key) && !r.boolean(needed) {
                r.refuse(Error::QuorumSasl { at: r.origin(key), key, needed });
            }
        }
        Self {
            enabled: r.boolean(enabled),
            learner_required: r.boolean(learner),
            server_required: r.boolean(server),
            learner_login_context: r.text("quorum.auth.learner.saslLoginContext"),
            server_login_context: r.text("quorum.auth.server.saslLoginContext"),
            service_principal: r.text("quorum.auth.kerberos.servicePrincipal"),
        }
    }
}
