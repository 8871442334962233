//! The command line, as text: every flag of the old script and those that came since.
//!
//! Only the form is checked here; values are [`crate::settings`]' business, which finds all that
//! is wrong with them at once instead of the first.
//!
//! Compat: the old script took `--name=value` only, split at the last `=` and stopped at the first
//! stray word without a message. Here both forms are taken, the first `=` splits, and a stray word
//! is an error.

use std::path::PathBuf;

use clap::{ArgAction, Parser};

use crate::cluster;
use crate::settings::{DEFAULT_CONF_DIR, DEFAULT_DATA_DIR, DEFAULT_DATA_LOG_DIR};

/// Starts a ZooKeeper server in a container: works out which member of the ensemble this host is,
/// writes zoo.cfg and myid, and becomes zookeeper-server.
#[derive(Clone, Debug, Parser)]
#[command(
    name = "start-zookeeper",
    version,
    disable_version_flag = true,
    args_override_self = true,
    allow_negative_numbers = true,
    after_help = AFTER_HELP
)]
pub struct Flags {
    /// Voting members of the ensemble; with --observers, equal to the replicas of the StatefulSet
    #[arg(long, value_name = "N", default_value = "1")]
    pub servers: String,
    /// Members that do not vote: the ordinals behind those of --servers
    #[arg(long, value_name = "N", default_value = "0")]
    pub observers: String,

    /// Members join and leave as the set is scaled: --servers are there from the beginning, ordinals
    /// behind them become voters once they have the data. zoo.cfg is kept in --data_dir then
    #[arg(long, conflicts_with = "config")]
    pub scalable: bool,
    /// Mark this member as one that goes for good, and start nothing: at SIGTERM its server leaves the
    /// ensemble first. For the pods that `kubectl scale` is about to take away
    #[arg(long)]
    pub leave: bool,
    /// The same if the StatefulSet is to have fewer pods than that this one is among them: asks the cluster,
    /// for a preStop hook. Ordinals of --servers never go
    #[arg(long = "leave-if-scaled-away", alias = "leave_if_scaled_away")]
    pub leave_if_scaled_away: bool,

    /// Where snapshots and myid are
    #[arg(long = "data_dir", value_name = "DIR", default_value = DEFAULT_DATA_DIR)]
    pub data_dir: String,
    /// Where the transaction log is
    #[arg(long = "data_log_dir", value_name = "DIR", default_value = DEFAULT_DATA_LOG_DIR)]
    pub data_log_dir: String,
    /// Where zoo.cfg is written; if that is impossible, --data_dir
    #[arg(long = "conf_dir", value_name = "DIR", default_value = DEFAULT_CONF_DIR)]
    pub conf_dir: String,
    /// Accepted and not needed: the server logs to its standard output
    #[arg(long = "log_dir", value_name = "DIR")]
    pub log_dir: Option<String>,

