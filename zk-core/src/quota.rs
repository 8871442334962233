//! Quotas: how many nodes and bytes a subtree may have, and how many it has.
//!
//! The limits of `/a` stand in `/zookeeper/quota/a/zookeeper_limits`, its totals in `zookeeper_stats`
//! beside it. The stats node's data changes silently: no version, no mtime, no watch.
//!
//! Invariant: text that cannot be read never stops an apply; totals are then counted anew.
//!
//! Java: `StatsTrack`, `DataTree.updateQuotaStat`, `ZooKeeperServer.checkQuota`.

use std::collections::BTreeSet;

use crate::path;
use crate::tree::{NodeId, Tree};

const ROOT: &str = "/zookeeper/quota";
const LIMITS: &str = "zookeeper_limits";
const STATS: &str = "zookeeper_stats";

/// The numbers of a limits or stats node; -1 is "none". Unknown keys of the text are of no use here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct QuotaNumbers {
    /// Nodes, the quota's own included.
    pub count: i64,
    /// Bytes of data; names are not counted.
    pub bytes: i64,
    /// The count that may not be passed.
    pub count_hard: i64,
    /// The bytes that may not be passed.
    pub bytes_hard: i64,
}

impl QuotaNumbers {
    /// Reads `count=1,bytes=2=;byteHardLimit=3` and all its variants; `None` if a number is none.
    pub(crate) fn parse(text: &[u8]) -> Option<Self> {
        let mut numbers = Self { count: -1, bytes: -1, count_hard: -1, bytes_hard: -1 };
        let text = std::str::from_utf8(text).ok()?;
        for pair in text.split([',', ';']).filter(|pair| !pair.is_empty()) {
            let mut parts = pair.split('=');
            let (key, value) = (parts.next()?, parts.next()?);
            let value = if value.is_empty() { -1 } else { value.parse().ok()? };
            match key {
                "count" => numbers.count = value,
                "bytes" => numbers.bytes = value,
                "countHardLimit" => numbers.count_hard = value,
                "byteHardLimit" => numbers.bytes_hard = value,
                _ => {}
            }
        }
        Some(numbers)
    }
}

/// The paths that have limits.
#[derive(Debug, Default)]
pub(crate) struct Quotas {
    limited: BTreeSet<String>,
}

impl Quotas {
    /// The deepest path above `path`, or itself, that has limits.
    pub(crate) fn covering<'a>(&self, path: &'a str) -> Option<&'a str> {
        if self.limited.is_empty() {
            return None;
        }
        path::lineage(path).find(|path| self.limited.contains(*path))
    }

    /// A node was created: perhaps one of the quota's own.
    pub(crate) fn on_created(&mut self, tree: &mut Tree, path: &str) {
        match quota_node(path) {
            Some((limited, LIMITS)) => {
                self.limited.insert(limited.to_owned());
            }
            Some((counted, STATS)) => recount(tree, counted),
            _ => {}
        }
    }

    /// A node was deleted: perhaps one of the quota's own.
    pub(crate) fn on_deleted(&mut self, path: &str) {
        if let Some((limited, LIMITS)) = quota_node(path) {
            self.limited.remove(limited);
        }
    }

    /// Nodes and bytes at `path` changed by so many.
    pub(crate) fn count(&self, tree: &mut Tree, path: &str, nodes: i64, bytes: i64) {
        let Some(covering) = self.covering(path) else { return };
        let stats = stats_path(covering);
        let Some(id) = tree.lookup(&stats) else { return };
        match tree.node(id).data.and_then(QuotaNumbers::parse) {
            Some(old) => write(
                tree,
                &stats,
                id,
                old.count.wrapping_add(nodes),
                old.bytes.wrapping_add(bytes),
            ),
            None => recount(tree, covering),
        }
    }

    /// Finds all limits of a tree that was just loaded, and counts all totals anew.
    pub(crate) fn reload(&mut self, tree: &mut Tree) {
        self.limited.clear();
        let Some(root) = tree.lookup(ROOT) else { return };
        let mut open = vec![(root, String::new())];
        while let Some((at, quota)) = open.pop() {
            for child in tree.children(at).to_vec() {
                let name = tree.node(child).name.to_owned();
                if name == LIMITS && tree.children(child).is_empty() {
                    if !quota.is_empty() {
                        self.limited.insert(quota.clone());
                    }
                } else {
                    open.push((child, format!("{quota}/{name}")));
                }
            }
        }
        for path in &self.limited {
            recount(tree, path);
        }
    }
}

