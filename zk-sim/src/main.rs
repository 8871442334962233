//! Runs seeds: `zk-sim --seed N` repeats one, `--seeds A..B` tries many. Exits with 1 on a violation.

use std::io::Write as _;
use std::process::ExitCode;

use clap::Parser;
use zk_sim::{Run, STEPS};

/// Simulates a server, its clients and all that can fail around them.
#[derive(Debug, Parser)]
struct Args {
    /// Runs this seed.
    #[arg(long)]
    seed: Option<u64>,
    /// Runs the seeds from A to before B.
    #[arg(long, value_name = "A..B", value_parser = range, conflicts_with = "seed")]
    seeds: Option<(u64, u64)>,
    /// How many events happen before faults end.
    #[arg(long, default_value_t = STEPS)]
    steps: u64,
    /// Writes every event to stderr.
    #[arg(long)]
    verbose: bool,
}

fn range(text: &str) -> Result<(u64, u64), String> {
    let (from, to) = text.split_once("..").ok_or("not of the form A..B")?;
    let number = |text: &str| text.parse().map_err(|error| format!("{text:?}: {error}"));
    Ok((number(from)?, number(to)?))
}

fn main() -> ExitCode {
    let args = Args::parse();
    let (from, to) = args.seed.map(|seed| (seed, seed + 1)).or(args.seeds).unwrap_or((0, 100));
    let mut out = std::io::stdout();
    let mut failures = 0_u64;
    for seed in from..to {
        let again = format!("cargo run -p zk-sim -- --seed {seed} --steps {}", args.steps);
        let repeat = again.clone();
        // A panic of the server ends the process before anything else can be said.
        std::panic::set_hook(Box::new(move |panic| eprintln!("{panic}\nrepeat with: {repeat}")));
        let run = Run { steps: args.steps, is_verbose: args.verbose, ..Run::new(seed) };
        let report = run.run();
        let said = match &report.result {
            Ok(()) if args.seed.is_some() => {
                writeln!(out, "seed {seed}: {:016x}, {} txns", report.trace_hash, report.last_zxid)
            }
            Ok(()) => Ok(()),
            Err(violation) => {
                failures += 1;
                writeln!(out, "seed {seed}: {violation}\nrepeat with: {again}")
            }
        };
        if said.is_err() {
            return ExitCode::FAILURE;
        }
    }
    let _ = writeln!(out, "{} seeds, {failures} failed", to - from);
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
