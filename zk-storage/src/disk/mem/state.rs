//! What a disk in memory holds: current and durable content, and what a crash decides about.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::{Crash, Operation};

#[derive(Clone, Default)]
pub(super) struct State {
    pub(super) files: Vec<Content>,
    pub(super) names: BTreeMap<PathBuf, usize>,
    durable_names: BTreeMap<PathBuf, usize>,
    pub(super) dirs: BTreeSet<PathBuf>,
    /// What a crash decides about, in the order in which it was done.
    unsynced: Vec<Unsynced>,
    pub(super) locks: BTreeSet<PathBuf>,
    pub(super) boot: u64,
    pub(super) recorded: Option<Vec<Operation>>,
    pub(super) fault: Option<Fault>,
}

#[derive(Clone, Default)]
pub(super) struct Content {
    pub(super) current: Vec<u8>,
    durable: Vec<u8>,
}

#[derive(Clone, Copy)]
pub(super) struct Fault {
    pub(super) after: u64,
    pub(super) errno: i32,
}

#[derive(Clone)]
enum Unsynced {
    Write {
        file: usize,
        offset: usize,
        bytes: Vec<u8>,
    },
    SetLen {
        file: usize,
        len: usize,
    },
    /// `file` has this name now; `None` if no file has.
    Name {
        path: PathBuf,
        file: Option<usize>,
    },
    /// As two names at once.
    Rename {
        from: PathBuf,
        to: PathBuf,
        file: usize,
    },
}

impl Unsynced {
    fn is_of_file(&self, number: usize) -> bool {
        matches!(self, Self::Write { file, .. } | Self::SetLen { file, .. } if *file == number)
    }

    fn is_in_dir(&self, dir: &Path) -> bool {
        match self {
            Self::Write { .. } | Self::SetLen { .. } => false,
            Self::Name { path, .. } | Self::Rename { to: path, .. } => path.parent() == Some(dir),
        }
    }
}

impl State {
    pub(super) fn fork(&self) -> Self {
        Self { recorded: None, fault: None, locks: BTreeSet::new(), ..self.clone() }
    }

    pub(super) fn is_synced(&self) -> bool {
        self.unsynced.is_empty()
    }

    pub(super) fn next_fault(&mut self) -> Option<i32> {
        let fault = self.fault.as_mut()?;
        if fault.after == 0 {
            return Some(fault.errno);
        }
        fault.after -= 1;
        None
    }

    pub(super) fn apply(&mut self, operation: Operation) {
        if let Some(recorded) = &mut self.recorded {
            recorded.push(operation.clone());
        }
        match operation {
            Operation::CreateDirs(dir) => self.dirs.extend(dir.ancestors().map(Path::to_owned)),
            Operation::Create(path) => self.create(path),
            Operation::Write { file, offset, bytes } => {
                self.do_unsynced(Unsynced::Write { file, offset: index(offset), bytes });
            }
            Operation::SetLen { file, len } => {
                self.do_unsynced(Unsynced::SetLen { file, len: index(len) });
            }
            Operation::SyncData { file } => self.sync(|unsynced| unsynced.is_of_file(file)),
            Operation::Rename { from, to } => {
                let file = self.names[&from];
                self.do_unsynced(Unsynced::Rename { from, to, file });
            }
            Operation::Remove(path) => self.do_unsynced(Unsynced::Name { path, file: None }),
            Operation::SyncDir(dir) => self.sync(|unsynced| unsynced.is_in_dir(&dir)),
        }
    }

    /// What a call does that then fails.
    pub(super) fn apply_failed(&mut self, operation: Operation) {
        match operation {
            Operation::Write { file, offset, mut bytes } => {
                bytes.truncate(bytes.len() / 2);
                self.apply(Operation::Write { file, offset, bytes });
            }
            Operation::SyncData { file } => {
                self.unsynced.retain(|unsynced| !unsynced.is_of_file(file));
            }
            Operation::CreateDirs(_)
            | Operation::Create(_)
            | Operation::SetLen { .. }
            | Operation::Rename { .. }
            | Operation::Remove(_)
            | Operation::SyncDir(_) => {}
        }
    }

