//! The flags that both probes share.

use std::time::Duration;

use crate::conversation::Target;

/// Whom to ask, and for how long.
#[derive(Debug, clap::Args)]
pub struct Where {
    /// Client port of the server
    #[arg(value_name = "PORT", default_value_t = 2181, value_parser = clap::value_parser!(u16).range(1..))]
    port: u16,
    /// Name or address of the server [default: 127.0.0.1, and ::1 if that refuses]
    #[arg(long, value_name = "HOST")]
    host: Option<String>,
    /// Time for connecting, asking and reading together: 3s, 500ms, or seconds without a unit
    #[arg(long, value_name = "TIME", default_value = "3s", value_parser = timeout)]
    timeout: Duration,
}

impl From<Where> for Target {
    fn from(flags: Where) -> Self {
        Self { host: flags.host, port: flags.port, timeout: flags.timeout }
    }
}

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
