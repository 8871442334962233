//! `--scalable`: who is a member is what the servers have agreed on last, not what the command line began with.

use crate::pod::Pod;

const FLAGS: [&str; 2] = ["--scalable", "--servers=3"];
const DOMAIN: &str = "zk-hs.default.svc.cluster.local";

fn zoo_cfg(pod: &Pod) -> String {
    pod.read("data/zoo.cfg").expect("it is kept with the data")
}

#[test]
fn the_first_servers_begin_together_and_may_be_reconfigured() {
    let pod = Pod::new("zk-0");
    pod.start(&FLAGS).started();
    let text = zoo_cfg(&pod);
    for line in ["reconfigEnabled=true", "standaloneEnabled=false", "autoJoin.enabled=true"] {
        assert!(text.contains(&format!("\n{line}\n")), "{text}");
    }
    let members: Vec<_> = text.lines().filter(|line| line.starts_with("server.")).collect();
    let line = |n: u32| format!("server.{}=zk-{n}.{DOMAIN}:2888:3888", n + 1);
    assert_eq!(members, [line(0), line(1), line(2)]);
    assert_eq!(pod.read("conf/zoo.cfg"), None);
    Pod::new("zk-0").start(&["--scalable"]).refused(2, &["--scalable with --servers=1: "]);
}

#[test]
fn one_behind_them_joins_without_a_vote() {
    let pod = Pod::new("zk-4");
    pod.start(&FLAGS)
        .started()
        .says("server.5 zk-4.zk-hs.default.svc.cluster.local (observer, this server)");
    let text = zoo_cfg(&pod);
    assert!(text.contains(&format!("\nserver.5=zk-4.{DOMAIN}:2888:3888:observer\n")), "{text}");
    assert!(!text.contains("server.4=") && !text.contains("peerType"), "{text}");
    assert_eq!(pod.read("data/myid").as_deref(), Some("5\n"));
    pod.start(&["--servers=3"]).refused(8, &["the ensemble has 3"]);
}

#[test]
fn addresses_that_clients_are_told_outlive_the_flag_and_are_not_changed_by_it() {
    let kept = |n: u32, client: &str| {
        format!("server.{}=zk-{n}.{DOMAIN}:2888:3888:participant;{client}\n", n + 1)
    };
    let outside = "zk-0.example.org:32181";
    let told = [kept(0, outside), kept(1, "0.0.0.0:2181"), kept(2, "0.0.0.0:2181")].concat();
    for (name, flag, caution) in [
        ("zk-0", "--log_level=info", None),
        ("zk-0", "--advertised_client_address=zk-{ordinal}.example.org:32181", None),
        (
            "zk-1",
            "--advertised_client_address=zk-{ordinal}.example.org:32181",
            Some("no address of its own"),
        ),
        ("zk-0", "--advertised_client_address=zk-{ordinal}.example.com:1", Some(outside)),
    ] {
        let pod = Pod::new(name);
        pod.write("data/zoo.cfg.dynamic.100000007", &told);
        let run = pod.start(&[&FLAGS[..], &[flag]].concat()).started();
        assert!(zoo_cfg(&pod).contains("\nadvertisedClientAddress.enabled=true\n"), "{flag}");
        match caution {
            Some(told) => run.says(&format!("clients are told {told} for this server, as the")),
            None => assert!(!run.stderr.contains("clients are told"), "{}", run.stderr),
        }
    }
}

#[test]
fn what_the_server_was_told_last_counts_for_who_is_in_it() {
    let kept =
        |n: u32| format!("server.{}=zk-{n}.{DOMAIN}:2888:3888:participant;0.0.0.0:2181\n", n + 1);
    let pod = Pod::new("zk-3");
    pod.write("data/zoo.cfg.dynamic.100000007", &(0..4).map(kept).collect::<String>());
    pod.write("data/zoo.cfg.dynamic.fffffff", &kept(0));
    pod.start(&FLAGS)
        .started()
        .says("server.4 zk-3.zk-hs.default.svc.cluster.local (participant, this server)");
    let text = zoo_cfg(&pod);
    let file = pod.path("data/zoo.cfg.dynamic.100000007");
    assert!(text.contains(&format!("\ndynamicConfigFile={}\n", file.display())), "{text}");
    assert!(!text.contains("\nserver."), "{text}");

    let joins = Pod::new("zk-4");
    joins.write("data/zoo.cfg.dynamic.100000007", &(0..4).map(kept).collect::<String>());
    joins.start(&FLAGS).started();
    let text = zoo_cfg(&joins);
    assert!(text.contains(&format!("\nserver.4=zk-3.{DOMAIN}:2888:3888\nserver.5=")), "{text}");
    assert!(text.contains(":observer\n") && !text.contains("dynamicConfigFile"), "{text}");
}

#[test]
fn members_that_cannot_be_read_are_refused_with_the_file() {
    let pod = Pod::new("zk-0");
    pod.write("data/zoo.cfg.dynamic.7", "server.1=zk-0\n");
    let refused = pod.start(&FLAGS);
    refused.refused(2, &["the members that the server was told last cannot be read: "]);
    refused.refused(2, &["zoo.cfg.dynamic.7 away"]);
    let pod = Pod::new("zk-0");
    let refused = pod.start(&["--scalable", "--servers=3", "--observers=1"]);
    refused.refused(2, &["--observers=1 with --scalable"]);
}

#[test]
fn a_member_that_goes_for_good_is_marked_and_nothing_is_started() {
    let pod = Pod::new("zk-4");
    pod.start(&FLAGS).started();
    let run = pod.start(&["--leave"]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{}", run.stderr);
    run.says("data/leave: the server leaves the ensemble at SIGTERM");
    assert_eq!(pod.read("data/leave").as_deref(), Some(""));
}
