//! Every txn that was ever proposed, and the one path through them that is committed.
//!
//! Each txn stands on the one that its leader had before it, so that all of them are a tree; the log of
//! every server is a path in it. An epoch with counter 0 is no txn: it stands for the history with which
//! that epoch began.
//!
//! Invariants
//! - A moment's `state` is what all txns up to it make, replayed as requests.
//! - `chain` only grows, except that a lone server may lose what it never told of.

use std::collections::BTreeMap;
use std::rc::Rc;

use bytes::Bytes;

use super::Moment;
use crate::model::State;

/// All txns of a run.
#[derive(Debug)]
pub(super) struct Book {
    moments: BTreeMap<i64, Rc<Moment>>,
    /// The committed ones, in order; the first is the empty database.
    chain: Vec<Rc<Moment>>,
    /// With which txn an epoch began, by that epoch with counter 0.
    beginnings: BTreeMap<i64, i64>,
    latest: i64,
}

impl Book {
    pub(super) fn new() -> Self {
        let first = Rc::new(Moment {
            zxid: 0,
            above: 0,
            txn: Bytes::new(),
            state: Rc::new(State::new()),
            events: Vec::new(),
            answer: None,
        });
        Self {
            moments: BTreeMap::from([(0, first.clone())]),
            chain: vec![first],
            beginnings: BTreeMap::new(),
            latest: 0,
        }
    }

    /// The txn that a zxid stands for.
    pub(super) fn txn_of(&self, zxid: i64) -> i64 {
        self.beginnings.get(&zxid).copied().unwrap_or(zxid)
    }

    /// The moment that a zxid stands for.
    pub(super) fn get(&self, zxid: i64) -> Option<&Rc<Moment>> {
        self.moments.get(&self.txn_of(zxid))
    }

    /// The moment proposed last, whatever became of it.
    pub(super) fn latest(&self) -> &Rc<Moment> {
        &self.moments[&self.latest]
    }

    /// The moment committed last.
    pub(super) fn head(&self) -> &Rc<Moment> {
        self.chain.last().expect("the empty database is always there")
    }

    /// The committed moments.
    pub(super) fn chain(&self) -> &[Rc<Moment>] {
        &self.chain
    }

    /// Where the committed moment stands that a zxid stands for.
    pub(super) fn place_of(&self, zxid: i64) -> Option<usize> {
        let txn = self.txn_of(zxid);
        self.chain.binary_search_by_key(&txn, |moment| moment.zxid).ok()
    }

    /// The committed moment that a zxid stands for.
    pub(super) fn committed(&self, zxid: i64) -> Option<&Rc<Moment>> {
        self.place_of(zxid).map(|place| &self.chain[place])
    }

    /// A leader has proposed.
    pub(super) fn propose(&mut self, moment: Moment) {
        self.latest = moment.zxid;
        self.moments.insert(moment.zxid, Rc::new(moment));
    }

    /// An epoch begins with this txn; `zxid` is the epoch with counter 0.
    pub(super) fn begin(&mut self, zxid: i64, txn: i64) {
        self.beginnings.insert(zxid, txn);
    }

    /// Whether a history that ends with `last` has this txn.
    pub(super) fn has(&self, last: i64, txn: i64) -> bool {
        let mut at = last;
        while at > txn {
            at = self.moments[&at].above;
        }
        at == txn
    }

    /// Commits everything up to this txn; false if that would not go on from what is committed.
    pub(super) fn commit(&mut self, txn: i64) -> bool {
        let head = self.head().zxid;
        let mut path = Vec::new();
        let mut at = txn;
        while at > head {
            let moment = self.moments[&at].clone();
            at = moment.above;
            path.push(moment);
        }
        path.reverse();
        self.chain.extend(path);
        at == head
    }

    /// A lone server has recovered up to this txn: later ones never were.
    pub(super) fn forget_above(&mut self, zxid: i64) {
        self.moments.retain(|of, _| *of <= zxid);
        self.chain.truncate(self.chain.partition_point(|moment| moment.zxid <= zxid));
        self.latest = zxid;
    }
}
