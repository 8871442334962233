//! The services of `images/compose.yaml`, started with what `docker-compose` makes of the file.

use serde_json::Value;

use crate::container::{Container, Network, Options};
use crate::engine::{Engine, root};
use crate::ensemble::await_leader;
use crate::images::Image;
use crate::python::objects;
use crate::tools::{run, tool};

/// The services of a profile. Ports of the host are left out: they may be taken.
fn start(engine: &'static Engine, network: &Network, profile: &str) -> Option<Vec<Container>> {
    let mut compose = tool("docker-compose")?;
    compose.arg("--file").arg(root().join("images/compose.yaml"));
    let text = run(compose.args(["--profile", profile, "config"]).env("IMAGE", Image::Slim.tag()));
    let file = objects(&text)?.remove(0);
    let services = file["services"].as_object().expect("services");
    let of_profile = services.iter().filter(|(_, service)| service["profiles"][0] == profile);
    let start = |(name, service): (&String, &Value)| {
        let texts = |key: &str| {
            let items = service[key].as_array().expect("a list").iter();
            items.map(|item| item.as_str().expect("a text").to_owned()).collect::<Vec<_>>()
        };
        let mut options =
            Options::default().network(network).flag(format!("--network-alias={name}"));
        assert_eq!(service["image"], Image::Slim.tag());
        assert_eq!(service["read_only"], true);
        options = options.flag("--read-only");
        for (flag, key) in [
            ("--cap-drop", "cap_drop"),
            ("--cap-add", "cap_add"),
            ("--security-opt", "security_opt"),
        ] {
            options = texts(key)
                .iter()
                .fold(options, |options, text| options.flag(format!("{flag}={text}")));
        }
        for volume in texts("volumes") {
            let volume = volume.strip_suffix(":rw").expect("it is written to");
            let (name, path) = volume.split_once(':').expect("a name and a path");
            assert!(file["volumes"].as_object().expect("volumes").contains_key(name), "{name}");
            options = options.flag(format!("--volume={path}"));
        }
        let variables = service["environment"].as_object().cloned().unwrap_or_default();
        for (name, value) in variables {
            options = options.env(&name, value.as_str().expect("a text"));
        }
        Container::start(engine, Image::Slim, &options)
    };
    Some(of_profile.map(start).collect())
}

#[test]
fn one_node_serves() {
    let Some(engine) = Engine::get() else { return };
    let network = Network::new(engine);
    let Some(containers) = start(engine, &network, "one") else { return };
    assert_eq!(containers.len(), 1);
    assert!(containers[0].await_serving().contains("Mode: standalone"));
}

#[test]
fn three_nodes_are_an_ensemble() {
    let Some(engine) = Engine::get() else { return };
    let network = Network::new(engine);
    let Some(containers) = start(engine, &network, "three") else { return };
    assert_eq!(containers.len(), 3);
    await_leader(&containers);
}
