//! Which members' names resolve, for the first screen and for `--dns_wait`.
//!
//! The server resolves names itself at every connection attempt, so no name that is missing keeps it from
//! starting: without `--dns_wait` a silent name server costs [`REPORT_TIME`] and no more. Who asks for a
//! wait in which nobody answers at all is told so instead.
//!
//! Invariant: no answer is kept, least of all that a name does not exist: the next look may differ.

use std::fmt;
use std::io;
use std::net::IpAddr;
use std::path::PathBuf;
use std::time::Duration;

use hickory_resolver::config::{ResolveHosts, ResolverConfig, ResolverOpts};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::op::Query;
use hickory_resolver::proto::rr::{Name, RecordType};
use hickory_resolver::system_conf::parse_resolv_conf;
use hickory_resolver::{Hosts, Resolver, TokioResolver};
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout};

use crate::failure::{EXIT_INTERRUPTED, EXIT_TERMINATED, Failure};
use crate::host::Host;
use crate::problem::Problem;

/// What is known of one name.
#[derive(Clone, Debug, PartialEq)]
pub enum Answer {
    /// At least one.
    Addresses(Vec<IpAddr>),
    /// The name server does not know the name.
    Unknown,
    /// No name server has answered.
    Silence,
}

impl fmt::Display for Answer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Addresses(addresses) => {
                let addresses: Vec<_> = addresses.iter().map(IpAddr::to_string).collect();
                write!(f, "is {}", addresses.join(" and "))
            }
            Self::Unknown => f.write_str("does not resolve yet"),
            Self::Silence => f.write_str("is unknown yet: no name server has answered"),
        }
    }
}

/// Looks all names up, again and again until all resolve or `wait` is over; once if it is zero.
/// The answers are those of the last look, in the order of the names.
///
/// # Errors
/// A signal ended the wait, or it is over and no name server has answered: names that may yet come
/// are not known to one that does.
pub fn look_up(names: &[&str], host: &Host, wait: Duration) -> Result<Vec<Answer>, Failure> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    runtime.map_err(Failure::Names)?.block_on(async {
        let book = Book::new(host)?;
        if wait.is_zero() {
            return Ok(book.look(names, REPORT_TIME).await);
        }
        // As process 1, a signal without a handler would be lost: nothing else could end the wait.
        let mut interrupt = signal(SignalKind::interrupt()).map_err(Failure::Names)?;
        let mut terminate = signal(SignalKind::terminate()).map_err(Failure::Names)?;
        tokio::select! {
            answers = book.wait_for(names, wait) => answers,
            exit_code = stopped(&mut interrupt, &mut terminate) => {
                Err(Failure::Stopped { exit_code })
            }
        }
    })
}

async fn stopped(interrupt: &mut Signal, terminate: &mut Signal) -> u8 {
    tokio::select! {
        _ = interrupt.recv() => EXIT_INTERRUPTED,
        _ = terminate.recv() => EXIT_TERMINATED,
    }
}

/// Where names are looked up: the hosts file, then the name servers.
struct Book {
    hosts: Hosts,
    resolver: TokioResolver,
    /// Where the name servers stand.
    resolv_conf: PathBuf,
}

impl Book {
    /// By the texts that the host has, so that tests and containers differ in files only.
    fn new(host: &Host) -> Result<Self, Failure> {
        // Without a name server the hosts file is all there is.
        let (config, mut options) = parse_resolv_conf(&host.resolv_conf.1)
            .unwrap_or_else(|_| (ResolverConfig::default(), ResolverOpts::default()));
        options.cache_size = 0;
        options.negative_max_ttl = Some(Duration::ZERO);
        options.use_hosts_file = ResolveHosts::Never;
        options.attempts = 1;
        options.timeout = LOOK_TIME;
        let mut hosts = Hosts::default();
        hosts.read_hosts_conf(host.hosts.1.as_bytes()).map_err(Failure::Names)?;
        let builder = Resolver::builder_with_config(config, TokioRuntimeProvider::default());
        let resolver = builder.with_options(options).build();
        let resolver = resolver.map_err(|error| Failure::Names(io::Error::other(error)))?;
        Ok(Self { hosts, resolver, resolv_conf: host.resolv_conf.0.clone() })
    }

