//! Watches: addWatch, removewatches.

use zk_wire::{AddWatchMode, WatcherType};

use super::path_at;
use crate::client::Error;
use crate::failure::{Deed, Failure};
use crate::options::Given;
use crate::shell::Shell;

/// `addWatch`
pub(crate) fn add(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let usage = || Failure::Usage(given.command.usage());
    let mode = match given.value("m").map(str::to_uppercase).as_deref() {
        None | Some("PERSISTENT_RECURSIVE") => AddWatchMode::PersistentRecursive,
        Some("PERSISTENT") => AddWatchMode::Persistent,
        Some(_) => return Err(usage()),
    };
    if given.arguments.len() != 1 {
        return Err(usage());
    }
    let path = path_at(given, 0)?;
    shell.client()?.add_watch(path, mode).map_err(Failure::at(path, Deed::Read))
}

/// `removewatches`
pub(crate) fn remove(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let path = path_at(given, 0)?;
    let kinds = [
        ("c", WatcherType::Children),
        ("d", WatcherType::Data),
        ("p", WatcherType::Persistent),
        ("r", WatcherType::PersistentRecursive),
    ];
    let kind = kinds.iter().find(|(option, _)| given.has(option));
    let kind = kind.map_or(WatcherType::Any, |(_, kind)| *kind);
    let removed = shell.client()?.remove_watches(path, kind, given.has("l"));
    removed.map_err(|error: Error| Failure::request(error, path, Deed::Session))
}
