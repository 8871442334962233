//! The members of the configuration as the core needs them, and the core's way to read others.
//!
//! The texts of configurations that come over the network are understood here, for the core; the
//! rules are `zk_config`'s.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use zk_config::{Change, ChangeRules, Ensemble};
use zk_core::{Grammar, Members, MembersChange};
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

/// The configuration of a text that the core has understood before, with all its addresses.
pub(crate) fn read(text: &str) -> Option<Ensemble> {
    Ensemble::parse("configuration", text.as_bytes(), true).ok()
}

/// The language of configurations, under the settings that it depends on.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ConfigGrammar {
    /// `multiAddress.enabled`.
    pub(crate) multi_address: bool,
    /// `standaloneEnabled`.
    pub(crate) standalone_enabled: bool,
}

impl ConfigGrammar {
    fn ensemble(self, text: &str) -> Result<Ensemble, String> {
        Ensemble::parse("configuration", text.as_bytes(), self.multi_address).map_err(on_one_line)
    }
}

impl Grammar for ConfigGrammar {
    fn members(&self, text: &str) -> Result<Members, String> {
        self.ensemble(text).map(|ensemble| of(&ensemble))
    }

    fn changed(&self, last: &Members, request: &MembersChange<'_>) -> Result<Members, String> {
        let MembersChange { joining, leaving, members } = *request;
        let rules = ChangeRules {
            multi_address: self.multi_address,
            standalone_enabled: self.standalone_enabled,
        };
        let next = self
            .ensemble(last.text())?
            .changed(&Change { joining, leaving, members }, rules)
            .map_err(on_one_line)?;
        Ok(of(&next))
    }
}

/// Several faults stand on a line each.
fn on_one_line(error: impl fmt::Display) -> String {
    error.to_string().replace('\n', "; ")
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAMMAR: ConfigGrammar = ConfigGrammar { multi_address: false, standalone_enabled: true };

    #[test]
    fn the_text_of_members_is_read_and_told_again() {
        let text = "server.1=a:2:3:participant\nserver.2=b:2:3:observer\nversion=100000000";
        let members = GRAMMAR.members(text).unwrap();
        assert!(members.is_voter(ServerId(1)) && members.is_observer(ServerId(2)));
        assert_eq!((members.version(), members.text()), (1 << 32, text));
        let fault = GRAMMAR.members("server.1=a:2:3|b:2:3\nfoo=1").unwrap_err();
        assert_eq!(
            fault,
            "configuration:2: Unrecognised parameter: foo; allowed: server.N, group.N, weight.N; \
             configuration:1: server.1: Multiple address feature is disabled, but multiple \
             addresses were specified for sid 1; set multiAddress.enabled=true to allow \
             a:2:3|b:2:3"
        );
    }

    #[test]
    fn a_request_changes_the_last_members() {
        let text = "server.1=a:2:3:participant\nserver.2=b:2:3:participant\nversion=100000000";
        let last = GRAMMAR.members(text).unwrap();
        let request = |joining, leaving| MembersChange { joining, leaving, members: None };
        let next = GRAMMAR.changed(&last, &request(Some("server.3=c:2:3;2181"), Some("1")));
        assert_eq!(
            next.unwrap().text(),
            "server.2=b:2:3:participant\nserver.3=c:2:3:participant;0.0.0.0:2181\nversion=0"
        );
        let fault = GRAMMAR.changed(&last, &request(None, Some("1"))).unwrap_err();
        assert_eq!(
            fault,
            "Reconfig failed - new configuration must include at least 2 followers; it has 1"
        );
    }
}
