//! What operators are shown of the links.

use zk_core::LinkId;
use zk_wire::ServerId;

use super::Links;

impl Links {
    /// To whom this member connected last to learn from a leader.
    pub(crate) fn master(&self) -> Option<ServerId> {
        self.state.borrow().observed
    }

    /// How many packets wait to be sent over a link, those behind a snapshot included.
    pub(crate) fn queue_len(&self, link: LinkId) -> usize {
        let state = self.state.borrow();
        let behind =
            |open: &super::Link| open.behind.as_ref().map_or(0, |behind| behind.queue.len());
        state.links.get(&link).map_or(0, |open| open.out.len() + behind(open))
    }
}
