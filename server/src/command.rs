//! `zookeeper-server [--check] [-Dkey=value …] [zoo.cfg]`: reads the configuration and runs.

use std::ffi::OsString;
use std::io;
use std::path::Path;
use std::process::ExitCode;

use clap::Parser as _;
use tracing::{debug, error, info, warn};
use zk_config::{Config, config::Parsed};

use crate::args::Args;
use crate::{Error, logging, run};

/// The whole program, from the command line with the program's name to the exit code.
pub fn main(command_line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let args = Args::parse_from(command_line);
    match serve(&args) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            error!("{error}");
            say(io::stderr(), &format!("zookeeper-server: {error}\n"));
            ExitCode::from(error.exit_code())
        }
    }
}

fn serve(args: &Args) -> Result<(), Error> {
    let properties = args.properties(|name| std::env::var(name).ok());
    let parsed = match &args.config {
        Some(path) => Config::read(path, &properties)?,
        None => Parsed {
            config: Config::embedded_default(Path::new("./data")),
            warnings: Vec::new(),
            notes: Vec::new(),
        },
    };
    if args.check {
        return check(&parsed);
    }
    logging::start(&parsed.config.logging);
    match &args.config {
        Some(path) => info!("Reading configuration from: {}", path.display()),
        None => info!("no zoo.cfg given: standalone, client port 2181, data in ./data"),
    }
    info!("zookeeper-server {}", env!("CARGO_PKG_VERSION"));
    for line in parsed.config.effective().iter().filter(|line| !line.from_default) {
        info!("{} = {}", line.key, line.value);
    }
    for warning in &parsed.warnings {
        warn!("{warning}");
    }
    for note in &parsed.notes {
        debug!("{note}");
    }
    run::run(&parsed.config)
}

fn check(parsed: &Parsed) -> Result<(), Error> {
    let effective = parsed.config.effective();
    let settings = effective.iter().map(|line| {
        let origin = if line.from_default { " (default)" } else { "" };
        format!("{}={}{origin}\n", line.key, line.value)
    });
    let warnings = parsed.warnings.iter().map(|warning| format!("warning: {warning}\n"));
    say(io::stdout(), &settings.collect::<String>());
    say(io::stderr(), &warnings.collect::<String>());
    Ok(())
}

/// Prints if that can be done: the exit code tells the outcome even where nobody takes the words.
fn say(mut to: impl io::Write, text: &str) {
    let _ = to.write_all(text.as_bytes());
}
