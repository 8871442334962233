//! What the text of a configuration says, and what a request makes of it: told to the core from outside.
//!
//! The core compares texts, sends and stores them; it reads none itself, and knows no addresses.
//!
//! Java: `QuorumPeer.configFromString`, `QuorumPeerConfig.parseDynamicConfig`, the reconfig branch of
//! `PrepRequestProcessor.pRequest2Txn`.

use std::fmt;

use super::Members;

/// The language of configurations.
pub trait Grammar: fmt::Debug + Send + Sync {
    /// The members that a text describes, `version` line included.
    ///
    /// # Errors
    /// It is no configuration; the error says why.
    fn members(&self, text: &str) -> Result<Members, String>;

    /// The members that a request makes of these, with version 0.
    ///
    /// # Errors
    /// The request makes no sense, or would leave too few voters; the error says why. Clients see only that
    /// their arguments are bad.
    fn changed(&self, last: &Members, request: &MembersChange<'_>) -> Result<Members, String>;
}

/// What a reconfig request asks for: either all members, or some to join and some to leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MembersChange<'a> {
    /// `server.N=…` entries with commas between them.
    pub joining: Option<&'a str>,
    /// Numbers of servers with commas between them.
    pub leaving: Option<&'a str>,
    /// The whole configuration, with commas or line ends between its entries.
    pub members: Option<&'a str>,
}
