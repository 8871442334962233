//! What a client feels of a snapshot: the same open load with and without snapshots being taken.
//!
//! The load is far below what either server carries, so that a late reply is the server's doing, and
//! it is open, so that one stall counts for every request that came due meanwhile.

use crate::comparison::Comparison;
use crate::connection::Latencies;
use crate::datadir;
use crate::error::Error;
use crate::load::{Load, Pace, Until};
use crate::program::Program;
use crate::report::{Column, Metric, Report};
use crate::requests::{Mix, Requests};
use crate::statistics::micros;

/// Measures both sides, and the echo at the same pace.
pub(crate) fn measure(comparison: &Comparison, report: &mut Report) -> Result<(), Error> {
    if !comparison.wants(STALL) {
        return Ok(());
    }
    for round in 0..comparison.long_rounds() {
        comparison.each_side(round, STALL, report, |column, program, report| {
            let without = under_load(comparison, program, NEVER)?.0;
            let (with, snapshots) = under_load(comparison, program, OFTEN)?;
            record(report, column, &without, &WITHOUT);
            record(report, column, &with, &WITH);
            let added = longest_ms(&with) - longest_ms(&without);
            report.record(STALL, Metric::lower("longest stall added", "ms"), column, added);
            report.record(STALL, Metric::higher("snapshots taken", "count"), column, snapshots);
            Ok(())
        });
        let echo = comparison.echo()?;
        let control = paced(comparison, Load::bare(echo.port, CONNECTIONS)?)?;
        record(report, Column::Control, &control, &WITHOUT);
    }
    Ok(())
}

/// Latencies on a server with many znodes, and how many snapshots it took meanwhile.
fn under_load(
    comparison: &Comparison,
    program: &Program,
    snap_count: u32,
) -> Result<(Latencies, f64), Error> {
    let folder = comparison.folder()?;
    datadir::write(folder.path(), comparison.scale.znodes)?;
    let settings = format!("snapCount={snap_count}\n");
    let server = comparison.start(program, folder.path(), &settings)?;
    let before = datadir::snapshots(folder.path())?;
    let latencies = paced(comparison, Load::sessions(&[server.port], CONNECTIONS)?)?;
    let taken = datadir::snapshots(folder.path())? - before;
    if snap_count == OFTEN && taken == 0 {
        return Err(Error::NoSnapshot("the server"));
    }
    Ok((latencies, taken as f64))
}

/// Runs at a fixed pace: first until Java is warm, then measured.
fn paced(comparison: &Comparison, mut load: Load) -> Result<Latencies, Error> {
    let mut requests =
        Requests::new(Mix::NinetyTen, comparison.scale.znodes, comparison.fresh_names());
    let scale = comparison.scale;
    load.run(&mut requests, PACE, Until::Elapsed(scale.java_warm_up / 2))?;
    let run = load.run(&mut requests, PACE, Until::Elapsed(scale.under_load))?;
    load.close()?;
    Ok(run.latencies)
}

fn longest_ms(latencies: &Latencies) -> f64 {
    micros(latencies.all().max()) / 1e3
}

fn record(report: &mut Report, column: Column, latencies: &Latencies, names: &[&'static str; 6]) {
    let [reads_99, reads_999, reads_max, writes_99, writes_999, writes_max] = *names;
    for (histogram, [p99, p999, max]) in [
        (&latencies.reads, [reads_99, reads_999, reads_max]),
        (&latencies.writes, [writes_99, writes_999, writes_max]),
    ] {
        for (name, ns) in [
            (p99, histogram.value_at_quantile(0.99)),
            (p999, histogram.value_at_quantile(0.999)),
            (max, histogram.max()),
        ] {
            report.record(STALL, Metric::lower(name, "ms"), column, micros(ns) / 1e3);
        }
    }
}

const STALL: &str = "snapshot under load";

const WITHOUT: [&str; 6] = [
    "reads without, p99",
    "reads without, p99.9",
    "reads without, longest",
    "writes without, p99",
    "writes without, p99.9",
    "writes without, longest",
];

const WITH: [&str; 6] = [
    "reads with, p99",
    "reads with, p99.9",
    "reads with, longest",
    "writes with, p99",
    "writes with, p99.9",
    "writes with, longest",
];

const CONNECTIONS: usize = 50;
const PACE: Pace = Pace::Open { per_second: 5000 };
/// Values of snapCount: a tenth of the requests are writes, so every two to four seconds.
const OFTEN: u32 = 2000;
const NEVER: u32 = 2_000_000_000;
