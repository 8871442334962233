//! A follower comes back: how soon after its start it serves what its leader has.

use std::time::Duration;

use nix::sys::signal::Signal;

use super::trio::{Trio, others};
use crate::comparison::Comparison;
use crate::error::Error;
use crate::load::{Load, Pace, Until};
use crate::program::Program;
use crate::report::{Column, Metric, Report};
use crate::requests::{Mix, Requests};
use crate::workload::{NODES, prepare};

/// Measures what is wanted of the two workloads.
pub(super) fn measure(comparison: &Comparison, report: &mut Report) {
    if comparison.wants(DIFF) {
        for round in 0..comparison.long_rounds() {
            comparison.each_side(round, DIFF, report, |column, program, report| {
                let took = by_diff(comparison, program)?;
                record(report, DIFF, column, took);
                Ok(())
            });
        }
    }
    if comparison.wants(SNAP) {
        by_snapshot(comparison, report);
    }
}

/// It was away while many small txns were written.
fn by_diff(comparison: &Comparison, program: &Program) -> Result<Duration, Error> {
    // Both must keep them all in memory: beyond that Java sends a snapshot.
    let settings = format!("commitLogCount={}\n", comparison.scale.missed_txns * 2);
    let mut trio = Trio::serving(comparison, program, &settings)?;
    prepare(trio.ports()[0])?;
    let leader = trio.await_serving()?;
    let [follower, _] = others(leader);
    trio.stop(follower, Signal::SIGTERM)?;
    let mut load = Load::sessions(&[trio.ports()[leader]], 50)?;
    let mut requests = Requests::new(Mix::SetSmall, NODES, 0);
    let until = Until::Sent(comparison.scale.missed_txns);
    load.run(&mut requests, Pace::Closed { depth: 32 }, until)?;
    load.close()?;
    rejoin(comparison, &mut trio, leader, follower, DIFF_LINE)
}

/// It has lost its data directory. The first time warms Java up and does not count.
fn by_snapshot(comparison: &Comparison, report: &mut Report) {
    let mut running = Vec::new();
    comparison.each_side(0, "preparation of snapshots", report, |column, program, _| {
        let mut trio = Trio::new(comparison, program, "")?;
        trio.write_data(comparison.scale.missed_znodes)?;
        trio.start(comparison)?;
        wiped(comparison, &mut trio)?;
        running.push((column, trio));
        Ok(())
    });
    for round in 0..comparison.long_rounds() {
        comparison.each_side(round, SNAP, report, |column, _, report| {
            let Some((_, trio)) = running.iter_mut().find(|(other, _)| *other == column) else {
                return Ok(());
            };
            let took = wiped(comparison, trio)?;
            record(report, SNAP, column, took);
            Ok(())
        });
    }
}

fn wiped(comparison: &Comparison, trio: &mut Trio) -> Result<Duration, Error> {
    let leader = trio.await_serving()?;
    let [follower, _] = others(leader);
    trio.stop(follower, Signal::SIGTERM)?;
    trio.member(follower).wipe()?;
    rejoin(comparison, trio, leader, follower, SNAP_LINE)
}

/// From the start of the follower until it serves all that the leader has; `line` of its log shows that it
/// got there in the way that is meant.
fn rejoin(
    comparison: &Comparison,
    trio: &mut Trio,
    leader: usize,
    follower: usize,
    line: &'static str,
) -> Result<Duration, Error> {
    let status = trio.member(leader).status()?;
    let zxid = status.ok_or(Error::NotServing { seconds: 0, log: String::new() })?.zxid;
    let started = trio.start_member(comparison, follower)?;
    let took = trio.await_level(follower, started, zxid)?;
    if !trio.member(follower).log().contains(line) {
        return Err(Error::OtherSync(line));
    }
    Ok(took)
}

fn record(report: &mut Report, workload: &'static str, column: Column, took: Duration) {
    report.record(workload, SERVES, column, took.as_secs_f64() * 1e3);
}

const DIFF: &str = "rejoin by DIFF, 100 k txns";
const SNAP: &str = "rejoin by SNAP, 1 M znodes";
const SERVES: Metric = Metric::lower("serves", "ms");
/// Lines that both kinds print.
const DIFF_LINE: &str = "Getting a diff from the leader";
const SNAP_LINE: &str = "Getting a snapshot from leader";
