//! The text that names the servers: `host:port,host:port/chroot`.
//!
//! Java: `ConnectStringParser`.

use thiserror::Error;

use crate::path::{self, PathError};

/// Which servers a session may use, and which node it takes for the root.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ConnectString {
    pub(crate) servers: Vec<Server>,
    /// Without a trailing slash; empty when paths are the servers' own.
    pub(crate) chroot: String,
}

/// One server of the list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Server {
    pub(crate) host: String,
    pub(crate) port: u16,
}

/// Text that names no servers.
#[derive(Debug, PartialEq, Eq, Error)]
pub(crate) enum ConnectStringError {
    #[error("`{0}` names no server: expected host:port, or several with commas between them")]
    Empty(String),
    #[error("`{port}` is no port, in the server `{server}`")]
    Port { server: String, port: String },
    #[error(transparent)]
    Chroot(#[from] PathError),
}

impl ConnectString {
    pub(crate) fn parse(text: &str) -> Result<Self, ConnectStringError> {
        let (servers, chroot) = match text.find('/') {
            Some(slash) => text.split_at(slash),
            None => (text, ""),
        };
        let chroot = if chroot == "/" { "" } else { chroot };
        if !chroot.is_empty() {
            path::check(chroot)?;
        }
        let servers = servers.split(',').map(str::trim).filter(|server| !server.is_empty());
        let servers = servers.map(Server::parse).collect::<Result<Vec<_>, _>>()?;
        if servers.is_empty() {
            return Err(ConnectStringError::Empty(text.to_owned()));
        }
        Ok(Self { servers, chroot: chroot.to_owned() })
    }
}

impl Server {
    fn parse(text: &str) -> Result<Self, ConnectStringError> {
        let (host, port) = match text.strip_prefix('[').and_then(|rest| rest.split_once(']')) {
            Some((host, rest)) => (host, rest.strip_prefix(':').unwrap_or_default()),
            None => text.rsplit_once(':').unwrap_or((text, "")),
        };
        let parsed = if port.is_empty() { Ok(PORT) } else { port.parse() };
        let port = parsed.map_err(|_| ConnectStringError::Port {
            server: text.to_owned(),
            port: port.to_owned(),
        })?;
        Ok(Self { host: host.to_owned(), port })
    }
}

const PORT: u16 = 2181;

#[cfg(test)]
mod tests {
    use super::*;

    fn check(text: &str, expected: &[(&str, u16)], chroot: &str) {
        let parsed = ConnectString::parse(text).unwrap();
        let servers: Vec<_> = parsed.servers.iter().map(|s| (s.host.as_str(), s.port)).collect();
        assert_eq!((servers.as_slice(), parsed.chroot.as_str()), (expected, chroot), "{text}");
    }

    #[test]
    fn servers_ports_and_chroot_are_found() {
        check("localhost:2181", &[("localhost", 2181)], "");
        check("a,b:7,", &[("a", 2181), ("b", 7)], "");
        check("a:1,[fd00::1]:2,[::1]/x/y", &[("a", 1), ("fd00::1", 2), ("::1", 2181)], "/x/y");
        check("a:1/", &[("a", 1)], "");
    }

    #[test]
    fn what_names_no_server_says_so() {
        let error = |text| ConnectString::parse(text).unwrap_err().to_string();
        assert!(error("").contains("names no server"));
        assert_eq!(error("a:x"), "`x` is no port, in the server `a:x`");
        assert_eq!(error("a/b/"), "Path must not end with / character");
    }
}
