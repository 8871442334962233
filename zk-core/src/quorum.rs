//! Who belongs to the ensemble, and whether enough of them agree.
//!
//! A `Members` is one configuration and never changes; it knows no addresses and checks nothing: the
//! text was parsed and judged where it came in.
//!
//! Invariants
//! - Only voters count, whoever else acknowledges.
//! - Two quorums of one configuration have a voter in common.
//!
//! Java: `QuorumMaj`, `QuorumHierarchical`.

mod grammar;
#[cfg(test)]
pub(crate) mod plain;

use std::collections::{BTreeMap, BTreeSet};

use zk_wire::ServerId;

pub use grammar::{Grammar, MembersChange};

/// Who is in the ensemble and how votes are counted: one configuration, with its text as peers see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Members {
    voters: BTreeSet<ServerId>,
    observers: BTreeSet<ServerId>,
    rule: Rule,
    version: i64,
    text: String,
}

/// How votes are counted.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Rule {
    /// More than half of the voters.
    Majority,
    /// More than half of the weight in more than half of the groups.
    Hierarchical { weights: BTreeMap<ServerId, i64>, groups: Vec<Group> },
}

/// The voters of a group that has weight.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Group {
    voters: BTreeSet<ServerId>,
    weight: i64,
}

impl Members {
    /// The configuration with this text and version. Without `groups` a majority of the voters is a
    /// quorum and `weights` have no meaning; with them a voter weighs 1 if `weights` does not say.
    pub fn new(
        voters: impl IntoIterator<Item = ServerId>,
        observers: impl IntoIterator<Item = ServerId>,
        groups: BTreeMap<i64, BTreeSet<ServerId>>,
        weights: BTreeMap<ServerId, i64>,
        version: i64,
        text: String,
    ) -> Self {
        let voters: BTreeSet<_> = voters.into_iter().collect();
        let observers = observers.into_iter().filter(|id| !voters.contains(id)).collect();
        let rule = if groups.is_empty() {
            Rule::Majority
        } else {
            let groups = groups.values().map(|group| Group::new(group & &voters, &weights));
            let groups = groups.filter(|group| group.weight != 0).collect();
            Rule::Hierarchical { weights, groups }
        };
        Self { voters, observers, rule, version, text }
    }

    /// Whether this server votes.
    pub fn is_voter(&self, id: ServerId) -> bool {
        self.voters.contains(&id)
    }

    /// Whether this server is a member that follows without a vote.
    pub fn is_observer(&self, id: ServerId) -> bool {
        self.observers.contains(&id)
    }

    /// All voters, in the order of their numbers.
    pub fn voters(&self) -> impl Iterator<Item = ServerId> {
        self.voters.iter().copied()
    }

    /// What the vote of this server weighs: 1 unless the configuration says otherwise, 0 of one that
    /// has no vote.
    pub fn weight(&self, id: ServerId) -> i64 {
        if !self.is_voter(id) {
            return 0;
        }
        match &self.rule {
            Rule::Majority => 1,
            Rule::Hierarchical { weights, .. } => weight(weights, id),
        }
    }

    /// Whether these servers are a quorum; those that do not vote do not count.
    pub fn has_quorum(&self, acks: &BTreeSet<ServerId>) -> bool {
        match &self.rule {
            Rule::Majority => is_most(self.voters.intersection(acks).count(), self.voters.len()),
            Rule::Hierarchical { weights, groups } => {
                let agree = groups.iter().filter(|group| {
                    let acked = total_weight(group.voters.intersection(acks), weights);
                    acked > group.weight / 2
                });
                is_most(agree.count(), groups.len())
            }
        }
    }

    /// The version of the configuration: the zxid of the txn that made it, 0 at first.
    pub fn version(&self) -> i64 {
        self.version
    }

    /// The configuration as peers see it, a server a line.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The same members with a version.
    pub(crate) fn with_version(&self, version: i64) -> Self {
        let lines = self.text.lines().filter(|line| !line.starts_with(VERSION));
        let mut text: String = lines.flat_map(|line| [line, "\n"]).collect();
        text += &format!("{VERSION}{version:x}");
        Self { version, text, ..self.clone() }
    }

    /// Where other servers reach a member, as the text has it.
    pub(crate) fn place(&self, id: ServerId) -> Option<&str> {
        let key = format!("server.{id}=");
        let spec = self.text.lines().find_map(|line| line.strip_prefix(&key))?;
        let peer_part = spec.split(';').next()?;
        Some(peer_part.rsplit_once(':').map_or(peer_part, |(place, _role)| place))
    }
}

impl Group {
    fn new(voters: BTreeSet<ServerId>, weights: &BTreeMap<ServerId, i64>) -> Self {
        let weight = total_weight(voters.iter(), weights);
        Self { voters, weight }
    }
}

/// How the line of a text begins that tells its version.
const VERSION: &str = "version=";

fn is_most(count: usize, of: usize) -> bool {
    count > of / 2
}

fn total_weight<'a>(
    ids: impl Iterator<Item = &'a ServerId>,
    weights: &BTreeMap<ServerId, i64>,
) -> i64 {
    ids.fold(0, |sum: i64, id| sum.saturating_add(weight(weights, *id)))
}

fn weight(weights: &BTreeMap<ServerId, i64>, id: ServerId) -> i64 {
    weights.get(&id).copied().unwrap_or(1)
}

#[cfg(test)]
mod tests;
