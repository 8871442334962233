//! `bench compare`: our server and Debian's Java server over the same workloads, side by side.
//!
//! A tool for people: nothing here is a test, and no test looks at a clock. It drives servers only
//! through their sockets and files, as a stranger would.
//!
//! Invariants
//! - Ratios come from alternating rounds of one run; figures of two runs are never compared.
//! - Beside what a server reached stands what the machine gives: the echo and the raw sync.

#![expect(clippy::print_stdout, reason = "a command line tool reports on stdout")]

mod comparison;
mod connection;
mod control;
mod datadir;
mod ensemble;
mod error;
mod footprint;
mod guard;
mod load;
mod machine;
mod ports;
mod proc;
mod process;
mod program;
mod report;
mod requests;
mod server;
mod session;
mod stall;
mod statistics;
mod targets;
mod throughput;
mod wide;
mod workload;

use std::path::PathBuf;

use anyhow::Context;
use clap::{Parser, Subcommand};

use crate::comparison::{Options, compare};
use crate::machine::Machine;

fn main() -> anyhow::Result<()> {
    match Arguments::parse().command {
        Command::Compare {
            ensemble,
            json,
            rounds,
            only,
            quick,
            ours,
            no_java,
            unpinned,
            priority,
            scratch,
        } => {
            let options = Options {
                of_ensembles: ensemble,
                rounds,
                only,
                is_quick: quick,
                ours,
                with_java: !no_java,
                scratch,
            };
            // Members that share one CPU would wait for each other as no real ones do.
            let may_pin = !unpinned && !ensemble;
            let machine =
                Machine::settle(may_pin, priority).context("cannot prepare this machine")?;
            let report = compare(options, machine).context("the comparison ended early")?;
            if json {
                println!("{:#}", report.json());
            } else {
                print!("{}", report.table());
            }
        }
        Command::Echo => {
            let (listener, port) = control::listen()?;
            println!("{port}");
            control::echo(&listener)?;
        }
    }
    Ok(())
}

/// Measures zookeeper-server beside Java's server.
#[derive(Debug, Parser)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the workloads on both servers in turn and prints how they compare.
    Compare {
        /// Compare ensembles of three members instead of single servers.
        #[arg(long)]
        ensemble: bool,
        /// Print JSON instead of a table.
        #[arg(long)]
        json: bool,
        /// How often each workload runs on each server.
        #[arg(long, default_value_t = 5)]
        rounds: usize,
        /// Only workloads whose name contains this.
        #[arg(long, value_name = "PATTERN")]
        only: Option<String>,
        /// One short round of each: shows that everything runs, says nothing about speed.
        #[arg(long)]
        quick: bool,
        /// The zookeeper-server to measure; without it, it is built in release.
        #[arg(long, value_name = "PATH")]
        ours: Option<PathBuf>,
        /// Leave the Java server out.
        #[arg(long)]
        no_java: bool,
        /// Let the servers use every CPU, the load generator's too.
        #[arg(long)]
        unpinned: bool,
        /// Run ahead of every other job on this machine; only where nobody else needs it.
        #[arg(long)]
        priority: bool,
        /// Where data directories go, on a real disk; default: beside this program.
        #[arg(long, value_name = "FOLDER")]
        scratch: Option<PathBuf>,
    },
    /// The control: answers frames without looking at them. Started by `compare`.
    #[command(hide = true)]
    Echo,
}
