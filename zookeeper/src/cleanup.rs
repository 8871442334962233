//! `zkCleanup.sh -n COUNT`: old snapshots and logs are removed by hand, also beside a running server.
//!
//! What may go is `zk_storage`'s decision, the same as of the server's own purging.
//!
//! Compat: output, errors and exit codes are those of Java's `PurgeTxnLog`, behind the script that takes
//! the folders from zoo.cfg.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use zk_config::Config;
use zk_storage::{DataDirs, RealDisk, purge};

/// The whole program, from the command line with the program's name to the exit code.
pub(crate) fn main(command_line: Vec<OsString>) -> ExitCode {
    let words = command_line.into_iter().skip(1);
    let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    match clean(&words) {
        Ok(removed) => {
            print(io::stdout(), &removed);
            ExitCode::SUCCESS
        }
        Err(Refusal { why, is_usage }) => {
            print(io::stderr(), &why);
            print(io::stdout(), if is_usage { USAGE } else { "" });
            ExitCode::FAILURE
        }
    }
}

/// Why nothing, or not everything, was removed.
struct Refusal {
    why: String,
    is_usage: bool,
}

fn misused(why: String) -> Refusal {
    Refusal { why, is_usage: true }
}

fn failed(why: impl std::fmt::Display) -> Refusal {
    Refusal { why: format!("zkCleanup.sh: {why}\n"), is_usage: false }
}

/// A line for each file that was removed.
fn clean(words: &[String]) -> Result<String, Refusal> {
    let zoo_cfg = start_zookeeper::entry::zoo_cfg();
    let storage = Config::read(&zoo_cfg, &[]).map_err(failed)?.config.storage;
    let count = count(words)?;
    for folder in [&storage.data_log_dir, &storage.data_dir] {
        if !folder.exists() {
            return Err(misused(format!("Path '{}' does not exist. \n", folder.display())));
        }
    }
    let dirs = DataDirs::new(&storage.data_dir, &storage.data_log_dir);
    let times: BTreeMap<_, _> = [dirs.snap(), dirs.log()].into_iter().flat_map(times).collect();
    let removed = purge(&RealDisk, &dirs, count).map_err(failed)?;
    let line = |path: &PathBuf| {
        let time = times.get(path).map_or_else(String::new, |time| date(*time));
        format!("Removing file: {time}\t{}\n", path.display())
    };
    Ok(removed.iter().map(line).collect())
}

fn count(words: &[String]) -> Result<usize, Refusal> {
    let [option, count] = words else { return Err(misused(String::new())) };
    let count: i32 =
        count.parse().map_err(|_| misused(format!("'{count}' can not be parsed to integer.\n")))?;
    if count < COUNT_MIN {
        return Err(misused(format!("count should be greater than or equal to {COUNT_MIN}\n")));
    }
    if option != "-n" {
        return Err(misused(String::new()));
    }
    usize::try_from(count).map_err(failed)
}

/// When each file of a folder was last written to.
fn times(folder: &Path) -> impl Iterator<Item = (PathBuf, SystemTime)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    entries.filter_map(|entry| Some((entry.path(), entry.metadata().ok()?.modified().ok()?)))
}

/// As Java's default format for American English, in the local time zone.
fn date(time: SystemTime) -> String {
    let Ok(time) = Timestamp::try_from(time) else { return String::new() };
    time.to_zoned(TimeZone::system()).strftime("%b %-d, %Y, %-I:%M:%S %p").to_string()
}

/// Prints if that can be done: the files are gone all the same.
fn print(mut to: impl Write, text: &str) {
    let _ = to.write_all(text.as_bytes());
}

const COUNT_MIN: i32 = 3;

const USAGE: &str = "\
Usage:
PurgeTxnLog dataLogDir [snapDir] -n count
\tdataLogDir -- path to the txn log directory
\tsnapDir -- path to the snapshot directory
\tcount -- the number of old snaps/logs you want to keep, value should be greater than or equal to 3
";
