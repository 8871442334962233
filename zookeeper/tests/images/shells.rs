//! Commands that manifests run through a shell: the shell must not stand between a signal and the
//! server.

use std::time::Duration;

use crate::container::{Container, Network, Options};
use crate::engine::Engine;
use crate::images::Image;

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

/// Charts upon the official image find the number out by themselves.
#[test]
fn a_script_that_ends_in_the_entry_point_becomes_the_server() {
    let Some(engine) = Engine::get() else { return };
    let script = "export ZOO_MY_ID=$((${HOSTNAME##*-} + 1)) && \
                  exec /docker-entrypoint.sh zkServer.sh start-foreground";
    let options = Options::default()
        .flags(&["--hostname=zk-2", "--entrypoint="])
        .env("ZOO_SERVERS", "server.3=localhost:2888:3888;2181")
        .command(&["bash", "-c", script]);
    let container = Container::start(engine, Image::Slim, &options);
    container.await_serving();
    container.says("server 3 (from ZOO_MY_ID)");
    let (took, code) = container.stop();
    assert_eq!(code, 0, "{}", container.log());
    assert!(took < Duration::from_secs(2), "it took {took:?} to stop");
}

/// What Bitnami's chart has for a probe. Debian's base has no nc.
#[test]
fn probes_that_pipe_a_word_through_nc_are_answered() {
    let Some(engine) = Engine::get() else { return };
    for image in [Image::Slim, Image::Busybox] {
        let options = Options::default().env("ZOO_4LW_COMMANDS_WHITELIST", "srvr, mntr, ruok");
        let container = Container::start(engine, image, &options);
        container.await_serving();
        let probe = "echo 'ruok' | timeout 2 nc -w 2 localhost 2181 | grep imok";
        assert_eq!(container.say(&["sh", "-c", probe]), "imok\n");
    }
}
