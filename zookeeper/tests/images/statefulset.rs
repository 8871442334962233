//! `k8s/statefulset.yaml` as pods: restarts under load, other addresses and volumes, names that do not come, and the
//! variants that differ in their members.

use std::time::{Duration, Instant};

use crate::container::Container;
use crate::deadline::await_until;
use crate::engine::Engine;
use crate::images::Image;
use crate::layers::println;
use crate::load::Load;
use crate::pods::Set;
use crate::tools::run;

#[test]
fn a_rolling_restart_of_the_pods_loses_no_write() {
    let Some(engine) = Engine::get() else { return };
    let Some(set) = Set::new(engine, Image::Slim) else { return };
    let started = Instant::now();
    let mut pods: Vec<_> = (0..set.replicas()).map(|ordinal| set.pod(ordinal)).collect();
    let last = Instant::now();
    pods.iter().for_each(|pod| set.await_ready(pod));
    println(&format!(
        "three pods: {:?} to start them, {:?} from the last one's start to all ready by probes",
        last - started,
        last.elapsed()
    ));
    for pod in &pods {
        pod.say(&["zookeeper-ready", "--mode=safe-to-stop"]);
        let report = pod.say(&["zookeeper-ready", "--mode=why-not-ready"]);
        assert!(report.contains(" is ready: ") && report.contains(":2181  leader"), "{report}");
    }
    let Some(load) = Load::start(&pods, 0) else { return };
    // As the controller: from the highest ordinal down, each gone before it is new, the next one
    // only when this one is ready again.
    for ordinal in (0..set.replicas()).rev() {
        let at = usize::try_from(ordinal).expect("few");
        let old = pods.remove(at);
        let (took, code) = old.stop();
        assert_eq!(code, 0, "{}", old.log());
        assert!(took < Duration::from_secs(2), "it took {took:?} to stop");
        drop(old);
        for pod in &pods {
            let answer = pod.exec(&["zookeeper-ready", "--mode=safe-to-stop"]);
            let why = String::from_utf8_lossy(&answer.stderr).into_owned();
            assert_eq!(answer.status.code(), Some(1), "{why}");
            let missing = format!("server.{} (zk-{ordinal}.zk-hs.", ordinal + 1);
            assert!(
                why.contains(" 1 of 3 voters serve, and a quorum is 2") && why.contains(&missing),
                "{why}"
            );
        }
        pods.insert(at, set.pod(ordinal));
        set.await_ready(&pods[at]);
    }
    println(&format!("rolling restart: {} writes acknowledged, none missing", load.finish()));
    // What is requested of a node is what a member takes that has little to keep.
    let requested = set.requested_memory();
    for pod in &pods {
        let status = pod.say(&["cat", "/proc/1/status"]);
        let most = status.lines().find_map(|line| line.strip_prefix("VmHWM:")?.strip_suffix("kB"));
        let most = most.expect("the kernel says it").trim().parse::<u64>().expect("a number") << 10;
        println(&format!("{} took {most} bytes of memory, {requested} are requested", pod.name));
        assert!(most < requested / 2, "{most} bytes are too near to the request of {requested}");
    }
}

#[test]
fn pods_that_are_all_deleted_come_back_at_other_addresses_and_one_without_its_volume() {
    let Some(engine) = Engine::get() else { return };
    let Some(set) = Set::new(engine, Image::Busybox) else { return };
    let pods: Vec<_> = (0..set.replicas()).map(|ordinal| set.pod(ordinal)).collect();
    pods.iter().for_each(|pod| set.await_ready(pod));
    let Some(load) = Load::start(&pods, 0) else { return };
    let before = load.finish();
    let addresses: Vec<_> = pods.iter().map(Container::address).collect();
    drop(pods);
    // The other way round, and the first one's name is nobody's until the others serve.
    let mut pods: Vec<_> = (1..set.replicas()).rev().map(|ordinal| set.pod(ordinal)).collect();
    pods.iter().for_each(|pod| set.await_ready(pod));
    pods.push(set.pod(0));
    pods.reverse();
    set.await_ready(&pods[0]);
    assert_ne!(pods.iter().map(Container::address).collect::<Vec<_>>(), addresses);
    let load = Load::start(&pods, before).expect("it has run before");
    let before = load.finish();
    drop(pods.pop());
    let last = set.replicas() - 1;
    run(engine.docker().args(["volume", "rm", &set.volume("datadir", last)]));
    pods.push(set.pod(last));
    pods.iter().for_each(|pod| set.await_ready(pod));
    let load = Load::start(&pods[2..], before).expect("it has run before");
    load.finish();
}

/// The third has both addresses from before, each of which is the other's now.
#[test]
fn two_pods_that_come_back_at_each_others_address_are_told_apart() {
    let Some(engine) = Engine::get() else { return };
    let Some(set) = Set::new(engine, Image::Scratch) else { return };
    let mut pods: Vec<_> = (0..set.replicas()).map(|ordinal| set.pod(ordinal)).collect();
    pods.iter().for_each(|pod| set.await_ready(pod));
    let Some(load) = Load::start(&pods, 0) else { return };
    let before = load.finish();
    let addresses: Vec<_> = pods.iter().map(Container::address).collect();
    let third = pods.pop().expect("three");
    drop(pods);
    // The engine gives away the lowest address that is free.
    let second = set.pod(1);
    let first = set.pod(0);
    assert_eq!([second.address(), first.address()], [addresses[0], addresses[1]]);
    let pods = [first, second, third];
    pods.iter().for_each(|pod| set.await_ready(pod));
    Load::start(&pods, before).expect("it has run before").finish();
}

