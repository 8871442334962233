//! `ps` and `pkill`: what people type in a pod to see and to end its server, where the base image has neither.
//!
//! They are no more than that: `ps` shows all processes, who and whose child each is, whatever it is asked; `pkill`
//! sends SIGTERM to those whose name has the word in it.

use std::ffi::OsString;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, User};

/// Prints every process of the container.
#[expect(clippy::print_stdout, reason = "a command line tool prints there")]
pub(crate) fn ps(_: Vec<OsString>) -> ExitCode {
    println!("{:<8} {:>7} {:>7} {:>8} CMD", "UID", "PID", "PPID", "TIME");
    let mut processes = Process::all();
    processes.sort_by_key(|process| process.pid);
    for Process { pid, parent, uid, seconds, command, .. } in processes {
        let user = User::from_uid(uid.into()).ok().flatten();
        let user = user.map_or_else(|| uid.to_string(), |user| user.name);
        let (hours, minutes, seconds) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        println!("{user:<8.8} {pid:>7} {parent:>7} {hours:02}:{minutes:02}:{seconds:02} {command}");
    }
    ExitCode::SUCCESS
}

/// Ends processes by their names. As the usual one: exit code 1 if there is none of that name.
pub(crate) fn pkill(command_line: Vec<OsString>) -> ExitCode {
    let words = command_line.into_iter().skip(1).map(|word| word.to_string_lossy().into_owned());
    let words: Vec<_> = words.collect();
    let [word] = words.as_slice() else {
        eprintln!("usage: pkill NAME: sends SIGTERM to the processes with NAME in their names");
        return ExitCode::from(EXIT_USAGE);
    };
    let own = i32::try_from(std::process::id()).unwrap_or_default();
    let is_meant = |process: &Process| process.name.contains(word.as_str()) && process.pid != own;
    let meant: Vec<_> = Process::all().into_iter().filter(is_meant).collect();
    let mut code = if meant.is_empty() { EXIT_NOBODY } else { 0 };
    for process in meant {
        if let Err(error) = kill(Pid::from_raw(process.pid), Signal::SIGTERM) {
            eprintln!("pkill: killing pid {} failed: {}", process.pid, error.desc());
            code = EXIT_NOBODY;
        }
    }
    ExitCode::from(code)
}

/// As the kernel tells it.
struct Process {
    pid: i32,
    parent: i32,
    uid: u32,
    /// Of processor time.
    seconds: u64,
    /// Fifteen bytes at most.
    name: String,
    /// Its words, or its name in brackets.
    command: String,
}

impl Process {
    /// One that ends meanwhile is left out.
    fn all() -> Vec<Self> {
        let entries = fs::read_dir("/proc").into_iter().flatten().flatten();
        entries.filter_map(|entry| Self::of(&entry.path())).collect()
    }

    fn of(folder: &Path) -> Option<Self> {
        let pid = folder.file_name()?.to_str()?.parse().ok()?;
        let stat = fs::read_to_string(folder.join("stat")).ok()?;
        // The name stands in brackets, and may have some in it.
        let (name, rest) = stat.split_once('(')?.1.rsplit_once(')')?;
        let fields: Vec<_> = rest.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        let ticks = number(UTIME)? + number(STIME)?;
        let status = fs::read_to_string(folder.join("status")).ok()?;
        let uid = status.lines().find_map(|line| line.strip_prefix("Uid:"))?;
        let words = fs::read(folder.join("cmdline")).ok()?;
        let words = String::from_utf8_lossy(&words).replace('\0', " ");
        let command = match words.trim_end() {
            "" => format!("[{name}]"),
            words => words.to_owned(),
        };
        Some(Self {
            pid,
            parent: fields.get(PPID)?.parse().ok()?,
            uid: uid.split_whitespace().next()?.parse().ok()?,
            seconds: ticks / TICKS,
            name: name.to_owned(),
            command,
        })
    }
}

/// Fields of `/proc/PID/stat` behind the name, from 0.
const PPID: usize = 1;
const UTIME: usize = 11;
const STIME: usize = 12;
/// A second has, on every Linux that has not been built otherwise.
const TICKS: u64 = 100;

/// As procps has them.
const EXIT_NOBODY: u8 = 1;
const EXIT_USAGE: u8 = 2;
