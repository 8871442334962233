//! Variants put together: each two of them make a set that starts, or say that they do not go together.

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;

use serde_json::Value;

use crate::engine::root;
use crate::python::{objects, program};
use crate::tools::output;

/// The names of all components, and for each those that its first lines exclude.
fn components() -> Vec<(String, BTreeSet<String>)> {
    let entries = fs::read_dir(root().join("kustomize/components")).expect("it is there");
    let component = |entry: fs::DirEntry| {
        let text = fs::read_to_string(entry.path().join("kustomization.yaml")).expect("it has one");
        let excluded = text.lines().filter_map(|line| line.strip_prefix("# Not with: "));
        let names = excluded.flat_map(|names| names.trim_end_matches('.').split(", "));
        let names = names.map(str::to_owned).collect();
        (entry.file_name().to_string_lossy().into_owned(), names)
    };
    let mut components: Vec<_> = entries.map(|entry| component(entry.expect("listed"))).collect();
    components.sort();
    components
}

/// The StatefulSet of some components upon the plain manifests, or why there is none.
fn set(names: &[&str]) -> Option<Result<Value, String>> {
    // Paths of a kustomization are below it or beside it.
    let folder = tempfile::tempdir().expect("a scratch folder");
    for name in ["k8s", "kustomize"] {
        let copied =
            Command::new("cp").arg("-r").arg(root().join(name)).arg(folder.path()).status();
        assert!(copied.is_ok_and(|status| status.success()), "{name} is copied");
    }
    let own = folder.path().join("kustomize/own");
    fs::create_dir(&own).expect("ours");
    let list: String = names.iter().map(|name| format!("  - ../components/{name}\n")).collect();
    let text = format!(
        "apiVersion: kustomize.config.k8s.io/v1beta1\nkind: Kustomization\nresources:\n  - ../../k8s\n\
         components:\n{list}"
    );
    fs::write(own.join("kustomization.yaml"), text).expect("ours");
    let rendered = output(program("kubectl")?.arg("kustomize").arg(&own));
    if !rendered.status.success() {
        return Some(Err(String::from_utf8_lossy(&rendered.stderr).into_owned()));
    }
    let objects = objects(&String::from_utf8_lossy(&rendered.stdout))?;
    let set = objects.into_iter().find(|object| object["kind"] == "StatefulSet");
    Some(Ok(set.expect("the set is there")))
}

/// What is against starting its first pod and its last.
fn refusal(set: &Value) -> Result<(), String> {
    let spec = &set["spec"];
    let container = &spec["template"]["spec"]["containers"][0];
    let replicas = spec["replicas"].as_u64().expect("a number");
    let words = |list: &Value| -> Vec<String> {
        let words = list.as_array().cloned().unwrap_or_default();
        words.iter().map(|word| word.as_str().expect("a text").to_owned()).collect()
    };
    let command = words(&container["command"]);
    for ordinal in [0, replicas - 1] {
        let mut dry = Command::new(env!("CARGO_BIN_EXE_zookeeper"));
        dry.args(&command).args(["--dry-run", "--domain=x.org"]);
        let told = output(dry.arg(format!("--hostname=zk-{ordinal}")));
        if !told.status.success() {
            return Err(String::from_utf8_lossy(&told.stderr).into_owned());
        }
    }
    let servers =
        |words: &[String]| words.iter().find(|word| word.starts_with("--servers=")).cloned();
    let hook = words(&container["lifecycle"]["preStop"]["exec"]["command"]);
    match servers(&hook) {
        Some(other) if Some(&other) != servers(&command).as_ref() => {
            Err(format!("the hook has {other}"))
        }
        _ => Ok(()),
    }
}

#[test]
fn each_two_components_make_a_set_that_starts_or_exclude_each_other() {
    let components = components();
    for (at, (one, excluded)) in components.iter().enumerate() {
        for (other, excluded_too) in &components[at + 1..] {
            let Some(set) = set(&[one, other]) else { return };
            let outcome = set.and_then(|set| refusal(&set));
            let said = [excluded.contains(other), excluded_too.contains(one)];
            assert_eq!(said[0], said[1], "{one} and {other} say the same of each other");
            assert_eq!(outcome.is_err(), said[0], "{one} and {other}: {outcome:?}");
        }
    }
}
