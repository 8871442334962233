//! Which member of which ensemble this host is, and where each part of that was found.
//!
//! Pure: from the flags, what the host says of itself, and the members that its server has kept.
//!
//! Invariants
//! - A standalone server needs no name, ordinal or domain, and is server 1.
//! - In an ensemble the id is the ordinal and one, and is one of the members.

use std::fmt;
use std::path::PathBuf;

use zk_config::{Role, ServerSpec};

use crate::host::{Host, split_ordinal};
use crate::kept::Kept;
use crate::problem::Problem;
use crate::settings::{Settings, is_dns_name};

/// This host's place.
#[derive(Clone, Debug)]
pub struct Place {
    /// The number in `myid` and of its `server.N` line.
    pub id: i64,
    /// What messages call this host.
    pub who: String,
    /// What the members are called and why; `None` for a standalone server.
    pub ensemble: Option<Ensemble>,
    /// What an operator should look at.
    pub cautions: Vec<Caution>,
}

/// The names of several servers.
#[derive(Clone, Debug)]
pub struct Ensemble {
    /// The part of the names before the ordinal.
    pub name: Found<String>,
    /// This member's ordinal.
    pub ordinal: Found<u32>,
    /// The part of the names behind the ordinal; may be empty.
    pub domain: Found<String>,
    /// All of them, by id.
    pub members: Vec<Member>,
    /// The file that names them, if it is one that the server has kept and this host is in it.
    pub kept: Option<PathBuf>,
}

/// One `server.N` line.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Member {
    /// From 1.
    pub id: u32,
    /// Its full name.
    pub host: String,
    /// Whether it does not vote.
    pub observer: bool,
    /// What clients from elsewhere are told.
    pub client: Option<String>,
}

/// A value and where it comes from.
#[derive(Clone, Debug, PartialEq)]
pub struct Found<T> {
    /// The value.
    pub value: T,
    /// Its source.
    pub source: Source,
}

/// Where something was found.
#[derive(Clone, Debug, PartialEq)]
pub enum Source {
    /// A flag.
    Flag(&'static str),
    /// The host's name, as given here.
    HostName(String),
    /// A system's file.
    File(PathBuf),
}

/// What is taken but may not be meant.
#[derive(Clone, Debug, PartialEq)]
pub enum Caution {
    /// Several pods of one StatefulSet would each be a server of their own.
    OrdinalOfOne {
        /// The host name.
        hostname: String,
    },
    /// The search list names the namespace, not the headless service.
    SearchList {
        /// What was taken.
        domain: String,
        /// From where.
        file: PathBuf,
    },
    /// The flag came after the servers had agreed on who they are.
    ToldOtherwise {
        /// This server.
        id: u32,
        /// What clients are told; `None` is the name that members have for it.
        told: Option<String>,
        /// What the flag says.
        wanted: String,
    },
}

impl Place {
    /// Works it out, or tells all that is missing.
    /// `kept` are the members of a volume that has run.
    pub fn derive(
        settings: &Settings,
        host: &Host,
        kept: Option<&Kept>,
    ) -> Result<Self, Vec<Problem>> {
        if settings.members() == 1 {
            Self::standalone(settings, host)
        } else {
            Self::member(settings, host, kept)
        }
    }

    /// What messages call server `id`, in brackets, if its name is known.
    pub fn owner(&self, id: i64) -> String {
        let ordinal = id.checked_sub(1).filter(|ordinal| *ordinal >= 0);
        match (&self.ensemble, ordinal) {
            (Some(ensemble), Some(ordinal)) => format!(" ({}-{ordinal})", ensemble.name.value),
            _ => String::new(),
        }
    }

    /// The place in a zoo.cfg that `--config` gives: by the ordinal, or as `myid` says already.
    pub fn of_config(
        settings: &Settings,
        host: &Host,
        is_replicated: bool,
        on_disk: Option<i64>,
    ) -> Result<Self, Problem> {
        let of_host = split_ordinal(host.short()).map(|(_, ordinal)| ordinal);
        let ordinal = settings.ordinal.map(u64::from).or(of_host).filter(|_| is_replicated);
        let who = host.short().to_owned();
        let id = match (ordinal, on_disk) {
            (Some(ordinal), _) => i64::try_from(ordinal.saturating_add(1)).unwrap_or(i64::MAX),
            (None, Some(id)) => id,
            (None, None) if is_replicated => {
                return Err(Problem::NoOrdinal { hostname: who, missing: "--ordinal" });
            }
            (None, None) => 1,
        };
        Ok(Self { id, who, ensemble: None, cautions: Vec::new() })
    }