    async fn wait_for(&self, names: &[&str], wait: Duration) -> Result<Vec<Answer>, Failure> {
        let deadline = Instant::now() + wait;
        let mut pause = PAUSE_MIN;
        let mut is_answered = false;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            let answers = self.look(names, left.clamp(REPORT_TIME, LOOK_TIME)).await;
            let is_known = |answer: &Answer| matches!(answer, Answer::Addresses(_));
            let mut asked =
                names.iter().zip(&answers).filter(|(name, _)| self.known_here(name).is_none());
            is_answered |= asked.clone().any(|(_, answer)| *answer != Answer::Silence);
            if answers.iter().all(is_known) {
                return Ok(answers);
            }
            if Instant::now() + pause >= deadline {
                return match asked.next() {
                    Some((name, _)) if !is_answered => Err(self.silence(name, wait)),
                    _ => Ok(answers),
                };
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(PAUSE_MAX);
        }
    }

    fn silence(&self, name: &str, waited: Duration) -> Failure {
        let (name, resolv_conf) = (name.to_owned(), self.resolv_conf.clone());
        Failure::Problems(vec![Problem::NoNameServer { waited, name, resolv_conf }])
    }

    /// All names at once, under one time limit.
    async fn look(&self, names: &[&str], limit: Duration) -> Vec<Answer> {
        let mut answers = vec![Answer::Silence; names.len()];
        let mut lookups = JoinSet::new();
        for (at, name) in names.iter().enumerate() {
            if let Some(addresses) = self.known_here(name) {
                answers[at] = Answer::Addresses(addresses);
                continue;
            }
            let (resolver, name) = (self.resolver.clone(), (*name).to_owned());
            lookups.spawn(async move { (at, timeout(limit, resolver.lookup_ip(name)).await) });
        }
        while let Some(joined) = lookups.join_next().await {
            let (at, result) = joined.expect("a lookup is not cancelled and does not panic");
            answers[at] = match result {
                Ok(Ok(addresses)) => Answer::Addresses(addresses.iter().collect()),
                Ok(Err(NetError::Dns(_))) => Answer::Unknown,
                Ok(Err(_)) | Err(_) => Answer::Silence,
            };
        }
        answers
    }

    /// An address as such, or what the hosts file says. The resolver would ask the name servers
    /// for `name` in each domain of the search list first, and a silent one would hide this.
    fn known_here(&self, name: &str) -> Option<Vec<IpAddr>> {
        if let Ok(address) = name.parse() {
            return Some(vec![address]);
        }
        let name = Name::from_utf8(name).ok()?;
        let of_type =
            |record_type| self.hosts.lookup_static_host(&Query::query(name.clone(), record_type));
        let found = [RecordType::A, RecordType::AAAA].into_iter().filter_map(of_type);
        let addresses: Vec<_> = found
            .flat_map(|lookup| {
                lookup
                    .answers()
                    .iter()
                    .filter_map(|record| record.data.ip_addr())
                    .collect::<Vec<_>>()
            })
            .collect();
        (!addresses.is_empty()).then_some(addresses)
    }
}

/// How long a start without `--dns_wait` waits for the report.
pub const REPORT_TIME: Duration = Duration::from_millis(250);

/// How long one look may take while there is time.
const LOOK_TIME: Duration = Duration::from_secs(2);

const PAUSE_MIN: Duration = Duration::from_millis(100);
const PAUSE_MAX: Duration = Duration::from_secs(1);

#[cfg(test)]
mod tests {
    use std::net::UdpSocket;

    use super::*;
    use crate::failure::EXIT_NAMES;