/// Limits and totals of the quota that covers `path`, as far as they are there.
#[derive(Debug)]
pub(crate) struct Allowance {
    /// `Err` when the node's text cannot be read.
    pub limits: Result<QuotaNumbers, ()>,
    /// As above; `None` when there is no stats node.
    pub totals: Option<Result<QuotaNumbers, ()>>,
}

impl Allowance {
    pub(crate) fn of(tree: &Tree, covering: &str) -> Option<Self> {
        let read = |id: NodeId| tree.node(id).data.and_then(QuotaNumbers::parse).ok_or(());
        let limits = tree.lookup(&path::join(&quota_path(covering), LIMITS))?;
        let totals = tree.lookup(&stats_path(covering));
        Some(Self { limits: read(limits), totals: totals.map(read) })
    }
}

/// The limited path and the name of a node of the quota tree; none for the root's own quota.
fn quota_node(path: &str) -> Option<(&str, &str)> {
    let (limited, name) = path::split(path.strip_prefix(ROOT)?)?;
    (limited.starts_with('/') && limited != "/").then_some((limited, name))
}

fn quota_path(covering: &str) -> String {
    format!("{ROOT}{covering}")
}

fn stats_path(covering: &str) -> String {
    path::join(&quota_path(covering), STATS)
}

fn recount(tree: &mut Tree, counted: &str) {
    let stats = stats_path(counted);
    let Some(id) = tree.lookup(&stats) else { return };
    let (mut count, mut bytes) = (0_i64, 0_i64);
    let mut open: Vec<NodeId> = tree.lookup(counted).into_iter().collect();
    while let Some(at) = open.pop() {
        count += 1;
        bytes += tree.node(at).data.map_or(0, len);
        open.extend_from_slice(tree.children(at));
    }
    write(tree, &stats, id, count, bytes);
}

fn write(tree: &mut Tree, stats: &str, id: NodeId, count: i64, bytes: i64) {
    let stat = tree.node(id).stat;
    let text = format!("count={count},bytes={bytes}");
    tree.set_data(stats, id, Some(text.as_bytes()), stat);
}

/// The length of data, as quotas count it.
pub(crate) fn len(data: &[u8]) -> i64 {
    i64::try_from(data.len()).expect("lengths fit 63 bits")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_in_all_their_spellings() {
        let check = |text: &str, expected: Option<(i64, i64, i64, i64)>| {
            let read = QuotaNumbers::parse(text.as_bytes());
            let read = read.map(|q| (q.count, q.bytes, q.count_hard, q.bytes_hard));
            assert_eq!(read, expected, "{text:?}");
        };
        check("count=3,bytes=10", Some((3, 10, -1, -1)));
        check("count=3,bytes=10=;byteHardLimit=20;countHardLimit=4", Some((3, 10, 4, 20)));
        check("count=,bytes=,,;", Some((-1, -1, -1, -1)));
        check("garbage", None);
        check("count=x", None);
        check("count=1,other=5", Some((1, -1, -1, -1)));
    }

    #[test]
    fn only_quota_nodes_below_a_path_count() {
        assert_eq!(quota_node("/zookeeper/quota/a/b/zookeeper_limits"), Some(("/a/b", LIMITS)));
        assert_eq!(quota_node("/zookeeper/quota/zookeeper_limits"), None);
        assert_eq!(quota_node("/zookeeper/x/zookeeper_limits"), None);
        assert_eq!(quota_node("/zookeeper/quotas/zookeeper_limits"), None);
    }
}
