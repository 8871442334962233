//! A StatefulSet as a cluster runs it: its command, user, mounts, limits, names and probes, read from
//! the manifest, on a network whose names are those of pods. Here it is that of `k8s/`.
//!
//! Invariant: nothing that the manifest says stands here a second time.

use std::io::{BufRead, BufReader, Write};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::container::{Container, Network, Options};
use crate::deadline::await_until;
use crate::engine::{Engine, root};
use crate::images::Image;
use crate::layers::println;
use crate::python::{objects, program};
use crate::tools::{output, run};

/// A StatefulSet whose claims outlive its pods.
pub(crate) struct Set {
    engine: &'static Engine,
    image: Image,
    network: Network,
    /// May be changed between pods, as by `kubectl apply`.
    pub(crate) spec: Value,
    /// What its names and volumes begin with, so that tests do not meet.
    prefix: String,
}

impl Set {
    pub(crate) fn new(engine: &'static Engine, image: Image) -> Option<Self> {
        Self::of(engine, image, "k8s/statefulset.yaml")
    }

    /// That of another manifest.
    pub(crate) fn of(engine: &'static Engine, image: Image, path: &str) -> Option<Self> {
        let text = std::fs::read_to_string(root().join(path)).expect("it is there");
        Self::of_text(engine, image, &text)
    }

    /// That of a variant, as it is applied.
    pub(crate) fn of_variant(engine: &'static Engine, image: Image, name: &str) -> Option<Self> {
        let folder = root().join("kustomize").join(name);
        let text = run(program("kubectl")?.arg("kustomize").arg(folder));
        Self::of_text(engine, image, &text)
    }

    fn of_text(engine: &'static Engine, image: Image, text: &str) -> Option<Self> {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let objects = objects(text)?;
        let set = objects.iter().find(|object| object["kind"] == "StatefulSet");
        let spec = set.expect("a StatefulSet is there")["spec"].clone();
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("pods-{}-{number}", std::process::id());
        Some(Self { engine, image, network: Network::new(engine), spec, prefix })
    }

    fn container(&self) -> &Value {
        &self.spec["template"]["spec"]["containers"][0]
    }

    pub(crate) fn replicas(&self) -> u64 {
        self.spec["replicas"].as_u64().expect("a number")
    }

    /// Starts one, as the kubelet of its node would.
    pub(crate) fn pod(&self, ordinal: u64) -> Container {
        let pod = &self.spec["template"]["spec"];
        let (user, limits) = (&pod["securityContext"], &self.container()["resources"]["limits"]);
        let domain = format!("{}.default.svc.cluster.local", text(&self.spec["serviceName"]));
        let group = user["runAsGroup"].as_u64().map_or(String::new(), |group| format!(":{group}"));
        let mut options = Options::default()
            .network(&self.network)
            .flag(format!("--hostname=zk-{ordinal}"))
            .flag(format!("--domainname={domain}"))
            .flag(format!("--network-alias=zk-{ordinal}.{domain}"))
            .flag(format!("--user={}{group}", user["runAsUser"]))
            .flag(format!("--group-add={}", user["fsGroup"]))
            .flag(format!("--memory={}", bytes(&text(&limits["memory"]))))
            .flags(&["--entrypoint=", "--security-opt=no-new-privileges"]);
        if let Some(cpus) = limits["cpu"].as_f64() {
            options = options.flag(format!("--cpus={cpus}"));
        }
        let context = &self.container()["securityContext"];
        if context["readOnlyRootFilesystem"] == true {
            options = options.flag("--read-only");
        }
        for capability in list(&context["capabilities"]["drop"]) {
            options = options.flag(format!("--cap-drop={}", text(capability)));
        }
        for mount in list(&self.container()["volumeMounts"]) {
            let (name, path) = (text(&mount["name"]), text(&mount["mountPath"]));
            let is_claim = |claim: &&Value| claim["metadata"]["name"] == name;
            options = match list(&self.spec["volumeClaimTemplates"]).iter().find(is_claim) {
                Some(_) => {
                    options.flag(format!("--volume={}-{name}-{ordinal}:{path}", self.prefix))
                }
                None => options.flag(format!("--volume={path}")),
            };
        }
        let words = list(&self.container()["command"]).iter().map(text).collect::<Vec<_>>();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let name = format!("{}-{ordinal}", self.prefix);
        Container::named(self.engine, &name, self.image, &options.command(&words))
    }

