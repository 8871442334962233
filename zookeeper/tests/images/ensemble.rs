//! Three members by the official image's variables, on a network of their own names.

use crate::container::{Container, Network, Options};
use crate::deadline::await_until;
use crate::engine::Engine;
use crate::images::Image;

use std::time::Duration;

/// Names that no other test of this run has.
fn name(number: usize) -> String {
    format!("zoo{number}-{}", std::process::id())
}

fn member(engine: &'static Engine, image: Image, number: usize) -> Container {
    let servers: Vec<_> =
        (1..=3).map(|n| format!("server.{n}={}:2888:3888;2181", name(n))).collect();
    let options = Options::default()
        .env("ZOO_MY_ID", &number.to_string())
        .env("ZOO_SERVERS", &servers.join(" "));
    Container::named(engine, &name(number), image, &options)
}

/// As many compose files have it, because of a server that could not bind to its own name once.
fn member_at_any_address(engine: &'static Engine, network: &Network, number: usize) -> Container {
    let host = |n| if n == number { "0.0.0.0".to_owned() } else { format!("zoo{n}") };
    let servers: Vec<_> =
        (1..=3).map(|n| format!("server.{n}={}:2888:3888;2181", host(n))).collect();
    let options = Options::default()
        .network(network)
        .flag(format!("--network-alias=zoo{number}"))
        .env("ZOO_MY_ID", &number.to_string())
        .env("ZOO_SERVERS", &servers.join(" "));
    Container::start(engine, Image::Scratch, &options)
}

fn mode(container: &Container) -> Option<String> {
    let answer = container.ask("srvr").ok()?;
    Some(answer.lines().find_map(|line| line.strip_prefix("Mode: "))?.to_owned())
}

pub(crate) fn await_leader(members: &[Container]) -> usize {
    await_until("one leads and all serve", Duration::from_secs(60), || {
        let modes: Option<Vec<_>> = members.iter().map(mode).collect();
        let modes = modes?;
        let leads = |mode: &String| mode == "leader";
        (modes.iter().filter(|mode| leads(mode)).count() == 1)
            .then(|| modes.iter().position(leads).expect("counted"))
    })
}

#[test]
fn three_members_by_variables_serve_and_survive_the_leader() {
    let Some(engine) = Engine::get() else { return };
    // One of each image: the variables mean the same in all.
    let images = [Image::Slim, Image::Busybox, Image::Scratch];
    let members: Vec<_> =
        images.iter().zip(1..).map(|(image, number)| member(engine, *image, number)).collect();
    let leader = await_leader(&members);
    members[leader].says(&format!("server {} (from ZOO_MY_ID)", leader + 1));
    let (took, code) = members[leader].stop();
    assert_eq!(code, 0, "{}", members[leader].log());
    assert!(took < Duration::from_secs(2), "it took {took:?} to stop");
    members[leader].start_again();
    await_leader(&members);
}

/// Each has another list than the others, and so has each leader.
#[test]
fn members_whose_own_address_is_any_follow_every_leader() {
    let Some(engine) = Engine::get() else { return };
    let network = Network::new(engine);
    let members: Vec<_> = (1..=3).map(|n| member_at_any_address(engine, &network, n)).collect();
    let leader = await_leader(&members);
    members[leader].say(&["zkCli.sh", "create", "/kept", "value"]);
    members[leader].stop();
    let others: Vec<_> = (0..3).filter(|&n| n != leader).collect();
    await_until("the others elect one of them", Duration::from_secs(60), || {
        let modes: Vec<_> = others.iter().map(|&n| mode(&members[n])).collect();
        modes.contains(&Some("leader".to_owned())).then_some(())
    });
    members[leader].start_again();
    await_leader(&members);
    for member in &members {
        let said = member.say(&["zkCli.sh", "get", "/kept"]);
        assert!(said.lines().any(|line| line == "value"), "{said}");
    }
}
