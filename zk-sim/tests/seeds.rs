//! Fixed seeds that must pass, and broken servers that must be found.

use std::cell::RefCell;
use std::ops::Range;
use std::sync::Once;

use zk_sim::{Mutation, Property, Run};

thread_local! {
    /// The command that repeats what this thread runs.
    static AGAIN: RefCell<String> = const { RefCell::new(String::new()) };
}

/// Runs seeds that must find nothing. A panic, of a server too, says how to repeat it.
fn check_seeds(voters: usize, seeds: Range<u64>) {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let usual = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            usual(panic);
            AGAIN.with_borrow(|again| eprintln!("repeat with: {again}"));
        }));
    });
    for seed in seeds {
        let run = Run::new(seed, voters);
        AGAIN.set(run.command());
        if let Err(violation) = run.run().result {
            panic!("{violation}");
        }
    }
}

#[test]
fn no_seed_of_a_lone_server_finds_a_broken_promise() {
    check_seeds(1, 0..240);
}

#[test]
fn no_seed_of_three_servers_finds_a_broken_promise() {
    check_seeds(3, 0..2000);
}

#[test]
fn no_seed_of_five_servers_finds_a_broken_promise() {
    check_seeds(5, 0..1000);
}

#[test]
fn the_same_seed_gives_the_same_run() {
    for (voters, seed) in [(1, 1), (1, 5), (1, 9), (3, 2), (5, 2)] {
        let (first, second) = (Run::new(seed, voters).run(), Run::new(seed, voters).run());
        assert_eq!(first.trace_hash, second.trace_hash, "seed {seed}");
        let other = Run::new(seed + 1, voters).run();
        assert_ne!(first.trace_hash, other.trace_hash, "seed {seed}");
    }
}

/// The broken server is found within a few seeds, and by one of the promises that it breaks.
fn check(mutation: Mutation, voters: usize, broken: &[Property]) {
    const SEEDS_MAX: u64 = 1000;
    let found = (0..SEEDS_MAX).find_map(|seed| {
        let run = Run { mutation: Some(mutation), ..Run::new(seed, voters) };
        run.run().result.err().filter(|violation| broken.contains(&violation.property))
    });
    assert!(found.is_some(), "{mutation:?} of {voters}");
}

#[test]
fn every_broken_lone_server_is_found_by_the_promise_that_it_breaks() {
    for mutation in Mutation::ALONE {
        let broken: &[Property] = match mutation {
            Mutation::PersistBeforeCommit => &[Property::AckedSurvives, Property::QuorumDurable],
            Mutation::LoseLastAppend => &[Property::AckedSurvives, Property::Starts],
            Mutation::SwallowEvent | Mutation::EventAfterReply => &[Property::WatchOrder],
            Mutation::ExpireEarly => &[Property::SessionTimeout],
            _ => &[Property::RecoveredIsPrefix, Property::Digest, Property::TreeIsModel],
        };
        check(mutation, 1, broken);
    }
}

#[test]
fn every_broken_member_is_found_by_the_promise_that_it_breaks() {
    for mutation in Mutation::ENSEMBLE {
        let broken: &[Property] = match mutation {
            Mutation::PersistBeforeCommit
            | Mutation::SkipEpochFiles
            | Mutation::CountFirstVoters => &[Property::QuorumDurable],
            Mutation::DropCommit => {
                &[Property::RealTime, Property::Progress, Property::ReplyIsModel]
            }
            Mutation::TrustEmptyVolume => &[Property::PrimaryIntegrity],
            _ => &[Property::TotalOrder],
        };
        check(mutation, 3, broken);
    }
}
