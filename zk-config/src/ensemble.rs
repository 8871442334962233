//! The members of an ensemble: `server.N`, `group.N` and `weight.N` lines as one value.
//!
//! They stand in the static file or in a dynamic one; the same lines make up the content of the
//! znode `/zookeeper/config`.
//!
//! Invariants
//! - With groups or weights every participant is in exactly one group and has a weight.
//! - What an [`Ensemble`] prints can be parsed, and prints the same again.
//! - Reading takes time and memory in proportion to the text, also when every line is wrong.
//!
//! Java: `QuorumMaj`, `QuorumHierarchical`, `QuorumPeerConfig.parseDynamicConfig`.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::fmt::Write;
use std::rc::Rc;

use crate::error::{Error, Errors, LONG, Origin};
use crate::keys::{self, Kind};
use crate::member_error::MemberError;
use crate::properties::Properties;
use crate::reader::Given;
use crate::server_spec::{Role, ServerId, ServerSpec};
use crate::value::decimal_long;
use crate::warning::{Caution, Warning};

/// Who is in the ensemble, and how votes are counted.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Ensemble {
    /// The members by number.
    pub servers: BTreeMap<ServerId, ServerSpec>,
    /// The groups of a hierarchical quorum, by number; empty for a majority quorum.
    pub groups: BTreeMap<i64, Vec<ServerId>>,
    /// The weights of a hierarchical quorum; empty for a majority quorum.
    pub weights: BTreeMap<ServerId, i64>,
    /// The zxid with which this configuration was committed; 0 for one from the static file.
    pub version: i64,
}

/// An ensemble while it is read: with the places of its lines.
#[derive(Debug, Default)]
pub(crate) struct Listed {
    pub(crate) ensemble: Ensemble,
    pub(crate) places: BTreeMap<ServerId, Origin>,
    pub(crate) errors: Vec<Error>,
    pub(crate) warnings: Vec<Warning>,
}

/// What a `version` line in a file of members means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum VersionLine {
    /// It gives the version, as in `/zookeeper/config`.
    Taken,
    /// It must not be there: the file's name gives the version.
    Refused,
}

impl Ensemble {
    /// Parses a dynamic configuration, `version` line included; `file` is for messages only.
    ///
    /// # Errors
    /// Every fault of the text.
    pub fn parse(file: &str, text: &[u8], multi_address: bool) -> Result<Self, Errors> {
        let listed = Listed::parse(file, text, multi_address, VersionLine::Taken);
        if listed.errors.is_empty() { Ok(listed.ensemble) } else { Err(Errors(listed.errors)) }
    }

    /// The members that vote, by number.
    pub fn participants(&self) -> impl Iterator<Item = &ServerSpec> {
        self.servers.values().filter(|server| server.role == Role::Participant)
    }

    /// The members that do not vote, by number.
    pub fn observers(&self) -> impl Iterator<Item = &ServerSpec> {
        self.servers.values().filter(|server| server.role == Role::Observer)
    }

    /// The members as servers send them to each other and to clients, to the byte: it is compared
    /// as text. With the version, by number, and without a last line end.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let mut line = |line: fmt::Arguments<'_>| {
            text.write_fmt(line).expect("a text takes everything");
        };
        for (id, server) in &self.servers {
            line(format_args!("server.{id}={server}\n"));
        }
        for (group, members) in &self.groups {
            let members: BTreeSet<ServerId> = members.iter().copied().collect();
            let members: Vec<String> = members.iter().map(ServerId::to_string).collect();
            line(format_args!("group.{group}={}\n", members.join(":")));
        }
        for (id, weight) in &self.weights {
            line(format_args!("weight.{id}={weight}\n"));
        }
        line(format_args!("version={:x}", self.version));
        text
    }

    /// Whether votes are counted by groups and weights.
    pub fn is_hierarchical(&self) -> bool {
        !self.groups.is_empty() || !self.weights.is_empty()
    }
}

