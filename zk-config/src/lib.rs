//! zoo.cfg, dynamic configuration and myid: parsed, checked, printed; the one table of keys.
//!
//! Text comes in, a [`Config`] of typed values comes out, with every fault found on the way and
//! every warning an operator should read. Only [`Config::read`] touches files; nothing here
//! resolves a name, binds a port or looks at a clock.
//!
//! Invariants
//! - A key, its default and its parser stand once, in [`keys::KEYS`].
//! - A file that the Java server takes is taken, with the same effective values.
//! - No key is passed over in silence: it is honoured, or a warning or note names it.
//! - Secrets are never printed: [`Secret`] hides itself, [`Config::effective`] redacts.
//!
//! Java: `QuorumPeerConfig`, `QuorumPeer.QuorumServer`, and the system properties of the server.

pub mod config;
pub mod ensemble;
pub mod error;
mod fuzz;
mod intake;
pub mod keys;
mod member_error;
mod mode;
pub mod properties;
mod reader;
pub mod reconfig;
pub mod server_spec;
pub mod spelling;
pub mod static_file;
mod value;
pub mod warning;

pub use config::{Config, Effective, Mode, Parsed, Secret};
pub use ensemble::Ensemble;
pub use error::{Error, Errors, Origin};
pub use fuzz::fuzz_zoo_cfg;
pub use member_error::MemberError;
pub use properties::Properties;
pub use reconfig::{Change, ChangeRules, ReconfigError};
pub use server_spec::{ClientAddress, PeerAddress, Role, ServerId, ServerSpec, SpecError};
pub use warning::{Caution, Warning};
