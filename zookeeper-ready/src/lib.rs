//! Probes that ask a ZooKeeper server one thing and give up soon: `zookeeper-ready` and
//! `zookeeper-metrics`; and `nc`, for the probes that people have already.
//!
//! They speak four-letter words over one plain TCP connection each. They never open a session,
//! start a program, read a configuration or wait longer than their one deadline, so that a
//! kubelet that runs them every few seconds notices nothing of them.
//!
//! Invariants
//! - Success is silent (but for what was asked for); a failure is one line that says why not.
//! - Nothing a server sends is trusted: answers are capped, and escaped before they are printed.

pub mod answer;
pub mod conversation;
pub mod ensemble;
pub mod flags;
pub mod metrics;
pub mod netcat;
pub mod probe;
pub mod ready;
pub mod safe_to_stop;
pub mod why_not_ready;

pub use conversation::{Conversation, NoAnswer, Target};
pub use flags::Where;
pub use probe::{Mode, NotReady};

/// Exit code when the answer is no, or when there is no answer. A command line that makes no sense
/// is 2, which clap decides.
pub const EXIT_NO: u8 = 1;
