//! A subtree beside itself: cp.

use serde_json::json;

use super::export::{is_left_out, relative};
use super::import::place;
use super::path_at;
use crate::failure::Failure;
use crate::options::Given;
use crate::plant::{Plant, Seedling};
use crate::progress::Progress;
use crate::shell::Shell;
use crate::walk::{Walk, Wants};

/// `cp`
pub(crate) fn copy(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let source = path_at(given, 0)?;
    let target = path_at(given, 1)?;
    let is_inside = |path: &str| source == "/" || path.starts_with(&format!("{source}/"));
    if source == target || is_inside(target) {
        let text = format!("{target} is {source} or below it: a copy would never end");
        return Err(Failure::Refused(text));
    }
    let client = shell.client()?;
    let mut progress = Progress::new(&shell.console, "nodes copied");
    let mut plant = Plant::new(&client, given.has("f"));
    let mut walk = Walk::new(&client, source, Wants { data: true, acl: true, watch: false });
    while let Some(mut node) = walk.next_node()? {
        if is_left_out(&node) {
            continue;
        }
        progress.step();
        plant.put(Seedling {
            path: place(target, relative(source, &node.path)),
            data: node.data.take(),
            acl: std::mem::take(&mut node.acl),
            ttl_ms: None,
        })?;
        walk.descend(node);
    }
    let planted = plant.end()?;
    progress.end();
    let text = || format!("{} nodes created, {} changed", planted.created, planted.changed);
    let json = || json!({ "created": planted.created, "changed": planted.changed });
    shell.console.answer(text, json)
}
