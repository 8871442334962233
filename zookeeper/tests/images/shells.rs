//! Commands that manifests run through a shell: the shell must not stand between a signal and the
//! server.

use std::time::Duration;

use crate::container::{Container, Network, Options};
use crate::deadline::await_until;
use crate::engine::{Engine, Image};

/// The flags that people copied from the Kubernetes tutorial.
const STATEFULSET: &str = include_str!("../../../start-zookeeper/testdata/statefulset-command.txt");

/// A pod of that StatefulSet, as a kubelet starts it.
fn pod(
    engine: &'static Engine,
    network: &Network,
    image: Image,
    ordinal: usize,
    command: &[&str],
) -> Container {
    let domain = "zk-hs.default.svc.cluster.local";
    let options = Options::default()
        .network(network)
        .flag(format!("--hostname=zk-{ordinal}"))
        .flag(format!("--domainname={domain}"))
        .flag(format!("--network-alias=zk-{ordinal}.{domain}"))
        .flags(&["--user=1000", "--memory=512m", "--cpus=0.5", "--entrypoint="])
        .flag("--volume=/var/lib/zookeeper")
        .command(command);
    Container::start(engine, image, &options)
}

#[test]
fn the_tutorials_pods_become_a_quorum_and_stop_at_once() {
    let Some(engine) = Engine::get() else { return };
    let network = Network::new(engine);
    let command = ["sh", "-c", STATEFULSET.trim()];
    let pods: Vec<_> =
        (0..3).map(|ordinal| pod(engine, &network, Image::Slim, ordinal, &command)).collect();
    for pod in &pods {
        let is_ready = || pod.exec(&["sh", "-c", "zookeeper-ready 2181"]).status.success();
        await_until("the probe says yes", LIMIT, || is_ready().then_some(()));
        let serves = || pod.exec(&["zookeeper-ready", "--mode=quorum", "2181"]).status.success();
        await_until("the pod serves", LIMIT, || serves().then_some(()));
        assert_eq!(pod.say(&["cat", "/proc/1/comm"]).trim(), "zookeeper-serve", "process 1");
        assert!(pod.say(&["zookeeper-metrics", "2181"]).starts_with("zk_version"));
    }
    for pod in pods.iter().rev() {
        let (took, code) = pod.stop();
        assert_eq!(code, 0, "{}", pod.log());
        assert!(took < Duration::from_secs(2), "it took {took:?} to stop");
    }
}

#[test]
fn every_images_shell_becomes_the_server() {
    let Some(engine) = Engine::get() else { return };
    let script = STATEFULSET.trim().replace("--servers=3", "--servers=1");
    let network = Network::new(engine);
    for image in [Image::Slim, Image::Busybox] {
        for shell in ["sh", "/bin/sh"] {
            let pod = pod(engine, &network, image, 0, &[shell, "-c", &script]);
            pod.await_serving();
            let (took, code) = pod.stop();
            assert_eq!(code, 0, "{}", pod.log());
            assert!(took < Duration::from_secs(2), "{image:?} took {took:?} to stop");
        }
    }
}

const LIMIT: Duration = Duration::from_secs(60);
