//! What is below a node: ls, getAllChildrenNumber, getEphemerals.

use serde_json::json;

use super::nodes::is_old_watch;
use super::{list, path_at};
use crate::failure::{Deed, Failure};
use crate::options::Given;
use crate::shell::Shell;
use crate::walk::{Walk, Wants};
use crate::{path, table, view};

/// `ls`
pub(crate) fn ls(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    if given.has("?") {
        // Compat: commons-cli's `HelpFormatter.printHelp`, then the command goes on.
        let lines = table::option_lines(given.command.options);
        shell.console.text(&format!("usage: ls [options] path\n{}", lines.trim_end()))?;
    }
    let path = path_at(given, 0)?;
    let watch = given.has("w") || is_old_watch(shell, given, "ls path", "ls [-w] path");
    if given.has("R") {
        return ls_all(shell, path, watch);
    }
    let listed = shell.client()?.children(path, watch);
    let (mut names, stat) = listed.map_err(Failure::at(path, Deed::Read))?;
    names.sort_by(|left, right| left.encode_utf16().cmp(right.encode_utf16()));
    let text = || match given.has("s") {
        true => format!("{}\n{}", list(&names), view::stat(&stat)),
        false => list(&names),
    };
    let json = || json!({ "path": path, "children": &names, "stat": view::stat_json(&stat) });
    shell.console.answer(text, json)
}

/// All paths at and below a node. Compat: `ZKUtil.visitSubTreeDFS`, a node's children one after the
/// other before what is below them.
fn ls_all(shell: &mut Shell, root: &str, watch: bool) -> Result<(), Failure> {
    let client = shell.client()?;
    let console = &shell.console;
    let print = |path: &str| console.answer(|| path.to_owned(), || json!({ "path": path }));
    client.get(root, watch).map_err(Failure::at(root, Deed::Read))?;
    print(root)?;
    let mut walk = Walk::new(&client, root, Wants { watch, ..Wants::default() });
    while let Some(node) = walk.next_node()? {
        for name in &node.children {
            print(&path::join(&node.path, name))?;
        }
        walk.descend(node);
    }
    Ok(())
}

/// `getAllChildrenNumber`
pub(crate) fn count(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let path = path_at(given, 0)?;
    let count = shell.client()?.descendants(path).map_err(Failure::at(path, Deed::Read))?;
    shell.console.answer(|| count.to_string(), || json!({ "path": path, "count": count }))
}

/// `getEphemerals`
pub(crate) fn ephemerals(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let prefix = if given.argument(0).is_some() { path_at(given, 0)? } else { "/" };
    let paths = shell.client()?.ephemerals(prefix).map_err(Failure::at("", Deed::Session))?;
    shell.console.answer(|| list(&paths), || json!({ "prefix": prefix, "ephemerals": paths }))
}
