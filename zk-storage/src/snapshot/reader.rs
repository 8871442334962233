//! Reads a snapshot of any version and packing into a replica, and checks every seal.
//!
//! Memory stays bounded by the largest node. A replica that was filled when an error came up is half
//! a database: throw it away.
//!
//! Compat: a node may name an ACL that the file's table lacks. Java's fuzzy snapshots do, and the
//! replay of the log mends it; until then the replica must treat it as closed.

use std::path::Path;

use flate2::read::GzDecoder;
use zk_wire::{
    Acl, DecodeError, Decoder, FileHeader, Replica, ReplicaError, SNAPSHOT_MAGIC, SessionId,
    SnapshotDigest, StatPersisted, Zxid,
};

use super::stream::{Broken, Stream};
use super::xerial::XerialReader;
use crate::disk::{Disk, DiskFile, MemDisk, Sequential};
use crate::error::{Damage, Error, IoContext};
use crate::names::{Compression, SnapshotFile};

/// What a snapshot said about itself.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct SnapshotSummary {
    /// Live sessions.
    pub sessions: u64,
    /// Nodes, with the built-in ones.
    pub nodes: u64,
    /// The digest section as it stands there.
    pub digest: Option<SnapshotDigest>,
    /// The last zxid section, which may be above the name's zxid.
    pub last_zxid: Option<Zxid>,
}

impl SnapshotSummary {
    /// The digest, if it can be compared once the replay from `zxid` on has reached it.
    ///
    /// Compat: Java ignores the section of a server that has applied nothing (zxid 0), and one that a
    /// new leader wrote before its first txn (below the name's zxid).
    pub fn digest_after(&self, zxid: Zxid) -> Option<SnapshotDigest> {
        self.digest.filter(|digest| digest.zxid.0 > 0 && digest.zxid >= zxid)
    }

    /// The last txn of which the nodes may show something.
    pub fn highest_zxid(&self) -> Option<Zxid> {
        self.digest.map(|digest| digest.zxid).max(self.last_zxid)
    }
}

/// Reads snapshots.
#[derive(Debug)]
pub struct SnapshotReader;

impl SnapshotReader {
    /// Reads `snapshot` into `replica`, up to and with [`Replica::restored`].
    ///
    /// # Errors
    /// The file cannot be read, or is damaged; `replica` is of no use then.
    pub fn read<D: Disk, R: Replica>(
        disk: &D,
        snapshot: &SnapshotFile,
        length_max: usize,
        replica: &mut R,
    ) -> Result<SnapshotSummary, Error> {
        let path = &snapshot.path;
        let file = disk.open(path).context(disk, "open", path)?;
        let len = usize::try_from(file.len().context(disk, "read", path)?).unwrap_or(usize::MAX);
        let source = Sequential::new(file);
        let (result, offset) = match snapshot.compression {
            Compression::Plain => fill(Stream::new(source, length_max, len), replica),
            Compression::Gz => {
                fill(Stream::new(GzDecoder::new(source), length_max, usize::MAX), replica)
            }
            Compression::Snappy => {
                fill(Stream::new(XerialReader::new(source), length_max, usize::MAX), replica)
            }
        };
        let summary = result.map_err(|fault| fault.into_error(path, offset))?;
        replica.restored(snapshot.zxid, summary.digest_after(snapshot.zxid));
        Ok(summary)
    }
}

/// What went wrong in a stream, before the file is put to it.
enum Fault {
    Io(std::io::Error),
    Damage(Damage),
}

impl Fault {
    fn into_error(self, path: &Path, offset: u64) -> Error {
        let path = path.to_owned();
        match self {
            Self::Io(source) => Error::Io { operation: "read", path, owner: None, source },
            Self::Damage(damage) => Error::DamagedSnapshot { path, offset, damage },
        }
    }
}

impl From<Broken> for Fault {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Io(error) => Self::Io(error),
            Broken::Compression => Self::Damage(Damage::Compression),
            Broken::Record(error) => Self::Damage(error.into()),
        }
    }
}

impl From<DecodeError> for Fault {
    fn from(error: DecodeError) -> Self {
        Self::Damage(error.into())
    }
}

impl From<ReplicaError> for Fault {
    fn from(error: ReplicaError) -> Self {
        Self::Damage(error.into())
    }
}

/// Reads the whole stream; also says how far it came.
fn fill<S: std::io::Read, R: Replica>(
    mut stream: Stream<S>,
    replica: &mut R,
) -> (Result<SnapshotSummary, Fault>, u64) {
    let result = read_all(&mut stream, replica);
    (result, stream.offset())
}

