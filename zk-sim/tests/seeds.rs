//! Fixed seeds that must pass, and broken servers that must be found.

use zk_sim::{Mutation, Run};

/// Sized to well below a minute on one core.
const SEEDS: u64 = 240;

#[test]
fn no_seed_finds_a_broken_promise() {
    for seed in 0..SEEDS {
        if let Err(violation) = Run::new(seed).run().result {
            panic!("{violation}\nrepeat with: cargo run -p zk-sim -- --seed {seed}");
        }
    }
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for seed in [1, 5, 9] {
        let (first, second) = (Run::new(seed).run(), Run::new(seed).run());
        assert_eq!(first.trace_hash, second.trace_hash, "seed {seed}");
        assert_ne!(first.trace_hash, Run::new(seed + 1).run().trace_hash, "seed {seed}");
    }
}

#[test]
fn every_broken_server_is_found_within_a_few_seeds() {
    const SEEDS_MAX: u64 = 40;
    for mutation in Mutation::ALL {
        let is_found =
            |seed| Run { mutation: Some(mutation), ..Run::new(seed) }.run().result.is_err();
        assert!((0..SEEDS_MAX).any(is_found), "{mutation:?}");
    }
}
