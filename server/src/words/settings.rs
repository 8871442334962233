//! `conf` and `dirs`: what the server was told, and how much is in its directories.
//!
//! Java: `ZooKeeperServer.dumpConf`, `QuorumZooKeeperServer.dumpConf`.

use std::path::{Path, absolute};

use zk_config::config::Quorum;
use zk_config::{PeerAddress, Role};
use zk_core::Peer;
use zk_storage::dir_size;

use crate::settings::Settings;

/// The settings; those of a member are followed by what it knows of its ensemble.
pub(super) fn conf(settings: &Settings, peer: &Peer) -> String {
    let quorum = &settings.config.quorum;
    match peer.members() {
        None => own(settings, 0),
        Some(members) => {
            let id = quorum.my_id.map_or(0, |id| id.0);
            own(settings, id) + &of_member(quorum) + members.text()
        }
    }
}

fn own(settings: &Settings, id: i64) -> String {
    let config = &settings.config;
    let dirs = &settings.files.dirs;
    let port = |port: Option<u16>| port.map_or(-1, i32::from);
    format!(
        "clientPort={}\nsecureClientPort={}\ndataDir={}\ndataDirSize={}\ndataLogDir={}\n\
         dataLogSize={}\ntickTime={}\nmaxClientCnxns={}\nminSessionTimeout={}\nmaxSessionTimeout={}\n\
         clientPortListenBacklog={}\nserverId={id}\n",
        port(settings.client_port),
        port(config.clients.secure_port),
        full(dirs.snap()),
        size(settings, dirs.snap()),
        full(dirs.log()),
        size(settings, dirs.log()),
        config.tick_time_ms,
        settings.limits.per_address.unwrap_or(0),
        config.sessions.min_timeout_ms,
        config.sessions.max_timeout_ms,
        config.clients.listen_backlog.map_or(-1, i64::from),
    )
}

/// Compat: what follows, the configuration's text, ends without a line feed.
fn of_member(quorum: &Quorum) -> String {
    format!(
        "initLimit={}\nsyncLimit={}\nelectionAlg=3\nelectionPort={}\nquorumPort={}\npeerType={}\n\
         membership: \n",
        quorum.init_limit,
        quorum.sync_limit,
        ports(quorum, |address| address.election_port),
        ports(quorum, |address| address.quorum_port),
        match quorum.peer_type {
            Role::Participant => 0,
            Role::Observer => 1,
        },
    )
}

/// The port on each of this member's addresses, every one once.
fn ports(quorum: &Quorum, port: impl Fn(&PeerAddress) -> u16) -> String {
    let own = quorum.my_id.and_then(|id| quorum.ensemble.servers.get(&id));
    let mut ports: Vec<_> = own.iter().flat_map(|server| &server.addresses).map(port).collect();
    ports.sort_unstable();
    ports.dedup();
    ports.iter().map(u16::to_string).collect::<Vec<_>>().join("|")
}

/// The sizes of both directories, in bytes.
pub(super) fn dirs(settings: &Settings) -> String {
    let dirs = &settings.files.dirs;
    format!(
        "datadir_size: {}\nlogdir_size: {}\n",
        size(settings, dirs.snap()),
        size(settings, dirs.log())
    )
}

/// The lengths of a directory's files; 0 if it cannot be read.
fn size(settings: &Settings, dir: &Path) -> u64 {
    dir_size(&settings.files.disk, dir).unwrap_or(0)
}

fn full(dir: &Path) -> String {
    absolute(dir).unwrap_or_else(|_| dir.to_owned()).display().to_string()
}
