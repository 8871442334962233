//! From (parent, name) to a node, in many small tables so that no growth moves more than a slice of them.
//!
//! The tables hold ids only; a node's hash stands in its slot, so that growing a table reads no names.

use std::hash::BuildHasher;

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::NodeId;

#[derive(Debug)]
pub(crate) struct Index {
    shards: Vec<HashTable<NodeId>>,
    state: FixedState,
}

/// The hash of a node's place in the tree.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PlaceHash(u32);

impl PlaceHash {
    /// The bits that the shard is not chosen by, spread over those that the table looks at.
    fn spread(self) -> u64 {
        u64::from(self.0).wrapping_mul(0x9E37_79B9_7F4A_7C15)
    }

    fn shard(self) -> usize {
        usize::from(self.0.to_be_bytes()[0])
    }
}

const SHARDS: usize = 256;

impl Index {
    pub(crate) fn new(seed: u64) -> Self {
        let shards = (0..SHARDS).map(|_| HashTable::new()).collect();
        Self { shards, state: FixedState::with_seed(seed) }
    }

    pub(crate) fn hash(&self, parent: NodeId, name: &[u8]) -> PlaceHash {
        let [b0, b1, b2, b3, ..] = self.state.hash_one((parent.0, name)).to_be_bytes();
        PlaceHash(u32::from_be_bytes([b0, b1, b2, b3]))
    }

    pub(crate) fn find(
        &self,
        hash: PlaceHash,
        is_it: impl FnMut(&NodeId) -> bool,
    ) -> Option<NodeId> {
        self.shards[hash.shard()].find(hash.spread(), is_it).copied()
    }

    /// Adds a node that is not there yet; `hash_of` gives the hash of any node that is.
    pub(crate) fn insert(
        &mut self,
        hash: PlaceHash,
        id: NodeId,
        hash_of: impl Fn(NodeId) -> PlaceHash,
    ) {
        self.shards[hash.shard()].insert_unique(hash.spread(), id, |id| hash_of(*id).spread());
    }

    pub(crate) fn remove(&mut self, hash: PlaceHash, id: NodeId) {
        if let Ok(entry) = self.shards[hash.shard()].find_entry(hash.spread(), |it| *it == id) {
            entry.remove();
        }
    }
}
