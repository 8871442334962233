//! Alive is who turns: the loop, and the thread of the log. One of them is stopped as a debugger stops it,
//! which looks like a disk that answers nothing.

use std::fs;
use std::thread;
use std::time::{Duration, Instant};

use nix::sys::ptrace;
use nix::sys::wait::{WaitPidFlag, waitpid};
use nix::unistd::Pid;
use zookeeper_ready::probe::{is_live, is_ok, is_ready};
use zookeeper_ready::{Conversation, NotReady, Target};

use crate::deadline::await_until;
use crate::load::Load;
use crate::process::{Running, Scratch, word};

/// A thread that does nothing until it is let go.
struct Stopped(Pid);

impl Stopped {
    fn new(thread: Pid) -> Self {
        ptrace::seize(thread, ptrace::Options::empty()).expect("a child may be traced");
        ptrace::interrupt(thread).unwrap();
        waitpid(thread, Some(WaitPidFlag::__WALL)).unwrap();
        Self(thread)
    }

    fn let_go(self) {
        ptrace::detach(self.0, None).unwrap();
    }
}

fn log_thread(server: &Running) -> Pid {
    let tasks = fs::read_dir(format!("/proc/{}/task", server.id())).unwrap().map(Result::unwrap);
    // The thread that loaded the data may end meanwhile.
    let name = |task: &fs::DirEntry| fs::read(task.path().join("comm")).unwrap_or_default();
    let is_log = |task: &fs::DirEntry| name(task) == b"log\n";
    let task = tasks.into_iter().find(is_log).expect("the log has a thread");
    Pid::from_raw(task.file_name().to_str().unwrap().parse().unwrap())
}

type Question = fn(&Conversation) -> Result<(), NotReady>;
const READY: Question = |conversation| is_ready(conversation, false);

fn probed(scratch: &Scratch, ask: Question, timeout: Duration) -> Result<(), NotReady> {
    let host = Some(scratch.address().ip().to_string());
    let target = Target { host, port: scratch.address().port(), timeout };
    ask(&Conversation::new(target))
}

/// Whether the probe says no in time, and why.
fn check_hangs(scratch: &Scratch) {
    let begin = Instant::now();
    let why = probed(scratch, is_live, SOON).unwrap_err();
    assert!(begin.elapsed() >= SOON, "{why}");
    assert!(why.to_string().ends_with("; its loop or the thread of its txn log hangs"), "{why}");
}

#[test]
fn a_server_whose_log_hangs_is_not_alive_until_it_goes_on() {
    // Whether ruok may be asked makes no difference.
    for settings in ["4lw.commands.whitelist=ruok\n", ""] {
        let scratch = Scratch::new(settings);
        let server = scratch.serve();
        let mut load = Load::new(scratch.address(), 0, 100);
        load.write(5);
        probed(&scratch, is_live, LATE).unwrap();
        let stopped = Stopped::new(log_thread(&server));
        check_hangs(&scratch);
        probed(&scratch, is_ok, LATE).expect("the old question has the old meaning");
        probed(&scratch, READY, LATE).expect("reads are served");
        stopped.let_go();
        probed(&scratch, is_live, LATE).unwrap();
        load.write(5);
        server.stop();
    }
}

#[test]
fn a_server_whose_log_is_slow_is_alive() {
    let scratch = Scratch::new("4lw.commands.whitelist=ruok\n");
    let server = scratch.serve();
    let stopped = Stopped::new(log_thread(&server));
    thread::scope(|scope| {
        let probing = scope.spawn(|| probed(&scratch, is_live, LATE));
        await_until("the probe is there", LATE, || {
            let report = word(scratch.address(), b"srvr").unwrap();
            report.contains("\nConnections: 2\n").then_some(())
        });
        assert!(!probing.is_finished(), "it waits for the log");
        stopped.let_go();
        probing.join().unwrap().unwrap();
    });
    server.stop();
}

#[test]
fn a_server_whose_loop_hangs_is_not_alive() {
    let scratch = Scratch::new("4lw.commands.whitelist=ruok\n");
    let server = scratch.serve();
    let stopped = Stopped::new(server.id());
    check_hangs(&scratch);
    stopped.let_go();
    probed(&scratch, is_live, LATE).unwrap();
    server.stop();
}

#[test]
fn a_member_without_a_quorum_is_alive() {
    let scratch = Scratch::new(
        "initLimit=5\nsyncLimit=2\nserver.1=127.0.0.1:23487:23488\n\
         server.2=127.0.0.2:23487:23488\nserver.3=127.0.0.3:23487:23488\n",
    );
    fs::create_dir(scratch.path("data")).unwrap();
    fs::write(scratch.path("data/myid"), "1\n").unwrap();
    let mut server = scratch.spawn(scratch.command(&[]));
    server.await_line("LOOKING");
    probed(&scratch, is_live, LATE).unwrap();
    assert!(matches!(probed(&scratch, READY, LATE), Err(NotReady::NotServing)));
    let stopped = Stopped::new(log_thread(&server));
    check_hangs(&scratch);
    stopped.let_go();
    probed(&scratch, is_live, LATE).unwrap();
    server.stop();
}

const SOON: Duration = Duration::from_millis(500);
const LATE: Duration = Duration::from_secs(20);
