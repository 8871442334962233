//! What happened in runs, as a table: which fault struck while which operation was going on.
//!
//! A seed says nothing by itself; a cell that stays at 0 says that two things have never met.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

/// What breaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Fault {
    Power,
    PowerOfAll,
    Kill,
    KillOfAll,
    /// It dies between two outputs of one step.
    DieInStep,
    Terminate,
    DiskError,
    SlowDisk,
    Purge,
    /// A server comes back with an empty disk.
    VolumeLost,
    Pause,
    Clock,
    /// One server hears others, but is not heard, or the other way around.
    OneWay,
    /// Two servers do not reach each other.
    TwoWay,
    /// Some servers do not reach the others.
    Split,
    LinkCut,
    LinkHalfOpen,
    LineCut,
    ClientCut,
    ClientHalfOpen,
}

/// What goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[allow(missing_docs, reason = "the names are the documentation")]
pub enum Operation {
    Looking,
    Discovery,
    Diff,
    Trunc,
    Snap,
    /// The log is read for a learner.
    LogRead,
    /// A proposal is not committed yet.
    Broadcast,
    Flush,
    EpochFile,
    Truncate,
    Reload,
    Snapshot,
    Connect,
    Read,
    Write,
    Multi,
    Sync,
    Reconfig,
}

/// How often what happened.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    operations: BTreeMap<Operation, u64>,
    faults: BTreeMap<Fault, u64>,
    met: BTreeMap<(Fault, Operation), u64>,
}

impl Tally {
    pub(crate) fn count(&mut self, operation: Operation) {
        *self.operations.entry(operation).or_default() += 1;
    }

    pub(crate) fn strike(&mut self, fault: Fault, during: &BTreeSet<Operation>) {
        *self.faults.entry(fault).or_default() += 1;
        for operation in during {
            *self.met.entry((fault, *operation)).or_default() += 1;
        }
    }

    /// How often a fault struck.
    pub fn faults(&self) -> u64 {
        self.faults.values().sum()
    }

    /// Adds what happened in another run.
    pub fn add(&mut self, other: &Self) {
        for (operation, count) in &other.operations {
            *self.operations.entry(*operation).or_default() += count;
        }
        for (fault, count) in &other.faults {
            *self.faults.entry(*fault).or_default() += count;
        }
        for (key, count) in &other.met {
            *self.met.entry(*key).or_default() += count;
        }
    }
}

impl fmt::Display for Tally {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:<15}{:>9}", "", "all")?;
        for operation in OPERATIONS {
            write!(f, "{:>10}", format!("{operation:?}"))?;
        }
        write!(f, "\n{:<15}{:>9}", "all", "")?;
        for operation in OPERATIONS {
            write!(f, "{:>10}", self.operations.get(&operation).copied().unwrap_or(0))?;
        }
        for (fault, count) in &self.faults {
            write!(f, "\n{:<15}{count:>9}", format!("{fault:?}"))?;
            for operation in OPERATIONS {
                write!(f, "{:>10}", self.met.get(&(*fault, operation)).copied().unwrap_or(0))?;
            }
        }
        Ok(())
    }
}

const OPERATIONS: [Operation; 18] = [
    Operation::Looking,
    Operation::Discovery,
    Operation::Diff,
    Operation::Trunc,
    Operation::Snap,
    Operation::LogRead,
    Operation::Broadcast,
    Operation::Flush,
    Operation::EpochFile,
    Operation::Truncate,
    Operation::Reload,
    Operation::Snapshot,
    Operation::Connect,
    Operation::Read,
    Operation::Write,
    Operation::Multi,
    Operation::Sync,
    Operation::Reconfig,
];
