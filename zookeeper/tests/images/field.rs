//! A manifest from the field, `field.yaml`, with nothing changed but the image's name. A pod of it is ready when it is
//! alive, so its names come one by one, and before the quorum.

use std::time::Duration;

use crate::container::Container;
use crate::deadline::await_until;
use crate::engine::Engine;
use crate::images::Image;
use crate::pods::Set;

/// What the old image's script wrote for that manifest.
const ZOO_CFG: &str = include_str!("../../../start-zookeeper/testdata/zoo.cfg.start-zookeeper");

#[test]
fn the_manifest_in_use_becomes_a_quorum_where_the_tutorials_commands_work() {
    let Some(engine) = Engine::get() else { return };
    let Some(set) = Set::of(engine, Image::Slim, "zookeeper/tests/images/field.yaml") else {
        return;
    };
    assert_eq!(set.spec["podManagementPolicy"], "OrderedReady");
    let mut pods: Vec<Container> = Vec::new();
    for ordinal in 0..set.replicas() {
        // Its service publishes nobody before that one is ready, so nobody else may need the name.
        let name = format!("zk-{ordinal}.zk-hs.default.svc.cluster.local");
        let is_known = |pod: &Container| pod.exec(&["getent", "hosts", &name]).status.success();
        pods.push(set.pod(ordinal));
        let (pod, others) = pods.split_last().expect("just put there");
        assert!(!others.iter().any(is_known), "{name} is kept back");
        set.await_ready(pod);
        assert!(pods.iter().all(is_known), "{name} is published");
        let serves = || pods[0].exec(&["zookeeper-ready", "--mode=ready"]).status.success();
        assert!(ordinal > 0 || !serves(), "alive is no more than that");
    }
    for pod in &pods {
        let serves = || pod.exec(&["zookeeper-ready", "--mode=quorum", "2181"]).status.success();
        await_until("the pod serves", LIMIT, || serves().then_some(()));
    }
    let modes = pods.iter().map(Container::await_serving);
    let leaders = modes.filter(|answer| answer.contains("Mode: leader")).count();
    assert_eq!(leaders, 1);
    for (ordinal, pod) in pods.iter().enumerate() {
        check_identity(ordinal, pod);
    }
    let said = pods[0].exec(&["zkCli.sh", "create", "/hello", "world"]);
    assert!(said.status.success(), "{said:?}");
    for pod in &pods {
        assert!(pod.say(&["zkCli.sh", "get", "/hello"]).lines().any(|line| line == "world"));
    }
    // The tutorial's `pkill java`, after which a kubelet would start the container again.
    let last = pods.last().expect("three");
    last.say(&["pkill", "zookeeper"]);
    assert_eq!(last.await_end(), 0, "{}", last.log());
    // A set that is deleted loses its pods from the highest ordinal down.
    for pod in pods.iter().rev() {
        let (took, code) = pod.stop();
        assert_eq!(code, 0, "{}", pod.log());
        assert!(took < Duration::from_secs(2), "it took {took:?} to stop");
    }
}

/// What the Kubernetes tutorial has people type to see who a pod is.
fn check_identity(ordinal: usize, pod: &Container) {
    let sh = |command: &str| pod.say(&["sh", "-c", command]);
    assert_eq!(sh("hostname").trim(), format!("zk-{ordinal}"));
    let full = format!("zk-{ordinal}.zk-hs.default.svc.cluster.local");
    assert_eq!(sh("hostname -f").trim(), full);
    assert_eq!(sh("cat /var/lib/zookeeper/data/myid").trim(), (ordinal + 1).to_string());
    let zoo_cfg = sh("cat /opt/zookeeper/conf/zoo.cfg");
    // The old script's slip of the pen, because of which nothing was ever purged.
    let expected = ZOO_CFG.replace("purgeInteval", "purgeInterval");
    assert_eq!(zoo_cfg, expected);
    assert_eq!(sh("cat /usr/etc/zookeeper/zoo.cfg"), zoo_cfg);
    let processes = sh("ps -ef");
    let server =
        processes.lines().find(|line| line.contains("/opt/zookeeper/bin/zookeeper-server "));
    let server = server.unwrap_or_else(|| panic!("{processes}")).split_whitespace();
    assert_eq!(server.take(3).collect::<Vec<_>>(), ["zookeepe", "1", "0"], "{processes}");
    assert_eq!(sh("zkCleanup.sh -n 3"), "", "nothing is old");
    assert!(sh("zookeeper-metrics 2181").starts_with("zk_version"));
}

const LIMIT: Duration = Duration::from_secs(60);
