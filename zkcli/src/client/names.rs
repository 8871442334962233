//! Names of servers to addresses, without the system's C library: that does not work in a static binary.
//!
//! Invariant: an address as such and a name of the hosts file need no name server.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use hickory_resolver::config::{ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf::parse_resolv_conf;
use hickory_resolver::{Hosts, Resolver};

/// The addresses of a host, those of IPv4 first; at least one.
pub(super) async fn resolve(host: &str) -> io::Result<Vec<IpAddr>> {
    if let Ok(address) = host.parse() {
        return Ok(vec![address]);
    }
    let mut addresses = in_hosts_file(host);
    if addresses.is_empty() && host.trim_end_matches('.').eq_ignore_ascii_case("localhost") {
        addresses = vec![Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()];
    }
    if addresses.is_empty() {
        addresses = ask(host).await?;
    }
    addresses.sort_by_key(IpAddr::is_ipv6);
    addresses.dedup();
    Ok(addresses)
}

fn in_hosts_file(host: &str) -> Vec<IpAddr> {
    let mut hosts = Hosts::default();
    let text = std::fs::read("/etc/hosts").unwrap_or_default();
    let (Ok(()), Ok(name)) = (hosts.read_hosts_conf(text.as_slice()), Name::from_utf8(host)) else {
        return Vec::new();
    };
    let mut addresses = Vec::new();
    for record_type in [RecordType::A, RecordType::AAAA] {
        let lookup = hosts.lookup_static_host(&Query::query(name.clone(), record_type));
        let answers = lookup.iter().flat_map(|lookup| lookup.answers());
        addresses.extend(answers.filter_map(|record| record.data.ip_addr()));
    }
    addresses
}

async fn ask(host: &str) -> io::Result<Vec<IpAddr>> {
    let text = std::fs::read("/etc/resolv.conf").unwrap_or_default();
    // Without a name server the hosts file is all there is.
    let (config, mut options) = parse_resolv_conf(text)
        .unwrap_or_else(|_| (ResolverConfig::default(), ResolverOpts::default()));
    options.use_hosts_file = ResolveHosts::Never;
    let builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
    let resolver = builder.with_options(options).build().map_err(io::Error::other)?;
    let not_found = || io::Error::new(io::ErrorKind::NotFound, format!("{host} has no address"));
    let answer = resolver.lookup_ip(host).await.map_err(|_| not_found())?;
    let addresses: Vec<IpAddr> = answer.iter().collect();
    if addresses.is_empty() { Err(not_found()) } else { Ok(addresses) }
}
