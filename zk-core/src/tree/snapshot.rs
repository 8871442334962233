//! A snapshot of one point in time that does not stop writes.
//!
//! A cursor walks all node ids in slices. Before a node changes that the cursor has not reached, its old
//! image is written first. So each node appears once, as it was when the snapshot began.
//!
//! Invariants
//! - A node's ancestors are written before the node: Java's loader demands it.
//! - Nodes made after the beginning are never written; ids that were free then are marked as done.

use zk_wire::Encoder;

use super::{Node, NodeId, Tree, to_usize};

/// A snapshot in the making.
#[derive(Debug)]
pub(crate) struct Cursor {
    /// The next id to visit.
    next: u32,
    /// Ids from here on were made later.
    end: u32,
    /// One bit an id: written, or not there at the beginning.
    done: Vec<u64>,
    out: Vec<u8>,
}

/// Some more bytes of a snapshot's body.
#[derive(Debug, PartialEq, Eq)]
pub struct SnapshotSlice {
    /// Nodes as snapshot files hold them.
    pub bytes: Vec<u8>,
    /// Whether these were the last.
    pub is_last: bool,
}

impl Cursor {
    fn is_done(&self, id: NodeId) -> bool {
        id.0 >= self.end || self.done[id.index() / 64] >> (id.0 % 64) & 1 == 1
    }

    fn mark(&mut self, id: NodeId) {
        if id.0 < self.end {
            self.done[id.index() / 64] |= 1 << (id.0 % 64);
        }
    }
}

impl Tree {
    /// Begins a snapshot of the tree as it is now and writes the ACL table that its nodes refer to.
    /// A snapshot that was running is dropped.
    pub fn begin_snapshot(&mut self, e: &mut Encoder<'_>) {
        let words = to_usize(self.slots_len).div_ceil(64);
        let mut cursor =
            Cursor { next: 0, end: self.slots_len, done: vec![0; words], out: Vec::new() };
        for id in &self.free {
            cursor.mark(*id);
        }
        self.acls.encode(e);
        self.cursor = Some(cursor);
    }

    /// Whether a snapshot is being taken.
    pub fn is_snapshotting(&self) -> bool {
        self.cursor.is_some()
    }

    /// Visits at most `nodes_max` more ids and gives what there is to write; `None` without a snapshot.
    pub fn snapshot_slice(&mut self, nodes_max: u32) -> Option<SnapshotSlice> {
        let mut cursor = self.cursor.take()?;
        let until = cursor.next.saturating_add(nodes_max).min(cursor.end);
        for id in cursor.next..until {
            self.write_image(&mut cursor, NodeId(id));
        }
        cursor.next = until;
        let bytes = std::mem::take(&mut cursor.out);
        let is_last = cursor.next == cursor.end;
        if !is_last {
            self.cursor = Some(cursor);
        }
        Some(SnapshotSlice { bytes, is_last })
    }

    /// Forgets a snapshot that nobody wants any more.
    pub fn abort_snapshot(&mut self) {
        self.cursor = None;
    }

    pub(super) fn before_change(&mut self, id: NodeId) {
        if let Some(mut cursor) = self.cursor.take() {
            self.write_image(&mut cursor, id);
            self.cursor = Some(cursor);
        }
    }

    fn write_image(&self, cursor: &mut Cursor, id: NodeId) {
        let mut unwritten = Vec::new();
        let mut at = id;
        while !cursor.is_done(at) {
            cursor.mark(at);
            unwritten.push(at);
            at = self.parent(at);
        }
        for id in unwritten.into_iter().rev() {
            let Node { acl, stat, data, .. } = self.node(id);
            let mut e = Encoder::new(&mut cursor.out);
            let path = if id == NodeId::ROOT { String::new() } else { self.path(id) };
            e.text(&path).buffer(data).long(acl);
            stat.encode(&mut e);
        }
    }
}
