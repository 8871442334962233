//! Jute's binary primitives: big-endian integers, strings, buffers, vectors.
//!
//! Invariants
//! - A decoder never reads past its slice and never sizes an allocation from a count it read.
//! - Strings decode with replacement, never with an error; they encode as Java does, each UTF-16
//!   surrogate on its own (CESU-8).
//!
//! Wire: `BinaryInputArchive`, `BinaryOutputArchive`.

use std::borrow::Cow;

use thiserror::Error;

/// Bytes that are not the record they should be. Java answers most of them with MARSHALLINGERROR.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum DecodeError {
    /// The record goes on past the end of its frame or file.
    #[error("record ends {missing} bytes early at offset {offset}")]
    Truncated {
        /// Where the missing field starts.
        offset: usize,
        /// How many bytes of it are not there.
        missing: usize,
    },
    /// A string or buffer says that it is longer than any may be, or negative.
    #[error("unreasonable length {length} at offset {offset}, the limit is {limit}")]
    Length {
        /// Where the length stands.
        offset: usize,
        /// The length it gives.
        length: i32,
        /// The longest allowed, in bytes.
        limit: usize,
    },
    /// A multi holds an op that no multi may hold, or reads beside writes.
    #[error("op {0} may not stand in this multi")]
    MultiComposition(i32),
    /// A field whose value has no meaning.
    #[error("{field} cannot be {value}")]
    Value {
        /// The field's wire name.
        field: &'static str,
        /// What it holds.
        value: i32,
    },
    /// A txn type that no server writes.
    #[error("unsupported txn type {0}")]
    TxnType(i32),
}

/// Reads jute records from a slice.
#[derive(Clone, Debug)]
pub struct Decoder<'a> {
    bytes: &'a [u8],
    at: usize,
    length_max: usize,
}

impl<'a> Decoder<'a> {
    /// A decoder of `bytes`; their own length is the limit of every field.
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0, length_max: bytes.len() }
    }

    /// A decoder whose strings and buffers may not pass `length_max` bytes, as when files are read.
    pub fn with_limit(bytes: &'a [u8], length_max: usize) -> Self {
        Self { bytes, at: 0, length_max }
    }

    /// How many bytes were read.
    pub fn offset(&self) -> usize {
        self.at
    }

    /// The bytes not read yet.
    pub fn rest(&self) -> &'a [u8] {
        &self.bytes[self.at..]
    }

    fn take(&mut self, n: usize) -> Result<&'a [u8], DecodeError> {
        let rest = self.rest();
        if rest.len() < n {
            return Err(DecodeError::Truncated { offset: self.at, missing: n - rest.len() });
        }
        self.at += n;
        Ok(&rest[..n])
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], DecodeError> {
        Ok(self.take(N)?.try_into().expect("take gives the length asked for"))
    }

    /// A byte that is not 0.
    pub fn boolean(&mut self) -> Result<bool, DecodeError> {
        Ok(self.array::<1>()?[0] != 0)
    }

    /// An `int`.
    pub fn int(&mut self) -> Result<i32, DecodeError> {
        Ok(i32::from_be_bytes(self.array()?))
    }

    /// A `long`.
    pub fn long(&mut self) -> Result<i64, DecodeError> {
        Ok(i64::from_be_bytes(self.array()?))
    }

    /// A `buffer`; `None` is Java's null.
    pub fn buffer(&mut self) -> Result<Option<&'a [u8]>, DecodeError> {
        let offset = self.at;
        let length = self.int()?;
        if length == -1 {
            return Ok(None);
        }
        match usize::try_from(length) {
            Ok(n) if n <= self.length_max => self.take(n).map(Some),
            _ => Err(DecodeError::Length { offset, length, limit: self.length_max }),
        }
    }

    /// A `ustring`; `None` is Java's null. Malformed UTF-8 becomes U+FFFD.
    pub fn text(&mut self) -> Result<Option<Cow<'a, str>>, DecodeError> {
        Ok(self.buffer()?.map(decoded))
    }

    /// The count of a `vector`: `None` is null; any other negative count is an empty vector.
    pub fn count(&mut self) -> Result<Option<u32>, DecodeError> {
        let count = self.int()?;
        Ok(if count == -1 { None } else { Some(u32::try_from(count).unwrap_or(0)) })
    }

    /// A `vector` of what `element` reads; `None` is Java's null.
    pub fn vector<T>(
        &mut self,
        mut element: impl FnMut(&mut Self) -> Result<T, DecodeError>,
    ) -> Result<Option<Vec<T>>, DecodeError> {
        let Some(count) = self.count()? else { return Ok(None) };
        let mut elements = Vec::new();
        for _ in 0..count {
            elements.push(element(self)?);
        }
        Ok(Some(elements))
    }

    /// A `vector<ustring>` whose elements may not be null; a null vector is an error, as in Java.
    pub fn texts(&mut self, field: &'static str) -> Result<Vec<Cow<'a, str>>, DecodeError> {
        self.vector(|d| d.text()?.ok_or(DecodeError::Value { field, value: -1 }))?
            .ok_or(DecodeError::Value { field, value: -1 })
    }
}

