//! Why a command failed: Java's sentence, an exit code, and what programs need to know.
//!
//! What a person can do about it is `advice.rs`'s matter.

use std::io;
use std::path::PathBuf;

use serde_json::{Value, json};
use thiserror::Error;
use zk_wire::ErrorCode;

use crate::client::{ConnectStringError, Error as ClientError};
use crate::options::OptionsError;
use crate::path::PathError;

/// Why a command failed; the texts are Java's where Java has one.
#[derive(Debug, Error)]
pub(crate) enum Failure {
    /// Arguments are missing: the command's usage is shown.
    #[error("{0}")]
    Usage(String),
    #[error(transparent)]
    Options(#[from] OptionsError),
    /// Compat: Java says it twice.
    #[error("Command not found: Command not found {0}")]
    NotFound(String),
    #[error(transparent)]
    Path(#[from] PathError),
    /// The server's answer, or that there is none.
    #[error("{}", message(*.error, .path.as_deref()))]
    Request { error: ClientError, path: Option<String>, deed: Deed },
    /// Arguments that make no sense together, or values out of range.
    #[error("{0}")]
    Refused(String),
    /// There is no session any more.
    #[error("Not connected")]
    NotConnected,
    #[error(transparent)]
    ConnectString(#[from] ConnectStringError),
    #[error("{path}: {error}")]
    File { path: PathBuf, error: io::Error },
    /// A line of an export that is none.
    #[error("{file}:{line}: {why}")]
    Record { file: String, line: usize, why: String },
    /// The output is not taken any more, as by `head`.
    #[error("output: {0}")]
    Output(io::Error),
    #[error("Interrupted")]
    Interrupted,
}

/// What was tried, to tell which permission it takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Deed {
    Read,
    Write,
    Create,
    Delete,
    Admin,
    /// Nothing with a node.
    Session,
}

impl Failure {
    /// A request that failed.
    pub(crate) fn request(error: ClientError, path: &str, deed: Deed) -> Self {
        match error {
            ClientError::Interrupted => Self::Interrupted,
            error => Self::Request { error, path: Some(path.to_owned()), deed },
        }
    }

    /// Turns a request's error into a failure at this path.
    pub(crate) fn at(path: &str, deed: Deed) -> impl Fn(ClientError) -> Self {
        move |error| Self::request(error, path, deed)
    }

    pub(crate) fn exit_code(&self) -> u8 {
        match self {
            Self::NotFound(_) => 127,
            Self::Interrupted => 130,
            _ => 1,
        }
    }

    /// A short name for programs.
    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Usage(_) => "Usage",
            Self::Options(_) => "Options",
            Self::NotFound(_) => "CommandNotFound",
            Self::Path(_) => "InvalidPath",
            Self::Request { error, .. } => error.name(),
            Self::Refused(_) => "Refused",
            Self::NotConnected => "NotConnected",
            Self::ConnectString(_) => "ConnectString",
            Self::File { .. } => "File",
            Self::Record { .. } => "Record",
            Self::Output(_) => "Output",
            Self::Interrupted => "Interrupted",
        }
    }

    /// Whether the reader of the output has gone, which is nothing to complain about.
    pub(crate) fn is_closed_output(&self) -> bool {
        matches!(self, Self::Output(error) if error.kind() == io::ErrorKind::BrokenPipe)
    }

    /// The failure as programs read it.
    pub(crate) fn json(&self, advice: Option<&str>) -> Value {
        let path = match self {
            Self::Request { path, .. } => path.as_deref(),
            _ => None,
        };
        json!({
            "error": self.name(),
            "message": self.to_string().trim_end(),
            "path": path,
            "advice": advice,
        })
    }
}

/// Compat: `CliWrapperException.getMessage`, and `KeeperException.getMessage` for the rest.
fn message(error: ClientError, path: Option<&str>) -> String {
    let shown = path.unwrap_or("null");
    let ClientError::Server(code) = error else {
        return generic(error, path);
    };
    match code {
        ErrorCode::NoNode => format!("Node does not exist: {shown}"),
        ErrorCode::NoChildrenForEphemerals => format!("Ephemerals cannot have children: {shown}"),
        ErrorCode::NodeExists => format!("Node already exists: {shown}"),
        ErrorCode::NotEmpty => format!("Node not empty: {shown}"),
        ErrorCode::NotReadOnly => format!("Not a read-only call: {shown}"),
        ErrorCode::InvalidAcl => format!("Acl is not valid : {shown}"),
        ErrorCode::NoAuth => format!("Insufficient permission : {shown}"),
        ErrorCode::BadArguments => format!("Arguments are not valid : {shown}"),
        ErrorCode::BadVersion => format!("version No is not valid : {shown}"),
        ErrorCode::QuotaExceeded => format!("Quota has exceeded : {shown}"),
        ErrorCode::ReconfigInProgress => "Another reconfiguration is in progress -- concurrent \
                                          reconfigs not supported (yet)"
            .to_owned(),
        ErrorCode::NewConfigNoQuorum => "No quorum of new config is connected and up-to-date with \
                                         the leader of last commmitted config - try invoking \
                                         reconfiguration after new servers are connected and synced"
            .to_owned(),
        _ => generic(error, path),
    }
}

/// The sentence without a translation of its own.
pub(crate) fn generic(error: ClientError, path: Option<&str>) -> String {
    match path {
        None | Some("") => format!("KeeperErrorCode = {error}"),
        Some(path) => format!("KeeperErrorCode = {error} for {path}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_of_the_server_have_javas_words() {
        let text = |error, path| Failure::request(error, path, Deed::Read).to_string();
        let server = ClientError::Server;
        let cases = [
            (server(ErrorCode::NoNode), "/a", "Node does not exist: /a"),
            (server(ErrorCode::NoAuth), "", "Insufficient permission : "),
            (server(ErrorCode::NoWatcher), "/a", "KeeperErrorCode = No such watcher for /a"),
            (ClientError::ConnectionLoss, "/", "KeeperErrorCode = ConnectionLoss for /"),
            (server(ErrorCode::ReconfigDisabled), "", "KeeperErrorCode = Reconfig is disabled"),
        ];
        for (error, path, expected) in cases {
            assert_eq!(text(error, path), expected);
        }
    }
}
