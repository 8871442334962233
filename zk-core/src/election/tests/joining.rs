//! Servers that look for a leader while others have one, and the other way round.

use expect_test::expect;

use super::check;

#[test]
fn a_late_joiner_follows_when_a_quorum_and_its_leader_say_so() {
    check(expect![[r#"
        server 1 of 1 2 3

        look zxid=5
        ----
        -> 2 3: LOOKING leader=1 zxid=5 round=1 epoch=0

        2: FOLLOWING leader=3 zxid=0 round=4 epoch=7
        ----
        nothing

        3: LEADING leader=3 zxid=0 round=4 epoch=7
        ----
        FOLLOWING: leader=3 zxid=0 round=4 epoch=7

        # The next round is one after theirs.
        look
        ----
        -> 2 3: LOOKING leader=1 zxid=0 round=5 epoch=0
    "#]]);
}

#[test]
fn a_leader_that_does_not_say_that_it_leads_is_not_followed() {
    check(expect![[r#"
        server 1 of 1 2 3 4 5

        look zxid=5
        2: FOLLOWING leader=3 round=4 epoch=7
        4: FOLLOWING leader=3 round=4 epoch=7
        5: FOLLOWING leader=3 round=4 epoch=7
        3: FOLLOWING leader=3 round=4 epoch=7
        ----
        -> 2 3 4 5: LOOKING leader=1 zxid=5 round=1 epoch=0

        # The same in its own round.
        2: FOLLOWING leader=3 round=1 epoch=7
        4: FOLLOWING leader=3 round=1 epoch=7
        5: FOLLOWING leader=3 round=1 epoch=7
        ----
        nothing

        3: LEADING leader=3 round=1 epoch=7
        ----
        FOLLOWING: leader=3 zxid=0 round=1 epoch=7
    "#]]);
}

#[test]
fn settled_servers_must_agree_about_the_epoch() {
    check(expect![[r#"
        server 1 of 1 2 3 4 5

        look zxid=5
        2: FOLLOWING leader=3 round=4 epoch=6
        4: FOLLOWING leader=3 round=4 epoch=6
        3: LEADING leader=3 round=4 epoch=7
        ----
        -> 2 3 4 5: LOOKING leader=1 zxid=5 round=1 epoch=0

        # Both hear now that their leader is established in epoch 7.
        2: FOLLOWING leader=3 round=4 epoch=7
        ----
        nothing

        4: FOLLOWING leader=3 round=4 epoch=7
        ----
        FOLLOWING: leader=3 zxid=0 round=4 epoch=7
    "#]]);
}

#[test]
fn a_server_that_tells_no_version_need_not_agree_about_the_epoch() {
    check(expect![[r#"
        server 1 of 1 2 3 4 5

        look zxid=5
        2: FOLLOWING leader=3 round=4 epoch=0 version=0
        4: FOLLOWING leader=3 round=4 epoch=7
        ----
        -> 2 3 4 5: LOOKING leader=1 zxid=5 round=1 epoch=0

        3: LEADING leader=3 round=4 epoch=7
        ----
        FOLLOWING: leader=3 zxid=0 round=4 epoch=7
    "#]]);
}

#[test]
fn in_its_own_round_the_leader_alone_counts() {
    check(expect![[r#"
        server 1 of 1 2 3

        look zxid=5
        2: FOLLOWING leader=3 round=1 epoch=6
        3: LEADING leader=3 round=1 epoch=7
        ----
        -> 2 3: LOOKING leader=1 zxid=5 round=1 epoch=0
        FOLLOWING: leader=3 zxid=0 round=1 epoch=7
    "#]]);
}

#[test]
fn what_was_said_in_an_older_round_does_not_count_in_the_next() {
    check(expect![[r#"
        server 1 of 1 2 3 4 5

        look zxid=5
        2: FOLLOWING leader=3 round=1 epoch=6
        4: FOLLOWING leader=3 round=1 epoch=6
        5: LOOKING leader=5 round=2
        ----
        -> 2 3 4 5: LOOKING leader=1 zxid=5 round=1 epoch=0
        -> 2 3 4 5: LOOKING leader=1 zxid=5 round=2 epoch=0

        3: LEADING leader=3 round=2 epoch=7
        ----
        nothing
    "#]]);
}

#[test]
fn rounds_and_zxids_of_settled_servers_do_not_matter() {
    check(expect![[r#"
        server 1 of 1 2 3

        look
        2: FOLLOWING leader=3 zxid=5 round=4 epoch=7
        3: LEADING leader=3 zxid=0 round=2 epoch=7
        ----
        -> 2 3: LOOKING leader=1 zxid=0 round=1 epoch=0
        FOLLOWING: leader=3 zxid=0 round=2 epoch=7
    "#]]);
}

#[test]
fn a_server_that_is_followed_leads_if_it_is_their_round() {
    check(expect![[r#"
        server 1 of 1 2 3

        look
        2: FOLLOWING leader=1 round=4
        3: FOLLOWING leader=1 round=4
        ----
        -> 2 3: LOOKING leader=1 zxid=0 round=1 epoch=0

        2: FOLLOWING leader=1 round=1
        ----
        LEADING: leader=1 zxid=0 round=1 epoch=0
    "#]]);
}

#[test]
fn a_server_that_lost_its_leader_counts_for_it_no_more() {
    check(expect![[r#"
        server 1 of 1 2 3 4 5

        look zxid=5
        2: FOLLOWING leader=3 round=4
        4: FOLLOWING leader=3 round=4
        ----
        -> 2 3 4 5: LOOKING leader=1 zxid=5 round=1 epoch=0

        2: LOOKING leader=2 round=5
        ----
        -> 2 3 4 5: LOOKING leader=1 zxid=5 round=5 epoch=0

        3: LEADING leader=3 round=4
        ----
        nothing
    "#]]);
}

#[test]
fn a_server_that_still_had_a_leader_is_told_the_vote_again() {
    check(expect![[r#"
        server 2 of 1 2 3

        3 is unreachable
        look
        ----
        -> 1 3: LOOKING leader=2 zxid=0 round=1 epoch=0

        # Server 1 has not noticed yet that its leader is gone.
        1: FOLLOWING leader=3 round=1
        ----
        nothing

        # Now it has; without the vote of server 2 it would wait for the next timeout.
        1: LOOKING leader=1 round=1
        ----
        -> 1: LOOKING leader=2 zxid=0 round=1 epoch=0

        1: LOOKING leader=1 round=1
        ----
        nothing

        1: LOOKING leader=2 round=1
        ----
        LEADING: leader=2 zxid=0 round=1 epoch=0
    "#]]);
}

#[test]
fn who_has_a_leader_tells_it_to_whoever_looks() {
    check(expect![[r#"
        server 2 of 1 2 3 observers 4

        look zxid=5
        1: LOOKING leader=2 zxid=5 round=1
        3: LOOKING leader=2 zxid=5 round=1
        ----
        -> 1 3: LOOKING leader=2 zxid=5 round=1 epoch=0
        LEADING: leader=2 zxid=5 round=1 epoch=0

        3: LOOKING leader=3 zxid=9 round=7 epoch=9
        ----
        -> 3: LEADING leader=2 zxid=5 round=1 epoch=0

        established 1
        1: LOOKING leader=1 round=1
        ----
        -> 1: LEADING leader=2 zxid=5 round=1 epoch=1

        # An observer, and one that is no member.
        4: LOOKING leader=4 round=1
        9: LOOKING leader=9 round=99
        ----
        -> 4: LEADING leader=2 zxid=5 round=1 epoch=1
        -> 9: LEADING leader=2 zxid=5 round=1 epoch=1

        1: FOLLOWING leader=2 zxid=5 round=1
        3: LEADING leader=3 zxid=5 round=1
        4: OBSERVING leader=2 zxid=5 round=1
        ----
        nothing

        wait 100000
        3 is unreachable
        3 is reachable
        ----
        nothing
    "#]]);
}

#[test]
fn strangers_are_answered_while_it_looks_and_do_not_count() {
    check(expect![[r#"
        server 2 of 1 2 3 observers 4

        look zxid=5
        look zxid=5
        ----
        -> 1 3: LOOKING leader=2 zxid=5 round=1 epoch=0
        -> 1 3: LOOKING leader=2 zxid=5 round=2 epoch=0

        4: LOOKING leader=2 zxid=5 round=2
        9: LOOKING leader=2 zxid=5 round=1
        ----
        -> 4: LOOKING leader=2 zxid=5 round=2 epoch=0
        -> 9: LOOKING leader=2 zxid=5 round=2 epoch=0

        9: LOOKING leader=3 zxid=99 round=2 epoch=9
        ----
        -> 9: LOOKING leader=2 zxid=5 round=2 epoch=0

        # Both would go on for ever with the answers.
        9: LOOKING leader=9 zxid=99 round=7 epoch=9
        9: OBSERVING leader=3 zxid=99 round=2 epoch=9
        ----
        nothing

        9: FOLLOWING leader=3 round=2
        4: FOLLOWING leader=3 round=2
        3: LEADING leader=3 round=2
        ----
        nothing

        9 is unreachable
        4 is reachable
        ----
        nothing
    "#]]);
}

#[test]
fn a_vote_for_a_server_that_is_no_voter_is_not_counted() {
    check(expect![[r#"
        server 2 of 1 2 3 observers 4

        look
        1: LOOKING leader=4 zxid=9 round=1
        3: LOOKING leader=9 zxid=9 round=1
        1: FOLLOWING leader=9 zxid=9 round=1
        3: LEADING leader=9 zxid=9 round=1
        ----
        -> 1 3: LOOKING leader=2 zxid=0 round=1 epoch=0

        # Nor is its round.
        1: LOOKING leader=9 round=7
        ----
        nothing
    "#]]);
}

#[test]
fn an_observer_asks_and_answers_no_voter() {
    check(expect![[r#"
        server 4 of 1 2 3 observers 4 5

        look
        look
        1: LOOKING leader=1 round=1
        ----
        -> 1 2 3: LOOKING leader=nobody round=1
        -> 1 2 3: LOOKING leader=nobody round=2

        2: FOLLOWING leader=3 round=1 epoch=1
        3: LEADING leader=3 round=1 epoch=1
        ----
        OBSERVING: leader=3 zxid=0 round=1 epoch=1

        1: LOOKING leader=1 round=1
        ----
        nothing

        5: LOOKING leader=5 round=1
        ----
        -> 5: OBSERVING leader=3 zxid=0 round=1 epoch=1
    "#]]);
}

#[test]
fn a_voter_that_says_it_observes_is_ignored() {
    check(expect![[r#"
        server 1 of 1 2 3

        look
        2: OBSERVING leader=3 round=1
        3: OBSERVING leader=3 round=1
        ----
        -> 2 3: LOOKING leader=1 zxid=0 round=1 epoch=0
    "#]]);
}

#[test]
fn nothing_is_known_before_the_first_search_and_nothing_from_itself() {
    check(expect![[r#"
        server 1 of 1 2 3

        2: LOOKING leader=2 round=1
        9: LOOKING leader=9 round=1
        established 5
        ----
        nothing

        look
        ----
        -> 2 3: LOOKING leader=1 zxid=0 round=1 epoch=0

        1: LOOKING leader=3 zxid=9 round=9
        1 is reachable
        ----
        nothing
    "#]]);
}
