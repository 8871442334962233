//! `zkcli`, also called `zkCli.sh`: the shell of ZooKeeper.
//!
//! One command behind the options is run and ends it; without one, lines are read from a terminal or a
//! pipe. Exit codes are Java's: 0, 1 for a command that failed, 127 for one that there is not, 2 for a
//! shell that cannot begin, 130 for Ctrl-C.

mod acl;
mod advice;
mod client;
mod cmd;
mod completion;
mod console;
mod failure;
mod interactive;
mod invocation;
mod limits;
mod options;
mod path;
mod plant;
mod progress;
mod shell;
mod table;
mod view;
mod walk;
mod words;

use std::ffi::OsString;
use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;
use std::time::Duration;

use crate::client::Error;
use crate::console::Console;
use crate::failure::{Deed, Failure};
use crate::invocation::{Invocation, InvocationError};
use crate::shell::Shell;

/// The whole program, from the command line with the program's name to the exit code.
pub fn main(command_line: impl IntoIterator<Item = OsString>) -> ExitCode {
    let words = command_line.into_iter();
    let mut words = words.map(|word| word.to_string_lossy().into_owned());
    let name = invocation::name(words.next().as_deref());
    match begin(name, words) {
        Ok(code) => ExitCode::from(code),
        Err(error) => {
            eprintln!("{name}: {error}");
            ExitCode::from(error.exit_code())
        }
    }
}

/// Runs the shell to its end and gives the exit code.
fn begin(name: &str, words: impl Iterator<Item = String>) -> Result<u8, InvocationError> {
    let invocation = Invocation::parse(words)?;
    let console = Console::new(invocation.form);
    if invocation.help {
        // Whoever asks for help and closes the output needs none.
        let _ = console.line(&help(name)).and_then(|()| console.flush());
        return Ok(0);
    }
    if let Some(option) = &invocation.incomplete {
        console.complain(&format!("Error: no argument found for option {option}"));
    }
    let command = invocation.command.clone();
    let is_interactive =
        command.is_empty() && io::stdin().is_terminal() && io::stdout().is_terminal();
    let mut shell = Shell::new(invocation, console, is_interactive);
    let host = shell.host.clone();
    // A closed output shows at the first answer.
    let _ = shell.console.text(&format!("Connecting to {host}"));
    shell.connect(&host)?;
    if shell.invocation.wait_for_connection && !is_connected(&shell)? {
        shell.complain(&Failure::request(Error::ConnectionLoss, "", Deed::Session));
        return Ok(1);
    }
    if command.is_empty() {
        read_lines(&mut shell);
    } else {
        shell.execute(&command);
    }
    shell.end();
    Ok(shell.exit_code())
}

/// Waits for the session, no longer than its timeout.
fn is_connected(shell: &Shell) -> Result<bool, InvocationError> {
    let limit = shell.invocation.session(&shell.host)?.timeout_ms;
    let limit = Duration::from_millis(limit.into());
    Ok(shell.last_client().is_some_and(|client| client.await_connection(limit)))
}

fn read_lines(shell: &mut Shell) {
    let jline = if shell.is_interactive { "enabled" } else { "disabled" };
    // A closed output shows at the first answer.
    let _ = shell.console.text(&format!("Welcome to ZooKeeper!\nJLine support is {jline}"));
    let _ = shell.console.flush();
    if shell.is_interactive {
        if let Err(error) = interactive::run(shell) {
            shell.console.complain(&format!("the terminal gives no lines: {error}"));
        }
        return;
    }
    for line in io::stdin().lock().lines() {
        match line {
            Ok(line) => shell.execute_line(&line),
            Err(error) => shell.console.complain(&format!("standard input: {error}")),
        }
        if shell.is_over {
            return;
        }
    }
}

fn help(name: &str) -> String {
    format!(
        "usage: {name} [options] [command [arguments]]\n\n\
         \x20 -server host:port[,host:port...][/chroot]   the servers (localhost:2181)\n\
         \x20 -timeout ms                                 the session's timeout (30000)\n\
         \x20 -r                                          a server without a quorum will do\n\
         \x20 -waitforconnection                          fail if there is no connection in time\n\
         \x20 -client-configuration file                  properties, as Java's client takes them\n\
         \x20 --output text|json                          the form of answers\n\
         \x20 --explain                                   advice behind errors, also for scripts\n\n\
         Without a command lines are read. `{name} help` lists the commands."
    )
}
