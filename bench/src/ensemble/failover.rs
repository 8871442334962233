//! The leader goes: how soon the clients of the other two write again.
//!
//! A client on each follower writes all the time. What counts is a write of the next epoch: a reply of the
//! old leader may still come after the signal.

use std::sync::mpsc;
use std::time::Instant;

use nix::sys::signal::Signal;

use super::FIRST_WRITE;
use super::trio::{Trio, others};
use super::writer::Writer;
use crate::comparison::Comparison;
use crate::error::Error;
use crate::report::{Metric, Report};
use crate::workload::{prepare, warm_up};

const WORKLOADS: [(&str, Signal); 2] =
    [("leader killed (kill -9)", Signal::SIGKILL), ("leader stopped (SIGTERM)", Signal::SIGTERM)];

/// Measures what is wanted of the two workloads.
pub(super) fn measure(comparison: &Comparison, report: &mut Report) {
    let wanted: Vec<_> = WORKLOADS.into_iter().filter(|(name, _)| comparison.wants(name)).collect();
    if wanted.is_empty() {
        return;
    }
    let mut running = Vec::new();
    comparison.each_side(0, "preparation of failovers", report, |column, program, _| {
        let mut trio = Trio::serving(comparison, program, "")?;
        prepare(trio.ports()[0])?;
        trio.await_serving()?;
        running.push((column, trio));
        Ok(())
    });
    for (workload, signal) in wanted {
        for round in 0..comparison.rounds {
            comparison.each_side(round, workload, report, |column, _, report| {
                let Some((_, trio)) = running.iter_mut().find(|(other, _)| *other == column) else {
                    return Ok(());
                };
                // The member that went in the round before starts cold.
                trio.start(comparison)?;
                trio.await_serving()?;
                let time = comparison.scale.warm_up(column) / 4;
                warm_up(comparison, &trio.ports(), time)?;
                let failover = fail_over(trio, signal)?;
                report.record(workload, FIRST_WRITE, column, failover.first_ms);
                report.record(workload, BOTH_WRITE, column, failover.both_ms);
                report.record(workload, FAILED_WRITES, column, f64::from(failover.failed));
                Ok(())
            });
        }
    }
}

/// What the clients saw.
struct Failover {
    /// From the signal until one of them wrote again.
    first_ms: f64,
    /// And until both had.
    both_ms: f64,
    failed: u32,
}

fn fail_over(trio: &mut Trio, signal: Signal) -> Result<Failover, Error> {
    let leader = trio.await_serving()?;
    let mut writers = others(leader).map(|index| Writer::new(trio.ports()[index]));
    let (steady, are_steady) = mpsc::channel();
    let ran: Result<Vec<f64>, Error> = std::thread::scope(|scope| {
        let clients = writers.each_mut().map(|writer| {
            let steady = steady.clone();
            scope.spawn(move || write_through(writer, &steady))
        });
        drop(steady);
        // A client that has failed does not say so, and ends the wait.
        are_steady.iter().take(clients.len()).for_each(drop);
        let signalled = Instant::now();
        trio.member(leader).signal(signal)?;
        let mut seconds = Vec::new();
        for client in clients {
            let written = client.join().expect("a client does not panic")?;
            seconds.push(written.duration_since(signalled).as_secs_f64());
        }
        Ok(seconds)
    });
    trio.member(leader).await_end()?;
    let seconds = ran?;
    let failed = writers.iter().map(|writer| writer.failed).sum();
    writers.into_iter().try_for_each(Writer::close)?;
    Ok(Failover {
        first_ms: seconds.iter().copied().fold(f64::INFINITY, f64::min) * 1e3,
        both_ms: seconds.iter().copied().fold(0.0, f64::max) * 1e3,
        failed,
    })
}

/// Says when it is in full swing; gives the moment of the first reply in the next epoch.
fn write_through(writer: &mut Writer, steady: &mpsc::Sender<()>) -> Result<Instant, Error> {
    let mut epoch = None;
    let mut writes = 0;
    writer.write_until(|zxid| {
        writes += 1;
        epoch = Some(zxid.epoch());
        writes == STEADY_WRITES
    })?;
    // Whoever waits for it may have given up.
    let _ = steady.send(());
    writer.write_until(|zxid| Some(zxid.epoch()) > epoch)
}

const STEADY_WRITES: u32 = 20;
const BOTH_WRITE: Metric = Metric::lower("first writes of both clients", "ms");
const FAILED_WRITES: Metric = Metric::lower("failed writes", "count");
