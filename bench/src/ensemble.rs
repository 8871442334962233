//! Ensembles of three members of one kind: what they carry, and how soon they are there again.
//!
//! All members and the load generator share all CPUs, so absolute figures say little; both sides do so in
//! the same way.
//!
//! Invariants
//! - Both sides have the same zoo.cfg; each figure is taken when all members serve and are level.

mod boot;
mod failover;
mod load;
mod member;
mod rejoin;
mod status;
mod trio;
mod writer;

use crate::comparison::Comparison;
use crate::error::Error;
use crate::report::{Metric, Report};

/// Runs every workload that is wanted.
pub(crate) fn measure(comparison: &Comparison, report: &mut Report) -> Result<(), Error> {
    load::measure(comparison, report)?;
    failover::measure(comparison, report);
    boot::measure(comparison, report);
    rejoin::measure(comparison, report);
    Ok(())
}

/// Three heaps beside each other; and the line that tells how a member was brought up to date.
pub(crate) const JVM: &[&str] =
    &["-Xmx1g", "-Dorg.slf4j.simpleLogger.log.org.apache.zookeeper.server.quorum.Learner=info"];

const FIRST_WRITE: Metric = Metric::lower("first write", "ms");
