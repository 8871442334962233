//! The form of the lines; that no name of Java is missing is seen beside Java, in `tests/words`.

use std::collections::BTreeSet;

use expect_test::expect;

use super::*;

#[test]
fn no_name_stands_twice() {
    let names: BTreeSet<_> = METRICS.iter().map(|(name, _)| name).collect();
    assert_eq!(names.len(), METRICS.len());
}

#[test]
fn a_summary_has_a_line_for_each_of_its_parts() {
    let mut distribution = Distribution::default();
    for value in [15, 51, 46] {
        distribution.add(value);
    }
    let mut text = String::new();
    advanced(&mut text, "updatelatency", &distribution);
    basic(&mut text, "snapshottime", Summary::default());
    expect![[r"
        zk_avg_updatelatency	37.3333
        zk_min_updatelatency	15
        zk_max_updatelatency	51
        zk_cnt_updatelatency	3
        zk_sum_updatelatency	112
        zk_p50_updatelatency	47
        zk_p95_updatelatency	51
        zk_p99_updatelatency	51
        zk_p999_updatelatency	51
        zk_avg_snapshottime	0.0
        zk_min_snapshottime	0
        zk_max_snapshottime	0
        zk_cnt_snapshottime	0
        zk_sum_snapshottime	0
    "]]
    .assert_eq(&text);
}
