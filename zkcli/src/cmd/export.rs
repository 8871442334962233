//! A subtree as a stream: export.
//!
//! One JSON object a line, each node before what is below it; paths are relative to the node that was
//! exported, so that `import` can put it elsewhere. `import.rs` reads it.
//!
//! What is not written: ephemeral nodes, which belong to a session, and `/zookeeper`, which belongs to the
//! servers. Servers do not tell clients which nodes are containers or have a TTL; so those become plain.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::PathBuf;

use serde_json::{Value, json};
use zk_wire::Acl;

use super::path_at;
use crate::failure::Failure;
use crate::options::Given;
use crate::progress::Progress;
use crate::shell::Shell;
use crate::walk::{Node, Walk, Wants};
use crate::{acl, view};

/// `export`
pub(crate) fn export(shell: &mut Shell, given: &Given) -> Result<(), Failure> {
    let root = path_at(given, 0)?;
    let client = shell.client()?;
    let console = &shell.console;
    let mut file = given.value("o").map(OutFile::create).transpose()?;
    let mut write = |line: &str| match &mut file {
        Some(file) => file.line(line),
        None => console.line(line),
    };
    let mut progress = Progress::new(console, "nodes written");
    let mut walk = Walk::new(&client, root, Wants { data: true, acl: true, watch: false });
    let mut skipped = 0_u64;
    while let Some(node) = walk.next_node()? {
        if is_left_out(&node) {
            skipped += 1;
            continue;
        }
        progress.step();
        write(&record(root, &node).to_string())?;
        walk.descend(node);
    }
    if let Some(file) = file {
        file.end()?;
    }
    progress.end();
    if skipped > 0 {
        let what = "ephemeral nodes and /zookeeper are left out";
        console.notice(&format!("{skipped} nodes with all below them were not written: {what}"));
    }
    Ok(())
}

/// Whether a node belongs to a session or to the servers.
pub(super) fn is_left_out(node: &Node) -> bool {
    node.stat.ephemeral_owner != 0 || node.path == "/zookeeper"
}

fn record(root: &str, node: &Node) -> Value {
    let path = relative(root, &node.path);
    let mut record = json!({ "path": path });
    view::put_data(&mut record, node.data.as_deref());
    if node.acl != [Acl::open()] {
        record["acl"] = acl::json(&node.acl);
    }
    record
}

/// The path below `root`; `/` is the root itself.
pub(super) fn relative<'p>(root: &str, path: &'p str) -> &'p str {
    let rest = if root == "/" { path } else { path.strip_prefix(root).unwrap_or(path) };
    if rest.is_empty() { "/" } else { rest }
}

/// A file that gets its name only when it is whole.
struct OutFile {
    path: PathBuf,
    partial: PathBuf,
    writer: BufWriter<File>,
}

impl OutFile {
    fn create(name: &str) -> Result<Self, Failure> {
        let path = PathBuf::from(name);
        let partial = PathBuf::from(format!("{name}.partial"));
        let file = File::create(&partial)
            .map_err(|error| Failure::File { path: partial.clone(), error })?;
        Ok(Self { path, partial, writer: BufWriter::new(file) })
    }

    fn line(&mut self, line: &str) -> Result<(), Failure> {
        let written = writeln!(self.writer, "{line}");
        written.map_err(|error| Failure::File { path: self.partial.clone(), error })
    }

    fn end(mut self) -> Result<(), Failure> {
        let whole = self.writer.flush().and_then(|()| self.writer.get_ref().sync_all());
        let named = whole.and_then(|()| std::fs::rename(&self.partial, &self.path));
        named.map_err(|error| Failure::File { path: self.path, error })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths_are_relative_to_the_root() {
        let cases = [("/", "/", "/"), ("/", "/a", "/a"), ("/a", "/a", "/"), ("/a", "/a/b", "/b")];
        for (root, path, expected) in cases {
            assert_eq!(relative(root, path), expected);
        }
    }
}