    /// What a claim is bound to.
    pub(crate) fn volume(&self, claim: &str, ordinal: u64) -> String {
        format!("{}-{claim}-{ordinal}", self.prefix)
    }

    /// The command of a hook.
    pub(crate) fn hook(&self, hook: &str) -> Vec<String> {
        list(&self.container()["lifecycle"][hook]["exec"]["command"]).iter().map(text).collect()
    }

    /// What the kubelet learns from a probe.
    pub(crate) fn probe(&self, probe: &str, pod: &Container) -> bool {
        let words = list(&self.container()[probe]["exec"]["command"]);
        let words: Vec<_> = words.iter().map(text).collect();
        assert!(!words.is_empty(), "{probe} runs a command");
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        pod.exec(&words).status.success()
    }

    /// From the pod's start on: no probe comes before its delay is over.
    pub(crate) fn await_ready(&self, pod: &Container) {
        let started = Instant::now();
        let has = |probe: &&str| !self.container()[probe].is_null();
        for probe in ["startupProbe", "readinessProbe"].into_iter().filter(has) {
            let delay = self.container()[probe]["initialDelaySeconds"].as_u64().unwrap_or(0);
            await_until(&format!("{probe} of {} says yes", pod.name), LIMIT, || {
                assert!(pod.is_running(), "{} has ended", pod.name);
                let is_due = started.elapsed() >= Duration::from_secs(delay);
                (is_due && self.probe(probe, pod)).then_some(())
            });
        }
        assert!(self.probe("livenessProbe", pod), "what is ready is alive");
    }
}

impl Drop for Set {
    fn drop(&mut self) {
        let names = run(self.engine.docker().args(["volume", "ls", "--quiet"]));
        for name in names.lines().filter(|name| name.starts_with(&format!("{}-", self.prefix))) {
            output(self.engine.docker().args(["volume", "rm", "--force", name]));
        }
    }
}

/// Writes to the ensemble until it is told to end, and looks for all that was acknowledged.
pub(crate) struct Load {
    child: Child,
    output: BufReader<std::process::ChildStdout>,
}

impl Load {
    /// `before` of an earlier load must be there.
    pub(crate) fn start(pods: &[Container], before: u64) -> Option<Self> {
        let servers = pods.iter().map(|pod| pod.address().expect("it runs").to_string() + ":2181");
        let mut command: Command = program("python3")?;
        command.arg(root().join("zookeeper/tests/images/load.py"));
        command.arg(servers.collect::<Vec<_>>().join(",")).arg(before.to_string());
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().expect("Python starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut load = Self { child, output };
        assert_eq!(load.line(), "ready");
        Some(load)
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        self.output.read_line(&mut line).expect("a pipe can be read");
        line.trim_end().to_owned()
    }

    /// Nothing acknowledged may be missing; gives back how many there are.
    pub(crate) fn finish(mut self) -> u64 {
        self.child.stdin.take().expect("piped").write_all(b"end\n").expect("it reads");
        let line = self.line();
        assert!(self.child.wait().expect("it ends").success(), "{line}");
        let (count, rest) = line.split_once(' ').expect("a count comes first");
        assert_eq!(rest, "acknowledged, 0 missing");
        count.parse().expect("a number")
    }
}

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

fn text(value: &Value) -> String {
    value.as_str().expect("a text").to_owned()
}

/// A quantity of memory as Kubernetes writes it.
fn bytes(quantity: &str) -> u64 {
    let at = quantity.find(|char: char| !char.is_ascii_digit()).unwrap_or(quantity.len());
    let (number, unit) = quantity.split_at(at);
    let unit = match unit {
        "M" => 1_000_000,
        "Mi" => 1 << 20,
        unit => panic!("{unit:?} is no unit that the manifests have"),
    };
    number.parse::<u64>().expect("a number") * unit
}

fn list(value: &Value) -> &[Value] {
    value.as_array().map_or(&[], Vec::as_slice)
}

const LIMIT: Duration = Duration::from_secs(60);