    fn create(&mut self, path: PathBuf) {
        if let Some(file) = self.names.get(&path) {
            self.do_unsynced(Unsynced::SetLen { file: *file, len: 0 });
        } else {
            self.files.push(Content::default());
            let file = self.files.len() - 1;
            self.do_unsynced(Unsynced::Name { path, file: Some(file) });
        }
    }

    fn do_unsynced(&mut self, unsynced: Unsynced) {
        match &unsynced {
            Unsynced::Write { file, offset, bytes } => {
                write(&mut self.files[*file].current, *offset, bytes);
            }
            Unsynced::SetLen { file, len } => self.files[*file].current.resize(*len, 0),
            Unsynced::Name { .. } | Unsynced::Rename { .. } => rename(&mut self.names, &unsynced),
        }
        self.unsynced.push(unsynced);
    }

    fn sync(&mut self, is_synced: impl Fn(&Unsynced) -> bool) {
        let all = std::mem::take(&mut self.unsynced);
        let (synced, left): (Vec<_>, Vec<_>) = all.into_iter().partition(is_synced);
        self.unsynced = left;
        for unsynced in synced {
            self.make_durable(unsynced);
        }
    }

    fn make_durable(&mut self, unsynced: Unsynced) {
        match unsynced {
            Unsynced::Write { file, offset, bytes } => {
                write(&mut self.files[file].durable, offset, &bytes);
            }
            Unsynced::SetLen { file, len } => self.files[file].durable.resize(len, 0),
            Unsynced::Name { .. } | Unsynced::Rename { .. } => {
                rename(&mut self.durable_names, &unsynced);
            }
        }
    }

    pub(super) fn crash(&mut self, crash: Crash, choose: &mut dyn FnMut(usize) -> usize) {
        if crash == Crash::KeepAll {
            for content in &mut self.files {
                content.durable.clone_from(&content.current);
            }
            self.durable_names.clone_from(&self.names);
        }
        let unsynced = std::mem::take(&mut self.unsynced);
        match crash {
            Crash::KeepAll | Crash::LoseAll => {}
            Crash::Prefix => {
                let last = choose(unsynced.len() + 1);
                for (number, change) in unsynced.into_iter().take(last + 1).enumerate() {
                    match change {
                        Unsynced::Write { file, offset, bytes } if number == last => {
                            let n = choose(bytes.len() + 1);
                            write(&mut self.files[file].durable, offset, &bytes[..n]);
                        }
                        _ if number == last => {}
                        whole => self.make_durable(whole),
                    }
                }
            }
            Crash::Scatter => {
                for change in unsynced {
                    self.scatter(change, choose);
                }
            }
        }
        for content in &mut self.files {
            content.current.clone_from(&content.durable);
        }
        self.names.clone_from(&self.durable_names);
        self.locks.clear();
        self.boot += 1;
    }

    /// Makes any of a write's sectors durable, or any other change or not.
    fn scatter(&mut self, change: Unsynced, choose: &mut dyn FnMut(usize) -> usize) {
        let Unsynced::Write { file, offset, bytes } = change else {
            if choose(2) == 1 {
                self.make_durable(change);
            }
            return;
        };
        let mut at = 0;
        while at < bytes.len() {
            let n = (SECTOR - (offset + at) % SECTOR).min(bytes.len() - at);
            if choose(2) == 1 {
                write(&mut self.files[file].durable, offset + at, &bytes[at..at + n]);
            }
            at += n;
        }
    }
}

fn write(content: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    if content.len() < end {
        content.resize(end, 0);
    }
    content[offset..end].copy_from_slice(bytes);
}

fn rename(names: &mut BTreeMap<PathBuf, usize>, change: &Unsynced) {
    match change {
        Unsynced::Write { .. } | Unsynced::SetLen { .. } => {}
        Unsynced::Name { path, file: Some(file) } => {
            names.insert(path.clone(), *file);
        }
        Unsynced::Name { path, file: None } => {
            names.remove(path);
        }
        Unsynced::Rename { from, to, file } => {
            names.remove(from);
            names.insert(to.clone(), *file);
        }
    }
}

pub(super) fn index(offset: u64) -> usize {
    usize::try_from(offset).expect("a disk in memory fits in memory")
}

const SECTOR: usize = 512;
