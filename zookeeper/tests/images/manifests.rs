//! The manifests as text: each against Kubernetes' own schemas, and all of them against each other.

use std::fs;

use serde_json::{Value, json};

use crate::engine::root;
use crate::python::{objects, program};
use crate::tools::{output, run};

/// The plain manifests and each variant, as they are applied.
fn rendered() -> Option<Vec<(String, String)>> {
    let mut folders = vec!["k8s".to_owned()];
    folders.extend(listed("kustomize").into_iter().filter(|name| name != "kustomize/components"));
    folders.sort();
    let render = |folder: String| {
        let text = run(program("kubectl")?.arg("kustomize").arg(root().join(&folder)));
        Some((folder, text + "\n"))
    };
    folders.into_iter().map(render).collect()
}

/// What is in a folder of the workspace, as paths from there.
fn listed(folder: &str) -> Vec<String> {
    let entries = fs::read_dir(root().join(folder)).expect("it is there");
    let name = |entry: fs::DirEntry| entry.file_name().to_string_lossy().into_owned();
    entries.map(|entry| format!("{folder}/{}", name(entry.expect("listed")))).collect()
}

/// Whoever finds a variant that is no component cannot put it together with another.
#[test]
fn each_variant_is_one_component_upon_the_plain_manifests() {
    let mut components = listed("kustomize/components");
    components.sort();
    assert!(!components.is_empty());
    for component in components {
        let name = component.rsplit('/').next().expect("at least one piece");
        let variant = root().join(format!("kustomize/{name}/kustomization.yaml"));
        let text = fs::read_to_string(&variant).expect("each has its variant");
        let below = format!("resources:\n  - ../../k8s\ncomponents:\n  - ../components/{name}\n");
        assert!(text.ends_with(&below), "{name}: {text}");
    }
}

#[test]
fn every_manifest_is_valid_for_old_and_new_clusters() {
    let Some(rendered) = rendered() else { return };
    let folder = tempfile::tempdir().expect("a scratch folder");
    for (name, text) in rendered {
        let Some(objects) = objects(&text) else { return };
        // JSON is YAML. The schemas are those of Kubernetes alone.
        let of_kubernetes = objects.iter().filter(|object| !is_of_operator(object));
        let text: String = of_kubernetes.map(|object| format!("---\n{object}\n")).collect();
        let path = folder.path().join(name.replace('/', "-") + ".yaml");
        fs::write(&path, text).expect("written");
        for version in ["1.27", "1.30", "1.33", "1.37"] {
            let Some(mut validate) = program("kubernetes-validate") else { return };
            let output = output(validate.args(["--strict", "-k", version]).arg(&path));
            let told = String::from_utf8_lossy(&output.stdout).into_owned()
                + &String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{name}, {version}: {told}");
            // A version of the API that is gone is no more than a warning there.
            assert!(!told.contains("WARN"), "{name}, {version}: {told}");
        }
    }
}

/// Those of the Prometheus operator, which a plain cluster does not know.
fn is_of_operator(object: &Value) -> bool {
    object["apiVersion"]
        .as_str()
        .is_some_and(|version| version.starts_with("monitoring.coreos.com/"))
}

#[test]
fn only_the_operators_variant_needs_the_operator() {
    let Some(rendered) = rendered() else { return };
    for (name, text) in rendered {
        let Some(objects) = objects(&text) else { return };
        let needs_it = objects.iter().any(is_of_operator);
        assert_eq!(needs_it, name == "kustomize/monitoring-operator", "{name}");
    }
}