/// UTF-8 with replacement, as Java decodes it.
fn decoded(bytes: &[u8]) -> Cow<'_, str> {
    match std::str::from_utf8(bytes) {
        Ok(text) => Cow::Borrowed(text),
        Err(_) => Cow::Owned(String::from_utf8_lossy(&without_surrogates(bytes)).into_owned()),
    }
}

/// Compat: Java replaces a surrogate's three bytes by one U+FFFD, Rust each byte by one.
fn without_surrogates(bytes: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(bytes.len());
    let mut rest = bytes;
    while let Some((first, tail)) = rest.split_first() {
        if let [0xed, 0xa0..=0xbf, 0x80..=0xbf, after @ ..] = rest {
            out.extend_from_slice("\u{FFFD}".as_bytes());
            rest = after;
        } else {
            out.push(*first);
            rest = tail;
        }
    }
    out
}

/// Appends jute records to a byte vector.
#[derive(Debug)]
pub struct Encoder<'a> {
    out: &'a mut Vec<u8>,
}

impl<'a> Encoder<'a> {
    /// An encoder that appends to `out`.
    pub fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out }
    }

    /// Appends bytes as they are.
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.out.extend_from_slice(bytes);
        self
    }

    /// A `boolean`.
    pub fn boolean(&mut self, value: bool) -> &mut Self {
        self.raw(&[u8::from(value)])
    }

    /// An `int`.
    pub fn int(&mut self, value: i32) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// A `long`.
    pub fn long(&mut self, value: i64) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// A vector's count, or any other length.
    pub fn count(&mut self, count: usize) -> &mut Self {
        self.int(i32::try_from(count).expect("a record is smaller than 2 GiB"))
    }

    /// A `buffer`; `None` is Java's null.
    pub fn buffer(&mut self, value: Option<&[u8]>) -> &mut Self {
        match value {
            None => self.int(-1),
            Some(bytes) => self.count(bytes.len()).raw(bytes),
        }
    }

    /// A `ustring` that is not null.
    pub fn text(&mut self, value: &str) -> &mut Self {
        // Compat: BinaryOutputArchive.stringToByteBuffer encodes each UTF-16 unit on its own.
        if !value.as_bytes().iter().any(|b| *b >= 0xf0) {
            return self.buffer(Some(value.as_bytes()));
        }
        let mut bytes = Vec::with_capacity(value.len() + 8);
        for c in value.chars() {
            let mut units = [0; 2];
            if c.len_utf16() == 1 {
                bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
                continue;
            }
            for unit in c.encode_utf16(&mut units) {
                let [hi, lo] = unit.to_be_bytes();
                bytes.extend_from_slice(&[
                    0xe0 | hi >> 4,
                    0x80 | (hi & 0x0f) << 2 | lo >> 6,
                    0x80 | lo & 0x3f,
                ]);
            }
        }
        self.buffer(Some(&bytes))
    }

    /// A `ustring`; `None` is Java's null.
    pub fn text_or_null(&mut self, value: Option<&str>) -> &mut Self {
        match value {
            None => self.int(-1),
            Some(text) => self.text(text),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(text: &str) -> Vec<u8> {
        let mut out = Vec::new();
        Encoder::new(&mut out).text(text);
        out.split_off(4)
    }

    #[test]
    fn a_supplementary_character_is_written_as_two_surrogates() {
        assert_eq!(encoded("\u{1F600}"), [0xed, 0xa0, 0xbd, 0xed, 0xb8, 0x80]);
        assert_eq!(encoded("/é\u{D7FF}"), "/é\u{D7FF}".as_bytes());
    }

    #[test]
    fn malformed_utf_8_is_replaced() {
        let text = Decoder::new(&[0, 0, 0, 4, 0x2f, 0x61, 0xff, 0xfe]).text();
        assert_eq!(text.unwrap().unwrap(), "/a\u{FFFD}\u{FFFD}");
    }

    #[test]
    fn a_surrogate_on_its_own_is_replaced_once() {
        let text = Decoder::new(&[0, 0, 0, 4, 0x2f, 0xed, 0xa0, 0xbd]).text();
        assert_eq!(text.unwrap().unwrap(), "/\u{FFFD}");
    }

    #[test]
    fn a_huge_count_runs_into_the_end_of_the_frame() {
        let error = Decoder::new(&[0x7f, 0xff, 0xff, 0xff, 0, 0]).texts("paths").unwrap_err();
        assert_eq!(error, DecodeError::Truncated { offset: 4, missing: 2 });
    }

    #[test]
    fn a_negative_count_other_than_null_is_an_empty_vector() {
        assert_eq!(Decoder::new(&[0xff, 0xff, 0xff, 0xfe]).vector(Decoder::int), Ok(Some(vec![])));
        assert_eq!(Decoder::new(&[0xff; 4]).vector(Decoder::int), Ok(None));
    }

    #[test]
    fn a_length_past_the_limit_is_refused() {
        let error = Decoder::with_limit(&[0, 0, 1, 0], 255).buffer().unwrap_err();
        assert_eq!(error.to_string(), "unreasonable length 256 at offset 0, the limit is 255");
        assert!(Decoder::new(&[0xff, 0xff, 0xff, 0xfe]).buffer().is_err());
    }
}
