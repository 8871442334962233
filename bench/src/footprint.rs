//! Memory and start: what a server takes when idle and per znode, and how soon it serves.

use tempfile::TempDir;

use crate::comparison::Comparison;
use crate::datadir;
use crate::error::Error;
use crate::load::{Load, Pace, Until};
use crate::program::Program;
use crate::report::{Column, Metric, Report};
use crate::requests::{Mix, PARENT, Requests};
use crate::server::Server;
use crate::session::Session;

/// Measures what is wanted of the three workloads.
pub(crate) fn measure(comparison: &Comparison, report: &mut Report) -> Result<(), Error> {
    if comparison.wants(COLD) {
        for round in 0..comparison.rounds {
            comparison.each_side(round, COLD, report, |column, program, report| {
                cold_start(comparison, column, program, report)
            });
        }
    }
    if comparison.wants(MEMORY) {
        comparison.each_side(0, MEMORY, report, |column, program, report| {
            loaded(comparison, column, program, report)
        });
    }
    if comparison.wants(WARM) || comparison.wants(MEMORY) {
        for round in 0..comparison.long_rounds() {
            comparison.each_side(round, WARM, report, |column, program, report| {
                restarted(comparison, column, program, report)
            });
        }
    }
    Ok(())
}

/// An empty server: the time to its first session, and its memory when nothing happens.
fn cold_start(
    comparison: &Comparison,
    column: Column,
    program: &Program,
    report: &mut Report,
) -> Result<(), Error> {
    let (server, _folder) = empty(comparison, program)?;
    report.record(COLD, FIRST_SESSION, column, millis(&server));
    std::thread::sleep(comparison.scale.settled);
    report.record(COLD, Metric::lower("idle RSS", "MB"), column, server.rss_bytes()? / 1e6);
    Ok(())
}

/// Memory that each of many creates left behind.
fn loaded(
    comparison: &Comparison,
    column: Column,
    program: &Program,
    report: &mut Report,
) -> Result<(), Error> {
    let (server, _folder) = empty(comparison, program)?;
    let mut session = Session::open(server.port)?;
    session.create(PARENT, b"")?;
    session.close()?;
    std::thread::sleep(comparison.scale.settled);
    let before = server.rss_bytes()?;
    let mut load = Load::sessions(&[server.port], 50)?;
    let mut creates = Requests::new(Mix::Create, 1, 0);
    let until = Until::Sent(comparison.scale.znodes);
    let run = load.run(&mut creates, Pace::Closed { depth: 32 }, until)?;
    load.close()?;
    std::thread::sleep(comparison.scale.settled);
    let per_znode = (server.rss_bytes()? - before) / comparison.scale.znodes as f64;
    report.record(MEMORY, Metric::lower("RSS per znode, loaded", "B"), column, per_znode);
    report.record(MEMORY, Metric::higher("creates", "req/s"), column, run.per_second());
    Ok(())
}

/// Start from a snapshot of many znodes, and the memory that they take then.
fn restarted(
    comparison: &Comparison,
    column: Column,
    program: &Program,
    report: &mut Report,
) -> Result<(), Error> {
    let (server, folder) = empty(comparison, program)?;
    std::thread::sleep(comparison.scale.settled);
    let before = server.rss_bytes()?;
    drop((server, folder));

    let folder = comparison.folder()?;
    datadir::write(folder.path(), comparison.scale.znodes)?;
    let server = comparison.start(program, folder.path(), "")?;
    report.record(WARM, FIRST_SESSION, column, millis(&server));
    std::thread::sleep(comparison.scale.settled);
    let per_znode = (server.rss_bytes()? - before) / comparison.scale.znodes as f64;
    report.record(MEMORY, Metric::lower("RSS per znode, restarted", "B"), column, per_znode);
    Ok(())
}

fn empty(comparison: &Comparison, program: &Program) -> Result<(Server, TempDir), Error> {
    let folder = comparison.folder()?;
    let server = comparison.start(program, folder.path(), "")?;
    Ok((server, folder))
}

fn millis(server: &Server) -> f64 {
    server.to_session.as_secs_f64() * 1e3
}

const COLD: &str = "cold start";
const MEMORY: &str = "memory";
const WARM: &str = "start with znodes";
const FIRST_SESSION: Metric = Metric::lower("first session", "ms");
