//! A leader, its learners and its disk.

use std::collections::{BTreeMap, VecDeque};

use expect_test::{Expect, expect};
use zk_wire::{EnsembleId, Epoch, LearnerInfo, Naming, QuorumPacket, ServerId};

use super::{lines, txn, zxid};
use crate::quorum::Members;
use crate::quorum::plain::Plain;
use crate::sessions::Millis;
use crate::zab::{Act, EnsembleOptions, History, Keep, Leader, LinkId, Replayed};

/// server.3 of three, whose log ends with 1:6; 1:5 and 1:6 are in memory. Links have the learners' numbers.
struct Scene {
    leader: Leader,
    history: History,
    options: EnsembleOptions,
    now: Millis,
}

fn options() -> EnsembleOptions {
    EnsembleOptions {
        me: ServerId(3),
        members: Members::new(
            (1..=3).map(ServerId),
            [ServerId(4)],
            BTreeMap::new(),
            BTreeMap::new(),
            0,
            "version=0".to_owned(),
        ),
        proposed: None,
        naming: Naming::Unknown,
        fresh_id: EnsembleId(3),
        is_blank: false,
        may_found: false,
        current_epoch: Epoch(1),
        accepted_epoch: Epoch(1),
        init_limit: 10,
        sync_limit: 2,
        election_interval_min_ms: 200,
        election_interval_max_ms: 60_000,
        commit_log_count: 500,
        commit_log_bytes: 1 << 20,
        log_permille: Some(1000),
        force_snapshot_sync: false,
        leader_serves: true,
        read_only: false,
        local_sessions: false,
        local_upgrading: false,
        reconfig: None,
    }
}

impl Scene {
    fn new() -> Self {
        let txns = ["1:4", "1:5", "1:6"].map(|at| (zxid(at), txn(zxid(at)).into()));
        let replayed = Replayed { above: zxid("1:2"), txns: VecDeque::from(txns) };
        let keep = Keep { txns: 500, bytes: 1 << 20 };
        let options = options();
        Self {
            leader: Leader::new(&options, 1000, Millis(0), zxid("1:6"), Epoch(0)),
            history: History::ending_with(zxid("1:6"), replayed, keep),
            options,
            now: Millis(0),
        }
    }

    fn packet(&mut self, from: u64, packet: &QuorumPacket<'_>, acts: &mut Vec<Act>) {
        let link = LinkId(from);
        self.leader.on_packet(self.now, &self.options, &self.history, link, packet, acts);
    }

    /// One line of a script: `from N PACKET …`, or what happens to the leader itself.
    fn step(&mut self, line: &str, acts: &mut Vec<Act>) {
        let epoch = |text: &str| Epoch(text.parse().unwrap());
        match line.split(' ').collect::<Vec<_>>()[..] {
            ["from", from, name, ref rest @ ..] => {
                self.said(from.parse().unwrap(), name, rest, acts)
            }
            ["stored", accepted, current] => {
                let (accepted, current) = (epoch(accepted), epoch(current));
                let (options, history) = (&self.options, &self.history);
                self.leader.on_stored(self.now, options, history, accepted, current, acts);
            }
            ["log", "for", link, ref ats @ ..] => {
                let link = LinkId(link.parse().unwrap());
                let txns: Vec<_> = ats.iter().map(|at| (zxid(at), txn(zxid(at)).into())).collect();
                let (options, history) = (&self.options, &self.history);
                self.leader.on_log_read(self.now, options, history, link, &txns, acts);
            }
            ["unfit", "for", link] => self.leader.on_log_unfit(LinkId(link.parse().unwrap()), acts),
            ["propose", at] => {
                let (at, bytes) = (zxid(at), bytes::Bytes::from(txn(zxid(at))));
                self.history.push(at, bytes.clone());
                self.leader.propose(self.now, at, &bytes, acts);
            }
            ["reconfig", at, voters] => {
                let voters = voters.split(',').map(|sid| sid.parse().unwrap());
                let proposed = Plain::voters(voters).with_version(zxid(at).0);
                self.options.members = Plain::voters(1..=3);
                self.options.proposed = Some(proposed);
                self.step(&format!("propose {at}"), acts);
            }
            ["activated"] => {
                self.options.members = self.options.proposed.take().unwrap();
                self.leader.on_activated(&self.options, &self.history, acts);
            }
            ["persisted", at] => {
                self.leader.on_persisted(&self.options, &self.history, zxid(at), acts);
            }
            ["pass", ms] => {
                self.now = self.now.after(ms.parse().unwrap());
                self.leader.on_timeout(self.now, &self.options, acts);
            }
            ["link", link, "is", sid] => {
                let (link, sid) = (link.parse().unwrap(), sid.parse().unwrap());
                let info = LearnerInfo {
                    sid: Some(ServerId(sid)),
                    protocol: LearnerInfo::PROTOCOL,
                    config_version: 0,
                    takes_hand_over: false,
                    naming: None,
                };
                self.leader.on_opened(self.now, LinkId(link));
                self.packet(link, &QuorumPacket::FollowerInfo { zxid: zxid("1:0"), info }, acts);
            }
            ["stop"] => self.leader.retire(&self.options, acts),
            ["closed", link] => {
                let link = LinkId(link.parse().unwrap());
                self.leader.on_link_ended(&self.options, link, acts);
            }
            ref other => panic!("{other:?}"),
        }
    }

