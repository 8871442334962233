//! One workload of many small requests: prepared, warmed up, run, and turned into values.
//!
//! The load is closed: it shows what a server can carry, and latencies at that limit.

use std::time::Duration;

use crate::comparison::Comparison;
use crate::control::{Echo, sync_writes};
use crate::error::Error;
use crate::load::{Load, Pace, Run, Until};
use crate::proc;
use crate::report::{Column, Metric, Report};
use crate::requests::{Mix, PARENT, Requests};
use crate::session::Session;
use crate::statistics::micros;

/// Connections x requests in flight on each.
#[derive(Debug)]
pub(crate) struct Workload {
    pub(crate) name: &'static str,
    pub(crate) mix: Mix,
    pub(crate) connections: usize,
    pub(crate) depth: usize,
}

/// A row of a table of workloads.
pub(crate) const fn workload(
    name: &'static str,
    mix: Mix,
    connections: usize,
    depth: usize,
) -> Workload {
    Workload { name, mix, connections, depth }
}

/// Makes the nodes that reads and writes go to.
pub(crate) fn prepare(port: u16) -> Result<(), Error> {
    let mut session = Session::open(port)?;
    session.create(PARENT, b"")?;
    session.close()?;
    let mut load = Load::sessions(&[port], 1)?;
    let mut creates = Requests::new(Mix::Create, 1, 0);
    load.run(&mut creates, Pace::Closed { depth: 100 }, Until::Sent(NODES))?;
    load.close()
}

/// Every kind of work for a part of `time`.
pub(crate) fn warm_up(comparison: &Comparison, ports: &[u16], time: Duration) -> Result<(), Error> {
    let shapes = [(50, 32), (50, 1)];
    let mixes = [Mix::Get, Mix::Set, Mix::NinetyTen, Mix::Create];
    for (connections, depth) in shapes {
        for mix in mixes {
            let mut load = Load::sessions(ports, connections)?;
            let mut requests = Requests::new(mix, NODES, comparison.fresh_names());
            load.run(&mut requests, Pace::Closed { depth }, Until::Elapsed(time / 8))?;
            load.close()?;
        }
    }
    Ok(())
}

/// The values of one run.
#[derive(Debug)]
pub(crate) struct Measured {
    pub(crate) per_second: f64,
    /// `None` if the run was too short for the kernel's clock tick.
    pub(crate) per_cpu_second: Option<f64>,
    pub(crate) p50_us: f64,
    pub(crate) p99_us: f64,
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

/// Runs a workload; the CPU time is that of all these processes.
pub(crate) fn measure(
    comparison: &Comparison,
    workload: &Workload,
    mut load: Load,
    pids: &[u32],
) -> Result<Measured, Error> {
    let mut requests = Requests::new(workload.mix, NODES, comparison.fresh_names());
    let pace = Pace::Closed { depth: workload.depth };
    let cpu = || pids.iter().map(|pid| proc::cpu_seconds(*pid)).sum::<Result<f64, Error>>();
    load.run(&mut requests, pace, Until::Elapsed(comparison.scale.ahead))?;
    let cpu_before = cpu()?;
    let run = load.run(&mut requests, pace, Until::Elapsed(comparison.scale.measured))?;
    let cpu_seconds = cpu()? - cpu_before;
    load.close()?;
    Ok(Measured::new(&run, cpu_seconds))
}

/// Runs a workload on the echo, with raw syncs where it is about durable writes.
pub(crate) fn measure_control(
    comparison: &Comparison,
    report: &mut Report,
    workload: &Workload,
    echo: &Echo,
) -> Result<Measured, Error> {
    let load = Load::bare(echo.port, workload.connections)?;
    let mut control = measure(comparison, workload, load, &[echo.pid()])?;
    if matches!(workload.mix, Mix::Set | Mix::SetSmall | Mix::Create) {
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
    Ok(control)
}

/// How many nodes [`prepare`] makes.
pub(crate) const NODES: u64 = 1000;
const RAW_SYNC: &str = "raw sync of 1 KB";
pub(crate) const THROUGHPUT: Metric = Metric::higher("throughput", "req/s");
pub(crate) const P50: Metric = Metric::lower("p50", "µs");
pub(crate) const P99: Metric = Metric::lower("p99", "µs");

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
