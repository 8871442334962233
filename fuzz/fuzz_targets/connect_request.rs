//! Any bytes through `zk_wire::fuzz_connect_request`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zk_wire::fuzz_connect_request(bytes));
