//! The walls inside and around `zk-core`: no clock, no IO, and modules that do not know each other.

use super::Finding;
use super::code::{NamedPath, paths};
use crate::repository::{File, Repository};

/// The core decides; whatever touches the world is the shell's.
pub(super) fn core_is_pure(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for file in core_sources(repository) {
        for named in paths(&file.text) {
            let impure = IMPURE.iter().find(|(path, _)| named.is_in(path));
            if let Some((_, instead)) = impure.filter(|_| !VALUES.contains(&&*named.path)) {
                let why = format!("the core names `{}`: {instead}", named.path);
                findings.push(Finding::new(&file.path, named.line, why));
            }
        }
    }
    findings
}

/// The tree holds what was decided and knows nothing of those who decide.
pub(super) fn core_modules_know_their_place(repository: &Repository) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (module, others) in STRANGERS {
        let is_in_module = |file: &&File| {
            let inside = file.path.strip_prefix("zk-core/src/").unwrap_or_default();
            inside == format!("{module}.rs") || inside.starts_with(&format!("{module}/"))
        };
        for file in core_sources(repository).filter(is_in_module) {
            for named in paths(&file.text) {
                if others.iter().any(|other| names_module(&named, other)) {
                    let why = format!("`{module}` names `{}`, which stands above it", named.path);
                    findings.push(Finding::new(&file.path, named.line, why));
                }
            }
        }
    }
    findings
}

fn names_module(named: &NamedPath, module: &str) -> bool {
    let path = named.path.trim_start_matches("super::");
    let path = path.strip_prefix("crate::").unwrap_or(path);
    path.len() < named.path.len()
        && path.strip_prefix(module).is_some_and(|rest| rest.is_empty() || rest.starts_with("::"))
}

fn core_sources(repository: &Repository) -> impl Iterator<Item = &File> {
    let is_code = |file: &&File| {
        file.path.starts_with("zk-core/src/")
            && !file.is_below("tests")
            && !file.path.ends_with("tests.rs")
    };
    repository.rust().filter(is_code)
}

/// What the core never names, and what it has instead.
const IMPURE: &[(&str, &str)] = &[
    ("std::fs", "files are zk-storage's"),
    ("std::net", "sockets are the server's"),
    ("std::thread", "threads are the server's"),
    ("std::time::Instant", "time comes in with each step"),
    ("std::time::SystemTime", "time comes in with each step"),
    ("std::collections::HashMap", "its order is random: use an ordered or seeded map"),
    ("std::collections::HashSet", "its order is random: use an ordered or seeded set"),
    ("tokio", "the event loop is the server's"),
];

/// Plain values that stand among what the core never names.
const VALUES: &[&str] = &["std::net::IpAddr", "std::net::Ipv4Addr", "std::net::Ipv6Addr"];

/// Modules, and those that they must not know.
const STRANGERS: &[(&str, &[&str])] = &[
    ("tree", &["prep", "peer", "zab", "election"]),
    ("quorum", &["tree", "database", "prep", "peer", "zab", "election"]),
    ("election", &["tree", "database", "prep", "peer", "zab"]),
    ("zab", &["tree", "database", "prep", "peer", "election"]),
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::check;

    #[test]
    fn a_clock_in_the_core_is_found_and_elsewhere_is_not() {
        let clock = "//! X.\nuse std::time::{Duration, Instant};\n";
        let files = [
            ("zk-core/src/peer.rs", clock),
            ("zk-core/src/peer/tests.rs", clock),
            ("server/src/main.rs", clock),
        ];
        assert_eq!(
            check(core_is_pure, &files),
            [
                "zk-core/src/peer.rs:2: the core names `std::time::Instant`: time comes in with each step"
            ]
        );
    }

    #[test]
    fn an_address_is_a_value_and_a_socket_is_not() {
        let net = "//! X.\nuse std::net::{IpAddr, TcpStream};\n";
        assert_eq!(
            check(core_is_pure, &[("zk-core/src/ip.rs", net)]),
            ["zk-core/src/ip.rs:2: the core names `std::net::TcpStream`: sockets are the server's"]
        );
    }

    #[test]
    fn the_tree_may_not_know_preparation() {
        let files = [
            ("zk-core/src/tree.rs", "use crate::{path::ZnodePath, prep::Change};\n"),
            ("zk-core/src/tree/node.rs", "use super::super::peer;\nuse crate::preparation::X;\n"),
            ("zk-core/src/prep.rs", "use crate::tree::Tree;\nuse crate::peer::Peer;\n"),
        ];
        assert_eq!(
            check(core_modules_know_their_place, &files),
            [
                "zk-core/src/tree.rs:1: `tree` names `crate::prep::Change`, which stands above it",
                "zk-core/src/tree/node.rs:1: `tree` names `super::super::peer`, which stands above it",
            ]
        );
    }
}
