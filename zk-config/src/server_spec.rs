//! One `server.N` line: who a member is, where it listens and what role it has.
//!
//! Parsing resolves no name: an unknown host is found out when a connection is tried.
//!
//! Invariants
//! - A [`ServerSpec`] has at least one address, and no two equal ones.
//! - What a [`ServerSpec`] prints can be parsed, and prints the same again.
//!
//! Java: `QuorumPeer.QuorumServer`, `ConfigUtils.getHostAndPort`.

use std::collections::HashSet;
use std::fmt;
use std::net::Ipv6Addr;
use std::str::FromStr;

use crate::value::decimal_long;

/// The number of a member, the `N` of `server.N` and the content of `myid`.
///
/// Compat: any signed 64-bit number is taken, as in Java; the manual's range 1 to 255 is only
/// warned about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ServerId(pub i64);

impl fmt::Display for ServerId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for ServerId {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        let id = decimal_long(text).ok_or_else(|| SpecError::Id { text: text.to_owned() })?;
        Ok(Self(id))
    }
}

/// Whether a member votes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// Votes and may lead.
    Participant,
    /// Follows the leader and serves reads, never votes.
    Observer,
}

impl fmt::Display for Role {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Participant => "participant",
            Self::Observer => "observer",
        })
    }
}

impl FromStr for Role {
    type Err = SpecError;

    fn from_str(text: &str) -> Result<Self, SpecError> {
        [Self::Participant, Self::Observer]
            .into_iter()
            .find(|role| role.to_string().eq_ignore_ascii_case(text))
            .ok_or_else(|| SpecError::Role { text: text.to_owned() })
    }
}

/// Where the other members reach a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct PeerAddress {
    /// Host name, IPv4 or IPv6 address without brackets, an IPv6 address with all its groups.
    pub host: String,
    /// Port on which a leader takes its learners.
    pub quorum_port: u16,
    /// Port of leader election.
    pub election_port: u16,
}

impl fmt::Display for PeerAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}:{}", Host(&self.host), self.quorum_port, self.election_port)
    }
}

/// Where clients reach a server.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct ClientAddress {
    /// Host name, IPv4 or IPv6 address without brackets; `0.0.0.0` stands for all addresses.
    pub host: String,
    /// Client port; 0 lets the system choose.
    pub port: u16,
}

impl ClientAddress {
    /// The host that stands for all addresses of the machine.
    pub const ANY: &'static str = "0.0.0.0";

    /// Whether the address is the wildcard, of either family.
    pub fn is_any(&self) -> bool {
        is_any(&self.host)
    }
}

impl fmt::Display for ClientAddress {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", Host(&self.host), self.port)
    }
}

/// What one `server.N` line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ServerSpec {
    /// The member's number.
    pub id: ServerId,
    /// Its addresses in the order of the line; several only with `multiAddress.enabled`.
    pub addresses: Vec<PeerAddress>,
    /// Its role, participant unless the line says otherwise.
    pub role: Role,
    /// The part after the semicolon.
    pub client: Option<ClientAddress>,
    /// Whether `client` came from `clientPort` instead; such a part is not printed.
    pub client_from_static: bool,
}

/// Why a `server.N` line cannot be read. Phrases after Java's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SpecError {
    /// The number of the server is none.
    #[error("For input string: \"{text}\"; allowed: server. and a whole number")]
    Id {
        /// What stands in place of the number.
        text: String,
    },
    /// The fields do not add up.
    #[error(
        "{text} does not have the form server_config or server_config;client_config where \
         server_config is the pipe separated list of host:port:port or host:port:port:type and \
         client_config is port or host:port"
    )]
    Form {
        /// The whole value.
        text: String,
    },
    /// An IPv6 address is not closed.
    #[error("{text} starts with '[' but has no matching ']:'")]
    Bracket {
        /// The address.
        text: String,
    },
    /// An IPv6 address is followed by nothing.
    #[error("{text} doesn't have a port after colon")]
    NoPort {
        /// The address.
        text: String,
    },
    /// A host cannot be one.
    #[error("{text} is no host; allowed: a name, an IPv4 address, an IPv6 address in brackets")]
    Host {
        /// What stands in place of the host.
        text: String,
    },
    /// A port is no number.
    #[error("Address unresolved: {host}:{port}; allowed: a port from 0 to 65535")]
    Port {
        /// The host before it.
        host: String,
        /// What stands in place of the port.
        port: String,
    },
    /// A port is too large or negative.
    #[error("port out of range:{port}; allowed: 0 to 65535")]
    PortOutOfRange {
        /// The number.
        port: i64,
    },
    /// The quorum port and the election port are one.
    #[error(
        "Client and election port must be different! Please update the configuration file on \
         server.{id}; both are {port}"
    )]
    SamePort {
        /// The server.
        id: ServerId,
        /// The port.
        port: u16,
    },
    /// The role is none.
    #[error("Unrecognised peertype: {text}; allowed: participant, observer")]
    Role {
        /// What stands in place of the role.
        text: String,
    },
    /// The addresses of one server have different roles.
    #[error("Multiple addresses should have similar roles: {first} vs {other}")]
    Roles {
        /// The role of an earlier address.
        first: Role,
        /// The role that differs from it.
        other: Role,
    },
}

