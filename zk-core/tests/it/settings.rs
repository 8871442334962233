//! The settings of a server under test, by short names that scenarios use.

use zk_core::{
    AuthOptions, ContainerOptions, DatabaseOptions, Options, PrepOptions, SnapshotOptions,
    TokenOptions, digest,
};

/// What a scenario's `server` line may say.
#[derive(Debug)]
pub(crate) struct Settings {
    pub(crate) options: Options,
    /// Whether txns wait for `persisted`; if not, each is on disk at once and not shown.
    pub(crate) slow_disk: bool,
}

impl Settings {
    pub(crate) fn new() -> Self {
        let prep = PrepOptions {
            auth: AuthOptions {
                super_digest: Some(digest("super:test")),
                ..AuthOptions::default()
            },
            extended_types: false,
            enforce_quota: false,
            reconfig: false,
            digest: true,
            txn_size_max: 1 << 20,
        };
        let options = Options {
            seed: 1,
            server_id: 1,
            tick_ms: 1000,
            session_timeout_min_ms: 2000,
            session_timeout_max_ms: 20_000,
            prep,
            outstanding_limit: 1000,
            output_soft_max: 1 << 20,
            output_hard_max: 1 << 24,
            sessionless_timeout_ms: 10_000,
            containers: ContainerOptions {
                check_interval_ms: 60_000,
                per_minute_max: 10_000,
                never_used_max_ms: 0,
            },
            snapshots: SnapshotOptions { snap_count: 100_000, size_limit_bytes: None },
            connect_tokens: TokenOptions { tokens: 0, fill_time_ms: 1, fill_count: 1 },
            ensemble: None,
        };
        Self { options, slow_disk: false }
    }

    /// One word of a `server` line.
    pub(crate) fn set(&mut self, word: &str) {
        let (key, value) = word.split_once('=').unwrap_or((word, "yes"));
        let number = || value.parse::<u64>().unwrap_or_else(|_| panic!("{word}"));
        let size = || usize::try_from(number()).unwrap();
        let (options, is_yes) = (&mut self.options, value == "yes");
        match key {
            "slowDisk" => self.slow_disk = is_yes,
            "extendedTypesEnabled" => options.prep.extended_types = is_yes,
            "enforceQuota" => options.prep.enforce_quota = is_yes,
            "reconfigEnabled" => options.prep.reconfig = is_yes,
            "skipACL" => options.prep.auth.skip_acl = is_yes,
            "digestDisabled" => options.prep.auth.digest_disabled = is_yes,
            "enforceAuth" => options.prep.auth.enforced_schemes = vec![value.to_owned()],
            "txnSizeMax" => options.prep.txn_size_max = size(),
            "globalOutstandingLimit" => options.outstanding_limit = size(),
            "outputSoftMax" => options.output_soft_max = size(),
            "outputHardMax" => options.output_hard_max = size(),
            "snapCount" => options.snapshots.snap_count = number(),
            "snapSizeLimit" => options.snapshots.size_limit_bytes = Some(number()),
            "checkIntervalMs" => options.containers.check_interval_ms = number(),
            "maxPerMinute" => options.containers.per_minute_max = number(),
            "maxNeverUsedIntervalMs" => options.containers.never_used_max_ms = number(),
            "connectionThrottleTokens" => options.connect_tokens.tokens = number(),
            "connectionThrottleFillTime" => options.connect_tokens.fill_time_ms = number(),
            "minSessionTimeout" => options.session_timeout_min_ms = number(),
            "maxSessionTimeout" => options.session_timeout_max_ms = number(),
            _ => panic!("no such setting: {word}"),
        }
    }

    pub(crate) fn database(&self) -> DatabaseOptions {
        DatabaseOptions {
            seed: self.options.seed,
            extended_types: self.options.prep.extended_types,
            digest: true,
        }
    }
}
