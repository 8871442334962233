//! Chores of the repository: `cargo xtask test`, `cargo xtask tidy` and `cargo xtask ensemble N`.
//!
//! This room never tests behaviour itself: it only runs the tests of the others, and reads their text.
//!
//! Invariants
//! - Every step is printed before it runs; the first step that fails is the last.
//! - Nothing is installed on a machine unless its owner asked for it (`--install`, or `CI=true`).

#![expect(clippy::print_stdout, reason = "a command line tool reports on stdout")]

mod ensemble;
mod packages;
mod repository;
mod steps;
mod tidy;

use std::process::ExitCode;

use anyhow::{Context as _, bail};

use crate::repository::Repository;

fn main() -> ExitCode {
    let args: Vec<String> = std::env::args().skip(1).collect();
    match run(&args.iter().map(String::as_str).collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &[&str]) -> anyhow::Result<()> {
    match args {
        ["test"] => steps::test(std::env::var("CI").is_ok_and(|ci| ci == "true")),
        ["test", "--install"] => steps::test(true),
        ["tidy"] => tidy(),
        ["ensemble"] => ensemble::run(3),
        ["ensemble", count] => {
            let count = count.parse();
            ensemble::run(count.with_context(|| "how many members? for example: ensemble 3")?)
        }
        [] | ["help" | "--help" | "-h"] => {
            println!("{USAGE}");
            Ok(())
        }
        _ => bail!("unknown arguments `{}`\n{USAGE}", args.join(" ")),
    }
}

fn tidy() -> anyhow::Result<()> {
    let repository = Repository::read(&Repository::root())?;
    let findings = tidy::findings(&repository);
    for finding in &findings {
        println!("{finding}");
    }
    if !findings.is_empty() {
        bail!("{} places break the rules of the repository", findings.len());
    }
    println!("tidy: {} files, all in order", repository.files.len());
    Ok(())
}

const USAGE: &str = "\
usage: cargo xtask test [--install]   format, lints, tidy, every test; --install (as root) first
                                      installs the Debian packages that the interop tests use
       cargo xtask tidy               the rules of the repository that no compiler checks
       cargo xtask ensemble [N]       a local ensemble of N members (3) until Ctrl-C";
