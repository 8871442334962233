//! `zkServer-initialize.sh`: says of an empty data directory that it is that of a new server, which then
//! votes at once (`db.autocreate=false`, `joinGuard.enabled`).
//!
//! It starts nothing, and takes data away only with `--force`, and never from below a running server.
//!
//! Compat: words, lines and exit codes are those of Java's script, with three differences. The marker is
//! put where servers of both kinds look for it, beside the log; directories without a snapshot or a log
//! count as empty, so that it can be said of a server that waits; a `myid` that nobody replaces stays.

use std::ffi::OsString;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use zk_config::Properties;
use zk_storage::{DataDirs, Epochs, RealDisk, logs, naming_path, snapshots};

/// The whole program, from the command line with the program's name to the exit code.
#[expect(clippy::print_stdout, reason = "the script says it there, its errors too")]
pub(crate) fn main(command_line: Vec<OsString>) -> ExitCode {
    let words = command_line.into_iter().skip(1);
    let words: Vec<_> = words.map(|word| word.to_string_lossy().into_owned()).collect();
    match Wish::of(&words).and_then(|wish| wish.carry_out()) {
        Ok(said) => {
            println!("{said}");
            ExitCode::SUCCESS
        }
        Err(why) => {
            println!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// What is asked for.
struct Wish {
    zoo_cfg: PathBuf,
    my_id: Option<u8>,
    is_forced: bool,
}

impl Wish {
    fn of(words: &[String]) -> Result<Self, String> {
        let zoo_cfg = start_zookeeper::entry::zoo_cfg();
        let mut wish = Self { zoo_cfg, my_id: None, is_forced: false };
        let mut words = words.iter().map(String::as_str);
        while let Some(word) = words.next() {
            match word.split_once('=').map_or((word, None), |(name, value)| (name, Some(value))) {
                ("--configfile", value) => {
                    let value = value.or_else(|| words.next()).unwrap_or_default();
                    wish.zoo_cfg = PathBuf::from(value);
                }
                ("--myid", value) => {
                    let value = value.or_else(|| words.next()).unwrap_or_default();
                    let id = value.parse().ok().filter(|id| *id > 0);
                    let id = id
                        .ok_or_else(|| format!("--myid is a number from 1 to 255, not `{value}`"));
                    wish.my_id = Some(id?);
                }
                ("--force", None) => wish.is_forced = true,
                ("-h" | "--help", None) => return Err(usage(&wish.zoo_cfg)),
                _ => return Err(format!("Unknown option: {word}\n{}", usage(&wish.zoo_cfg))),
            }
        }
        Ok(wish)
    }

    /// Gives back what there is to say.
    fn carry_out(&self) -> Result<String, String> {
        let (data_dir, data_log_dir) = self.folders()?;
        let dirs = DataDirs::new(&data_dir, &data_log_dir);
        let mut said = Vec::new();
        let mut locks = Vec::new();
        if self.is_forced {
            said.push("Force enabled, data/txnlog directories will be re-initialized".to_owned());
            locks = dirs.lock(&RealDisk, true).map_err(|error| error.to_string())?;
            empty(&dirs)?;
        } else {
            check_empty(&dirs, &data_dir, &data_log_dir)?;
        }
        for dir in dirs.each() {
            fs::create_dir_all(dir).map_err(|error| failed("make", dir, &error))?;
        }
        let path = data_dir.join("myid");
        if let Some(id) = self.my_id {
            fs::write(&path, format!("{id}\n")).map_err(|error| failed("write", &path, &error))?;
            said.push(format!("Using myid of {id}"));
        } else if !path.exists() {
            said.push(format!(
                "No myid provided, be sure to specify it in {} if using non-standalone",
                path.display()
            ));
        }
        let marker = data_log_dir.join("initialize");
        fs::write(&marker, "").map_err(|error| failed("make", &marker, &error))?;
        said.push(format!("{} is made: the next start is that of a new server", marker.display()));
        drop(locks);
        Ok(said.join("\n"))
    }

    /// `dataDir` and `dataLogDir`, whatever else is wrong: an ensemble's file is until there is a `myid`.
    fn folders(&self) -> Result<(PathBuf, PathBuf), String> {
        let shown = self.zoo_cfg.display();
        let text = fs::read(&self.zoo_cfg).map_err(|error| match error.kind() {
            io::ErrorKind::NotFound => format!("Unable to find config file at {shown}"),
            _ => failed("read", &self.zoo_cfg, &error),
        })?;
        let properties =
            Properties::parse(&shown.to_string(), &text).map_err(|error| error.to_string())?;
        let folder = |key| {
            let value = properties.lookup(key)?.value.trim().to_owned();
            (!value.is_empty()).then(|| PathBuf::from(value))
        };
        let data_dir =
            folder("dataDir").ok_or_else(|| format!("Unable to determine dataDir from {shown}"))?;
        let data_log_dir = folder("dataLogDir").unwrap_or_else(|| data_dir.clone());
        Ok((data_dir, data_log_dir))
    }
}

fn check_empty(dirs: &DataDirs, data_dir: &Path, data_log_dir: &Path) -> Result<(), String> {
    let told = |error: zk_storage::Error| error.to_string();
    for (what, dir, parent) in
        [("data", dirs.snap(), data_dir), ("txnlog", dirs.log(), data_log_dir)]
    {
        let has_data =
            || Ok(!snapshots(&RealDisk, dir)?.is_empty() || !logs(&RealDisk, dir)?.is_empty());
        if dir.exists() && has_data().map_err(told)? {
            return Err(format!(
                "ZooKeeper {what} directory already exists at {} (or use --force to force re-initialization)",
                parent.display()
            ));
        }
    }
    let aside = [data_dir, data_log_dir].map(|parent| parent.join("damaged-1"));
    let epoch = Epochs::stored_current(&RealDisk, dirs).map_err(told)?;
    let lost = if let Some(aside) = aside.iter().find(|aside| aside.exists()) {
        format!("{} was put aside", aside.display())
    } else if let Some(epoch) = epoch.filter(|epoch| epoch.0 > 0) {
        format!("currentEpoch is {epoch} in {}", dirs.snap().display())
    } else {
        return Ok(());
    };
    Err(format!(
        "There were data: {lost}. This server gets them from the others; if there are none, use --force to force \
         re-initialization"
    ))
}

/// Takes away what a server has written, from below nobody: the directories are locked.
fn empty(dirs: &DataDirs) -> Result<(), String> {
    let removed = |path: &Path, result: io::Result<()>| match result {
        Err(error) if error.kind() != io::ErrorKind::NotFound => {
            Err(failed("remove", path, &error))
        }
        _ => Ok(()),
    };
    for dir in dirs.each() {
        for entry in fs::read_dir(dir).map_err(|error| failed("list", dir, &error))? {
            let path = entry.map_err(|error| failed("list", dir, &error))?.path();
            removed(&path, fs::remove_file(&path))?;
        }
    }
    let id = naming_path(dirs);
    removed(&id, fs::remove_file(&id))
}

fn failed(what: &str, path: &Path, error: &io::Error) -> String {
    format!("zkServer-initialize.sh: cannot {what} {}: {error}", path.display())
}

fn usage(zoo_cfg: &Path) -> String {
    format!(
        "usage: zkServer-initialize.sh <parameters>
  Optional parameters:
     -h                    Display this message
     --help                Display this message
     --configfile=FILE     ZooKeeper config file ({})
     --myid=#              Set the myid to be used, if any (1-255)
     --force               Force creation of the data/txnlog dirs: what is in version-2 is removed",
        zoo_cfg.display()
    )
}