/// The lines of a dynamic file: sorted, without version and without a last line end.
impl fmt::Display for Ensemble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let servers = self.servers.iter().map(|(id, server)| format!("server.{id}={server}"));
        let groups = self.groups.iter().map(|(group, members)| {
            let members: Vec<String> = members.iter().map(ServerId::to_string).collect();
            format!("group.{group}={}", members.join(":"))
        });
        let weights = self.weights.iter().map(|(id, weight)| format!("weight.{id}={weight}"));
        let mut lines: Vec<String> = servers.chain(groups).chain(weights).collect();
        lines.sort();
        f.write_str(&lines.join("\n"))
    }
}

impl Listed {
    /// Reads a file that holds members only.
    pub(crate) fn parse(
        file: &str,
        text: &[u8],
        multi_address: bool,
        version_line: VersionLine,
    ) -> Self {
        let mut listed = Self::default();
        let properties = Properties::parse_what_can_be(file, text, &mut listed.errors);
        // By key, so that the last line of a key counts, each with its place among the lines.
        let mut lines: BTreeMap<String, (usize, Given)> = BTreeMap::new();
        for (place, entry) in properties.entries().iter().enumerate() {
            let key = entry.key.trim().to_owned();
            let text = entry.value.trim().to_owned();
            let at = properties.origin(entry);
            let is_member = keys::find(&key)
                .is_some_and(|row| matches!(row.kind, Kind::Server | Kind::Group | Kind::Weight));
            match (key.as_str(), version_line) {
                ("version", VersionLine::Taken) => match i64::from_str_radix(&text, 16) {
                    Ok(version) => listed.ensemble.version = version,
                    Err(_) => listed.refuse(MemberError::Version { at, value: text }),
                },
                ("version", VersionLine::Refused) => {
                    listed.refuse(MemberError::VersionInside { at, value: text });
                }
                _ if is_member => {
                    lines.insert(key.clone(), (place, Given { key, text, at }));
                }
                _ => listed.refuse(MemberError::NotAMember { at, key }),
            }
        }
        let mut lines: Vec<(usize, Given)> = lines.into_values().collect();
        lines.sort_unstable_by_key(|(place, _)| *place);
        listed.take(lines.into_iter().map(|(_, line)| line).collect(), multi_address);
        listed
    }

    fn refuse(&mut self, error: impl Into<Error>) {
        self.errors.push(error.into());
    }

    /// Reads the lines that define members, groups and weights.
    pub(crate) fn take(&mut self, lines: Vec<Given>, multi_address: bool) {
        let mut group_of: BTreeMap<ServerId, Rc<Given>> = BTreeMap::new();
        for line in lines {
            let row = keys::find(&line.key).expect("the caller picked lines of the table");
            match row.kind {
                Kind::Group => self.take_group(line, &mut group_of),
                Kind::Weight => self.take_weight(&line),
                _ => self.take_server(line, multi_address),
            }
        }
        // With a line missing, what does not fit together is only a consequence.
        if self.ensemble.is_hierarchical() && self.errors.is_empty() {
            self.complete_weights(group_of);
        }
        self.warn_of_shared_ports();
    }

    fn take_server(&mut self, line: Given, multi_address: bool) {
        let Given { key, text, at } = line;
        let number = key.strip_prefix("server.").unwrap_or(&key);
        let spec = number
            .parse()
            .and_then(|id| ServerSpec::parse(id, &text))
            .map_err(|fault| MemberError::Server { at: at.clone(), key: key.clone(), fault });
        let spec = match spec {
            Ok(spec) if spec.addresses.len() > 1 && !multi_address => {
                let (id, value) = (spec.id, text);
                return self.refuse(MemberError::MultiAddressDisabled { at, key, id, value });
            }
            Ok(spec) => spec,
            Err(error) => return self.refuse(error),
        };
        let id = spec.id;
        if !(1..=255).contains(&id.0) {
            let caution = Caution::ServerIdRange { id };
            self.warnings.push(Warning { at: at.clone(), key: key.clone(), caution });
        }
        if let Some(before) = self.places.insert(id, at.clone()) {
            // Two spellings of one number, such as 1 and 01.
            let caution = Caution::SetAgain { by: at };
            self.warnings.push(Warning { at: before, key: format!("server.{id}"), caution });
        }
        self.ensemble.servers.insert(id, spec);
    }

