//! `zookeeper-ready [PORT]`: exit code 0 if the server is as asked, 1 and one line if it is not.

use std::error::Error;
use std::ffi::OsString;
use std::io::Write;
use std::process::ExitCode;

use clap::Parser;

use crate::flags::OwnPort;
use crate::safe_to_stop::is_safe_to_stop;
use crate::why_not_ready::report;
use crate::{Conversation, EXIT_NO, Mode, Where, probe};

/// Asks a ZooKeeper server whether it is alive, serving, or in the quorum.
///
/// Silent when the answer is yes; otherwise one line on standard error says why not.
#[derive(Debug, Parser)]
#[command(name = "zookeeper-ready", version, after_help = EXIT_CODES)]
struct Flags {
    #[command(flatten)]
    target: Where,
    /// What to find out
    #[arg(long, value_name = "MODE", default_value = "ok", value_enum)]
    mode: Mode,
    /// With --mode=ready, a server that is cut off and serves reads only is ready too
    #[arg(long, alias = "allow_read_only")]
    allow_read_only: bool,
}

const EXIT_CODES: &str = "\
Exit codes:
  0  yes
  1  no, or no answer in time
  2  the command line makes no sense";

/// The whole program, from the command line with the program's name to the exit code.
pub fn main(command_line: impl IntoIterator<Item = OsString>, own_port: OwnPort) -> ExitCode {
    let flags = Flags::parse_from(command_line);
    let conversation = Conversation::new(flags.target.target(own_port));
    let answer: Result<(), Box<dyn Error>> = match flags.mode {
        Mode::Ok => probe::is_ok(&conversation).map_err(Into::into),
        Mode::Live => probe::is_live(&conversation).map_err(Into::into),
        Mode::Ready => probe::is_ready(&conversation, flags.allow_read_only).map_err(Into::into),
        Mode::Quorum => probe::is_ready(&conversation, false).map_err(Into::into),
        Mode::SafeToStop => is_safe_to_stop(&conversation).map_err(Into::into),
        Mode::WhyNotReady => return explain(&conversation),
    };
    match answer {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("zookeeper-ready: {why}");
            ExitCode::from(EXIT_NO)
        }
    }
}

fn explain(conversation: &Conversation) -> ExitCode {
    let report = report(conversation);
    // Who does not read it has no use for it.
    let _ = std::io::stdout().write_all(report.text.as_bytes());
    if report.is_ready { ExitCode::SUCCESS } else { ExitCode::from(EXIT_NO) }
}
