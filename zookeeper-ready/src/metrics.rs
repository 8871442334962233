//! `zookeeper-metrics [PORT]`: prints what the server answers to `mntr`.

use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use crate::flags::OwnPort;
use crate::{Conversation, EXIT_NO, NoAnswer, Where, answer};

/// Prints the metrics of a ZooKeeper server, one key and value a line, as `mntr` gives them.
#[derive(Debug, Parser)]
#[command(name = "zookeeper-metrics", version, after_help = EXIT_CODES)]
struct Flags {
    #[command(flatten)]
    target: Where,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  the metrics were printed
  1  no answer, or the server refuses mntr or is not serving
  2  the command line makes no sense";

/// The whole program, from the command line with the program's name to the exit code.
pub fn main(command_line: impl IntoIterator<Item = OsString>, own_port: OwnPort) -> ExitCode {
    let flags = Flags::parse_from(command_line);
    match metrics(&Conversation::new(flags.target.target(own_port))) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("zookeeper-metrics: {why}");
            ExitCode::from(EXIT_NO)
        }
    }
}

#[derive(Debug, thiserror::Error)]
enum NoMetrics {
    #[error(transparent)]
    NoAnswer(#[from] NoAnswer),
    #[error("server refuses mntr: add it to 4lw.commands.whitelist")]
    Refused,
    #[error("server is not serving: it is starting, electing, synchronising or shutting down")]
    NotServing,
    #[error("unexpected answer to mntr: {0}")]
    Unexpected(String),
    #[error("cannot print the metrics: {0}")]
    Print(#[from] io::Error),
}

fn metrics(conversation: &Conversation) -> Result<(), NoMetrics> {
    let metrics = conversation.ask("mntr")?;
    if answer::is_refusal("mntr", &metrics) {
        return Err(NoMetrics::Refused);
    }
    if answer::is_not_serving(&metrics) {
        return Err(NoMetrics::NotServing);
    }
    if !metrics.starts_with("zk_") {
        return Err(NoMetrics::Unexpected(answer::excerpt(&metrics)));
    }
    io::stdout().write_all(metrics.as_bytes())?;
    Ok(())
}
