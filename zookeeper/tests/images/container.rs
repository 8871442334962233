//! One container: started, asked, stopped, and gone with the value.
//!
//! Invariant: a test that fails shows what the container said.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Shutdown, SocketAddr, TcpStream};
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::deadline::await_until;
use crate::engine::Engine;
use crate::images::Image;
use crate::tools::{output, run};

/// A container that may have ended.
pub(crate) struct Container {
    engine: &'static Engine,
    pub(crate) name: String,
}

/// What `docker run` is told beside name and network.
#[derive(Clone, Debug, Default)]
pub(crate) struct Options {
    network: Option<String>,
    flags: Vec<String>,
    words: Vec<String>,
}

impl Options {
    /// A network of the test's own, for names that others have too.
    pub(crate) fn network(mut self, network: &Network) -> Self {
        self.network = Some(network.name.clone());
        self
    }

    /// Nobody can be reached, no name server either.
    pub(crate) fn without_network(mut self) -> Self {
        self.network = Some("none".to_owned());
        self
    }

    pub(crate) fn flag(mut self, flag: impl Into<String>) -> Self {
        self.flags.push(flag.into());
        self
    }

    pub(crate) fn flags(mut self, flags: &[&str]) -> Self {
        self.flags.extend(flags.iter().map(|&flag| flag.to_owned()));
        self
    }

    pub(crate) fn env(self, name: &str, value: &str) -> Self {
        self.flag(format!("--env={name}={value}"))
    }

    /// The command in the image's place.
    pub(crate) fn command(mut self, words: &[&str]) -> Self {
        self.words = words.iter().map(|&word| word.to_owned()).collect();
        self
    }
}

/// A network whose names nobody else can see.
pub(crate) struct Network {
    engine: &'static Engine,
    name: String,
}

impl Network {
    pub(crate) fn new(engine: &'static Engine) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let name = format!("{}-{number}", engine.network);
        run(engine.docker().args(["network", "create", &name]));
        Self { engine, name }
    }

    /// The host's own address in it.
    pub(crate) fn gateway(&self) -> Ipv4Addr {
        let format = "{{(index .IPAM.Config 0).Gateway}}";
        let address =
            run(self.engine.docker().args(["network", "inspect", "--format", format, &self.name]));
        address.parse().expect("an address")
    }
}

impl Drop for Network {
    fn drop(&mut self) {
        output(self.engine.docker().args(["network", "rm", &self.name]));
    }
}

impl Container {
    pub(crate) fn start(engine: &'static Engine, image: Image, options: &Options) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        Self::named(engine, &format!("zk-test-{}-{number}", std::process::id()), image, options)
    }

    pub(crate) fn named(
        engine: &'static Engine,
        name: &str,
        image: Image,
        options: &Options,
    ) -> Self {
        let name = name.to_owned();
        let network = options.network.as_ref().unwrap_or(&engine.network);
        let mut command = engine.docker();
        command
            .args(["run", "--detach", "--name", &name, "--network", network])
            .args(&options.flags)
            .arg(image.tag())
            .args(&options.words);
        let container = Self { engine, name };
        run(&mut command);
        container
    }

    /// Runs a program beside the server.
    pub(crate) fn exec(&self, words: &[&str]) -> Output {
        output(self.docker("exec").args(words))
    }

    /// The same, for one that succeeds, with what it printed.
    #[track_caller]
    pub(crate) fn say(&self, words: &[&str]) -> String {
        let output = self.exec(words);
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        assert!(
            output.status.success(),
            "{words:?}: {}\n{}{}",
            output.status,
            text(&output.stdout),
            text(&output.stderr)
        );
        text(&output.stdout)
    }

    /// Waits until the server serves, and gives back the words that `srvr` says.
    pub(crate) fn await_serving(&self) -> String {
        await_until(&format!("{} serves", self.name), SERVE_LIMIT, || {
            assert!(self.is_running(), "{} has ended\n{}", self.name, self.log());
            self.ask("srvr").ok().filter(|answer| answer.contains("Mode: "))
        })
    }

    /// What its server says to a four-letter word.
    pub(crate) fn ask(&self, word: &str) -> io::Result<String> {
        let address = self.address().ok_or(io::ErrorKind::AddrNotAvailable)?;
        let limit = Duration::from_secs(2);
        let mut stream = TcpStream::connect_timeout(&SocketAddr::new(address, 2181), limit)?;
        stream.set_read_timeout(Some(limit))?;
        stream.write_all(word.as_bytes())?;
        stream.shutdown(Shutdown::Write)?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer)?;
        Ok(answer)
    }

    pub(crate) fn address(&self) -> Option<IpAddr> {
        let address = "{{range .NetworkSettings.Networks}}{{.IPAddress}}{{end}}";
        self.inspect(address).parse().ok()
    }

    pub(crate) fn is_running(&self) -> bool {
        self.inspect("{{.State.Running}}") == "true"
    }

    pub(crate) fn inspect(&self, format: &str) -> String {
        run(self.engine.docker().args(["inspect", "--format", format, &self.name]))
    }

    /// SIGTERM, as an engine or a kubelet sends it; how long the end took, and its exit code.
    pub(crate) fn stop(&self) -> (Duration, i32) {
        let started = Instant::now();
        run(self.engine.docker().args(["stop", "--time=20", &self.name]));
        (started.elapsed(), self.exit_code())
    }

    pub(crate) fn start_again(&self) {
        run(self.engine.docker().args(["start", &self.name]));
    }

    /// Waits for the end that comes by itself.
    pub(crate) fn await_end(&self) -> i32 {
        run(self.engine.docker().args(["wait", &self.name]));
        self.exit_code()
    }

    fn exit_code(&self) -> i32 {
        self.inspect("{{.State.ExitCode}}").parse().expect("a number")
    }

    /// Both streams.
    pub(crate) fn log(&self) -> String {
        let output = output(self.engine.docker().args(["logs", &self.name]));
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        text(&output.stdout) + &text(&output.stderr)
    }

    #[track_caller]
    pub(crate) fn says(&self, text: &str) {
        let log = self.log();
        assert!(log.contains(text), "{log}\nlacks {text}");
    }

    fn docker(&self, subcommand: &str) -> Command {
        let mut command = self.engine.docker();
        command.args([subcommand, &self.name]);
        command
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("--- log of {}\n{}---", self.name, self.log());
        }
        output(self.engine.docker().args(["rm", "--force", "--volumes", &self.name]));
    }
}

const SERVE_LIMIT: Duration = Duration::from_secs(60);
