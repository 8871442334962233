//! Something that one task waits for and others cause, all on one thread.
//!
//! Invariant: a signal that is set while nobody waits is seen by who waits next.

use std::task::{Context, Poll, Waker};

/// A wish that a task looks up.
#[derive(Debug, Default)]
pub(crate) struct Signal {
    is_set: bool,
    waker: Option<Waker>,
}

impl Signal {
    /// Wakes the task, now or when it next waits.
    pub(crate) fn set(&mut self) {
        self.is_set = true;
        if let Some(waker) = &self.waker {
            waker.wake_by_ref();
        }
    }

    /// Ready once after each `set`.
    pub(crate) fn poll(&mut self, cx: &Context<'_>) -> Poll<()> {
        if std::mem::take(&mut self.is_set) {
            return Poll::Ready(());
        }
        if !self.waker.as_ref().is_some_and(|waker| waker.will_wake(cx.waker())) {
            self.waker = Some(cx.waker().clone());
        }
        Poll::Pending
    }
}
