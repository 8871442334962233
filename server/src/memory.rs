//! Huge pages: not for a small server, where a few of them are most of its memory; for a large tree, where
//! lookups are faster with them.
//!
//! The kernel looks at the process's wish whenever it gives it a page. Where there is no such wish to
//! express, nothing changes.

use nix::sys::prctl::set_thp_disable;
use tracing::debug;

/// A tree of so many nodes is worth huge pages.
const LARGE_TREE: u64 = 50_000;

/// Asks for small pages. To be called before anything else.
pub fn stay_small() {
    wish(true);
}

/// Lifts the wish for small pages if the tree is, or is about to be, large.
pub(crate) fn fit(nodes: u64) {
    if nodes >= LARGE_TREE {
        wish(false);
    }
}

fn wish(small: bool) {
    if let Err(error) = set_thp_disable(small) {
        debug!(%error, small, "the kernel does not take wishes about huge pages");
    }
}
