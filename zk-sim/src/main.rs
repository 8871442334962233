//! Runs seeds: `zk-sim --nodes 3 --seed N` repeats one, `--seeds A..B` tries many and prints what
//! happened in them. Exits with 1 on a violation.

use std::io::Write as _;
use std::process::ExitCode;
use std::time::Instant;

use clap::Parser;
use zk_sim::{Run, Tally};

/// Simulates servers, their clients and all that can fail around them.
#[derive(Debug, Parser)]
struct Args {
    /// How many servers vote; 1 is a standalone server.
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u8).range(1..=9))]
    nodes: u8,
    /// Runs this seed.
    #[arg(long)]
    seed: Option<u64>,
    /// Runs the seeds from A to before B.
    #[arg(long, value_name = "A..B", value_parser = range, conflicts_with = "seed")]
    seeds: Option<(u64, u64)>,
    /// How many events happen before faults end.
    #[arg(long)]
    steps: Option<u64>,
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
    if args.verbose {
        // What the servers log stands between the events.
        let lines = tracing_subscriber::fmt().with_writer(std::io::stderr).without_time();
        lines.with_max_level(tracing_subscriber::filter::LevelFilter::DEBUG).init();
    }
    let mut out = std::io::stdout();
    let (mut failures, mut txns, mut took_us) = (0_u64, 0, 0);
    let mut tally = Tally::default();
    let begin = Instant::now();
    for seed in from..to {
        let run = Run::new(seed, args.nodes.into());
        let run = Run { steps: args.steps.unwrap_or(run.steps), is_verbose: args.verbose, ..run };
        let again = run.command();
        // A panic of the server ends the process before anything else can be said.
        std::panic::set_hook(Box::new(move |panic| eprintln!("{panic}\nrepeat with: {again}")));
        let report = run.run();
        let said = match &report.result {
            Ok(()) if args.seed.is_some() => {
                let (hash, txns) = (report.trace_hash, report.txns);
                writeln!(out, "seed {seed}: {hash:016x}, {txns} txns")
            }
            Ok(()) => Ok(()),
            Err(violation) => {
                failures += 1;
                writeln!(out, "seed {seed}: {violation}\nrepeat with: {}", run.command())
            }
        };
        if said.is_err() {
            return ExitCode::FAILURE;
        }
        tally.add(&report.tally);
        txns += report.txns;
        took_us += report.took_us;
    }
    if args.seeds.is_some() {
        let _ = writeln!(out, "{tally}");
        let took_ms = u64::try_from(begin.elapsed().as_millis()).unwrap_or(u64::MAX).max(1);
        let per_second = 1000 * (to - from) / took_ms;
        let simulated_s = took_us / 1_000_000;
        let _ = writeln!(
            out,
            "{txns} txns, {} faults in {simulated_s} simulated s; {took_ms} ms, {per_second} runs/s",
            tally.faults()
        );
    }
    let _ = writeln!(out, "{} seeds, {failures} failed", to - from);
    if failures == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
