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
        text(ensemble),
    )
}

/// The configuration as servers send it to each other, to the byte: it is compared as text.
fn text(ensemble: &Ensemble) -> String {
    let mut text = String::new();
    for (id, server) in &ensemble.servers {
        text += &format!("server.{id}={server}\n");
    }
    for (group, members) in &ensemble.groups {
        let members: BTreeSet<i64> = members.iter().map(|member| member.0).collect();
        let members: Vec<String> = members.iter().map(i64::to_string).collect();
        text += &format!("group.{group}={}\n", members.join(":"));
    }
    for (id, weight) in &ensemble.weights {
        text += &format!("weight.{id}={weight}\n");
    }
    text + &format!("version={:x}", ensemble.version)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn members_are_told_as_java_tells_them() {
        let check = |lines: &str, expected: &str| {
            let ensemble = Ensemble::parse("dynamic", lines.as_bytes(), true).unwrap();
            assert_eq!(text(&ensemble), expected);
        };
        check(
            "server.10=h:2:3:observer\nserver.2=127.0.0.1:2888:3888;2181\nserver.3=[::1]:2:3\n",
            "server.2=127.0.0.1:2888:3888:participant;0.0.0.0:2181\n\
             server.3=[0:0:0:0:0:0:0:1]:2:3:participant\nserver.10=h:2:3:observer\nversion=0",
        );
        check(
            "server.1=a:2:3\nserver.2=b:2:3\nserver.3=c:2:3\ngroup.7=3:1:2\nweight.2=4\n\
             version=100000000",
            "server.1=a:2:3:participant\nserver.2=b:2:3:participant\nserver.3=c:2:3:participant\n\
             group.7=1:2:3\nweight.1=1\nweight.2=4\nweight.3=1\nversion=100000000",
        );
    }
}
