//! Listening on the addresses of the own line.

use std::fs;

use tempfile::TempDir;

use super::*;

fn own_port(host: &str, port: u16) -> OwnPort {
    OwnPort {
        me: ServerId(1),
        service: "election",
        endpoints: vec![Endpoint { host: host.to_owned(), port }],
        on_all_addresses: false,
        attempts: Some(1),
    }
}

#[test]
fn a_name_that_is_no_address_of_this_host_is_listened_on_everywhere() {
    run(async {
        let folder = TempDir::new().unwrap();
        let names = Names {
            hosts: folder.path().join("hosts"),
            resolv_conf: folder.path().join("resolv.conf"),
        };
        // Debian gives the own name the second; the third is kept for examples.
        fs::write(&names.hosts, "127.0.0.1 zk-0\n127.0.1.1 zk-1\n192.0.2.7 zk-2\n").unwrap();
        for (host, is_everywhere) in [
            ("127.0.0.1", false),
            ("::1", false),
            ("localhost", false),
            ("zk-0", true),
            ("zk-1", true),
            ("zk-2", true),
            ("192.0.2.7", true),
            ("zk-9.nowhere", true),
            ("0.0.0.0", true),
        ] {
            let listeners = own_port(host, 0).open(&names).await.unwrap();
            let addresses: Vec<_> =
                listeners.iter().map(|listener| listener.local_addr().unwrap()).collect();
            let found = addresses.iter().all(|address| address.ip().is_unspecified());
            assert_eq!(found, is_everywhere, "{host}: {addresses:?}");
        }
        let mut port = own_port("127.0.0.1", 0);
        port.on_all_addresses = true;
        let listeners = port.open(&names).await.unwrap();
        assert!(listeners[0].local_addr().unwrap().ip().is_unspecified());
    });
}

#[test]
fn a_port_in_use_is_named_with_its_line() {
    run(async {
        let (_taken, address) = listener().await;
        let error = own_port("127.0.0.1", address.port()).open(&Names::of_system()).await;
        let text = error.unwrap_err().to_string();
        let start = format!("cannot listen on {address}, the election port in the line server.1: ");
        assert!(text.starts_with(&start), "{text}");
        assert!(text.ends_with("or change the port in this line on all servers"), "{text}");
    });
}

#[test]
fn a_port_that_becomes_free_in_time_is_taken() {
    run(async {
        let (taken, address) = listener().await;
        let mut port = own_port("127.0.0.1", address.port());
        port.attempts = None;
        let names = Names::of_system();
        let freeing = async {
            tokio::task::yield_now().await;
            drop(taken);
        };
        let (opened, ()) = tokio::join!(port.open(&names), freeing);
        assert_eq!(opened.unwrap()[0].local_addr().unwrap(), address);
    });
}

#[test]
fn a_dead_address_does_not_hold_up_the_next_one() {
    run(async {
        let (listener, address) = listener().await;
        // Nobody answers in the net that is kept for examples, and nothing says so.
        let dead = Endpoint { host: "192.0.2.1".to_owned(), port: address.port() };
        let unknown = Endpoint { host: "zk-9.invalid".to_owned(), port: address.port() };
        let endpoints = [dead, unknown, endpoint(address)];
        let connected = dialer().connect(&endpoints, LIMIT).await.unwrap();
        let (accepted, _) = listener.accept().await.unwrap();
        assert_eq!(connected.local_addr().unwrap(), accepted.peer_addr().unwrap());
    });
}
