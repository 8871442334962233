//! `ps` and `pkill` as people type them in a pod.

#[path = "../../server/tests/it/deadline.rs"]
mod deadline;

use std::fs;
use std::os::unix::fs::symlink;
use std::os::unix::process::ExitStatusExt;
use std::process::{Command, Output};
use std::time::Duration;

use deadline::await_until;

const BINARY: &str = env!("CARGO_BIN_EXE_zookeeper");

fn run(words: &[&str]) -> Output {
    Command::new(BINARY).args(words).output().expect("it starts")
}

/// A program under a name that nobody else has.
fn victim(folder: &tempfile::TempDir) -> (String, std::process::Child) {
    let name = format!("victim-{}", std::process::id());
    let path = folder.path().join(&name);
    symlink("/bin/sleep", &path).expect("ours");
    let child = Command::new(&path).arg("600").spawn().expect("it starts");
    let comm = format!("/proc/{}/comm", child.id());
    await_until("it has its name", Duration::from_secs(20), || {
        (fs::read_to_string(&comm).ok()?.trim() == name).then_some(())
    });
    (name, child)
}

#[test]
fn a_process_is_shown_with_its_words_and_ended_by_its_name() {
    let folder = tempfile::tempdir().expect("a scratch folder");
    let (name, mut child) = victim(&folder);
    for flags in [&["ps"][..], &["ps", "-ef"], &["ps", "-elf"], &["ps", "aux"]] {
        let output = run(flags);
        let text = String::from_utf8(output.stdout).expect("UTF-8");
        assert!(text.starts_with("UID          PID    PPID     TIME CMD\n"), "{text}");
        let line = text.lines().find(|line| line.ends_with(&format!("{name} 600"))).expect(&text);
        let fields: Vec<_> = line.split_whitespace().collect();
        let [pid, parent] = [child.id(), std::process::id()].map(|id| id.to_string());
        assert_eq!(fields[1..4], [pid.as_str(), parent.as_str(), "00:00:00"], "{line}");
    }
    assert_eq!(run(&["pkill", &name]).status.code(), Some(0));
    assert_eq!(child.wait().expect("it ends").signal(), Some(15));
    assert_eq!(run(&["pkill", &name]).status.code(), Some(1), "it is gone");
}

#[test]
fn without_one_name_nothing_is_ended() {
    for words in [&["pkill"][..], &["pkill", "a", "b"]] {
        let output = run(words);
        assert_eq!(output.status.code(), Some(2));
        assert!(String::from_utf8_lossy(&output.stderr).starts_with("usage: pkill NAME"));
    }
}
