//! `conf` and `dirs`: what the server was told, and how much is in its directories.

use std::path::{Path, absolute};

use zk_storage::dir_size;

use crate::settings::Settings;

/// The settings of a standalone server.
pub(super) fn conf(settings: &Settings) -> String {
    let config = &settings.config;
    let dirs = &settings.files.dirs;
    let port = |port: Option<u16>| port.map_or(-1, i32::from);
    format!(
        "clientPort={}\nsecureClientPort={}\ndataDir={}\ndataDirSize={}\ndataLogDir={}\n\
         dataLogSize={}\ntickTime={}\nmaxClientCnxns={}\nminSessionTimeout={}\nmaxSessionTimeout={}\n\
         clientPortListenBacklog={}\nserverId=0\n",
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
