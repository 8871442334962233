//! Names of members to addresses, looked up anew at every attempt to connect.
//!
//! In a container a name may appear, or mean another address, at any time. So no answer is kept, least of
//! all that a name does not exist, and the system's files are read at every look.
//!
//! Invariant: an address as such and a name of the hosts file need no name server.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::PathBuf;
use std::time::Duration;

use hickory_resolver::config::{ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf::parse_resolv_conf;
use hickory_resolver::{Hosts, Resolver};

/// Where names are looked up.
#[derive(Clone, Debug)]
pub(crate) struct Names {
    pub(crate) hosts: PathBuf,
    pub(crate) resolv_conf: PathBuf,
}

impl Names {
    /// The files that every program of the system uses.
    pub(crate) fn of_system() -> Self {
        Self { hosts: "/etc/hosts".into(), resolv_conf: "/etc/resolv.conf".into() }
    }

    /// The addresses of a host, those of IPv4 first; at least one.
    pub(crate) async fn resolve(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        if let Ok(address) = host.parse() {
            return Ok(vec![address]);
        }
        let mut addresses = self.in_hosts_file(host);
        if addresses.is_empty() && is_localhost(host) {
            addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
        }
        if addresses.is_empty() {
            addresses = self.ask(host).await?;
        }
        addresses.sort_by_key(IpAddr::is_ipv6);
        addresses.dedup();
        Ok(addresses)
    }

    /// The resolver would ask the name servers for the name in each domain of the search list first, and a
    /// silent one would hide what the file says.
    fn in_hosts_file(&self, host: &str) -> Vec<IpAddr> {
        let mut hosts = Hosts::default();
        let text = std::fs::read(&self.hosts).unwrap_or_default();
        let (Ok(()), Ok(name)) = (hosts.read_hosts_conf(text.as_slice()), Name::from_utf8(host))
        else {
            return Vec::new();
        };
        let of_type =
            |record_type| hosts.lookup_static_host(&Query::query(name.clone(), record_type));
        let found = [RecordType::A, RecordType::AAAA].into_iter().filter_map(of_type);
        let addresses = found.flat_map(|lookup| {
            let addresses = lookup.answers().iter().filter_map(|record| record.data.ip_addr());
            addresses.collect::<Vec<_>>()
        });
        addresses.collect()
    }

    async fn ask(&self, host: &str) -> io::Result<Vec<IpAddr>> {
        let text = std::fs::read(&self.resolv_conf).unwrap_or_default();
        // Without a name server the hosts file is all there is.
        let (config, mut options) = parse_resolv_conf(text)
            .unwrap_or_else(|_| (ResolverConfig::default(), ResolverOpts::default()));
        options.cache_size = 0;
        options.negative_max_ttl = Some(Duration::ZERO);
        options.use_hosts_file = ResolveHosts::Never;
        options.timeout = options.timeout.min(ANSWER_TIME);
        let builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
        let resolver = builder.with_options(options).build().map_err(io::Error::other)?;
        let answer = resolver.lookup_ip(host).await;
        let answer = answer.map_err(|error| {
            io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address yet: {error}"))
        })?;
        let addresses: Vec<IpAddr> = answer.iter().collect();
        if addresses.is_empty() {
            let error = format!("{host} has no address yet");
            return Err(io::Error::new(io::ErrorKind::NotFound, error));
        }
        Ok(addresses)
    }
}

/// The name that every host has for itself.
pub(crate) fn is_localhost(host: &str) -> bool {
    host.trim_end_matches('.').eq_ignore_ascii_case("localhost")
}

/// How long a name server may take for one try.
const ANSWER_TIME: Duration = Duration::from_secs(2);

#[cfg(test)]
mod tests {
    use std::fs;

    use tempfile::TempDir;

    use super::*;

    #[tokio::test]
    async fn addresses_and_the_hosts_file_need_no_name_server() {
        let folder = TempDir::new().unwrap();
        let names = Names {
            hosts: folder.path().join("hosts"),
            resolv_conf: folder.path().join("resolv.conf"),
        };
        let check = async |host: &str, expected: &[&str]| {
            let addresses = names.resolve(host).await.unwrap_or_default();
            let addresses: Vec<String> = addresses.iter().map(IpAddr::to_string).collect();
            assert_eq!(addresses, expected, "{host}");
        };
        check("10.0.0.1", &["10.0.0.1"]).await;
        check("::1", &["::1"]).await;
        check("localhost", &["127.0.0.1", "::1"]).await;
        check("zk-1.zk", &[]).await;
        // It may come while the server runs.
        fs::write(&names.hosts, "fd00::9 zk-1.zk\n10.0.0.9 zk-1.zk zk-1\n").unwrap();
        check("zk-1.zk", &["10.0.0.9", "fd00::9"]).await;
        check("zk-1", &["10.0.0.9"]).await;
    }
}
