//! `start-zookeeper [flags]`: reads the command line, and says on standard error why not.

use std::io;
use std::process::ExitCode;

use clap::Parser;
use start_zookeeper::flags::Flags;
use start_zookeeper::run;
use start_zookeeper::settings::LogLevel;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::filter::Targets;
use tracing_subscriber::prelude::*;

fn main() -> ExitCode {
    let flags = Flags::parse();
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
