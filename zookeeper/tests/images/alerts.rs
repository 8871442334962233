//! The variant `monitoring-operator`: whether its monitor finds the pods, and what its rules say of ensembles that are
//! well and of those that are not.
//!
//! Time is promtool's, so that a rule that waits ten minutes is tried at once.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::container::Container;
use crate::deadline::await_until;
use crate::engine::{Engine, root};
use crate::images::Image;
use crate::monitoring::metrics;
use crate::pods::Set;
use crate::python::{objects, program};
use crate::tools::{run, tool};

const VARIANT: &str = "monitoring-operator";

/// The objects of the variant, as they are applied.
fn variant() -> Option<Vec<Value>> {
    let folder = root().join("kustomize").join(VARIANT);
    objects(&run(program("kubectl")?.arg("kustomize").arg(folder)))
}

fn of_kind<'a>(objects: &'a [Value], kind: &str) -> &'a Value {
    objects.iter().find(|object| object["kind"] == kind).expect("there is one")
}

/// Where the monitor has a pod's metrics fetched: the port of that name, and the path.
fn endpoint(objects: &[Value]) -> (u16, String) {
    let endpoint = &of_kind(objects, "PodMonitor")["spec"]["podMetricsEndpoints"][0];
    let container = &of_kind(objects, "StatefulSet")["spec"]["template"]["spec"]["containers"][0];
    let mut ports = container["ports"].as_array().expect("ports").iter();
    let port = ports.find(|port| port["name"] == endpoint["port"]).expect("the pods have it");
    let number = port["containerPort"].as_u64().and_then(|number| u16::try_from(number).ok());
    (number.expect("a port"), endpoint["path"].as_str().expect("a path").to_owned())
}

/// A series and its values, in promtool's words: `1x40` is 1 for ten minutes.
type Series = (String, String);

/// The rules in a folder of their own, where promtool reads them.
struct Rules {
    folder: tempfile::TempDir,
    groups: Value,
}

impl Rules {
    fn new() -> Option<Self> {
        let groups = of_kind(&variant()?, "PrometheusRule")["spec"].clone();
        let rules = Self { folder: tempfile::tempdir().expect("a scratch folder"), groups };
        rules.write("rules.json", &rules.groups);
        Some(rules)
    }

    fn write(&self, name: &str, content: &Value) {
        fs::write(self.folder.path().join(name), content.to_string()).expect("ours");
    }

    fn promtool(&self, words: [&str; 3]) -> Option<String> {
        Some(run(tool("promtool")?.args(words).current_dir(self.folder.path())))
    }

    fn expressions(&self) -> Vec<String> {
        let rules = self.groups["groups"][0]["rules"].as_array().expect("rules").iter();
        rules.map(|rule| rule["expr"].as_str().expect("a text").to_owned()).collect()
    }

    /// What the rules look at: all of it is narrowed down by labels, so a brace follows.
    fn names(&self) -> Vec<String> {
        let is_of_name = |char: char| char.is_ascii_alphanumeric() || char == '_';
        let expressions = self.expressions().join(" ");
        let mut names: Vec<_> = expressions
            .match_indices('{')
            .map(|(at, _)| expressions[..at].rsplit(|char| !is_of_name(char)).next())
            .map(|name| name.expect("at least one piece").to_owned())
            .collect();
        names.sort();
        names.dedup();
        names
    }

    /// Which alerts are sent at that time.
    fn check(&self, at: &str, series: &[Series], expected: &[&str]) {
        let series: Vec<_> = series
            .iter()
            .map(|(series, values)| json!({"series": series, "values": values}))
            .collect();
        let alerts: Vec<_> = expected
            .iter()
            .map(|alert| json!({"labels": format!("{{alertname=\"{alert}\"}}"), "value": 1}))
            .collect();
        let scenario = json!({
            "rule_files": ["rules.json"],
            "evaluation_interval": "15s",
            "tests": [{
                "interval": "15s",
                "input_series": series,
                "promql_expr_test": [{
                    "expr": "group by (alertname) (ALERTS{alertstate=\"firing\"})",
                    "eval_time": at,
                    "exp_samples": alerts,
                }],
            }],
        });
        self.write("scenario.json", &scenario);
        self.promtool(["test", "rules", "scenario.json"]);
    }
}

