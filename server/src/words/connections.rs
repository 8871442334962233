//! Connections as `cons` and `stat` list them, a line each.

use zk_core::{Connection, ConnectionId, LastOp};
use zk_wire::Op;

use crate::shell::Shell;

/// The list of `stat`.
pub(super) fn clients(shell: &Shell, asking: ConnectionId) -> String {
    let mut text = "Clients:\n".to_owned();
    for connection in shell.peer.connections() {
        text += &format!("{})\n", brief(shell, connection, asking));
    }
    text + "\n"
}

/// The list of `cons`, with what is known of sessions.
pub(super) fn cons(shell: &Shell, asking: ConnectionId) -> String {
    let mut text = String::new();
    for connection in shell.peer.connections() {
        text += &brief(shell, connection, asking);
        text += &session(connection);
        text += ")\n";
    }
    text + "\n"
}

/// Where a connection comes from, as Java writes a socket's address.
pub(super) fn place(shell: &Shell, connection: &Connection) -> String {
    let (address, port) = (connection.address(), shell.remote_port(connection.id()));
    if address.contains(':') {
        format!("/[{address}]:{port}")
    } else {
        format!("/{address}:{port}")
    }
}

fn brief(shell: &Shell, connection: &Connection, asking: ConnectionId) -> String {
    let stats = connection.stats();
    format!(
        " {}[{:x}](queued={},recved={},sent={}",
        place(shell, connection),
        interest(connection, asking),
        connection.outstanding(),
        stats.received,
        stats.sent
    )
}

/// What the connection is waited for, as bits of a Java selector: 1 to read, 4 to write.
fn interest(connection: &Connection, asking: ConnectionId) -> u8 {
    if connection.id() == asking {
        return 0;
    }
    u8::from(connection.is_read()) | u8::from(connection.has_output()) << 2
}

fn session(connection: &Connection) -> String {
    let Some(session) = connection.session() else { return String::new() };
    let stats = connection.stats();
    let latency = stats.latency;
    let mut text = format!(
        ",sid={session},lop={},est={},to={}",
        last_op(stats.last_op),
        stats.established_ms,
        stats.timeout_ms
    );
    if let Some(cxid) = stats.last_cxid {
        text += &format!(",lcxid=0x{:x}", cxid.0);
    }
    text += &format!(
        ",lzxid=0x{:x},lresp={},llat={},minlat={},avglat={},maxlat={}",
        stats.last_zxid.map_or(-1, |zxid| zxid.0),
        stats.last_response.0,
        latency.last,
        latency.min,
        latency.total.checked_div(latency.count).unwrap_or(0),
        latency.max
    );
    text
}

fn last_op(last: LastOp) -> &'static str {
    match last {
        LastOp::Nothing => "NA",
        LastOp::Session => "SESS",
        LastOp::Request(op) => op_name(op),
    }
}

/// The short names of ops; those that are never a last op have one too.
fn op_name(op: Op) -> &'static str {
    match op {
        Op::Create | Op::Create2 | Op::CreateContainer | Op::CreateTtl => "CREA",
        Op::Delete | Op::DeleteContainer => "DELE",
        Op::Exists => "EXIS",
        Op::GetData => "GETD",
        Op::SetData => "SETD",
        Op::GetAcl => "GETA",
        Op::SetAcl => "SETA",
        Op::GetChildren | Op::GetChildren2 => "GETC",
        Op::Sync => "SYNC",
        Op::Ping => "PING",
        Op::Check => "CHEC",
        Op::Multi => "MULT",
        Op::Reconfig => "RECO",
        Op::CheckWatches => "CHKW",
        Op::RemoveWatches => "REMW",
        Op::MultiRead => "MLTR",
        Op::Auth | Op::Sasl => "NA",
        Op::SetWatches => "SETW",
        Op::GetEphemerals => "GETE",
        Op::GetAllChildrenNumber => "GETACN",
        Op::SetWatches2 => "STW2",
        Op::AddWatch => "ADDW",
        Op::WhoAmI => "HOMI",
        Op::CloseSession => "CLOS",
    }
}
