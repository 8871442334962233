//! What the system says of this host: its name, and the files that may hold its domain.
//!
//! The only reader of them. Parsing is pure, and takes whatever stands in the files: a line that
//! is not understood is passed over, as the C library does.

use std::fs;
use std::path::{Path, PathBuf};

use clap::Parser as _;

use crate::flags::Flags;
use crate::problem::Problem;

/// The host's name and the texts around it.
#[derive(Clone, Debug, Default)]
pub struct Host {
    /// As the system or `--hostname` has it; a full name is possible.
    pub hostname: String,
    /// Whether `--hostname` gave it.
    pub is_given: bool,
    /// Path and text of the hosts file; empty if there is none.
    pub hosts: (PathBuf, String),
    /// Path and text of resolv.conf; empty if there is none.
    pub resolv_conf: (PathBuf, String),
}

impl Host {
    /// Reads it all. A file that is missing says nothing; that is not a problem by itself.
    pub fn read(flags: &Flags) -> Result<Self, Problem> {
        let hostname = match &flags.hostname {
            Some(hostname) => hostname.clone(),
            None => nix::unistd::gethostname()
                .map_err(Problem::HostName)?
                .to_string_lossy()
                .into_owned(),
        };
        Ok(Self {
            hostname,
            is_given: flags.hostname.is_some(),
            hosts: with_text(&flags.hosts_file),
            resolv_conf: with_text(&flags.resolv_conf),
        })
    }

    /// As the system has it, with its usual files.
    pub(crate) fn of_system() -> Result<Self, Problem> {
        Self::read(&Flags::parse_from(["start-zookeeper"]))
    }

    /// The name up to its first dot.
    pub fn short(&self) -> &str {
        self.hostname.split_once('.').map_or(&self.hostname, |(short, _)| short)
    }

    /// What follows the first dot of a full host name.
    pub fn own_domain(&self) -> Option<&str> {
        let (_, domain) = self.hostname.split_once('.')?;
        Some(domain.trim_end_matches('.')).filter(|domain| !domain.is_empty())
    }

    /// The domain of the first full name of this host in the hosts file.
    pub fn hosts_domain(&self) -> Option<&str> {
        let short = self.short();
        self.hosts.1.lines().find_map(|line| {
            let names = line.split('#').next().unwrap_or_default().split_whitespace().skip(1);
            names.filter_map(|name| name.split_once('.')).find_map(|(host, domain)| {
                let domain = domain.trim_end_matches('.');
                (host.eq_ignore_ascii_case(short) && !domain.is_empty()).then_some(domain)
            })
        })
    }

    /// The first domain of resolv.conf's search list. The last `search` or `domain` line counts.
    pub fn search_domain(&self) -> Option<&str> {
        let list = self.resolv_conf.1.lines().rev().find_map(|line| {
            let mut words = line.split_whitespace();
            matches!(words.next(), Some("search" | "domain")).then_some(words)
        });
        let first = list?.next()?.trim_end_matches('.');
        Some(first).filter(|domain| !domain.is_empty())
    }
}

/// Name and ordinal of `zk-0`: the number behind the last dash, decimal also with leading zeros.
/// Compat: the old script took `08` for a broken octal number and went on without an id.
pub fn split_ordinal(short: &str) -> Option<(&str, u64)> {
    let (name, digits) = short.rsplit_once('-')?;
    let is_number = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    if name.is_empty() || !is_number {
        return None;
    }
    // An ordinal that no integer holds is still one: it is outside of every ensemble.
    Some((name, digits.parse().unwrap_or(u64::MAX)))
}

/// The decimal number at the end of a host name, whatever stands before it.
pub(crate) fn ordinal_at_end(short: &str) -> Option<u64> {
    let name = short.trim_end_matches(|char: char| char.is_ascii_digit());
    short[name.len()..].parse().ok()
}

fn with_text(path: &Path) -> (PathBuf, String) {
    let bytes = fs::read(path).unwrap_or_default();
    (path.to_owned(), String::from_utf8_lossy(&bytes).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ordinal_is_the_decimal_number_behind_the_last_dash() {
        for (short, expected) in [
            ("zk-0", Some(("zk", 0))),
            ("zk-08", Some(("zk", 8))),
            ("zk-12", Some(("zk", 12))),
            ("zk-my-zk-2", Some(("zk-my-zk", 2))),
            ("zk-2-3", Some(("zk-2", 3))),
            ("zk--1", Some(("zk-", 1))),
            ("zk3-1", Some(("zk3", 1))),
            ("zk-99999999999999999999", Some(("zk", u64::MAX))),
            ("zk", None),
            ("zk-", None),
            ("zk-a1", None),
            ("zk-1a", None),
            ("zk-+1", None),
            ("-1", None),
            ("", None),
            ("zk1", None),
        ] {
            assert_eq!(split_ordinal(short), expected, "{short}");
        }
    }

    fn host(hostname: &str, hosts: &str, resolv_conf: &str) -> Host {
        Host {
            hostname: hostname.to_owned(),
            is_given: false,
            hosts: (PathBuf::new(), hosts.to_owned()),
            resolv_conf: (PathBuf::new(), resolv_conf.to_owned()),
        }
    }

    #[test]
    fn the_hosts_file_has_the_domain_behind_this_hosts_name() {
        for (hosts, expected) in [
            (
                "10.0.0.7\tzk-0.zk-hs.default.svc.cluster.local\tzk-0\n",
                Some("zk-hs.default.svc.cluster.local"),
            ),
            ("127.0.0.1 localhost\n10.0.0.7 zk-0 zk-0.example.org.", Some("example.org")),
            ("# 10.0.0.7 zk-0.old.org\n10.0.0.7 ZK-0.new.org # zk-0.else.org", Some("new.org")),
            ("10.0.0.8 zk-00.example.org\n10.0.0.9 zk-1.example.org", None),
            ("10.0.0.7 zk-0\n10.0.0.7 zk-0.", None),
            ("zk-0.example.org", None),
            ("", None),
        ] {
            assert_eq!(host("zk-0", hosts, "").hosts_domain(), expected, "{hosts}");
        }
    }

    #[test]
    fn the_last_search_or_domain_line_counts_and_its_first_word() {
        for (resolv_conf, expected) in [
            ("nameserver 10.0.0.1\nsearch a.org b.org\n", Some("a.org")),
            ("search a.org\ndomain b.org.\n", Some("b.org")),
            ("search a.org\nsearch\n", None),
            ("#search a.org\nsearches b.org\n", None),
            ("search .\n", None),
            ("", None),
        ] {
            assert_eq!(host("zk-0", "", resolv_conf).search_domain(), expected, "{resolv_conf}");
        }
    }

    #[test]
    fn a_full_host_name_has_the_domain_in_itself() {
        let full = host("zk-0.example.org", "", "");
        assert_eq!((full.short(), full.own_domain()), ("zk-0", Some("example.org")));
        let short = host("zk-0", "", "");
        assert_eq!((short.short(), short.own_domain()), ("zk-0", None));
        assert_eq!(host("zk-0.", "", "").own_domain(), None);
    }
}
