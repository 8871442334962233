//! `--leave-if-scaled-away` against a server that answers as the API server of a cluster does, over TLS with an
//! authority of its own.

use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::Arc;
use std::thread;

use rcgen::{CertifiedKey, generate_simple_self_signed};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::pod::{BINARY, Pod, Run};

/// The pod's service account, and the port of a cluster that says `body` of the set `zk`.
struct Cluster {
    port: u16,
}

impl Cluster {
    fn new(pod: &Pod, status: &'static str, body: &'static str) -> Self {
        let CertifiedKey { cert, signing_key } =
            generate_simple_self_signed(["127.0.0.1".to_owned()]).expect("a certificate");
        pod.write("account/token", "secret\n");
        pod.write("account/namespace", "messaging");
        pod.write("account/ca.crt", &cert.pem());
        let key = PrivateKeyDer::Pkcs8(signing_key.serialize_der().into());
        let config = ServerConfig::builder()
            .with_no_client_auth()
            .with_single_cert(vec![cert.der().clone()], key)
            .expect("the key fits");
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let port = listener.local_addr().expect("bound").port();
        let config = Arc::new(config);
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let tls = ServerConnection::new(config.clone()).expect("a connection");
                // Who does not trust it says so and goes.
                let _ = answer(StreamOwned::new(tls, stream), status, body);
            }
        });
        Self { port }
    }

    fn ask(&self, pod: &Pod) -> Run {
        let account = pod.path("account").display().to_string();
        let words = ["--leave-if-scaled-away", "--servers=3", "--service_account", &account];
        let mut command = pod.command(BINARY.as_ref(), &words);
        command.env("KUBERNETES_SERVICE_HOST", "127.0.0.1");
        command.env("KUBERNETES_SERVICE_PORT", self.port.to_string());
        pod.finished(command.output())
    }
}

fn answer(
    mut stream: StreamOwned<ServerConnection, std::net::TcpStream>,
    status: &str,
    body: &str,
) -> std::io::Result<()> {
    let mut request = String::new();
    let mut reader = BufReader::new(&mut stream);
    while !request.ends_with("\r\n\r\n") {
        if reader.read_line(&mut request)? == 0 {
            return Ok(());
        }
    }
    let wanted = "GET /apis/apps/v1/namespaces/messaging/statefulsets/zk HTTP/1.1\r\n";
    let is_right = request.starts_with(wanted)
        && request.to_lowercase().contains("\r\nauthorization: bearer secret\r\n");
    let status = if is_right { status } else { "400 Bad Request" };
    write!(
        stream,
        "HTTP/1.1 {status}\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{body}",
        body.len()
    )?;
    stream.conn.send_close_notify();
    stream.flush()
}

const THREE: &str = r#"{"kind":"StatefulSet","metadata":{"name":"zk"},"spec":{"replicas":3}}"#;

#[test]
fn a_pod_behind_those_that_are_wanted_is_marked_and_no_other() {
    for (hostname, is_marked) in [("zk-4", true), ("zk-3", true), ("zk-2", false)] {
        let pod = Pod::new(hostname);
        pod.write("data/myid", "1\n");
        let run = Cluster::new(&pod, "200 OK", THREE).ask(&pod);
        assert_eq!(run.code, Some(0), "{}", run.stderr);
        assert_eq!(pod.read("data/leave").is_some(), is_marked, "{hostname}: {}", run.stderr);
    }
    let stays = Pod::new("zk-4");
    stays.write("data/myid", "5\n");
    let five = r#"{"metadata":{},"spec":{"replicas":5}}"#;
    assert_eq!(Cluster::new(&stays, "200 OK", five).ask(&stays).code, Some(0));
    assert_eq!(stays.read("data/leave"), None, "it is only restarted");
}

#[test]
fn without_an_answer_nobody_goes_and_the_reason_is_told() {
    let pod = Pod::new("zk-4");
    pod.write("data/myid", "5\n");
    let refused = |cluster: &Cluster, why: &str| {
        cluster.ask(&pod).refused(1, &[why]);
        assert_eq!(pod.read("data/leave"), None);
    };
    refused(
        &Cluster::new(&pod, "403 Forbidden", "{}"),
        "needs the right to `get` the StatefulSet zk",
    );
    refused(&Cluster::new(&pod, "200 OK", "[]"), "not a StatefulSet");
    let real = Cluster::new(&pod, "200 OK", THREE);
    let other = Pod::new("zk-4");
    Cluster::new(&other, "200 OK", THREE);
    pod.write("account/ca.crt", &other.read("account/ca.crt").expect("written"));
    refused(&real, "not marked as leaving: GET https://127.0.0.1:");
    std::fs::remove_file(pod.path("account/token")).expect("it was there");
    refused(&real, "automountServiceAccountToken: true");
    pod.start(&["--leave-if-scaled-away", "--servers=3"])
        .refused(1, &["this is no pod of a cluster"]);
}