    fn standalone(settings: &Settings, host: &Host) -> Result<Self, Vec<Problem>> {
        if let Some(ordinal @ 1..) = settings.ordinal {
            let who = format!("--ordinal={ordinal}");
            let ordinal = ordinal.into();
            return Err(vec![Problem::OrdinalOutside { who, ordinal, members: 1 }]);
        }
        let is_numbered = split_ordinal(host.short()).is_some_and(|(_, ordinal)| ordinal > 0);
        let caution = is_numbered && settings.ordinal.is_none();
        let hostname = host.short().to_owned();
        let cautions = caution.then(|| Caution::OrdinalOfOne { hostname: hostname.clone() });
        Ok(Self { id: 1, who: hostname, ensemble: None, cautions: cautions.into_iter().collect() })
    }

    fn member(settings: &Settings, host: &Host, kept: Option<&Kept>) -> Result<Self, Vec<Problem>> {
        let mut problems = Vec::new();
        let identity = identity(settings, host).map_err(|problem| problems.push(problem)).ok();
        let domain = domain(settings, host).map_err(|problem| problems.push(problem)).ok();
        let (Some((name, ordinal)), Some(domain)) = (identity, domain) else {
            return Err(problems);
        };
        let mut cautions = Vec::new();
        if domain.source == Source::File(host.resolv_conf.0.clone()) {
            let (domain, file) = (domain.value.clone(), host.resolv_conf.0.clone());
            cautions.push(Caution::SearchList { domain, file });
        }
        let (members, kept) = members(settings, &name.value, ordinal.value, &domain.value, kept);
        let who = format!("{}-{}", name.value, ordinal.value);
        let id = i64::from(ordinal.value) + 1;
        cautions.extend(told_otherwise(settings, ordinal.value, &members));
        let ensemble = Ensemble { name, ordinal, domain, members, kept };
        Ok(Self { id, who, ensemble: Some(ensemble), cautions })
    }
}

fn identity(settings: &Settings, host: &Host) -> Result<(Found<String>, Found<u32>), Problem> {
    let split = split_ordinal(host.short());
    let hostname = host.short().to_owned();
    let from_host = || Source::HostName(hostname.clone());
    let name = match &settings.name {
        Some(name) => Some(Found { value: name.clone(), source: Source::Flag("--name") }),
        None => split.map(|(name, _)| Found { value: name.to_owned(), source: from_host() }),
    };
    let ordinal = match settings.ordinal {
        Some(ordinal) => Some(Found { value: ordinal.into(), source: Source::Flag("--ordinal") }),
        None => split.map(|(_, ordinal)| Found { value: ordinal, source: from_host() }),
    };
    let (name, ordinal) = match (name, ordinal) {
        (Some(name), Some(ordinal)) => (name, ordinal),
        (None, None) => {
            return Err(Problem::NoOrdinal { hostname, missing: "--name and --ordinal" });
        }
        (None, Some(_)) => return Err(Problem::NoOrdinal { hostname, missing: "--name" }),
        (Some(_), None) => return Err(Problem::NoOrdinal { hostname, missing: "--ordinal" }),
    };
    // A flag's value was checked with the others.
    if settings.name.is_none() && !is_dns_name(&name.value) {
        return Err(Problem::Name { value: name.value });
    }
    let members = settings.members();
    match u32::try_from(ordinal.value) {
        Ok(value) if value < settings.ordinals() => {
            Ok((name, Found { value, source: ordinal.source }))
        }
        _ => {
            let who = match ordinal.source {
                Source::Flag(flag) => format!("{flag}={}", ordinal.value),
                Source::HostName(name) => name,
                Source::File(path) => path.display().to_string(),
            };
            Err(Problem::OrdinalOutside { who, ordinal: ordinal.value, members })
        }
    }
}

/// Compat: the old script asked `hostname -d`, which finds what stands in the hosts file. In a pod
/// that is the headless service's domain; the search list starts with the namespace's only.
fn domain(settings: &Settings, host: &Host) -> Result<Found<String>, Problem> {
    let found = |value: &str, source| Ok(Found { value: value.to_owned(), source });
    if let Some(domain) = &settings.domain {
        return found(domain, Source::Flag("--domain"));
    }
    let candidates = [
        (host.own_domain(), Source::HostName(host.hostname.clone())),
        (host.hosts_domain(), Source::File(host.hosts.0.clone())),
        (host.search_domain(), Source::File(host.resolv_conf.0.clone())),
    ];
    for (domain, source) in candidates {
        if let Some(domain) = domain.filter(|domain| is_dns_name(domain)) {
            return found(domain, source);
        }
    }
    let (hosts_file, resolv_conf) = (host.hosts.0.clone(), host.resolv_conf.0.clone());
    Err(Problem::NoDomain { hosts_file, resolv_conf })
}

/// All members, and the file that has them. One that is in none yet comes last and without a vote: it asks for
/// one when it has the data.
fn members(
    settings: &Settings,
    name: &str,
    ordinal: u32,
    domain: &str,
    kept: Option<&Kept>,
) -> (Vec<Member>, Option<PathBuf>) {
    let dot = if domain.is_empty() { "" } else { "." };
    let advertised = |ordinal| Some(settings.advertised.as_ref()?.of(ordinal)?.to_owned());
    let member = |ordinal, observer| Member {
        id: ordinal + 1,
        host: format!("{name}-{ordinal}{dot}{domain}"),
        observer,
        client: advertised(ordinal),
    };
    let mut members: Vec<_> = match kept {
        Some(kept) => kept.ensemble.servers.values().filter_map(Member::of).collect(),
        None => (0..settings.members()).map(|at| member(at, at >= settings.servers)).collect(),
    };
    if members.iter().any(|member| member.id == ordinal + 1) {
        return (members, kept.map(|kept| kept.path.clone()));
    }
    members.push(member(ordinal, true));
    (members, None)
}

/// Whether the servers have agreed on another address for clients than the flag has.
fn told_otherwise(settings: &Settings, ordinal: u32, members: &[Member]) -> Option<Caution> {
    let wanted = settings.advertised.as_ref()?.of(ordinal)?;
    let own = members.iter().find(|member| member.id == ordinal + 1)?;
    let (told, wanted) = (own.client.clone(), wanted.to_owned());
    (told.as_ref() != Some(&wanted)).then_some(Caution::ToldOtherwise { id: own.id, told, wanted })
}

impl Member {
    /// One of those that the servers have agreed on.
    fn of(server: &ServerSpec) -> Option<Self> {
        let host = server.addresses.first()?.host.clone();
        Some(Self {
            id: server.id.0.try_into().ok()?,
            host,
            observer: server.role == Role::Observer,
            client: server
                .client
                .as_ref()
                .filter(|client| !client.is_any())
                .map(ToString::to_string),
        })
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Flag(flag) => f.write_str(flag),
            Self::HostName(name) => write!(f, "host name {name}"),
            Self::File(path) => path.display().fmt(f),
        }
    }
}

impl<T: fmt::Display> fmt::Display for Found<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} (from {})", self.value, self.source)
    }
}

impl fmt::Display for Caution {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OrdinalOfOne { hostname } => write!(
                f,
                "host name {hostname} looks like a further member, but --servers=1 makes it a \
                 server of its own: give --servers if there are more"
            ),
            Self::SearchList { domain, file } => write!(
                f,
                "domain {domain} is only the first of the search list in {}: in Kubernetes the \
                 headless service is missing from it, give --domain then",
                file.display()
            ),
            Self::ToldOtherwise { id, told, wanted } => write!(
                f,
                "clients are told {} for this server, as the members have agreed, and not {wanted}: change it with \
                 `reconfig -add` in zkCli.sh, for which its line in /zookeeper/config ends in ;{wanted} (server.{id})",
                told.as_deref().unwrap_or("no address of its own")
            ),
        }
    }
}

#[cfg(test)]
mod tests;
