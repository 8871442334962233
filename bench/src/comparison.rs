//! The frame of a comparison: which servers, how long, where, and in which order.
//!
//! Invariants
//! - Ours and Java alternate, and who is first changes with every round.
//! - A side that fails leaves a note and a gap in the table, and the others go on.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::Duration;

use tempfile::TempDir;

use crate::control::Echo;
use crate::error::Error;
use crate::guard::Guard;
use crate::machine::Machine;
use crate::program::Program;
use crate::report::{Column, Report};
use crate::server::Server;
use crate::{ensemble, footprint, stall, throughput, wide};

/// What the command line asks for.
#[derive(Debug)]
pub(crate) struct Options {
    /// Ensembles of three, instead of single servers.
    pub(crate) of_ensembles: bool,
    pub(crate) rounds: usize,
    /// Only workloads whose name contains it.
    pub(crate) only: Option<String>,
    pub(crate) is_quick: bool,
    /// A built server; without it one is built.
    pub(crate) ours: Option<PathBuf>,
    pub(crate) with_java: bool,
    /// Where data directories go; it should be on a real disk.
    pub(crate) scratch: Option<PathBuf>,
}

/// Runs every workload that is wanted.
pub(crate) fn compare(options: Options, machine: Machine) -> Result<Report, Error> {
    let mut report = Report::new(machine.clone());
    let sides = sides(&options, &mut report)?;
    let scale = if options.is_quick { Scale::QUICK } else { Scale::WHOLE };
    let scratch = scratch(options.scratch.as_deref())?;
    let rounds = if options.is_quick { 1 } else { options.rounds };
    let guard = Rc::new(Guard::start(scratch.path())?);
    let comparison = Comparison {
        machine,
        guard,
        sides,
        scale,
        rounds,
        scratch,
        only: options.only,
        next_name: Cell::new(NAMES_FIRST),
    };
    comparison.machine.enter_client_cpu()?;
    if options.of_ensembles {
        ensemble::measure(&comparison, &mut report)?;
        return Ok(report);
    }
    throughput::measure(&comparison, &mut report)?;
    footprint::measure(&comparison, &mut report)?;
    stall::measure(&comparison, &mut report)?;
    wide::measure(&comparison, &mut report);
    Ok(report)
}

fn sides(options: &Options, report: &mut Report) -> Result<Vec<(Column, Program)>, Error> {
    let mut sides = vec![(Column::Ours, Program::ours(options.ours.clone())?)];
    if options.with_java {
        let jvm = if options.of_ensembles { ensemble::JVM } else { JVM };
        match Program::java(jvm) {
            Some(program) => sides.push((Column::Java, program)),
            None => report.note("no Java server: install Debian's package zookeeper".to_owned()),
        }
    }
    Ok(sides)
}

/// The heap is larger than any workload needs.
const JVM: &[&str] = &["-Xmx4g"];

fn scratch(folder: Option<&Path>) -> Result<TempDir, Error> {
    let this = std::env::current_exe().map_err(Error::file("find", "this program"))?;
    let folder = folder.unwrap_or_else(|| this.parent().unwrap_or(Path::new(".")));
    TempDir::with_prefix_in("bench-", folder).map_err(Error::file("create a folder in", folder))
}

/// How much is done.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Scale {
    /// Of a timed run.
    pub(crate) measured: Duration,
    /// Before each timed run, on the same connections.
    pub(crate) ahead: Duration,
    /// Before the first timed run, so that Java's compiler has seen every path.
    pub(crate) java_warm_up: Duration,
    /// Until memory is looked at.
    pub(crate) settled: Duration,
    /// In the workloads about size.
    pub(crate) znodes: u64,
    /// Sessions that watch one node.
    pub(crate) watchers: usize,
    /// Of a timed run that snapshots disturb.
    pub(crate) under_load: Duration,
    /// In the workloads where one round takes long.
    pub(crate) long_rounds_max: usize,
    /// That a member misses while it is away.
    pub(crate) missed_txns: u64,
    /// That a member without data gets.
    pub(crate) missed_znodes: u64,
}

impl Scale {
    const WHOLE: Self = Self {
        measured: Duration::from_secs(2),
        ahead: Duration::from_millis(500),
        java_warm_up: Duration::from_secs(32),
        settled: Duration::from_secs(2),
        znodes: 1_000_000,
        watchers: 5000,
        under_load: Duration::from_secs(12),
        long_rounds_max: 3,
        missed_txns: 100_000,
        missed_znodes: 1_000_000,
    };

    const QUICK: Self = Self {
        measured: Duration::from_millis(200),
        ahead: Duration::from_millis(50),
        java_warm_up: Duration::from_millis(800),
        settled: Duration::from_millis(100),
        znodes: 20_000,
        watchers: 200,
        under_load: Duration::from_secs(5),
        long_rounds_max: 1,
        missed_txns: 10_000,
        missed_znodes: 100_000,
    };

