//! The first screen: what was found out and from where, who is in the ensemble, whose names
//! resolve.
//!
//! It is what somebody reads who asks why a pod does not come up, so it comes before anything is
//! written or waited for.

use std::time::Duration;

use nix::unistd::{getegid, geteuid};
use tracing::{debug, info, warn};
use zk_config::Config;

use crate::contents::Contents;
use crate::failure::Failure;
use crate::flags::Flags;
use crate::host::Host;
use crate::memory;
use crate::names::{self, Answer};
use crate::origins::{Origin, origins};
use crate::plan::{Launch, Plan};
use crate::problem::Problem;
use crate::server;

/// Tells all of the plan. With `--dns_wait` this is where time passes.
pub(crate) fn show(flags: &Flags, host: &Host, plan: &Plan) -> Result<(), Failure> {
    show_place(flags, host, plan);
    show_remarks(flags, plan);
    show_members(host, plan)
}

/// `--dry-run` goes on in spite of these.
pub(crate) fn warn_of(obstacles: &[Problem]) {
    for problem in obstacles {
        warn!("would not start: {problem}");
    }
}

/// The last line of this program; what follows is the server's.
pub(crate) fn starting(launch: &Launch) {
    let program = launch.server.program().display();
    info!("starting {program} {}", server::redacted(&launch.arguments));
}

fn show_place(flags: &Flags, host: &Host, plan: &Plan) {
    let from = if host.is_given { " (from --hostname)" } else { "" };
    info!("start-zookeeper {} on {}{from}", env!("CARGO_PKG_VERSION"), host.hostname);
    info!("uid {}, gid {}", geteuid(), getegid());
    match (&plan.place.ensemble, &flags.config) {
        (Some(ensemble), _) => {
            let (name, ordinal) = (&ensemble.name, &ensemble.ordinal);
            info!("server {}: name {name}, ordinal {ordinal}", plan.place.id);
            match ensemble.domain.value.as_str() {
                "" => info!("no domain (from {})", ensemble.domain.source),
                _ => info!("domain {}", ensemble.domain),
            }
        }
        (None, Some(path)) => info!("server {} of {}", plan.place.id, path.display()),
        (None, None) => info!("standalone server"),
    }
    show_folders(&plan.config);
    info!("configuration in {}", plan.path.display());
    for Origin { key, value, flag } in origins(flags).iter().filter(|_| flags.config.is_none()) {
        info!("{key}={value} (from {flag})");
    }
}

/// Where the data are, and what there is of them.
pub(crate) fn show_folders(config: &Config) {
    let (data, log) = (&config.storage.data_dir, &config.storage.data_log_dir);
    info!("data in {}: {}", data.display(), Contents::of(data));
    if log != data {
        info!("transaction log in {}: {}", log.display(), Contents::of(log));
    }
}

fn show_remarks(flags: &Flags, plan: &Plan) {
    if let Some(heap) = &flags.heap {
        info!("--heap={heap} is not needed: memory follows the data, there is no heap to size");
    }
    if let Some(log_dir) = &flags.log_dir {
        info!("--log_dir={log_dir} is not needed: the server logs to its standard output");
    }
    if let Some(problem) = &plan.detour {
        warn!("zoo.cfg is written to {} instead of --conf_dir: {problem}", plan.path.display());
    }
    if let Some(caution) = memory::caution(&plan.config.storage.data_dir) {
        warn!("{caution}");
    }
    for caution in &plan.place.cautions {
        warn!("{caution}");
    }
    for warning in &plan.warnings {
        warn!("{warning}");
    }
    for note in &plan.notes {
        debug!("{note}");
    }
}

fn show_members(host: &Host, plan: &Plan) -> Result<(), Failure> {
    show_names(host, &plan.config, plan.place.id, plan.settings.dns_wait)
}

/// Who is in the ensemble and whose names resolve, at a glance.
pub(crate) fn show_servers(host: &Host, config: &Config, own: i64) {
    // Only a wait can fail, by a signal.
    let _ = show_names(host, config, own, Duration::ZERO);
}

fn show_names(host: &Host, config: &Config, own: i64, wait: Duration) -> Result<(), Failure> {
    let servers = &config.quorum.ensemble.servers;
    let hosts: Vec<_> = servers
        .values()
        .flat_map(|server| server.addresses.iter().map(|address| address.host.as_str()))
        .collect();
    if hosts.is_empty() {
        return Ok(());
    }
    if !wait.is_zero() {
        info!("waiting up to {wait:?} for the names of the members");
    }
    let mut answers = match names::look_up(&hosts, host, wait) {
        Ok(answers) => answers.into_iter(),
        Err(Failure::Names(error)) => {
            // The server has a resolver of its own: this one is for the screen only.
            warn!("cannot look up names here: {error}");
            vec![Answer::Silence; hosts.len()].into_iter()
        }
        Err(failure) => return Err(failure),
    };
    let mut is_missing = false;
    for (id, server) in servers {
        let own = if id.0 == own { ", this server" } else { "" };
        for (address, answer) in server.addresses.iter().zip(answers.by_ref()) {
            is_missing |= !matches!(answer, Answer::Addresses(_));
            info!("server.{id} {} ({}{own}) {answer}", address.host, server.role);
        }
    }
    if is_missing {
        info!("names are looked up again at every attempt to connect: the start goes on");
    }
    Ok(())
}
