//! What a reconfiguration makes of an ensemble.
//!
//! Pure: it looks at two texts and says what follows. Whether the new members are connected, and
//! whether the client may ask for them, is decided elsewhere; no name is resolved.
//!
//! Invariants
//! - The result has voters enough to be an ensemble, and version 0: its zxid is not known yet.
//! - Time and memory grow with the request and with the ensemble, and with nothing else.
//!
//! Java: the reconfig branch of `PrepRequestProcessor.pRequest2Txn`,
//! `QuorumServer.checkAddressDuplicate`.

use std::collections::BTreeSet;
use std::net::IpAddr;

use crate::ensemble::Ensemble;
use crate::error::{Errors, one_line};
use crate::server_spec::{ServerId, ServerSpec, SpecError, is_any};

/// What is asked for: either all members, or some to join and some to leave.
///
/// Compat: with `members` the other two are passed over; it is Java's clients that refuse them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Change<'a> {
    /// `server.N=…` entries with commas between them.
    pub joining: Option<&'a str>,
    /// Numbers of servers with commas between them.
    pub leaving: Option<&'a str>,
    /// The whole configuration, with commas or line ends between its entries.
    pub members: Option<&'a str>,
}

/// What the settings of the server allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ChangeRules {
    /// `multiAddress.enabled`.
    pub multi_address: bool,
    /// `standaloneEnabled`: one voter is no ensemble.
    pub standalone_enabled: bool,
}

/// Why a change is refused.
#[derive(Debug, thiserror::Error)]
pub enum ReconfigError {
    /// Servers cannot join or leave one by one.
    #[error(
        "Incremental reconfiguration requested but last configuration seen has a non-majority \
         quorum system; give all members, groups and weights instead"
    )]
    Hierarchical,
    /// An entry is no key with a value.
    #[error("{entry:?}: Wrong format of server string; allowed: server.N=host:port:port;port")]
    Form {
        /// The entry.
        entry: String,
    },
    /// A server that joins is described wrongly.
    #[error("{entry:?}: {}", one_line(&fault.to_string()))]
    Server {
        /// The entry.
        entry: String,
        /// What is wrong with it.
        #[source]
        fault: SpecError,
    },
    /// Several addresses where one is allowed.
    #[error(
        "{entry:?}: Multiple address feature is disabled, but multiple addresses were specified \
         for sid {id}; set multiAddress.enabled=true on every server to allow it"
    )]
    MultiAddressDisabled {
        /// The entry.
        entry: String,
        /// The server.
        id: ServerId,
    },
    /// A server that joins has no client port.
    #[error(
        "{entry:?}: Wrong format of server string - each server should have at least 3 ports \
         specified; add ;port for clients"
    )]
    NoClientPort {
        /// The entry.
        entry: String,
    },
    /// Two servers are told to listen in one place.
    #[error("{entry:?}: {address} of server.{id} conflicts with server.{other}")]
    SharedAddress {
        /// The entry.
        entry: String,
        /// Host and port.
        address: String,
        /// The server that joins.
        id: ServerId,
        /// The server that has the address.
        other: ServerId,
    },
    /// A server that leaves is named by something else than its number.
    #[error("{entry:?}: server to leave is not a number; allowed: the N of a server.N line")]
    Leaving {
        /// The entry.
        entry: String,
    },
    /// The whole configuration cannot be read.
    #[error(transparent)]
    Members(Errors),
    /// Too few would vote.
    #[error(
        "Reconfig failed - new configuration must include at least {needed} followers; it has \
         {voters}"
    )]
    TooFewVoters {
        /// How many would vote.
        voters: usize,
        /// How many must at least.
        needed: usize,
    },
}

impl Ensemble {
    /// The ensemble after a change, with version 0.
    ///
    /// # Errors
    /// The first entry that cannot be read or does not go with the others, or there would be too
    /// few voters.
    pub fn changed(&self, change: &Change<'_>, rules: ChangeRules) -> Result<Self, ReconfigError> {
        let mut next = match change.members {
            Some(members) => whole(members, rules)?,
            None => self.incremented(change, rules)?,
        };
        next.version = 0;
        let needed = if rules.standalone_enabled { 2 } else { 1 };
        let voters = next.participants().count();
        if voters < needed {
            return Err(ReconfigError::TooFewVoters { voters, needed });
        }
        Ok(next)
    }

