//! Starts that are refused before a client could come: the configuration, the port, the directory.

use std::fs;
use std::net::TcpListener;

use crate::load::Load;
use crate::process::Scratch;

/// What a server with these settings says on standard error; `--check` says the same.
fn check_refused(settings: &str, parts: &[&str]) {
    let scratch = Scratch::new(settings);
    for arguments in [&[][..], &["--check"]] {
        scratch.run(scratch.command(arguments)).check(2, parts);
    }
    assert!(!scratch.path("data").exists(), "a refused configuration makes no directory");
}

#[test]
fn a_bad_value_is_refused_with_its_line_its_key_and_what_is_allowed() {
    // Six lines come before.
    for (settings, parts) in [
        ("tickTime=2s\n", &["zoo.cfg:7: tickTime: ", "\"2s\"", "allowed: a whole decimal number"]),
        ("\nclientPort=70000\n", &["zoo.cfg:8: clientPort: ", "70000", "allowed: 0 to 65535"]),
        ("reconfigEnabled=maybe\n", &["zoo.cfg:7: ", "maybe for reconfigEnabled", "'true' or 'f"]),
        ("peerType=guest\n", &["zoo.cfg:7: peerType: ", "guest", "allowed: participant, observer"]),
    ] {
        check_refused(settings, parts);
    }
}

#[test]
fn a_missing_zoo_cfg_is_refused_by_its_name() {
    let scratch = Scratch::new("");
    fs::remove_file(scratch.path("zoo.cfg")).unwrap();
    for arguments in [&[][..], &["--check"]] {
        scratch.run(scratch.command(arguments)).check(2, &["zoo.cfg file is missing; "]);
    }
}

#[test]
fn secured_links_between_servers_are_refused_rather_than_left_open() {
    for (key, what) in [
        ("sslQuorum=true", "TLS between servers (sslQuorum, portUnification)"),
        ("quorum.auth.enableSasl=true", "SASL between servers (quorum.auth.enableSasl)"),
    ] {
        let scratch = Scratch::new(&format!(
            "initLimit=5\nsyncLimit=2\nserver.1=127.0.0.1:23497:23498\n\
             server.2=127.0.0.2:23497:23498\nserver.3=127.0.0.3:23497:23498\n{key}\n"
        ));
        fs::create_dir(scratch.path("data")).unwrap();
        fs::write(scratch.path("data/myid"), "1\n").unwrap();
        let remedy = "is not supported by this server yet; turn it off on all servers";
        scratch.run(scratch.command(&[])).check(2, &[what, remedy]);
        assert!(!scratch.files().exists());
    }
}

#[test]
fn a_port_for_other_servers_in_use_is_refused_with_its_line() {
    for (taken, service) in [(0, "quorum"), (1, "election")] {
        let mut ports = [(); 2].map(|()| Some(TcpListener::bind("127.0.0.1:0").unwrap()));
        let addresses = ports.each_ref().map(|port| port.as_ref().unwrap().local_addr().unwrap());
        let scratch = Scratch::new(&format!(
            "initLimit=5\nsyncLimit=2\nelectionPortBindRetry=1\nserver.1=127.0.0.1:{}:{}\n\
             server.2=127.0.0.2:23497:23498\n",
            addresses[0].port(),
            addresses[1].port(),
        ));
        ports[1 - taken] = None;
        let address = addresses[taken];
        let text = format!("cannot listen on {address}, the {service} port in the line server.1: ");
        fs::create_dir(scratch.path("data")).unwrap();
        fs::write(scratch.path("data/myid"), "1\n").unwrap();
        scratch.run(scratch.command(&[])).check(1, &[&text, "another process has it: stop that"]);
    }
}

#[test]
fn a_second_server_on_a_data_directory_is_refused_and_the_first_goes_on() {
    let scratch = Scratch::new("");
    let first = scratch.serve();
    let mut load = Load::new(scratch.address(), 0, 100);
    load.write(5);
    let second = Scratch::new(&format!("dataDir={}\n", scratch.path("data").display()));
    second.run(second.command(&[])).check(
        3,
        &["cannot use data directory ", "/data/version-2: another server is running on it; stop"],
    );
    load.write(5);
    load.check(scratch.address());
    first.stop();
    let mut taken = second.serve();
    assert!(taken.is_running());
    load.check(second.address());
    taken.stop();
}

#[test]
fn a_client_port_in_use_is_refused() {
    let scratch = Scratch::new("");
    let _other = TcpListener::bind(scratch.address()).unwrap();
    let address = format!("cannot listen on client port {}: ", scratch.address());
    let parts = &[address.as_str(), "Address already in use", "set another clientPort"];
    scratch.run(scratch.command(&[])).check(1, parts);
}

#[test]
fn a_lone_server_names_its_ensemble_once() {
    let scratch = Scratch::new("");
    let named = || {
        scratch.serve().stop();
        fs::read_to_string(scratch.path("data/ensemble.id")).unwrap()
    };
    let id = named();
    assert_eq!(id.len(), "00112233-4455-4677-8899-aabbccddeeff\n".len(), "{id}");
    assert_eq!(named(), id);
    fs::write(scratch.path("data/ensemble.id"), "zk\n").unwrap();
    let refused = scratch.run(scratch.command(&[]));
    refused.check(1, &["/data/ensemble.id holds no ensemble id; restore it, or remove it: "]);
}
