//! What the images are made of: sizes, settings, and a list of folders that any user may write to.

use crate::container::{Container, Options};
use crate::engine::Engine;
use crate::images::Image;
use crate::tools::run;

fn inspect(engine: &Engine, image: &str, format: &str) -> String {
    run(engine.docker().args(["image", "inspect", "--format", format, image]))
}

/// Megabytes as the issue of an image's size counts them.
fn bytes(engine: &Engine, image: &str) -> u64 {
    inspect(engine, image, "{{.Size}}").parse().expect("a number")
}

#[test]
fn an_image_adds_at_most_twelve_megabytes_to_its_base() {
    let Some(engine) = Engine::get() else { return };
    for image in Image::ALL {
        let all = bytes(engine, image.tag());
        let added = all - image.base().map_or(0, |base| bytes(engine, base));
        println(&format!("{}: {all} bytes, {added} of them ours", image.tag()));
        assert!(added <= 12_000_000, "{}: {added} bytes", image.tag());
    }
}

#[test]
fn settings_are_those_of_the_official_image_and_what_it_lacks() {
    let Some(engine) = Engine::get() else { return };
    for image in Image::ALL {
        let config = inspect(engine, image.tag(), "{{json .Config}}");
        let config: serde_json::Value = serde_json::from_str(&config).expect("JSON");
        assert_eq!(config["Entrypoint"], serde_json::json!(["/docker-entrypoint.sh"]));
        assert_eq!(config["Cmd"], serde_json::json!(["zkServer.sh", "start-foreground"]));
        assert_eq!(config["StopSignal"], "SIGTERM");
        assert_eq!(config["Volumes"], serde_json::Value::Null);
        assert_eq!(config["Healthcheck"]["Test"][0], "CMD", "in exec form");
        let ports = config["ExposedPorts"].as_object().expect("ports").keys();
        let ports: Vec<_> = ports.map(String::as_str).collect();
        assert_eq!(ports, ["2181/tcp", "2888/tcp", "3888/tcp", "7000/tcp", "8080/tcp"]);
        let label = |name: &str| &config["Labels"][format!("org.opencontainers.image.{name}")];
        assert_eq!(label("revision"), "0123456789");
        assert_eq!(label("version"), env!("CARGO_PKG_VERSION"));
        assert_eq!(label("licenses"), "Apache-2.0");
        let user = if image == Image::Scratch { "1000:0" } else { "" };
        assert_eq!(config["User"].as_str().unwrap_or_default(), user, "{image:?}");
    }
}

#[test]
fn any_user_of_group_0_may_write_to_the_folders_and_nobody_else() {
    let Some(engine) = Engine::get() else { return };
    let folders = "/data /datalog /conf /logs /var/lib/zookeeper/data /var/lib/zookeeper/log \
                   /opt/zookeeper/conf /bitnami/zookeeper/data /opt/bitnami/zookeeper/conf";
    let script = format!("stat -c '%u:%g %a %n' {folders}");
    for image in [Image::Slim, Image::Busybox] {
        let options = Options::default().flag("--entrypoint=sh").command(&["-c", &script]);
        let container = Container::start(engine, image, &options);
        assert_eq!(container.await_end(), 0, "{}", container.log());
        for line in container.log().lines() {
            assert!(line.starts_with("1000:0 775 /"), "{line}");
        }
    }
}

#[test]
fn the_build_stage_copies_the_manifest_of_every_crate() {
    let root = crate::engine::root();
    let read = |path: &str| std::fs::read_to_string(root.join(path)).expect("it is there");
    let (manifest, dockerfile) = (read("Cargo.toml"), read("images/Dockerfile"));
    let members = manifest.lines().skip_while(|line| *line != "members = [").skip(1);
    for member in members.take_while(|line| *line != "]") {
        let name = member.trim().trim_matches(['"', ',']);
        let line = format!("COPY {name}/Cargo.toml {name}/");
        assert!(dockerfile.lines().any(|other| other == line), "images/Dockerfile lacks `{line}`");
    }
}

/// Straight to the test's output, past what the harness keeps of passing tests.
pub(crate) fn println(text: &str) {
    use std::io::Write;
    let _ = writeln!(std::io::stderr(), "images: {text}");
}