    fn said(&mut self, from: u64, name: &str, rest: &[&str], acts: &mut Vec<Act>) {
        let at = rest.first().map_or(zxid("0:0"), |at| zxid(at));
        let sid = ServerId(i64::try_from(from).unwrap());
        let info = LearnerInfo {
            sid: Some(sid),
            protocol: LearnerInfo::PROTOCOL,
            config_version: 0,
            takes_hand_over: rest.contains(&"ours"),
            naming: None,
        };
        let epoch = rest.get(1).and_then(|epoch| epoch.parse().ok()).map(Epoch);
        let packet = match name {
            "FOLLOWERINFO" => QuorumPacket::FollowerInfo { zxid: at, info },
            "OBSERVERINFO" => QuorumPacket::ObserverInfo { zxid: at, info },
            "ACKEPOCH" => QuorumPacket::AckEpoch { zxid: at, epoch },
            "ACK" => QuorumPacket::Ack { zxid: at },
            "HANDOVER" => QuorumPacket::HandOver { leader: sid },
            "PING" => QuorumPacket::Ping { zxid: at, touched: Some(Vec::new()) },
            other => panic!("{other}"),
        };
        if name.ends_with("INFO") {
            self.leader.on_opened(self.now, LinkId(from));
        }
        self.packet(from, &packet, acts);
    }
}

fn check(script: &str, expected: Expect) {
    let mut scene = Scene::new();
    let mut text = String::new();
    for line in script.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let mut acts = Vec::new();
        scene.step(line, &mut acts);
        text += &format!("{line}\n");
        for wanted in lines(acts, |link| format!("{} ", link.0)).lines() {
            text += &format!("    {}\n", wanted.trim_end());
        }
    }
    expected.assert_eq(&text);
}

/// Until server.1 has the leader's history.
const ESTABLISHED: &str = "from 1 FOLLOWERINFO 1:0 ours\nstored 2 1\nfrom 1 ACKEPOCH 1:6 1\n\
                           stored 2 2\nfrom 1 ACK 2:0\n";

/// Plays `before`, then shows what `script` leads to.
fn check_after(before: &str, script: &str, expected: Expect) {
    let mut scene = Scene::new();
    for line in before.lines() {
        scene.step(line, &mut Vec::new());
    }
    let mut text = String::new();
    for line in script.lines().map(str::trim) {
        let mut acts = Vec::new();
        scene.step(line, &mut acts);
        text += &format!("{line}\n");
        for wanted in lines(acts, |link| format!("{} ", link.0)).lines() {
            text += &format!("    {}\n", wanted.trim_end());
        }
    }
    expected.assert_eq(&text);
}

