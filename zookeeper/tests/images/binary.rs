//! The binary that the build stage makes: what it says of itself, and what it costs to make again.

use std::collections::BTreeSet;
use std::fs;
use std::io::Read;
use std::process::Command;

use serde_json::Value;

use crate::engine::{Engine, root};
use crate::images::{self, BUILD_STAGE, Context};
use crate::tools::{self, run};

/// Crates as scanners read them from the binary, each as `tokio 1.0.0`, but for those of build scripts.
fn listed(engine: &Engine) -> BTreeSet<String> {
    let binary = images::binary(engine, BUILD_STAGE);
    let section = tempfile::NamedTempFile::new().expect("a scratch file");
    let mut objcopy = Command::new("objcopy");
    objcopy.arg(format!("--dump-section=.dep-v0={}", section.path().display()));
    run(objcopy.arg(&binary).arg("/dev/null"));
    let mut text = String::new();
    let section = fs::File::open(section.path()).expect("objcopy has written it");
    flate2::read::ZlibDecoder::new(section)
        .read_to_string(&mut text)
        .expect("the section, packed by zlib");
    let list: Value = serde_json::from_str(&text).expect("JSON");
    let packages = list["packages"].as_array().expect("packages");
    let packages = packages.iter().filter(|package| package["kind"] != "build");
    packages
        .map(|package| format!("{} {}", text_of(&package["name"]), text_of(&package["version"])))
        .collect()
}

fn text_of(value: &Value) -> &str {
    value.as_str().expect("a text")
}

/// Crates that the compiler links.
fn linked() -> BTreeSet<String> {
    let host = run(Command::new("rustc").args(["--print", "host-tuple"]));
    let mut tree = Command::new(env!("CARGO"));
    tree.args(["tree", "--locked", "--package=zookeeper", "--edges=normal,no-proc-macro"]);
    tree.args(["--prefix=none", "--format={p}", "--target", &host]).current_dir(root());
    let line = |line: &str| {
        let mut words = line.split_whitespace();
        Some(format!("{} {}", words.next()?, words.next()?.trim_start_matches('v')))
    };
    run(&mut tree).lines().filter_map(line).collect()
}

/// All crates that the lock file knows.
fn locked() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("Cargo.lock")).expect("it is there");
    let value = |line: &str, key: &str| {
        line.strip_prefix(key).map(|rest| rest.trim_matches(['"', ' ', '=']).to_owned())
    };
    let lines: Vec<_> = text.lines().collect();
    let pair =
        |pair: &[&str]| Some(format!("{} {}", value(pair[0], "name")?, value(pair[1], "version")?));
    lines.windows(2).filter_map(pair).collect()
}

#[test]
fn the_binary_lists_the_crates_that_it_is_made_of() {
    let Some(engine) = Engine::get().filter(|_| tools::is_there("objcopy")) else { return };
    let (listed, linked, locked) = (listed(engine), linked(), locked());
    assert!(linked.iter().any(|name| name.starts_with("tokio ")), "{linked:?}");
    // Listed are some crates more, that only wrote code of others.
    assert_eq!(linked.difference(&listed).collect::<Vec<_>>(), [""; 0], "linked, not listed");
    assert_eq!(listed.difference(&locked).collect::<Vec<_>>(), [""; 0], "listed, in no lock file");
}

#[test]
fn the_binary_has_no_path_of_the_place_where_it_was_made() {
    let Some(engine) = Engine::get() else { return };
    let binary = fs::read(images::binary(engine, BUILD_STAGE)).expect("it is readable");
    let has = |text: &str| binary.windows(text.len()).any(|bytes| bytes == text.as_bytes());
    assert!(has("server/src/"), "panics and log events name their place");
    for folder in ["/build/", "/usr/local/cargo", "/usr/local/rust"] {
        assert!(!has(folder), "{folder}");
    }
}

#[test]
fn a_change_of_code_compiles_no_dependency_again() {
    let Some(engine) = Engine::get() else { return };
    let context = Context::new(None);
    let dependencies = || {
        let builder = images::classic(engine);
        run(&mut images::compiling(engine, builder, &context, "dependencies", DEPENDENCIES));
        run(engine.docker().args(["image", "inspect", "--format={{.Id}}", DEPENDENCIES]))
    };
    let before = dependencies();
    let code = context.path().join("zk-core/src/lib.rs");
    let changed = fs::read_to_string(&code).expect("it is there") + "\n// One more line.\n";
    fs::write(code, changed).expect("written");
    assert_eq!(dependencies(), before, "the stage is another now");

    // Nor does the stage with the code: what it has of other crates is, to the moment, what it was given.
    let compiled = |image: &str| {
        let script = "stat --format='%n %y' target/*/release/deps/lib*.rlib";
        let mut docker = engine.docker();
        let list = run(docker.args(["run", "--rm", "--network=none", image, "sh", "-c", script]));
        list.lines().map(str::to_owned).collect::<BTreeSet<_>>()
    };
    let (given, all) = (compiled(DEPENDENCIES), compiled(BUILD_STAGE));
    let is_own = |file: &str| OWN.iter().any(|name| file.contains(&format!("/lib{name}")));
    let again = given.difference(&all).filter(|file| !is_own(file)).collect::<Vec<_>>();
    assert_eq!(again, [""; 0]);
    assert!(given.iter().any(|file| file.contains("/libtokio-")), "{given:?}");
}

const DEPENDENCIES: &str = "zookeeper-test:dependencies";
/// How the names of our own crates begin.
const OWN: [&str; 3] = ["start_zookeeper", "zk", "zookeeper"];
