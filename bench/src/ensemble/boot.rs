//! Three members without data start at the same time: how soon a client of them writes.

use std::time::Instant;

use super::FIRST_WRITE;
use super::trio::Trio;
use super::writer::Writer;
use crate::comparison::Comparison;
use crate::error::Error;
use crate::report::{Metric, Report};

/// Measures it if it is wanted.
pub(super) fn measure(comparison: &Comparison, report: &mut Report) {
    if !comparison.wants(BOOT) {
        return;
    }
    for round in 0..comparison.rounds {
        comparison.each_side(round, BOOT, report, |column, program, report| {
            let mut trio = Trio::new(comparison, program, "")?;
            let started = trio.start(comparison)?;
            let written = first_writes(&trio);
            trio.check_runs()?;
            let mut millis = Vec::new();
            for written in written {
                millis.push(written?.duration_since(started).as_secs_f64() * 1e3);
            }
            let first = millis.iter().copied().fold(f64::INFINITY, f64::min);
            let last = millis.iter().copied().fold(0.0, f64::max);
            report.record(BOOT, FIRST_WRITE, column, first);
            report.record(BOOT, ALL_WRITE, column, last);
            Ok(())
        });
    }
}

/// The moment of the first reply to a client of each member.
fn first_writes(trio: &Trio) -> Vec<Result<Instant, Error>> {
    std::thread::scope(|scope| {
        let clients =
            trio.ports().map(|port| scope.spawn(move || Writer::new(port).write_until(|_| true)));
        let join = |client: std::thread::ScopedJoinHandle<'_, _>| {
            client.join().expect("a client does not panic")
        };
        clients.into_iter().map(join).collect()
    })
}

const BOOT: &str = "boot of three empty members";
const ALL_WRITE: Metric = Metric::lower("first writes on all members", "ms");
