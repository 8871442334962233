//! Texts that are taken: the values they make, and the warnings.

use std::path::Path;
use std::time::Duration;

use expect_test::{Expect, expect};
use zk_config::config::{LogFormat, LogLevel, Metrics, Provider, StoreForm};
use zk_config::{Config, Mode};

use crate::{minimal, parsed, properties, remarks};

/// A value of the configuration that `text` makes behind the two minimal lines, printed.
fn check<T: std::fmt::Debug>(text: &str, value: impl Fn(Config) -> T, expected: &str) {
    let config = parsed(&minimal(text)).config;
    assert_eq!(format!("{:?}", value(config)), expected, "{text}");
}

/// The remarks on `text`.
fn check_remarks(text: &str, expected: Expect) {
    expected.assert_eq(&remarks(&parsed(text)));
}

#[test]
fn a_minimal_file_has_javas_defaults() {
    let Config { mode, tick_time_ms, sessions, limits, storage, admin, .. } =
        parsed(&minimal("")).config;
    assert_eq!(mode, Mode::Standalone);
    assert_eq!(
        (tick_time_ms, sessions.min_timeout_ms, sessions.max_timeout_ms),
        (3000, 6000, 60000)
    );
    assert_eq!(limits.max_client_cnxns, Some(60));
    assert_eq!(limits.jute_maxbuffer, 1_048_575);
    assert_eq!(storage.data_log_dir, Path::new("/d"));
    assert_eq!(storage.snap_count, 100_000);
    assert_eq!(storage.snap_size_limit_bytes, Some(4 << 30));
    assert_eq!(storage.log.pre_alloc_bytes, Some(64 << 20));
    assert_eq!(storage.purge_interval, None);
    assert_eq!((admin.enabled, admin.port), (true, 8080));
    check_remarks(&minimal(""), expect![[""]]);
}

#[test]
fn the_embedded_default_is_a_standalone_server() {
    let config = Config::embedded_default(Path::new("./data"));
    assert_eq!((config.mode, config.clients.port), (Mode::Standalone, Some(2181)));
    assert_eq!(config.storage.data_dir, Path::new("./data"));
    assert_eq!(config.initial_configuration, None);
    let config = Config::embedded_default(Path::new(""));
    assert_eq!(config.storage.data_dir, Path::new("."));
}

#[test]
fn limits_of_none_are_spelled_in_several_ways() {
    check("maxClientCnxns=0", |c| c.limits.max_client_cnxns, "None");
    check("maxClientCnxns=-1", |c| c.limits.max_client_cnxns, "None");
    check("maxCnxns=-5", |c| c.limits.max_cnxns, "None");
    check("snapSizeLimitInKb=0", |c| c.storage.snap_size_limit_bytes, "None");
    check("preAllocSize=0", |c| c.storage.log.pre_alloc_bytes, "None");
    check("txnLogSizeLimitInKb=2", |c| c.storage.log.size_limit_bytes, "Some(2048)");
    check("maxBatchSize=0", |c| c.storage.log.max_batch_size, "None");
    check("autopurge.purgeInterval=-1", |c| c.storage.purge_interval, "None");
    check("autopurge.purgeInterval=12", |c| c.storage.purge_interval, "Some(43200s)");
    check("clientPortListenBacklog=-1", |c| c.clients.listen_backlog, "None");
    check("electionPortBindRetry=0", |c| c.quorum.election.port_bind_attempts, "None");
    check("electionPortBindRetry=-7", |c| c.quorum.election.port_bind_attempts, "Some(3)");
    check("largeRequestThreshold=0", |c| c.limits.large_request_threshold, "None");
    check("snapshotSizeFactor=-1", |c| c.storage.snapshot_size_factor, "None");
    check(
        "preAllocSize=9223372036854775807",
        |c| c.storage.log.pre_alloc_bytes,
        "Some(18446744073709551615)",
    );
}

#[test]
fn values_derive_from_others() {
    check("tickTime=2000", |c| c.sessions.max_timeout_ms, "40000");
    check("tickTime=2147483647", |c| c.sessions.max_timeout_ms, "4294967295");
    check("minSessionTimeout=-5", |c| c.sessions.min_timeout_ms, "0");
    check("jute.maxbuffer=2000", |c| c.limits.jute_maxbuffer_extrasize, "2000");
    check("jute.maxbuffer.extrasize=5000", |c| c.limits.jute_maxbuffer_extrasize, "5000");
    check("flushDelay=30", |c| c.storage.log.write_queue_poll_time, "10ms");
    check("tickTime=2000\nsyncLimit=5", |c| c.quorum.election.read_timeout, "10s");
    check("initLimit=7", |c| c.quorum.connect_limit, "7");
    check(
        "syncEnabled=true\nobserver.syncEnabled=false",
        |c| c.quorum.observers.sync_enabled,
        "false",
    );
    check("ssl.protocol=TLSv1.2", |c| c.tls.client.enabled_protocols, "[\"TLSv1.2\"]");
    check("", |c| c.tls.quorum.enabled_protocols, "[\"TLSv1.3\", \"TLSv1.2\"]");
    check("ssl.keyStore.location=/a/b.p12", |c| c.tls.client.key_store.form, "Some(Pkcs12)");
    let form = parsed(&minimal("ssl.quorum.trustStore.location=/a/b.PEM")).config.tls.quorum;
    assert_eq!(form.trust_store.form, None::<StoreForm>);
}

