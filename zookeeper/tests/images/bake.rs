//! `images/docker-bake.hcl` against the Dockerfile that it names.
//!
//! It is read as the language that it is written in; buildx itself has no package in Debian 12.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use serde_json::Value;

use crate::engine::root;
use crate::python::program;
use crate::tools::run;

/// Blocks of the file, by kind and name.
struct BakeFile {
    variables: BTreeMap<String, Value>,
    groups: BTreeMap<String, Value>,
    targets: BTreeMap<String, Value>,
}

impl BakeFile {
    fn read() -> Option<Self> {
        let script = "import hcl2, json, sys\n\
                      options = hcl2.SerializationOptions(strip_string_quotes=True)\n\
                      text = open(sys.argv[1]).read()\n\
                      print(json.dumps(hcl2.loads(text, serialization_options=options)))";
        let path = root().join("images/docker-bake.hcl");
        let json = run(program("python3")?.args(["-c", script]).arg(path));
        let file: Value = serde_json::from_str(&json).expect("Python prints JSON");
        let blocks = |kind: &str| {
            let blocks = file[kind].as_array().unwrap_or_else(|| panic!("a {kind} in {file:#}"));
            let blocks = blocks.iter().flat_map(|block| block.as_object().expect("a block"));
            blocks.map(|(name, body)| (name.clone(), body.clone())).collect()
        };
        Some(Self {
            variables: blocks("variable"),
            groups: blocks("group"),
            targets: blocks("target"),
        })
    }

    /// A key of a target, or of the one that it inherits from.
    fn of_target(&self, name: &str, key: &str) -> Option<&Value> {
        let target = self.targets.get(name).unwrap_or_else(|| panic!("there is no target {name}"));
        target.get(key).or_else(|| {
            let parents = target.get("inherits")?.as_array().expect("a list");
            parents.iter().find_map(|parent| self.of_target(parent.as_str()?, key))
        })
    }

    /// What the variables make of a text.
    fn evaluated(&self, text: &str) -> String {
        let values = self.variables.iter().map(|(name, body)| (name, body["default"].as_str()));
        values.fold(text.to_owned(), |text, (name, value)| {
            text.replace(&format!("${{{name}}}"), value.expect("a default"))
        })
    }
}

#[test]
fn all_targets_are_baked_for_both_architectures_under_names_of_their_own() {
    let Some(file) = BakeFile::read() else { return };
    let dockerfile = fs::read_to_string(root().join("images/Dockerfile")).expect("it is there");
    let targets = texts(&file.groups["default"]["targets"]);
    assert_eq!(targets, ["slim", "scratch"]);
    let mut tags = BTreeSet::new();
    for name in &targets {
        let of =
            |key: &str| file.of_target(name, key).unwrap_or_else(|| panic!("{name} has no {key}"));
        assert_eq!(of("context"), ".");
        assert_eq!(of("dockerfile"), "images/Dockerfile");
        let stage = format!(" AS {}", of("target").as_str().expect("a text"));
        let stages =
            dockerfile.lines().filter(|line| line.starts_with("FROM ") && line.ends_with(&stage));
        assert_eq!(stages.count(), 1, "{name}: `FROM ...{stage}` in images/Dockerfile");
        assert_eq!(texts(of("platforms")), ["linux/amd64", "linux/arm64"], "{name}");
        for tag in texts(of("tags")) {
            assert!(tags.insert(file.evaluated(&tag)), "{tag} is two images");
        }
    }
    let version = env!("CARGO_PKG_VERSION");
    let own = [format!("zookeeper:{version}"), format!("zookeeper:{version}-scratch")];
    assert_eq!(tags, BTreeSet::from(own));
}

#[test]
fn every_argument_that_is_baked_in_is_one_of_the_dockerfile_with_the_same_default() {
    let Some(file) = BakeFile::read() else { return };
    let dockerfile = fs::read_to_string(root().join("images/Dockerfile")).expect("it is there");
    let args = file.of_target("slim", "args").and_then(Value::as_object).expect("arguments");
    assert!(args.contains_key("SOURCE_DATE_EPOCH"), "{args:?}");
    for (name, value) in args {
        let variable = file.variables.get(value.as_str().expect("a name"));
        let default = variable.unwrap_or_else(|| panic!("no variable {value}"))["default"].as_str();
        let default = default.expect("a default");
        let line = format!("ARG {name}={default}");
        assert!(dockerfile.lines().any(|other| other == line), "images/Dockerfile lacks `{line}`");
    }
}

fn texts(list: &Value) -> Vec<String> {
    let items = list.as_array().expect("a list").iter();
    items.map(|item| item.as_str().expect("a text").to_owned()).collect()
}
