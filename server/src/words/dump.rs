//! `dump`: which sessions and connections end when, and who owns which nodes.
//!
//! Java: `DumpCommand`, `SessionTrackerImpl.dumpSessions`, `LearnerSessionTracker.dumpSessions`.

use zk_core::{Millis, Now, RoleName};
use zk_wire::SessionId;

use super::connections::place;
use crate::date::Date;
use crate::shell::Shell;

/// All of it. Only a server that ends sessions knows when that is; others know what was granted.
pub(super) fn dump(shell: &Shell, now: Now) -> String {
    let sessions = match shell.peer.role() {
        RoleName::Standalone | RoleName::Leading => sessions_by_expiry(shell, now),
        RoleName::Looking | RoleName::Following | RoleName::Observing => sessions_granted(shell),
    };
    "SessionTracker dump:\n".to_owned() + &sessions + &ephemerals(shell) + &connections(shell, now)
}

fn sessions_granted(shell: &Shell) -> String {
    let sessions = shell.peer.database().sessions();
    let mut text = format!("Global Sessions({}):\n", sessions.len());
    for (session, timeout_ms) in sessions {
        text += &format!("{session}\t{timeout_ms}ms\n");
    }
    text
}

fn sessions_by_expiry(shell: &Shell, now: Now) -> String {
    let buckets = shell.peer.session_buckets();
    let count: usize = buckets.values().map(|sessions| sessions.len()).sum();
    let mut text = format!("Session Sets ({})/({count}):\n", buckets.len());
    for (at, sessions) in buckets {
        text += &format!("{} expire at {}:\n", sessions.len(), date(now, *at));
        for session in sessions {
            text += &format!("\t{session}\n");
        }
    }
    text
}

fn ephemerals(shell: &Shell) -> String {
    let database = shell.peer.database();
    let mut count = 0;
    let mut text = String::new();
    for (session, _) in database.tree().ephemeral_owners() {
        count += 1;
        text += &format!("{session}:\n");
        for path in database.ephemeral_paths(session) {
            text += &format!("\t{path}\n");
        }
    }
    format!("ephemeral nodes dump:\nSessions with Ephemerals ({count}):\n{text}")
}

fn connections(shell: &Shell, now: Now) -> String {
    let deadlines = shell.peer.connection_deadlines();
    let count: usize = deadlines.values().map(Vec::len).sum();
    let mut text =
        format!("Connections dump:\nConnections Sets ({})/({count}):\n", deadlines.len());
    for (at, connections) in deadlines {
        text += &format!("{} expire at {}:\n", connections.len(), date(now, at));
        for connection in connections {
            let session = connection.session().unwrap_or(SessionId(0));
            text += &format!("\tip: {} sessionId: {session}\n", place(shell, connection));
        }
    }
    text
}

/// The date of a moment that the core knows only in its own time.
fn date(now: Now, at: Millis) -> String {
    let ahead = i64::try_from(at.since(now.mono)).unwrap_or(i64::MAX);
    let behind = i64::try_from(now.mono.since(at)).unwrap_or(i64::MAX);
    Date::from_wall_ms(now.wall_ms.saturating_add(ahead).saturating_sub(behind)).java()
}
