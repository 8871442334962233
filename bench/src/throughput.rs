//! Workloads of many small requests: throughput, latency, and CPU time of the server.
//!
//! Both servers run all the time, on one CPU; only one of them has work. The load is closed: it shows
//! what a server can carry, and latencies at that limit.

use std::time::Duration;

use tempfile::TempDir;

use crate::comparison::Comparison;
use crate::control::{Echo, sync_writes};
use crate::error::Error;
use crate::load::{Load, Pace, Run, Until};
use crate::proc;
use crate::report::{Column, Metric, Report};
use crate::requests::{Mix, PARENT, Requests};
use crate::server::Server;
use crate::session::Session;
use crate::statistics::micros;

struct Workload {
    name: &'static str,
    mix: Mix,
    connections: usize,
    depth: usize,
}

const fn workload(name: &'static str, mix: Mix, connections: usize, depth: usize) -> Workload {
    Workload { name, mix, connections, depth }
}

/// Connections x requests in flight on each. Creates come last, because the tree grows by them.
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
        prepare(&server)?;
        let time = match column {
            Column::Java => comparison.scale.java_warm_up,
            Column::Ours | Column::Control => comparison.scale.ahead,
        };
        warm_up(comparison, &server, time)?;
        servers.push(Running { column, server, _folder: folder });
        Ok(())
    });
    comparison.machine.enter_server_cpu()?;
    let echo = Echo::start();
    comparison.machine.enter_client_cpu()?;
    let echo = echo?;
    for workload in wanted {
        for round in 0..comparison.rounds {
            measure_round(comparison, report, workload, round, &servers, &echo)?;
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

/// The nodes that reads and writes go to.
fn prepare(server: &Server) -> Result<(), Error> {
    let mut session = Session::open(server.port)?;
    session.create(PARENT, b"")?;
    session.close()?;
    let mut load = Load::sessions(server.port, 1)?;
    let mut creates = Requests::new(Mix::Create, 1, 0);
    load.run(&mut creates, Pace::Closed { depth: 100 }, Until::Sent(NODES))?;
    load.close()
}

/// Every kind of work for a part of `time`.
fn warm_up(comparison: &Comparison, server: &Server, time: Duration) -> Result<(), Error> {
    let shapes = [(50, 32), (50, 1)];
    let mixes = [Mix::Get, Mix::Set, Mix::NinetyTen, Mix::Create];
    for (connections, depth) in shapes {
        for mix in mixes {
            let mut load = Load::sessions(server.port, connections)?;
            let mut requests = Requests::new(mix, NODES, comparison.fresh_names());
            load.run(&mut requests, Pace::Closed { depth }, Until::Elapsed(time / 8))?;
            load.close()?;
        }
    }
    Ok(())
}

fn measure_round(
    comparison: &Comparison,
    report: &mut Report,
    workload: &Workload,
    round: usize,
    servers: &[Running],
    echo: &Echo,
) -> Result<(), Error> {
    comparison.each_side(round, workload.name, report, |column, _, report| {
        let Some(running) = servers.iter().find(|running| running.column == column) else {
            return Ok(());
        };
        let server = &running.server;
        let load = Load::sessions(server.port, workload.connections)?;
        let measured = measure_run(comparison, workload, load, server.pid())?;
        record(report, workload.name, column, &measured);
        Ok(())
    });
    let load = Load::bare(echo.port, workload.connections)?;
    let mut control = measure_run(comparison, workload, load, echo.pid())?;
    if matches!(workload.mix, Mix::Set | Mix::Create) {
        comparison.machine.enter_server_cpu()?;
        let syncs = sync_writes(comparison.scratch(), comparison.scale.measured / 4);
        comparison.machine.enter_client_cpu()?;
        let syncs = syncs?;
        let (p50, p99) =
            (micros(syncs.value_at_quantile(0.5)), micros(syncs.value_at_quantile(0.99)));
        control.add_sync(p50, p99, workload.connections * workload.depth);
        report.record(RAW_SYNC, P50, Column::Control, p50);
        report.record(RAW_SYNC, P99, Column::Control, p99);
    }
    record(report, workload.name, Column::Control, &control);
    Ok(())
}

/// The values of one run.
struct Measured {
    per_second: f64,
    /// `None` if the run was too short for the kernel's clock tick.
    per_cpu_second: Option<f64>,
    p50_us: f64,
    p99_us: f64,
}

impl Measured {
    fn new(run: &Run, cpu_seconds: f64) -> Self {
        let latencies = run.latencies.all();
        let per_cpu_second = latencies.len() as f64 / cpu_seconds;
        Self {
            per_second: run.per_second(),
            per_cpu_second: per_cpu_second.is_finite().then_some(per_cpu_second),
            p50_us: micros(latencies.value_at_quantile(0.5)),
            p99_us: micros(latencies.value_at_quantile(0.99)),
        }
    }

    /// Turns the echo into the control of durable writes: one raw sync in each round trip, shared by
    /// all requests in flight.
    fn add_sync(&mut self, p50_us: f64, p99_us: f64, in_flight: usize) {
        self.p50_us += p50_us;
        self.p99_us += p99_us;
        let shared = in_flight as f64 * 1e6 / self.p50_us;
        self.per_second = self.per_second.min(shared);
    }
}

fn measure_run(
    comparison: &Comparison,
    workload: &Workload,
    mut load: Load,
    pid: u32,
) -> Result<Measured, Error> {
    let mut requests = Requests::new(workload.mix, NODES, comparison.fresh_names());
    let pace = Pace::Closed { depth: workload.depth };
    load.run(&mut requests, pace, Until::Elapsed(comparison.scale.ahead))?;
    let cpu_before = proc::cpu_seconds(pid)?;
    let run = load.run(&mut requests, pace, Until::Elapsed(comparison.scale.measured))?;
    let cpu_seconds = proc::cpu_seconds(pid)? - cpu_before;
    load.close()?;
    Ok(Measured::new(&run, cpu_seconds))
}

fn record(report: &mut Report, workload: &'static str, column: Column, measured: &Measured) {
    report.record(workload, THROUGHPUT, column, measured.per_second);
    if let Some(per_cpu_second) = measured.per_cpu_second {
        report.record(workload, PER_CPU_SECOND, column, per_cpu_second);
    }
    report.record(workload, P50, column, measured.p50_us);
    report.record(workload, P99, column, measured.p99_us);
}

const NODES: u64 = 1000;
const RAW_SYNC: &str = "raw sync of 1 KB";
const THROUGHPUT: Metric = Metric::higher("throughput", "req/s");
const PER_CPU_SECOND: Metric = Metric::higher("per CPU-second", "req");
const P50: Metric = Metric::lower("p50", "µs");
const P99: Metric = Metric::lower("p99", "µs");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_control_of_writes_waits_for_a_sync_in_each_round_trip() {
        let echo =
            || Measured { per_second: 20_000.0, per_cpu_second: None, p50_us: 50.0, p99_us: 100.0 };
        let mut one = echo();
        one.add_sync(150.0, 300.0, 1);
        assert_eq!((one.per_second, one.p50_us, one.p99_us), (5000.0, 200.0, 400.0));
        let mut many = echo();
        many.add_sync(150.0, 300.0, 50);
        assert_eq!(many.per_second, 20_000.0);
    }
}
