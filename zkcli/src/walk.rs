//! A node and all below it, each node before its children, children in order; requests are sent ahead.
//!
//! Invariants
//! - Memory does not grow with the number of nodes: besides the names of the siblings on the way, no more
//!   than a window of nodes per level is held.
//! - A node that goes while the walk is on its way is passed over; the root must be there.

use std::collections::VecDeque;

use zk_wire::{Acl, Stat};

use crate::client::{Client, Pending};
use crate::failure::{Deed, Failure};
use crate::path;

/// What is asked of each node beside its children.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Wants {
    pub(crate) data: bool,
    pub(crate) acl: bool,
    /// Sets a child watch on each.
    pub(crate) watch: bool,
}

/// A node on the way.
#[derive(Debug)]
pub(crate) struct Node {
    pub(crate) path: String,
    /// 0 for the root of the walk.
    pub(crate) depth: usize,
    /// Whether no sibling follows.
    pub(crate) is_last: bool,
    pub(crate) stat: Stat,
    /// Sorted as Java sorts.
    pub(crate) children: Vec<String>,
    pub(crate) data: Option<Vec<u8>>,
    pub(crate) acl: Vec<Acl>,
}

/// A walk on its way.
pub(crate) struct Walk<'c> {
    client: &'c Client,
    wants: Wants,
    levels: Vec<Level>,
    is_begun: bool,
}

/// Siblings that are still to be visited.
struct Level {
    parent: String,
    names: std::vec::IntoIter<String>,
    ahead: VecDeque<Asked>,
}

struct Asked {
    path: String,
    children: Pending<(Vec<String>, Stat)>,
    data: Option<Pending<(Option<Vec<u8>>, Stat)>>,
    acl: Option<Pending<(Vec<Acl>, Stat)>>,
}

impl<'c> Walk<'c> {
    pub(crate) fn new(client: &'c Client, root: &str, wants: Wants) -> Self {
        let mut walk = Self { client, wants, levels: Vec::new(), is_begun: false };
        let ahead = VecDeque::from([walk.ask(root.to_owned())]);
        walk.levels.push(Level { parent: String::new(), names: Vec::new().into_iter(), ahead });
        walk
    }

    /// The next node; what is below it comes only if it is given to [`Walk::descend`].
    pub(crate) fn next_node(&mut self) -> Result<Option<Node>, Failure> {
        loop {
            let Some(asked) = self.next_asked() else { return Ok(None) };
            let is_root = !std::mem::replace(&mut self.is_begun, true);
            let path = asked.path.clone();
            match self.answered(asked) {
                Err(Failure::Request { error, .. }) if error.is_no_node() && !is_root => {}
                Err(failure) => return Err(failure),
                Ok(mut node) => {
                    node.path = path;
                    return Ok(Some(node));
                }
            }
        }
    }

    /// What is below the node comes next.
    pub(crate) fn descend(&mut self, node: Node) {
        let names = node.children.into_iter();
        self.levels.push(Level { parent: node.path, names, ahead: VecDeque::new() });
    }

    fn next_asked(&mut self) -> Option<Asked> {
        loop {
            let mut level = self.levels.pop()?;
            while level.ahead.len() < WINDOW {
                let Some(name) = level.names.next() else { break };
                level.ahead.push_back(self.ask(path::join(&level.parent, &name)));
            }
            if let Some(asked) = level.ahead.pop_front() {
                self.levels.push(level);
                return Some(asked);
            }
        }
    }

    fn ask(&self, path: String) -> Asked {
        Asked {
            data: self.wants.data.then(|| self.client.get_ahead(&path, false)),
            acl: self.wants.acl.then(|| self.client.acl_ahead(&path)),
            children: self.client.children_ahead(&path, self.wants.watch),
            path,
        }
    }

    fn answered(&self, asked: Asked) -> Result<Node, Failure> {
        let failed = Failure::at(&asked.path, Deed::Read);
        let (data, _) = asked.data.map(Pending::wait).transpose().map_err(&failed)?.unzip();
        let (acl, _) = asked.acl.map(Pending::wait).transpose().map_err(&failed)?.unzip();
        let (mut children, stat) = asked.children.wait().map_err(&failed)?;
        children.sort_by(|left, right| left.encode_utf16().cmp(right.encode_utf16()));
        let level = self.levels.last();
        let depth = self.levels.len() - 1;
        let is_last = level.is_none_or(|l| l.ahead.is_empty() && l.names.as_slice().is_empty());
        Ok(Node {
            path: String::new(),
            depth,
            is_last,
            stat,
            children,
            data: data.flatten(),
            acl: acl.unwrap_or_default(),
        })
    }
}

/// How many siblings are asked for at once.
const WINDOW: usize = 64;
