//! What Prometheus fetches is what `mntr` says, in its own format.

use std::collections::BTreeMap;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};

use crate::server::{Config, Kind, Server, free_port};
use crate::visitor::{Visitor, metrics};

const PROVIDER: &str =
    "metricsProvider.className=org.apache.zookeeper.metrics.prometheus.PrometheusMetricsProvider";

fn server() -> (Server, u16) {
    let port = free_port();
    let config = Config::default()
        .setting(PROVIDER)
        .setting("metricsProvider.httpHost=127.0.0.1")
        .setting(&format!("metricsProvider.httpPort={port}"));
    (Server::new(Kind::Ours, &config), port)
}

/// Head and body of an answer.
fn ask(port: u16, method: &str, target: &str) -> (String, String) {
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
    let request = format!("{method} {target} HTTP/1.1\r\nHost: zk\r\nConnection: close\r\n\r\n");
    stream.write_all(request.as_bytes()).expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("it answers and closes");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a head ends");
    (head.to_lowercase(), body.to_owned())
}

fn samples(body: &str) -> BTreeMap<&str, &str> {
    let lines = body.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| line.rsplit_once(' ').expect("name and value")).collect()
}

#[test]
fn every_name_of_mntr_is_a_family_with_the_same_value() {
    let (server, port) = server();
    let _visitor = Visitor::new(server.address(), "app");
    let (head, body) = ask(port, "GET", "/metrics");
    assert!(head.starts_with("http/1.1 200 ok\r\n"), "{head}");
    assert!(head.contains("\r\ncontent-type: text/plain; version=0.0.4; charset=utf-8"), "{head}");
    let samples = samples(&body);
    let mntr = metrics(server.address());
    let value = |name: &str| samples[name].parse::<f64>().expect("a number");
    for name in
        ["znode_count", "watch_count", "ephemerals_count", "global_sessions", "commit_count"]
    {
        assert_eq!(
            value(name),
            mntr[&format!("zk_{name}")].parse::<f64>().expect("a number"),
            "{name}"
        );
    }
    assert!(value("readlatency_count") >= 1.0 && value("znode_count") >= 7.0, "{body}");
    assert_eq!(samples["proposal_latency{quantile=\"0.99\",}"], "NaN");
    for name in mntr.keys() {
        let bare = name.strip_prefix("zk_").expect("all begin so");
        let parts = ["avg_", "min_", "max_", "cnt_", "sum_", "p50_", "p95_", "p99_", "p999_"];
        let is_family =
            |name: &str| body.contains(&format!("\n# TYPE {name} ")) || body.starts_with(name);
        let of_summary = parts.iter().find_map(|part| bare.strip_prefix(part));
        let is_there = is_family(bare) || of_summary.is_some_and(is_family);
        let is_identity = ["version", "server_state"].contains(&bare);
        let is_first = bare == "avg_latency";
        assert!(is_there || is_identity || is_first, "{name}");
    }
}

#[test]
fn some_names_may_be_asked_for_and_nothing_else_is_there() {
    let (_server, port) = server();
    for target in ["/metrics?name[]=znode_count", "/metrics?name%5B%5D=znode_count&x=y"] {
        let (_, body) = ask(port, "GET", target);
        assert_eq!(
            body,
            "# HELP znode_count znode_count\n# TYPE znode_count gauge\nznode_count 5.0\n"
        );
    }
    for (method, target, status) in
        [("GET", "/", "404"), ("TRACE", "/metrics", "405"), ("POST", "/metrics", "405")]
    {
        let (head, body) = ask(port, method, target);
        assert!(head.starts_with(&format!("http/1.1 {status} ")) && body.is_empty(), "{head}");
    }
    let (head, body) = ask(port, "HEAD", "/metrics");
    assert!(head.contains("200 ok") && body.is_empty(), "{head}");
}

/// Who connects and says nothing keeps nobody else out.
#[test]
fn strangers_that_say_nothing_keep_nobody_out() {
    let (server, port) = server();
    let silent: Vec<_> = (0..20)
        .map(|_| TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens"))
        .collect();
    assert!(ask(port, "GET", "/metrics").0.contains("200 ok"));
    assert!(metrics(server.address()).contains_key("zk_znode_count"));
    drop(silent);
}

#[test]
fn a_port_that_is_taken_is_told_with_its_key() {
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a free port");
    let port = taken.local_addr().expect("bound").port();
    let folder = tempfile::tempdir().expect("a scratch folder");
    let zoo_cfg = folder.path().join("zoo.cfg");
    let text = format!(
        "dataDir={}/data\nclientPort={}\n{PROVIDER}\nmetricsProvider.httpPort={port}\n\
         metricsProvider.httpHost=127.0.0.1\n",
        folder.path().display(),
        free_port()
    );
    std::fs::write(&zoo_cfg, text).expect("ours");
    let command_line = Kind::Ours.command_line(&Config::default());
    let output =
        std::process::Command::new(&command_line[0]).arg(&zoo_cfg).output().expect("it starts");
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1), "{told}");
    assert!(
        told.contains(&format!("cannot listen on metricsProvider.httpPort {port} of ")),
        "{told}"
    );
}
