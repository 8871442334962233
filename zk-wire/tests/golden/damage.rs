//! Damaged and random bytes through every decoder; a fixed seed makes each run the same.
//!
//! What a decoder must keep in any case is asserted by the fuzz entries beside it.

use zk_wire::{
    fuzz_connect_request, fuzz_connect_response, fuzz_frames, fuzz_quorum_packet, fuzz_request,
    fuzz_snapshot_stream, fuzz_txn,
};

use crate::{golden, quorum};

type Entry = fn(&[u8]);

/// Each entry, and the golden records that it reads; frames are made of replies, and the last two
/// come from whole connections.
const ENTRIES: [(Entry, &str); 7] = [
    (fuzz_connect_request, "connect_request"),
    (fuzz_connect_response, "connect_response"),
    (fuzz_request, "request"),
    (fuzz_txn, "txn"),
    (fuzz_frames, "frames"),
    (fuzz_quorum_packet, "quorum_packet"),
    (fuzz_snapshot_stream, "snapshot_stream"),
];

/// xorshift64*.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        usize::try_from(self.0.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 33).unwrap() % sides
    }

    fn byte(&mut self) -> u8 {
        const NASTY: [u8; 6] = [0, 1, 0x7f, 0x80, 0xfe, 0xff];
        match self.roll(2) {
            0 => NASTY[self.roll(NASTY.len())],
            _ => u8::try_from(self.roll(256)).unwrap(),
        }
    }

    fn damaged(&mut self, bytes: &[u8], others: &[Vec<u8>]) -> Vec<u8> {
        let mut bytes = bytes.to_vec();
        for _ in 0..=self.roll(3) {
            let at = self.roll(bytes.len() + 1);
            match self.roll(5) {
                0 => bytes.truncate(at),
                1 => {
                    let other = &others[self.roll(others.len())];
                    bytes.truncate(at);
                    bytes.extend_from_slice(&other[self.roll(other.len())..]);
                }
                2 => bytes.insert(at, self.byte()),
                _ if at < bytes.len() => bytes[at] = self.byte(),
                _ => bytes.push(self.byte()),
            }
        }
        bytes
    }
}

/// The bytes of all golden files of a record.
fn inputs(record: &str) -> Vec<Vec<u8>> {
    let of = |record: &str| {
        let files = golden().into_iter().filter(|file| file.record == record);
        files.map(|file| file.bytes).collect::<Vec<_>>()
    };
    match record {
        "frames" => {}
        "quorum_packet" => return quorum::packets(),
        "snapshot_stream" => return quorum::snapshots(),
        record => return of(record),
    }
    let framed =
        |bytes: &Vec<u8>| [&u32::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
    of("reply").chunks(4).map(|replies| replies.iter().flat_map(framed).collect()).collect()
}

#[test]
fn random_bytes_never_panic() {
    let mut dice = Dice(0x5eed_1111);
    for _ in 0..20_000 {
        let bytes: Vec<u8> = (0..dice.roll(120)).map(|_| dice.byte()).collect();
        for (entry, _) in ENTRIES {
            entry(&bytes);
        }
    }
}

#[test]
fn golden_bytes_cut_anywhere_never_panic() {
    for (entry, record) in ENTRIES {
        for bytes in inputs(record) {
            for end in 0..=bytes.len() {
                entry(&bytes[..end]);
            }
        }
    }
}

#[test]
fn damaged_golden_bytes_never_panic() {
    let mut dice = Dice(0x5eed_2222);
    for (entry, record) in ENTRIES {
        let files = inputs(record);
        for _ in 0..20_000 {
            let bytes = &files[dice.roll(files.len())];
            entry(&dice.damaged(bytes, &files));
        }
    }
}

#[test]
fn a_record_of_every_op_is_read_from_random_bodies() {
    let mut dice = Dice(0x5eed_3333);
    for op in zk_wire::Op::ALL {
        for _ in 0..500 {
            let mut bytes = [[0, 0, 0, 1], op.code().to_be_bytes()].concat();
            // Small numbers: lengths and counts that often fit.
            bytes.extend((0..dice.roll(80)).map(|_| match dice.roll(3) {
                0 => dice.byte(),
                1 => 0,
                _ => u8::try_from(dice.roll(8)).unwrap(),
            }));
            fuzz_request(&bytes);
        }
    }
}

/// Found by libFuzzer: two empty paths and no digest, written again, look like a digest alone.
#[test]
fn a_close_session_of_two_empty_paths_never_panics() {
    let mut bytes = vec![0; 28];
    bytes.extend([0xff, 0xff, 0xff, 0xf5, 0, 0, 0, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0x56, 0, 0x0f]);
    fuzz_txn(&bytes);
}
