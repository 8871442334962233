//! The probes against a real Java server, whose whitelist holds `srvr` only or everything, and
//! which stands alone or waits for a quorum that never comes.

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use crate::{METRICS, READY, check, run};

const JARS: [&str; 2] = ["/usr/share/java/zookeeper.jar", "/usr/share/java/slf4j-simple.jar"];
const DEADLINE: Duration = Duration::from_secs(60);

/// A Java server and its log; killed when dropped.
struct Java {
    child: Child,
    log: Receiver<String>,
    _folder: tempfile::TempDir,
}

impl Java {
    /// Starts a server with `extra` lines in its zoo.cfg, or gives back `None` where Java is not
    /// installed. That is a failure in CI, which installs it.
    fn start(port: u16, extra: &str) -> Option<Self> {
        let is_installed = Command::new("java").arg("-version").output().is_ok()
            && JARS.iter().all(|jar| Path::new(jar).exists());
        if !is_installed {
            assert!(std::env::var_os("CI").is_none(), "CI lacks java or {JARS:?}");
            eprintln!("skipped: java or {JARS:?} is not installed");
            return None;
        }
        let folder = tempfile::tempdir().expect("a scratch folder");
        let data = folder.path().display();
        let config = folder.path().join("zoo.cfg");
        let text = format!(
            "tickTime=2000\ninitLimit=10\nsyncLimit=5\ndataDir={data}\nclientPort={port}\n\
             clientPortAddress=127.0.0.1\nadmin.enableServer=false\n{extra}\n"
        );
        fs::write(&config, text).expect("the scratch folder is writable");
        fs::write(folder.path().join("myid"), "1\n").expect("the scratch folder is writable");
        let mut child = Command::new("java")
            .args(["-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1", "-cp"])
            .arg(JARS.join(":"))
            .arg("org.apache.zookeeper.server.quorum.QuorumPeerMain")
            .arg(&config)
            .stdout(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .expect("java starts");
        let lines = BufReader::new(child.stderr.take().expect("stderr is piped")).lines();
        let (sender, log) = mpsc::channel();
        thread::spawn(move || {
            for line in lines.map_while(Result::ok) {
                // Nobody listens any more once the test has seen what it waited for.
                let _ = sender.send(line);
            }
        });
        Some(Self { child, log, _folder: folder })
    }

    /// Waits for a log line that contains `text`.
    fn await_log(&self, text: &str) {
        let deadline = Instant::now() + DEADLINE;
        let mut last = String::new();
        while !last.contains(text) {
            let left = deadline.saturating_duration_since(Instant::now());
            match self.log.recv_timeout(left) {
                Ok(line) => last = line,
                Err(error) => panic!("no log line with {text:?} ({error}); last: {last}"),
            }
        }
    }
}

impl Drop for Java {
    fn drop(&mut self) {
        self.child.kill().expect("a child can be killed");
        self.child.wait().expect("a killed child ends");
    }
}

/// The log says that the port is bound a moment before the server serves.
fn await_ready(port: &str) {
    let deadline = Instant::now() + DEADLINE;
    while !run(READY, &[port, "--mode=ready"]).status.success() {
        assert!(Instant::now() < deadline, "the server on {port} does not get ready");
    }
}

#[test]
fn a_java_server_with_the_default_whitelist_passes_every_mode_but_gives_no_metrics() {
    let Some(java) = Java::start(23010, "") else { return };
    java.await_log("binding to port");
    await_ready("23010");
    for mode in ["ok", "live", "ready", "quorum"] {
        check(READY, &["23010", "--mode", mode], Ok(()));
    }
    check(METRICS, &["23010"], Err("whitelist"));
}

#[test]
fn a_java_server_with_every_word_listed_passes_every_mode_and_gives_its_metrics() {
    let Some(java) = Java::start(23011, "4lw.commands.whitelist=*") else { return };
    java.await_log("binding to port");
    await_ready("23011");
    for mode in ["ok", "live", "ready", "quorum"] {
        check(READY, &["23011", "--mode", mode], Ok(()));
    }
    let output = run(METRICS, &["23011"]);
    assert!(output.status.success());
    assert!(String::from_utf8_lossy(&output.stdout).contains("zk_server_state\tstandalone\n"));
}

#[test]
fn a_java_server_without_a_quorum_is_alive_but_not_ready() {
    let members = "server.1=127.0.0.1:23020:23021\nserver.2=127.0.0.1:23022:23023\n\
                   server.3=127.0.0.1:23024:23025";
    for (port, extra) in
        [(23012, members.to_owned()), (23013, format!("{members}\n4lw.commands.whitelist=*"))]
    {
        let Some(java) = Java::start(port, &extra) else { return };
        java.await_log("LOOKING");
        let port = port.to_string();
        check(READY, &[&port], Ok(()));
        check(READY, &[&port, "--mode=live"], Ok(()));
        check(READY, &[&port, "--mode=ready"], Err("not serving"));
        check(READY, &[&port, "--mode=quorum"], Err("not serving"));
    }
}