    fn host(hosts: &str, resolv_conf: &str) -> Host {
        let resolv_conf = (PathBuf::new(), resolv_conf.to_owned());
        Host { hosts: (PathBuf::new(), hosts.to_owned()), resolv_conf, ..Host::default() }
    }

    const HOSTS: &str = "10.0.0.7 zk-0.zk-hs.example.org zk-0\nfd00::8 zk-1.zk-hs.example.org\n\
                         10.0.0.9 zk-2\nfd00::9 zk-2\n";

    #[test]
    fn the_hosts_file_and_addresses_need_no_name_server() {
        let names = ["zk-0.zk-hs.example.org", "zk-1.zk-hs.example.org", "zk-2", "10.1.1.1", "::1"];
        // Nobody answers there, and the search list would come first.
        let resolv_conf = "nameserver 127.0.0.1\nsearch a.org b.org\noptions ndots:5\n";
        let started = std::time::Instant::now();
        let answers = look_up(&names, &host(HOSTS, resolv_conf), Duration::from_secs(60));
        let answers: Vec<_> = answers.expect("looked up").iter().map(Answer::to_string).collect();
        assert_eq!(
            answers,
            ["is 10.0.0.7", "is fd00::8", "is 10.0.0.9 and fd00::9", "is 10.1.1.1", "is ::1"]
        );
        assert!(started.elapsed() < Duration::from_secs(30));
    }

    #[test]
    fn a_name_that_nobody_knows_does_not_keep_the_start_waiting() {
        for resolv_conf in ["", "nameserver 127.0.0.1\n"] {
            let started = std::time::Instant::now();
            let answers =
                look_up(&["zk-9.invalid", "zk-2"], &host(HOSTS, resolv_conf), Duration::ZERO)
                    .expect("looked up");
            assert!(!matches!(answers[0], Answer::Addresses(_)), "{answers:?}");
            assert!(matches!(answers[1], Answer::Addresses(_)), "{answers:?}");
            // Wide, for a busy machine.
            assert!(started.elapsed() < REPORT_TIME * 20, "{resolv_conf}");
        }
    }

    #[test]
    fn waiting_ends_when_its_time_is_over_and_without_a_name_server_so_does_the_start() {
        // Nobody answers there.
        let host = host(HOSTS, "nameserver 127.0.0.154\n");
        let started = std::time::Instant::now();
        let wait = Duration::from_secs(1);
        let failure =
            look_up(&["zk-9.zk-hs.example.org", "zk-2"], &host, wait).expect_err("nobody answers");
        assert_eq!(failure.exit_code(), EXIT_NAMES);
        let said = failure.to_string();
        assert!(
            said.starts_with(
                "no name server answered within 1s (asked for zk-9.zk-hs.example.org, "
            ),
            "{said}"
        );
        assert!(started.elapsed() < wait * 10);
        look_up(&["zk-2"], &host, wait).expect("there is nothing to ask");
    }

    #[test]
    fn names_that_a_name_server_does_not_know_may_yet_come() {
        if !nix::unistd::geteuid().is_root() {
            assert!(!std::env::var("CI").is_ok_and(|ci| ci == "true"), "CI is root");
            eprintln!("skipped: only root may answer on the port of name servers");
            return;
        }
        let server = UdpSocket::bind("127.0.0.153:53").expect("the port is free there");
        std::thread::spawn(move || {
            let mut packet = [0; 512];
            while let Ok((size, peer)) = server.recv_from(&mut packet) {
                // A reply to a recursive question: there is no such name.
                packet[2..4].copy_from_slice(&[0x81, 0x83]);
                let _ = server.send_to(&packet[..size], peer);
            }
        });
        let host = host(HOSTS, "nameserver 127.0.0.153\n");
        let answers = look_up(&["zk-9.zk-hs.example.org", "zk-2"], &host, Duration::from_secs(1));
        let answers = answers.expect("the start goes on");
        assert_eq!(answers[0], Answer::Unknown);
        assert!(matches!(answers[1], Answer::Addresses(_)));
    }
}
