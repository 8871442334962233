//! The server's program and arguments, and the step from this process to that.
//!
//! The process is replaced, not forked: the server is what the container runtime sends signals to,
//! as it was with the old script.

use std::convert::Infallible;
use std::env;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::unistd::{AccessFlags, access, execvp};

use crate::failure::Failure;
use crate::problem::Problem;
use crate::settings::LogLevel;
use crate::text;

const PROGRAM: &str = "zookeeper-server";

/// A server that can be run.
#[derive(Debug)]
pub struct Server {
    program: PathBuf,
}

impl Server {
    /// `--server_bin`, or the one beside this program, or the first in `PATH`.
    pub fn find(server_bin: Option<&Path>) -> Result<Self, Problem> {
        if let Some(path) = server_bin {
            let path = path.to_owned();
            return match executable(&path) {
                Ok(()) => Ok(Self { program: path }),
                Err(source) => Err(Problem::ServerBin { path, source }),
            };
        }
        let own = env::current_exe().unwrap_or_default();
        let beside = own.with_file_name(PROGRAM);
        let search_path = env::var_os("PATH").unwrap_or_default();
        let in_path = env::split_paths(&search_path).map(|folder| folder.join(PROGRAM));
        let program =
            [beside.clone()].into_iter().chain(in_path).find(|path| executable(path).is_ok());
        program.map(|program| Self { program }).ok_or(Problem::NoServer { beside })
    }

    /// Becomes the server. Comes back only if the system refuses.
    pub fn exec(&self, arguments: &[String]) -> Result<Infallible, Failure> {
        let zero_byte = |_| Failure::Problems(vec![Problem::ZeroByte]);
        let c_string = |text: &OsStr| CString::new(text.as_bytes()).map_err(zero_byte);
        let program = c_string(self.program.as_os_str())?;
        let mut words = vec![program.clone()];
        for argument in arguments {
            words.push(c_string(argument.as_ref())?);
        }
        let server = self.program.clone();
        execvp(&program, &words).map_err(|source| Failure::Exec { server, source })
    }

    /// What is run, for messages.
    pub fn program(&self) -> &Path {
        &self.program
    }
}

/// System properties, as `-D` passes them: what zoo.cfg does not say itself.
///
/// They are not written into zoo.cfg, whose lines stay those that the old script wrote. Whoever
/// sets one of them, there or behind `--`, has the last word.
pub fn properties(
    zoo_cfg: &str,
    log_level: LogLevel,
    server_args: &[String],
) -> Vec<(String, String)> {
    let given: Vec<_> = server_args.iter().filter_map(|argument| property(argument)).collect();
    let defaults = [
        // What the old probes and zookeeper-metrics ask; newer servers refuse it unless listed.
        ("4lw.commands.whitelist", "srvr,ruok,mntr,stat,conf,isro"),
        // Nothing had asked for port 8080.
        ("admin.enableServer", "false"),
        ("console.threshold", log_level.as_str()),
        // The own name may not resolve yet, or to an address that is not there yet.
        ("quorumListenOnAllIPs", "true"),
    ];
    let ours = defaults
        .into_iter()
        .filter(|(key, _)| !text::has_key(zoo_cfg, key))
        .map(|(key, value)| (format!("zookeeper.{key}"), value.to_owned()))
        .filter(|(key, _)| given.iter().all(|(given, _)| given != key));
    ours.chain(given.iter().cloned()).collect()
}

/// The server's arguments: properties, whatever else stands behind `--`, and the path of zoo.cfg.
pub fn arguments(
    properties: &[(String, String)],
    server_args: &[String],
    zoo_cfg: &Path,
) -> Vec<String> {
    let properties = properties.iter().map(|(key, value)| format!("-D{key}={value}"));
    let others = server_args.iter().filter(|argument| property(argument).is_none()).cloned();
    properties.chain(others).chain([zoo_cfg.display().to_string()]).collect()
}

/// The arguments for a person's eyes.
pub fn redacted(arguments: &[String]) -> String {
    let redacted = arguments.iter().map(|argument| match property(argument) {
        Some((key, _)) if zk_config::keys::is_secret(&key) => format!("-D{key}=***"),
        _ => argument.clone(),
    });
    redacted.collect::<Vec<_>>().join(" ")
}

fn property(argument: &str) -> Option<(String, String)> {
    let (key, value) = argument.strip_prefix("-D")?.split_once('=')?;
    Some((key.to_owned(), value.to_owned()))
}

fn executable(path: &Path) -> Result<(), nix::Error> {
    if path.is_dir() {
        return Err(nix::Error::EISDIR);
    }
    access(path, AccessFlags::X_OK)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(zoo_cfg: &str, server_args: &[&str], expected: &str) {
        let server_args: Vec<_> = server_args.iter().map(|&text| text.to_owned()).collect();
        let properties = properties(zoo_cfg, LogLevel::Warn, &server_args);
        let arguments = arguments(&properties, &server_args, Path::new("/c/zoo.cfg"));
        assert_eq!(redacted(&arguments), expected);
    }

    #[test]
    fn defaults_are_passed_as_properties() {
        check(
            "clientPort=2181\n",
            &[],
            "-Dzookeeper.4lw.commands.whitelist=srvr,ruok,mntr,stat,conf,isro \
             -Dzookeeper.admin.enableServer=false -Dzookeeper.console.threshold=WARN \
             -Dzookeeper.quorumListenOnAllIPs=true /c/zoo.cfg",
        );
    }

    #[test]
    fn zoo_cfg_and_the_command_line_have_the_last_word() {
        check(
            "4lw.commands.whitelist=*\nquorumListenOnAllIPs=false\n",
            &["-Dzookeeper.admin.enableServer=true", "--check", "-Da.password=b"],
            "-Dzookeeper.console.threshold=WARN -Dzookeeper.admin.enableServer=true \
             -Da.password=*** --check /c/zoo.cfg",
        );
    }
}
