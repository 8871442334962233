//! The variant `monitoring`: what its annotations name is where the metrics are, also of a pod without a quorum.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use crate::container::Container;
use crate::deadline::await_until;
use crate::engine::Engine;
use crate::images::Image;
use crate::pods::Set;

/// What Prometheus fetches.
pub(crate) fn metrics(pod: &Container, port: u16, path: &str) -> String {
    await_until("the metrics are there", Duration::from_secs(60), || {
        assert!(pod.is_running(), "{}", pod.log());
        let mut stream = TcpStream::connect((pod.address()?, port)).ok()?;
        write!(stream, "GET {path} HTTP/1.1\r\nHost: zk\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.starts_with("HTTP/1.1 200 OK\r\n").then_some(answer)
    })
}

#[test]
fn the_annotations_lead_to_the_metrics() {
    let Some(engine) = Engine::get() else { return };
    let Some(set) = Set::of_variant(engine, Image::Scratch, "monitoring") else { return };
    let annotation = |name: &str| {
        let annotations = &set.spec["template"]["metadata"]["annotations"];
        annotations[format!("prometheus.io/{name}")].as_str().expect("a text").to_owned()
    };
    assert_eq!(annotation("scrape"), "true");
    let port: u16 = annotation("port").parse().expect("a port");
    let body = metrics(&set.pod(0), port, &annotation("path"));
    assert!(body.contains("\nquorum_size 3.0\n"), "{body}");
}
