//! Tests of dynamic configurations.

use expect_test::{Expect, expect};

use super::*;

/// What a text prints as, with its version, or its faults.
fn check(text: &str, version_line: VersionLine, expected: Expect) {
    let listed = Listed::parse("zoo.dyn", text.as_bytes(), false, version_line);
    let outcome = if listed.errors.is_empty() {
        format!("{}\nversion {:x}\n", listed.ensemble, listed.ensemble.version)
    } else {
        format!("{}\n", Errors(listed.errors))
    };
    expected.assert_eq(&outcome);
}

#[test]
fn members_print_sorted_as_text() {
    check(
        "server.10=a:1:2\nserver.9=b:1:2;3\nversion=1f",
        VersionLine::Taken,
        expect![[r#"
        server.10=a:1:2:participant
        server.9=b:1:2:participant;0.0.0.0:3
        version 1f
    "#]],
    );
}

#[test]
fn a_hierarchy_prints_a_weight_for_every_participant() {
    check(
        "group.2=2\ngroup.1=1:\nweight.2=3\nserver.1=a:1:2\nserver.2=b:1:2\nserver.3=c:1:2:observer",
        VersionLine::Taken,
        expect![[r#"
            group.1=1
            group.2=2
            server.1=a:1:2:participant
            server.2=b:1:2:participant
            server.3=c:1:2:observer
            weight.1=1
            weight.2=3
            version 0
        "#]],
    );
}

#[test]
fn other_keys_have_no_place_in_it() {
    check(
        "foo=1\nclientPort=2181\nserver.1=a:1:2",
        VersionLine::Taken,
        expect![[r#"
        zoo.dyn:1: Unrecognised parameter: foo; allowed: server.N, group.N, weight.N
        zoo.dyn:2: Unrecognised parameter: clientPort; allowed: server.N, group.N, weight.N
    "#]],
    );
}

#[test]
fn the_version_is_hexadecimal_and_stands_where_it_belongs() {
    check(
        "version=xyz",
        VersionLine::Taken,
        expect![[r#"
        zoo.dyn:1: version: For input string: "xyz"; allowed: a hexadecimal number
    "#]],
    );
    check(
        "server.1=a:1:2\nversion=1",
        VersionLine::Refused,
        expect![[r#"
        zoo.dyn:2: dynamic file shouldn't have version inside; drop version=1, the file name ends in it
    "#]],
    );
}

#[test]
fn the_version_of_a_file_is_the_end_of_its_name() {
    let cases = [
        ("zoo.cfg.dynamic.300000010", 0x3_0000_0010),
        ("zoo.cfg.dynamic", 0),
        ("/etc/zk.d/members", 0),
        ("members", 0),
        ("x.", 0),
    ];
    for (name, version) in cases {
        assert_eq!(version_of_file_name(name), version, "{name}");
    }
}
