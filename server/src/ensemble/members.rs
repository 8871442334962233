//! The members of the configuration as the core and the sockets need them.
//!
//! Java: `QuorumMaj.toString`, `QuorumHierarchical.toString`.

use std::collections::{BTreeMap, BTreeSet};

use zk_config::Ensemble;
use zk_core::Members;
use zk_wire::ServerId;

/// Who votes, who does not, and how votes are counted.
pub(crate) fn of(ensemble: &Ensemble) -> Members {
    let id = |id: zk_config::ServerId| ServerId(id.0);
    let groups: BTreeMap<i64, BTreeSet<ServerId>> = ensemble
        .groups
        .iter()
        .map(|(group, members)| (*group, members.iter().copied().map(id).collect()))
        .collect();
    let weights = ensemble.weights.iter().map(|(server, weight)| (id(*server), *weight));
    Members::new(
        ensemble.participants().map(|server| id(server.id)),
        ensemble.observers().map(|server| id(server.id)),
        groups,
        weights.collect(),
        ensemble.version,
        ensemble.text(),
    )
}
