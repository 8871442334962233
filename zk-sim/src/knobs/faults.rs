//! How hard a run is hit, and by what.

use crate::random::Random;
use crate::tally::Fault;

/// How often each kind of fault comes.
#[derive(Clone, Debug)]
pub(crate) struct Faults {
    /// The mean pause between two faults, in microseconds.
    pub(crate) pause_us: u64,
    /// How long what isolates, pauses or slows down lasts at most, in microseconds.
    pub(crate) lasts_us: u64,
    /// The kinds that come at all, with their weights.
    weights: Vec<(Fault, u64)>,
}

impl Faults {
    pub(super) fn draw(random: &mut Random, is_alone: bool, tick_ms: u64) -> Self {
        let kinds = if is_alone { ALONE } else { ENSEMBLE };
        let is_calm = random.chance(100);
        let some = |(fault, weight): &(Fault, u64)| {
            (!is_calm && random.chance(500)).then_some((*fault, *weight))
        };
        let weights: Vec<_> = kinds.iter().filter_map(some).collect();
        let pause_us = match (weights.is_empty(), is_alone) {
            (true, _) => 1_000_000,
            (false, true) => random.pick(&[5_000, 20_000, 80_000]),
            (false, false) => random.pick(&[50_000, 200_000, 1_000_000]),
        };
        let lasts_us = 1000 * tick_ms * random.pick(&[1, 5, 20]);
        Self { pause_us, lasts_us, weights }
    }

    /// What breaks now.
    pub(crate) fn pick(&self, random: &mut Random) -> Option<Fault> {
        let total: u64 = self.weights.iter().map(|(_, weight)| weight).sum();
        let mut at = random.below(total.max(1));
        self.weights.iter().find_map(|(fault, weight)| {
            let is_it = at < *weight;
            at = at.saturating_sub(*weight);
            is_it.then_some(*fault)
        })
    }
}

const ALONE: &[(Fault, u64)] = &[
    (Fault::Power, 200),
    (Fault::Kill, 200),
    (Fault::DieInStep, 60),
    (Fault::Terminate, 60),
    (Fault::DiskError, 150),
    (Fault::ClientCut, 300),
    (Fault::ClientHalfOpen, 100),
    (Fault::Clock, 100),
    (Fault::Pause, 60),
    (Fault::Purge, 100),
];

const ENSEMBLE: &[(Fault, u64)] = &[
    (Fault::Power, 100),
    (Fault::PowerOfAll, 20),
    (Fault::Kill, 100),
    (Fault::KillOfAll, 20),
    (Fault::DieInStep, 100),
    (Fault::Terminate, 60),
    (Fault::DiskError, 100),
    (Fault::SlowDisk, 60),
    (Fault::Purge, 60),
    (Fault::VolumeLost, 60),
    (Fault::Pause, 100),
    (Fault::Clock, 60),
    (Fault::OneWay, 100),
    (Fault::TwoWay, 100),
    (Fault::Split, 150),
    (Fault::LinkCut, 150),
    (Fault::LinkHalfOpen, 60),
    (Fault::LineCut, 100),
    (Fault::ClientCut, 150),
    (Fault::ClientHalfOpen, 60),
];
