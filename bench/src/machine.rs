//! The place of a comparison: its own network namespace, a CPU for the server, one for the client.
//!
//! Invariants
//! - What this machine does not allow is said, never assumed: see [`Machine::notes`].
//! - Only this process and those it starts are touched.
//! - Nobody else's work waits for a comparison unless its user asked for that.

use std::os::unix::process::CommandExt;
use std::process::Command;

use nix::sched::{CpuSet, sched_setaffinity};
use nix::unistd::Pid;
use serde::Serialize;

use crate::error::Error;

/// How the comparison runs.
#[derive(Clone, Debug, Serialize)]
pub(crate) struct Machine {
    pub(crate) kernel: String,
    pub(crate) cpus: usize,
    /// Loopback without the host's connection tracking.
    pub(crate) own_network: bool,
    /// Ahead of other jobs on the machine.
    pub(crate) preferred: bool,
    /// Server and client on CPUs of their own.
    pub(crate) pinned: bool,
}

impl Machine {
    /// Runs this program once more in a fresh network namespace and, if asked to, with a high priority,
    /// where this machine allows it; comes back only in the inner run, or if neither is allowed.
    pub(crate) fn settle(may_pin: bool, wants_priority: bool) -> Result<Self, Error> {
        let inner = std::env::var(INNER).ok();
        let (own_network, preferred) = match &inner {
            Some(allowed) => (allowed.contains(NETWORK), allowed.contains(PRIORITY)),
            None => reenter(wants_priority)?,
        };
        if own_network {
            run("ip", &["link", "set", "lo", "up"]);
        }
        let cpus = std::thread::available_parallelism().map_or(1, usize::from);
        let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease")
            .map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned());
        Ok(Self { kernel, cpus, own_network, preferred, pinned: may_pin && cpus >= 2 })
    }

    /// What the reader must know to judge the figures.
    pub(crate) fn notes(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if !self.own_network {
            notes.push(
                "no network namespace of its own (needs root): loopback is up to 20 % dearer"
                    .to_owned(),
            );
        }
        if !self.preferred {
            notes.push("normal priority: other jobs on this machine are in the figures".to_owned());
        }
        if !self.pinned {
            notes.push("server and client share the CPUs".to_owned());
        }
        notes
    }

    /// Moves this thread, and what it starts from now on, to the servers' CPU.
    pub(crate) fn enter_server_cpu(&self) -> Result<(), Error> {
        self.pin(SERVER_CPU)
    }

    /// Moves this thread to the load generator's CPU.
    pub(crate) fn enter_client_cpu(&self) -> Result<(), Error> {
        self.pin(CLIENT_CPU)
    }

    fn pin(&self, cpu: usize) -> Result<(), Error> {
        if !self.pinned {
            return Ok(());
        }
        let mut set = CpuSet::new();
        set.set(cpu)
            .and_then(|()| sched_setaffinity(Pid::from_raw(0), &set))
            .map_err(Error::system("move to a CPU of its own"))
    }
}

/// Replaces this process by one that has what it may have; comes back if that is nothing.
fn reenter(wants_priority: bool) -> Result<(bool, bool), Error> {
    let own_network = run("unshare", &["--net", "ip", "link", "set", "lo", "up"]);
    let preferred = wants_priority && output("nice", &["-n", NICENESS, "nice"]).trim() == NICENESS;
    let mut words = Vec::new();
    let mut allowed = String::new();
    if preferred {
        words.extend(["nice", "-n", NICENESS]);
        allowed.push_str(PRIORITY);
    }
    if own_network {
        words.extend(["unshare", "--net"]);
        allowed.push_str(NETWORK);
    }
    let Some((program, arguments)) = words.split_first() else { return Ok((false, false)) };
    let this = std::env::current_exe().map_err(Error::file("find", "this program"))?;
    let source = Command::new(program)
        .args(arguments)
        .arg(this)
        .args(std::env::args_os().skip(1))
        .env(INNER, allowed)
        .exec();
    Err(Error::Spawn { program: program.into(), source })
}

fn run(program: &str, arguments: &[&str]) -> bool {
    Command::new(program).args(arguments).output().is_ok_and(|output| output.status.success())
}

fn output(program: &str, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    output.map_or_else(|_| String::new(), |out| String::from_utf8_lossy(&out.stdout).into_owned())
}

/// Tells the inner run what the outer one found to be allowed.
const INNER: &str = "ZK_BENCH_ALLOWED";
const NETWORK: &str = "network ";
const PRIORITY: &str = "priority ";
const NICENESS: &str = "-20";
const SERVER_CPU: usize = 0;
const CLIENT_CPU: usize = 1;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_missing_is_said() {
        let mut machine = Machine {
            kernel: "6".to_owned(),
            cpus: 2,
            own_network: true,
            preferred: true,
            pinned: true,
        };
        assert!(machine.notes().is_empty());
        machine.own_network = false;
        machine.pinned = false;
        assert_eq!(machine.notes().len(), 2);
    }
}