/// As a disk does it. Nobody has to go into a pod that does not start.
#[test]
fn a_pod_with_a_damaged_log_puts_it_aside_and_has_everything_again() {
    let Some(engine) = Engine::get() else { return };
    let Some(set) = Set::new(engine, Image::Slim) else { return };
    let mut pods: Vec<_> = (0..set.replicas()).map(|ordinal| set.pod(ordinal)).collect();
    pods.iter().for_each(|pod| set.await_ready(pod));
    let Some(load) = Load::start(&pods, 0) else { return };
    let last = set.replicas() - 1;
    drop(pods.pop());
    let damage = "for log in data/log/version-2/log.*; do \
                  printf damage | dd of=$log bs=1 seek=300 conv=notrunc; done";
    set.as_root(&set.volume("datadir", last), damage);
    pods.push(set.pod(last));
    set.await_ready(&pods[2]);
    pods[2]
        .says("this server puts its files aside and syncs from the others (recovery.selfRepair)");
    pods[2].say(&["sh", "-c", "ls /var/lib/zookeeper/data/log/damaged-1/log.*"]);
    let before = load.finish();
    // It is one of the two that make up the quorum now.
    drop(pods.remove(0));
    Load::start(&pods, before).expect("it has run before").finish();
}

/// What `migrate.md` says never starts. A rolling restart and `a_pod_alone_…` are two of its other lines.
#[test]
fn pods_whose_names_are_kept_back_until_a_quorum_is_there_wait_for_ever() {
    let Some(engine) = Engine::get() else { return };
    let Some(set) = Set::new(engine, Image::Scratch).and_then(Set::without_unready_names) else {
        return;
    };
    let pods: Vec<_> = (0..set.replicas()).map(|ordinal| set.pod(ordinal)).collect();
    for pod in &pods {
        await_until("it says what it waits for", LIMIT, || {
            assert!(!set.probe("readinessProbe", pod), "{}", pod.log());
            pod.log()
                .contains("not in a quorum: waiting for a leader; reached nobody")
                .then_some(())
        });
        assert!(set.probe("startupProbe", pod) && set.probe("livenessProbe", pod));
    }
    // And then somebody mends the service.
    pods.iter().for_each(|pod| set.publish(pod, true));
    let named = Instant::now();
    for pod in &pods {
        let serves = || pod.exec(&["zookeeper-ready", "--mode=quorum"]).status.success();
        await_until("it serves", LIMIT, || serves().then_some(()));
    }
    println(&format!("three pods: {:?} from the last name to a quorum of all", named.elapsed()));
}

#[test]
fn a_pod_alone_is_alive_and_not_ready_and_says_what_it_waits_for() {
    let Some(engine) = Engine::get() else { return };
    let Some(set) = Set::new(engine, Image::Scratch) else { return };
    let pod = set.pod(0);
    await_until("it has started", LIMIT, || set.probe("startupProbe", &pod).then_some(()));
    assert!(set.probe("livenessProbe", &pod));
    assert!(!set.probe("readinessProbe", &pod));
    let answer = pod.exec(&["zookeeper-ready", "--mode=why-not-ready"]);
    let report = String::from_utf8_lossy(&answer.stdout).into_owned();
    assert_eq!(answer.status.code(), Some(1), "{report}");
    for part in [
        "server.1 is not ready: LOOKING, waiting for a leader; reached nobody; not reached server.2 (",
        "\n  server.1 voter zk-0.zk-hs.default.svc.cluster.local:2181  server is not serving: ",
        "\n  server.3 voter zk-2.zk-hs.default.svc.cluster.local:2181  cannot resolve host ",
        "\nA quorum is 2 of 3 voters: more of them must be up.\nNames without an address: ",
    ] {
        assert!(report.contains(part), "{report}\nlacks {part}");
    }
    pod.says("server.2 zk-1.zk-hs.default.svc.cluster.local (participant) does not resolve yet");
    let others: Vec<_> = (1..set.replicas()).map(|ordinal| set.pod(ordinal)).collect();
    set.await_ready(&pod);
    others.iter().for_each(|pod| set.await_ready(pod));
}

#[test]
fn the_variants_that_differ_in_their_members_serve_by_their_own_probes() {
    let Some(engine) = Engine::get() else { return };
    for (variant, roles) in [
        ("single", &["standalone"][..]),
        (
            "combined",
            &["follower", "follower", "follower", "follower", "leader", "observer", "observer"],
        ),
    ] {
        let Some(set) = Set::of_variant(engine, Image::Scratch, variant) else { return };
        let pods: Vec<_> = (0..set.replicas()).map(|ordinal| set.pod(ordinal)).collect();
        pods.iter().for_each(|pod| set.await_ready(pod));
        let role = |pod: &Container| {
            let answer = pod.await_serving();
            let role = answer.lines().find_map(|line| line.strip_prefix("Mode: "));
            role.expect("it serves").to_owned()
        };
        let mut found: Vec<_> = pods.iter().map(role).collect();
        found.sort();
        assert_eq!(found, roles, "{variant}");
    }
}

const LIMIT: Duration = Duration::from_secs(60);