#[test]
fn special_booleans_have_their_own_words() {
    check("forceSync=off", |c| c.storage.log.force_sync, "true");
    check("forceSync=no", |c| c.storage.log.force_sync, "false");
    check("skipACL=true", |c| c.processing.skip_acl, "false");
    check("skipACL=yes", |c| c.processing.skip_acl, "true");
    check("admin.enableServer=False", |c| c.admin.enabled, "true");
    check("admin.enableServer=false", |c| c.admin.enabled, "false");
    check("digest.enabled=yes", |c| c.storage.digest_enabled, "false");
    check("leaderServes=No", |c| c.processing.leader_serves, "true");
}

#[test]
fn four_letter_words_always_have_srvr() {
    let allows = |text: &str| {
        let words = parsed(&minimal(text)).config.clients.four_letter_words;
        ["srvr", "ruok", "isro"].map(|word| words.allows(word))
    };
    assert_eq!(allows(""), [true, false, false]);
    assert_eq!(allows("4lw.commands.whitelist=ruok , foo"), [true, true, false]);
    assert_eq!(allows("4lw.commands.whitelist=foo, *, ruok"), [true, true, true]);
    assert_eq!(allows("readonlymode.enabled=true"), [true, false, true]);
}

#[test]
fn metrics_and_logging_are_chosen_by_name() {
    let prometheus = "metricsProvider.className=\
                      org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";
    let expected = "Prometheus { port: 7000, address: \"0.0.0.0\", export_process_info: true }";
    check(prometheus, |c| c.metrics, expected);
    check("metricsProvider.httpPort=no port", |c| c.metrics, "Default");
    let null = "metricsProvider.className=org.apache.zookeeper.metrics.impl.NullMetricsProvider";
    assert_eq!(parsed(&minimal(null)).config.metrics, Metrics::Null);
    let logging = parsed(&minimal("console.threshold=fatal\nlog.format=json")).config.logging;
    assert_eq!((logging.level, logging.format), (LogLevel::Error, LogFormat::Json));
}

#[test]
fn authentication_is_put_together_from_several_keys() {
    let auth = parsed(&minimal(
        "authProvider.1=org.apache.zookeeper.server.auth.SASLAuthenticationProvider\n\
         authProvider.ip=org.apache.zookeeper.server.auth.IPAuthenticationProvider\n\
         authProvider.x=com.example.Provider\nsessionRequireClientSASLAuth=true\n\
         DigestAuthenticationProvider.superDigest=super:abc=\nsuperUser=a\nsuperUser.1=b",
    ))
    .config
    .auth;
    assert_eq!(auth.providers, [Provider::Sasl, Provider::Ip]);
    assert_eq!(auth.enforced_schemes, ["sasl"]);
    assert_eq!(auth.super_users, ["a", "b"]);
    let digest = auth.super_digest.unwrap();
    assert_eq!((digest.reveal(), format!("{digest:?}").as_str()), ("super:abc=", "***"));
    check("enforce.auth.schemes=digest", |c| c.auth.enforced_schemes, "[]");
}

#[test]
fn throttles_are_read() {
    check("throttled_op_wait_time=20", |c| c.throttle.throttled_op_wait, "Some(20ms)");
    check("request_throttle_max_requests=9", |c| c.throttle.requests.max_requests, "Some(9)");
    check("connection_throttle_freeze_time=0", |c| c.throttle.connections.freeze_time, "Some(0ns)");
    check("", |c| c.throttle.connections.drop_increase, "0.02");
    check("", |c| c.throttle.connections.weights, "None");
    check(
        "connection_throttle_weight_enabled=true\nconnection_throttle_local_session_weight=4\n\
         connection_throttle_renew_session_weight=0",
        |c| c.throttle.connections.weights,
        "Some(SessionWeights { global: 4, local: 4, renew: 4 })",
    );
}

