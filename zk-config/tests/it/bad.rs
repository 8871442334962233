//! Texts that are refused, each with all messages and the exit code.

use expect_test::{Expect, expect};
use zk_config::Config;

use crate::{minimal, properties};

fn check(text: &str, expected: Expect) {
    check_with("", text, expected);
}

fn check_with(words: &str, text: &str, expected: Expect) {
    let errors = Config::parse("zoo.cfg", text.as_bytes(), &properties(words)).unwrap_err();
    expected.assert_eq(&format!("{errors}\nexit {}\n", errors.exit_code()));
}

/// The faults of `text` behind the two lines of a minimal configuration.
fn check_more(text: &str, expected: Expect) {
    check(&minimal(text), expected);
}

#[test]
fn a_data_dir_and_a_tick_are_required() {
    check(
        "clientPort=2181",
        expect![[r#"
        zoo.cfg: dataDir is not set; add a line such as dataDir=/var/lib/zookeeper
        exit 2
    "#]],
    );
    check(
        "dataDir=\ntickTime=0",
        expect![[r#"
        zoo.cfg:2: tickTime is not set; allowed: 1 to 2147483647 milliseconds, such as 2000
        zoo.cfg:1: dataDir is not set; add a line such as dataDir=/var/lib/zookeeper
        exit 2
    "#]],
    );
    check_more(
        "tickTime=-5",
        expect![[r#"
        zoo.cfg:3: tickTime=-5: minSessionTimeout must not be larger than maxSessionTimeout; allowed: 1 to 2147483647 milliseconds
        exit 2
    "#]],
    );
    check_more(
        "tickTime=0\nminSessionTimeout=4000",
        expect![[r#"
        zoo.cfg:3: tickTime is not set; allowed: 1 to 2147483647 milliseconds, such as 2000
        exit 2
    "#]],
    );
}

#[test]
fn a_number_is_a_number() {
    check(
        "dataDir=/d\nclientPort=abc",
        expect![[r#"
            zoo.cfg:2: clientPort: For input string: "abc"; allowed: a port from 0 to 65535
            exit 2
        "#]],
    );
    check(
        "dataDir=/d\nclientPort=",
        expect![[r#"
            zoo.cfg:2: clientPort: For input string: ""; allowed: a port from 0 to 65535
            exit 2
        "#]],
    );
    check_more(
        "tickTime=2000 # ms",
        expect![[r#"
        zoo.cfg:3: tickTime: For input string: "2000 # ms"; allowed: a whole decimal number of 32 bits
        exit 2
    "#]],
    );
    check_more(
        "maxClientCnxns=2147483648",
        expect![[r#"
        zoo.cfg:3: maxClientCnxns: For input string: "2147483648"; allowed: a whole decimal number of 32 bits
        exit 2
    "#]],
    );
    check_more(
        "jvm.pause.sleep.time.ms=x",
        expect![[r#"
        zoo.cfg:3: jvm.pause.sleep.time.ms: For input string: "x"; allowed: a whole decimal number of 64 bits
        exit 2
    "#]],
    );
    check_more(
        "cnxTimeout=5s",
        expect![[r#"
        zoo.cfg:3: cnxTimeout: For input string: "5s"; allowed: a whole decimal number of 32 bits
        exit 2
    "#]],
    );
    check_more(
        "connection_throttle_drop_increase=much",
        expect![[r#"
        zoo.cfg:3: connection_throttle_drop_increase: For input string: "much"; allowed: a decimal number
        exit 1
    "#]],
    );
}

#[test]
fn a_port_has_16_bits() {
    check(
        "dataDir=/d\nclientPort=99999",
        expect![[r#"
        zoo.cfg:2: clientPort: port out of range:99999; allowed: 0 to 65535
        exit 2
    "#]],
    );
    check_more(
        "secureClientPort=-1",
        expect![[r#"
        zoo.cfg:3: secureClientPort: port out of range:-1; allowed: 0 to 65535
        exit 2
    "#]],
    );
    check_more(
        "admin.serverPort=65536",
        expect![[r#"
        zoo.cfg:3: admin.serverPort: port out of range:65536; allowed: 0 to 65535
        exit 2
    "#]],
    );
    check_more(
        "observerMasterPort=65536",
        expect![[r#"
        zoo.cfg:3: observerMasterPort: port out of range:65536; allowed: 0 to 65535
        exit 2
    "#]],
    );
}

#[test]
fn a_strict_boolean_is_true_or_false() {
    check_more(
        "syncEnabled=yes",
        expect![[r#"
        zoo.cfg:3: Invalid option yes for syncEnabled. Choose 'true' or 'false.'
        exit 2
    "#]],
    );
    check_more(
        "jvm.pause.monitor=1",
        expect![[r#"
        zoo.cfg:3: Invalid option 1 for jvm.pause.monitor. Choose 'true' or 'false.'
        exit 2
    "#]],
    );
    check_more(
        "standaloneEnabled=",
        expect![[r#"
        zoo.cfg:3: Invalid option  for standaloneEnabled. Choose 'true' or 'false.'
        exit 2
    "#]],
    );
}

#[test]
fn session_timeouts_do_not_cross() {
    check_more(
        "tickTime=2000\nminSessionTimeout=90000",
        expect![[r#"
        zoo.cfg:4: minSessionTimeout: minSessionTimeout must not be larger than maxSessionTimeout; they are 90000 and 40000 ms, and by default 2 and 20 times tickTime
        exit 2
    "#]],
    );
    check_more(
        "maxSessionTimeout=1000",
        expect![[r#"
        zoo.cfg:3: maxSessionTimeout: minSessionTimeout must not be larger than maxSessionTimeout; they are 6000 and 1000 ms, and by default 2 and 20 times tickTime
        exit 2
    "#]],
    );
    check_more(
        "minSessionTimeout=2\nmaxSessionTimeout=1",
        expect![[r#"
        zoo.cfg:3: minSessionTimeout: minSessionTimeout must not be larger than maxSessionTimeout; they are 2 and 1 ms, and by default 2 and 20 times tickTime
        exit 2
    "#]],
    );
}

#[test]
fn an_address_needs_its_port() {
    check(
        "dataDir=/d\nclientPortAddress=127.0.0.1",
        expect![[r#"
        zoo.cfg:2: clientPortAddress is set but clientPort is not set; set clientPort or drop clientPortAddress=127.0.0.1
        exit 2
    "#]],
    );
    check_more(
        "secureClientPortAddress=::1",
        expect![[r#"
        zoo.cfg:3: secureClientPortAddress is set but secureClientPort is not set; set secureClientPort or drop secureClientPortAddress=::1
        exit 2
    "#]],
    );
}

#[test]
fn roles_and_election_algorithms_must_be_known() {
    check_more(
        "peerType=voter",
        expect![[r#"
        zoo.cfg:3: peerType: Unrecognised peertype: voter; allowed: participant, observer
        exit 2
    "#]],
    );
    check_more(
        "electionAlg=2",
        expect![[r#"
        zoo.cfg:3: electionAlg=2: Invalid electionAlg value. Only 3 is supported.
        exit 2
    "#]],
    );
}

#[test]
fn classes_must_be_known() {
    check_more(
        "metricsProvider.className=com.example.Metrics",
        expect![[r#"
        zoo.cfg:3: metricsProvider.className: metrics provider class was not found: com.example.Metrics; allowed: org.apache.zookeeper.metrics.impl.DefaultMetricsProvider, org.apache.zookeeper.metrics.impl.NullMetricsProvider, org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider
        exit 2
    "#]],
    );
    check_more(
        "serverCnxnFactory=com.example.Factory",
        expect![[r#"
        zoo.cfg:3: serverCnxnFactory: Couldn't instantiate com.example.Factory; allowed: org.apache.zookeeper.server.NIOServerCnxnFactory, org.apache.zookeeper.server.NettyServerCnxnFactory
        exit 1
    "#]],
    );
    check_more(
        "watchManagerName=WatchManager",
        expect![[r#"
        zoo.cfg:3: watchManagerName: Couldn't instantiate WatchManager; allowed: org.apache.zookeeper.server.watch.WatchManager, org.apache.zookeeper.server.watch.WatchManagerOptimized
        exit 1
    "#]],
    );
    check_more(
        "audit.enable=true\naudit.impl.class=com.example.Audit",
        expect![[r#"
        zoo.cfg:4: audit.impl.class: Couldn't instantiate com.example.Audit; allowed: org.apache.zookeeper.audit.Slf4jAuditLogger
        exit 1
    "#]],
    );
    check_more(
        "DigestAuthenticationProvider.digestAlg=CRC32",
        expect![[r#"
        zoo.cfg:3: DigestAuthenticationProvider.digestAlg: don't support this ACL digest algorithm: CRC32 in the current environment; allowed: SHA1, SHA-1, SHA
        exit 1
    "#]],
    );
}

#[test]
fn words_of_tls_settings_must_be_known() {
    check_more(
        "ssl.clientAuth=maybe",
        expect![[r#"
        zoo.cfg:3: ssl.clientAuth: "maybe" is none of the allowed: none, want, need
        exit 2
    "#]],
    );
    check_more(
        "ssl.quorum.trustStore.type=zip",
        expect![[r#"
        zoo.cfg:3: ssl.quorum.trustStore.type: "zip" is none of the allowed: JKS, PEM, PKCS12, BCFKS
        exit 2
    "#]],
    );
    check_more(
        "ssl.context.supplier.class=com.example.Tls",
        expect![[r#"
        zoo.cfg:3: ssl.context.supplier.class: com.example.Tls is a Java class and cannot be loaded; drop the key
        exit 2
    "#]],
    );
}

#[test]
fn sizes_that_stop_java_stop_this_server_too() {
    check_more(
        "intBufferStartingSizeBytes=31\nnio.numSelectorThreads=0",
        expect![[r#"
        zoo.cfg:3: intBufferStartingSizeBytes must be at least 32, was 31
        zoo.cfg:4: nio.numSelectorThreads must be at least 1, was 0
        exit 1
    "#]],
    );
}

#[test]
fn metrics_ports_count_with_prometheus_only() {
    let prometheus = "org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";
    check_more(
        &format!("metricsProvider.className={prometheus}\nmetricsProvider.httpPort=http"),
        expect![[r#"
            zoo.cfg:4: metricsProvider.httpPort: For input string: "http"; allowed: a port from 0 to 65535
            exit 2
        "#]],
    );
}

#[test]
fn quorum_sasl_switches_build_on_each_other() {
    check_more(
        "quorum.auth.learnerRequireSasl=true",
        expect![[r#"
        zoo.cfg:3: quorum.auth.enableSasl is disabled, so cannot enable quorum.auth.learnerRequireSasl; set quorum.auth.enableSasl=true first
        exit 2
    "#]],
    );
    check_more(
        "quorum.auth.serverRequireSasl=true\nquorum.auth.enableSasl=true",
        expect![[r#"
        zoo.cfg:3: quorum.auth.learnerRequireSasl is disabled, so cannot enable quorum.auth.serverRequireSasl; set quorum.auth.learnerRequireSasl=true first
        exit 2
    "#]],
    );
}

#[test]
fn authentication_that_nothing_provides_cannot_be_enforced() {
    check_more(
        "enforce.auth.enabled=true",
        expect![[r#"
        zoo.cfg:3: zookeeper.enforce.auth.enabled is true zookeeper.enforce.auth.schemes must be  configured.; set enforce.auth.schemes to a list such as digest
        exit 2
    "#]],
    );
    check_more(
        "enforce.auth.enabled=true\nenforce.auth.schemes=digest, foo",
        expect![[r#"
        zoo.cfg:4: enforce.auth.schemes: Authentication scheme foo is not available.; available: ip, digest, others need an authProvider.N
        exit 2
    "#]],
    );
    check_more(
        "sessionRequireClientSASLAuth=true",
        expect![[r#"
        zoo.cfg:3: sessionRequireClientSASLAuth: Authentication scheme sasl is not available.; available: ip, digest, others need an authProvider.N
        exit 2
    "#]],
    );
    check_more(
        "secureClientPort=2281\nssl.authProvider=foo",
        expect![[r#"
        zoo.cfg:4: No auth provider configured for the SSL authentication scheme 'foo'.; allowed: x509, or a scheme with an authProvider.N
        exit 2
    "#]],
    );
}

#[test]
fn unknown_keys_are_errors_in_strict_mode() {
    check_more(
        "config.strict=true\nautopurge.purgeInteval=12\nfooBar=1",
        expect![[r#"
        zoo.cfg:4: autopurge.purgeInteval is no known key; did you mean autopurge.purgeInterval?
        zoo.cfg:5: fooBar is no known key; drop it or set config.strict=false
        exit 2
    "#]],
    );
    check_with(
        "zookeeper.config.strict=true zookeeper.snapcount=1",
        &minimal(""),
        expect![[r#"
            -Dzookeeper.snapcount: zookeeper.snapcount is no known key; did you mean zookeeper.snapCount?
            exit 2
        "#]],
    );
}

#[test]
fn all_faults_are_found_at_once_and_the_gravest_exit_code_wins() {
    check(
        "clientPort=99999\ntickTime=fast\nsyncEnabled=yes\nserver.1=h:1\nserver.2=h:1:x\n\
         serverCnxnFactory=F\nx=\\u12",
        expect![[r#"
            zoo.cfg:7: x: Malformed \uxxxx encoding; allowed: \u and four hex digits, \\ for a backslash
            zoo.cfg:2: tickTime: For input string: "fast"; allowed: a whole decimal number of 32 bits
            zoo.cfg:6: serverCnxnFactory: Couldn't instantiate F; allowed: org.apache.zookeeper.server.NIOServerCnxnFactory, org.apache.zookeeper.server.NettyServerCnxnFactory
            zoo.cfg:1: clientPort: port out of range:99999; allowed: 0 to 65535
            zoo.cfg:3: Invalid option yes for syncEnabled. Choose 'true' or 'false.'
            zoo.cfg:4: server.1: h:1 does not have the form server_config or server_config;client_config where server_config is the pipe separated list of host:port:port or host:port:port:type and client_config is port or host:port
            zoo.cfg:5: server.2: Address unresolved: h:x; allowed: a port from 0 to 65535
            zoo.cfg: dataDir is not set; add a line such as dataDir=/var/lib/zookeeper
            exit 2
        "#]],
    );
    check_more(
        "serverCnxnFactory=F",
        expect![[r#"
        zoo.cfg:3: serverCnxnFactory: Couldn't instantiate F; allowed: org.apache.zookeeper.server.NIOServerCnxnFactory, org.apache.zookeeper.server.NettyServerCnxnFactory
        exit 1
    "#]],
    );
}

#[test]
fn what_is_printed_stays_on_its_line_and_keeps_secrets() {
    check_more(
        "syncEnabled=a\\nb\nssl.keyStore.password=geheim\\u12",
        expect![[r#"
        zoo.cfg:4: ssl.keyStore.password: Malformed \uxxxx encoding; allowed: \u and four hex digits, \\ for a backslash
        zoo.cfg:3: Invalid option a\nb for syncEnabled. Choose 'true' or 'false.'
        exit 2
    "#]],
    );
}

#[test]
fn system_properties_are_named_as_such() {
    check_with(
        "zookeeper.cnxTimeout=x",
        &minimal(""),
        expect![[r#"
        -Dzookeeper.cnxTimeout: cnxTimeout: For input string: "x"; allowed: a whole decimal number of 32 bits
        exit 2
    "#]],
    );
}
