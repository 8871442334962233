//! `srvr` and `mntr`: what the server is and how it does.
//!
//! Only what differs by role is decided here; the names of metrics are a table of their own.
//!
//! Java: `SrvrCommand`, `MonitorCommand`.

use zk_core::{Now, Peer, RoleName};

use super::VERSION;
use crate::metrics::{self, Facts, double, mean, node_count, proposal_sizes};
use crate::shell::Shell;

/// What `srvr` and `stat` begin with.
pub(super) fn head(peer: &Peer) -> String {
    let mode =
        if peer.is_read_only() { "READ-ONLY mode; serving only read-only clients\n" } else { "" };
    format!("Zookeeper version: {VERSION}\n{mode}")
}

/// What `srvr` and `stat` end with.
pub(super) fn srvr(shell: &Shell) -> String {
    let stats = shell.peer.stats();
    let role = shell.peer.role();
    let text = format!(
        "Latency min/avg/max: {}/{}/{}\nReceived: {}\nSent: {}\nConnections: {}\nOutstanding: {}\n\
         Zxid: {}\nMode: {}\nNode count: {}\n",
        stats.latency.min,
        double(mean(stats.latency)),
        stats.latency.max,
        stats.packets_received,
        stats.packets_sent,
        shell.open_count(),
        shell.peer.outstanding(),
        shell.peer.shown_zxid(),
        mode(role),
        node_count(&shell.peer),
    );
    if role != RoleName::Leading {
        return text;
    }
    let [last, min, max] = proposal_sizes(stats);
    text + &format!("Proposal sizes last/min/max: {last}/{min}/{max}\n")
}

/// All metrics, behind what the server is.
pub(super) fn mntr(shell: &mut Shell, now: Now) -> String {
    shell.peer.tally();
    identity(shell) + &metrics::lines(&Facts::of(shell, now))
}

fn identity(shell: &Shell) -> String {
    let role = shell.peer.role();
    let mut text = format!("zk_version\t{VERSION}\nzk_server_state\t{}\n", mode(role));
    // Only members that take part are asked: the others do not serve.
    match role {
        RoleName::Standalone | RoleName::Looking => {}
        RoleName::Leading => text += "zk_peer_state\tleading - broadcast\n",
        RoleName::Following => text += "zk_peer_state\tfollowing - broadcast\n",
        RoleName::Observing => text += "zk_peer_state\tobserving - broadcast\n",
    }
    if role == RoleName::Observing
        && let Some(master) = shell.ensemble.as_ref().and_then(|others| others.links().master())
    {
        text += &format!("zk_observer_master_id\t{master}\n");
    }
    text
}

/// A role as `Mode:` and `zk_server_state` name it.
fn mode(role: RoleName) -> &'static str {
    match role {
        RoleName::Standalone => "standalone",
        RoleName::Leading => "leader",
        RoleName::Following => "follower",
        RoleName::Observing => "observer",
        // A server that looks for a leader says so only while it serves reads.
        RoleName::Looking => "read-only",
    }
}
