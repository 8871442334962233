//! The digest of one node, version 2 of Java's `DigestCalculator`: CRC-32 over path, data and stat.
//!
//! The tree's digest is the wrapping sum of its nodes' digests. `/zookeeper/…` counts as nothing,
//! the root's path is the empty string.

use crate::StatPersisted;

/// The part of a node's digest that path and data determine, ready to take any stat.
///
/// Preparation changes a stat several times before its node is touched; the prefix spares it the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NodeDigest {
    prefix: u32,
    counts: bool,
}

impl NodeDigest {
    /// What Java writes as `digestVersion`.
    pub const VERSION: i32 = 2;

    /// The prefix of a node at `path` (the root is `/`) with `data`.
    pub fn new(path: &str, data: Option<&[u8]>) -> Self {
        if path.starts_with("/zookeeper/") {
            return Self { prefix: 0, counts: false };
        }
        let path = if path == "/" { "" } else { path };
        let mut crc = crc32fast::Hasher::new();
        crc.update(path.as_bytes());
        crc.update(data.unwrap_or_default());
        Self { prefix: crc.finalize(), counts: true }
    }

    /// The digest with `stat`.
    pub fn with(self, stat: &StatPersisted) -> u64 {
        if !self.counts {
            return 0;
        }
        let mut crc = crc32fast::Hasher::new_with_initial(self.prefix);
        crc.update(&stat.digest_bytes());
        u64::from(crc.finalize())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_empty_tree_has_javas_digest() {
        let stat = StatPersisted::default();
        let sum = NodeDigest::new("/", Some(b"")).with(&stat)
            + NodeDigest::new("/zookeeper", Some(b"")).with(&stat)
            + NodeDigest::new("/zookeeper/quota", Some(b"")).with(&stat);
        assert_eq!(sum, 0x51C6_D660);
    }
}
