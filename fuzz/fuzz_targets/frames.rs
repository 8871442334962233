//! Any bytes through `zk_wire::fuzz_frames`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zk_wire::fuzz_frames(bytes));
