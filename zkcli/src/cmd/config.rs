//! The members of the ensemble: config, reconfig.

use std::fs;

use serde_json::json;

use crate::failure::{Deed, Failure};
use crate::options::Given;
use crate::shell::Shell;
use crate::view;

/// `config`
pub(crate) fn config(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let got = shell.client()?.config(given.has("w"));
    let (data, stat) = got.map_err(Failure::at("", Deed::Session))?;
    let console = &shell.console;
    let text = view::text(data.as_deref());
    if console.is_json() {
        let answer = json!({ "config": text, "stat": view::stat_json(&stat) });
        return console.line(&answer.to_string());
    }
    console.line(if given.has("c") { clients(&text) } else { text }.as_str())?;
    if given.has("s") { console.line(&view::stat(&stat)) } else { Ok(()) }
}

/// Version and client addresses of a configuration; a member without one gives an empty item.
fn clients(config: &str) -> String {
    let pairs = || config.lines().filter_map(|line| line.split_once('='));
    let version = pairs().find(|(key, _)| key.trim() == "version").map_or("", |(_, v)| v.trim());
    let members = pairs().filter(|(key, _)| key.trim().starts_with("server."));
    let addresses: Vec<_> = members.map(|(_, value)| client_address(value)).collect();
    format!("{version} {}", addresses.join(","))
}

/// What stands behind the semicolon; a port alone is on every address.
fn client_address(member: &str) -> String {
    let client = member.split_once(';').map_or("", |(_, client)| client.trim());
    match client {
        "" => String::new(),
        address if address.contains(':') => address.to_owned(),
        port => format!("0.0.0.0:{port}"),
    }
}

/// `reconfig`
pub(crate) fn reconfig(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let is_whole = given.has("file") || given.has("members");
    let is_step = given.has("add") || given.has("remove");
    if !is_whole && !is_step {
        return Err(Failure::Usage(given.command.usage()));
    }
    let refuse = |text: &str| Failure::Refused(text.to_owned());
    let version = match given.value("v").map(|v| i64::from_str_radix(v, 16)) {
        None => -1,
        Some(version) => {
            version.map_err(|_| refuse("-v must be followed by a long (configuration version)"))?
        }
    };
    if is_whole && is_step {
        return Err(refuse(
            "Can't use -file or -members together with -add or -remove (mixing incremental and \
             non-incremental modes is not allowed)",
        ));
    }
    if given.has("file") && given.has("members") {
        return Err(refuse(
            "Can't use -file and -members together (conflicting non-incremental modes)",
        ));
    }
    // Compat: the values are lower-cased, names of hosts included.
    let lower = |option| given.value(option).map(str::to_lowercase);
    let members = match given.value("file") {
        Some(file) => Some(members_in(file)?),
        None => lower("members"),
    };
    let (joining, leaving) = (lower("add"), lower("remove"));
    let changed = shell.client()?.reconfigure(
        joining.as_deref(),
        leaving.as_deref(),
        members.as_deref(),
        version,
    );
    let (data, stat) = changed.map_err(Failure::at("", Deed::Session))?;
    let config = view::text(data.as_deref());
    let text = || match given.has("s") {
        true => format!("Committed new configuration:\n{config}\n{}", view::stat(&stat)),
        false => format!("Committed new configuration:\n{config}"),
    };
    shell.console.answer(text, || json!({ "config": config, "stat": view::stat_json(&stat) }))
}

/// The lines of a configuration file that name members.
fn members_in(file: &str) -> Result<String, Failure> {
    let text = fs::read_to_string(file).map_err(|error| {
        // Compat: Java puts the name twice, without anything between.
        let why = if error.kind() == std::io::ErrorKind::NotFound {
            "No such file or directory".to_owned()
        } else {
            error.to_string()
        };
        Failure::Refused(format!("Error processing {file}{file} ({why})"))
    })?;
    let members = text.lines().map(str::trim).filter(|line| line.starts_with("server."));
    let members: Vec<_> = members.collect();
    if members.is_empty() {
        return Err(Failure::Refused(format!(
            "Error processing {file}: no line begins with server."
        )));
    }
    Ok(members.join("\n"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn client_addresses_are_taken_from_a_configuration() {
        let config = "server.1=a:2888:3888:participant;10.0.0.1:2181\nserver.2=b:2888:3888\n\
                      server.3=c:1:2;7\nversion=100000000";
        assert_eq!(clients(config), "100000000 10.0.0.1:2181,,0.0.0.0:7");
    }
}
