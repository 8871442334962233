//! A StatefulSet as a cluster runs it: its command, user, mounts, limits, names and probes, read from
//! the manifest, on a network whose names are those of pods.
//!
//! Invariants
//! - Nothing that the manifest says stands here a second time.
//! - What a container or a pod has that is not read here is refused, not passed over.

use std::cell::RefCell;
use std::net::IpAddr;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::container::{Container, Network, Options};
use crate::deadline::await_until;
use crate::engine::{Engine, root};
use crate::images::Image;
use crate::liveness::Liveness;
use crate::names::Names;
use crate::python::{objects, program};
use crate::tools::{output, run};

/// A StatefulSet whose claims outlive its pods.
pub(crate) struct Set {
    engine: &'static Engine,
    image: Image,
    network: Network,
    /// May be changed between pods, as by `kubectl apply`.
    pub(crate) spec: Value,
    /// Whose names the headless service keeps back until they are ready; without it the engine's are there at once.
    names: Option<Names>,
    /// What its names and volumes begin with, so that tests do not meet.
    prefix: String,
    /// Of every pod that there has been.
    liveness: RefCell<Vec<Liveness>>,
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
        let is_of_set = |object: &&Value| {
            object["kind"] == "Service" && object["metadata"]["name"] == spec["serviceName"]
        };
        let service = objects.iter().find(is_of_set);
        let is_kept_back =
            service.is_some_and(|service| service["spec"]["publishNotReadyAddresses"] != true);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let prefix = format!("pods-{}-{number}", std::process::id());
        let (network, liveness) = (Network::new(engine), RefCell::default());
        let set = Self { engine, image, network, spec, names: None, prefix, liveness };
        if is_kept_back { set.without_unready_names() } else { Some(set) }
    }

    /// As if the headless service did not publish pods that are not ready.
    pub(crate) fn without_unready_names(mut self) -> Option<Self> {
        self.names = Some(Names::new(self.network.gateway())?);
        Some(self)
    }

    fn container(&self) -> &Value {
        &self.spec["template"]["spec"]["containers"][0]
    }

    pub(crate) fn replicas(&self) -> u64 {
        self.spec["replicas"].as_u64().expect("a number")
    }

    /// In bytes.
    pub(crate) fn requested_memory(&self) -> u64 {
        bytes(&text(&self.container()["resources"]["requests"]["memory"]))
    }

    /// Starts one, as the kubelet of its node would.
    pub(crate) fn pod(&self, ordinal: u64) -> Container {
        let pod = &self.spec["template"]["spec"];
        let (user, limits) = (&pod["securityContext"], &self.container()["resources"]["limits"]);
        self.check_known();
        let domain = self.domain();
        let group = user["runAsGroup"].as_u64().map_or(String::new(), |group| format!(":{group}"));
        let mut options = Options::default()
            .network(&self.network)
            .flag(format!("--hostname=zk-{ordinal}"))
            .flag(format!("--domainname={domain}"))
            .flag(match &self.names {
                Some(names) => format!("--dns={}", names.server),
                None => format!("--network-alias=zk-{ordinal}.{domain}"),
            })
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
            let is_claim = |claim: &Value| claim["metadata"]["name"] == name;
            let volume = match list(&self.spec["volumeClaimTemplates"]).iter().any(is_claim) {
                true => self.bound(&name, ordinal),
                false => self.empty_dir(&name),
            };
            options = options.flag(format!("--volume={volume}:{path}:nocopy"));
        }
        let words = list(&self.container()["command"]).iter().map(text).collect::<Vec<_>>();
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let name = format!("{}-{ordinal}", self.prefix);
        let pod = Container::named(self.engine, &name, self.image, &options.command(&words));
        self.publish(&pod, false);
        let liveness = Liveness::new(self.engine, pod.inspect("{{.Id}}"), self.container());
        self.liveness.borrow_mut().push(liveness);
        pod
    }

    fn domain(&self) -> String {
        format!("{}.default.svc.cluster.local", text(&self.spec["serviceName"]))
    }

    /// Puts a pod's name into the service, or takes it away.
    pub(crate) fn publish(&self, pod: &Container, is_published: bool) {
        let Some(names) = &self.names else { return };
        let host = pod.inspect("{{.Config.Hostname}}");
        let address = pod.address().filter(|_| is_published).map(|address| match address {
            IpAddr::V4(address) => address,
            IpAddr::V6(_) => unreachable!("the engine's networks have addresses of IPv4"),
        });
        names.set(&format!("{host}.{}", self.domain()), address);
    }

    /// A manifest that asks for more than is read here would be tested for something else.
    fn check_known(&self) {
        for (value, known) in [(&self.spec["template"]["spec"], POD), (self.container(), CONTAINER)]
        {
            let keys = value.as_object().expect("an object").keys();
            let unknown: Vec<_> = keys.filter(|key| !known.contains(&key.as_str())).collect();
            assert!(unknown.is_empty(), "{unknown:?} of the manifest is read by nobody");
        }
        assert_eq!(list(&self.spec["template"]["spec"]["containers"]).len(), 1);
    }

    /// What a claim is bound to, made when it is first asked for: as a file system is when it is new, with its
    /// `lost+found`, and for its group of root's.
    fn bound(&self, claim: &str, ordinal: u64) -> String {
        let volume = self.volume(claim, ordinal);
        if !output(self.engine.docker().args(["volume", "inspect", &volume])).status.success() {
            self.prepare(&volume, "mkdir -m 700 lost+found; chmod 2775 .");
        }
        volume
    }

    /// New for each pod, and everybody may write to it.
    fn empty_dir(&self, name: &str) -> String {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let volume = format!("{}-{name}-{}", self.prefix, NEXT.fetch_add(1, Ordering::Relaxed));
        self.prepare(&volume, "chmod 2777 .");
        volume
    }

    /// The engine would give it what the image has at its place, and whose that is there; a kubelet goes by `fsGroup`.
    fn prepare(&self, volume: &str, script: &str) {
        let group = &self.spec["template"]["spec"]["securityContext"]["fsGroup"];
        self.as_root(volume, &format!("{script}; chgrp {group} ."));
    }

    /// Does something to a volume that no pod would do.
    pub(crate) fn as_root(&self, volume: &str, script: &str) {
        let mount = format!("--volume={volume}:/volume");
        let flags =
            ["--user=0:0", "--network=none", "--workdir=/volume", "--entrypoint=sh", &mount];
        let words = [Image::Busybox.tag(), "-e", "-c", script];
        run(self.engine.docker().args(["run", "--rm"]).args(flags).args(words));
    }

    /// The volume of a claim, whether it is there or not.
    pub(crate) fn volume(&self, claim: &str, ordinal: u64) -> String {
        format!("{}-{claim}-{ordinal}", self.prefix)
    }

    /// The command of a hook.
    pub(crate) fn hook(&self, hook: &str) -> Vec<String> {
        list(&self.container()["lifecycle"][hook]["exec"]["command"]).iter().map(text).collect()
    }

    /// What the kubelet learns from a probe, which is a no if it comes too late. Readiness decides about the name.
    pub(crate) fn probe(&self, probe: &str, pod: &Container) -> bool {
        let words = list(&self.container()[probe]["exec"]["command"]);
        let words: Vec<_> = words.iter().map(text).collect();
        assert!(!words.is_empty(), "{probe} runs a command");
        let words: Vec<_> = words.iter().map(String::as_str).collect();
        let limit = self.container()[probe]["timeoutSeconds"].as_u64().unwrap_or(1);
        let started = Instant::now();
        let is_yes = pod.exec(&words).status.success();
        let is_yes = is_yes && started.elapsed() < Duration::from_secs(limit);
        if probe == "readinessProbe" {
            self.publish(pod, is_yes);
        }
        is_yes
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
        self.liveness.get_mut().clear();
    }
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

/// What is read of a pod, or concerns only a scheduler and an API server, of which there are none here.
const POD: &[&str] = &[
    "automountServiceAccountToken",
    "containers",
    "securityContext",
    "serviceAccountName",
    "terminationGracePeriodSeconds",
    "topologySpreadConstraints",
    "volumes",
];
/// The same of a container.
const CONTAINER: &[&str] = &[
    "command",
    "image",
    "imagePullPolicy",
    "lifecycle",
    "livenessProbe",
    "name",
    "ports",
    "readinessProbe",
    "resources",
    "securityContext",
    "startupProbe",
    "volumeMounts",
];

const LIMIT: Duration = Duration::from_secs(60);
