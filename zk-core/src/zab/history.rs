//! The end of a server's history, in memory: what a learner may lack is sent from here.
//!
//! It knows explicitly where it begins: a learner that has everything up to `base` can be brought up to
//! date with txns from here, one that lacks more with txns that the log on disk has from `floor` on, or with
//! a snapshot.
//!
//! Invariants
//! - Zxids grow, without a gap within an epoch.
//! - It ends with the last txn that was logged.
//! - Below `floor` the log on disk may be of another history: a snapshot of a leader took its place, or nobody
//!   has looked. Unlike Java's it is not read there.
//!
//! Java: `ZKDatabase.committedLog`, `LearnerHandler.syncFollower`.

use std::collections::VecDeque;
use std::fmt;

use bytes::Bytes;
use zk_wire::Zxid;

/// The last txns of a log.
#[derive(Debug)]
pub(crate) struct History {
    floor: Zxid,
    base: Zxid,
    txns: VecDeque<(Zxid, Bytes)>,
    len_bytes: usize,
    keep: Keep,
}

/// What recovery replayed of the log.
#[derive(Debug, Default)]
pub(crate) struct Replayed {
    /// From this txn on the log is one history.
    pub(crate) above: Zxid,
    /// The last txns, without a gap, the oldest first.
    pub(crate) txns: VecDeque<(Zxid, Bytes)>,
}

/// How many txns are kept: until there are more than both say.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Keep {
    pub(crate) txns: usize,
    pub(crate) bytes: usize,
}

/// How a learner's log becomes a prefix of the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Plan {
    /// It gets the txns above this one, which it has.
    Diff { above: Zxid },
    /// It gets the txns above this one, which it seems to have, from the log on disk up to where the history
    /// begins, the others from here.
    Log { above: Zxid },
    /// It cuts its log back to this one and gets those above it.
    Trunc { to: Zxid },
    /// It gets a snapshot.
    Snap,
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Diff { above } => write!(f, "DIFF from {above} on"),
            Self::Log { above } => write!(f, "DIFF from {above} on, by the log"),
            Self::Trunc { to } => write!(f, "TRUNC to {to}"),
            Self::Snap => f.write_str("SNAP"),
        }
    }
}

impl History {
    /// A history that ends with `last`, of which the newest txns are known.
    pub(crate) fn ending_with(last: Zxid, replayed: Replayed, keep: Keep) -> Self {
        let Replayed { above, mut txns } = replayed;
        let fits = txns.back().is_some_and(|(zxid, _)| *zxid == last);
        if !fits {
            return Self { floor: last, base: last, txns: VecDeque::new(), len_bytes: 0, keep };
        }
        // What came before the first of them is not in memory.
        let base = txns.pop_front().map_or(last, |(first, _)| first);
        let len_bytes = txns.iter().map(|(_, bytes)| bytes.len()).sum();
        Self { floor: above.min(base), base, txns, len_bytes, keep }
    }

    /// The txn above which everything is in memory.
    pub(crate) fn base(&self) -> Zxid {
        self.base
    }

    /// The last txn that was logged.
    pub(crate) fn last(&self) -> Zxid {
        self.txns.back().map_or(self.base, |(zxid, _)| *zxid)
    }

    /// The next txn of the log.
    pub(crate) fn push(&mut self, zxid: Zxid, bytes: Bytes) {
        let last = self.last();
        assert!(
            zxid == last.next() || zxid.epoch() > last.epoch(),
            "{zxid} follows {last} without a gap"
        );
        self.len_bytes += bytes.len();
        self.txns.push_back((zxid, bytes));
    }

    /// How many bytes its txns have.
    pub(crate) fn len_bytes(&self) -> usize {
        self.len_bytes
    }

    /// The txns above one.
    pub(crate) fn above(&self, zxid: Zxid) -> impl Iterator<Item = &(Zxid, Bytes)> {
        let from = self.txns.partition_point(|(kept, _)| *kept <= zxid);
        self.txns.range(from..)
    }

    /// Forgets what is more than enough; never a txn above `needed`.
    pub(crate) fn trim(&mut self, needed: Zxid) {
        while self.txns.len() > self.keep.txns && self.len_bytes >= self.keep.bytes {
            let first = self.txns.pop_front_if(|(zxid, _)| *zxid <= needed);
            let Some((zxid, bytes)) = first else { break };
            self.len_bytes -= bytes.len();
            self.base = zxid;
        }
    }

    /// Drops the txns above one.
    pub(crate) fn truncate(&mut self, to: Zxid) {
        while let Some((_, bytes)) = self.txns.pop_back_if(|(zxid, _)| *zxid > to) {
            self.len_bytes -= bytes.len();
        }
        (self.floor, self.base) = (self.floor.min(to), self.base.min(to));
    }

    /// Begins again with a database, and what its recovery replayed.
    pub(crate) fn restart(&mut self, last: Zxid, replayed: Replayed) {
        *self = Self::ending_with(last, replayed, self.keep);
    }

