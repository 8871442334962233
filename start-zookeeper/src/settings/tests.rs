//! Every rule for the flags' values, one line a case.

use clap::Parser;

use super::*;

fn check(line: &str) -> Result<Settings, Vec<String>> {
    let words = ["start-zookeeper"].into_iter().chain(line.split_whitespace());
    let flags = Flags::try_parse_from(words).expect("well formed");
    let (settings, problems) = Settings::check(&flags);
    let problems: Vec<_> = problems.iter().map(Problem::to_string).collect();
    if problems.is_empty() { Ok(settings) } else { Err(problems) }
}

fn refused(line: &str, expected: &str) {
    let problems = check(line).expect_err(line);
    assert_eq!(problems, [expected], "{line}");
}

#[test]
fn without_flags_the_old_scripts_real_defaults_count() {
    let settings = check("").expect("defaults make sense");
    assert_eq!((settings.servers, settings.observers, settings.members()), (1, 0, 1));
    assert_eq!(settings.data_dir, PathBuf::from("/var/lib/zookeeper/data"));
    assert_eq!(settings.data_log_dir, PathBuf::from("/var/lib/zookeeper/log"));
    assert_eq!(settings.conf_dir, PathBuf::from("/opt/zookeeper/conf"));
    let ports = [settings.client_port, settings.election_port, settings.server_port];
    assert_eq!(ports, [2181, 3888, 2888]);
    assert_eq!((settings.tick_time, settings.init_limit, settings.sync_limit), (2000, 10, 5));
    assert_eq!((settings.min_session_timeout, settings.max_session_timeout), (4000, 40_000));
    assert_eq!((settings.snap_retain_count, settings.purge_interval), (3, 0));
    assert_eq!(settings.max_client_cnxns, 60);
    assert_eq!((settings.log_level, settings.dns_wait), (LogLevel::Info, Duration::ZERO));
}

#[test]
fn session_timeouts_follow_the_tick() {
    let settings = check("--tick_time=3000 --max_session_timeout=50000").expect("good");
    assert_eq!((settings.min_session_timeout, settings.max_session_timeout), (6000, 50_000));
}

#[test]
fn a_number_has_a_range() {
    let cases = [
        ("servers", "1 to 255", &["0", "256", "abc", "", "-3", "+3", "3.0", "0x3", " 3"][..]),
        ("observers", "0 to 254", &["255", "x"]),
        ("client_port", "1 to 65535", &["0", "65536", "-1"]),
        ("election_port", "1 to 65535", &["0", "x"]),
        ("server_port", "1 to 65535", &["0", "x"]),
        ("tick_time", "1 to 107374182", &["0", "107374183", "abc"]),
        ("init_limit", "1 to 2147483647", &["0", "2147483648"]),
        ("sync_limit", "1 to 2147483647", &["0", "99999999999999999999"]),
        ("max_client_cnxns", "0 to 2147483647", &["-1"]),
        ("min_session_timeout", "1 to 2147483647", &["0"]),
        ("max_session_timeout", "1 to 2147483647", &["0"]),
        ("snap_retain_count", "0 to 2147483647", &["x"]),
        ("purge_interval", "0 to 2147483647", &["12h"]),
        ("ordinal", "0 to 254", &["255", "zk-0"]),
        ("dns_wait", "0 to 3600", &["3601", "5s"]),
    ];
    for (flag, range, values) in cases {
        for value in values {
            let arguments = ["start-zookeeper".to_owned(), format!("--{flag}={value}")];
            let flags = Flags::try_parse_from(arguments).expect("well formed");
            let (_, problems) = Settings::check(&flags);
            let problems: Vec<_> = problems.iter().map(Problem::to_string).collect();
            let expected = format!("--{flag}={value}: give a whole number from {range}");
            assert_eq!(problems, [expected]);
        }
    }
}

#[test]
fn values_that_do_not_go_together_are_refused() {
    refused(
        "--client_port=2888",
        "--client_port and --server_port are both 2888: give different ports",
    );
    refused(
        "--election_port=2888",
        "--election_port and --server_port are both 2888: give different ports",
    );
    refused(
        "--min_session_timeout=50000",
        "--min_session_timeout=50000 is larger than --max_session_timeout=40000",
    );
    refused(
        "--servers=200 --observers=56",
        "--servers and --observers make 256 members: 255 are possible",
    );
    refused(
        "--observers=2",
        "--observers=2 with --servers=1: observers need an ensemble, give --servers=3",
    );
}

