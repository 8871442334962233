//! One member as a process: started, killed, stopped, resumed, and started again as another kind.
//!
//! Invariants
//! - No member outlives the tests, not even when these are killed (`server::guard`).
//! - The folder of a member whose test fails stays, and the test says where.

use std::fs::{self, File};
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Child, ExitStatus, Stdio};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::deadline::{await_until, within};
use crate::place::Place;
use crate::server::{Config, Kind, ask, dismiss, guard};

/// What a member that serves is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Role {
    Leader,
    Follower,
    Observer,
}

/// What a member is to be.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Seat {
    pub(crate) kind: Kind,
    pub(crate) is_observer: bool,
}

/// A member with a folder of its own.
pub(crate) struct Member {
    sid: usize,
    kind: Kind,
    is_observer: bool,
    config: Config,
    place: Place,
    membership: String,
    folder: TempDir,
    running: Option<Running>,
    is_paused: bool,
}

struct Running {
    child: Child,
    guard: Child,
}

/// A place in a member's log: what was printed later is read from here.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark(usize);

impl Member {
    /// A member that is not started yet.
    pub(crate) fn new(
        sid: usize,
        seat: Seat,
        config: &Config,
        place: Place,
        membership: &str,
    ) -> Self {
        let folder = TempDir::with_prefix_in(format!("member-{sid}-"), env!("CARGO_TARGET_TMPDIR"))
            .expect("the build folder is writable");
        Self {
            sid,
            kind: seat.kind,
            is_observer: seat.is_observer,
            config: config.clone(),
            place,
            membership: membership.to_owned(),
            folder,
            running: None,
            is_paused: false,
        }
    }

    /// Its number.
    pub(crate) fn sid(&self) -> usize {
        self.sid
    }

    /// What it is, or is to be when it starts.
    pub(crate) fn kind(&self) -> Kind {
        self.kind
    }

    /// Whether it has no vote.
    pub(crate) fn is_observer(&self) -> bool {
        self.is_observer
    }

    /// Where it listens.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// Its entry in a configuration, with this role.
    pub(crate) fn entry(&self, role: &str) -> String {
        self.place.entry(self.sid, role)
    }

    /// From now on clients connect to another port, which is free now.
    pub(crate) fn move_clients(&mut self) {
        self.place.move_clients();
    }

    /// Where clients connect.
    pub(crate) fn address(&self) -> SocketAddr {
        self.place.address()
    }

    /// A file or folder of it.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Says that its empty data directory is that of a new member.
    pub(crate) fn initialize(&self) {
        fs::create_dir_all(self.path("data")).expect("the scratch folder is writable");
        fs::write(self.path("data/initialize"), "").expect("the scratch folder is writable");
    }

    /// Loses its database while it is down.
    pub(crate) fn wipe(&self) {
        assert!(self.running.is_none(), "server.{} runs", self.sid);
        fs::remove_dir_all(self.path("data/version-2")).expect("it was there");
    }

    /// Starts it on what its data directory has; it serves once it has found the others.
    pub(crate) fn start(&mut self) {
        assert!(self.running.is_none(), "server.{} runs already", self.sid);
        let child = self.spawn();
        let guard = guard(&child);
        self.running = Some(Running { child, guard });
    }

    /// Starts it on the same data directory as this kind.
    pub(crate) fn start_as(&mut self, kind: Kind) {
        self.kind = kind;
        self.start();
    }

    /// Whether it was started and can say something.
    pub(crate) fn is_awake(&self) -> bool {
        self.running.is_some() && !self.is_paused
    }

    /// Whether it stands still.
    pub(crate) fn is_paused(&self) -> bool {
        self.is_paused
    }

    /// Whether its process has not ended.
    pub(crate) fn is_running(&mut self) -> bool {
        let child = self.running.as_mut().map(|running| &mut running.child);
        child.is_some_and(|child| child.try_wait().expect("a child can be asked").is_none())
    }

    /// What it is; `None` while it does not serve.
    pub(crate) fn role(&self) -> Option<Role> {
        let answer = self.word("srvr")?;
        match answer.lines().find_map(|line| line.strip_prefix("Mode: "))? {
            "leader" => Some(Role::Leader),
            "follower" => Some(Role::Follower),
            "observer" => Some(Role::Observer),
            mode => panic!("server.{} of an ensemble is {mode}", self.sid),
        }
    }

    /// Its last zxid; `None` while it does not serve.
    pub(crate) fn zxid(&self) -> Option<u64> {
        let answer = self.word("srvr")?;
        let digits = answer.lines().find_map(|line| line.strip_prefix("Zxid: 0x"))?;
        Some(u64::from_str_radix(digits, 16).expect("a zxid is printed in hex"))
    }

    /// What it answers to a four-letter word, if anything.
    pub(crate) fn word(&self, word: &str) -> Option<String> {
        if !self.is_awake() {
            return None;
        }
        ask(self.address(), word).ok()
    }

    /// Kills it at once, as a crash would.
    pub(crate) fn kill9(&mut self) {
        self.end(Signal::SIGKILL);
    }

