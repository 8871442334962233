//! The framing of xerial's snappy-java: a header, then raw snappy blocks with their lengths.
//!
//! Not the official snappy framing: no checksums, no stream identifier. Java: `SnappyOutputStream`.

use std::io::{self, Read, Write};

use snap::raw::{Decoder, Encoder, decompress_len, max_compress_len};

/// What a stream starts with.
pub(super) const MAGIC: [u8; 8] = [0x82, b'S', b'N', b'A', b'P', b'P', b'Y', 0];
/// Version and lowest compatible version.
const VERSIONS: [u8; 8] = [0, 0, 0, 1, 0, 0, 0, 1];
/// How many bytes Java packs into a block.
const BLOCK: usize = 32 * 1024;
/// The longest block read, packed or not; nobody configures larger ones.
const BLOCK_MAX: usize = 4 * 1024 * 1024;

/// Packs what is written to it.
pub(super) struct XerialWriter<W> {
    out: W,
    block: Vec<u8>,
    packed: Vec<u8>,
    snappy: Encoder,
}

impl<W: Write> XerialWriter<W> {
    pub(super) fn new(mut out: W) -> io::Result<Self> {
        out.write_all(&MAGIC)?;
        out.write_all(&VERSIONS)?;
        Ok(Self {
            out,
            block: Vec::with_capacity(BLOCK),
            packed: vec![0; max_compress_len(BLOCK)],
            snappy: Encoder::new(),
        })
    }

    /// Writes the last block.
    pub(super) fn finish(mut self) -> io::Result<W> {
        self.end_block()?;
        Ok(self.out)
    }

    fn end_block(&mut self) -> io::Result<()> {
        if self.block.is_empty() {
            return Ok(());
        }
        let n = self.snappy.compress(&self.block, &mut self.packed).map_err(io::Error::other)?;
        let length = i32::try_from(n).expect("a packed block is small");
        self.out.write_all(&length.to_be_bytes())?;
        self.out.write_all(&self.packed[..n])?;
        self.block.clear();
        Ok(())
    }
}

impl<W: Write> Write for XerialWriter<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let n = bytes.len().min(BLOCK - self.block.len());
        self.block.extend_from_slice(&bytes[..n]);
        if self.block.len() == BLOCK {
            self.end_block()?;
        }
        Ok(n)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Unpacks a stream.
pub(super) struct XerialReader<R> {
    source: R,
    packed: Vec<u8>,
    block: Vec<u8>,
    /// How much of `block` was handed out.
    given: usize,
}

impl<R: Read> XerialReader<R> {
    pub(super) fn new(source: R) -> Self {
        Self { source, packed: Vec::new(), block: Vec::new(), given: 0 }
    }

    /// Unpacks the next block; `false` at the end of the stream.
    fn next_block(&mut self) -> io::Result<bool> {
        self.given = 0;
        self.block.clear();
        let mut length = [0; 4];
        if self.source.read(&mut length[..1])? == 0 {
            return Ok(false);
        }
        self.source.read_exact(&mut length[1..])?;
        if length == MAGIC[..4] {
            // The head of the stream, or of another that was appended to it.
            let mut rest = [0; 12];
            self.source.read_exact(&mut rest)?;
            return if rest[..4] == MAGIC[4..] { Ok(true) } else { Err(broken()) };
        }
        let length = usize::try_from(i32::from_be_bytes(length)).map_err(|_| broken())?;
        if length > BLOCK_MAX {
            return Err(broken());
        }
        self.packed.clear();
        let read = self.source.by_ref().take(length as u64).read_to_end(&mut self.packed)?;
        let unpacked = decompress_len(&self.packed).map_err(|_| broken())?;
        if read < length || unpacked > BLOCK_MAX {
            return Err(broken());
        }
        self.block.resize(unpacked, 0);
        Decoder::new().decompress(&self.packed, &mut self.block).map_err(|_| broken())?;
        Ok(true)
    }
}

impl<R: Read> Read for XerialReader<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while self.given == self.block.len() {
            if !self.next_block()? {
                return Ok(0);
            }
        }
        let n = into.len().min(self.block.len() - self.given);
        into[..n].copy_from_slice(&self.block[self.given..self.given + n]);
        self.given += n;
        Ok(n)
    }
}

fn broken() -> io::Error {
    io::ErrorKind::InvalidData.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut writer = XerialWriter::new(Vec::new()).unwrap();
        writer.write_all(bytes).unwrap();
        writer.finish().unwrap()
    }

    fn unpacked(bytes: &[u8]) -> io::Result<Vec<u8>> {
        let mut out = Vec::new();
        XerialReader::new(bytes).read_to_end(&mut out)?;
        Ok(out)
    }

    #[test]
    fn what_is_packed_unpacks_whatever_its_length() {
        for n in [0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK + 7] {
            let bytes: Vec<u8> = (0..n).map(|i| u8::try_from(i % 251).unwrap()).collect();
            assert_eq!(unpacked(&packed(&bytes)).unwrap(), bytes, "{n}");
        }
    }

    #[test]
    fn a_second_stream_behind_the_first_is_read_on() {
        let both = [packed(b"one "), packed(b"two")].concat();
        assert_eq!(unpacked(&both).unwrap(), b"one two");
    }

    #[test]
    fn a_cut_or_absurd_stream_is_an_error() {
        let bytes = packed(b"some bytes that are long enough");
        for end in 17..bytes.len() {
            assert!(unpacked(&bytes[..end]).is_err(), "{end}");
        }
        assert!(unpacked(&[&bytes[..16], &[0x7f, 0, 0, 0]].concat()).is_err());
        assert!(unpacked(&[&bytes[..16], &[0x80, 0, 0, 0]].concat()).is_err());
    }
}
