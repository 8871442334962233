//! Orderly ends: a signal under load, also to the first process of a namespace, loses nothing.

use std::fs;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::deadline::await_until;
use crate::load::Load;
use crate::mount::{is_root, skip_as_root};
use crate::process::{Running, Scratch};

/// Sends a signal to `process` of the server while several clients write; everything acknowledged must
/// be there afterwards, and their sessions too.
fn check(scratch: &Scratch, server: Running, process: Pid, signal: Signal) {
    let mut loads: Vec<_> =
        (0..CLIENTS).map(|number| Load::new(scratch.address(), number, 300)).collect();
    let windows = AtomicUsize::new(0);
    let outcome = std::thread::scope(|scope| {
        for load in &mut loads {
            scope.spawn(|| {
                load.write_until_lost(|_| {
                    windows.fetch_add(1, Ordering::Relaxed);
                });
            });
        }
        await_until("enough is written", Duration::from_secs(20), || {
            (windows.load(Ordering::Relaxed) >= 20).then_some(())
        });
        kill(process, signal).unwrap();
        server.outcome()
    });
    outcome.check(0, &[]);
    assert!(outcome.took < Duration::from_secs(1), "{:?} until the end", outcome.took);
    assert!(outcome.stdout.contains(&format!("{signal}: stopping")), "{}", outcome.stdout);
    let server = scratch.serve();
    for load in &mut loads {
        load.check(scratch.address());
        load.write(1);
    }
    server.stop();
}

/// The process that `parent` started, once it has.
fn child_of(parent: Pid) -> Pid {
    let path = format!("/proc/{parent}/task/{parent}/children");
    await_until("a process has a child", Duration::from_secs(20), || {
        fs::read_to_string(&path).ok()?.trim().parse().ok().map(Pid::from_raw)
    })
}

#[test]
fn sigterm_under_load_loses_nothing_acknowledged_and_no_session() {
    let scratch = Scratch::new("");
    let server = scratch.serve();
    let process = server.id();
    check(&scratch, server, process, Signal::SIGTERM);
}

#[test]
fn sigint_under_load_loses_nothing_acknowledged_and_no_session() {
    let scratch = Scratch::new("");
    let server = scratch.serve();
    let process = server.id();
    check(&scratch, server, process, Signal::SIGINT);
}

#[test]
fn the_first_process_of_a_namespace_ends_at_sigterm_as_any_other() {
    if !is_root() {
        eprintln!("skipped: only root can make a namespace");
        return;
    }
    let unshare = ["unshare", "--pid", "--fork", "--mount-proc", "--kill-child"];
    if !std::process::Command::new(unshare[0])
        .args(&unshare[1..])
        .arg("true")
        .status()
        .is_ok_and(|status| status.success())
    {
        return skip_as_root("unshare cannot make a namespace");
    }
    let scratch = Scratch::new("");
    let server = scratch.spawn(scratch.wrapped(&unshare)).serving();
    let process = child_of(server.id());
    check(&scratch, server, process, Signal::SIGTERM);
}

const CLIENTS: usize = 3;
