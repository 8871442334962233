//! Changes as they come: watch.

use std::sync::mpsc::{Receiver, channel};

use serde_json::{Value, json};
use zk_wire::{AddWatchMode, ErrorCode, WatchEventType};

use super::{number, path_at};
use crate::client::{Client, Error, Event, EventKind, KeeperState, Notice};
use crate::failure::{Deed, Failure};
use crate::options::Given;
use crate::shell::Shell;
use crate::view;

/// `watch`
pub(crate) fn watch(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let path = path_at(given, 0)?;
    let count: u64 = number(given, "n")?.unwrap_or(u64::MAX);
    let (sender, notices) = channel();
    // A session of its own: its events come here, and its watches end with the command.
    let client = shell.listening_session(sender)?;
    let result = follow(shell, &client, path, count, &notices);
    client.close();
    result
}

fn follow(
    shell: &Shell,
    client: &Client,
    path: &str,
    count: u64,
    notices: &Receiver<Notice>,
) -> Result<(), Failure> {
    match client.add_watch(path, AddWatchMode::PersistentRecursive) {
        Err(Error::Server(ErrorCode::Unimplemented)) => {
            return Err(Failure::Refused(
                "this server is older than 3.6 and cannot watch a subtree".to_owned(),
            ));
        }
        other => other.map_err(Failure::at(path, Deed::Read))?,
    }
    shell.console.notice(&format!("watching {path} and all below it; Ctrl-C ends"));
    let mut seen = 0;
    while seen < count {
        let Ok(notice) = notices.recv() else { break };
        match notice {
            Notice::Interrupt { .. } => break,
            Notice::Event(event) => match (&event.path, event.state) {
                (None, KeeperState::SyncConnected | KeeperState::ConnectedReadOnly) => {}
                (None, KeeperState::Disconnected) => {
                    shell.console.notice("connection lost; changes until it is back may be missed");
                }
                (None, KeeperState::AuthFailed) => {
                    return Err(Failure::request(Error::AuthFailed, path, Deed::Session));
                }
                (None, KeeperState::Expired | KeeperState::Closed) => {
                    return Err(Failure::request(Error::SessionExpired, path, Deed::Session));
                }
                (Some(_), _) => {
                    show(shell, client, &event)?;
                    seen += 1;
                }
            },
        }
        shell.console.flush()?;
    }
    Ok(())
}

/// One line a change, with the data that the node has by now.
fn show(shell: &Shell, client: &Client, event: &Event) -> Result<(), Failure> {
    let path = event.path.as_deref().unwrap_or_default();
    let kind = event.kind.name();
    let is_gone = event.kind == EventKind::Node(WatchEventType::NodeDeleted);
    let found = if is_gone { None } else { client.get(path, false).ok() };
    let mut answer = json!({ "event": kind, "path": path, "zxid": event.zxid });
    let mut text = format!("{kind} {path}");
    if let Some((data, stat)) = found {
        view::put_data(&mut answer, data.as_deref());
        answer["version"] = Value::from(stat.version);
        text.push_str(&format!(" (version {}) {}", stat.version, preview(data.as_deref())));
    }
    shell.console.answer(|| text, || answer)
}

/// Data in one short line.
fn preview(data: Option<&[u8]>) -> String {
    let Some(bytes) = data else { return "null".to_owned() };
    if !view::is_text(bytes) {
        return format!("{} bytes, base64 {}", bytes.len(), shortened(&view::base64(bytes)));
    }
    shortened(&view::text(data).replace(['\n', '\r', '\t'], " "))
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(PREVIEW).collect();
    if short.len() < text.len() {
        short.push('…');
    }
    short
}

const PREVIEW: usize = 120;
