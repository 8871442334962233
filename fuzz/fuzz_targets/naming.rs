//! Any bytes through `zk_storage::fuzz_naming`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zk_storage::fuzz_naming(bytes));