    /// Port for clients
    #[arg(long = "client_port", value_name = "PORT", default_value = "2181")]
    pub client_port: String,
    /// Address for clients [default: every address]
    #[arg(long = "client_addr", value_name = "ADDR")]
    pub client_addr: Option<String>,
    /// Where clients from outside of the cluster connect, told to them in /zookeeper/config: HOST:PORT with
    /// {ordinal} in it, or one a member with commas between. The server listens on --client_port all the same;
    /// Java members would not
    #[arg(
        long = "advertised_client_address",
        alias = "advertised-client-address",
        value_name = "ADDRS"
    )]
    pub advertised_client_address: Option<String>,
    /// Port for leader election; belongs in the headless service
    #[arg(long = "election_port", value_name = "PORT", default_value = "3888")]
    pub election_port: String,
    /// Port on which followers find the leader; belongs in the headless service
    #[arg(long = "server_port", value_name = "PORT", default_value = "2888")]
    pub server_port: String,

    /// Length of a tick in milliseconds
    #[arg(long = "tick_time", value_name = "MS", default_value = "2000")]
    pub tick_time: String,
    /// Ticks that a member has to connect to the leader and catch up with it
    #[arg(long = "init_limit", value_name = "TICKS", default_value = "10")]
    pub init_limit: String,
    /// Ticks that a member may be silent or behind before the leader gives it up
    #[arg(long = "sync_limit", value_name = "TICKS", default_value = "5")]
    pub sync_limit: String,
    /// Connections from one client address; 0 is no limit
    #[arg(long = "max_client_cnxns", value_name = "N", default_value = "60")]
    pub max_client_cnxns: String,
    /// Longest session timeout in milliseconds [default: 20 ticks]
    #[arg(long = "max_session_timeout", value_name = "MS")]
    pub max_session_timeout: Option<String>,
    /// Shortest session timeout in milliseconds [default: 2 ticks]
    #[arg(long = "min_session_timeout", value_name = "MS")]
    pub min_session_timeout: Option<String>,
    /// Snapshots that purging leaves
    #[arg(long = "snap_retain_count", value_name = "N", default_value = "3")]
    pub snap_retain_count: String,
    /// Hours between purges of old snapshots and logs; 0 is never
    #[arg(long = "purge_interval", value_name = "HOURS", default_value = "0")]
    pub purge_interval: String,

    /// Accepted and not needed: there is no heap to size
    #[arg(long, value_name = "SIZE")]
    pub heap: Option<String>,
    /// TRACE, DEBUG, INFO, WARN, ERROR or FATAL, in any case
    #[arg(long = "log_level", value_name = "LEVEL", default_value = "INFO")]
    pub log_level: String,

    /// Domain of the members; empty for names without one
    /// [default: from the host name, /etc/hosts or resolv.conf]
    #[arg(long)]
    pub domain: Option<String>,
    /// Name that the members share [default: the host name without its ordinal]
    #[arg(long)]
    pub name: Option<String>,
    /// Ordinal of this member, from 0 [default: the number behind the host name's last dash]
    #[arg(long, value_name = "N")]
    pub ordinal: Option<String>,
    /// Host name to go by [default: that of the system]
    #[arg(long, value_name = "NAME")]
    pub hostname: Option<String>,

    /// tera template to render instead of the built-in one
    #[arg(long, value_name = "FILE", conflicts_with = "config")]
    pub template: Option<PathBuf>,
    /// Set a key of zoo.cfg, in its place or behind the others; may be repeated
    #[arg(long, value_name = "KEY=VALUE", conflicts_with = "config")]
    pub set: Vec<String>,
    /// Start with this zoo.cfg and write none; flags that would go into it are not used
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Overwrite a zoo.cfg that start-zookeeper has not written
    #[arg(long = "force_config", alias = "force-config")]
    pub force_config: bool,
    /// Print zoo.cfg, write and start nothing
    #[arg(long = "dry-run", alias = "dry_run")]
    pub dry_run: bool,
    /// Wait at most so long until the names of all members resolve; the start goes on then, unless no
    /// name server has answered at all
    #[arg(long = "dns_wait", value_name = "SECONDS", default_value = "0")]
    pub dns_wait: String,
    /// The server [default: zookeeper-server beside start-zookeeper, else in PATH]
    #[arg(long = "server_bin", value_name = "PATH")]
    pub server_bin: Option<PathBuf>,

    /// Where the pod's service account is
    #[arg(long = "service_account", hide = true, default_value = cluster::SERVICE_ACCOUNT)]
    pub service_account: PathBuf,
    /// Hosts file to read
    #[arg(long = "hosts_file", hide = true, default_value = "/etc/hosts")]
    pub hosts_file: PathBuf,
    /// resolv.conf to read
    #[arg(long = "resolv_conf", hide = true, default_value = "/etc/resolv.conf")]
    pub resolv_conf: PathBuf,

    /// Print the version
    #[arg(short = 'v', long, action = ArgAction::Version)]
    version: Option<bool>,
    /// Further arguments of the server, before the path of zoo.cfg
    #[arg(last = true, value_name = "SERVER ARGUMENTS")]
    pub server_args: Vec<String>,
}