#[test]
fn the_file_beats_system_properties_and_the_prefix_beats_none() {
    let value = |words, text: &str| {
        let text = minimal(text);
        Config::parse("zoo.cfg", text.as_bytes(), &properties(words)).unwrap().config
    };
    let threshold = |words, text| value(words, text).storage.log.fsync_warning_threshold;
    let millis = Duration::from_millis;
    assert_eq!(threshold("fsync.warningthresholdms=1", ""), millis(1));
    let both = "zookeeper.fsync.warningthresholdms=2 fsync.warningthresholdms=1";
    assert_eq!(threshold(both, ""), millis(2));
    assert_eq!(threshold(both, "fsync.warningthresholdms=3"), millis(3));
    assert_eq!(value("jute.maxbuffer=99", "").limits.jute_maxbuffer, 99);
    assert_eq!(value("jute.maxbuffer=99", "jute.maxbuffer=98").limits.jute_maxbuffer, 98);
    assert_eq!(value("snapCount=5", "").storage.snap_count, 100_000);
}

#[test]
fn properties_are_kept_as_java_would() {
    let text = minimal("snapCount=0x10\nfooBar=1\njute.maxbuffer=2\nmetricsProvider.x=y");
    let words = properties("zookeeper.snapCount=7 java.home=/j");
    let config = Config::parse("zoo.cfg", text.as_bytes(), &words).unwrap().config;
    let kept: Vec<_> = config.properties.iter().map(|(k, v)| format!("{k}={v}")).collect();
    assert_eq!(
        kept,
        ["java.home=/j", "jute.maxbuffer=2", "zookeeper.fooBar=1", "zookeeper.snapCount=0x10"]
    );
    assert_eq!(config.initial_configuration.as_deref(), Some(text.as_str()));
}

