//! A server that runs for a test beside the tools that are tested, and ends with it.

use std::fs::File;
use std::net::TcpListener;
use std::path::Path;
use std::process::{Child, Command, Output, Stdio};

/// The one binary.
pub(crate) const BINARY: &str = env!("CARGO_BIN_EXE_zookeeper");

/// A server in the foreground.
pub(crate) struct Server(Child);

impl Server {
    /// What it says goes to `log`.
    pub(crate) fn start(properties: &[&str], zoo_cfg: &Path, log: File) -> Self {
        let mut command = Command::new(BINARY);
        command.arg("zookeeper-server").args(properties).arg(zoo_cfg);
        let copy = log.try_clone().expect("a file can be opened twice");
        Self(command.stdout(copy).stderr(log).spawn().expect("it starts"))
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // An end without a farewell: what is logged is there.
        self.0.kill().expect("it runs");
        self.0.wait().expect("it ends");
    }
}

/// Whether a shell's command on the server at this port went well.
pub(crate) fn is_done(port: u16, words: &[&str]) -> bool {
    let address = format!("127.0.0.1:{port}");
    let mut command = Command::new(BINARY);
    command.args(["zkCli.sh", "-server", &address]).args(words);
    command.stdin(Stdio::null()).output().expect("it starts").status.success()
}

/// Ports that were free a moment ago.
pub(crate) fn free_ports<const N: usize>() -> [u16; N] {
    let taken = [(); N].map(|()| TcpListener::bind("127.0.0.1:0").expect("a port is free"));
    taken.map(|listener| listener.local_addr().expect("bound").port())
}

/// What a program printed.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// Runs one of the binary's programs to its end.
pub(crate) fn run(words: &[&str], zoo_cfg_folder: &Path) -> Output {
    let mut command = Command::new(BINARY);
    command.args(words).env("ZOO_CONF_DIR", zoo_cfg_folder).env("TZ", "UTC");
    command.output().expect("it starts")
}