const AFTER_HELP: &str = "\
A template has the variables header, client_port, client_addr, data_dir, data_log_dir, tick_time,
init_limit, sync_limit, max_client_cnxns, min_session_timeout, max_session_timeout,
snap_retain_count, purge_interval, server_port, election_port, id, is_observer and members, each
with id, host, observer and, if it is advertised, client.

Unless zoo.cfg says otherwise, the server also gets quorumListenOnAllIPs=true,
admin.enableServer=false and 4lw.commands.whitelist=srvr,ruok,mntr,stat,conf,isro.

Directories that are missing are made with mode 0750, zoo.cfg and myid with 0640, all of the user
who runs this. What exists keeps its owner and mode, and a myid that exists is never changed.

Exit codes:
  0    printed what was asked for (--help, --version, --dry-run)
  1    a file could not be written, or the server could not be started
  2    the flags, the variables or zoo.cfg make no sense, or there are problems of several kinds
  3    a directory cannot be created or written
  5    the container's memory limit is below what the server needs
  6    the volume is that of another server, or its data are in another place
  7    this host's name does not say which server this is, or in which domain
  8    this server is none of the ensemble's: --servers is smaller than the replicas
  9    no name server answered within --dns_wait
  130  interrupted during --dns_wait
  143  terminated during --dns_wait

With 2, 3 and 5 to 9 nothing was written. The reason is the last line. Once the server runs, the
exit code is the server's.";

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(line: &str) -> Result<Flags, clap::Error> {
        Flags::try_parse_from(["start-zookeeper"].into_iter().chain(line.split_whitespace()))
    }

    #[test]
    fn the_command_line_is_well_formed() {
        use clap::CommandFactory;
        Flags::command().debug_assert();
    }

    #[test]
    fn both_forms_are_taken_in_any_order_and_the_first_equals_sign_splits() {
        let flags = parse("--data_dir=/x=y --servers 3 --tick_time -5").expect("well formed");
        assert_eq!((flags.data_dir.as_str(), flags.servers.as_str()), ("/x=y", "3"));
        assert_eq!(flags.tick_time, "-5");
    }

    #[test]
    fn the_last_of_a_repeated_flag_counts_but_every_set() {
        let flags = parse("--servers=3 --set a=1 --servers=5 --set b=2").expect("well formed");
        assert_eq!((flags.servers.as_str(), flags.set.len()), ("5", 2));
    }

    #[test]
    fn what_stands_behind_two_dashes_is_the_servers() {
        let flags = parse("--servers=3 -- -Da=b --x").expect("well formed");
        assert_eq!(flags.server_args, ["-Da=b", "--x"]);
    }

    #[test]
    fn the_help_and_the_guide_name_every_exit_code() {
        use crate::failure::*;
        let guide = include_str!("../../k8s/migrate.md");
        let of_guide: Vec<_> = guide.lines().filter_map(|line| line.strip_prefix("| ")).collect();
        let codes = [
            EXIT_FAILED,
            EXIT_PROBLEM,
            EXIT_DIRECTORY,
            EXIT_MEMORY,
            EXIT_VOLUME,
            EXIT_IDENTITY,
            EXIT_MEMBERS,
            EXIT_NAMES,
            EXIT_INTERRUPTED,
            EXIT_TERMINATED,
        ];
        for code in codes {
            assert!(AFTER_HELP.contains(&format!("\n  {code:<3}  ")), "{code}");
            let is_row = |row: &&str| {
                let codes = row.split_once(" | ").map_or("", |(codes, _)| codes);
                codes.split(", ").any(|other| other == code.to_string())
            };
            assert!(of_guide.iter().any(is_row), "{code}");
        }
    }

    #[test]
    fn a_form_that_is_not_understood_is_exit_code_2_and_help_is_0() {
        for (line, code) in [
            ("foo --servers=3", 2),
            ("--unknown=1", 2),
            ("-x", 2),
            ("--servers", 2),
            ("--config=a --set b=c", 2),
            ("-h", 0),
            ("--help", 0),
            ("-v", 0),
            ("--version", 0),
        ] {
            let error = parse(line).expect_err(line);
            assert_eq!(error.exit_code(), code, "{line}");
        }
    }
}
