//! Faults of the server's own making, to see that the oracle finds them.

/// What a server does wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// What the log was given is said to be on the disk before it is.
    PersistBeforeCommit,
    /// The last txn of a batch never reaches the log.
    LoseLastAppend,
    /// Some watch events are not sent.
    SwallowEvent,
    /// Some watch events come one reply too late.
    EventAfterReply,
    /// Time runs ahead when sessions are looked at.
    ExpireEarly,
    /// A snapshot is named by the txn after the one that it shows.
    MislabelSnapshot,
    /// A snapshot takes slices until there is none, so also those of a snapshot begun meanwhile.
    SliceUntilNone,
    /// The files of epochs are said to be written, but are not.
    SkipEpochFiles,
    /// A leader does not send some COMMITs.
    DropCommit,
    /// A leader leaves a txn out of what a learner lacks.
    DropDiffTxn,
    /// Whatever a configuration says, the first voters are counted.
    CountFirstVoters,
    /// A server whose volume is empty takes itself for a new one.
    TrustEmptyVolume,
}

impl Mutation {
    /// Those of a server that is alone.
    pub const ALONE: [Self; 7] = [
        Self::PersistBeforeCommit,
        Self::LoseLastAppend,
        Self::SwallowEvent,
        Self::EventAfterReply,
        Self::ExpireEarly,
        Self::MislabelSnapshot,
        Self::SliceUntilNone,
    ];
    /// Those of a member of an ensemble.
    pub const ENSEMBLE: [Self; 6] = [
        Self::PersistBeforeCommit,
        Self::SkipEpochFiles,
        Self::DropCommit,
        Self::DropDiffTxn,
        Self::CountFirstVoters,
        Self::TrustEmptyVolume,
    ];
}