    /// How long this side works before it is first timed.
    pub(crate) fn warm_up(&self, column: Column) -> Duration {
        match column {
            Column::Java => self.java_warm_up,
            Column::Ours | Column::Control => self.ahead,
        }
    }
}

/// Everything that the workloads share.
#[derive(Debug)]
pub(crate) struct Comparison {
    pub(crate) machine: Machine,
    /// Goes before the folder, which it removes.
    pub(crate) guard: Rc<Guard>,
    sides: Vec<(Column, Program)>,
    pub(crate) scale: Scale,
    pub(crate) rounds: usize,
    scratch: TempDir,
    only: Option<String>,
    next_name: Cell<u64>,
}

impl Comparison {
    /// Whether `--only` lets this workload run.
    pub(crate) fn wants(&self, workload: &str) -> bool {
        self.only.as_ref().is_none_or(|pattern| workload.contains(pattern))
    }

    pub(crate) fn long_rounds(&self) -> usize {
        self.rounds.min(self.scale.long_rounds_max)
    }

    pub(crate) fn scratch(&self) -> &Path {
        self.scratch.path()
    }

    /// The first of a row of node names that no run has used.
    pub(crate) fn fresh_names(&self) -> u64 {
        self.next_name.replace(self.next_name.get() + NAMES_PER_RUN)
    }

    /// A fresh folder for one server.
    pub(crate) fn folder(&self) -> Result<TempDir, Error> {
        TempDir::new_in(self.scratch()).map_err(Error::file("create a folder in", self.scratch()))
    }

    pub(crate) fn start(
        &self,
        program: &Program,
        folder: &Path,
        settings: &str,
    ) -> Result<Server, Error> {
        Server::start(program, &self.machine, &self.guard, folder, settings)
    }

    /// Starts the control, on the servers' CPU.
    pub(crate) fn echo(&self) -> Result<Echo, Error> {
        self.machine.enter_server_cpu()?;
        let echo = Echo::start(&self.guard);
        self.machine.enter_client_cpu()?;
        echo
    }

    /// Gives each side to `measure`, in the order of this round; a failure becomes a note.
    pub(crate) fn each_side(
        &self,
        round: usize,
        workload: &'static str,
        report: &mut Report,
        mut measure: impl FnMut(Column, &Program, &mut Report) -> Result<(), Error>,
    ) {
        eprintln!("bench: {workload}, round {}", round + 1);
        let mut sides: Vec<_> = self.sides.iter().collect();
        if round % 2 == 1 {
            sides.reverse();
        }
        for (column, program) in sides {
            if let Err(error) = measure(*column, program, report) {
                report.note(format!("{workload}, {column:?}: {error}"));
            }
        }
    }
}

/// Above every node that a workload prepares.
const NAMES_FIRST: u64 = 1_000_000_000;
/// More than any run can create.
const NAMES_PER_RUN: u64 = 100_000_000;

#[cfg(test)]
mod tests {
    use super::*;

    fn comparison(only: Option<&str>) -> Comparison {
        let program = Program::ours(Some("/nowhere".into())).unwrap();
        let scratch = tempfile::tempdir().unwrap();
        Comparison {
            machine: Machine {
                kernel: String::new(),
                cpus: 1,
                own_network: false,
                preferred: false,
                pinned: false,
            },
            guard: Rc::new(Guard::start(scratch.path()).unwrap()),
            sides: vec![(Column::Ours, program.clone()), (Column::Java, program)],
            scale: Scale::QUICK,
            rounds: 5,
            scratch,
            only: only.map(str::to_owned),
            next_name: Cell::new(0),
        }
    }

    #[test]
    fn the_sides_take_turns_at_being_first() {
        let comparison = comparison(None);
        let mut report = Report::new(comparison.machine.clone());
        let mut order = Vec::new();
        for round in 0..3 {
            comparison.each_side(round, "get 1x1", &mut report, |column, _, _| {
                order.push(column);
                Ok(())
            });
        }
        use Column::{Java, Ours};
        assert_eq!(order, [Ours, Java, Java, Ours, Ours, Java]);
    }

    #[test]
    fn a_failing_side_is_noted_and_the_other_goes_on() {
        let comparison = comparison(None);
        let mut report = Report::new(comparison.machine.clone());
        let mut measured = 0;
        comparison.each_side(0, "get 1x1", &mut report, |column, _, _| {
            measured += 1;
            match column {
                Column::Ours => Err(Error::Refused { xid: 1, code: -101 }),
                Column::Java | Column::Control => Ok(()),
            }
        });
        assert_eq!(measured, 2);
        let note = "note: get 1x1, Ours: request 1 failed with error code -101";
        assert!(report.table().contains(note), "{}", report.table());
    }

    #[test]
    fn only_selects_by_a_part_of_the_name() {
        let comparison = comparison(Some("50x"));
        assert!(comparison.wants("get 50x32") && !comparison.wants("cold start"));
        assert!(comparison.fresh_names() < comparison.fresh_names());
    }
}
