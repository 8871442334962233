//! Deletion: delete, deleteall.

use std::collections::VecDeque;
use std::io::{self, IsTerminal};

use serde_json::json;

use super::{path_at, version};
use crate::client::{Client, Pending};
use crate::failure::{Deed, Failure};
use crate::options::Given;
use crate::path;
use crate::shell::Shell;

/// `delete`
pub(crate) fn delete(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let mut version = version(given)?;
    if let Some(old) = given.argument(1) {
        shell.console.notice(
            "'delete path [version]' has been deprecated. Please use 'delete [-v version] path' \
             instead.",
        );
        // Compat: Java drops the version and deletes whatever is there; here it must hold.
        version = old
            .parse()
            .map_err(|_| Failure::Refused(format!("`{old}` is no version; delete -v N PATH")))?;
    }
    let path = path_at(given, 0)?;
    shell.client()?.delete(path, version).map_err(Failure::at(path, Deed::Delete))?;
    report(shell, path, 1)
}

/// `deleteall`
pub(crate) fn deleteall(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let batch = given.value("b").map_or(Ok(BATCH), str::parse::<i32>);
    let batch =
        batch.map_err(|_| Failure::Refused("-b argument must be an int value".to_owned()))?;
    let path = path_at(given, 0)?;
    let client = shell.client()?;
    let mut paths = below(&client, path)?;
    if paths.len() > UNASKED_MAX && !is_meant(shell, path, paths.len()) {
        return Err(Failure::Refused("nothing was deleted".to_owned()));
    }
    let count = paths.len();
    paths.reverse();
    match usize::try_from(batch).ok().filter(|size| *size > 0) {
        None => {
            for path in &paths {
                client.delete(path, -1).map_err(Failure::at(path, Deed::Delete))?;
            }
        }
        Some(size) => {
            if let Err(failure) = in_batches(&client, &paths, size) {
                if matches!(failure, Failure::Interrupted) {
                    return Err(failure);
                }
                // Compat: the exit code stays 0.
                shell.console.complain("Failed to delete some node(s) in the subtree!");
                shell.console.notice(&failure.to_string());
                return Ok(());
            }
        }
    }
    report(shell, path, count)
}

/// The node and all below it, each before its children.
fn below(client: &Client, root: &str) -> Result<Vec<String>, Failure> {
    let mut paths = vec![root.to_owned()];
    let mut asked = VecDeque::new();
    let (mut next, mut answered) = (0, 0);
    while answered < paths.len() {
        while next < paths.len() && asked.len() < LISTS_AHEAD {
            asked.push_back(client.children_ahead(&paths[next], false));
            next += 1;
        }
        let Some(pending): Option<Pending<_>> = asked.pop_front() else { break };
        let path = paths[answered].clone();
        answered += 1;
        let (names, _) = pending.wait().map_err(Failure::at(&path, Deed::Read))?;
        paths.extend(names.iter().map(|name| path::join(&path, name)));
    }
    Ok(paths)
}

/// Deletes batch by batch, each as a whole or not at all, up to the first that fails.
fn in_batches(client: &Client, paths: &[String], size: usize) -> Result<(), Failure> {
    let mut ahead: VecDeque<(&[String], Pending<_>)> = VecDeque::new();
    let mut batches = paths.chunks(size);
    let mut result = Ok(());
    loop {
        while ahead.len() < BATCHES_AHEAD && result.is_ok() {
            let Some(batch) = batches.next() else { break };
            ahead.push_back((batch, client.delete_all_ahead(batch)));
        }
        let Some((batch, pending)) = ahead.pop_front() else { return result };
        let first = batch.first().map_or("/", String::as_str);
        let ended = match pending.wait() {
            Ok(None) => Ok(()),
            Ok(Some(failed)) => {
                let path = batch.get(failed.at).map_or(first, String::as_str);
                Err(Failure::request(failed.error, path, Deed::Delete))
            }
            Err(error) => Err(Failure::request(error, first, Deed::Delete)),
        };
        result = result.and(ended);
    }
}

/// Asks a person on a terminal; scripts mean what they say.
fn is_meant(shell: &Shell, path: &str, count: usize) -> bool {
    if !io::stdin().is_terminal() || !shell.console.is_terminal() {
        return true;
    }
    // A lost answer is no.
    let _ = shell.console.flush();
    let Ok(mut editor) = rustyline::DefaultEditor::new() else { return false };
    let question = format!("{path} has {count} nodes with all below it. Delete them? [y/N] ");
    let answer = editor.readline(&question).unwrap_or_default();
    ["y", "yes"].contains(&answer.trim().to_lowercase().as_str())
}

fn report(shell: &Shell, path: &str, count: usize) -> Result<(), Failure> {
    if shell.console.is_json() {
        return shell.console.line(&json!({ "deleted": path, "count": count }).to_string());
    }
    Ok(())
}

const BATCH: i32 = 1000;
const BATCHES_AHEAD: usize = 10;
const LISTS_AHEAD: usize = 64;
const UNASKED_MAX: usize = 1000;