    /// First those that leave are taken out, then those that join put in, in the order given.
    fn incremented(&self, change: &Change<'_>, rules: ChangeRules) -> Result<Self, ReconfigError> {
        if self.is_hierarchical() {
            return Err(ReconfigError::Hierarchical);
        }
        let mut next = self.clone();
        for entry in entries(change.leaving) {
            let id: ServerId = entry
                .parse()
                .map_err(|_: SpecError| ReconfigError::Leaving { entry: entry.to_owned() })?;
            next.servers.remove(&id);
        }
        let mut places = Places::of(&next);
        for entry in entries(change.joining) {
            let spec = joiner(entry, rules)?;
            if let Some((address, other)) = places.taken(&spec) {
                let (entry, id) = (entry.to_owned(), spec.id);
                return Err(ReconfigError::SharedAddress { entry, address, id, other });
            }
            if let Some(replaced) = next.servers.get(&spec.id) {
                places.remove(replaced);
            }
            places.insert(&spec);
            next.servers.insert(spec.id, spec);
        }
        Ok(next)
    }
}

/// The ensemble that a request gives as a whole.
///
/// Compat: client ports may be missing and addresses shared; Java looks at neither here.
fn whole(members: &str, rules: ChangeRules) -> Result<Ensemble, ReconfigError> {
    let lines = members.replace(',', "\n");
    Ensemble::parse("new members", lines.as_bytes(), rules.multi_address)
        .map_err(ReconfigError::Members)
}

/// A server that joins.
fn joiner(entry: &str, rules: ChangeRules) -> Result<ServerSpec, ReconfigError> {
    let wrong = |fault| ReconfigError::Server { entry: entry.to_owned(), fault };
    let mut parts = split(entry, '=');
    let (Some(key), Some(value), None) = (parts.next(), parts.next(), parts.next()) else {
        return Err(ReconfigError::Form { entry: entry.to_owned() });
    };
    // Compat: what stands before the last dot is not looked at.
    let number = key.rsplit_once('.').map_or(key, |(_, number)| number);
    let id = number.parse().map_err(wrong)?;
    let spec = ServerSpec::parse(id, value).map_err(wrong)?;
    if spec.addresses.len() > 1 && !rules.multi_address {
        return Err(ReconfigError::MultiAddressDisabled { entry: entry.to_owned(), id });
    }
    if spec.client.is_none() {
        return Err(ReconfigError::NoClientPort { entry: entry.to_owned() });
    }
    Ok(spec)
}

/// The places where servers listen.
struct Places(BTreeSet<(String, u16, ServerId)>);

impl Places {
    fn of(ensemble: &Ensemble) -> Self {
        let mut places = Self(BTreeSet::new());
        for server in ensemble.servers.values() {
            places.insert(server);
        }
        places
    }

    fn insert(&mut self, server: &ServerSpec) {
        let own = listening(server).map(|(host, port)| (host, port, server.id));
        self.0.extend(own);
    }

    fn remove(&mut self, server: &ServerSpec) {
        for (host, port) in listening(server) {
            self.0.remove(&(host, port, server.id));
        }
    }

    /// A place of this server that another one has, and which one.
    fn taken(&self, server: &ServerSpec) -> Option<(String, ServerId)> {
        listening(server).find_map(|(host, port)| {
            let all =
                (host.clone(), port, ServerId(i64::MIN))..=(host.clone(), port, ServerId(i64::MAX));
            let (.., other) = self.0.range(all).find(|(.., id)| *id != server.id)?;
            Some((format!("{host}:{port}"), *other))
        })
    }
}

/// Where a server listens, but for the places that are another one on every machine.
fn listening(server: &ServerSpec) -> impl Iterator<Item = (String, u16)> {
    let peers = server.addresses.iter().flat_map(|address| {
        [address.quorum_port, address.election_port].map(|port| (address.host.as_str(), port))
    });
    let client = server.client.iter().map(|client| (client.host.as_str(), client.port));
    peers
        .chain(client)
        .filter(|(host, _)| !is_any(host) && !is_loopback(host))
        .map(|(host, port)| (host.to_ascii_lowercase(), port))
}

fn is_loopback(host: &str) -> bool {
    host.eq_ignore_ascii_case("localhost")
        || host.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The entries of a list with commas.
fn entries(list: Option<&str>) -> impl Iterator<Item = &str> {
    list.into_iter().flat_map(|list| split(list, ','))
}

/// Compat: as in Java, empty fields do not count, wherever they stand.
fn split(text: &str, separator: char) -> impl Iterator<Item = &str> {
    text.split(separator).map(str::trim).filter(|field| !field.is_empty())
}

#[cfg(test)]
mod tests;
