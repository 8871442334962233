//! `start-zookeeper [flags]`: reads the command line, and says on standard error why not.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

use crate::entry;
use crate::failure::{EXIT_FAILED, Failure};
use crate::flags::Flags;
use crate::run;
use crate::settings::LogLevel;

/// The whole program, from the command line with the program's name to the exit code.
///
/// By the names of other images' scripts it does what these do.
pub fn main(command_line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words: Vec<_> = command_line.into_iter().collect();
    let name = words.first().map(|word| Path::new(word).file_name().unwrap_or_default());
    match name.and_then(OsStr::to_str) {
        Some("docker-entrypoint.sh" | "entrypoint.sh") => {
            start_log(LogLevel::Info);
            finish(entry::docker_entrypoint(&words[1..]))
        }
        Some("run.sh" | "run") => {
            start_log(LogLevel::Info);
            finish(entry::docker_entrypoint(&[]))
        }
        Some("zkServer.sh") => {
            start_log(LogLevel::Info);
            finish(entry::zk_server(&words[1..]))
        }
        _ => {
            let flags = Flags::parse_from(words);
            start_log(LogLevel::parse(&flags.log_level).unwrap_or(LogLevel::Info));
            finish(run(&flags, &mut io::stdout(), &mut io::stderr()).map(|()| true))
        }
    }
}

fn finish(outcome: Result<bool, Failure>) -> ExitCode {
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(EXIT_FAILED),
        Err(failure) => {
            for line in failure.to_string().lines() {
                eprintln!("start-zookeeper: {line}");
            }
            ExitCode::from(failure.exit_code())
        }
    }
}

/// Our own events only: what the resolver has to say about a name server is no news here.
fn start_log(level: LogLevel) {
    let level = match level {
        LogLevel::Trace => LevelFilter::TRACE,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warn => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    };
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(io::stderr)
        .with_ansi(false)
        .with_target(false)
        .with_filter(Targets::new().with_target("start_zookeeper", level));
    tracing_subscriber::registry().with(lines).init();
}
