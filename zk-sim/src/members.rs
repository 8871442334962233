//! A language of configurations: `server.N=PLACE:participant` or `:observer`, a server a line.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use zk_core::{Grammar, Members, MembersChange};
use zk_wire::{Naming, ServerId};

/// What a server's files say of the members and of the ensemble: it outlives every crash.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kept {
    pub(crate) members: Option<Members>,
    pub(crate) proposed: Option<Members>,
    /// What its file says of the ensemble's id.
    pub(crate) naming: Naming,
}

/// The files of one machine, which its process writes.
pub(crate) type Files = Rc<RefCell<Kept>>;

/// How servers read configurations.
#[derive(Debug)]
pub(crate) struct Lines {
    /// A broken server reads these voters in every text.
    pub(crate) always: Option<BTreeSet<ServerId>>,
}

/// The text of a configuration without a version.
pub(crate) fn text_of(voters: usize, nodes: usize) -> String {
    let role = |node| if node <= voters { "participant" } else { "observer" };
    let lines = (1..=nodes).map(|node| format!("server.{node}=at{node}:{}\n", role(node)));
    lines.chain(["version=0".to_owned()]).collect()
}

/// The voters of a text.
pub(crate) fn voters(text: &str) -> BTreeSet<ServerId> {
    let voter = |line: &str| {
        let (key, value) = line.split_once('=')?;
        let id = key.strip_prefix("server.")?.parse().ok()?;
        value.ends_with(":participant").then_some(ServerId(id))
    };
    text.lines().filter_map(voter).collect()
}

fn observers(text: &str) -> BTreeSet<ServerId> {
    voters(&text.replace(":participant", "").replace(":observer", ":participant"))
}

impl Grammar for Lines {
    fn members(&self, text: &str) -> Result<Members, String> {
        let version = text.lines().find_map(|line| line.strip_prefix("version=")).unwrap_or("0");
        let version = i64::from_str_radix(version, 16).map_err(|error| error.to_string())?;
        let voters = self.always.clone().unwrap_or_else(|| voters(text));
        let (groups, weights) = (BTreeMap::new(), BTreeMap::new());
        Ok(Members::new(voters, observers(text), groups, weights, version, text.to_owned()))
    }

    fn changed(&self, last: &Members, request: &MembersChange<'_>) -> Result<Members, String> {
        let old = last.text().lines().filter(|line| line.starts_with("server."));
        let joining = request.joining.into_iter().flat_map(|joining| joining.split(','));
        let mut lines = BTreeMap::new();
        for line in old.chain(joining) {
            let (key, value) = line.split_once('=').ok_or("a line without =")?;
            lines.insert(key.to_owned(), value.to_owned());
        }
        for id in request.leaving.into_iter().flat_map(|leaving| leaving.split(',')) {
            lines.remove(&format!("server.{id}"));
        }
        let lines = lines.iter().map(|(key, value)| format!("{key}={value}\n"));
        let text: String = lines.chain(["version=0".to_owned()]).collect();
        if voters(&text).len() < 2 {
            return Err("too few voters".to_owned());
        }
        self.members(&text)
    }
}
