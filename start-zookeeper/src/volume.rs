//! What is on the volume already, and whether it may be written: looked at before anything is.
//!
//! Nothing is changed here. What is found decides between a start and a refusal, so that a volume
//! that hangs on the wrong pod, or a log that lies where nobody will look, costs a message and not
//! the data.
//!
//! Invariant: a `myid` that exists is never overwritten, whatever it says.

use std::fmt;
use std::fs::{self, File};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access, getegid, geteuid, getgroups};

use crate::data_files::{self, Kind};
use crate::problem::Problem;
use crate::settings::DEFAULT_DATA_LOG_DIR;

/// Whether `myid` is to be written.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Myid {
    /// There is none.
    Missing,
    /// It says what it should.
    Right,
}

/// The server that a volume has to belong to.
#[derive(Clone, Copy, Debug)]
pub struct Expected<'a> {
    /// Its number.
    pub id: i64,
    /// What messages call it.
    pub who: &'a str,
}

/// Compares `myid` in `data_dir` with the server that this is. `owner` names another server.
pub fn myid(
    data_dir: &Path,
    expected: Expected<'_>,
    owner: impl Fn(i64) -> String,
) -> Result<Myid, Problem> {
    let path = data_dir.join("myid");
    let content = match content(&path) {
        Ok(Some(content)) => content,
        Ok(None) => return Ok(Myid::Missing),
        Err(source) => return Err(Problem::MyidUnreadable { path, source }),
    };
    let who = expected.who.to_owned();
    let Ok(found) = content.trim().parse::<i64>() else {
        return Err(Problem::MyidGarbage { path, content, expected: expected.id, who });
    };
    if found != expected.id {
        let (expected, owner) = (expected.id, owner(found));
        return Err(Problem::MyidOfAnother { path, found, expected, who, owner });
    }
    Ok(Myid::Right)
}

/// The number in `myid`, if there is one.
pub fn id_on_disk(data_dir: &Path) -> Option<i64> {
    content(&data_dir.join("myid")).ok()??.trim().parse().ok()
}

/// Looks for a transaction log in the places where a start with other flags would have left it.
///
/// Compat: the old script's default and its documentation disagreed about the log directory, and
/// manifests copied the documentation, so both are in use. The newest log decides: older leftovers
/// elsewhere do not stop a server.
pub fn logs_elsewhere(data_dir: &Path, data_log_dir: &Path) -> Option<Problem> {
    let places = [data_dir.join("log"), PathBuf::from(DEFAULT_DATA_LOG_DIR), data_dir.to_owned()];
    logs_newer_than(data_log_dir, places)
}

/// The beginning of a small file, if there is one.
pub(crate) fn content(path: &Path) -> io::Result<Option<String>> {
    let file = match File::open(path) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
        file => file?,
    };
    let mut content = Vec::new();
    file.take(CONTENT_BYTES_MAX).read_to_end(&mut content)?;
    Ok(Some(String::from_utf8_lossy(&content).into_owned()))
}

fn logs_newer_than(chosen: &Path, places: impl IntoIterator<Item = PathBuf>) -> Option<Problem> {
    let own = newest_log(chosen);
    let others = places.into_iter().filter(|place| !is_same(place, chosen));
    let (newest, other) = others.filter_map(|other| Some((newest_log(&other)?, other))).max()?;
    let chosen = chosen.to_owned();
    (Some(newest) > own).then_some(Problem::LogsElsewhere { other, newest, chosen, own })
}

/// Its first zxid. What cannot be listed has none to lose here: if it is the chosen place,
/// [`access_problem`] tells.
fn newest_log(folder: &Path) -> Option<u64> {
    data_files::newest(folder, Kind::Log).map(|log| log.zxid)
}

fn is_same(one: &Path, other: &Path) -> bool {
    let real = |path: &Path| fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    real(one) == real(other)
}

/// What is against writing to each of `folders`, each reason once.
pub fn access_problems(folders: &[PathBuf]) -> Vec<Problem> {
    let mut seen = Vec::new();
    let mut problems = Vec::new();
    for problem in folders.iter().filter_map(|folder| access_problem(folder)) {
        if let Problem::Access { path, .. } = &problem
            && !seen.contains(path)
        {
            seen.push(path.clone());
            problems.push(problem);
        }
    }
    problems
}

/// Whether `folder` can be written to, or made.
pub fn access_problem(folder: &Path) -> Option<Problem> {
    let path = folder.ancestors().find(|ancestor| ancestor.symlink_metadata().is_ok())?;
    let source = match fs::metadata(path) {
        Ok(metadata) if !metadata.is_dir() => Errno::ENOTDIR,
        _ => access(path, AccessFlags::W_OK | AccessFlags::X_OK).err()?,
    };
    Some(Problem::Access { path: path.to_owned(), source, access: Access::of(path) })
}

/// Whose a directory is, and who wants to write to it.
#[derive(Clone, Debug, PartialEq)]
pub struct Access {
    /// Owner, group and mode; `None` if even that cannot be read.
    owner: Option<(u32, u32, u32)>,
    user: u32,
    group: u32,
    groups: Vec<u32>,
    /// What is mounted there, if the system says so.
    mount: Option<String>,
}

impl Access {
    /// The group of the process, which the volume could belong to.
    pub(crate) fn group(&self) -> u32 {
        self.group
    }

    fn of(path: &Path) -> Self {
        let owner = fs::metadata(path).ok();
        let groups = getgroups().unwrap_or_default();
        Self {
            owner: owner.map(|owner| (owner.uid(), owner.gid(), owner.mode() & 0o7777)),
            user: geteuid().as_raw(),
            group: getegid().as_raw(),
            groups: groups.into_iter().map(|group| group.as_raw()).collect(),
            mount: fs::read_to_string(MOUNTINFO).ok().and_then(|text| mount(path, &text)),
        }
    }
}

/// The mount that holds `path`: the deepest, and of these the last. A line is `id parent device root
/// point options … - type source …`.
fn mount(path: &Path, mountinfo: &str) -> Option<String> {
    let lines = mountinfo.lines().filter_map(|line| {
        let (place, kind) = line.split_once(" - ")?;
        let mut words = place.split(' ').skip(4);
        Some((words.next()?, words.next()?, kind.split(' ').next()?))
    });
    let holding = lines.filter(|(point, ..)| path.starts_with(point));
    let (point, options, kind) = holding.max_by_key(|(point, ..)| point.len())?;
    let is_read_only = options.split(',').any(|option| option == "ro");
    let read_only = if is_read_only { "read-only " } else { "" };
    Some(format!("{read_only}{kind} at {point}"))
}

impl fmt::Display for Access {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.owner {
            Some((uid, gid, mode)) => write!(f, "it is uid {uid}, gid {gid}, mode {mode:04o}")?,
            None => write!(f, "its owner cannot be read")?,
        }
        write!(f, ", this process is uid {}, gid {}", self.user, self.group)?;
        let others = self.groups.iter().filter(|group| **group != self.group);
        for group in others {
            write!(f, " and {group}")?;
        }
        if let Some(mount) = &self.mount {
            write!(f, ", the mount is {mount}")?;
        }
        Ok(())
    }
}

const MOUNTINFO: &str = "/proc/self/mountinfo";

/// A `myid` is a number and perhaps a line break, an id has 36 letters; more than this is garbage anyway.
const CONTENT_BYTES_MAX: u64 = 64;

#[cfg(test)]
mod tests;