    /// Stops at the first fault of the line.
    fn take_group(&mut self, line: Given, group_of: &mut BTreeMap<ServerId, Rc<Given>>) {
        let Some(group) = self.number_in_key(&line) else { return };
        let line = Rc::new(line);
        let mut members = Vec::new();
        // Compat: as everywhere in Java, empty fields at the end do not count.
        for member in line.text.trim_end_matches(':').split(':') {
            let Ok(id) = member.trim().parse::<ServerId>() else {
                return self.not_a_number(&line, member);
            };
            if group_of.insert(id, Rc::clone(&line)).is_some() {
                let Given { key, text: value, at } = Given::clone(&line);
                return self.refuse(MemberError::ManyGroups { at, key, value, id });
            }
            members.push(id);
        }
        self.ensemble.groups.insert(group, members);
    }

    fn take_weight(&mut self, line: &Given) {
        let Some(id) = self.number_in_key(line) else { return };
        match decimal_long(&line.text) {
            Some(weight) => {
                self.ensemble.weights.insert(ServerId(id), weight);
            }
            None => self.not_a_number(line, &line.text),
        }
    }

    fn number_in_key(&mut self, line: &Given) -> Option<i64> {
        let text = line.key.split_once('.').map_or(line.key.as_str(), |(_, number)| number);
        let number = decimal_long(text);
        if number.is_none() {
            self.not_a_number(line, text);
        }
        number
    }

    fn not_a_number(&mut self, line: &Given, value: &str) {
        let (at, key) = (line.at.clone(), line.key.clone());
        self.refuse(Error::NotANumber { at, key, value: value.to_owned(), allowed: LONG });
    }

    /// Compat: a group may name any server that has a weight; Java trips over others. Of these the
    /// first of each group is named.
    fn complete_weights(&mut self, group_of: BTreeMap<ServerId, Rc<Given>>) {
        let participants: Vec<ServerId> =
            self.ensemble.participants().map(|server| server.id).collect();
        for id in participants {
            self.ensemble.weights.entry(id).or_insert(1);
            if !group_of.contains_key(&id) {
                self.refuse(MemberError::NoGroup { at: self.places[&id].clone(), id });
            }
        }
        let mut reported = BTreeSet::new();
        for (id, line) in group_of {
            if !self.ensemble.weights.contains_key(&id) && !reported.contains(&line.key) {
                reported.insert(line.key.clone());
                let Given { key, text: value, at } = Given::clone(&line);
                self.refuse(MemberError::NoVoter { at, key, value, id });
            }
        }
    }

    /// Java finds out at run time, as a connection that comes from itself.
    fn warn_of_shared_ports(&mut self) {
        let mut taken: BTreeMap<(String, u16), ServerId> = BTreeMap::new();
        for (id, server) in &self.ensemble.servers {
            for address in &server.addresses {
                for port in [address.quorum_port, address.election_port] {
                    let place = (address.host.to_ascii_lowercase(), port);
                    let Some(other) = taken.insert(place, *id).filter(|other| other != id) else {
                        continue;
                    };
                    let at = self.places[id].clone();
                    let address = format!("{}:{port}", address.host);
                    let caution = Caution::SharedPort { other, address };
                    self.warnings.push(Warning { at, key: format!("server.{id}"), caution });
                }
            }
        }
    }
}

/// The version that the name of a dynamic file ends in; 0 if it ends in none.
pub(crate) fn version_of_file_name(name: &str) -> i64 {
    let suffix = name.rsplit_once('.').map(|(_, suffix)| suffix);
    suffix.and_then(|suffix| i64::from_str_radix(suffix, 16).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests;
