//! Who this host is, from every mixture of flags and of what the host says.

use std::path::Path;

use clap::Parser;
use expect_test::{Expect, expect};

use super::*;
use crate::flags::Flags;

/// Hosts file and resolv.conf of a pod of the StatefulSet zk.
const POD_HOSTS: &str =
    "127.0.0.1 localhost\n10.1.0.7\tzk-0.zk-hs.default.svc.cluster.local\tzk-0\n";
const POD_RESOLV_CONF: &str = "search default.svc.cluster.local svc.cluster.local\n";

fn settings(line: &str) -> Settings {
    let words = ["start-zookeeper"].into_iter().chain(line.split_whitespace());
    let (settings, problems) = Settings::check(&Flags::try_parse_from(words).expect("well formed"));
    assert!(problems.is_empty(), "{line}: {problems:?}");
    settings
}

fn host(hostname: &str, hosts: &str, resolv_conf: &str) -> Host {
    Host {
        hostname: hostname.to_owned(),
        is_given: false,
        hosts: (PathBuf::from("/etc/hosts"), hosts.to_owned()),
        resolv_conf: (PathBuf::from("/etc/resolv.conf"), resolv_conf.to_owned()),
    }
}

fn check_host(line: &str, host: &Host, expected: &Expect) {
    let mut text = String::new();
    match Place::derive(&settings(line), host, None) {
        Ok(place) => {
            text += &format!("server {} ({})\n", place.id, place.who);
            if let Some(Ensemble { name, ordinal, domain, members, .. }) = &place.ensemble {
                text += &format!("name {name}, ordinal {ordinal}, domain {domain}\n");
                for Member { id, host, observer, .. } in members {
                    text += &format!("{id} {host}{}\n", if *observer { " observer" } else { "" });
                }
            }
            for caution in &place.cautions {
                text += &format!("caution: {caution}\n");
            }
        }
        Err(problems) => {
            for problem in problems {
                text += &format!("problem: {problem}\n");
            }
        }
    }
    expected.assert_eq(&text);
}

fn check(line: &str, hostname: &str, expected: Expect) {
    check_host(line, &host(hostname, "", ""), &expected);
}

