//! All decisions of a server, pure: tree, watches, sessions, ACLs, quotas, preparation, order.
//!
//! Nothing here knows a clock, a random number, a file, a socket, a thread or a lock. The same inputs
//! give the same outputs, byte for byte, on every machine; so one seed replays a whole run.
//!
//! [`Peer`] is the way in and out. [`Database`] is what it decides about; recovery fills it.

mod apply;
mod auth;
mod database;
mod election;
mod ip;
pub mod path;
mod peer;
mod prep;
mod quorum;
mod quota;
mod read;
mod schedule;
mod sessions;
mod stats;
mod summary;
mod tree;
mod watches;
mod zab;

pub use apply::{Event, Outcome};
pub use auth::{AuthOptions, digest};
pub use database::{Database, DatabaseOptions};
pub use peer::{
    Connection, ConnectionId, ConnectionStats, ContainerOptions, Input, LastOp, Now, Options,
    Output, Peer, Reign, RoleName,
};
pub use prep::PrepOptions;
pub use quorum::{Grammar, Members, MembersChange};
pub use schedule::{SnapshotOptions, TokenOptions};
pub use sessions::{Millis, password};
pub use stats::{Fired, MemberStats, Stats};
pub use summary::{Distribution, Summary};
pub use tree::{Node, NodeId, NodeKind, SnapshotSlice, Tree};
pub use watches::Watches;
pub use zab::{EnsembleOptions, LinkId, ShownLearner};
