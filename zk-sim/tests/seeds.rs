//! Fixed seeds that must pass, and broken servers that must be found.

use zk_sim::{Mutation, Property, Run};

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

/// The broken server is found within a few seeds, and by one of the promises that it breaks.
fn check(mutation: Mutation, broken: &[Property]) {
    const SEEDS_MAX: u64 = 40;
    let found = (0..SEEDS_MAX).find_map(|seed| {
        let run = Run { mutation: Some(mutation), ..Run::new(seed) };
        run.run().result.err().filter(|violation| broken.contains(&violation.property))
    });
    assert!(found.is_some(), "{mutation:?}");
}

#[test]
fn every_broken_server_is_found_by_the_promise_that_it_breaks() {
    for mutation in Mutation::ALL {
        let broken: &[Property] = match mutation {
            Mutation::PersistBeforeCommit => &[Property::AckedSurvives],
            Mutation::LoseLastAppend => &[Property::AckedSurvives, Property::Starts],
            Mutation::SwallowEvent | Mutation::EventAfterReply => &[Property::WatchOrder],
            Mutation::ExpireEarly => &[Property::SessionTimeout],
            Mutation::MislabelSnapshot | Mutation::SliceUntilNone => {
                &[Property::RecoveredIsPrefix, Property::Digest, Property::TreeIsModel]
            }
        };
        check(mutation, broken);
    }
}
