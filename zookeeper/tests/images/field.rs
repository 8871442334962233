//! A manifest from the field, `field.yaml`, with nothing changed but the image's name.

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
    let mut pods = Vec::new();
    for ordinal in 0..set.replicas() {
        pods.push(set.pod(ordinal));
        set.await_ready(&pods[pods.len() - 1]);
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
    // There is no `ps` in the base; what it would show of process 1 is the server and its user.
    assert_eq!(sh("cat /proc/1/comm").trim(), "zookeeper-serve");
    assert!(sh("cat /proc/1/status").contains("Uid:\t1000\t1000\t1000\t1000"));
    assert_eq!(sh("zkCleanup.sh -n 3"), "", "nothing is old");
    assert!(sh("zookeeper-metrics 2181").starts_with("zk_version"));
}

const LIMIT: Duration = Duration::from_secs(60);
