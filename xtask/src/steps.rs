//! `cargo xtask test`: the one test command, step by step.
//!
//! Invariants
//! - Cheap steps come first, and the first failure ends the run.
//! - The last lines say what ran, how long it took, and what could not run here.

use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::{Context, bail};

use crate::packages;
use crate::repository::Repository;

/// Runs every step; with `may_install`, missing Debian packages come first.
pub(crate) fn test(may_install: bool) -> anyhow::Result<()> {
    let missing = packages::provide(may_install)?;
    let mut done = Vec::new();
    for step in STEPS {
        println!("\n==> {}: {}", step.name, step.command.join(" "));
        let started = Instant::now();
        run(step).with_context(|| summary(&done, &missing))?;
        done.push((step.name, started.elapsed()));
    }
    println!("\n{}", summary(&done, &missing));
    Ok(())
}

struct Step {
    name: &'static str,
    command: &'static [&'static str],
}

const STEPS: &[Step] = &[
    Step { name: "format", command: &["cargo", "fmt", "--all", "--check"] },
    Step {
        name: "lints",
        command: &["cargo", "clippy", "--workspace", "--all-targets", "--", "-D", "warnings"],
    },
    Step { name: "tidy", command: &["cargo", "xtask", "tidy"] },
    Step { name: "tests", command: &["cargo", "test", "--workspace"] },
];

fn run(step: &Step) -> anyhow::Result<()> {
    let (program, arguments) = step.command.split_first().expect("no step is empty");
    let status = Command::new(program)
        .args(arguments)
        .current_dir(Repository::root())
        .status()
        .with_context(|| format!("{program} did not start"))?;
    if !status.success() {
        bail!("step {} failed with {status}: {}", step.name, step.command.join(" "));
    }
    Ok(())
}

fn summary(done: &[(&str, Duration)], missing: &[&str]) -> String {
    let mut text = String::from("summary");
    for step in STEPS {
        let outcome = match done.iter().find(|(name, _)| *name == step.name) {
            Some((_, took)) => format!("ok, {} s", took.as_secs()),
            None => "not passed".to_owned(),
        };
        text.push_str(&format!("\n  {:<8} {outcome}", step.name));
    }
    for tool in missing {
        text.push_str(&format!("\n  skipped: the interop tests that need {tool}"));
    }
    text
}
