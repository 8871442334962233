//! Sees to it that nothing is left when this process ends, in whatever way it ends.
//!
//! A shell beside us reads which processes run. When its input ends, it kills them and removes the folder of
//! the run: after Ctrl-C or a kill no destructor of ours gets to that.
//!
//! Invariants
//! - A process is known here from right after its start until it was waited for, so no other one can
//!   have its id.

use std::cell::RefCell;
use std::io::Write;
use std::path::Path;
use std::process::{Child, ChildStdin, Command, Stdio};

use crate::error::Error;

/// The shell; it ends with this value.
#[derive(Debug)]
pub(crate) struct Guard {
    shell: Child,
    state: RefCell<State>,
}

#[derive(Debug)]
struct State {
    /// `None` once the shell is to end.
    input: Option<ChildStdin>,
    running: Vec<u32>,
}

impl Guard {
    /// Starts the shell, which removes `folder` at the end.
    pub(crate) fn start(folder: &Path) -> Result<Self, Error> {
        let mut shell = Command::new("sh")
            .args(["-c", SCRIPT, "guard"])
            .arg(folder)
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .map_err(|source| Error::Spawn { program: "sh".into(), source })?;
        let input = shell.stdin.take();
        Ok(Self { shell, state: RefCell::new(State { input, running: Vec::new() }) })
    }

    /// This process runs now.
    pub(crate) fn add(&self, pid: u32) {
        self.state.borrow_mut().running.push(pid);
        self.tell();
    }

    /// This process was waited for.
    pub(crate) fn remove(&self, pid: u32) {
        self.state.borrow_mut().running.retain(|running| *running != pid);
        self.tell();
    }

    fn tell(&self) {
        let mut state = self.state.borrow_mut();
        let pids: Vec<_> = state.running.iter().map(u32::to_string).collect();
        if let Some(input) = &mut state.input {
            // Without the shell the processes still end with their values.
            let _ = writeln!(input, "{}", pids.join(" "));
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.state.borrow_mut().input = None;
        // It may have been killed; nobody can act on that here.
        let _ = self.shell.wait();
    }
}

/// Each line has all ids; Ctrl-C reaches the shell too, and must not end it.
const SCRIPT: &str = "trap '' INT TERM HUP; running=; while read -r line; do running=$line; done; \
                      [ -z \"$running\" ] || kill -9 $running; rm -rf -- \"$1\"";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_still_runs_at_the_end_is_killed_and_the_folder_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let reader =
            || Command::new("cat").stdin(Stdio::piped()).stdout(Stdio::null()).spawn().unwrap();
        let (mut running, mut other) = (reader(), reader());
        let guard = Guard::start(folder.path()).unwrap();
        guard.add(other.id());
        guard.add(running.id());
        guard.remove(other.id());
        drop(guard);
        assert!(running.wait().unwrap().code().is_none(), "a signal ended it");
        assert!(!folder.path().exists());
        drop(other.stdin.take());
        assert_eq!(other.wait().unwrap().code(), Some(0));
    }
}
