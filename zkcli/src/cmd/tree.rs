//! A subtree as a drawing, and as sums: tree, du.

use serde_json::json;

use super::{number, path_at};
use crate::failure::Failure;
use crate::options::Given;
use crate::path;
use crate::progress::Progress;
use crate::shell::Shell;
use crate::walk::{Node, Walk, Wants};

/// `tree`
pub(crate) fn tree(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let root = path_at(given, 0)?;
    let depth_max: usize = number(given, "d")?.unwrap_or(usize::MAX);
    let client = shell.client()?;
    let console = &shell.console;
    let mut walk = Walk::new(&client, root, Wants::default());
    // For each level above, whether siblings follow there.
    let mut follows: Vec<bool> = Vec::new();
    while let Some(node) = walk.next_node()? {
        follows.truncate(node.depth.saturating_sub(1));
        let text = || {
            let bars = follows.iter().map(|follow| if *follow { "│   " } else { "    " });
            let bars: String = bars.collect();
            let branch = match (node.depth, node.is_last) {
                (0, _) => "",
                (_, true) => "└── ",
                (_, false) => "├── ",
            };
            let name = if node.depth == 0 { root } else { path::name(&node.path) };
            let hidden = node.depth == depth_max && !node.children.is_empty();
            let more = if hidden { format!(" … {}", node.children.len()) } else { String::new() };
            format!("{bars}{branch}{name}{more}{}", details(given, &node))
        };
        let stat = &node.stat;
        let json = || {
            json!({
                "path": node.path,
                "depth": node.depth,
                "bytes": stat.data_length,
                "version": stat.version,
                "children": node.children.len(),
                "ephemeral": stat.ephemeral_owner != 0,
            })
        };
        console.answer(text, json)?;
        if node.depth > 0 {
            follows.push(!node.is_last);
        }
        if node.depth < depth_max {
            walk.descend(node);
        }
    }
    Ok(())
}

fn details(given: &Given, node: &Node) -> String {
    if !given.has("l") {
        return String::new();
    }
    let stat = &node.stat;
    let ephemeral = if stat.ephemeral_owner == 0 { "" } else { ", ephemeral" };
    format!("  ({} bytes, version {}{ephemeral})", stat.data_length, stat.version)
}

/// `du`
pub(crate) fn du(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let root = path_at(given, 0)?;
    let depth_max: usize = number(given, "d")?.unwrap_or(1);
    let client = shell.client()?;
    let console = &shell.console;
    let mut progress = Progress::new(console, "nodes counted");
    let mut walk = Walk::new(&client, root, Wants::default());
    // Open nodes from the root down, with the sums of what was seen of each.
    let mut open: Vec<Sum> = Vec::new();
    let print = |sum: &Sum| {
        console.answer(
            || format!("{:>10} {:>14}  {}", sum.nodes, sum.bytes, sum.path),
            || json!({ "path": sum.path, "nodes": sum.nodes, "bytes": sum.bytes }),
        )
    };
    while let Some(node) = walk.next_node()? {
        if node.depth == 0 {
            console.text(&format!("{:>10} {:>14}  path", "nodes", "bytes"))?;
        }
        progress.step();
        while open.len() > node.depth.min(depth_max.saturating_add(1)) {
            close(&mut open, print)?;
        }
        let bytes = u64::try_from(node.stat.data_length).unwrap_or(0);
        match open.last_mut().filter(|_| node.depth > depth_max) {
            Some(sum) => sum.add(1, bytes),
            None => open.push(Sum { path: node.path.clone(), nodes: 1, bytes }),
        }
        walk.descend(node);
    }
    progress.end();
    while !open.is_empty() {
        close(&mut open, print)?;
    }
    Ok(())
}

/// Prints the innermost sum and adds it to the one around it.
fn close(open: &mut Vec<Sum>, print: impl Fn(&Sum) -> Result<(), Failure>) -> Result<(), Failure> {
    let Some(sum) = open.pop() else { return Ok(()) };
    if let Some(around) = open.last_mut() {
        around.add(sum.nodes, sum.bytes);
    }
    print(&sum)
}

/// What was counted at and below a node.
#[derive(Debug)]
struct Sum {
    path: String,
    nodes: u64,
    bytes: u64,
}

impl Sum {
    fn add(&mut self, nodes: u64, bytes: u64) {
        self.nodes += nodes;
        self.bytes += bytes;
    }
}
