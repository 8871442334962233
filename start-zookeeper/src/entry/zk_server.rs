//! `zkServer.sh`: the words that make sense in a container, for scripts and probes that have them.
//!
//! `start-foreground` is the entry point's own business; the rest asks the running server or prints.

use std::io::{self, Write};
use std::path::Path;
use std::time::Duration;

use zk_config::{Config, Properties};
use zookeeper_ready::conversation::{Conversation, Target};
use zookeeper_ready::{NoAnswer, answer};

/// Compat: Java's script prints this line, and people's probes look for it.
pub(crate) fn status(zoo_cfg: &Path, out: &mut dyn Write, err: &mut dyn Write) -> io::Result<bool> {
    let port = client_port(zoo_cfg).unwrap_or(USUAL_PORT);
    writeln!(err, "Using config: {}", zoo_cfg.display())?;
    writeln!(err, "Client port found: {port}. Client address: localhost. Client SSL: false.")?;
    match mode(port) {
        Ok(Some(mode)) => {
            writeln!(out, "Mode: {mode}")?;
            Ok(true)
        }
        Ok(None) => {
            writeln!(out, "Error contacting service. It is probably not running.")?;
            Ok(false)
        }
        Err(why) => {
            writeln!(err, "{why}")?;
            writeln!(out, "Error contacting service. It is probably not running.")?;
            Ok(false)
        }
    }
}

/// The port in the file, or behind the server's own line, there or in the file of members that it names.
pub(super) fn client_port(zoo_cfg: &Path) -> Option<u16> {
    let name = zoo_cfg.display().to_string();
    let text = std::fs::read(zoo_cfg).unwrap_or_default();
    let of_key = Properties::parse(&name, &text)
        .ok()
        .and_then(|properties| properties.lookup("clientPort")?.value.trim().parse().ok());
    let of_files = || Config::read(zoo_cfg, &[]).ok()?.config.clients.port;
    of_key.or_else(of_files).or_else(|| of_ensemble(&name, &text))
}

/// While the server has no `myid` yet, or its file has mistakes elsewhere.
fn of_ensemble(name: &str, text: &[u8]) -> Option<u16> {
    let config = Config::parse(name, text, &[]).ok()?.config;
    let servers = config.quorum.ensemble.servers;
    let id = crate::volume::id_on_disk(&config.storage.data_dir).unwrap_or(1);
    let own = servers.get(&zk_config::ServerId(id)).or(servers.values().next())?;
    own.client.as_ref().map(|client| client.port)
}

fn mode(port: u16) -> Result<Option<String>, NoAnswer> {
    let target = Target { host: None, port, timeout: TIME };
    let report = Conversation::new(target).ask("srvr")?;
    let role = answer::is_server_report(&report).then(|| answer::role(&report)).flatten();
    Ok(role.map(str::to_owned))
}

const USUAL_PORT: u16 = 2181;
const TIME: Duration = Duration::from_secs(5);
