//! Any bytes through `zk_config::fuzz_zoo_cfg`.

#![no_main]

libfuzzer_sys::fuzz_target!(|bytes: &[u8]| zk_config::fuzz_zoo_cfg(bytes));