    /// Asks it to end and waits until it has.
    pub(crate) fn sigterm(&mut self) -> ExitStatus {
        self.end(Signal::SIGTERM)
    }

    /// Stops its process where it is, without an end of its connections.
    pub(crate) fn pause(&mut self) {
        self.signal(Signal::SIGSTOP);
        self.is_paused = true;
        let threads = format!("/proc/{}/task", self.process());
        await_until("all threads have stopped", END_LIMIT, || {
            let mut threads = fs::read_dir(&threads).ok()?;
            let is_stopped = threads.all(|thread| {
                let stat = thread.and_then(|thread| fs::read_to_string(thread.path().join("stat")));
                // The state follows the name, which stands in brackets.
                stat.is_ok_and(|stat| {
                    stat.rsplit(')').next().is_some_and(|rest| rest.starts_with(" T"))
                })
            });
            is_stopped.then_some(())
        });
    }

    /// Lets it go on.
    pub(crate) fn resume(&mut self) {
        self.signal(Signal::SIGCONT);
        self.is_paused = false;
    }

    /// Waits until it has ended by itself.
    pub(crate) fn await_end(&mut self) -> ExitStatus {
        let running = self.running.as_mut().expect("the member runs");
        let exit = within(END_LIMIT, || running.child.try_wait().expect("a child can be asked"));
        let status = exit.unwrap_or_else(|| panic!("server.{} does not end", self.sid));
        self.bury();
        status
    }

    fn end(&mut self, signal: Signal) -> ExitStatus {
        self.signal(signal);
        self.is_paused = false;
        self.await_end()
    }

    fn process(&self) -> Pid {
        let running = self.running.as_ref().expect("the member runs");
        Pid::from_raw(i32::try_from(running.child.id()).expect("process ids are small"))
    }

    fn signal(&self, signal: Signal) {
        kill(self.process(), signal).expect("a child that was not waited for can be signalled");
    }

    fn bury(&mut self) {
        if let Some(mut running) = self.running.take() {
            // It may have ended by itself; then there is nothing left to kill.
            let _ = running.child.kill();
            let _ = running.child.wait();
            dismiss(&mut running.guard);
        }
    }

    /// The end of its log.
    pub(crate) fn mark(&self) -> Mark {
        Mark(self.log().len())
    }

    /// What it has printed since.
    pub(crate) fn log_since(&self, mark: Mark) -> String {
        self.log().get(mark.0..).unwrap_or_default().to_owned()
    }

    /// All that it has printed, as all kinds that it was.
    pub(crate) fn log(&self) -> String {
        let bytes = fs::read(self.path("log")).unwrap_or_default();
        String::from_utf8_lossy(&bytes).into_owned()
    }

    fn spawn(&self) -> Child {
        let data = self.path("data");
        fs::create_dir_all(&data).expect("the scratch folder is writable");
        fs::write(data.join("myid"), self.sid.to_string()).expect("the folder is writable");
        let settings = format!(
            "{SETTINGS}{}dataDir={}\n{}{}{}",
            if self.is_observer { "peerType=observer\n" } else { "" },
            data.display(),
            self.place.own_settings(),
            self.membership,
            self.config.settings(),
        );
        let zoo_cfg = self.path("zoo.cfg");
        // A member that may be reconfigured writes it itself from then on.
        let is_reconfigurable = self.config.settings().contains("reconfigEnabled=true");
        if !is_reconfigurable || !zoo_cfg.exists() {
            fs::write(&zoo_cfg, settings).expect("the scratch folder is writable");
        }
        let log = File::options().create(true).append(true).open(self.path("log"));
        let log = log.expect("the scratch folder is writable");
        let command_line = self.kind.command_line(&self.config);
        let (program, arguments) = command_line.split_first().expect("a program comes first");
        self.place
            .command(program)
            .args(arguments)
            .arg(&zoo_cfg)
            .current_dir(self.folder.path())
            .stdin(Stdio::null())
            .stdout(log.try_clone().expect("a file handle can be doubled"))
            .stderr(log)
            .spawn()
            .expect("the server's program starts")
    }

    fn print_log(&self) {
        let log = self.log();
        let is_telling =
            |line: &&str| !line.contains(" srvr command ") && !line.starts_with("\tat ");
        let lines: Vec<_> = log.lines().filter(is_telling).collect();
        let tail = &lines[lines.len().saturating_sub(LOG_LINES)..];
        let (sid, kind, folder) = (self.sid, self.kind, self.folder.path().display());
        eprintln!("--- server.{sid}, {kind:?}, {folder}\n{}\n---", tail.join("\n"));
    }
}

impl Drop for Member {
    fn drop(&mut self) {
        self.bury();
        if std::thread::panicking() {
            self.print_log();
            self.folder.disable_cleanup(true);
        }
    }
}

const SETTINGS: &str = "\
tickTime=500
initLimit=10
syncLimit=5
maxSessionTimeout=60000
maxClientCnxns=0
admin.enableServer=false
4lw.commands.whitelist=*
";
const END_LIMIT: Duration = Duration::from_secs(20);
const LOG_LINES: usize = 80;
