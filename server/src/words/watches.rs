//! The words about watches: `wchs`, `wchp`, `wchc`.
//!
//! They show the data table only: watches for children are left out, as in Java.

use zk_core::{ConnectionId, Peer};
use zk_wire::SessionId;

/// How many there are.
pub(super) fn summary(peer: &Peer) -> String {
    let (mut connections, mut total) = (0, 0);
    for (_, paths) in peer.watches().data_watches() {
        connections += 1;
        total += paths.len();
    }
    let paths = peer.watches().data_path_count();
    format!("{connections} connections watching {paths} paths\nTotal watches:{total}\n")
}

/// The paths that each session watches.
pub(super) fn by_session(peer: &Peer) -> String {
    let mut text = String::new();
    for (cnx, paths) in peer.watches().data_watches() {
        text += &format!("{}\n", session(peer, cnx));
        for path in paths {
            text += &format!("\t{path}\n");
        }
    }
    text + "\n"
}

/// The sessions that watch each path.
pub(super) fn by_path(peer: &Peer) -> String {
    let mut text = String::new();
    for (path, watchers) in peer.watches().data_watchers() {
        text += &format!("{path}\n");
        for cnx in watchers {
            text += &format!("\t{}\n", session(peer, cnx));
        }
    }
    text + "\n"
}

/// The session of a connection; one that is closing has none any more.
fn session(peer: &Peer, cnx: ConnectionId) -> SessionId {
    peer.connection(cnx).and_then(|connection| connection.session()).unwrap_or(SessionId(0))
}
