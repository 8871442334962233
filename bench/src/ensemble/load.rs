//! Many small requests to ensembles: throughput, latency, and CPU time of all three members.
//!
//! Both ensembles run all the time; only one of them has work.

use super::trio::{Trio, others};
use crate::comparison::Comparison;
use crate::error::Error;
use crate::load::Load;
use crate::report::{Column, Metric, Report};
use crate::requests::Mix;
use crate::workload::{
    Measured, P50, P99, THROUGHPUT, Workload, measure as measure_run, measure_control, prepare,
    warm_up, workload,
};

/// Where the connections go.
#[derive(Clone, Copy, Debug)]
enum To {
    /// All to one follower.
    Follower,
    /// To each member a third.
    All,
}

const WORKLOADS: &[(To, Workload)] = &[
    (To::Follower, workload("set 1x1 via a follower", Mix::Set, 1, 1)),
    (To::All, workload("set 50x1 over all members", Mix::Set, 50, 1)),
    (To::All, workload("set 200x32 over all members", Mix::Set, 200, 32)),
    (To::Follower, workload("get 50x1 from a follower", Mix::Get, 50, 1)),
];

/// Measures all that are wanted.
pub(super) fn measure(comparison: &Comparison, report: &mut Report) -> Result<(), Error> {
    let wanted: Vec<_> = WORKLOADS.iter().filter(|(_, w)| comparison.wants(w.name)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut running = Vec::new();
    comparison.each_side(0, "preparation of ensembles", report, |column, program, _| {
        let mut trio = Trio::serving(comparison, program, "")?;
        prepare(trio.ports()[0])?;
        trio.await_serving()?;
        warm_up(comparison, &trio.ports(), comparison.scale.warm_up(column))?;
        running.push((column, trio));
        Ok(())
    });
    let echo = comparison.echo()?;
    for (to, workload) in wanted {
        for round in 0..comparison.rounds {
            comparison.each_side(round, workload.name, report, |column, _, report| {
                let Some((_, trio)) = running.iter_mut().find(|(other, _)| *other == column) else {
                    return Ok(());
                };
                let measured = measure_round(comparison, *to, workload, trio)?;
                record(report, workload.name, column, &measured);
                Ok(())
            });
            let control = measure_control(comparison, report, workload, &echo)?;
            record(report, workload.name, Column::Control, &control);
        }
    }
    Ok(())
}

fn measure_round(
    comparison: &Comparison,
    to: To,
    workload: &Workload,
    trio: &mut Trio,
) -> Result<Measured, Error> {
    let [follower, _] = others(trio.await_serving()?);
    let ports = trio.ports();
    let load = match to {
        To::Follower => Load::sessions(&ports[follower..=follower], workload.connections)?,
        To::All => Load::sessions(&ports, workload.connections)?,
    };
    measure_run(comparison, workload, load, &trio.pids())
}

fn record(report: &mut Report, workload: &'static str, column: Column, measured: &Measured) {
    report.record(workload, THROUGHPUT, column, measured.per_second);
    report.record(workload, P50, column, measured.p50_us);
    report.record(workload, P99, column, measured.p99_us);
    if let Some(per_cpu_second) = measured.per_cpu_second {
        report.record(workload, CPU_PER_OPERATION, column, 1e6 / per_cpu_second);
    }
}

const CPU_PER_OPERATION: Metric = Metric::lower("CPU per operation", "µs");
