//! A language of configurations for tests: `server.N=PLACE:participant` or `:observer`, a server a line.

use std::collections::BTreeMap;

use zk_wire::ServerId;

use super::{Grammar, Members, MembersChange};

#[derive(Debug)]
pub(crate) struct Plain;

impl Plain {
    /// These voters, each at a place that is named after it.
    pub(crate) fn voters(voters: impl IntoIterator<Item = i64>) -> Members {
        let lines: Vec<_> =
            voters.into_iter().map(|id| format!("server.{id}=at{id}:participant")).collect();
        Self.members(&lines.join("\n")).expect("it is well-formed").with_version(0)
    }
}

impl Grammar for Plain {
    fn members(&self, text: &str) -> Result<Members, String> {
        let (mut voters, mut observers, mut version) = (Vec::new(), Vec::new(), 0);
        for line in text.lines() {
            let (key, value) = line.split_once('=').ok_or("a line without =")?;
            if key == "version" {
                version = i64::from_str_radix(value, 16).map_err(|error| error.to_string())?;
                continue;
            }
            let id = key.strip_prefix("server.").and_then(|id| id.parse().ok());
            let role = if value.ends_with("observer") { &mut observers } else { &mut voters };
            role.push(ServerId(id.ok_or("no number")?));
        }
        let (groups, weights) = (BTreeMap::new(), BTreeMap::new());
        Ok(Members::new(voters, observers, groups, weights, version, text.to_owned()))
    }

    fn changed(&self, last: &Members, request: &MembersChange<'_>) -> Result<Members, String> {
        let mut lines: BTreeMap<String, String> = BTreeMap::new();
        let old = last.text().lines().filter(|line| line.starts_with("server."));
        let joining = request.joining.into_iter().flat_map(|joining| joining.split(','));
        for line in old.chain(joining) {
            let (key, value) = line.split_once('=').ok_or("a line without =")?;
            lines.insert(key.to_owned(), value.to_owned());
        }
        for id in request.leaving.into_iter().flat_map(|leaving| leaving.split(',')) {
            lines.remove(&format!("server.{id}"));
        }
        let lines: Vec<_> = lines.iter().map(|(key, value)| format!("{key}={value}")).collect();
        Ok(self.members(&lines.join("\n"))?.with_version(0))
    }
}
