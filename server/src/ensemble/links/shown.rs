//! What operators are shown of the links.

use zk_core::LinkId;

use super::Links;

impl Links {
    /// How many packets wait to be sent over a link, those behind a snapshot included.
    pub(crate) fn queue_len(&self, link: LinkId) -> usize {
        let state = self.state.borrow();
        let behind =
            |open: &super::Link| open.behind.as_ref().map_or(0, |behind| behind.queue.len());
        state.links.get(&link).map_or(0, |open| open.out.len() + behind(open))
    }
}
