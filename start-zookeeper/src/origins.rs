//! Which lines of zoo.cfg the flags have made other than they are by default, for the first screen.
//!
//! It compares flags with those of an empty command line, so no default stands here.

use clap::Parser as _;

use crate::flags::Flags;

/// A line of zoo.cfg and the flag behind it.
#[derive(Debug, PartialEq)]
pub(crate) struct Origin {
    pub(crate) key: String,
    /// Hidden if it is a secret.
    pub(crate) value: String,
    pub(crate) flag: &'static str,
}

/// In the order of zoo.cfg. Who gives a default gets no line.
pub(crate) fn origins(flags: &Flags) -> Vec<Origin> {
    let default = Flags::parse_from(["start-zookeeper"]);
    let pairs = lines(flags).into_iter().zip(lines(&default));
    let given = pairs.filter(|((.., given), (.., default))| given != default).map(|(line, _)| line);
    let own = given.filter_map(|(flag, key, value)| {
        Some(Origin { key: key.to_owned(), value: value?.to_owned(), flag })
    });
    let set = flags.set.iter().filter_map(|text| {
        let (key, value) = text.split_once('=')?;
        let value = if zk_config::keys::is_secret(key) { "***" } else { value };
        Some(Origin { key: key.to_owned(), value: value.to_owned(), flag: "--set" })
    });
    own.chain(set).collect()
}

/// Flag, key, value. Folders and what the members are called have lines of their own on the screen.
fn lines(flags: &Flags) -> [(&'static str, &'static str, Option<&str>); 16] {
    let scalable = flags.scalable.then_some("true");
    let advertised = flags.advertised_client_address.as_deref();
    [
        ("--servers", "servers", Some(&flags.servers)),
        ("--observers", "observers", Some(&flags.observers)),
        ("--scalable", "autoJoin.enabled", scalable),
        ("--server_port", "server port of members", Some(&flags.server_port)),
        ("--election_port", "election port of members", Some(&flags.election_port)),
        ("--advertised_client_address", "client address of members", advertised),
        ("--client_port", "clientPort", Some(&flags.client_port)),
        ("--client_addr", "clientPortAddress", flags.client_addr.as_deref()),
        ("--tick_time", "tickTime", Some(&flags.tick_time)),
        ("--init_limit", "initLimit", Some(&flags.init_limit)),
        ("--sync_limit", "syncLimit", Some(&flags.sync_limit)),
        ("--max_client_cnxns", "maxClientCnxns", Some(&flags.max_client_cnxns)),
        ("--min_session_timeout", "minSessionTimeout", flags.min_session_timeout.as_deref()),
        ("--max_session_timeout", "maxSessionTimeout", flags.max_session_timeout.as_deref()),
        ("--snap_retain_count", "autopurge.snapRetainCount", Some(&flags.snap_retain_count)),
        ("--purge_interval", "autopurge.purgeInterval", Some(&flags.purge_interval)),
    ]
}
