//! Snapshots: one whole database in a file, sealed by Adler-32 sums. Java: `FileSnap`, `SnapStream`.
//!
//! Who fills or reads the tree is a [`zk_wire::Replica`]'s business; here are the file's own parts:
//! header, seals, trailers, packing, and which file is worth trying.

mod reader;
mod stream;
mod writer;
mod xerial;

use std::path::Path;

use crate::disk::{Disk, DiskFile};
use crate::error::{Error, IoContext};
use crate::names::{Compression, SnapshotFile, snapshots};

pub(crate) use reader::Discard;
pub use reader::{SnapshotReader, SnapshotSummary, fuzz_snapshot};
pub use writer::SnapshotWriter;

/// The newest snapshots that look whole, at most `count`, newest first.
///
/// # Errors
/// The directory or a file cannot be read.
pub fn newest_snapshots<D: Disk>(
    disk: &D,
    dir: &Path,
    count: usize,
) -> Result<Vec<SnapshotFile>, Error> {
    let mut found = Vec::new();
    for file in snapshots(disk, dir)? {
        if found.len() == count {
            break;
        }
        if looks_whole(disk, &file)? {
            found.push(file);
        }
    }
    Ok(found)
}

/// Java's cheap test (`SnapStream.isValidSnapshot`): the end of a plain snapshot, the start of a
/// packed one.
fn looks_whole<D: Disk>(disk: &D, snapshot: &SnapshotFile) -> Result<bool, Error> {
    let path = &snapshot.path;
    let file = disk.open(path).context(disk, "open", path)?;
    let len = file.len().context(disk, "read", path)?;
    let (offset, expected) = match snapshot.compression {
        Compression::Plain if len < 10 => return Ok(false),
        Compression::Plain => (len - PLAIN_END.len() as u64, PLAIN_END),
        Compression::Gz => (0, GZ_MAGIC),
        Compression::Snappy => (0, &xerial::MAGIC[..]),
    };
    let mut bytes = [0; 8];
    let bytes = &mut bytes[..expected.len()];
    let read = file.read_at(offset, bytes).context(disk, "read", path)?;
    Ok(read == expected.len() && bytes == expected)
}

/// The string that follows each seal's checksum.
const PLAIN_END: &[u8] = &[0, 0, 0, 1, b'/'];
const GZ_MAGIC: &[u8] = &[0x1f, 0x8b];
