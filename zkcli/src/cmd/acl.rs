//! Who may do what: getAcl, setAcl.

use serde_json::json;

use super::{path_at, version};
use crate::client::Error;
use crate::failure::{Deed, Failure, generic};
use crate::options::Given;
use crate::shell::Shell;
use crate::walk::{Walk, Wants};
use crate::{acl, path, view};

/// `getAcl`
pub(crate) fn get(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let path = path_at(given, 0)?;
    let (entries, stat) = shell.client()?.acl(path).map_err(Failure::at(path, Deed::Read))?;
    let console = &shell.console;
    if console.is_json() {
        let stat = view::stat_json(&stat);
        let answer = json!({ "path": path, "acl": acl::json(&entries), "stat": stat });
        return console.line(&answer.to_string());
    }
    for entry in &entries {
        // Compat: jute's `Id.toString` ends with a line feed.
        let scheme = entry.id.scheme.as_deref().unwrap_or_default();
        let id = entry.id.id.as_deref().unwrap_or_default();
        console.line(&format!("'{scheme},'{id}\n: {}", acl::letters(entry.perms)))?;
    }
    if given.has("s") { console.line(&view::stat(&stat)) } else { Ok(()) }
}

/// `setAcl`
pub(crate) fn set(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let text = given.argument(1).unwrap_or_default();
    let entries = acl::parse(text, |line| shell.console.complain(line));
    let version = version(given)?;
    let path = path_at(given, 0)?;
    let client = shell.client()?;
    if !given.has("R") {
        let changed = client.set_acl(path, &entries, version);
        let stat = changed.map_err(|error| match error {
            // Compat: Java finds an empty list itself, and names no path.
            Error::Server(_) if entries.is_empty() => {
                Failure::Request { error, path: None, deed: Deed::Admin }
            }
            error => Failure::request(error, path, Deed::Admin),
        })?;
        if shell.console.is_json() {
            let answer = json!({ "path": path, "stat": view::stat_json(&stat) });
            return shell.console.line(&answer.to_string());
        }
        return if given.has("s") { shell.console.line(&view::stat(&stat)) } else { Ok(()) };
    }
    // Compat: what fails inside is told without an end of line and is no failure.
    let set = |path: &str| match client.set_acl(path, &entries, version) {
        Err(error) => shell.console.raw(generic(error, Some(path)).as_bytes()),
        Ok(_) => Ok(()),
    };
    client.get(path, false).map_err(Failure::at(path, Deed::Read))?;
    set(path)?;
    let mut walk = Walk::new(&client, path, Wants::default());
    while let Some(node) = walk.next_node()? {
        for name in &node.children {
            set(&path::join(&node.path, name))?;
        }
        walk.descend(node);
    }
    Ok(())
}
