//! Why a request has no answer.

use thiserror::Error;
use zk_wire::{DecodeError, ErrorCode};

/// What a caller gets instead of a reply.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub(crate) enum Error {
    /// The server refused.
    #[error("{}", message(*.0))]
    Server(ErrorCode),
    /// The server refused with a code that no known server has.
    #[error("error {0}")]
    Unknown(i32),
    /// The connection broke before the reply, or there was none; a write may have happened.
    #[error("ConnectionLoss")]
    ConnectionLoss,
    /// The session is gone, and its ephemeral nodes with it.
    #[error("Session expired")]
    SessionExpired,
    /// Credentials were refused; the session is of no more use.
    #[error("AuthFailed")]
    AuthFailed,
    /// The user pressed Ctrl-C.
    #[error("Interrupted")]
    Interrupted,
    /// The reply is not what it should be.
    #[error("MarshallingError ({0})")]
    Malformed(#[from] DecodeError),
}

impl Error {
    pub(crate) fn from_code(code: i32) -> Self {
        match ErrorCode::from_code(code) {
            Some(ErrorCode::SessionExpired) => Self::SessionExpired,
            Some(ErrorCode::AuthFailed) => Self::AuthFailed,
            Some(code) => Self::Server(code),
            None => Self::Unknown(code),
        }
    }

    /// The name of the error for programs: Java's class name without `Exception`.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Server(code) => class(code),
            Self::Unknown(_) => "Unknown",
            Self::ConnectionLoss => "ConnectionLoss",
            Self::SessionExpired => "SessionExpired",
            Self::AuthFailed => "AuthFailed",
            Self::Interrupted => "Interrupted",
            Self::Malformed(_) => "MarshallingError",
        }
    }

    /// Whether the server says that there is no such node.
    pub(crate) fn is_no_node(self) -> bool {
        self == Self::Server(ErrorCode::NoNode)
    }
}

/// Compat: `KeeperException.getCodeMessage`.
fn message(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::RuntimeInconsistency => "RuntimeInconsistency",
        ErrorCode::MarshallingError => "MarshallingError",
        ErrorCode::Unimplemented => "Unimplemented",
        ErrorCode::BadArguments => "BadArguments",
        ErrorCode::NewConfigNoQuorum => "NewConfigNoQuorum",
        ErrorCode::ReconfigInProgress => "ReconfigInProgress",
        ErrorCode::NoNode => "NoNode",
        ErrorCode::NoAuth => "NoAuth",
        ErrorCode::BadVersion => "BadVersion",
        ErrorCode::NoChildrenForEphemerals => "NoChildrenForEphemerals",
        ErrorCode::NodeExists => "NodeExists",
        ErrorCode::NotEmpty => "Directory not empty",
        ErrorCode::SessionExpired => "Session expired",
        ErrorCode::InvalidAcl => "InvalidACL",
        ErrorCode::AuthFailed => "AuthFailed",
        ErrorCode::SessionMoved => "Session moved",
        ErrorCode::NotReadOnly => "Not a read-only call",
        ErrorCode::EphemeralOnLocalSession => "Ephemeral node on local session",
        ErrorCode::NoWatcher => "No such watcher",
        ErrorCode::ReconfigDisabled => "Reconfig is disabled",
        ErrorCode::SessionClosedRequireSaslAuth => {
            "Session closed because client failed to authenticate"
        }
        ErrorCode::QuotaExceeded => "Quota has exceeded",
        ErrorCode::ThrottledOp => "Op throttled due to high load",
    }
}

fn class(code: ErrorCode) -> &'static str {
    match code {
        ErrorCode::NotEmpty => "NotEmpty",
        ErrorCode::SessionMoved => "SessionMoved",
        ErrorCode::NotReadOnly => "NotReadOnly",
        ErrorCode::EphemeralOnLocalSession => "EphemeralOnLocalSession",
        ErrorCode::NoWatcher => "NoWatcher",
        ErrorCode::ReconfigDisabled => "ReconfigDisabled",
        ErrorCode::SessionClosedRequireSaslAuth => "SessionClosedRequireSaslAuth",
        ErrorCode::QuotaExceeded => "QuotaExceeded",
        ErrorCode::ThrottledOp => "ThrottledOp",
        plain => message(plain),
    }
}