    /// How a learner whose log ends with `last` gets what is committed.
    ///
    /// Compat: the table of `syncFollower`. A zxid with counter 0 is no txn: it stands for the history
    /// with which that epoch began.
    pub(crate) fn plan(&self, last: Zxid, committed: Zxid) -> Plan {
        let is_txn = last.counter() != 0;
        if last == committed {
            return Plan::Diff { above: last };
        }
        if last > committed {
            // Of another epoch its log may have left this history earlier than here.
            let is_same_branch = is_txn && committed.epoch() == last.epoch();
            let can_cut = is_same_branch && committed.counter() != 0 && committed >= self.base;
            return if can_cut { Plan::Trunc { to: committed } } else { Plan::Snap };
        }
        if last < self.base {
            let is_one_history = is_txn && last >= self.floor;
            return if is_one_history { Plan::Log { above: last } } else { Plan::Snap };
        }
        let next = self.txns.partition_point(|(zxid, _)| *zxid <= last);
        let previous = next.checked_sub(1).map_or(self.base, |index| self.txns[index].0);
        // What lies between two txns here was never committed. Its log may have lost more than that; and a
        // snapshot of an epoch in which nothing was committed may show more.
        let is_of_epoch = self.txns.get(next).is_some_and(|(zxid, _)| zxid.epoch() == last.epoch());
        let is_on_branch = previous == last || last == Zxid::ZERO || (!is_txn && is_of_epoch);
        if is_on_branch { Plan::Diff { above: last } } else { Plan::Snap }
    }
}

#[cfg(test)]
mod tests {
    use zk_wire::Epoch;

    use super::*;

    fn zxid(epoch: i32, counter: u32) -> Zxid {
        Zxid::new(Epoch(epoch), counter)
    }

    /// 1:3 is the base; 1:4 1:5 2:1 2:2 2:3 are kept.
    fn history() -> History {
        let keep = Keep { txns: 100, bytes: 0 };
        let mut history = History::ending_with(zxid(1, 3), Replayed::default(), keep);
        for (epoch, counter) in [(1, 4), (1, 5), (2, 1), (2, 2), (2, 3)] {
            history.push(zxid(epoch, counter), Bytes::new());
        }
        history
    }

    #[test]
    fn a_learner_is_told_what_it_lacks() {
        let committed = zxid(2, 2);
        let table = [
            ("nothing", zxid(2, 2), Plan::Diff { above: zxid(2, 2) }),
            ("the last epoch", zxid(1, 5), Plan::Diff { above: zxid(1, 5) }),
            ("all that is kept", zxid(1, 3), Plan::Diff { above: zxid(1, 3) }),
            ("more than is kept", zxid(1, 2), Plan::Snap),
            ("everything", Zxid::ZERO, Plan::Snap),
            ("the epoch from its start", zxid(2, 0), Plan::Diff { above: zxid(2, 0) }),
            ("but has one that was not committed", zxid(2, 3), Plan::Trunc { to: committed }),
            ("but has a lost tail of an old epoch", zxid(1, 6), Plan::Snap),
            ("but has led an epoch that nobody knows", zxid(3, 0), Plan::Snap),
            ("but has one of an epoch that came to nothing", zxid(3, 1), Plan::Snap),
        ];
        for (lacks, last, plan) in table {
            assert_eq!(history().plan(last, committed), plan, "lacks {lacks}");
        }
    }

    #[test]
    fn what_somebody_needs_is_kept() {
        let mut history = history();
        history.keep.txns = 2;
        history.trim(zxid(1, 4));
        assert_eq!(history.base, zxid(1, 4));
        history.trim(zxid(2, 3));
        assert_eq!(history.base, zxid(2, 1));
        let committed = zxid(2, 3);
        let table = [
            (zxid(1, 5), Plan::Log { above: zxid(1, 5) }),
            (zxid(1, 3), Plan::Log { above: zxid(1, 3) }),
            (zxid(1, 2), Plan::Snap),
            (zxid(2, 0), Plan::Snap),
        ];
        for (last, plan) in table {
            assert_eq!(history.plan(last, committed), plan, "ends with {last}");
        }
    }

    /// The log may hold the end of another history below what a start has replayed, or a leader has sent.
    #[test]
    fn the_log_counts_from_where_it_is_one_history() {
        let keep = Keep { txns: 0, bytes: 0 };
        let txns = [zxid(1, 6), zxid(1, 7)].map(|zxid| (zxid, Bytes::new()));
        let replayed = Replayed { above: zxid(1, 4), txns: VecDeque::from(txns) };
        let mut history = History::ending_with(zxid(1, 7), replayed, keep);
        assert_eq!(history.plan(zxid(1, 4), zxid(1, 7)), Plan::Log { above: zxid(1, 4) });
        assert_eq!(history.plan(zxid(1, 3), zxid(1, 7)), Plan::Snap);
        history.restart(zxid(2, 4), Replayed::default());
        assert_eq!(history.plan(zxid(1, 7), zxid(2, 4)), Plan::Snap);
    }

    #[test]
    fn a_cut_history_ends_at_the_cut() {
        let mut history = history();
        history.truncate(zxid(1, 5));
        assert_eq!(history.last(), zxid(1, 5));
        history.truncate(zxid(1, 1));
        assert_eq!((history.last(), history.base), (zxid(1, 1), zxid(1, 1)));
    }

    #[test]
    #[should_panic(expected = "without a gap")]
    fn a_gap_is_refused() {
        history().push(zxid(2, 5), Bytes::new());
    }
}