#[test]
fn the_objects_of_each_variant_fit_together() {
    let Some(rendered) = rendered() else { return };
    for (name, text) in rendered {
        let Some(objects) = objects(&text) else { return };
        let of_kind = |kind: &str| {
            objects.iter().filter(|object| object["kind"] == kind).cloned().collect::<Vec<_>>()
        };
        let sets = of_kind("StatefulSet");
        assert_eq!(sets.len(), 1, "{name}");
        let spec = &sets[0]["spec"];
        let pod = &spec["template"];
        let labels = &pod["metadata"]["labels"];
        assert!(selects(&spec["selector"]["matchLabels"], labels), "{name}: the set's own pods");
        check_services(&name, &of_kind("Service"), spec, labels);
        for budget in of_kind("PodDisruptionBudget") {
            assert!(selects(&budget["spec"]["selector"]["matchLabels"], labels), "{name}: budget");
            assert_eq!(budget["spec"]["maxUnavailable"], 1);
            assert!(spec["replicas"].as_u64() > Some(1), "{name}: one pod could never be drained");
        }
        for policy in of_kind("NetworkPolicy") {
            assert!(selects(&policy["spec"]["podSelector"]["matchLabels"], labels), "{name}");
            check_policy(&name, &policy, &pod["spec"]["containers"][0]["ports"]);
        }
        for spread in pod["spec"]["topologySpreadConstraints"].as_array().expect("a list") {
            assert!(selects(&spread["labelSelector"]["matchLabels"], labels), "{name}: spread");
            assert_eq!(spread["whenUnsatisfiable"], "ScheduleAnyway", "{name}: one node is enough");
        }
        let accounts = of_kind("ServiceAccount");
        assert_eq!(accounts[0]["metadata"]["name"], pod["spec"]["serviceAccountName"], "{name}");
        for binding in of_kind("RoleBinding") {
            let bound = [&binding["roleRef"]["name"], &binding["subjects"][0]["name"]];
            assert_eq!(
                bound,
                [&of_kind("Role")[0]["metadata"]["name"], &accounts[0]["metadata"]["name"]]
            );
            let rule = &of_kind("Role")[0]["rules"][0];
            assert_eq!(rule["resourceNames"][0], sets[0]["metadata"]["name"], "{name}");
        }
        check_members(&name, spec);
        check_mounts(&name, spec);
    }
}

/// Whether all labels asked for are there; those that a controller adds are taken for granted.
fn selects(selector: &Value, labels: &Value) -> bool {
    let selector = selector.as_object().expect("labels");
    let is_there = |(key, value): (&String, &Value)| {
        key.starts_with("statefulset.kubernetes.io/") || labels[key] == *value
    };
    !selector.is_empty() && selector.iter().all(is_there)
}

fn check_services(name: &str, services: &[Value], spec: &Value, labels: &Value) {
    let ports = spec["template"]["spec"]["containers"][0]["ports"].as_array().expect("ports");
    for service in services {
        assert!(selects(&service["spec"]["selector"], labels), "{name}: {service}");
        for port in service["spec"]["ports"].as_array().expect("ports") {
            let is_same = |other: &&Value| {
                other["name"] == port["name"] && other["containerPort"] == port["port"]
            };
            assert!(ports.iter().any(|other| is_same(&other)), "{name}: {port} leads nowhere");
        }
    }
    let of_set = services.iter().find(|service| service["metadata"]["name"] == spec["serviceName"]);
    let of_set = &of_set.expect("the set's service is there")["spec"];
    assert_eq!(of_set["clusterIP"], "None", "{name}: names of pods need a headless service");
    assert_eq!(of_set["publishNotReadyAddresses"], true, "{name}: no quorum could form");
    assert_eq!(
        spec["podManagementPolicy"], "Parallel",
        "{name}: the first pod would wait for ever"
    );
}

/// A port that no rule names would be shut to everybody.
fn check_policy(name: &str, policy: &Value, ports: &Value) {
    let rules = policy["spec"]["ingress"].as_array().expect("rules").iter();
    let open = rules.flat_map(|rule| rule["ports"].as_array().expect("ports"));
    let open: Vec<_> = open.map(|port| &port["port"]).collect();
    for port in ports.as_array().expect("ports") {
        assert!(open.contains(&&port["name"]), "{name}: {port} is shut");
    }
}