#[test]
fn every_key_without_effect_is_remarked_on() {
    check_remarks(
        "dataDir=d\nclientPort=0\nautopurge.purgeInteval=12\nsnapcount=5\ntick_time=1\nfooBar=1\n\
         zookeeper.snapCount=1\nsever.1=a:1:2\nmetricsProvider.httpport=1\nsslQuorum=true\n\
         portUnification=false\nrequestThrottleLimit=4\nrequest_throttle_stall_time=100\n\
         nio.numWorkerThreads=4\ntickTime=1\ntickTime=2",
        expect![[r#"
            zoo.cfg:1: dataDir: d is relative. Prepend ./ to indicate that you're sure!
            zoo.cfg:2: clientPort: "0": the system chooses a port that no client knows
            zoo.cfg:3: autopurge.purgeInteval: unknown key, no effect; did you mean autopurge.purgeInterval?
            zoo.cfg:4: snapcount: unknown key, no effect; did you mean snapCount?
            zoo.cfg:5: tick_time: unknown key, no effect; did you mean tickTime?
            zoo.cfg:6: fooBar: unknown key, no effect
            zoo.cfg:7: zookeeper.snapCount: unknown key, no effect; did you mean snapCount?
            zoo.cfg:8: sever.1: unknown key, no effect; did you mean server.1?
            zoo.cfg:9: metricsProvider.httpport: unknown key, no effect; did you mean metricsProvider.httpPort?
            zoo.cfg:10: sslQuorum: known to Java, not supported yet
            zoo.cfg:10: sslQuorum: "true": ssl.quorum.keyStore.location is not set, handshakes will fail
            zoo.cfg:12: requestThrottleLimit: documentation name, taken as request_throttle_max_requests; Java ignores it, write request_throttle_max_requests
            zoo.cfg:12: requestThrottleLimit: known to Java, not supported yet
            note: zoo.cfg:14: nio.numWorkerThreads: no effect in this server
            note: zoo.cfg:15: tickTime: set again at zoo.cfg:16, which counts
        "#]],
    );
}

#[test]
fn every_value_that_is_not_taken_as_written_is_remarked_on() {
    check_remarks(
        &minimal(
            "snapCount=lots\nautopurge.snapRetainCount=1\ncommitLogCount=7\nmaxClientCnxns=-1\n\
             maxCnxns=-1\ndigest.enabled=yes\nskipACL=true\nsnapshot.compression.method=zip\n\
             initLimit=-1\n4lw.commands.whitelist=\nauthProvider.1=com.example.P\n\
             jute.maxbuffer=0\nsnapshotSizeFactor=2\nlargeRequestMaxBytes=0\nsslQuorum=true\n\
             ssl.handshakeDetectionTimeoutMillis=0\nelectionPortBindRetry=-1\nlog.format=xml\n\
             admin.serverPort=http",
        ),
        expect![[r#"
            zoo.cfg:3: snapCount: cannot read "lots", using 100000
            zoo.cfg:4: autopurge.snapRetainCount: 1 becomes 3: the least that is kept
            zoo.cfg:5: commitLogCount: 7 becomes 500: the least that is kept
            zoo.cfg:6: maxClientCnxns: "-1": a negative number is unlimited; write 0
            zoo.cfg:7: maxCnxns: -1 becomes 0: 0 is unlimited
            zoo.cfg:8: digest.enabled: "yes" means false here, as in Java; write false to say so
            zoo.cfg:9: skipACL: "true" means false here, as in Java; write false to say so
            zoo.cfg:10: snapshot.compression.method: cannot read "zip", using none
            zoo.cfg:11: initLimit: "-1": a negative number of ticks is over at once
            zoo.cfg:12: 4lw.commands.whitelist: "": only srvr will be answered
            zoo.cfg:13: authProvider.1: Problems loading com.example.P, no such authentication provider
            zoo.cfg:14: jute.maxbuffer: 0 becomes 1048575: no packet would fit
            zoo.cfg:15: snapshotSizeFactor: 2 becomes 0.33: at most the size of the snapshot
            zoo.cfg:16: largeRequestMaxBytes: known to Java, not supported yet
            zoo.cfg:16: largeRequestMaxBytes: 0 becomes 104857600: no large request would fit
            zoo.cfg:17: sslQuorum: known to Java, not supported yet
            zoo.cfg:17: sslQuorum: "true": ssl.quorum.keyStore.location is not set, handshakes will fail
            zoo.cfg:18: ssl.handshakeDetectionTimeoutMillis: known to Java, not supported yet
            zoo.cfg:18: ssl.handshakeDetectionTimeoutMillis: 0 becomes 5000: there must be time for a first byte
            zoo.cfg:19: electionPortBindRetry: -1 becomes 3: 0 is for ever, less is nothing
            zoo.cfg:20: log.format: cannot read "xml", using human
            zoo.cfg:21: admin.serverPort: cannot read "http", using 8080
        "#]],
    );
}

#[test]
fn system_properties_are_remarked_on_too() {
    let words = "zookeeper.tickTime=1 zookeeper.snapcount=2 zookeeper.jute.maxbuffer=3 user=me";
    let parsed = Config::parse("zoo.cfg", minimal("").as_bytes(), &properties(words)).unwrap();
    expect![[r#"
        -Dzookeeper.jute.maxbuffer: zookeeper.jute.maxbuffer: unknown key, no effect; did you mean jute.maxbuffer?
        -Dzookeeper.snapcount: zookeeper.snapcount: unknown key, no effect; did you mean zookeeper.snapCount?
        -Dzookeeper.tickTime: zookeeper.tickTime: ignored, it is no system property; set it in the configuration file
    "#]].assert_eq(&remarks(&parsed));
}

#[test]
fn a_server_without_a_client_port_is_taken_with_a_warning() {
    check_remarks(
        "dataDir=/d",
        expect![[r#"
        zoo.cfg: clientPort: clientPort is not set, no client can connect
    "#]],
    );
}

#[test]
fn the_manuals_names_stand_behind_the_real_ones() {
    let limit = |text| parsed(&minimal(text)).config.throttle.requests.max_requests;
    assert_eq!(limit("requestThrottleLimit=4"), Some(4));
    assert_eq!(limit("requestThrottleLimit=4\nrequest_throttle_max_requests=5"), Some(5));
    assert_eq!(limit("request_throttle_max_requests=5\nrequestThrottleLimit=4"), Some(5));
    assert_eq!(limit("requestThrottleLimit=4\nrequestThrottleLimit=6"), Some(6));
}

#[test]
fn effective_values_show_what_counts_and_hide_secrets() {
    let text = minimal(
        "autopurge.snapRetainCount=1\nssl.keyStore.password=geheim\nsnapCount=lots\n\
         DigestAuthenticationProvider.superDigest=super:geheim\nserver.1=a:1:2;2181",
    );
    let config = parsed(&text).config;
    let line = |key: &str| {
        let line = config.effective().into_iter().find(|line| line.key == key);
        line.map(|line| format!("{}{}", line.value, if line.from_default { " *" } else { "" }))
    };
    let expected = [
        ("autopurge.snapRetainCount", Some("3")),
        ("ssl.keyStore.password", Some("***")),
        ("DigestAuthenticationProvider.superDigest", Some("***")),
        ("snapCount", Some("100000")),
        ("minSessionTimeout", Some("6000 *")),
        ("dataLogDir", Some("/d *")),
        ("server.1", Some("a:1:2:participant;0.0.0.0:2181")),
        ("clientPortAddress", None),
        ("metricsProvider.httpPort", None),
        ("nio.shutdownTimeout", None),
    ];
    for (key, value) in expected {
        assert_eq!(line(key).as_deref(), value, "{key}");
    }
    assert!(!format!("{config:?}").contains("geheim"));
}
