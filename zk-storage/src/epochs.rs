//! The files `currentEpoch` and `acceptedEpoch`: what a member of an ensemble may not forget.
//!
//! Invariants
//! - Neither file is ever seen half written, and neither goes back.
//! - `current <= accepted`, and no txn is of a later epoch than `current`.
//!
//! Java: `QuorumPeer.loadDataBase`, `AtomicFileOutputStream`.

use std::io::{self, Read};
use std::path::{Path, PathBuf};

use zk_wire::{Epoch, Zxid};

use crate::dirs::DataDirs;
use crate::disk::{Disk, DiskFile, Sequential};
use crate::error::{Error, IoContext};
use crate::log::sync_dir;

/// The two epochs, and their files.
#[derive(Debug)]
pub struct Epochs<D: Disk> {
    disk: D,
    dir: PathBuf,
    current: Epoch,
    accepted: Epoch,
}

impl<D: Disk> Epochs<D> {
    /// Loads both, or makes them on a first start; `last_zxid` is the recovered database's.
    ///
    /// # Errors
    /// A file holds no number, is older than the database, or cannot be read or made.
    pub fn load(disk: D, dirs: &DataDirs, last_zxid: Zxid) -> Result<Self, Error> {
        let dir = dirs.snap().to_owned();
        let logged = last_zxid.epoch().max(Epoch(0));
        let mut epochs = Self { disk, dir, current: logged, accepted: logged };
        match epochs.read(CURRENT)? {
            None => epochs.write(CURRENT, logged)?,
            Some(found) if found >= logged => epochs.current = found,
            Some(found) => epochs.finish_interrupted(found, logged)?,
        }
        match epochs.read(ACCEPTED)? {
            None => epochs.write(ACCEPTED, logged)?,
            Some(found) => epochs.accepted = found,
        }
        if epochs.accepted < epochs.current {
            let path = epochs.dir.join(ACCEPTED);
            let (found, seen) = (epochs.accepted.0, epochs.current.0);
            return Err(Error::EpochTooOld { path, found, seen });
        }
        Ok(epochs)
    }

    /// What the file of the current epoch says; `None` if there is none. Nothing is made.
    ///
    /// # Errors
    /// It holds no number, or cannot be read.
    pub fn stored_current(disk: &D, dirs: &DataDirs) -> Result<Option<Epoch>, Error> {
        let (disk, dir) = (disk.clone(), dirs.snap().to_owned());
        Self { disk, dir, current: Epoch(0), accepted: Epoch(0) }.read(CURRENT)
    }

    /// The epoch of the leader that this server last followed or was.
    pub fn current(&self) -> Epoch {
        self.current
    }

    /// The epoch of the last NEWEPOCH that was accepted.
    pub fn accepted(&self) -> Epoch {
        self.accepted
    }

    /// Makes a new current epoch durable.
    ///
    /// # Errors
    /// The disk refuses; the old one stands.
    pub fn write_current(&mut self, epoch: Epoch) -> Result<(), Error> {
        self.write(CURRENT, epoch)?;
        self.current = epoch;
        Ok(())
    }

    /// Makes a new accepted epoch durable.
    ///
    /// # Errors
    /// The disk refuses; the old one stands.
    pub fn write_accepted(&mut self, epoch: Epoch) -> Result<(), Error> {
        self.write(ACCEPTED, epoch)?;
        self.accepted = epoch;
        Ok(())
    }

    /// A current epoch below the log's: its new value may wait in the unfinished file. A learner's log gets
    /// txns of a new epoch before the file does; it has promised that epoch then, and its log is what the
    /// leader of that epoch sent.
    fn finish_interrupted(&mut self, found: Epoch, logged: Epoch) -> Result<(), Error> {
        // A crash may have torn the unfinished file: then it says nothing.
        let unfinished = match self.read(&unfinished(CURRENT)) {
            Err(Error::EpochFile { .. }) => None,
            read => read?,
        };
        match (unfinished, self.read(ACCEPTED)?) {
            (Some(epoch), _) if epoch >= logged => self.write_current(epoch),
            (_, Some(promised)) if promised >= logged => self.write_current(logged),
            _ => {
                let path = self.dir.join(CURRENT);
                Err(Error::EpochTooOld { path, found: found.0, seen: logged.0 })
            }
        }
    }

    fn read(&self, name: &str) -> Result<Option<Epoch>, Error> {
        let path = self.dir.join(name);
        let file = match self.disk.open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(error).context(&self.disk, "open", &path),
        };
        let mut bytes = Vec::new();
        let read = Sequential::new(file).take(BYTES_MAX).read_to_end(&mut bytes);
        read.context(&self.disk, "read", &path)?;
        parse(&bytes).map(Some).ok_or(Error::EpochFile { path })
    }

    fn write(&self, name: &str, epoch: Epoch) -> Result<(), Error> {
        let (path, tmp) = (self.dir.join(name), self.dir.join(unfinished(name)));
        self.replace(&path, &tmp, epoch.0.to_string().as_bytes())
            .context(&self.disk, "write", &path)?;
        sync_dir(&self.disk, &self.dir)
    }

    fn replace(&self, path: &Path, tmp: &Path, bytes: &[u8]) -> io::Result<()> {
        let mut file = self.disk.create(tmp)?;
        file.write_at(0, bytes)?;
        file.sync_data()?;
        self.disk.rename(tmp, path)
    }
}

/// The number in the first line; Java trims nothing.
fn parse(bytes: &[u8]) -> Option<Epoch> {
    let line = std::str::from_utf8(bytes).ok()?.lines().next()?;
    line.parse().ok().filter(|epoch| *epoch >= 0).map(Epoch)
}

/// Reads any bytes as an epoch file.
pub fn fuzz_epoch(bytes: &[u8]) {
    let _ = parse(bytes);
}

fn unfinished(name: &str) -> String {
    format!("{name}.tmp")
}

const CURRENT: &str = "currentEpoch";
const ACCEPTED: &str = "acceptedEpoch";
/// Longer than any number and its line end.
const BYTES_MAX: u64 = 64;
