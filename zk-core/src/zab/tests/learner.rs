//! A learner and what its leader and its disk tell it.

use expect_test::{Expect, expect};
use zk_wire::{Epoch, LearnerInfo, Naming, QuorumPacket, ServerId};

use super::{lines, txn, zxid};
use crate::sessions::Millis;
use crate::zab::{Act, Learner, LearnerIdentity, LinkId};

/// A follower of server.3 whose log ends with 1:4, in epoch 1.
fn follower() -> Learner {
    let identity = LearnerIdentity {
        me: ServerId(1),
        is_observer: false,
        config_version: 0,
        accepted: Epoch(1),
        current: Epoch(1),
        naming: Naming::Unknown,
        last: zxid("1:4"),
    };
    Learner::new(identity, ServerId(3), Millis(0), 10_000, 2000)
}

/// Plays a script to a follower: a line of input each, what it wants beneath.
fn check(script: &str, expected: Expect) {
    let mut learner = follower();
    let mut text = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut acts = Vec::new();
        if line == "torn?" {
            text += if learner.is_torn() { "torn\n" } else { "whole\n" };
            continue;
        }
        step(&mut learner, line, &mut acts);
        text += &format!("{line}\n");
        for wanted in lines(acts, |_| String::new()).lines() {
            text += &format!("    {wanted}\n");
        }
    }
    expected.assert_eq(&text);
}

/// Until the leader sends what is lacking.
const DISCOVERED: &str = "dialed\nLEADERINFO 2:0\nstored 2 1\n";

