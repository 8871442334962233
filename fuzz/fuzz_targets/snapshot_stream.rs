//! Any bytes through `zk_wire::fuzz_snapshot_stream`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zk_wire::fuzz_snapshot_stream(bytes));
