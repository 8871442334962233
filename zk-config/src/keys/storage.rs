//! Chapter 7.1: log, snapshots and the commit path.

use super::Key;
use super::Kind::{
    LenientBool, LenientDecimal, LenientDouble, LenientInt, LenientLong, LenientOneOf, OffIfNo,
};
use super::State::{Honoured, NotYet};

pub(super) const KEYS: &[Key] = super::rows! { "7.1":
    ("snapCount", Property, LenientInt, P1, Honoured, "100000",
        "txns after which, give or take half, a snapshot is taken; at least 2");
    ("snapSizeLimitInKb", Property, LenientLong, P2, Honoured, "4194304",
        "KiB of txns after which, give or take half, a snapshot is taken; 0 is off");
    ("txnLogSizeLimitInKb", Property, LenientLong, P3, Honoured, "-1",
        "KiB at which a new log file is begun; -1 is off");
    ("preAllocSize", Property, LenientDecimal, P1, Honoured, "65536",
        "KiB by which log files are extended with zeros; 0 is off");
    ("forceSync", Property, OffIfNo, P1, Honoured, "yes",
        "sync the log before a txn is acknowledged");
    ("fsync.warningthresholdms", Both, LenientLong, P1, Honoured, "1000",
        "ms of a sync that is warned about");
    ("flushDelay", Property, LenientLong, P2, Honoured, "0",
        "ms a sync may be put off to cover more txns");
    ("maxWriteQueuePollTime", Property, LenientLong, P3, Honoured, "",
        "ms without a txn after which the sync is not put off longer; a third of flushDelay");
    ("maxBatchSize", Property, LenientInt, P2, Honoured, "1000",
        "txns after which the log is synced; 0 is unlimited");
    ("commitLogCount", Property, LenientDecimal, P2, Honoured, "500",
        "committed txns kept in memory for learners; at least 500");
    ("snapshotSizeFactor", Property, LenientDouble, P3, Honoured, "0.33",
        "share of the snapshot's size up to which a learner is sent the log; negative is never, 0 always");
    ("snapshot.compression.method", Property, LenientOneOf(&["", "gz", "snappy"]), P2, Honoured, "",
        "compression of snapshots: gz, snappy or none");
    ("snapshot.trust.empty", Property, LenientBool, P2, Honoured, "false",
        "a log without any snapshot is taken as complete");
    ("recovery.dropDamagedTail", Property, LenientBool, P3, Honoured, "false",
        "what follows damage in the newest log is dropped: acknowledged txns may be lost");
    ("recovery.selfRepair", Property, LenientBool, P3, Honoured, "true",
        "a member whose files are damaged puts them aside and syncs anew, if two other voters are there");
    ("serializeLastProcessedZxid.enabled", Property, LenientBool, P2, NotYet, "true",
        "snapshots hold the last zxid they cover");
    ("digest.enabled", Property, LenientBool, P2, Honoured, "true",
        "keep a digest of the tree, in txns and snapshots too");
    ("closeSessionTxn.enabled", Property, LenientBool, P3, NotYet, "true",
        "a closeSession txn lists the ephemerals it removes");
    ("datadir.autocreate", Property, LenientBool, P2, Honoured, "true",
        "create data folders that are missing");
    ("db.autocreate", Property, LenientBool, P2, Honoured, "true",
        "an empty data folder is a new member, not a loss");
    ("joinGuard.enabled", Property, LenientBool, P2, Honoured, "false",
        "a member with an empty data folder votes once all others have said what they have");
    ("loading.stallLimit", Property, LenientInt, P2, Honoured, "60000",
        "ms in which a start that reads nothing is still alive for liveness probes");
    ("jute.maxbuffer", Bare, LenientInt, P1, Honoured, "1048575",
        "bytes of the largest packet; equal on all servers and clients");
    ("jute.maxbuffer.extrasize", Property, LenientInt, P3, Honoured, "",
        "bytes a record from log or peers may be larger; jute.maxbuffer if not set");
};
