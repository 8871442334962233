//! How a member was brought up to date: its log says so, in the same words for both kinds.

/// What a learner is sent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sync {
    Diff,
    Snap,
    Trunc,
}

impl Sync {
    const LINES: [(Self, &str); 3] = [
        (Self::Diff, "Getting a diff from the leader"),
        (Self::Snap, "Getting a snapshot from leader"),
        (Self::Trunc, "Truncating log to get in sync with the leader"),
    ];

    /// Every time that a log tells of.
    pub(crate) fn all(log: &str) -> impl Iterator<Item = Self> {
        let found = |line: &str| Self::LINES.iter().find(|(_, said)| line.contains(said));
        log.lines().filter_map(found).map(|(sync, _)| *sync)
    }
}