/// As many pods as members, an odd number of them with a vote.
fn check_members(name: &str, spec: &Value) {
    let command = spec["template"]["spec"]["containers"][0]["command"].as_array().expect("words");
    let number = |flag: &str| -> u64 {
        let words = command.iter().filter_map(Value::as_str);
        let mut values = words.filter_map(|word| word.strip_prefix(flag));
        values.next().map_or(0, |value| value.parse().expect("a number"))
    };
    let (servers, observers) = (number("--servers="), number("--observers="));
    assert_eq!(spec["replicas"], servers + observers, "{name}");
    assert_eq!(servers % 2, 1, "{name}: an even number tolerates no more failures than one less");
}

fn check_mounts(name: &str, spec: &Value) {
    let names = |list: &Value, path: &str| -> Vec<String> {
        let items = list.as_array().cloned().unwrap_or_default();
        let named = items.iter().map(|item| item.pointer(path).expect("a name").clone());
        named.map(|name| name.as_str().expect("a text").to_owned()).collect()
    };
    let pod = &spec["template"]["spec"];
    let mut there = names(&pod["volumes"], "/name");
    there.extend(names(&spec["volumeClaimTemplates"], "/metadata/name"));
    let mut used = names(&pod["containers"][0]["volumeMounts"], "/name");
    there.sort();
    used.sort();
    assert_eq!(there, used, "{name}: volumes and mounts");
}

/// Kubernetes' standard of that name, point by point, a root that cannot be written, and no token for nothing.
#[test]
fn every_pod_is_restricted() {
    let Some(rendered) = rendered() else { return };
    for (name, text) in rendered {
        let Some(objects) = objects(&text) else { return };
        let set = first(&objects, "StatefulSet").expect("a StatefulSet is there");
        let pod = &set["spec"]["template"]["spec"];
        for key in ["hostNetwork", "hostPID", "hostIPC"] {
            assert!(pod[key].is_null(), "{name}: {key}");
        }
        let user = &pod["securityContext"];
        assert_eq!(user["runAsNonRoot"], true, "{name}");
        assert!(user["runAsUser"].as_u64() > Some(0), "{name}");
        assert_eq!(user["seccompProfile"]["type"], "RuntimeDefault", "{name}");
        for volume in pod["volumes"].as_array().expect("volumes") {
            assert!(volume["emptyDir"].is_object(), "{name}: {volume}");
        }
        for container in pod["containers"].as_array().expect("containers") {
            let context = &container["securityContext"];
            assert_eq!(context["allowPrivilegeEscalation"], false, "{name}");
            assert_eq!(context["capabilities"], json!({"drop": ["ALL"]}), "{name}");
            assert!(context["privileged"].is_null(), "{name}");
            assert_eq!(context["readOnlyRootFilesystem"], true, "{name}");
            for port in container["ports"].as_array().expect("ports") {
                assert!(port["hostPort"].is_null(), "{name}: {port}");
            }
        }
        let has_rights = first(&objects, "RoleBinding").is_some();
        assert_eq!(pod["automountServiceAccountToken"], has_rights, "{name}");
        let account = first(&objects, "ServiceAccount").expect("an account is there");
        assert_eq!(account["automountServiceAccountToken"], false, "{name}");
    }
}

fn first<'a>(objects: &'a [Value], kind: &str) -> Option<&'a Value> {
    objects.iter().find(|object| object["kind"] == kind)
}

#[test]
fn what_kubectl_applies_is_what_the_variants_build_on() {
    let text = fs::read_to_string(root().join("k8s/Kustomization")).expect("it is there");
    let listed = text.lines().filter_map(|line| line.strip_prefix("  - "));
    let mut listed: Vec<_> = listed.map(str::to_owned).collect();
    let names = self::listed("k8s").into_iter().filter(|name| name.ends_with(".yaml"));
    let mut applied: Vec<_> = names.map(|name| name.replace("k8s/", "")).collect();
    listed.sort();
    applied.sort();
    assert_eq!(listed, applied);
}

#[test]
fn the_dockerfile_has_nothing_that_a_linter_minds() {
    let Some(mut hadolint) = program("hadolint") else { return };
    run(hadolint.arg(root().join("images/Dockerfile")));
}