/// ZOOKEEPER-3104: NEWLEADER went out before the txns that it vouches for.
#[test]
fn zookeeper_3104_newleader_follows_what_is_lacking() {
    check(
        "from 1 FOLLOWERINFO 1:0\nstored 2 1\nfrom 1 ACKEPOCH 1:4 1\nstored 2 2\nfrom 1 ACK 2:0",
        expect![[r#"
            from 1 FOLLOWERINFO 1:0
                store acceptedEpoch 2
            stored 2 1
                send 1 LEADERINFO 2:0
            from 1 ACKEPOCH 1:4 1
                store currentEpoch 2
            stored 2 2
                send 1 DIFF 1:6
                send 1 PROPOSAL 1:5
                send 1 COMMIT 1:5
                send 1 PROPOSAL 1:6
                send 1 COMMIT 1:6
                send 1 NEWLEADER 2:0
            from 1 ACK 2:0
                commit 1:6
                serve
                send 1 UPTODATE
        "#]],
    );
}

/// ZOOKEEPER-4685: the ACK of a proposal that came first was taken for that of NEWLEADER, and never counted.
#[test]
fn zookeeper_4685_an_ack_before_that_of_newleader_counts_for_nothing() {
    check_after(
        "from 1 FOLLOWERINFO 1:0\nstored 2 1\nfrom 1 ACKEPOCH 1:4 1\nstored 2 2",
        "from 1 ACK 1:5\nfrom 1 ACK 1:6\nfrom 1 ACK 2:0",
        expect![[r#"
            from 1 ACK 1:5
            from 1 ACK 1:6
            from 1 ACK 2:0
                commit 1:6
                serve
                send 1 UPTODATE
        "#]],
    );
}

/// Followers of 3.8.0 fail on a COMMIT between NEWLEADER and UPTODATE (ZOOKEEPER-4394): what is proposed and
/// committed meanwhile follows UPTODATE.
#[test]
fn zookeeper_4394_nothing_comes_between_newleader_and_uptodate() {
    check_after(
        ESTABLISHED,
        "from 2 FOLLOWERINFO 1:0\nfrom 2 ACKEPOCH 1:6 1\npropose 2:1\npropose 2:2\npersisted 2:2\n\
         from 1 ACK 2:1\nfrom 2 ACK 2:0",
        expect![[r#"
            from 2 FOLLOWERINFO 1:0
                send 2 LEADERINFO 2:0
            from 2 ACKEPOCH 1:6 1
                send 2 DIFF 1:6
                send 2 NEWLEADER 2:0
            propose 2:1
                send 1 PROPOSAL 2:1
            propose 2:2
                send 1 PROPOSAL 2:2
            persisted 2:2
            from 1 ACK 2:1
                send 1 COMMIT 2:1
                commit 2:1
            from 2 ACK 2:0
                send 2 UPTODATE
                send 2 PROPOSAL 2:1
                send 2 COMMIT 2:1
                send 2 PROPOSAL 2:2
        "#]],
    );
}

#[test]
fn a_txn_is_committed_when_a_quorum_has_it_on_disk() {
    check_after(
        ESTABLISHED,
        "from 4 OBSERVERINFO 1:0\nfrom 4 ACKEPOCH 1:6 1\nfrom 4 ACK 2:0\npropose 2:1\n\
         from 4 ACK 2:1\nfrom 1 ACK 2:1\npersisted 2:1",
        expect![[r#"
            from 4 OBSERVERINFO 1:0
                send 4 LEADERINFO 2:0
            from 4 ACKEPOCH 1:6 1
                send 4 DIFF 1:6
                send 4 NEWLEADER 2:0
            from 4 ACK 2:0
                send 4 UPTODATE
            propose 2:1
                send 1 PROPOSAL 2:1
            from 4 ACK 2:1
            from 1 ACK 2:1
            persisted 2:1
                send 1 COMMIT 2:1
                send 4 INFORM 2:1
                commit 2:1
        "#]],
    );
}

/// 1:2 and 1:3 are not in memory; what is committed meanwhile comes from there.
#[test]
fn a_learner_that_lacks_more_than_memory_has_gets_it_from_the_log() {
    check_after(
        ESTABLISHED,
        "from 2 FOLLOWERINFO 1:0\nfrom 2 ACKEPOCH 1:2 1\npropose 2:1\npersisted 2:1\nfrom 1 ACK 2:1\n\
         log for 2 1:3\nlog for 2 1:4\npropose 2:2\nfrom 2 ACK 2:0",
        expect![[r#"
            from 2 FOLLOWERINFO 1:0
                send 2 LEADERINFO 2:0
            from 2 ACKEPOCH 1:2 1
                read the log above 1:2 up to 1:4 for 2
            propose 2:1
                send 1 PROPOSAL 2:1
            persisted 2:1
            from 1 ACK 2:1
                send 1 COMMIT 2:1
                commit 2:1
            log for 2 1:3
                send 2 DIFF 2:1
                send 2 PROPOSAL 1:3
                send 2 COMMIT 1:3
            log for 2 1:4
                send 2 PROPOSAL 1:4
                send 2 COMMIT 1:4
                send 2 PROPOSAL 1:5
                send 2 COMMIT 1:5
                send 2 PROPOSAL 1:6
                send 2 COMMIT 1:6
                send 2 PROPOSAL 2:1
                send 2 COMMIT 2:1
                send 2 NEWLEADER 2:0
            propose 2:2
                send 1 PROPOSAL 2:2
            from 2 ACK 2:0
                send 2 UPTODATE
                send 2 PROPOSAL 2:2
        "#]],
    );
}

/// It has not been told anything yet: a snapshot does as well.
#[test]
fn a_learner_gets_a_snapshot_where_the_log_does_not_have_what_it_lacks() {
    check_after(
        ESTABLISHED,
        "from 2 FOLLOWERINFO 1:0\nfrom 2 ACKEPOCH 1:2 1\nunfit for 2",
        expect![[r#"
            from 2 FOLLOWERINFO 1:0
                send 2 LEADERINFO 2:0
            from 2 ACKEPOCH 1:2 1
                read the log above 1:2 up to 1:4 for 2
            unfit for 2
                stream 2
        "#]],
    );
}

/// Half of a DIFF cannot be taken back: the learner comes again, and not to the same log.
#[test]
fn a_log_that_fails_half_way_is_not_read_again() {
    check_after(
        ESTABLISHED,
        "from 2 FOLLOWERINFO 1:0\nfrom 2 ACKEPOCH 1:2 1\nlog for 2 1:3\nunfit for 2\nlog for 2 1:4\n\
         from 2 FOLLOWERINFO 2:0\nfrom 2 ACKEPOCH 1:3 1",
        expect![[r#"
            from 2 FOLLOWERINFO 1:0
                send 2 LEADERINFO 2:0
            from 2 ACKEPOCH 1:2 1
                read the log above 1:2 up to 1:4 for 2
            log for 2 1:3
                send 2 DIFF 1:6
                send 2 PROPOSAL 1:3
                send 2 COMMIT 1:3
            unfit for 2
                close 2
            log for 2 1:4
            from 2 FOLLOWERINFO 2:0
                send 2 LEADERINFO 2:0
            from 2 ACKEPOCH 1:3 1
                stream 2
        "#]],
    );
}

/// The epoch-ack quorum must not have a later history than the leader.
#[test]
fn a_voter_that_knows_more_ends_the_reign() {
    check_after(
        "from 1 FOLLOWERINFO 1:0\nstored 2 1",
        "from 1 ACKEPOCH 1:7 1",
        expect![[r#"
            from 1 ACKEPOCH 1:7 1
                give up: server.1 has a later history: epoch 1, zxid 0x100000007
        "#]],
    );
}

#[test]
fn an_epoch_that_was_acked_before_does_not_elect() {
    check_after(
        "from 1 FOLLOWERINFO 1:0\nstored 2 1",
        "from 1 ACKEPOCH 1:6 none\nfrom 2 FOLLOWERINFO 1:0\nfrom 2 ACKEPOCH 1:6 1",
        expect![[r#"
            from 1 ACKEPOCH 1:6 none
            from 2 FOLLOWERINFO 1:0
                send 2 LEADERINFO 2:0
            from 2 ACKEPOCH 1:6 1
                store currentEpoch 2
        "#]],
    );
}

/// ZOOKEEPER-4837, ZOOKEEPER-2845: a tail that the new leader lacks must go, from the log and the snapshots.
#[test]
fn zookeeper_2845_a_tail_that_nobody_committed_is_cut() {
    check_after(
        ESTABLISHED,
        "from 2 FOLLOWERINFO 1:0\nfrom 2 ACKEPOCH 1:8 1",
        expect![[r#"
            from 2 FOLLOWERINFO 1:0
                send 2 LEADERINFO 2:0
            from 2 ACKEPOCH 1:8 1
                send 2 TRUNC 1:6
                send 2 NEWLEADER 2:0
        "#]],
    );
}

/// ZOOKEEPER-4352: a leader without txns in memory said DIFF where only a snapshot helps.
#[test]
fn zookeeper_4352_a_learner_that_lacks_more_than_is_kept_gets_a_snapshot() {
    check_after(
        ESTABLISHED,
        "from 2 FOLLOWERINFO 0:0\nfrom 2 ACKEPOCH 0:0 0",
        expect![[r#"
            from 2 FOLLOWERINFO 0:0
                send 2 LEADERINFO 2:0
            from 2 ACKEPOCH 0:0 0
                stream 2
        "#]],
    );
}

/// It decided at once, and the voter that it counted on changed its mind: it waited for initLimit.
#[test]
fn a_leader_yields_to_a_better_vote_while_it_has_no_quorum() {
    let mut scene = Scene::new();
    let vote = |sid| (Epoch(1), zxid("1:6"), ServerId(sid));
    assert!(scene.leader.is_outvoted_by(vote(4)));
    assert!(!scene.leader.is_outvoted_by(vote(2)));
    for line in ESTABLISHED.lines() {
        scene.step(line, &mut Vec::new());
    }
    assert!(!scene.leader.is_outvoted_by(vote(4)));
}

/// Its acks would count as the leader's own.
#[test]
fn a_learner_with_the_leaders_number_is_sent_away() {
    check_after(
        ESTABLISHED,
        "from 3 FOLLOWERINFO 1:0",
        expect![[r#"
            from 3 FOLLOWERINFO 1:0
                close 3
        "#]],
    );
}

#[test]
fn a_server_that_connects_again_has_one_connection() {
    check_after(
        ESTABLISHED,
        "link 11 is 1\nfrom 1 ACK 2:0",
        expect![[r#"
            link 11 is 1
                close 1
                send 11 LEADERINFO 2:0
            from 1 ACK 2:0
        "#]],
    );
}

#[test]
fn silence_of_a_quorum_ends_the_reign() {
    check_after(
        ESTABLISHED,
        "pass 500\npass 500\nfrom 1 PING 2:0\npass 1000\npass 1000\npass 1000\npass 1000",
        expect![[r#"
            pass 500
                send 1 PING
            pass 500
                send 1 PING
            from 1 PING 2:0
            pass 1000
                send 1 PING
            pass 1000
                send 1 PING
            pass 1000
                close 1
            pass 1000
                give up: not synchronized with a quorum of voters within syncLimit
        "#]],
    );
}

#[test]
fn a_leader_that_leaves_waits_for_its_heir() {
    check_after(
        ESTABLISHED,
        "from 2 FOLLOWERINFO 1:0 ours\nfrom 2 ACKEPOCH 1:6 1\nfrom 2 ACK 2:0\npropose 2:1\nstop\n\
         persisted 2:1\nfrom 2 ACK 2:1\nfrom 1 ACK 2:1\nfrom 1 HANDOVER\nfrom 2 HANDOVER\nclosed 2",
        expect![[r#"
            from 2 FOLLOWERINFO 1:0 ours
                send 2 LEADERINFO 2:0
            from 2 ACKEPOCH 1:6 1
                send 2 DIFF 1:6
                send 2 NEWLEADER 2:0
            from 2 ACK 2:0
                send 2 UPTODATE
            propose 2:1
                send 1 PROPOSAL 2:1
                send 2 PROPOSAL 2:1
            stop
            persisted 2:1
            from 2 ACK 2:1
                send 1 COMMIT 2:1
                send 2 COMMIT 2:1
                commit 2:1
                send 2 HANDOVER 2
            from 1 ACK 2:1
            from 1 HANDOVER
            from 2 HANDOVER
                send 1 HANDOVER 2
                retired
            closed 2
        "#]],
    );
}

/// Two of three are stopped at once: nobody waits for the one that was to lead.
#[test]
fn a_leader_that_leaves_names_nobody_when_its_heir_leaves_too() {
    check_after(
        ESTABLISHED,
        "from 2 FOLLOWERINFO 1:0 ours\nfrom 2 ACKEPOCH 1:6 1\nfrom 2 ACK 2:0\nstop\nclosed 2",
        expect![[r#"
            from 2 FOLLOWERINFO 1:0 ours
                send 2 LEADERINFO 2:0
            from 2 ACKEPOCH 1:6 1
                send 2 DIFF 1:6
                send 2 NEWLEADER 2:0
            from 2 ACK 2:0
                send 2 UPTODATE
            stop
                send 2 HANDOVER 2
            closed 2
                retired
        "#]],
    );
}

/// Of five, another takes over.
#[test]
fn a_leader_that_leaves_names_another_when_its_heir_leaves_too() {
    check_after(
        ESTABLISHED,
        "from 2 FOLLOWERINFO 1:0 ours\nfrom 2 ACKEPOCH 1:6 1\nfrom 2 ACK 2:0\n\
         from 4 FOLLOWERINFO 1:0 ours\nfrom 4 ACKEPOCH 1:6 1\nfrom 4 ACK 2:0\n\
         from 5 FOLLOWERINFO 1:0 ours\nfrom 5 ACKEPOCH 1:6 1\nfrom 5 ACK 2:0\n\
         reconfig 2:1 1,2,3,4,5\npersisted 2:1\nfrom 1 ACK 2:1\nfrom 2 ACK 2:1\nfrom 4 ACK 2:1\n\
         activated\nfrom 5 ACK 2:1\nstop\nclosed 5\nfrom 4 HANDOVER",
        expect![[r#"
            from 2 FOLLOWERINFO 1:0 ours
                send 2 LEADERINFO 2:0
            from 2 ACKEPOCH 1:6 1
                send 2 DIFF 1:6
                send 2 NEWLEADER 2:0
            from 2 ACK 2:0
                send 2 UPTODATE
            from 4 FOLLOWERINFO 1:0 ours
                send 4 LEADERINFO 2:0
            from 4 ACKEPOCH 1:6 1
                send 4 DIFF 1:6
                send 4 NEWLEADER 2:0
            from 4 ACK 2:0
                send 4 UPTODATE
            from 5 FOLLOWERINFO 1:0 ours
                send 5 LEADERINFO 2:0
            from 5 ACKEPOCH 1:6 1
                send 5 DIFF 1:6
                send 5 NEWLEADER 2:0
            from 5 ACK 2:0
                send 5 UPTODATE
            reconfig 2:1 1,2,3,4,5
                send 1 PROPOSAL 2:1
                send 2 PROPOSAL 2:1
                send 4 PROPOSAL 2:1
                send 5 PROPOSAL 2:1
            persisted 2:1
            from 1 ACK 2:1
            from 2 ACK 2:1
                send 1 COMMITANDACTIVATE 2:1 led by 3
                send 2 COMMITANDACTIVATE 2:1 led by 3
                send 4 COMMITANDACTIVATE 2:1 led by 3
                send 5 COMMITANDACTIVATE 2:1 led by 3
                commit 2:1
                members server.1=at1:participant
                server.2=at2:participant
                server.3=at3:participant
                server.4=at4:participant
                server.5=at5:participant
                version=200000001, led by 3
            from 4 ACK 2:1
            activated
            from 5 ACK 2:1
            stop
                send 5 HANDOVER 5
            closed 5
                send 4 HANDOVER 4
            from 4 HANDOVER
                send 1 HANDOVER 4
                send 2 HANDOVER 4
                retired
        "#]],
    );
}

/// Java's followers join only whom a quorum has voted for: an heir would wait for them until initLimit.
#[test]
fn a_leader_that_leaves_names_nobody_where_votes_of_java_are_needed() {
    check_after(
        ESTABLISHED,
        "from 1 FOLLOWERINFO 1:0\nfrom 1 ACKEPOCH 1:6 1\nfrom 1 ACK 2:0\n\
         from 2 FOLLOWERINFO 1:0 ours\nfrom 2 ACKEPOCH 1:6 1\nfrom 2 ACK 2:0\nstop",
        expect![[r#"
            from 1 FOLLOWERINFO 1:0
                send 1 LEADERINFO 2:0
            from 1 ACKEPOCH 1:6 1
                send 1 DIFF 1:6
                send 1 NEWLEADER 2:0
            from 1 ACK 2:0
                send 1 UPTODATE
            from 2 FOLLOWERINFO 1:0 ours
                send 2 LEADERINFO 2:0
            from 2 ACKEPOCH 1:6 1
                send 2 DIFF 1:6
                send 2 NEWLEADER 2:0
            from 2 ACK 2:0
                send 2 UPTODATE
            stop
                retired
        "#]],
    );
}

#[test]
fn a_configuration_needs_a_quorum_of_the_old_members_and_of_the_new() {
    check_after(
        ESTABLISHED,
        "from 4 FOLLOWERINFO 1:0 ours\nfrom 4 ACKEPOCH 1:6 1\nfrom 4 ACK 2:0\n\
         reconfig 2:1 3,4,5\npropose 2:2\npersisted 2:2\nfrom 1 ACK 2:2\nfrom 4 ACK 2:1\nactivated\n\
         from 4 ACK 2:2",
        expect![[r#"
            from 4 FOLLOWERINFO 1:0 ours
                send 4 LEADERINFO 2:0
            from 4 ACKEPOCH 1:6 1
                send 4 DIFF 1:6
                send 4 NEWLEADER 2:0
            from 4 ACK 2:0
                send 4 UPTODATE
            reconfig 2:1 3,4,5
                send 1 PROPOSAL 2:1
                send 4 PROPOSAL 2:1
            propose 2:2
                send 1 PROPOSAL 2:2
                send 4 PROPOSAL 2:2
            persisted 2:2
            from 1 ACK 2:2
            from 4 ACK 2:1
                send 1 COMMITANDACTIVATE 2:1 led by 3
                send 4 COMMITANDACTIVATE 2:1 led by 3
                commit 2:1
                members server.3=at3:participant
                server.4=at4:participant
                server.5=at5:participant
                version=200000001, led by 3
            activated
            from 4 ACK 2:2
                send 1 COMMIT 2:2
                send 4 COMMIT 2:2
                commit 2:2
        "#]],
    );
}

#[test]
fn a_leader_that_is_no_voter_any_more_names_the_one_that_has_most() {
    check_after(
        ESTABLISHED,
        "from 2 FOLLOWERINFO 1:0 ours\nfrom 2 ACKEPOCH 1:6 1\nfrom 2 ACK 2:0\n\
         reconfig 2:1 1,2\npropose 2:2\nfrom 1 ACK 2:2\nfrom 2 ACK 2:1",
        expect![[r#"
            from 2 FOLLOWERINFO 1:0 ours
                send 2 LEADERINFO 2:0
            from 2 ACKEPOCH 1:6 1
                send 2 DIFF 1:6
                send 2 NEWLEADER 2:0
            from 2 ACK 2:0
                send 2 UPTODATE
            reconfig 2:1 1,2
                send 1 PROPOSAL 2:1
                send 2 PROPOSAL 2:1
            propose 2:2
                send 1 PROPOSAL 2:2
                send 2 PROPOSAL 2:2
            from 1 ACK 2:2
            from 2 ACK 2:1
                send 1 COMMITANDACTIVATE 2:1 led by 1
                send 2 COMMITANDACTIVATE 2:1 led by 1
                commit 2:1
                members server.1=at1:participant
                server.2=at2:participant
                version=200000001, led by 1
        "#]],
    );
}