fn of_pod(name: &str, ordinal: usize, values: &str) -> Series {
    let labels = format!("job=\"zk\",namespace=\"default\",pod=\"zk-{ordinal}\"");
    (format!("{name}{{{labels}}}"), values.to_owned())
}

#[test]
fn the_monitor_finds_the_pods_and_the_rules_find_what_it_brings() {
    let (Some(objects), Some(rules)) = (variant(), Rules::new()) else { return };
    let set = &of_kind(&objects, "StatefulSet")["spec"];
    let monitor = &of_kind(&objects, "PodMonitor")["spec"];
    let labels = set["template"]["metadata"]["labels"].as_object().expect("labels");
    let wanted = monitor["selector"]["matchLabels"].as_object().expect("labels");
    assert!(!wanted.is_empty() && wanted.iter().all(|(key, value)| labels[key] == *value));
    let job = &labels[monitor["jobLabel"].as_str().expect("a label")];
    let claim = &set["volumeClaimTemplates"][0]["metadata"]["name"];
    let (job, claim) = (job.as_str().expect("a text"), claim.as_str().expect("a text"));
    let name = of_kind(&objects, "StatefulSet")["metadata"]["name"].as_str().expect("a text");
    for expression in rules.expressions() {
        let is_of_claims = expression.starts_with("kubelet_volume_stats");
        let selector = match is_of_claims {
            true => format!("{{persistentvolumeclaim=~\"{claim}-{name}-[0-9]+\"}}"),
            false => format!("{{job=\"{job}\"}}"),
        };
        let selectors = expression.matches(&selector).count();
        assert_eq!(selectors, expression.matches('{').count(), "{expression}");
    }
}

/// What the schema does not know is not written back by its model.
#[test]
fn the_operators_objects_are_those_of_its_schema() {
    let Some(objects) = variant() else { return };
    for kind in ["PodMonitor", "PrometheusRule"] {
        let object = of_kind(&objects, kind).to_string();
        let script = "import sys\n\
                      from cloudcoil.models.prometheus_operator import v1\n\
                      model = getattr(v1, sys.argv[1]).model_validate_json(sys.argv[2])\n\
                      print(model.model_dump_json(by_alias=True, exclude_unset=True))";
        let Some(mut python) = program("python3") else { return };
        let read: Value = serde_json::from_str(&run(python.args(["-c", script, kind, &object])))
            .expect("Python prints JSON");
        assert_eq!(&read, of_kind(&objects, kind), "{kind}");
    }
}

#[test]
fn a_rule_fires_when_its_trouble_has_lasted_and_not_before() {
    let Some(rules) = Rules::new() else { return };
    let Some(said) = rules.promtool(["check", "rules", "rules.json"]) else { return };
    assert!(said.contains("SUCCESS: 8 rules found"), "{said}");
    let up = |count: usize| (0..count).map(|ordinal| of_pod("up", ordinal, "1x80"));
    let with = |count, more: &[Series]| up(count).chain(more.iter().cloned()).collect::<Vec<_>>();

    rules.check("10m", &with(3, &[]), &["ZooKeeperNoLeader"]);
    rules.check("10m", &with(1, &[]), &[]);
    rules.check("10m", &with(3, &[of_pod("leader_uptime", 0, "0+15000x80")]), &[]);
    let handed_over = [
        of_pod("leader_uptime", 0, "0+15000x20 stale"),
        of_pod("leader_uptime", 1, "_x22 0+15000x60"),
    ];
    rules.check("5m30s", &with(3, &handed_over), &[]);

    let missing = [
        of_pod("leader_uptime", 0, "0+15000x80"),
        of_pod("quorum_size", 0, "3x80"),
        of_pod("synced_followers", 0, "2x20 1x60"),
    ];
    rules.check("10m", &with(3, &missing), &[]);
    rules.check("11m", &with(3, &missing), &["ZooKeeperVoterMissing"]);

    let down = [of_pod("leader_uptime", 0, "0+15000x80"), of_pod("up", 2, "1x20 0x60")];
    rules.check("10m", &with(2, &down), &[]);
    rules.check("11m", &with(2, &down), &["ZooKeeperPodDown"]);

    for (name, values, expected) in [
        ("digest_mismatches_count", "0x80", None),
        ("digest_mismatches_count", "0x79 1x1", Some("ZooKeeperTreesDiffer")),
        ("looking_count", "1x20 2x20 3x40", None),
        ("looking_count", "1+1x80", Some("ZooKeeperElectionsAgainAndAgain")),
        ("outstanding_requests", "400x80", None),
        ("outstanding_requests", "800x80", Some("ZooKeeperRequestsPileUp")),
    ] {
        rules.check("20m", &[of_pod(name, 0, values)], expected.as_slice());
    }

    let flushes = of_pod("fsynctime_count", 0, "0+10x80");
    for (time, expected) in [("0+300x80", &[][..]), ("0+3000x80", &["ZooKeeperSlowDisk"])] {
        rules.check("20m", &[flushes.clone(), of_pod("fsynctime_sum", 0, time)], expected);
    }

    let volume = |name: &str, bytes: &str| {
        let labels = "namespace=\"default\",persistentvolumeclaim=\"datadir-zk-2\"";
        (format!("kubelet_volume_stats_{name}_bytes{{{labels}}}"), format!("{bytes}x80"))
    };
    for (free, expected) in [("20", &[][..]), ("9", &["ZooKeeperVolumeFillsUp"])] {
        rules.check("10m", &[volume("capacity", "100"), volume("available", free)], expected);
    }
}

