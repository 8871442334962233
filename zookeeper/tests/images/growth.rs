//! From one server to three with new, empty volumes, and back: the step that empties ensembles elsewhere,
//! where the two empty servers are the majority.

use std::time::Duration;

use crate::container::{Container, Network, Options};
use crate::deadline::await_until;
use crate::engine::Engine;
use crate::ensemble::await_leader;
use crate::images::Image;
use crate::load::Load;
use crate::pods::Set;

/// As `kubectl apply` of a manifest with another number of servers.
fn apply(set: &mut Set, servers: u64) {
    set.spec["replicas"] = servers.into();
    let words = set.spec["template"]["spec"]["containers"][0]["command"].as_array_mut();
    let mut words = words.expect("words").iter_mut();
    let word = words.find(|word| word.as_str().is_some_and(|word| word.starts_with("--servers=")));
    *word.expect("the flag is there") = format!("--servers={servers}").into();
}

/// Waits until both have been up for so long that they would have elected one of them, were they to.
fn await_patience(empty: &[Container]) {
    for container in empty {
        await_until(&format!("{} says what it waits for", container.name), LIMIT, || {
            let answer = container.ask("srvr").unwrap_or_default();
            assert!(!answer.contains("Mode: "), "two empty servers serve: {answer}");
            container.log().contains(WAITS).then_some(())
        });
    }
}

/// The zxids of all are the same.
fn await_level(pods: &[Container]) {
    await_until("all have what the leader has", LIMIT, || {
        let zxid = |pod: &Container| {
            let answer = pod.ask("srvr").ok()?;
            Some(answer.lines().find(|line| line.starts_with("Zxid: "))?.to_owned())
        };
        let zxids: Option<Vec<_>> = pods.iter().map(zxid).collect();
        zxids?.windows(2).all(|two| two[0] == two[1]).then_some(())
    });
}

#[test]
fn one_pod_grows_to_three_with_empty_claims_and_back_and_keeps_every_znode() {
    let Some(engine) = Engine::get() else { return };
    let Some(mut set) = Set::new(engine, Image::Slim) else { return };
    apply(&mut set, 1);
    let alone = [set.pod(0)];
    set.await_ready(&alone[0]);
    let Some(load) = Load::start(&alone, 0) else { return };
    let before = load.finish();
    drop(alone);

    apply(&mut set, 3);
    // The worst order: those that have nothing come first.
    let mut pods = vec![set.pod(1), set.pod(2)];
    await_patience(&pods);
    pods.push(set.pod(0));
    pods.iter().for_each(|pod| set.await_ready(pod));
    let before = Load::start(&pods[..2], before).expect("it has run before").finish();

    await_level(&pods);
    drop(pods);
    apply(&mut set, 1);
    let alone = [set.pod(0)];
    set.await_ready(&alone[0]);
    assert!(alone[0].await_serving().contains("Mode: standalone"));
    Load::start(&alone, before).expect("it has run before").finish();
}

/// As migrate.md says it, for a cluster where the third pod has no place yet.
#[test]
fn two_new_pods_begin_without_the_third_once_they_are_told_that_they_are_new() {
    let Some(engine) = Engine::get() else { return };
    let Some(set) = Set::new(engine, Image::Slim) else { return };
    let pods = [set.pod(0), set.pod(1)];
    await_patience(&pods);
    for pod in &pods {
        let said = pod.say(&["zkServer-initialize.sh"]);
        assert!(
            said.ends_with("/initialize is made: the next start is that of a new server\n"),
            "{said}"
        );
    }
    drop(pods);
    let pods = [set.pod(0), set.pod(1)];
    pods.iter().for_each(|pod| set.await_ready(pod));
    let last = set.pod(2);
    set.await_ready(&last);
    let refused = last.exec(&["zkServer-initialize.sh"]);
    assert_eq!(refused.status.code(), Some(1), "it has data: {refused:?}");
}

#[test]
fn one_server_of_the_official_contract_grows_to_three_and_keeps_its_znodes() {
    let Some(engine) = Engine::get() else { return };
    let network = Network::new(engine);
    let data = tempfile::tempdir().expect("a scratch folder");
    let server = |number: u32| {
        let options = Options::default()
            .network(&network)
            .flag(format!("--network-alias=zoo{number}"))
            .env("ZOO_MY_ID", &number.to_string());
        match number {
            1 => ["data", "datalog"].into_iter().fold(options, |options, name| {
                options.flag(format!("--volume={}/{name}:/{name}", data.path().display()))
            }),
            _ => options,
        }
    };
    let alone = Container::start(engine, Image::Slim, &server(1));
    assert!(alone.await_serving().contains("Mode: standalone"));
    let said = alone.exec(&["zkCli.sh", "create", "/kept", "value"]);
    assert!(said.status.success(), "{said:?}");
    assert_eq!(alone.stop().1, 0);
    drop(alone);

    let servers = "server.1=zoo1:2888:3888;2181 server.2=zoo2:2888:3888;2181 \
                   server.3=zoo3:2888:3888;2181";
    let member =
        |number| Container::start(engine, Image::Slim, &server(number).env("ZOO_SERVERS", servers));
    let mut members = vec![member(2), member(3)];
    await_patience(&members);
    members.push(member(1));
    await_leader(&members);
    for member in &members {
        let said = member.say(&["zkCli.sh", "get", "/kept"]);
        assert!(said.lines().any(|line| line == "value"), "{said}");
    }
}

/// Said every ten seconds; an election takes less than one.
const WAITS: &str = "its database is empty, so it has no vote before all voters have been heard";
const LIMIT: Duration = Duration::from_secs(60);
