//! The flags that both probes share.

use std::time::Duration;

use crate::conversation::Target;

/// Whom to ask, and for how long.
#[derive(Debug, clap::Args)]
pub struct Where {
    /// Client port of the server [default: in the image that of the container's zoo.cfg, else 2181]
    #[arg(value_name = "PORT", value_parser = clap::value_parser!(u16).range(1..))]
    port: Option<u16>,
    /// Name or address of the server [default: 127.0.0.1, and ::1 if that refuses]
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Time for connecting, asking and reading together: 3s, 500ms, or seconds without a unit
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = timeout)]
    timeout: Duration,
}

impl Where {
    /// `own_port` is that of the server beside this program, if somebody knows.
    pub(crate) fn target(self, own_port: OwnPort) -> Target {
        let is_beside = self.host.is_none();
        let port = self.port.or_else(|| own_port().filter(|_| is_beside)).unwrap_or(USUAL_PORT);
        Target { host: self.host, port, timeout: self.timeout }
    }
}

/// Looks up the client port of the server beside this program. These probes read no configuration themselves.
pub type OwnPort = fn() -> Option<u16>;

const USUAL_PORT: u16 = 2181;

/// `3s`, `500ms` or `3`. The limit catches a `500` that was meant as milliseconds.
fn timeout(text: &str) -> Result<Duration, BadTimeout> {
    let number = |digits: &str| digits.parse::<u32>().ok();
    let timeout = if let Some(digits) = text.strip_suffix("ms") {
        number(digits).map(|millis| Duration::from_millis(millis.into()))
    } else {
        number(text.strip_suffix('s').unwrap_or(text))
            .map(|seconds| Duration::from_secs(seconds.into()))
    };
    timeout.filter(|timeout| !timeout.is_zero() && *timeout <= TIMEOUT_MAX).ok_or(BadTimeout)
}

#[derive(Debug, thiserror::Error)]
#[error("give 1ms to 60s, such as 3s or 500ms")]
struct BadTimeout;

const TIMEOUT_MAX: Duration = Duration::from_secs(60);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_given_counts_and_one_that_is_known_is_of_this_machine_alone() {
        let port = |port, host: Option<&str>, own_port: OwnPort| {
            let flags =
                Where { port, host: host.map(str::to_owned), timeout: Duration::from_secs(3) };
            flags.target(own_port).port
        };
        assert_eq!(port(Some(1), None, || Some(2)), 1);
        assert_eq!(port(None, None, || Some(2)), 2);
        assert_eq!(port(None, Some("zk-1"), || Some(2)), 2181);
        assert_eq!(port(None, None, || None), 2181);
    }

    #[test]
    fn a_timeout_has_a_unit_or_is_in_seconds() {
        for (text, expected) in [
            ("3s", Some(3000)),
            ("500ms", Some(500)),
            ("2", Some(2000)),
            ("60s", Some(60_000)),
            ("500", None),
            ("0", None),
            ("0ms", None),
            ("-1s", None),
            ("1m", None),
            ("", None),
            ("99999999999s", None),
        ] {
            let got = timeout(text).ok().map(|timeout| timeout.as_millis());
            assert_eq!(got, expected, "{text}");
        }
    }
}
