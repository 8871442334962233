//! Tables of quorums. Those with groups are what `QuorumHierarchical` of 3.8.0 answers for the same
//! configuration, asked for every set of servers.

use super::*;

/// `numbers`: "123" is the servers 1, 2 and 3.
fn ids(numbers: &str) -> BTreeSet<ServerId> {
    numbers.chars().map(|char| ServerId(char.to_digit(10).unwrap().into())).collect()
}

/// `groups`: "123 45"; `weights`: "3=0 4=3".
fn members(voters: &str, observers: &str, groups: &str, weights: &str) -> Members {
    let groups = (1..).zip(groups.split_whitespace().map(ids)).collect();
    let weights = weights.split_whitespace().map(|word| {
        let (id, weight) = word.split_once('=').unwrap();
        (ServerId(id.parse().unwrap()), weight.parse().unwrap())
    });
    Members::new(ids(voters), ids(observers), groups, weights.collect(), 0, String::new())
}

/// All quorums that are none without any one of their servers, such as "12 13 23".
fn smallest_quorums(members: &Members) -> String {
    let everybody: Vec<_> = members.voters.union(&members.observers).copied().collect();
    let mut smallest = Vec::new();
    for set in 0_u32..1 << everybody.len() {
        let ids: BTreeSet<_> = (0..everybody.len())
            .filter(|bit| set >> bit & 1 == 1)
            .map(|bit| everybody[bit])
            .collect();
        let without = |id: &ServerId| ids.iter().copied().filter(|other| other != id).collect();
        if members.has_quorum(&ids) && !ids.iter().any(|id| members.has_quorum(&without(id))) {
            smallest.push(ids.iter().map(ServerId::to_string).collect::<String>());
        }
    }
    smallest.join(" ")
}

#[test]
fn more_than_half_of_the_voters_are_a_majority() {
    let check = |voters, observers, expected: &str| {
        assert_eq!(smallest_quorums(&members(voters, observers, "", "")), expected, "{voters}");
    };
    check("", "", "");
    check("1", "", "1");
    check("12", "", "12");
    check("123", "", "12 13 23");
    check("1234", "", "123 124 134 234");
    check("12345", "", "123 124 134 234 125 135 235 145 245 345");
    check("123", "45", "12 13 23");
    check("", "45", "");
}

#[test]
fn groups_and_weights_count_as_in_java() {
    let check = |voters, groups, weights, expected: &str| {
        let members = members(voters, "", groups, weights);
        assert_eq!(smallest_quorums(&members), expected, "{groups}, {weights}");
    };
    check(
        "123456789",
        "123 456 789",
        "",
        "1245 1345 2345 1246 1346 2346 1256 1356 2356 1278 1378 2378 4578 4678 5678 1279 1379 2379 \
         4579 4679 5679 1289 1389 2389 4589 4689 5689",
    );
    // A group without weight is not there at all, so both others are needed.
    check(
        "123456789",
        "123 456 789",
        "7=0 8=0 9=0",
        "1245 1345 2345 1246 1346 2346 1256 1356 2356",
    );
    check("123", "123", "1=2", "12 13");
    check("12345", "123 45", "3=0 4=3", "124");
    check("123456", "123 456", "1=5 4=0", "156");
    check("1234", "12 34", "1=0 2=0 3=0 4=0", "");
}

#[test]
fn an_observer_counts_in_no_group() {
    let members = members("123", "4", "12 34", "4=9");
    assert_eq!(smallest_quorums(&members), "123");
    assert_eq!(members.weight(ServerId(4)), 0);
}

#[test]
fn any_two_quorums_have_a_voter_in_common() {
    for (groups, weights) in [("", ""), ("123 456", ""), ("12 34 56", "1=3 6=0"), ("12 3456", "")] {
        let members = members("123456", "7", groups, weights);
        let quorums = smallest_quorums(&members);
        assert!(!quorums.is_empty());
        for one in quorums.split(' ') {
            for other in quorums.split(' ') {
                assert!(!ids(one).is_disjoint(&ids(other)), "{one} and {other} of {groups}");
            }
        }
    }
}

#[test]
fn weights_mean_nothing_without_groups() {
    let members = members("123", "4", "", "1=0 2=5");
    let weights: Vec<_> = (1..=5).map(|id| members.weight(ServerId(id))).collect();
    assert_eq!(weights, [1, 1, 1, 0, 0]);
    assert_eq!(smallest_quorums(&members), "12 13 23");
}

#[test]
fn a_voter_is_no_observer() {
    let members = members("31", "14", "", "");
    assert_eq!(members.voters().collect::<Vec<_>>(), [ServerId(1), ServerId(3)]);
    assert!(members.is_voter(ServerId(1)) && !members.is_observer(ServerId(1)));
    assert!(!members.is_voter(ServerId(4)) && members.is_observer(ServerId(4)));
    assert!(!members.is_voter(ServerId(9)) && !members.is_observer(ServerId(9)));
}

#[test]
fn weights_that_overflow_do_no_harm() {
    let huge = format!("1={0} 2={0}", i64::MAX);
    let members = members("12", "", "12", &huge);
    assert!(members.has_quorum(&ids("12")));
}
