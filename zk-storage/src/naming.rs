//! The file `ensemble.id` beside `version-2`: which ensemble the data belongs to.
//!
//! Its first line is the id; a second one, `proposed in epoch N`, stands there until the id is settled.
//! Java's servers and tools do not look at it, and nothing here removes it.
//!
//! Invariant: the file is never seen half written.

use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use zk_wire::{Epoch, Naming};

use crate::dirs::DataDirs;
use crate::disk::{Disk, DiskFile, Sequential};
use crate::error::{Error, IoContext};
use crate::log::sync_dir;

/// The file, and what it says.
#[derive(Debug)]
pub struct NamingFile<D: Disk> {
    disk: D,
    path: PathBuf,
    naming: Naming,
}

impl<D: Disk> NamingFile<D> {
    /// Reads it; there may be none.
    ///
    /// # Errors
    /// It holds no id, or cannot be read.
    pub fn load(disk: D, dirs: &DataDirs) -> Result<Self, Error> {
        let path = naming_path(dirs);
        let naming = match disk.open(&path) {
            Ok(file) => {
                let mut bytes = Vec::new();
                let read = Sequential::new(file).take(BYTES_MAX).read_to_end(&mut bytes);
                read.context(&disk, "read", &path)?;
                parse(&bytes).ok_or_else(|| Error::NamingFile { path: path.clone() })?
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => Naming::Unknown,
            Err(error) => return Err(error).context(&disk, "open", &path),
        };
        Ok(Self { disk, path, naming })
    }

    /// What it says.
    pub fn naming(&self) -> Naming {
        self.naming
    }

    /// Makes it say something else, durably.
    ///
    /// # Errors
    /// The disk refuses; what it said stands.
    pub fn write(&mut self, naming: Naming) -> Result<(), Error> {
        let text = match naming {
            Naming::Unknown => return Ok(()),
            Naming::Proposed { id, epoch } => format!("{id}\n{PROPOSED}{epoch}\n"),
            Naming::Settled(id) => format!("{id}\n"),
        };
        let dir = self.path.parent().unwrap_or(Path::new("."));
        let unfinished = dir.join(UNFINISHED);
        self.replace(&unfinished, text.as_bytes()).context(&self.disk, "write", &self.path)?;
        sync_dir(&self.disk, dir)?;
        self.naming = naming;
        Ok(())
    }

    fn replace(&self, unfinished: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.disk.create(unfinished)?;
        file.write_at(0, bytes)?;
        file.sync_data()?;
        self.disk.rename(unfinished, &self.path)
    }
}

/// Where the file is.
pub fn naming_path(dirs: &DataDirs) -> PathBuf {
    dirs.snap().with_file_name(NAME)
}

fn parse(bytes: &[u8]) -> Option<Naming> {
    let mut lines = std::str::from_utf8(bytes).ok()?.lines();
    let id = lines.next()?.trim().parse().ok()?;
    let Some(second) = lines.next() else { return Some(Naming::Settled(id)) };
    let epoch = Epoch(second.strip_prefix(PROPOSED)?.parse().ok()?);
    Some(Naming::Proposed { id, epoch })
}

/// Reads any bytes as that file.
pub fn fuzz_naming(bytes: &[u8]) {
    let _ = parse(bytes);
}

const NAME: &str = "ensemble.id";
const UNFINISHED: &str = ".ensemble.id.tmp";
const PROPOSED: &str = "proposed in epoch ";
const BYTES_MAX: u64 = 128;