#[test]
fn it_promises_an_epoch_on_disk_before_it_says_so() {
    check(
        "dialed\nLEADERINFO 2:0\nstored 2 1",
        expect![[r#"
            dialed
                send FOLLOWERINFO 1:0
            LEADERINFO 2:0
                store acceptedEpoch 2
            stored 2 1
                send ACKEPOCH 1:4 epoch 1
        "#]],
    );
}

#[test]
fn an_epoch_that_was_promised_before_does_not_count_again() {
    check(
        "dialed\nLEADERINFO 1:0",
        expect![[r#"
            dialed
                send FOLLOWERINFO 1:0
            LEADERINFO 1:0
                send ACKEPOCH 1:4 epoch none
        "#]],
    );
}

#[test]
fn a_leader_of_an_older_epoch_is_left() {
    check(
        "dialed\nLEADERINFO 0:0",
        expect![[r#"
            dialed
                send FOLLOWERINFO 1:0
            LEADERINFO 0:0
                give up: the leader's epoch 0 is below the accepted epoch 1
        "#]],
    );
}

/// ZOOKEEPER-3911: followers acked NEWLEADER before the txns of a DIFF were on disk. When all of them
/// crashed then, committed txns were gone. ZOOKEEPER-4643: `currentEpoch` was written before those txns, and
/// a restarted server with a high epoch and a short log won and cut the others.
#[test]
fn zookeeper_3911_and_4643_newleader_is_acked_after_txns_and_epoch_are_on_disk() {
    let script = format!(
        "{DISCOVERED} DIFF 1:6\nPROPOSAL 1:5\nCOMMIT 1:5\nPROPOSAL 1:6\nCOMMIT 1:6\nNEWLEADER 2:0\n\
         persisted 1:5\npersisted 1:6\nstored 2 2\nUPTODATE"
    );
    check(
        &script,
        expect![[r#"
            dialed
                send FOLLOWERINFO 1:0
            LEADERINFO 2:0
                store acceptedEpoch 2
            stored 2 1
                send ACKEPOCH 1:4 epoch 1
            DIFF 1:6
            PROPOSAL 1:5
                log 1:5
            COMMIT 1:5
            PROPOSAL 1:6
                log 1:6
            COMMIT 1:6
            NEWLEADER 2:0
            persisted 1:5
            persisted 1:6
                store currentEpoch 2
            stored 2 2
                send ACK 2:0
            UPTODATE
                commit 1:6
                serve
                send ACK 2:0
        "#]],
    );
}

/// ZOOKEEPER-4646, ZOOKEEPER-4785: a txn was acked that another thread had yet to write. ZOOKEEPER-4685: such
/// an ACK overtook that of NEWLEADER, and the leader took it for that.
#[test]
fn zookeeper_4646_and_4685_a_proposal_is_acked_from_disk_and_behind_newleader() {
    let script = format!(
        "{DISCOVERED} DIFF 1:4\nPROPOSAL 1:5\nNEWLEADER 2:0\npersisted 1:5\nstored 2 2\nUPTODATE\n\
         PROPOSAL 2:1\nCOMMIT 1:5\npersisted 2:1"
    );
    check(
        &script,
        expect![[r#"
            dialed
                send FOLLOWERINFO 1:0
            LEADERINFO 2:0
                store acceptedEpoch 2
            stored 2 1
                send ACKEPOCH 1:4 epoch 1
            DIFF 1:4
            PROPOSAL 1:5
                log 1:5
            NEWLEADER 2:0
            persisted 1:5
                store currentEpoch 2
            stored 2 2
                send ACK 2:0
            UPTODATE
                commit 1:4
                serve
                send ACK 2:0
                send ACK 1:5
            PROPOSAL 2:1
                log 2:1
            COMMIT 1:5
                commit 1:5
            persisted 2:1
                send ACK 2:1
        "#]],
    );
}

/// ZOOKEEPER-4394, ZOOKEEPER-3023: a COMMIT between NEWLEADER and UPTODATE met an empty list, since what was
/// proposed before NEWLEADER had been forgotten.
#[test]
fn zookeeper_4394_a_commit_before_uptodate_is_kept() {
    let script = format!(
        "{DISCOVERED} DIFF 1:4\nPROPOSAL 1:5\nNEWLEADER 2:0\npersisted 1:5\nstored 2 2\nCOMMIT 1:5\n\
         PROPOSAL 2:1\nUPTODATE"
    );
    check(
        &script,
        expect![[r#"
            dialed
                send FOLLOWERINFO 1:0
            LEADERINFO 2:0
                store acceptedEpoch 2
            stored 2 1
                send ACKEPOCH 1:4 epoch 1
            DIFF 1:4
            PROPOSAL 1:5
                log 1:5
            NEWLEADER 2:0
            persisted 1:5
                store currentEpoch 2
            stored 2 2
                send ACK 2:0
            COMMIT 1:5
            PROPOSAL 2:1
                log 2:1
            UPTODATE
                commit 1:5
                serve
                send ACK 2:0
        "#]],
    );
}

/// ZOOKEEPER-4925: a hole in what a follower had in memory went on to others when it led.
#[test]
fn zookeeper_4925_a_proposal_that_leaves_a_gap_ends_the_synchronization() {
    let script = format!("{DISCOVERED} DIFF 1:7\nPROPOSAL 1:5\nPROPOSAL 1:7");
    check(
        &script,
        expect![[r#"
            dialed
                send FOLLOWERINFO 1:0
            LEADERINFO 2:0
                store acceptedEpoch 2
            stored 2 1
                send ACKEPOCH 1:4 epoch 1
            DIFF 1:7
            PROPOSAL 1:5
                log 1:5
            PROPOSAL 1:7
                give up: proposal 0x100000007 does not follow 0x100000005
        "#]],
    );
}

/// ZOOKEEPER-3642, ZOOKEEPER-5094: a SNAP or TRUNC that did not end left a tree between two states in memory,
/// and the next DIFF came on top of it.
#[test]
fn zookeeper_3642_and_5094_what_did_not_end_is_read_from_disk_again() {
    let script = format!(
        "{DISCOVERED} torn?\nSNAP 2:0\ntorn?\nloaded\ntorn?\nNEWLEADER 2:0\ntorn?\nsaved\ntorn?"
    );
    check(
        &script,
        expect![[r#"
            dialed
                send FOLLOWERINFO 1:0
            LEADERINFO 2:0
                store acceptedEpoch 2
            stored 2 1
                send ACKEPOCH 1:4 epoch 1
            whole
            SNAP 2:0
                load the snapshot
            torn
            loaded
            torn
            NEWLEADER 2:0
                save the tree
            torn
            saved
                store currentEpoch 2
            whole
        "#]],
    );
    let script = format!("{DISCOVERED} TRUNC 1:2\ntorn?\ntruncated 1:2\ntorn?");
    check(
        &script,
        expect![[r#"
            dialed
                send FOLLOWERINFO 1:0
            LEADERINFO 2:0
                store acceptedEpoch 2
            stored 2 1
                send ACKEPOCH 1:4 epoch 1
            TRUNC 1:2
                truncate to 1:2
            torn
            truncated 1:2
            whole
        "#]],
    );
}

/// Java names txns that it has itself, whether or not this server ever had them.
#[test]
fn a_log_that_never_had_where_it_is_to_end_is_cut_below_and_told_of_anew() {
    let script = format!("{DISCOVERED} TRUNC 1:3\ntruncated 1:2\ntorn?");
    check(
        &script,
        expect![[r#"
        dialed
            send FOLLOWERINFO 1:0
        LEADERINFO 2:0
            store acceptedEpoch 2
        stored 2 1
            send ACKEPOCH 1:4 epoch 1
        TRUNC 1:3
            truncate to 1:3
        truncated 1:2
            give up: the log was to end with 0x100000003, which it did not have: it ends with 0x100000002 now
        torn
    "#]],
    );
}

/// A crash between a logged txn and a snapshot that was not there yet would replay it on the old tree.
#[test]
fn what_follows_a_snapshot_is_logged_when_that_is_on_disk() {
    let script = format!(
        "{DISCOVERED} SNAP 2:0\nloaded\nPROPOSAL 2:1\nCOMMIT 2:1\nPROPOSAL 2:2\nNEWLEADER 2:0\nsaved\n\
         persisted 2:2\nstored 2 2\nUPTODATE"
    );
    check(
        &script,
        expect![[r#"
            dialed
                send FOLLOWERINFO 1:0
            LEADERINFO 2:0
                store acceptedEpoch 2
            stored 2 1
                send ACKEPOCH 1:4 epoch 1
            SNAP 2:0
                load the snapshot
            loaded
            PROPOSAL 2:1
            COMMIT 2:1
            PROPOSAL 2:2
            NEWLEADER 2:0
                apply 2:1
                save the tree
            saved
                log 2:2
            persisted 2:2
                store currentEpoch 2
            stored 2 2
                send ACK 2:0
            UPTODATE
                commit 2:1
                serve
                send ACK 2:0
                send ACK 2:2
        "#]],
    );
}

/// The tail of its log stayed beside the snapshot, the leader sent those txns again, and a restart replayed
/// them twice.
#[test]
fn a_log_that_reaches_beyond_the_snapshot_is_cut_to_it() {
    let script = format!(
        "{DISCOVERED} SNAP 1:2\nloaded\nPROPOSAL 1:3\nNEWLEADER 2:0\nsaved\ntorn?\ntruncated 1:2\ntorn?\n\
         persisted 1:3"
    );
    check(
        &script,
        expect![[r#"
            dialed
                send FOLLOWERINFO 1:0
            LEADERINFO 2:0
                store acceptedEpoch 2
            stored 2 1
                send ACKEPOCH 1:4 epoch 1
            SNAP 1:2
                load the snapshot
            loaded
            PROPOSAL 1:3
            NEWLEADER 2:0
                save the tree
            saved
                truncate to 1:2
            torn
            truncated 1:2
                log 1:3
            whole
            persisted 1:3
                store currentEpoch 2
        "#]],
    );
}

#[test]
fn a_snapshot_that_cannot_be_written_ends_the_role() {
    let script = format!("{DISCOVERED} SNAP 2:0\nloaded\nNEWLEADER 2:0\nnot saved\ntorn?");
    check(
        &script,
        expect![[r#"
            dialed
                send FOLLOWERINFO 1:0
            LEADERINFO 2:0
                store acceptedEpoch 2
            stored 2 1
                send ACKEPOCH 1:4 epoch 1
            SNAP 2:0
                load the snapshot
            loaded
            NEWLEADER 2:0
                save the tree
            not saved
                give up: the leader's snapshot could not be written
            torn
        "#]],
    );
}

#[test]
fn what_a_fuzzy_snapshot_has_already_may_come_once_more() {
    let script = format!("{DISCOVERED} SNAP 2:3\nloaded\nPROPOSAL 2:3\nCOMMIT 2:3\nNEWLEADER 2:0");
    check(
        &script,
        expect![[r#"
            dialed
                send FOLLOWERINFO 1:0
            LEADERINFO 2:0
                store acceptedEpoch 2
            stored 2 1
                send ACKEPOCH 1:4 epoch 1
            SNAP 2:3
                load the snapshot
            loaded
            PROPOSAL 2:3
            COMMIT 2:3
            NEWLEADER 2:0
                save the tree
        "#]],
    );
}

#[test]
fn the_one_that_is_to_lead_says_so_before_it_lets_go() {
    let live = "dialed\nLEADERINFO 2:0\nstored 2 1\nDIFF 1:4\nNEWLEADER 2:0\nstored 2 2\nUPTODATE";
    for (heir, wanted) in [(1, "send HANDOVER 1\nfollow 1\n"), (2, "follow 2\n")] {
        let mut learner = follower();
        let mut acts = Vec::new();
        for line in live.lines() {
            step(&mut learner, line, &mut acts);
        }
        acts.clear();
        let leader = ServerId(heir);
        learner.on_packet(Millis(0), &QuorumPacket::HandOver { leader }, &mut acts);
        assert_eq!(lines(acts, |_| String::new()), wanted);
    }
}

#[test]
fn packets_out_of_turn_end_the_role() {
    let cases = [
        ("dialed\nDIFF 1:4", "DIFF while waiting for something else"),
        ("dialed\nUPTODATE", "UPTODATE while waiting for LEADERINFO"),
        ("dialed\nPROPOSAL 1:5", "PROPOSAL while waiting for LEADERINFO"),
        (
            "dialed\nLEADERINFO 2:0\nstored 2 1\nNEWLEADER 2:0",
            "NEWLEADER while waiting for DIFF, TRUNC or SNAP",
        ),
        (
            "dialed\nLEADERINFO 2:0\nstored 2 1\nDIFF 1:4\nNEWLEADER 3:0",
            "NEWLEADER while synchronizing",
        ),
        (
            "dialed\nLEADERINFO 2:0\nstored 2 1\nDIFF 1:4\nCOMMIT 1:5",
            "commit 0x100000005, but nothing above 0x100000004 was proposed",
        ),
    ];
    for (script, why) in cases {
        let mut learner = follower();
        let mut acts = Vec::new();
        for line in script.lines() {
            acts.clear();
            step(&mut learner, line, &mut acts);
        }
        assert_eq!(lines(acts, |_| String::new()), format!("give up: {why}\n"), "{script}");
    }
}

/// Tells a learner one line of a script.
fn step(learner: &mut Learner, line: &str, acts: &mut Vec<Act>) {
    let now = Millis(0);
    let epoch = |text: &str| Epoch(text.parse().unwrap());
    match line.split(' ').collect::<Vec<_>>()[..] {
        ["dialed"] => learner.on_dialed(now, LinkId(1), acts),
        ["persisted", last] => learner.on_persisted(zxid(last), acts),
        ["stored", accepted, current] => {
            learner.on_stored(epoch(accepted), epoch(current), acts);
        }
        ["truncated", last] => learner.on_truncated(zxid(last), acts),
        ["loaded"] => assert!(learner.on_loaded().is_some()),
        ["saved"] => learner.on_snapshot_taken(true, acts),
        ["not", "saved"] => learner.on_snapshot_taken(false, acts),
        ["UPTODATE"] => learner.on_packet(now, &QuorumPacket::UpToDate, acts),
        [name, at] => {
            let at = zxid(at);
            let bytes = txn(at);
            let protocol = LearnerInfo::PROTOCOL;
            let packet = match name {
                "LEADERINFO" => QuorumPacket::LeaderInfo { zxid: at, protocol },
                "DIFF" => QuorumPacket::Diff { zxid: at },
                "TRUNC" => QuorumPacket::Trunc { zxid: at },
                "SNAP" => QuorumPacket::Snap { zxid: at },
                "PROPOSAL" => QuorumPacket::Proposal { zxid: at, txn: &bytes },
                "COMMIT" => QuorumPacket::Commit { zxid: at },
                "NEWLEADER" => QuorumPacket::NewLeader { zxid: at, config: None },
                other => panic!("{other}"),
            };
            learner.on_packet(now, &packet, acts);
        }
        ref other => panic!("{other:?}"),
    }
}
