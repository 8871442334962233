//! What the cluster wants: whether the StatefulSet of this pod is to have a pod with this ordinal.
//!
//! One question to the API server, with the pod's own service account, which must be allowed to `get` the set. In
//! doubt nobody goes: a set that is deleted, scaled to nothing, or not told of takes no member away.

use std::env;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use ureq::Agent;
use ureq::tls::{Certificate, RootCerts, TlsConfig};

/// Where a pod finds its token, its namespace, and whom to trust.
pub const SERVICE_ACCOUNT: &str = "/var/run/secrets/kubernetes.io/serviceaccount";

/// What is to become of a pod.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wish {
    /// It is one of those that the set is to have, or nobody knows better.
    Stays,
    /// The set is to have fewer.
    Goes,
}

/// Why the cluster did not say.
#[derive(Debug, thiserror::Error)]
pub enum NoWish {
    /// Not in a pod.
    #[error("KUBERNETES_SERVICE_HOST is not set: this is no pod of a cluster")]
    NoCluster,
    /// The pod has no token.
    #[error(
        "{}: {source}; give the pod `automountServiceAccountToken: true`", .path.display()
    )]
    Account {
        /// The file that is missing or unreadable.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// No answer, or a refusal.
    #[error(
        "GET {url}: {source}; the pod's service account needs the right to `get` the StatefulSet {set}"
    )]
    Request {
        /// What was asked.
        url: String,
        /// The name of the set.
        set: String,
        /// What came instead.
        source: Box<ureq::Error>,
    },
    /// An answer without sense.
    #[error("GET {url}: not a StatefulSet: {source}")]
    Answer {
        /// What was asked.
        url: String,
        /// What is wrong.
        source: serde_json::Error,
    },
}

#[derive(Debug, serde::Deserialize)]
struct StatefulSet {
    metadata: Metadata,
    spec: Spec,
}

#[derive(Debug, serde::Deserialize)]
#[serde(rename_all = "camelCase")]
struct Metadata {
    deletion_timestamp: Option<String>,
}

#[derive(Debug, serde::Deserialize)]
struct Spec {
    replicas: Option<u32>,
    ordinals: Option<Ordinals>,
}

#[derive(Debug, serde::Deserialize)]
struct Ordinals {
    start: Option<u32>,
}

/// Asks for the set `set` and what it says of `ordinal`.
///
/// # Errors
/// There is no answer that says it.
pub fn wish(account: &Path, set: &str, ordinal: u32) -> Result<Wish, NoWish> {
    let host = env::var("KUBERNETES_SERVICE_HOST").map_err(|_| NoWish::NoCluster)?;
    let port = env::var("KUBERNETES_SERVICE_PORT").unwrap_or_else(|_| "443".to_owned());
    let read = |name: &str| {
        let path = account.join(name);
        fs::read_to_string(&path).map_err(|source| NoWish::Account { path, source })
    };
    let (token, namespace, authority) = (read("token")?, read("namespace")?, read("ca.crt")?);
    let certificate = Certificate::from_pem(authority.as_bytes()).map_err(|error| {
        NoWish::Account { path: account.join("ca.crt"), source: io::Error::other(error) }
    })?;
    let roots = RootCerts::new_with_certs(&[certificate]);
    let tls = TlsConfig::builder().root_certs(roots).build();
    let agent: Agent =
        Agent::config_builder().tls_config(tls).timeout_global(Some(TIMEOUT)).build().into();
    let host = if host.contains(':') { format!("[{host}]") } else { host };
    let namespace = namespace.trim();
    let url =
        format!("https://{host}:{port}/apis/apps/v1/namespaces/{namespace}/statefulsets/{set}");
    let failed = |source| NoWish::Request {
        url: url.clone(),
        set: set.to_owned(),
        source: Box::new(source),
    };
    let request = agent.get(&url).header("Authorization", format!("Bearer {}", token.trim()));
    let mut response = request.call().map_err(failed)?;
    let text = response.body_mut().read_to_string().map_err(failed)?;
    let set = serde_json::from_str(&text)
        .map_err(|source| NoWish::Answer { url: url.clone(), source })?;
    Ok(of_set(&set, ordinal))
}

fn of_set(set: &StatefulSet, ordinal: u32) -> Wish {
    let first = set.spec.ordinals.as_ref().and_then(|ordinals| ordinals.start).unwrap_or(0);
    let replicas = set.spec.replicas.unwrap_or(1);
    let is_wanted = ordinal < first.saturating_add(replicas);
    if is_wanted || replicas == 0 || set.metadata.deletion_timestamp.is_some() {
        Wish::Stays
    } else {
        Wish::Goes
    }
}

/// For connecting, asking and reading together.
const TIMEOUT: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_pod_behind_the_last_one_wanted_goes() {
        for (set, ordinal, expected) in [
            (r#"{"metadata":{},"spec":{"replicas":3}}"#, 2, Wish::Stays),
            (r#"{"metadata":{},"spec":{"replicas":3}}"#, 3, Wish::Goes),
            (r#"{"metadata":{},"spec":{"replicas":3,"ordinals":{"start":1}}}"#, 3, Wish::Stays),
            (r#"{"metadata":{},"spec":{"replicas":3,"ordinals":{}}}"#, 3, Wish::Goes),
            (r#"{"metadata":{},"spec":{}}"#, 1, Wish::Goes),
            (r#"{"metadata":{},"spec":{"replicas":0}}"#, 0, Wish::Stays),
            (
                r#"{"metadata":{"deletionTimestamp":"2026-01-01T00:00:00Z"},"spec":{"replicas":3}}"#,
                3,
                Wish::Stays,
            ),
        ] {
            let set = serde_json::from_str(set).expect("it is a set");
            assert_eq!(of_set(&set, ordinal), expected, "{set:?}");
        }
    }
}
