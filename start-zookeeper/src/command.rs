//! `start-zookeeper [flags]`: reads the command line, and says on standard error why not.

use std::ffi::OsString;
use std::io;
use std::process::ExitCode;

use clap::Parser;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

use crate::flags::Flags;
use crate::run;
use crate::settings::LogLevel;

/// The whole program, from the command line with the program's name to the exit code.
pub fn main(command_line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let flags = Flags::parse_from(command_line);
    start_log(LogLevel::parse(&flags.log_level).unwrap_or(LogLevel::Info));
    match run(&flags, &mut io::stdout(), &mut io::stderr()) {
        Ok(()) => ExitCode::SUCCESS,
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
