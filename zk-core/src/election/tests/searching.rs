//! Servers that all look for a leader.

use expect_test::expect;

use super::check;

#[test]
fn a_fresh_server_votes_for_itself_then_for_a_higher_number() {
    check(expect![[r#"
        server 1 of 1 2 3

        look
        ----
        -> 2 3: LOOKING leader=1 zxid=0 round=1 epoch=0

        2: LOOKING leader=2 round=1
        ----
        -> 2 3: LOOKING leader=2 zxid=0 round=1 epoch=0

        3: LOOKING leader=3 round=1
        ----
        -> 2 3: LOOKING leader=3 zxid=0 round=1 epoch=0

        2: LOOKING leader=3 round=1
        ----
        FOLLOWING: leader=3 zxid=0 round=1 epoch=0
    "#]]);
}

#[test]
fn the_highest_number_leads_when_all_have_changed_to_it() {
    check(expect![[r#"
        server 3 of 1 2 3

        look
        ----
        -> 1 2: LOOKING leader=3 zxid=0 round=1 epoch=0

        1: LOOKING leader=1 round=1
        2: LOOKING leader=2 round=1
        1: LOOKING leader=2 round=1
        ----
        nothing

        1: LOOKING leader=3 round=1
        ----
        nothing

        2: LOOKING leader=3 round=1
        ----
        LEADING: leader=3 zxid=0 round=1 epoch=0
    "#]]);
}

#[test]
fn a_higher_zxid_counts_more_than_a_higher_number() {
    check(expect![[r#"
        server 3 of 1 2 3

        look zxid=7 epoch=1
        ----
        -> 1 2: LOOKING leader=3 zxid=7 round=1 epoch=1

        1: LOOKING leader=1 zxid=8 round=1 epoch=1
        ----
        -> 1 2: LOOKING leader=1 zxid=8 round=1 epoch=1

        2: LOOKING leader=1 zxid=8 round=1 epoch=1
        ----
        FOLLOWING: leader=1 zxid=8 round=1 epoch=1
    "#]]);
}

#[test]
fn a_higher_epoch_counts_more_than_a_higher_zxid() {
    check(expect![[r#"
        server 3 of 1 2 3

        look zxid=7 epoch=1
        ----
        -> 1 2: LOOKING leader=3 zxid=7 round=1 epoch=1

        1: LOOKING leader=1 zxid=2 round=1 epoch=2
        ----
        -> 1 2: LOOKING leader=1 zxid=2 round=1 epoch=2

        2: LOOKING leader=2 zxid=9 round=1 epoch=1
        ----
        nothing
    "#]]);
}

#[test]
fn two_of_three_wait_for_a_third_of_which_nothing_is_known() {
    check(expect![[r#"
        server 2 of 1 2 3

        look
        ----
        -> 1 3: LOOKING leader=2 zxid=0 round=1 epoch=0

        wait 50
        1: LOOKING leader=2 round=1
        ----
        nothing

        wait 199
        ----
        nothing

        wait 1
        ----
        after 1: LEADING: leader=2 zxid=0 round=1 epoch=0
    "#]]);
}

#[test]
fn two_of_three_do_not_wait_for_a_third_that_cannot_be_reached() {
    check(expect![[r#"
        server 2 of 1 2 3

        3 is unreachable
        look
        ----
        -> 1 3: LOOKING leader=2 zxid=0 round=1 epoch=0

        1: LOOKING leader=2 round=1
        ----
        LEADING: leader=2 zxid=0 round=1 epoch=0
    "#]]);
}

#[test]
fn the_wait_ends_when_the_third_turns_out_to_be_unreachable() {
    check(expect![[r#"
        server 2 of 1 2 3

        look
        1: LOOKING leader=2 round=1
        ----
        -> 1 3: LOOKING leader=2 zxid=0 round=1 epoch=0

        wait 20
        3 is unreachable
        ----
        LEADING: leader=2 zxid=0 round=1 epoch=0
    "#]]);
}

#[test]
fn a_server_that_can_be_reached_again_is_waited_for_and_told() {
    check(expect![[r#"
        server 2 of 1 2 3

        3 is unreachable
        look
        ----
        -> 1 3: LOOKING leader=2 zxid=0 round=1 epoch=0

        3 is reachable
        1: LOOKING leader=2 round=1
        ----
        -> 3: LOOKING leader=2 zxid=0 round=1 epoch=0

        wait 20
        3: LOOKING leader=2 round=1
        ----
        LEADING: leader=2 zxid=0 round=1 epoch=0
    "#]]);
}

#[test]
fn a_server_that_came_back_while_it_was_no_member_is_waited_for() {
    check(expect![[r#"
        server 2 of 1 2 3

        3 is unreachable
        config of 1 2
        3 is reachable
        config of 1 2 3
        ----
        nothing

        look
        1: LOOKING leader=2 round=1
        ----
        -> 1 3: LOOKING leader=2 zxid=0 round=1 epoch=0

        3 is unreachable
        ----
        LEADING: leader=2 zxid=0 round=1 epoch=0
    "#]]);
}

#[test]
fn a_better_vote_ends_the_wait() {
    check(expect![[r#"
        server 2 of 1 2 3

        look
        1: LOOKING leader=2 round=1
        ----
        -> 1 3: LOOKING leader=2 zxid=0 round=1 epoch=0

        wait 150
        3: LOOKING leader=3 round=1
        ----
        -> 1 3: LOOKING leader=3 zxid=0 round=1 epoch=0

        wait 100
        ----
        nothing

        1: LOOKING leader=3 round=1
        ----
        FOLLOWING: leader=3 zxid=0 round=1 epoch=0
    "#]]);
}

#[test]
fn a_lesser_vote_does_not_end_the_wait() {
    check(expect![[r#"
        server 3 of 1 2 3

        look
        2: LOOKING leader=3 round=1
        ----
        -> 1 2: LOOKING leader=3 zxid=0 round=1 epoch=0

        wait 150
        1: LOOKING leader=1 round=1
        ----
        nothing

        # Nor does one of a higher round.
        1: LOOKING leader=1 round=9
        ----
        nothing

        wait 50
        ----
        after 50: LEADING: leader=3 zxid=0 round=1 epoch=0
    "#]]);
}

#[test]
fn a_voter_that_starts_again_takes_its_vote_back() {
    check(expect![[r#"
        server 3 of 1 2 3

        look
        2: LOOKING leader=3 round=1
        ----
        -> 1 2: LOOKING leader=3 zxid=0 round=1 epoch=0

        wait 150
        2: LOOKING leader=2 round=1
        ----
        nothing

        wait 50
        ----
        after 50: -> 1 2: LOOKING leader=3 zxid=0 round=1 epoch=0
        after 50: connect all
    "#]]);
}

#[test]
fn a_better_vote_of_a_higher_round_ends_the_wait() {
    check(expect![[r#"
        server 2 of 1 2 3

        look
        1: LOOKING leader=2 round=1
        ----
        -> 1 3: LOOKING leader=2 zxid=0 round=1 epoch=0

        3: LOOKING leader=3 round=9
        ----
        -> 1 3: LOOKING leader=3 zxid=0 round=9 epoch=0

        1: LOOKING leader=3 round=9
        ----
        FOLLOWING: leader=3 zxid=0 round=9 epoch=0
    "#]]);
}

#[test]
fn a_server_of_a_lower_round_is_answered_and_not_counted() {
    check(expect![[r#"
        server 2 of 1 2 3

        look
        look
        look
        ----
        -> 1 3: LOOKING leader=2 zxid=0 round=1 epoch=0
        -> 1 3: LOOKING leader=2 zxid=0 round=2 epoch=0
        -> 1 3: LOOKING leader=2 zxid=0 round=3 epoch=0

        1: LOOKING leader=3 zxid=9 round=2
        ----
        -> 1: LOOKING leader=2 zxid=0 round=3 epoch=0

        1: LOOKING leader=2 round=3
        ----
        nothing
    "#]]);
}

#[test]
fn a_higher_round_begins_with_the_own_vote_again() {
    check(expect![[r#"
        server 2 of 1 2 3 4 5

        look zxid=5
        3: LOOKING leader=3 zxid=9 round=1
        ----
        -> 1 3 4 5: LOOKING leader=2 zxid=5 round=1 epoch=0
        -> 1 3 4 5: LOOKING leader=3 zxid=9 round=1 epoch=0

        # Who had more in round 1 may not be there any more.
        1: LOOKING leader=1 zxid=4 round=2
        ----
        -> 1 3 4 5: LOOKING leader=2 zxid=5 round=2 epoch=0

        3: LOOKING leader=3 zxid=6 round=3
        ----
        -> 1 3 4 5: LOOKING leader=3 zxid=6 round=3 epoch=0

        4: LOOKING leader=1 zxid=99 round=2
        ----
        -> 4: LOOKING leader=3 zxid=6 round=3 epoch=0

        4: LOOKING leader=4 zxid=8 round=3
        1: LOOKING leader=1 zxid=7 round=4
        ----
        -> 1 3 4 5: LOOKING leader=4 zxid=8 round=3 epoch=0
        -> 1 3 4 5: LOOKING leader=1 zxid=7 round=4 epoch=0
    "#]]);
}

#[test]
fn a_voter_that_goes_on_to_a_higher_round_is_missed() {
    check(expect![[r#"
        server 3 of 1 2 3

        look
        2: LOOKING leader=3 round=1
        ----
        -> 1 2: LOOKING leader=3 zxid=0 round=1 epoch=0

        wait 150
        2: LOOKING leader=2 round=2
        ----
        -> 1 2: LOOKING leader=3 zxid=0 round=2 epoch=0

        2: LOOKING leader=3 round=2
        ----
        nothing

        wait 200
        ----
        after 200: LEADING: leader=3 zxid=0 round=2 epoch=0
    "#]]);
}

#[test]
fn the_vote_is_sent_again_after_200_ms_and_twice_as_long_each_time() {
    check(expect![[r#"
        server 1 of 1 2

        look
        ----
        -> 2: LOOKING leader=1 zxid=0 round=1 epoch=0

        wait 3000
        ----
        after 200: -> 2: LOOKING leader=1 zxid=0 round=1 epoch=0
        after 200: connect all
        after 600: -> 2: LOOKING leader=1 zxid=0 round=1 epoch=0
        after 600: connect all
        after 1400: -> 2: LOOKING leader=1 zxid=0 round=1 epoch=0
        after 1400: connect all
        after 3000: -> 2: LOOKING leader=1 zxid=0 round=1 epoch=0
        after 3000: connect all

        # The interval is long by now; a new vote starts it again, not its length.
        2: LOOKING leader=2 zxid=5 round=1 epoch=1
        3: LOOKING leader=3 round=1
        ----
        -> 2: LOOKING leader=2 zxid=5 round=1 epoch=1
        FOLLOWING: leader=2 zxid=5 round=1 epoch=1
        -> 3: FOLLOWING leader=2 zxid=5 round=1 epoch=1
    "#]]);
}

#[test]
fn the_interval_grows_to_a_minute() {
    check(expect![[r#"
        server 1 of 1 2

        look
        wait 200000
        ----
        -> 2: LOOKING leader=1 zxid=0 round=1 epoch=0
        after 200: -> 2: LOOKING leader=1 zxid=0 round=1 epoch=0
        after 200: connect all
        after 600: -> 2: LOOKING leader=1 zxid=0 round=1 epoch=0
        after 600: connect all
        after 1400: -> 2: LOOKING leader=1 zxid=0 round=1 epoch=0
        after 1400: connect all
        after 3000: -> 2: LOOKING leader=1 zxid=0 round=1 epoch=0
        after 3000: connect all
        after 6200: -> 2: LOOKING leader=1 zxid=0 round=1 epoch=0
        after 6200: connect all
        after 12600: -> 2: LOOKING leader=1 zxid=0 round=1 epoch=0
        after 12600: connect all
        after 25400: -> 2: LOOKING leader=1 zxid=0 round=1 epoch=0
        after 25400: connect all
        after 51000: -> 2: LOOKING leader=1 zxid=0 round=1 epoch=0
        after 51000: connect all
        after 102200: -> 2: LOOKING leader=1 zxid=0 round=1 epoch=0
        after 102200: connect all
        after 162200: -> 2: LOOKING leader=1 zxid=0 round=1 epoch=0
        after 162200: connect all
    "#]]);
}

#[test]
fn a_single_voter_elects_itself_at_once() {
    check(expect![[r#"
        server 1 of 1 observers 2

        look zxid=5 epoch=1
        ----
        LEADING: leader=1 zxid=5 round=1 epoch=1
    "#]]);
}

#[test]
fn a_server_without_weight_is_not_elected() {
    check(expect![[r#"
        server 1 of 1 2 3 group 1 2 3 weights 3=0

        look zxid=5
        ----
        -> 2 3: LOOKING leader=1 zxid=5 round=1 epoch=0

        3: LOOKING leader=3 zxid=9 round=1
        ----
        nothing

        2: LOOKING leader=2 zxid=5 round=1
        ----
        -> 2 3: LOOKING leader=2 zxid=5 round=1 epoch=0

        2: LOOKING leader=2 zxid=5 round=1
        ----
        nothing

        # Server 3 has no better vote than its own, and so never the one of the others.
        wait 200
        ----
        after 200: FOLLOWING: leader=2 zxid=5 round=1 epoch=0
    "#]]);
}

#[test]
fn a_server_without_weight_does_not_elect_itself() {
    check(expect![[r#"
        server 3 of 1 2 3 group 1 2 3 weights 3=0

        look zxid=9
        ----
        -> 1 2: LOOKING leader=3 zxid=9 round=1 epoch=0

        1: LOOKING leader=2 zxid=5 round=1
        2: LOOKING leader=2 zxid=5 round=1
        ----
        nothing

        1: FOLLOWING leader=2 zxid=5 round=1
        2: LEADING leader=2 zxid=5 round=1
        ----
        FOLLOWING: leader=2 zxid=5 round=1 epoch=0
    "#]]);
}

#[test]
fn a_server_that_does_not_know_its_zxid_does_not_vote() {
    check(expect![[r#"
        server 2 of 1 2 3

        look zxid=-1
        3: LOOKING leader=1 zxid=5 round=1
        ----
        -> 1 3: LOOKING leader=2 zxid=-1 round=1 epoch=0

        # It can follow a leader that others have found.
        3: FOLLOWING leader=1 zxid=5 round=1
        1: LEADING leader=1 zxid=5 round=1
        ----
        FOLLOWING: leader=1 zxid=5 round=1 epoch=0
    "#]]);
}

/// Nothing is left that could have more than the best of them.
#[test]
fn a_server_that_does_not_know_its_zxid_votes_when_all_have_been_heard() {
    check(expect![[r#"
        server 2 of 1 2 3

        look zxid=-1
        3: LOOKING leader=3 zxid=4 round=1
        1: LOOKING leader=1 zxid=5 round=1
        ----
        -> 1 3: LOOKING leader=2 zxid=-1 round=1 epoch=0
        -> 1 3: LOOKING leader=1 zxid=5 round=1 epoch=0

        1: LOOKING leader=1 zxid=5 round=1
        3: LOOKING leader=1 zxid=5 round=1
        ----
        FOLLOWING: leader=1 zxid=5 round=1 epoch=0
    "#]]);
}

#[test]
fn what_was_heard_in_one_round_counts_in_no_other() {
    check(expect![[r#"
        server 4 of 1 2 3 4 5

        look zxid=-1
        1: LOOKING leader=1 zxid=5 round=1
        2: LOOKING leader=2 zxid=4 round=1
        3: LOOKING leader=3 zxid=4 round=2
        5: LOOKING leader=5 zxid=4 round=1
        ----
        -> 1 2 3 5: LOOKING leader=4 zxid=-1 round=1 epoch=0

        3: LOOKING leader=3 zxid=4 round=1
        ----
        -> 1 2 3 5: LOOKING leader=1 zxid=5 round=1 epoch=0

        # 1 may be gone: the others do not tell what it had.
        5: LOOKING leader=5 zxid=4 round=2
        2: LOOKING leader=5 zxid=4 round=2
        3: LOOKING leader=5 zxid=4 round=2
        ----
        -> 1 2 3 5: LOOKING leader=4 zxid=-1 round=2 epoch=0

        1: LOOKING leader=1 zxid=5 round=2
        ----
        -> 1 2 3 5: LOOKING leader=1 zxid=5 round=2 epoch=0
    "#]]);
}

#[test]
fn who_has_a_leader_does_not_count_as_heard() {
    check(expect![[r#"
        server 2 of 1 2 3

        look zxid=-1
        1: LOOKING leader=1 zxid=5 round=1
        1: FOLLOWING leader=3 zxid=5 round=1
        3: LOOKING leader=3 zxid=4 round=1
        ----
        -> 1 3: LOOKING leader=2 zxid=-1 round=1 epoch=0
    "#]]);
}

#[test]
fn servers_that_are_all_empty_begin_a_new_ensemble() {
    check(expect![[r#"
        server 3 of 1 2 3

        look zxid=-1
        1: LOOKING leader=1 zxid=-1 round=1
        ----
        -> 1 2: LOOKING leader=3 zxid=-1 round=1 epoch=0

        2: LOOKING leader=2 zxid=-1 round=2
        ----
        -> 1 2: LOOKING leader=3 zxid=0 round=2 epoch=0

        2: LOOKING leader=3 zxid=0 round=2
        1: LOOKING leader=3 zxid=0 round=2
        ----
        LEADING: leader=3 zxid=0 round=2 epoch=0
    "#]]);
}

/// One of them has lost what it had.
#[test]
fn servers_of_which_one_has_had_a_leader_are_no_new_ensemble() {
    check(expect![[r#"
        server 3 of 1 2 3

        look zxid=-1
        1: LOOKING leader=1 zxid=-1 round=1
        2: LOOKING leader=2 zxid=-1 round=1 epoch=4
        ----
        -> 1 2: LOOKING leader=3 zxid=-1 round=1 epoch=0
    "#]]);
}

#[test]
fn a_server_that_does_not_know_its_zxid_does_not_vote_for_itself_either() {
    check(expect![[r#"
        server 1 of 1

        look zxid=-1
        ----
        nothing
    "#]]);
}

#[test]
fn a_vote_without_a_zxid_is_not_counted() {
    check(expect![[r#"
        server 1 of 1 2 3

        look zxid=5
        2: LOOKING leader=2 zxid=-1 round=1 epoch=9
        3: LOOKING leader=2 zxid=-1 round=1 epoch=9
        ----
        -> 2 3: LOOKING leader=1 zxid=5 round=1 epoch=0
    "#]]);
}

#[test]
fn an_observer_learns_the_leader_and_has_no_vote() {
    check(expect![[r#"
        server 4 of 1 2 3 observers 4

        look zxid=99 epoch=9
        ----
        -> 1 2 3: LOOKING leader=nobody round=1

        1: LOOKING leader=1 zxid=5 round=1
        ----
        -> 1 2 3: LOOKING leader=1 zxid=5 round=1 epoch=0

        2: LOOKING leader=1 zxid=5 round=1
        ----
        nothing

        3: LOOKING leader=1 zxid=5 round=1
        ----
        OBSERVING: leader=1 zxid=5 round=1 epoch=0

        1: LOOKING leader=1 zxid=5 round=2
        ----
        nothing
    "#]]);
}

#[test]
fn the_last_round_there_is_stays() {
    check(expect![[r#"
        server 1 of 1 2 3

        look
        2: LOOKING leader=2 round=9223372036854775807
        ----
        -> 2 3: LOOKING leader=1 zxid=0 round=1 epoch=0
        -> 2 3: LOOKING leader=2 zxid=0 round=9223372036854775807 epoch=0

        look
        ----
        -> 2 3: LOOKING leader=1 zxid=0 round=9223372036854775807 epoch=0
    "#]]);
}
