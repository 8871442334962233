//! The first screen of a container: whose variables, which folders, what is in them, who this is,
//! and where each setting came from that is not the default.

use tracing::{debug, info, warn};

use super::family;
use super::identity;
use super::start::{Start, Volume};
use crate::host::Host;
use crate::memory;
use crate::screen;
use crate::server::{self, Server};

/// Tells what was found. Without a `volume` there is something against the start, which is told
/// last, by itself.
pub(super) fn show(start: &Start, host: &Host, volume: Option<&Volume>) {
    info!("start-zookeeper {} on {}", env!("CARGO_PKG_VERSION"), host.hostname);
    let user = (nix::unistd::geteuid(), nix::unistd::getegid());
    info!("uid {}, gid {}; variables as {} has them", user.0, user.1, start.family);
    show_folders(start);
    show_settings(start);
    show_remarks(start, volume);
    let Some(volume) = volume else { return };
    let source = match (volume.is_of_volume, &start.identity.variable) {
        (true, _) => "the volume's myid",
        (false, Some(variable)) => variable,
        (false, None) => "the default",
    };
    info!("server {} (from {source})", volume.id);
    screen::show_servers(host, &start.parsed.config, volume.id);
}

/// The last line of this program; what follows is the server's.
pub(super) fn starting(server: &Server, arguments: &[String]) {
    info!("starting {} {}", server.program().display(), server::redacted(arguments));
}

fn show_folders(start: &Start) {
    info!("{}", start.layout.why);
    screen::show_folders(&start.parsed.config);
    let is_new = if start.is_new { "new, by the variables" } else { "kept as it is" };
    info!("configuration in {}: {is_new}", start.path.display());
}

fn show_settings(start: &Start) {
    for asked in start.draft.asked.iter().filter(|_| start.is_new) {
        let value = if zk_config::keys::is_secret(&asked.key) { "***" } else { &asked.value };
        info!("{}={value} (from {})", asked.key, asked.variable);
    }
    if let Some((level, variable)) = identity::log_level(&start.environment) {
        info!("log level {} (from {variable})", level.as_str());
    }
}

fn show_remarks(start: &Start, volume: Option<&Volume>) {
    for (name, why) in start.family.unneeded() {
        if start.environment.get(name).is_some() {
            info!("{name} is not needed: {why}");
        }
    }
    for (name, nearest) in family::unknown(start.family, &start.environment) {
        match nearest {
            Some(nearest) => warn!("{name} is no variable: is {nearest} meant?"),
            None => warn!("{name} is no variable of {}: it has no effect", start.family),
        }
    }
    let ignored = start.ignored();
    if !ignored.is_empty() {
        let path = start.path.display();
        warn!("{path} is there and counts: it says otherwise than {}", ignored.join(", "));
    }
    if let Some(volume) = volume {
        if let (true, Some(variable)) = (volume.is_of_volume, &start.identity.variable) {
            let (id, wanted) = (volume.id, start.identity.id);
            warn!("the volume's myid holds {id} and counts; {variable} says {wanted}");
        }
        if let Some(problem) = &volume.detour {
            warn!("zoo.cfg is written to {}: {problem}", volume.path.display());
        }
    }
    let memory = memory::caution(&start.parsed.config.storage.data_dir);
    memory.iter().for_each(|caution| warn!("{caution}"));
    start.draft.cautions.iter().for_each(|caution| warn!("{caution}"));
    start.parsed.warnings.iter().for_each(|warning| warn!("{warning}"));
    start.parsed.notes.iter().for_each(|note| debug!("{note}"));
}
