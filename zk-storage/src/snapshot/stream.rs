//! Jute records from a stream of any length, with the Adler-32 of all that was read.
//!
//! A record is decoded in place from one buffer; if it goes past the buffer's end, more is read and
//! the record is decoded again. The buffer grows with the largest record, never with the file.

use std::io::{ErrorKind, Read};

use simd_adler32::Adler32;
use zk_wire::{DecodeError, Decoder};

/// Why a stream cannot be read on.
#[derive(Debug)]
pub(super) enum Broken {
    /// The disk failed.
    Io(std::io::Error),
    /// The packing is damaged.
    Compression,
    /// The bytes are not what they should be.
    Record(DecodeError),
}

pub(super) struct Stream<R> {
    source: R,
    buffer: Vec<u8>,
    /// What was read from the source and not handed out.
    start: usize,
    end: usize,
    /// Up to where the buffer is in `adler`.
    hashed: usize,
    adler: Adler32,
    /// Where the buffer starts in the stream.
    base: u64,
    is_at_end: bool,
    length_max: usize,
}

impl<R: Read> Stream<R> {
    /// A stream whose strings and buffers are at most `length_max` long.
    pub(super) fn new(source: R, length_max: usize, capacity: usize) -> Self {
        Self {
            source,
            buffer: vec![0; capacity.clamp(CHUNK_MIN, CHUNK)],
            start: 0,
            end: 0,
            hashed: 0,
            adler: Adler32::new(),
            base: 0,
            is_at_end: false,
            length_max,
        }
    }

    /// Decodes one record. `decode` runs again from the record's start when bytes are missing, so it
    /// acts only once it has all of them.
    pub(super) fn record<T>(
        &mut self,
        mut decode: impl FnMut(&mut Decoder<'_>) -> Result<T, DecodeError>,
    ) -> Result<T, Broken> {
        loop {
            let bytes = &self.buffer[self.start..self.end];
            let mut decoder = Decoder::with_limit(bytes, self.length_max);
            match decode(&mut decoder) {
                Ok(value) => {
                    self.start += decoder.offset();
                    return Ok(value);
                }
                Err(DecodeError::Truncated { .. })
                    if !self.is_at_end && bytes.len() < self.record_max() =>
                {
                    self.fill()?;
                }
                Err(error) => return Err(Broken::Record(error)),
            }
        }
    }

    /// The Adler-32 of everything decoded so far.
    pub(super) fn checksum(&mut self) -> u32 {
        self.adler.write(&self.buffer[self.hashed..self.start]);
        self.hashed = self.start;
        self.adler.finish()
    }

    /// Everything up to the end of the stream, if that is at most `max` bytes.
    pub(super) fn rest(&mut self, max: usize) -> Result<&[u8], Broken> {
        while !self.is_at_end && self.end - self.start <= max {
            self.fill()?;
        }
        Ok(&self.buffer[self.start..self.end])
    }

    /// How many bytes were decoded.
    pub(super) fn offset(&self) -> u64 {
        self.base + self.start as u64
    }

    /// A node has one string and one buffer; nothing in a snapshot has more.
    fn record_max(&self) -> usize {
        self.length_max.saturating_mul(2).saturating_add(CHUNK)
    }

    fn fill(&mut self) -> Result<(), Broken> {
        self.checksum();
        self.buffer.copy_within(self.start..self.end, 0);
        self.base += self.start as u64;
        (self.end, self.start, self.hashed) = (self.end - self.start, 0, 0);
        if self.end == self.buffer.len() {
            self.buffer.resize(self.end * 2, 0);
        }
        match self.source.read(&mut self.buffer[self.end..]) {
            Ok(0) => self.is_at_end = true,
            Ok(n) => self.end += n,
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::InvalidData | ErrorKind::InvalidInput | ErrorKind::UnexpectedEof
                ) =>
            {
                return Err(Broken::Compression);
            }
            Err(error) => return Err(Broken::Io(error)),
        }
        Ok(())
    }
}

/// Stays in a core's cache between reading, hashing and decoding.
const CHUNK: usize = 256 * 1024;
const CHUNK_MIN: usize = 4 * 1024;