#[test]
fn a_pod_finds_its_domain_in_the_hosts_file() {
    let expected = expect![[r#"
        server 1 (zk-0)
        name zk (from host name zk-0), ordinal 0 (from host name zk-0), domain zk-hs.default.svc.cluster.local (from /etc/hosts)
        1 zk-0.zk-hs.default.svc.cluster.local
        2 zk-1.zk-hs.default.svc.cluster.local
        3 zk-2.zk-hs.default.svc.cluster.local
    "#]];
    check_host("--servers=3", &host("zk-0", POD_HOSTS, POD_RESOLV_CONF), &expected);
}

#[test]
fn a_full_host_name_goes_before_the_hosts_file_and_a_flag_before_both() {
    let full = host("zk-0.own.example.org", POD_HOSTS, POD_RESOLV_CONF);
    check_host(
        "--servers=2",
        &full,
        &expect![[r#"
            server 1 (zk-0)
            name zk (from host name zk-0), ordinal 0 (from host name zk-0), domain own.example.org (from host name zk-0.own.example.org)
            1 zk-0.own.example.org
            2 zk-1.own.example.org
        "#]],
    );
    check_host(
        "--servers=2 --domain=flag.example.org.",
        &full,
        &expect![[r#"
            server 1 (zk-0)
            name zk (from host name zk-0), ordinal 0 (from host name zk-0), domain flag.example.org (from --domain)
            1 zk-0.flag.example.org
            2 zk-1.flag.example.org
        "#]],
    );
}

#[test]
fn the_search_list_is_taken_with_caution() {
    let expected = expect![[r#"
        server 2 (zk-1)
        name zk (from host name zk-1), ordinal 1 (from host name zk-1), domain default.svc.cluster.local (from /etc/resolv.conf)
        1 zk-0.default.svc.cluster.local
        2 zk-1.default.svc.cluster.local
        caution: domain default.svc.cluster.local is only the first of the search list in /etc/resolv.conf: in Kubernetes the headless service is missing from it, give --domain then
    "#]];
    check_host("--servers=2", &host("zk-1", POD_HOSTS, POD_RESOLV_CONF), &expected);
}

#[test]
fn names_may_have_no_domain_if_that_is_asked_for() {
    check(
        "--servers=2 --domain=",
        "zk-my-zk-01",
        expect![[r#"
            server 2 (zk-my-zk-1)
            name zk-my-zk (from host name zk-my-zk-01), ordinal 1 (from host name zk-my-zk-01), domain  (from --domain)
            1 zk-my-zk-0
            2 zk-my-zk-1
        "#]],
    );
}

#[test]
fn an_ordinal_above_nine_and_observers_are_members_too() {
    check(
        "--servers=9 --observers=3 --domain=d",
        "zk-11",
        expect![[r#"
            server 12 (zk-11)
            name zk (from host name zk-11), ordinal 11 (from host name zk-11), domain d (from --domain)
            1 zk-0.d
            2 zk-1.d
            3 zk-2.d
            4 zk-3.d
            5 zk-4.d
            6 zk-5.d
            7 zk-6.d
            8 zk-7.d
            9 zk-8.d
            10 zk-9.d observer
            11 zk-10.d observer
            12 zk-11.d observer
        "#]],
    );
}

#[test]
fn flags_stand_in_for_a_host_name_that_says_nothing() {
    check(
        "--servers=2 --domain=d --name=zoo --ordinal=1",
        "myhost",
        expect![[r#"
            server 2 (zoo-1)
            name zoo (from --name), ordinal 1 (from --ordinal), domain d (from --domain)
            1 zoo-0.d
            2 zoo-1.d
        "#]],
    );
    for (flags, missing) in [
        ("", "give --name and --ordinal"),
        ("--name=zoo", "give --ordinal"),
        ("--ordinal=1", "give --name"),
    ] {
        let settings = settings(&format!("--servers=3 --domain=d {flags}"));
        let problems = Place::derive(&settings, &host("my.host", "", ""), None).expect_err(flags);
        let [problem] = problems.as_slice() else { panic!("{problems:?}") };
        let message = problem.to_string();
        assert!(message.starts_with("host name my does not end in a dash"), "{message}");
        assert!(message.ends_with(missing), "{message}");
    }
}

#[test]
fn an_ordinal_outside_of_the_ensemble_is_refused() {
    check(
        "--servers=3 --domain=d",
        "zk-9",
        expect![[r#"
            problem: zk-9 would be server 10, but the ensemble has 3: the replicas of the StatefulSet and --servers (with --observers) must be the same number
        "#]],
    );
    check(
        "--servers=3 --domain=d",
        "zk-99999999999999999999",
        expect![[r#"
            problem: zk-99999999999999999999 would be server 18446744073709551615, but the ensemble has 3: the replicas of the StatefulSet and --servers (with --observers) must be the same number
        "#]],
    );
    check(
        "--servers=1 --ordinal=2",
        "zk-0",
        expect![[r#"
            problem: --ordinal=2 would be server 3, but the ensemble has 1: the replicas of the StatefulSet and --servers (with --observers) must be the same number
        "#]],
    );
}

#[test]
fn everything_that_is_missing_is_told_at_once() {
    check(
        "--servers=3",
        "myhost",
        expect![[r#"
            problem: host name myhost does not end in a dash and an ordinal, as zk-0 does, so it does not say which of the members this is: run a StatefulSet, or give --name and --ordinal
            problem: no domain for the names of the members: neither /etc/hosts nor /etc/resolv.conf has one; give --domain, such as --domain=zk-hs.default.svc.cluster.local, or --domain= for names without one
        "#]],
    );
}

#[test]
fn one_server_needs_no_identity() {
    check(
        "",
        "myhost",
        expect![[r#"
        server 1 (myhost)
    "#]],
    );
    check(
        "",
        "zk-0",
        expect![[r#"
        server 1 (zk-0)
    "#]],
    );
    check(
        "",
        "",
        expect![[r#"
        server 1 ()
    "#]],
    );
}

#[test]
fn one_server_on_a_later_pod_is_taken_with_caution() {
    check(
        "",
        "zk-2",
        expect![[r#"
        server 1 (zk-2)
        caution: host name zk-2 looks like a further member, but --servers=1 makes it a server of its own: give --servers if there are more
    "#]],
    );
    check(
        "--ordinal=0",
        "zk-2",
        expect![[r#"
        server 1 (zk-2)
    "#]],
    );
}

#[test]
fn what_no_name_can_hold_is_not_taken_from_the_host() {
    let odd = host("z:k-0", "10.0.0.1 z:k-0.a/b z:k-0\n", "");
    let problems = Place::derive(&settings("--servers=2"), &odd, None).expect_err("odd");
    assert_eq!(problems.len(), 2, "{problems:?}");
}

#[test]
fn a_given_zoo_cfg_is_joined_by_the_ordinal_or_by_myid() {
    let join = |flags: &str, hostname: &str, is_replicated, on_disk| {
        let host = host(hostname, "", "");
        let place = Place::of_config(&settings(flags), &host, is_replicated, on_disk);
        place.map(|place| place.id).map_err(|problem| problem.to_string())
    };
    assert_eq!(join("", "zk-2", true, None), Ok(3));
    assert_eq!(join("", "zk-2", true, Some(7)), Ok(3), "the difference is found with myid");
    assert_eq!(join("--ordinal=4", "zk-2", true, None), Ok(5));
    assert_eq!(join("", "myhost", true, Some(7)), Ok(7));
    assert_eq!(join("", "zk-2", false, None), Ok(1));
    assert_eq!(join("", "zk-2", false, Some(7)), Ok(7));
    let problem = join("", "myhost", true, None).expect_err("nothing says which");
    assert!(problem.ends_with("give --ordinal"), "{problem}");
}

#[test]
fn the_owner_of_a_volume_has_a_name_in_an_ensemble() {
    let place = |line| Place::derive(&settings(line), &host("zk-0", "", ""), None).expect("good");
    let of_three = place("--servers=3 --domain=d");
    assert_eq!([of_three.owner(3), of_three.owner(0)], [" (zk-2)", ""]);
    assert_eq!(place("").owner(3), "");
    assert_eq!(Source::File(Path::new("/f").to_owned()).to_string(), "/f");
}
