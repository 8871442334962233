//! Many small requests to one server: throughput, latency, and its CPU time.
//!
//! Both servers run all the time, on one CPU; only one of them has work.

use tempfile::TempDir;

use crate::comparison::Comparison;
use crate::error::Error;
use crate::load::Load;
use crate::report::{Column, Metric, Report};
use crate::requests::Mix;
use crate::server::Server;
use crate::workload::{
    Measured, P50, P99, THROUGHPUT, Workload, measure as measure_run, measure_control, prepare,
    warm_up, workload,
};

/// Creates come last, because the tree grows by them.
const WORKLOADS: &[Workload] = &[
    workload("get 1x1", Mix::Get, 1, 1),
    workload("get 50x1", Mix::Get, 50, 1),
    workload("get 50x32", Mix::Get, 50, 32),
    workload("set durable 1x1", Mix::Set, 1, 1),
    workload("set durable 50x1", Mix::Set, 50, 1),
    workload("set durable 200x32", Mix::Set, 200, 32),
    workload("mix 90/10 50x1", Mix::NinetyTen, 50, 1),
    workload("mix 90/10 50x32", Mix::NinetyTen, 50, 32),
    workload("create 50x32", Mix::Create, 50, 32),
];

/// Measures all that are wanted, and the servers' memory after them.
pub(crate) fn measure(comparison: &Comparison, report: &mut Report) -> Result<(), Error> {
    let wanted: Vec<_> = WORKLOADS.iter().filter(|w| comparison.wants(w.name)).collect();
    if wanted.is_empty() {
        return Ok(());
    }
    let mut servers = Vec::new();
    comparison.each_side(0, "preparation", report, |column, program, _| {
        let folder = comparison.folder()?;
        let server = comparison.start(program, folder.path(), "")?;
        prepare(server.port)?;
        warm_up(comparison, &[server.port], comparison.scale.warm_up(column))?;
        servers.push(Running { column, server, _folder: folder });
        Ok(())
    });
    let echo = comparison.echo()?;
    for workload in wanted {
        for round in 0..comparison.rounds {
            comparison.each_side(round, workload.name, report, |column, _, report| {
                let Some(running) = servers.iter().find(|running| running.column == column) else {
                    return Ok(());
                };
                let server = &running.server;
                let load = Load::sessions(&[server.port], workload.connections)?;
                let measured = measure_run(comparison, workload, load, &[server.pid()])?;
                record(report, workload.name, column, &measured);
                Ok(())
            });
            let control = measure_control(comparison, report, workload, &echo)?;
            record(report, workload.name, Column::Control, &control);
        }
    }
    for Running { column, server, .. } in &servers {
        let megabytes = server.rss_bytes()? / 1e6;
        report.record("all of the above", Metric::lower("RSS", "MB"), *column, megabytes);
    }
    Ok(())
}

struct Running {
    column: Column,
    server: Server,
    /// Goes when the server has.
    _folder: TempDir,
}

fn record(report: &mut Report, workload: &'static str, column: Column, measured: &Measured) {
    report.record(workload, THROUGHPUT, column, measured.per_second);
    if let Some(per_cpu_second) = measured.per_cpu_second {
        report.record(workload, PER_CPU_SECOND, column, per_cpu_second);
    }
    report.record(workload, P50, column, measured.p50_us);
    report.record(workload, P99, column, measured.p99_us);
}

const PER_CPU_SECOND: Metric = Metric::higher("per CPU-second", "req");