/// What a pod exports of what the rules look at, as it would be fetched for twenty minutes; of a pod that is gone,
/// that it is.
fn fetched(
    rules: &Rules,
    (port, path): &(u16, String),
    ordinal: usize,
    pod: Option<&Container>,
) -> Vec<Series> {
    let Some(pod) = pod else { return vec![of_pod("up", ordinal, "0x80")] };
    let (body, names) = (metrics(pod, *port, path), rules.names());
    let samples = body.lines().filter_map(|line| {
        let (name, value) = line.split_once(' ')?;
        let value: f64 = value.parse().ok()?;
        names.iter().any(|known| known == name).then_some((name, value))
    });
    let samples = samples.map(|(name, value)| of_pod(name, ordinal, &format!("{value}x80")));
    samples.chain([of_pod("up", ordinal, "1x80")]).collect()
}

#[test]
fn the_rules_know_a_real_ensemble_that_is_well_from_one_that_is_not() {
    let Some(engine) = Engine::get() else { return };
    let (Some(objects), Some(rules)) = (variant(), Rules::new()) else { return };
    let Some(set) = Set::of_variant(engine, Image::Scratch, VARIANT) else { return };
    let endpoint = endpoint(&objects);
    let mut pods: Vec<_> = (0..3).map(|ordinal| Some(set.pod(ordinal))).collect();
    pods.iter().flatten().for_each(|pod| set.await_ready(pod));
    let all = |pods: &[Option<Container>]| {
        let of_each = pods.iter().enumerate();
        of_each
            .flat_map(|(ordinal, pod)| fetched(&rules, &endpoint, ordinal, pod.as_ref()))
            .collect::<Vec<_>>()
    };
    let series = all(&pods);
    let is_not_ours = |name: &str| name == "up" || name.starts_with("kubelet_");
    for name in rules.names().iter().filter(|name| !is_not_ours(name)) {
        let is_exported = series.iter().any(|(series, _)| series.starts_with(&format!("{name}{{")));
        assert!(is_exported, "no pod has {name}");
    }
    rules.check("10m", &series, &[]);

    let leads = |pod: &Container| pod.await_serving().contains("Mode: leader");
    let follower = pods.iter().position(|pod| !leads(pod.as_ref().expect("all run")));
    pods[follower.expect("two follow")] = None;
    let is_noticed = |body: &str| body.contains("\nsynced_followers 1.0\n");
    await_metrics(&pods, &endpoint, is_noticed);
    rules.check("10m", &all(&pods), &["ZooKeeperPodDown", "ZooKeeperVoterMissing"]);

    let another = pods.iter().position(Option::is_some).expect("two run");
    pods[another] = None;
    await_metrics(&pods, &endpoint, |body| !body.contains("\nleader_uptime "));
    rules.check("10m", &all(&pods), &["ZooKeeperNoLeader", "ZooKeeperPodDown"]);
}

/// Waits until one of the pods exports what is looked for.
fn await_metrics(
    pods: &[Option<Container>],
    (port, path): &(u16, String),
    is_there: impl Fn(&str) -> bool,
) {
    await_until("a pod has noticed", Duration::from_secs(60), || {
        let mut bodies = pods.iter().flatten().map(|pod| metrics(pod, *port, path));
        bodies.any(|body| is_there(&body)).then_some(())
    });
}