fn read_all<S: std::io::Read, R: Replica>(
    stream: &mut Stream<S>,
    replica: &mut R,
) -> Result<SnapshotSummary, Fault> {
    let header = stream.record(FileHeader::decode)?;
    if header.magic != SNAPSHOT_MAGIC {
        let damage = Damage::Magic { found: header.magic, expected: SNAPSHOT_MAGIC };
        return Err(Fault::Damage(damage));
    }
    let sessions = stream.record(count)?;
    for _ in 0..sessions {
        let (id, timeout) = stream.record(|d| Ok((d.long()?, d.int()?)))?;
        replica.restore_session(SessionId(id), timeout);
    }
    for _ in 0..stream.record(count)? {
        let (id, acl) =
            stream.record(|d| Ok((d.long()?, d.vector(Acl::decode)?.unwrap_or_default())))?;
        replica.restore_acl(id, acl);
    }
    let mut nodes = 0;
    while stream.record(|d| node(d, replica))?? {
        nodes += 1;
    }
    check_seal(stream)?;
    let mut summary = SnapshotSummary { sessions: sessions.into(), nodes, ..Default::default() };
    read_trailers(stream, &mut summary)?;
    Ok(summary)
}

/// A count in a file; Java writes none that is null or negative, and reads these as nothing.
fn count(decoder: &mut Decoder<'_>) -> Result<u32, DecodeError> {
    Ok(decoder.count()?.unwrap_or(0))
}

/// Hands one node to the replica; `false` at the end of the tree.
fn node<R: Replica>(
    decoder: &mut Decoder<'_>,
    replica: &mut R,
) -> Result<Result<bool, ReplicaError>, DecodeError> {
    let path = decoder.text()?.ok_or(DecodeError::Value { field: "path", value: -1 })?;
    if path == "/" {
        return Ok(Ok(false));
    }
    let data = decoder.buffer()?;
    let acl = decoder.long()?;
    let stat = StatPersisted::decode(decoder)?;
    Ok(replica.restore_node(&path, data, acl, &stat).map(|()| true))
}

/// Reads a seal and compares it with the sum of all bytes before it.
fn check_seal<S: std::io::Read>(stream: &mut Stream<S>) -> Result<(), Fault> {
    let found = i64::from(stream.checksum());
    let expected = stream.record(|d| {
        let expected = d.long()?;
        d.buffer()?;
        Ok(expected)
    })?;
    if expected == found { Ok(()) } else { Err(Fault::Damage(Damage::Seal { expected, found })) }
}

/// Reads the sections after the tree. Compat: they have no tags; which ones are there depends on the
/// writer's version and settings, and shows only in how many bytes are left.
fn read_trailers<S: std::io::Read>(
    stream: &mut Stream<S>,
    summary: &mut SnapshotSummary,
) -> Result<(), Fault> {
    let left = stream.rest(TRAILERS_MAX)?.len();
    match left {
        0 => return Ok(()),
        LAST_ZXID_LEN => return read_last_zxid(stream, summary),
        TRAILERS_MAX.. => return Err(Fault::Damage(Damage::Trailer { length: left })),
        _ => {}
    }
    let digest = stream.record(|d| {
        let (zxid, version) = (Zxid(d.long()?), d.int()?);
        // Compat: before version 2 the digest was a string of hex.
        let digest = if version < 2 {
            u64::from_str_radix(&d.text()?.unwrap_or_default(), 16).unwrap_or(0)
        } else {
            d.long()?.cast_unsigned()
        };
        Ok(SnapshotDigest { zxid, version, digest })
    })?;
    check_seal(stream)?;
    summary.digest = Some(digest);
    match stream.rest(TRAILERS_MAX)?.len() {
        0 => Ok(()),
        LAST_ZXID_LEN => read_last_zxid(stream, summary),
        length => Err(Fault::Damage(Damage::Trailer { length })),
    }
}

fn read_last_zxid<S: std::io::Read>(
    stream: &mut Stream<S>,
    summary: &mut SnapshotSummary,
) -> Result<(), Fault> {
    let zxid = Zxid(stream.record(|d| d.long())?);
    check_seal(stream)?;
    summary.last_zxid = Some(zxid);
    Ok(())
}

/// Reads any bytes as a snapshot, in each packing.
pub fn fuzz_snapshot(bytes: &[u8]) {
    let disk = MemDisk::new();
    for compression in [Compression::Plain, Compression::Gz, Compression::Snappy] {
        let path = Path::new("/snapshot.1").to_owned();
        disk.put(&path, bytes);
        let snapshot = SnapshotFile { zxid: Zxid(1), path, compression };
        let _ = SnapshotReader::read(&disk, &snapshot, 1 << 20, &mut Discard);
    }
}

/// A replica that keeps nothing: for who wants to know only what a snapshot says about itself.
pub(crate) struct Discard;

impl Replica for Discard {
    fn restore_session(&mut self, _: SessionId, _: i32) {}

    fn restore_acl(&mut self, _: i64, _: Vec<Acl>) {}

    fn restore_node(
        &mut self,
        _: &str,
        _: Option<&[u8]>,
        _: i64,
        _: &StatPersisted,
    ) -> Result<(), ReplicaError> {
        Ok(())
    }

    fn restored(&mut self, _: Zxid, _: Option<SnapshotDigest>) {}

    fn replay(&mut self, _: &zk_wire::TxnRecord) {}
}

/// The last zxid and its seal.
const LAST_ZXID_LEN: usize = 21;
/// More bytes after the tree than all sections of any version have.
const TRAILERS_MAX: usize = 256;