impl ServerSpec {
    /// Parses the value of the line `server.<id>`.
    ///
    /// # Errors
    /// The first fault of the value.
    pub fn parse(id: ServerId, text: &str) -> Result<Self, SpecError> {
        let text = text.trim();
        let form = || SpecError::Form { text: text.to_owned() };
        let parts = java_split(text, ';');
        let (servers, client) = match parts.as_slice() {
            [servers] => (*servers, None),
            [servers, client] => (*servers, Some(*client)),
            _ => return Err(form()),
        };
        let client = client.map(|client| client_address(client, &form)).transpose()?;
        let mut spec = Self {
            id,
            addresses: Vec::new(),
            role: Role::Participant,
            client,
            client_from_static: false,
        };
        let mut role = None;
        let mut seen = HashSet::new();
        for address in java_split(servers, '|') {
            let (address, own) = spec.peer_address(address.trim(), &form)?;
            if let (Some(first), Some(other)) = (role, own)
                && first != other
            {
                return Err(SpecError::Roles { first, other });
            }
            role = role.or(own);
            if seen.insert(address.clone()) {
                spec.addresses.push(address);
            }
        }
        if spec.addresses.is_empty() {
            return Err(form());
        }
        spec.role = role.unwrap_or(Role::Participant);
        Ok(spec)
    }

    fn peer_address(
        &self,
        text: &str,
        form: &dyn Fn() -> SpecError,
    ) -> Result<(PeerAddress, Option<Role>), SpecError> {
        let fields = host_and_fields(text, form)?;
        let (host, quorum_port, election_port, role) = match fields.as_slice() {
            [host, quorum, election] => (*host, *quorum, *election, None),
            [host, quorum, election, role] => (*host, *quorum, *election, Some(*role)),
            _ => return Err(form()),
        };
        let quorum_port = port(host, quorum_port)?;
        let election_port = port(host, election_port)?;
        if quorum_port == election_port {
            return Err(SpecError::SamePort { id: self.id, port: quorum_port });
        }
        let role = role.map(Role::from_str).transpose()?;
        Ok((PeerAddress { host: checked_host(host)?, quorum_port, election_port }, role))
    }
}

/// The canonical form: addresses by host, the role spelled out, the client part only if it stood
/// on the line.
impl fmt::Display for ServerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut addresses: Vec<&PeerAddress> = self.addresses.iter().collect();
        addresses.sort_by(|a, b| a.host.cmp(&b.host));
        for (index, address) in addresses.into_iter().enumerate() {
            write!(f, "{}{address}", if index == 0 { "" } else { "|" })?;
        }
        write!(f, ":{}", self.role)?;
        match &self.client {
            Some(client) if !self.client_from_static => write!(f, ";{client}"),
            Some(_) | None => Ok(()),
        }
    }
}

fn client_address(text: &str, form: &dyn Fn() -> SpecError) -> Result<ClientAddress, SpecError> {
    let fields = host_and_fields(text.trim(), form)?;
    let (host, text) = match fields.as_slice() {
        [text] => (ClientAddress::ANY, *text),
        [host, text] => (*host, *text),
        _ => return Err(form()),
    };
    Ok(ClientAddress { host: checked_host(host)?, port: port(host, text)? })
}

/// The canonical form of a host; characters that would break the printed form are refused.
fn checked_host(host: &str) -> Result<String, SpecError> {
    let breaks = |c: char| c.is_whitespace() || c.is_control() || matches!(c, '[' | ']' | '\\');
    match host {
        // Compat: Java takes an empty host for the loopback address and prints it like this.
        "" => Ok("localhost".to_owned()),
        _ if host.contains(breaks) => Err(SpecError::Host { text: host.to_owned() }),
        _ => Ok(canonical_host(host)),
    }
}

/// The host, brackets taken off, and the fields behind it.
fn host_and_fields<'a>(
    text: &'a str,
    form: &dyn Fn() -> SpecError,
) -> Result<Vec<&'a str>, SpecError> {
    let Some(bracketed) = text.strip_prefix('[') else { return Ok(java_split(text, ':')) };
    let Some((host, rest)) = bracketed.split_once(']') else {
        return Err(SpecError::Bracket { text: text.to_owned() });
    };
    match rest.strip_prefix(':') {
        Some("") => Err(SpecError::NoPort { text: text.to_owned() }),
        Some(fields) => Ok([&[host], java_split(fields, ':').as_slice()].concat()),
        None => Err(form()),
    }
}

fn port(host: &str, text: &str) -> Result<u16, SpecError> {
    let number = decimal_long(text.trim())
        .ok_or_else(|| SpecError::Port { host: host.to_owned(), port: text.to_owned() })?;
    u16::try_from(number).map_err(|_| SpecError::PortOutOfRange { port: number })
}

/// Compat: Java's `split` drops empty fields at the end, so `host:2888:3888:` has three.
fn java_split(text: &str, separator: char) -> Vec<&str> {
    let mut fields: Vec<&str> = text.split(separator).collect();
    while fields.len() > 1 && fields.last().is_some_and(|field| field.is_empty()) {
        fields.pop();
    }
    fields
}

/// Whether `host` is the wildcard address, of either family.
pub(crate) fn is_any(host: &str) -> bool {
    host == ClientAddress::ANY || host.parse::<Ipv6Addr>().is_ok_and(|ip| ip.is_unspecified())
}

/// A host, an IPv6 address in brackets.
struct Host<'a>(&'a str);

impl fmt::Display for Host<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let host = self.0;
        if host.contains(':') { write!(f, "[{host}]") } else { f.write_str(host) }
    }
}

/// Compat: Java writes an IPv6 address with all its eight groups, and an IPv4-mapped one as IPv4.
fn canonical_host(host: &str) -> String {
    let (address, scope) = host.find('%').map_or((host, ""), |at| host.split_at(at));
    let Ok(address) = address.parse::<Ipv6Addr>() else { return host.to_owned() };
    if let Some(mapped) = address.to_ipv4_mapped() {
        return mapped.to_string();
    }
    let groups: Vec<String> = address.segments().iter().map(|group| format!("{group:x}")).collect();
    groups.join(":") + scope
}

#[cfg(test)]
mod tests;
