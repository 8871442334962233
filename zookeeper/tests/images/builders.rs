//! The same images by every builder that people have: Docker's classic one, BuildKit and buildah.
//!
//! BuildKit compiles for itself, on two cores in some minutes, and only once. Tests run in the order of their names, so
//! this is over before those that measure time.

use std::collections::BTreeMap;
use std::io::Write;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::time::Instant;

use serde_json::Value;

use crate::buildah::Buildah;
use crate::engine::Engine;
use crate::images::{self, BUILD_STAGE, Context, Image};
use crate::layers::println;
use crate::tools::{run, skip};

#[test]
fn buildkit_makes_the_images_of_the_classic_builder() {
    let Some(engine) = Engine::get() else { return };
    let Some(()) = built_by_buildkit(engine) else { return };
    for image in [Image::Slim, Image::Scratch] {
        same(engine, image.tag(), &by_buildkit(image.target()));
    }
}

#[test]
fn buildkits_binary_is_the_classic_builders_to_the_byte() {
    let Some(engine) = Engine::get() else { return };
    let Some(()) = built_by_buildkit(engine) else { return };
    let read = |build_stage: &str| {
        std::fs::read(images::binary(engine, build_stage)).expect("it is readable")
    };
    assert!(read(BUILD_STAGE) == read(&by_buildkit("build")), "they differ");
}

#[test]
fn buildah_makes_the_images_of_the_classic_builder() {
    let Some(engine) = Engine::get() else { return };
    let Some(buildah) = Buildah::new(engine) else { return };
    let context = Context::new(Some(&images::binary(engine, BUILD_STAGE)));
    for image in [Image::Slim, Image::Scratch] {
        let tag = format!("zookeeper-test:buildah-{}", image.target());
        buildah.hand_over(&buildah.build(&context, image.target(), "docker"), engine, &tag);
        same(engine, image.tag(), &tag);
    }
}

#[test]
fn two_builds_by_buildah_are_one_image() {
    let Some(engine) = Engine::get() else { return };
    let Some(buildah) = Buildah::new(engine) else { return };
    let binary = images::binary(engine, BUILD_STAGE);
    for target in ["slim", "scratch"] {
        let build = || buildah.build(&Context::new(Some(&binary)), target, "oci");
        assert_eq!(build(), build(), "{target}");
    }
}

/// Settings and files of two images.
#[track_caller]
fn same(engine: &Engine, one: &str, other: &str) {
    assert_eq!(settings(engine, one), settings(engine, other), "{one} and {other}");
    let (files, others) = (files(engine, one), files(engine, other));
    let lacking = |files: &[String], others: &[String]| {
        files.iter().filter(|file| !others.contains(file)).cloned().collect::<Vec<_>>()
    };
    assert_eq!(lacking(&files, &others), [""; 0], "in {one} only");
    assert_eq!(lacking(&others, &files), [""; 0], "in {other} only");
    assert!(files.iter().any(|file| file.ends_with(" opt/zookeeper/bin/zookeeper")), "{files:?}");
}

/// What an engine does with an image. Left out is what a builder says of itself, and the PATH that BuildKit
/// writes down and all engines set.
fn settings(engine: &Engine, image: &str) -> BTreeMap<&'static str, Value> {
    let config =
        run(engine.docker().args(["image", "inspect", "--format={{json .Config}}", image]));
    let mut config: Value = serde_json::from_str(&config).expect("JSON");
    if let Some(labels) = config["Labels"].as_object_mut() {
        labels.remove("io.buildah.version");
    }
    if let Some(env) = config["Env"].as_array_mut() {
        env.retain(|variable| !variable.as_str().is_some_and(|text| text.starts_with("PATH=")));
    }
    SETTINGS.iter().map(|&key| (key, config[key].take())).collect()
}

/// One line a file: type and mode, owner, size, name and what it links to.
fn files(engine: &Engine, image: &str) -> Vec<String> {
    let container = run(engine.docker().args(["create", image]));
    let mut export = engine.docker();
    let mut export =
        export.args(["export", &container]).stdout(Stdio::piped()).spawn().expect("docker starts");
    let archive = export.stdout.take().expect("it is piped");
    let list =
        run(Command::new("tar").args(["--list", "--verbose", "--numeric-owner"]).stdin(archive));
    assert!(export.wait().is_ok_and(|status| status.success()), "{image} can be exported");
    run(engine.docker().args(["rm", &container]));
    let without_times = |line: &str| {
        let words: Vec<_> = line.split_whitespace().collect();
        [&words[..3], &words[5..]].concat().join(" ")
    };
    list.lines().map(without_times).collect()
}

/// All targets by BuildKit, which compiles; `None` after saying why the test is skipped.
fn built_by_buildkit(engine: &Engine) -> Option<()> {
    static BUILT: OnceLock<Result<(), String>> = OnceLock::new();
    let build = || {
        let client =
            buildkit(engine).ok_or("no docker client here has BuildKit (Debian: docker.io)")?;
        let started = Instant::now();
        let context = Context::new(None);
        for target in ["build", "slim", "scratch"] {
            let mut builder = engine.client(&client);
            builder.env("DOCKER_BUILDKIT", "1").arg("build");
            run(&mut images::compiling(engine, builder, &context, target, &by_buildkit(target)));
        }
        println(&format!("BuildKit took {:?}", started.elapsed()));
        Ok(())
    };
    BUILT.get_or_init(build).as_ref().map_err(|why: &String| skip(why)).ok().copied()
}

fn by_buildkit(target: &str) -> String {
    format!("zookeeper-test:buildkit-{target}")
}

/// The first client of the path that can: newer ones need a plug-in for it.
fn buildkit(engine: &Engine) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let mut clients = std::env::split_paths(&path).map(|folder| folder.join("docker"));
    clients.find(|client| {
        let mut build = engine.client(client);
        build.env("DOCKER_BUILDKIT", "1").args(["build", "--quiet", "-"]);
        client.is_file() && succeeds(&mut build, "FROM scratch\nLABEL is=empty\n")
    })
}

fn succeeds(command: &mut Command, input: &str) -> bool {
    let pipes = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    let mut child = pipes.spawn().expect("it is a program");
    // One that fails before it reads closes its end.
    let _ = child.stdin.take().expect("it is piped").write_all(input.as_bytes());
    child.wait().is_ok_and(|status| status.success())
}

const SETTINGS: [&str; 10] = [
    "Cmd",
    "Entrypoint",
    "Env",
    "ExposedPorts",
    "Healthcheck",
    "Labels",
    "StopSignal",
    "User",
    "Volumes",
    "WorkingDir",
];
