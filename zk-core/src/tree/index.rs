//! From (parent, name) to a node, in many small tables so that no growth moves more than a slice of them.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::NodeId;

#[derive(Debug)]
pub(crate) struct Index {
    shards: Vec<HashTable<NodeId>>,
    state: FixedState,
}

const SHARD_BITS: u32 = 8;

impl Index {
    pub(crate) fn new(seed: u64) -> Self {
        let shards = (0..1 << SHARD_BITS).map(|_| HashTable::new()).collect();
        Self { shards, state: FixedState::with_seed(seed) }
    }

    pub(crate) fn hash(&self, parent: NodeId, name: &[u8]) -> u64 {
        self.state.hash_one((parent.0, name))
    }

    pub(crate) fn find(&self, hash: u64, is_it: impl FnMut(&NodeId) -> bool) -> Option<NodeId> {
        self.shards[shard(hash)].find(hash, is_it).copied()
    }

    /// Adds a node that is not there yet; `place_of` gives parent and name of any node that is.
    pub(crate) fn insert<'a>(
        &mut self,
        hash: u64,
        id: NodeId,
        place_of: impl Fn(NodeId) -> (NodeId, &'a [u8]),
    ) {
        let state = &self.state;
        self.shards[shard(hash)].insert_unique(hash, id, |id| {
            let (parent, name) = place_of(*id);
            state.hash_one((parent.0, name))
        });
    }

    pub(crate) fn remove(&mut self, hash: u64, id: NodeId) {
        if let Ok(entry) = self.shards[shard(hash)].find_entry(hash, |other| *other == id) {
            entry.remove();
        }
    }
}

/// Neither the lowest bits nor the highest seven, which the table itself uses.
fn shard(hash: u64) -> usize {
    usize::try_from(hash >> 40 & ((1 << SHARD_BITS) - 1)).expect("masked to few bits")
}