#[test]
fn every_problem_is_told_at_once() {
    let line = "--servers=0 --tick_time=x --client_port=3888 --heap=big --log_level=LOUD \
                --data_dir= --domain=a..b --name=a.b --client_addr=a/b --set=x --dns_wait=x";
    assert_eq!(check(line).expect_err("nothing of it is right").len(), 11);
}

#[test]
fn a_heap_is_a_size() {
    for heap in ["2G", "512M", "512m", "1000000k", "1073741824"] {
        check(&format!("--heap={heap}")).expect(heap);
    }
    for heap in ["", "0", "0G", "G", "2T", "2GB", "-2G", "2.5G", "99999999999999999999999"] {
        let expected =
            format!("--heap={heap}: give a size such as 512M or 2G, though it is not needed");
        refused(&format!("--heap={heap}"), &expected);
    }
}

#[test]
fn a_log_level_has_any_case_and_fatal_is_error() {
    for (text, level) in [
        ("debug", LogLevel::Debug),
        ("Info", LogLevel::Info),
        ("TRACE", LogLevel::Trace),
        ("warn", LogLevel::Warn),
        ("ERROR", LogLevel::Error),
        ("fatal", LogLevel::Error),
    ] {
        let settings = check(&format!("--log_level={text}")).expect(text);
        assert_eq!(settings.log_level, level, "{text}");
    }
    refused("--log_level=LOUD", "--log_level=LOUD: give TRACE, DEBUG, INFO, WARN, ERROR or FATAL");
}

#[test]
fn a_folder_is_absolute_and_fits_into_a_line() {
    let settings = check("--data_dir=data --conf_dir=/c//d/.").expect("good");
    assert!(settings.data_dir.is_absolute() && settings.data_dir.ends_with("data"));
    assert_eq!(settings.conf_dir, PathBuf::from("/c/d"));
    for (folder, fault) in [
        ("", "is empty"),
        ("/a\nb", "has a control character"),
        (" /a", "begins or ends with a blank"),
        ("/a ", "begins or ends with a blank"),
    ] {
        let flag = format!("--data_log_dir={folder}");
        let flags = Flags::try_parse_from(["start-zookeeper", &flag]).expect("well formed");
        let (_, problems) = Settings::check(&flags);
        let expected =
            format!("--data_log_dir={} {fault}: give an absolute path", folder.escape_debug());
        assert_eq!(problems.iter().map(Problem::to_string).collect::<Vec<_>>(), [expected]);
    }
}

#[test]
fn names_and_addresses_are_those_of_the_network() {
    for good in [
        "--domain=zk-hs.default.svc.cluster.local",
        "--domain=a_b.example.org.",
        "--domain=",
        "--name=zk-my",
        "--client_addr=10.0.0.1",
        "--client_addr=::1",
        "--client_addr=[::1]",
        "--client_addr=zk-0.example.org",
    ] {
        check(good).expect(good);
    }
    for bad in [
        "--domain=.a",
        "--domain=a..b",
        "--domain=a/b",
        "--name=",
        "--name=a.b",
        "--name=a:b",
        "--client_addr=",
        "--client_addr=10.0.0.1:2181",
    ] {
        assert_eq!(check(bad).expect_err(bad).len(), 1, "{bad}");
    }
    let settings = check("--domain=a.org. --client_addr=[::1]").expect("good");
    assert_eq!(settings.domain.as_deref(), Some("a.org"));
    assert_eq!(settings.client_addr.as_deref(), Some("::1"));
}

#[test]
fn a_setting_is_a_key_and_a_value() {
    let settings = check("--set=a=1 --set b.c=d=e --set 4lw.commands.whitelist=").expect("good");
    let pair = |key: &str, value: &str| (key.to_owned(), value.to_owned());
    assert_eq!(
        settings.set,
        [pair("a", "1"), pair("b.c", "d=e"), pair("4lw.commands.whitelist", "")]
    );
    for (text, shown) in [("a", "a"), ("=b", "=..."), ("a:b=c", "a:b=..."), ("#a=b", "#a=...")] {
        let expected = format!("--set={shown}: give key=value, such as snapCount=100000");
        refused(&format!("--set={text}"), &expected);
    }
}
