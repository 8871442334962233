//! Chapter 7.4: replication and election.

use super::Key;
use super::Kind::{Int, LenientBool, LenientInt, LenientLong, OnIfTrue, Text};
use super::State::{Honoured, ManualName, NoEffect, NotYet};

pub(super) const KEYS: &[Key] = super::rows! { "7.4":
    ("cnxTimeout", Property, Int, P2, Honoured, "5000",
        "ms an election connection has to be made in");
    ("quorumCnxnTimeoutMs", Property, LenientInt, P3, NotYet, "-1",
        "ms of silence that end an election connection; -1 is syncLimit");
    ("autoJoin.enabled", Property, LenientBool, P2, Honoured, "false",
        "a server that is no voter of the configuration becomes one once it has everything");
    ("electionPortBindRetry", Property, LenientInt, P1, Honoured, "3",
        "attempts to bind the election port; 0 is for ever");
    ("tcpKeepAlive", Property, LenientBool, P2, Honoured, "false",
        "SO_KEEPALIVE on election sockets");
    ("fastleader.minNotificationInterval", Property, LenientInt, P3, NotYet, "200",
        "ms of the first wait for votes");
    ("fastleader.maxNotificationInterval", Property, LenientInt, P3, NotYet, "60000",
        "ms of the longest wait for votes");
    ("leader.maxTimeToWaitForEpoch", Property, LenientInt, P3, NotYet, "-1",
        "ms in which a quorum must answer a new leader; -1 is initLimit");
    ("leader.maxConcurrentSnapSyncs", Property, LenientInt, P2, Honoured, "10",
        "learners that are sent a snapshot at a time");
    ("leader.maxConcurrentDiffSyncs", Property, LenientInt, P3, NotYet, "100",
        "learners that are sent a diff at a time");
    ("leader.ackLoggingFrequency", Property, LenientInt, P3, NoEffect, "1000",
        "acknowledgements of which one is measured");
    ("leader.nodelay", Bare, OnIfTrue, P3, NoEffect, "true",
        "TCP_NODELAY on a leader's sockets; always on");
    ("follower.nodelay", Bare, OnIfTrue, P3, NoEffect, "true",
        "TCP_NODELAY on a learner's socket; always on");
    ("leaderConnectDelayDuringRetryMs", Property, LenientInt, P3, NotYet, "100",
        "ms between attempts to reach the leader");
    ("learner.asyncSending", Both, LenientBool, P3, NoEffect, "false",
        "a learner sends on a thread of its own");
    ("learner.closeSocketAsync", Both, LenientBool, P3, NoEffect, "false",
        "a learner closes its socket on a thread of its own");
    ("leader.closeSocketAsync", Both, LenientBool, P3, NoEffect, "false",
        "a leader closes its sockets on threads of their own");
    ("forward_learner_requests_to_commit_processor_disabled", Property, LenientBool, P3, NoEffect,
        "false", "which thread learners' requests pass through");
    ("follower.skipLearnerRequestToNextProcessor", Property, LenientBool, P3, NoEffect, "false",
        "which thread learners' requests pass through");
    ("observer.reconnectDelayMs", Property, LenientLong, P3, NotYet, "0",
        "ms up to which an observer waits before it reconnects");
    ("observer.election.DelayMs", Property, LenientLong, P3, NotYet, "200",
        "ms an observer waits before it looks for a leader");
    ("observer.syncEnabled", Property, LenientBool, P3, NotYet, "",
        "overrides syncEnabled");
    ("observerMaster.sizeLimit", Property, LenientInt, P3, NotYet, "33554432",
        "bytes of packets a follower keeps for its observers");
    ("forceSnapshotSync", Property, LenientBool, P3, Honoured, "false",
        "learners are always sent a snapshot");
    ("testingonly.initialZxid", Property, Text, P3, NotYet, "",
        "hook of Java's tests");
    ("test.allowDiscontinuousProposals", Property, LenientBool, P3, NotYet, "false",
        "hook of Java's tests");
    ("readonlymode.enabled", Bare, LenientBool, P2, Honoured, "false",
        "without a quorum, serve reads to clients that asked for that");
    // Names that the manual prints and nothing reads.
    ("maxConcurrentSnapSyncs", Property, LenientInt, P3,
        ManualName("leader.maxConcurrentSnapSyncs"), "", "see there");
    ("maxConcurrentDiffSyncs", Property, LenientInt, P3,
        ManualName("leader.maxConcurrentDiffSyncs"), "", "see there");
    ("maxTimeToWaitForEpoch", Property, LenientInt, P3,
        ManualName("leader.maxTimeToWaitForEpoch"), "", "see there");
};
