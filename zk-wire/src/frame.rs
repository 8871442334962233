//! Length-prefixed frames: splitting what a socket gave, and writing frames into a buffer.
//!
//! Wire: an `int` length that does not count itself, then that many bytes. Java: `NIOServerCnxn`.

use thiserror::Error;

/// A length that no frame may have; the connection is closed without a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
#[error("packet of {length} bytes exceeds jute.maxbuffer {limit}")]
pub struct FrameError {
    /// What the four bytes say.
    pub length: i32,
    /// The longest allowed, in bytes.
    pub limit: usize,
}

/// Walks over the whole frames in a buffer.
#[derive(Debug)]
pub struct Frames<'a> {
    bytes: &'a [u8],
    consumed: usize,
    length_max: usize,
}

impl<'a> Frames<'a> {
    /// The frames at the front of `bytes`, none longer than `length_max`.
    pub fn new(bytes: &'a [u8], length_max: usize) -> Self {
        Self { bytes, consumed: 0, length_max }
    }

    /// The next whole frame, without its length; `None` until more bytes have come.
    ///
    /// # Errors
    /// The length is negative or above the limit; it is found as soon as its four bytes are there.
    pub fn next_frame(&mut self) -> Result<Option<&'a [u8]>, FrameError> {
        let rest = &self.bytes[self.consumed..];
        let Some((prefix, body)) = rest.split_first_chunk::<4>() else { return Ok(None) };
        let length = i32::from_be_bytes(*prefix);
        match usize::try_from(length) {
            Ok(n) if n <= self.length_max => {
                let Some(frame) = body.get(..n) else { return Ok(None) };
                self.consumed += 4 + n;
                Ok(Some(frame))
            }
            _ => Err(FrameError { length, limit: self.length_max }),
        }
    }

    /// How many bytes the frames given so far took.
    pub fn consumed(&self) -> usize {
        self.consumed
    }
}

/// Opens a frame at the end of `out`; what is appended next is its body. Gives its start.
pub fn begin_frame(out: &mut Vec<u8>) -> usize {
    out.extend_from_slice(&[0; 4]);
    out.len()
}

/// Closes the frame that `begin_frame` opened.
pub fn end_frame(out: &mut [u8], start: usize) {
    let length = i32::try_from(out.len() - start).expect("a frame is smaller than 2 GiB");
    out[start - 4..start].copy_from_slice(&length.to_be_bytes());
}

/// Splits any bytes into frames, once whole and once as they come in, and checks that both agree.
///
/// # Panics
/// Never: that is what fuzzing is to show.
pub fn fuzz_frames(bytes: &[u8]) {
    const LENGTH_MAX: usize = 255;
    let mut whole = Frames::new(bytes, LENGTH_MAX);
    let mut consumed = 0;
    while let Ok(Some(frame)) = whole.next_frame() {
        assert!(frame.len() <= LENGTH_MAX);
        let end = consumed + 4 + frame.len();
        let mut early = Frames::new(&bytes[consumed..end - 1], LENGTH_MAX);
        assert_eq!(early.next_frame(), Ok(None), "a frame without its last byte is none");
        consumed = end;
        assert_eq!(whole.consumed(), consumed);
    }
    assert!(consumed <= bytes.len());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_come_whole_or_not_at_all() {
        let bytes = [0, 0, 0, 2, 7, 8, 0, 0, 0, 0, 0, 0, 0, 3, 9];
        let mut frames = Frames::new(&bytes, 3);
        assert_eq!(frames.next_frame(), Ok(Some(&[7, 8][..])));
        assert_eq!(frames.next_frame(), Ok(Some(&[][..])));
        assert_eq!(frames.next_frame(), Ok(None));
        assert_eq!(frames.consumed(), 10);
    }

    #[test]
    fn a_length_above_the_limit_is_refused_before_the_body_comes() {
        for (prefix, length) in [([0, 0, 0, 4], 4), ([0xff; 4], -1)] {
            let error = Frames::new(&prefix, 3).next_frame().unwrap_err();
            assert_eq!(error, FrameError { length, limit: 3 });
        }
    }

    #[test]
    fn a_frame_is_written_around_its_body() {
        let mut out = vec![1];
        let start = begin_frame(&mut out);
        out.extend_from_slice(b"abc");
        end_frame(&mut out, start);
        assert_eq!(out, [1, 0, 0, 0, 3, b'a', b'b', b'c']);
    }
}
